"""Reader for the JSON of a Keras network (`model.to_json()`).

Every layer has a class name, settings and the layers that feed it. `LAYERS` lists the supported
classes; a network with any other class is refused. Nothing that the JSON names is imported or
called. The reader accepts the JSON of Keras 2 and of Keras 3, also as a string within JSON, as the
Udacity project wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from followme_uav.perception.architecture import (
    ACTIVATIONS,
    CONVOLUTIONS,
    IMAGE,
    MAX_LAYERS,
    ArchitectureError,
    Interpolation,
    Kind,
    Layer,
)

MAX_JSON_BYTES = 4 * 2**20
_CODE = ("Lambda", "TFOpLambda", "SlicingOpLambda", "Function")
"""Classes of layers that hold code."""
_SWITCHES = {"use_bias": "bias", "center": "beta", "scale": "gamma"}
"""Settings, and the variable that a layer lacks when they are off."""
_CONTAINERS = ("Model", "Functional", "Sequential")
_DAMAGED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
"""Errors that wrong types, nested lists and numbers of hundreds of digits raise."""


@dataclass(frozen=True)
class KerasNetwork:
    """Layers of a Keras network."""

    layers: tuple[Layer, ...]
    """In the order and by the names of Keras, without layers that only matter in training."""
    classes: Mapping[str, str]
    """Class name of every layer in the JSON by its name, in the order of the JSON."""
    input_size_px: tuple[int, int] | None
    left_out: Mapping[str, frozenset[str]]
    """By layer, the variables that it lacks by its settings, e.g. `bias`."""


def parse(text: str | bytes) -> Mapping[str, Any] | None:
    """Parse the JSON of a network; None when the text is something else."""
    try:
        content = json.loads(text)
        if isinstance(content, str):
            content = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("class_name") not in _CONTAINERS:
        return None
    return content


def network(content: Mapping[str, Any]) -> KerasNetwork:
    """Read the layers of a network's JSON.

    Args:
        content: Result of `parse`.

    Raises:
        ArchitectureError: A layer or its settings are not supported, or the JSON is damaged.
    """
    try:
        return _network(content)
    except ArchitectureError:
        raise
    except _DAMAGED as error:
        raise ArchitectureError(f"its JSON cannot be read ({error!r:.200})") from error


def _network(content: Mapping[str, Any]) -> KerasNetwork:
    config = content["config"]
    entries = config if isinstance(config, list) else config["layers"]
    # Identity layers do not count later; here the limit bounds the work.
    if len(entries) > 2 * MAX_LAYERS:
        raise ArchitectureError(f"it has {len(entries)} layers, allowed are {MAX_LAYERS}")
    in_line = content["class_name"] == "Sequential"
    reader = _LayerReader()
    for entry in entries:
        reader.read(entry, in_line)
    if reader.inputs > 1:
        raise ArchitectureError("it has several inputs")
    outputs = [reader.previous] if in_line else _outputs(config["output_layers"])
    if len(outputs) != 1:
        raise ArchitectureError(f"it has {len(outputs)} results, needed is one")
    return KerasNetwork(
        _up_to(reader.results[outputs[0]], reader.layers),
        reader.classes,
        _image_size(reader.shapes),
        reader.left_out,
    )


class _LayerReader:
    """Layers of a JSON, read one after the other."""

    def __init__(self) -> None:
        self.layers: list[Layer] = []
        self.classes: dict[str, str] = {}
        self.left_out: dict[str, frozenset[str]] = {}
        self.results: dict[str, str] = {}
        """By each layer of the JSON, the layer that computes its output."""
        self.shapes: list[Any] = []
        """Shapes of images that the JSON names."""
        self.inputs = 0
        """Number of input layers."""
        self.previous = IMAGE

    def read(self, entry: Mapping[str, Any], in_line: bool) -> None:
        """Read one layer; with `in_line` the previous layer feeds it."""
        kind, settings = str(entry["class_name"]), entry["config"]
        name = str(settings.get("name") or entry.get("name"))
        if name in self.classes:
            raise ArchitectureError(f"two layers are called {name}")
        self.classes[name] = kind
        shape = settings.get("batch_input_shape") or settings.get("batch_shape")
        if shape is not None:
            self.shapes.append(shape)
        if kind == "InputLayer":
            self.results[name] = IMAGE
            self.inputs += 1
            return
        if kind in _CODE or kind not in LAYERS:
            held = ", which holds code" if kind in _CODE else ""
            raise ArchitectureError(f"layer {name} is a {kind:.60}{held}, not one of {_known()}")
        sources = [self.previous] if in_line else _sources(name, entry["inbound_nodes"])
        if not sources:
            raise ArchitectureError(f"layer {name} has no input")
        missing = [source for source in sources if source != IMAGE and source not in self.results]
        if missing:
            raise ArchitectureError(f"layer {name} needs {missing[0]}, which is not there")
        inputs = tuple(self.results.get(source, source) for source in sources)
        layer = LAYERS[kind](name, inputs, settings)
        self.left_out[name] = frozenset(
            part for switch, part in _SWITCHES.items() if settings.get(switch, True) is False
        )
        if layer is None:
            self.results[name] = inputs[0]
        else:
            self.results[name] = name
            self.layers.append(layer)
        self.previous = name


def _known() -> str:
    return ", ".join(sorted(LAYERS))


def _sources(name: str, nodes: Any) -> list[str]:
    """Names of the layers that feed this one, in their order."""
    if len(nodes) != 1:
        raise ArchitectureError(f"layer {name} is used {len(nodes)} times, allowed is once")
    if isinstance(nodes[0], Mapping):  # Keras 3
        found = _tensors(nodes[0]["args"])
    else:
        found = [tensor[:3] for tensor in nodes[0]]
    if any(node != 0 or tensor != 0 for _, node, tensor in found):
        raise ArchitectureError(f"layer {name} is fed by a layer that is used several times")
    return [str(source) for source, _, _ in found]


def _tensors(value: Any) -> list[list[Any]]:
    if isinstance(value, list):
        return [tensor for part in value for tensor in _tensors(part)]
    if isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__":
        return [value["config"]["keras_history"]]
    raise ValueError("an input that is no layer's result")


def _outputs(value: Any) -> list[str]:
    """Names of the outputs. Keras 2 has a list of [name, 0, 0], Keras 3 the list or one entry."""
    if value and isinstance(value[0], str):
        value = [value]
    return [str(entry[0]) for entry in value]


def _up_to(result: str, layers: list[Layer]) -> tuple[Layer, ...]:
    """The layers that the output depends on."""
    needed = {result}
    for layer in reversed(layers):
        if layer.name in needed:
            needed.update(layer.inputs)
    kept = [layer for layer in layers if layer.name in needed]
    # The output is the last of them, because layers come after their inputs.
    return tuple(kept)


def _image_size(shapes: list[Any]) -> tuple[int, int] | None:
    for shape in shapes:
        _, height, width, channels = shape
        if channels not in (3, None):
            raise ArchitectureError(f"its images have {channels} channels, needed are 3 (RGB)")
        if isinstance(height, int) and isinstance(width, int):
            return height, width
    return None


Settings = Mapping[str, Any]
Inputs = tuple[str, ...]


def _plain_convolution(name: str, inputs: Inputs, settings: Settings) -> Layer:
    return _convolution(Kind.CONVOLUTION, name, inputs, settings)


def _separable_convolution(name: str, inputs: Inputs, settings: Settings) -> Layer:
    _require(name, settings, "depth_multiplier", 1)
    return _convolution(Kind.SEPARABLE, name, inputs, settings)


def _convolution(kind: Kind, name: str, inputs: Inputs, settings: Settings) -> Layer:
    _require(name, settings, "groups", 1)
    _require(name, settings, "dilation_rate", 1)
    side = _side(name, settings, "kernel_size")
    return Layer(
        name,
        kind,
        inputs,
        filters=settings["filters"],
        kernel_px=side,
        stride=_windowed(name, settings, side),
        activation=_activation_name(name, settings.get("activation")),
    )


def _normalisation(name: str, inputs: Inputs, settings: Settings) -> Layer:
    axis = settings.get("axis", -1)
    if axis not in (-1, 3, [-1], [3]):
        raise ArchitectureError(f"layer {name} has axis {axis!r:.40}, supported is -1")
    return Layer(name, Kind.NORMALISATION, inputs, epsilon=float(settings.get("epsilon", 1e-3)))


def _bilinear_upsampling(name: str, inputs: Inputs, settings: Settings) -> Layer:
    return _upsampled(name, inputs, settings, Interpolation.BILINEAR_TF1)


def _upsampling(name: str, inputs: Inputs, settings: Settings) -> Layer:
    way = settings.get("interpolation", "nearest")
    if way not in ("nearest", "bilinear"):
        raise ArchitectureError(f"layer {name} has interpolation {way!r:.40}")
    return _upsampled(name, inputs, settings, Interpolation(way))


def _upsampled(name: str, inputs: Inputs, settings: Settings, way: Interpolation) -> Layer:
    _channels_last(name, settings)
    factor = _side(name, settings, "size")
    return Layer(name, Kind.UPSAMPLING, inputs, factor=factor, interpolation=way)


def _concatenation(name: str, inputs: Inputs, settings: Settings) -> Layer:
    _require(name, settings, "axis", -1, 3)
    return Layer(name, Kind.CONCATENATION, inputs)


def _addition(name: str, inputs: Inputs, settings: Settings) -> Layer:
    del settings
    return Layer(name, Kind.ADDITION, inputs)


def _max_pooling(name: str, inputs: Inputs, settings: Settings) -> Layer:
    side = _side(name, settings, "pool_size")
    settings = {**settings, "strides": settings.get("strides") or side}
    stride = _windowed(name, settings, side, whole=True)
    return Layer(name, Kind.MAX_POOLING, inputs, kernel_px=side, stride=stride)


def _activation(name: str, inputs: Inputs, settings: Settings) -> Layer | None:
    way = _activation_name(name, settings.get("activation"))
    return None if way == "linear" else Layer(name, Kind.ACTIVATION, inputs, activation=way)


def _relu(name: str, inputs: Inputs, settings: Settings) -> Layer:
    _require(name, settings, "max_value", None)
    _require(name, settings, "negative_slope", 0)
    _require(name, settings, "threshold", 0)
    return Layer(name, Kind.ACTIVATION, inputs, activation="relu")


def _softmax(name: str, inputs: Inputs, settings: Settings) -> Layer:
    _require(name, settings, "axis", -1, 3)
    return Layer(name, Kind.ACTIVATION, inputs, activation="softmax")


def _training_only(name: str, inputs: Inputs, settings: Settings) -> None:
    del name, inputs, settings


LAYERS: Mapping[str, Callable[[str, Inputs, Settings], Layer | None]] = {
    "SeparableConv2D": _separable_convolution,
    "SeparableConvolution2D": _separable_convolution,
    "SeparableConv2DKeras": _separable_convolution,
    "Conv2D": _plain_convolution,
    "Convolution2D": _plain_convolution,
    "BatchNormalization": _normalisation,
    "BilinearUpSampling2D": _bilinear_upsampling,
    "BilinearUpsampling2D": _bilinear_upsampling,
    "UpSampling2D": _upsampling,
    "Concatenate": _concatenation,
    "Add": _addition,
    "MaxPooling2D": _max_pooling,
    "Activation": _activation,
    "ReLU": _relu,
    "Softmax": _softmax,
    "Dropout": _training_only,
    "SpatialDropout2D": _training_only,
    "GaussianNoise": _training_only,
    "GaussianDropout": _training_only,
}
"""By class name, a function from settings to layer; it returns None for an identity layer."""


def fold_activations(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Merge each activation layer into the convolution before it, if that has no activation."""
    users: dict[str, list[Layer]] = {}
    for layer in layers:
        for source in layer.inputs:
            users.setdefault(source, []).append(layer)
    folded: dict[str, str] = {}
    result = []
    for layer in layers:
        layer = replace(layer, inputs=tuple(folded.get(name, name) for name in layer.inputs))
        after = users.get(layer.name, [])
        if layer.name in folded:
            continue
        if (
            layer.kind in CONVOLUTIONS
            and layer.activation == "linear"
            and len(after) == 1
            and after[0].kind is Kind.ACTIVATION
        ):
            folded[after[0].name] = layer.name
            layer = replace(layer, activation=after[0].activation)
        result.append(layer)
    return tuple(result)


def _windowed(name: str, settings: Settings, side: int, whole: bool = False) -> int:
    """Check padding and axes, and return the stride.

    Args:
        name: Name of the layer.
        settings: Settings of the layer.
        side: Side of the window.
        whole: Allow padding "valid" where windows do not overlap: there it equals "same".
    """
    _channels_last(name, settings)
    stride = _side(name, settings, "strides")
    padding = str(settings.get("padding", "valid")).lower()
    if padding != "same" and not (padding == "valid" and (side == 1 or (whole and side == stride))):
        raise ArchitectureError(f"layer {name} has padding {padding!r:.40}, supported is 'same'")
    return stride


def _channels_last(name: str, settings: Settings) -> None:
    _require(name, settings, "data_format", "channels_last", None)


def _require(name: str, settings: Settings, key: str, *allowed: Any) -> None:
    value = settings.get(key, allowed[0])
    if isinstance(value, list) and len(set(map(str, value))) == 1:
        value = value[0]
    if value not in allowed:
        raise ArchitectureError(f"layer {name} has {key} {value!r:.40}, supported is {allowed[0]}")


def _side(name: str, settings: Settings, key: str) -> int:
    """The side of a square window, stride or factor."""
    value = settings.get(key, 1 if key == "strides" else None)
    sides = value if isinstance(value, list) else [value, value]
    if len(sides) != 2 or sides[0] != sides[1] or type(sides[0]) is not int:
        raise ArchitectureError(f"layer {name} has {key} {value!r:.40}, supported are equal sides")
    return int(sides[0])


def _activation_name(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        value = str(value.get("class_name", "")).lower()
    value = value or "linear"
    if value not in ACTIVATIONS:
        raise ArchitectureError(f"layer {name} has activation {value!r:.40}")
    return str(value)
