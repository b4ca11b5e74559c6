"""Reads ONNX networks of other programs: data that is checked before a library runs it.

A file may come from anybody. Its size is limited; tensors in other files, loops and branches, and
operators of other libraries are refused. The shapes are checked by `onnx_runtime`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from followme_uav.errors import WeightsError
from followme_uav.perception.keras_files import MAX_BYTES
from followme_uav.perception.onnx_description import (
    MAX_SIDE_PX,
    Layout,
    NetworkDescription,
    read_description,
)
from followme_uav.perception.onnx_package import onnx_package

if TYPE_CHECKING:
    import onnx

MAX_NODES = 20_000
_CHANNELS = 3
_CONTROL_FLOW = ("If", "Loop", "Scan", "SequenceMap")
_OWN_DOMAINS = ("", "ai.onnx")

Shape = tuple[int | None, ...]
"""None: a size that the file leaves open."""


@dataclass(frozen=True)
class OnnxNetwork:
    """An ONNX network that can serve as a segmenter, as far as its file tells."""

    path: Path
    content: bytes
    name: str
    description: NetworkDescription
    layout: Layout
    takes_bytes: bool
    """Its input is uint8; else a kind of float."""
    output: int
    """Index of the output that holds the classes."""
    size_px: tuple[int, int] | None
    """Height and width of its images; None: any."""


def read_onnx(path: Path) -> OnnxNetwork:
    """Read and check an ONNX network and its description.

    Raises:
        WeightsError: The file is missing, damaged, too large, depends on other files, or is no
            network from one image to class probabilities; or the description does not fit.
        EnvironmentSetupError: The package `onnx` is missing.
    """
    onnx = onnx_package()
    content = _content(path)
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # protobuf's errors have no common class
        raise WeightsError(f"{path}: damaged, or not an ONNX network ({_line(error)})") from error
    _check_graph(path, model)
    try:
        onnx.checker.check_model(model)
    except Exception as error:
        raise WeightsError(f"{path}: not a valid ONNX network: {_line(error)}") from error
    description = read_description(path)
    shape, kind = _input(path, model.graph)
    takes_bytes = kind == onnx.TensorProto.UINT8
    floats = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE)
    if not takes_bytes and kind not in floats:
        name = onnx.TensorProto.DataType.Name(kind)
        raise WeightsError(f"{path}: its input has type {name}; export it with float or uint8")
    _check_scaling(path, description, takes_bytes)
    layout = _layout(path, shape, description)
    return OnnxNetwork(
        path=path,
        content=content,
        name=(model.graph.name or path.stem)[:80],
        description=description,
        layout=layout,
        takes_bytes=takes_bytes,
        output=_output(path, model.graph, description),
        size_px=_size(path, shape, layout, description),
    )


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            what = "a folder" if path.is_dir() else "no such file"
            raise WeightsError(f"{path}: {what}; pass --weights an ONNX file")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise WeightsError(f"{path}: {size:,} bytes are too many; the limit is {MAX_BYTES:,}")
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror})") from error


def _check_graph(path: Path, model: onnx.ModelProto) -> None:
    from onnx.defs import onnx_opset_version

    nodes = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    if not nodes:
        raise WeightsError(f"{path}: damaged, or not an ONNX network (it has no nodes)")
    if len(nodes) > MAX_NODES:
        raise WeightsError(f"{path}: {len(nodes):,} nodes are too many; the limit is {MAX_NODES:,}")
    known = onnx_opset_version()
    newest = max(
        (one.version for one in model.opset_import if one.domain in _OWN_DOMAINS), default=0
    )
    if newest > known:
        raise WeightsError(
            f"{path}: written for ONNX opset {newest}, known here are those up to {known}; export "
            "it with an older opset"
        )
    own_functions = {(function.domain, function.name) for function in model.functions}
    for node in nodes:
        if node.op_type in _CONTROL_FLOW:
            raise WeightsError(
                f"{path}: has the operator {node.op_type}; export a network without control flow"
            )
        if node.domain not in _OWN_DOMAINS and (node.domain, node.op_type) not in own_functions:
            raise WeightsError(
                f"{path}: has the operator {node.domain}.{node.op_type}, which is not part of "
                "ONNX; export it with standard operators"
            )
    if any(tensor.data_location == tensor.EXTERNAL for tensor in _tensors(model, nodes)):
        raise WeightsError(
            f"{path}: keeps values in other files (external data); save it as one file, with "
            "onnx.save_model(model, path, save_as_external_data=False)"
        )


def _tensors(model: onnx.ModelProto, nodes: list[Any]) -> Iterator[Any]:
    yield from model.graph.initializer
    attributes = [attribute for node in nodes for attribute in node.attribute]
    for attribute in attributes:
        yield from (attribute.t, *attribute.tensors)
    sparse = [*model.graph.sparse_initializer]
    for attribute in attributes:
        sparse += [attribute.sparse_tensor, *attribute.sparse_tensors]
    for one in sparse:
        yield from (one.values, one.indices)


def _input(path: Path, graph: onnx.GraphProto) -> tuple[Shape, int]:
    """Shape and type of the only input."""
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [one for one in graph.input if one.name not in constants]
    if len(inputs) != 1:
        names = ", ".join(one.name for one in inputs[:8]) or "none"
        raise WeightsError(f"{path}: has {len(inputs)} inputs ({names}); one image is needed")
    kind = inputs[0].type.tensor_type
    shape = tuple(d.dim_value if d.dim_value > 0 else None for d in kind.shape.dim)
    if len(shape) != 4 or shape[0] not in (1, None):
        raise WeightsError(
            f"{path}: its input has shape {_readable(shape)}; needed are four axes: one image (or "
            "any number), channels, height, width, or with the channels last"
        )
    return shape, kind.elem_type


def _check_scaling(path: Path, description: NetworkDescription, takes_bytes: bool) -> None:
    file = f"{path}: its description"
    plain = NetworkDescription.model_fields
    is_scaled = any(
        getattr(description, key) != plain[key].default for key in ("divide_by", "mean", "std")
    )
    if takes_bytes and is_scaled:
        raise WeightsError(f"{file} scales the image, but the network takes bytes; leave that out")
    if not takes_bytes and description.divide_by is None:
        raise WeightsError(
            f"{file} lacks divide_by: write 255 if the network takes values 0..1, 1 if it "
            "takes 0..255"
        )


def _layout(path: Path, shape: Shape, description: NetworkDescription) -> Layout:
    fits: dict[Layout, bool] = {
        "nchw": shape[1] in (_CHANNELS, None),
        "nhwc": shape[3] in (_CHANNELS, None),
    }
    named: dict[Layout, bool] = {"nchw": shape[1] == _CHANNELS, "nhwc": shape[3] == _CHANNELS}
    if description.layout is not None:
        is_other = any(named.values()) and not named[description.layout]
        if is_other or not fits[description.layout]:
            raise WeightsError(
                f"{path}: its input has shape {_readable(shape)}, not {description.layout} "
                "with 3 channels"
            )
        return description.layout
    found = [layout for layout, is_named in named.items() if is_named]
    if len(found) == 1:
        return found[0]
    if not any(fits.values()):
        raise WeightsError(
            f"{path}: its input has shape {_readable(shape)}, without an axis of 3 channels"
        )
    raise WeightsError(
        f"{path}: its input has shape {_readable(shape)}, which leaves the axis of the channels "
        "open; write 'layout: nchw' or 'layout: nhwc' in its description"
    )


def _size(
    path: Path, shape: Shape, layout: Layout, description: NetworkDescription
) -> tuple[int, int] | None:
    height, width = shape[2:] if layout == "nchw" else shape[1:3]
    wanted = description.size_px
    own = (height, width)
    if wanted is not None:
        if any(mine not in (None, one) for mine, one in zip(own, wanted, strict=True)):
            raise WeightsError(
                f"{path}: takes images of {width} x {height} pixels, its description says "
                f"{wanted[1]} x {wanted[0]}; correct or leave out width_px and height_px"
            )
        return wanted
    if height is None and width is None:
        return None
    if height is None or width is None:
        raise WeightsError(f"{path}: write width_px and height_px in its description: one is open")
    if max(height, width) > MAX_SIDE_PX:
        raise WeightsError(f"{path}: images of {width} x {height} are larger than {MAX_SIDE_PX}")
    return height, width


def _output(path: Path, graph: onnx.GraphProto, description: NetworkDescription) -> int:
    names = [one.name for one in graph.output]
    listed = ", ".join(names[:8])
    if description.output is not None:
        if description.output not in names:
            raise WeightsError(f"{path}: has no output '{description.output:.80}', but {listed}")
        return names.index(description.output)
    if len(names) != 1:
        raise WeightsError(
            f"{path}: has {len(names)} outputs ({listed}); choose one with 'output: NAME' in its "
            "description"
        )
    return 0


def _readable(shape: Shape) -> str:
    return "(" + ", ".join("?" if size is None else str(size) for size in shape) + ")"


def _line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{text:.300}"
