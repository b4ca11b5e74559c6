"""A network of your own as ONNX: any that maps an RGB image to a probability for each class.

This one only looks at the colour of each pixel: strong red is the hero. A trained network replaces
it without a change of the rest, see docs/extending.md. Run it, then fly with its result:

    python examples/own_network.py
    followme-uav fly --weights red.onnx --seed 8 --duration 20
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from followme_uav import MaskClass, Segmenter

# The file beside the network says how to use it: the ONNX file does not tell.
DESCRIPTION = """\
classes: {hero: 1}      # channel 1 of the output; the other one is background
activation: softmax     # the network gives logits
divide_by: 255          # it takes values from 0 to 1
"""


def red_network() -> onnx.ModelProto:
    """Return one 1x1 convolution: the logits of two classes from red, green and blue."""
    kernel = np.zeros((2, 3, 1, 1), np.float32)  # (classes out, colours in, height, width)
    kernel[1, :, 0, 0] = (40.0, -40.0, -40.0)
    constants = [
        numpy_helper.from_array(kernel, "kernel"),
        numpy_helper.from_array(np.array([0.0, -10.0], np.float32), "bias"),
    ]
    node = helper.make_node("Conv", ["image", "kernel", "bias"], ["logits"])
    graph = helper.make_graph(
        [node],
        "red",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "height", "width"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 2, "height", "width"])],
        constants,
    )
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


if __name__ == "__main__":
    path = Path("red.onnx")
    onnx.save_model(red_network(), path)
    path.with_suffix(".yaml").write_text(DESCRIPTION)
    rgb = np.full((160, 160, 3), 90, np.uint8)  # grey, with a red person
    rgb[60:90, 70:80] = (200, 20, 30)
    mask = Segmenter(path).segment(rgb)  # (160, 160, 3) bytes: background, people, hero
    print(f"hero pixels: {np.count_nonzero(mask[..., MaskClass.HERO] > 127)}")
