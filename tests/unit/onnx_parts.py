"""Small ONNX networks for tests."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT
CLASSES = 21
PLAIN = "classes: {people: 1, hero: 2}\ndivide_by: 255\nactivation: softmax\n"
KERNEL = np.random.default_rng(3).normal(0, 3, (CLASSES, 3)).astype(np.float32)


def network(
    nodes=None,
    *,
    shape=(1, 3, None, None),
    out=(1, CLASSES, None, None),
    kernel=KERNEL,
    kind=FLOAT,
    out_kind=FLOAT,
    extra_inputs=(),
    extra_outputs=(),
    opset=17,
    domains=(),
):
    """A 1x1 convolution of an NCHW image, or other nodes from `image` to `classes`."""

    def axes(sizes):
        return [f"axis{i}" if size is None else size for i, size in enumerate(sizes)]

    graph = helper.make_graph(
        nodes or [helper.make_node("Conv", ["image", "kernel"], ["classes"])],
        "net",
        [
            helper.make_tensor_value_info("image", kind, axes(shape)),
            *(helper.make_tensor_value_info(name, FLOAT, [1]) for name in extra_inputs),
        ],
        [
            helper.make_tensor_value_info("classes", out_kind, axes(out)),
            *(helper.make_tensor_value_info(name, FLOAT, axes(out)) for name in extra_outputs),
        ],
        [numpy_helper.from_array(kernel[:, :, None, None], "kernel")],
    )
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(d, 1) for d in domains)]
    return helper.make_model(graph, ir_version=8, opset_imports=opsets)


def save_network(path, model=None, description=PLAIN):
    """Write a network and, unless None, its description; return its path."""
    model = network() if model is None else model
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    if description is not None:
        path.with_suffix(".yaml").write_text(description)
    return path
