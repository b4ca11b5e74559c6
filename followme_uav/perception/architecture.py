"""Network architectures as data: the layers in order, each with the layers that feed it.

An `Architecture` holds no weights and no code. `models` defines the three networks of the report,
`keras_config` and `structure` read the networks of old files, and `models.apply` builds each from
Keras or ONNX layers. `Architecture.check` verifies that this program can run a network.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import Enum
from fractions import Fraction
from functools import cached_property
from typing import Any

from followme_uav.config import INPUT_SIZE_PX

CLASSES = ("background", "people", "hero")
"""Channels of the output, as in `messages.MaskClass`."""
IMAGE = "image"
"""Name of the input: (batch, height, width, 3), `x / 127.5 - 1` of RGB bytes."""

MAX_LAYERS = 200
MAX_PARAMETERS = 50_000_000
"""Limits that keep a wrong or malicious file from filling the memory."""
MAX_VALUES = 2**28
"""Values of one layer's result, 1 GiB: a file of some bytes can ask for any size."""
MAX_SIDE_PX = 2048
MAX_KERNEL_PX = 31
FACTORS = (2, 4, 8, 16)
"""Factors of upsampling layers: powers of two, because bilinear upsampling doubles repeatedly."""
ACTIVATIONS = ("linear", "relu", "elu", "tanh", "sigmoid", "softmax")

RESERVED = frozenset({"rgb", "planes", "levels", "scale", "scaled", "one", "probabilities"})
"""Names that `onnx_model` gives to results around the layers."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
_NETWORK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")


class ArchitectureError(ValueError):
    """A network that this program cannot run; the message names the layer."""


class Kind(str, Enum):
    """Operation of a layer."""

    SEPARABLE = "separable"
    """Depthwise convolution, then 1x1 convolution with bias, then activation."""
    CONVOLUTION = "convolution"
    """Convolution with bias, then activation."""
    TRANSPOSED = "transposed"
    """Transposed convolution with bias, then activation: it enlarges by its `factor`."""
    NORMALISATION = "normalisation"
    """Batch normalisation with running statistics."""
    UPSAMPLING = "upsampling"
    CONCATENATION = "concatenation"
    ADDITION = "addition"
    MAX_POOLING = "max_pooling"
    ACTIVATION = "activation"


CONVOLUTIONS = (Kind.SEPARABLE, Kind.CONVOLUTION, Kind.TRANSPOSED)
ENLARGING = (Kind.UPSAMPLING, Kind.TRANSPOSED)


class Interpolation(str, Enum):
    """Interpolation of an upsampling layer."""

    NONE = ""
    """The layer does not upsample."""
    BILINEAR_TF1 = "bilinear_tf1"
    """Bilinear without the half-pixel shift, as in TensorFlow 1."""
    BILINEAR = "bilinear"
    """Bilinear between pixel centres, as in TensorFlow 2."""
    NEAREST = "nearest"


@dataclass(frozen=True)
class Layer:
    """One layer; fields that its kind does not use keep their defaults."""

    name: str
    """Unique in the network; prefix of its variables' names."""
    kind: Kind
    inputs: tuple[str, ...]
    """Names of earlier layers, or `IMAGE`."""
    filters: int = 0
    """Output channels of a convolution."""
    kernel_px: int = 1
    """Side of the square window of a convolution or pooling; padding is "same"."""
    stride: int = 1
    """Stride of a convolution or pooling."""
    activation: str = "linear"
    epsilon: float = 1e-3
    """Number that a normalisation adds to the variance."""
    factor: int = 1
    """Factor of an upsampling or transposed convolution, for both sides."""
    interpolation: Interpolation = Interpolation.NONE


@dataclass(frozen=True)
class Signal:
    """Shape of a layer's output."""

    channels: int
    scale: Fraction
    """Side of the output divided by the side of the image."""


@dataclass(frozen=True)
class Architecture:
    """A network; the output of its last layer is the probabilities of `CLASSES`."""

    name: str
    layers: tuple[Layer, ...]
    input_size_px: tuple[int, int] | None = None
    """Image (height, width) that the network was trained for; None: any."""
    trained_side_px: int = INPUT_SIZE_PX
    """Side of the frames of its training. It takes images of other sizes too, and works best where
    the hero is about as large in pixels as in those frames."""

    @cached_property
    def signals(self) -> dict[str, Signal]:
        """Shapes of all outputs by layer.

        Raises:
            ArchitectureError: A layer cannot be applied to its inputs.
        """
        signals = {IMAGE: Signal(3, Fraction(1))}
        for layer in self.layers:
            if layer.name in signals:
                raise ArchitectureError(f"two layers are called {layer.name}")
            missing = [name for name in layer.inputs if name not in signals]
            if missing:
                raise ArchitectureError(
                    f"layer {layer.name} needs {missing[0]}, which is not there"
                )
            signals[layer.name] = _result_of(layer, [signals[name] for name in layer.inputs])
        return signals

    @cached_property
    def variables(self) -> dict[str, tuple[int, ...]]:
        """Shapes of all variables by path, e.g. `encoder1_conv/bias`."""
        return {
            f"{layer.name}/{part}": shape
            for layer in self.layers
            for part, shape in variables_of(layer, self.signals[layer.inputs[0]].channels).items()
        }

    @property
    def parameters(self) -> int:
        """Number of values in all variables."""
        return sum(math.prod(shape) for shape in self.variables.values())

    @property
    def side_multiple_px(self) -> int:
        """Divisor of image sides for which the sides of all layers are whole numbers."""
        return math.lcm(*(signal.scale.denominator for signal in self.signals.values()))

    @property
    def trained_size_px(self) -> tuple[int, int]:
        """Image (height, width) that the network was trained with."""
        return self.input_size_px or (self.trained_side_px, self.trained_side_px)

    def check(self) -> None:
        """Raise `ArchitectureError` unless this program can run the network."""
        if not 0 < len(self.layers) <= MAX_LAYERS:
            raise ArchitectureError(f"it has {len(self.layers)} layers, allowed are {MAX_LAYERS}")
        last = self.layers[-1]
        result = self.signals[last.name]
        if result.channels != len(CLASSES):
            raise ArchitectureError(
                f"its result has {result.channels} classes, needed are {len(CLASSES)} "
                f"({', '.join(CLASSES)})"
            )
        if result.scale != 1:
            raise ArchitectureError(f"its result has {result.scale} of the image's sides, not all")
        if last.activation != "softmax":
            raise ArchitectureError(f"its last layer {last.name} is no softmax")
        if self.parameters > MAX_PARAMETERS:
            raise ArchitectureError(
                f"it has {self.parameters:,} parameters, allowed are {MAX_PARAMETERS:,}"
            )
        self._check_sizes()

    def _check_sizes(self) -> None:
        for side in self.input_size_px or ():
            if not 0 < side <= MAX_SIDE_PX or side % self.side_multiple_px:
                raise ArchitectureError(
                    f"its image side of {side} px is no multiple of {self.side_multiple_px} "
                    f"up to {MAX_SIDE_PX}"
                )
        height, width = self.trained_size_px
        for name, signal in self.signals.items():
            values = signal.channels * height * width * signal.scale**2
            if values > MAX_VALUES:
                raise ArchitectureError(
                    f"the result of layer {name} has {int(values):.3g} values, allowed are "
                    f"{MAX_VALUES:,}"
                )


def variables_of(layer: Layer, channels: int) -> dict[str, tuple[int, ...]]:
    """Shapes of a layer's variables by short name, for a number of input channels."""
    side, bias = layer.kernel_px, (layer.filters,)
    if layer.kind is Kind.SEPARABLE:
        return {
            "depthwise_kernel": (side, side, channels, 1),
            "pointwise_kernel": (1, 1, channels, layer.filters),
            "bias": bias,
        }
    if layer.kind is Kind.CONVOLUTION:
        return {"kernel": (side, side, channels, layer.filters), "bias": bias}
    if layer.kind is Kind.TRANSPOSED:
        return {"kernel": (side, side, layer.filters, channels), "bias": bias}
    if layer.kind is Kind.NORMALISATION:
        return dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (channels,))
    return {}


def to_json(architecture: Architecture) -> str:
    """Return the network as JSON, without fields that have their default value."""
    defaults = {field.name: field.default for field in fields(Layer)}
    layers = [
        {name: value for name, value in asdict(layer).items() if value != defaults[name]}
        for layer in architecture.layers
    ]
    return json.dumps({"input_size_px": architecture.input_size_px, "layers": layers})


def from_json(name: str, text: str) -> Architecture:
    """Read and check a network that `to_json` wrote.

    Raises:
        ArchitectureError: The text is not such JSON, or this program cannot run the network.
    """
    if not _NETWORK_NAME.fullmatch(name):
        raise ArchitectureError("its name is not made of letters, digits, '_', '.' and '-'")
    try:
        content = json.loads(text)
        size = content["input_size_px"]
        architecture = Architecture(
            name,
            tuple(_layer(entry) for entry in content["layers"][: MAX_LAYERS + 1]),
            None if size is None else (int(size[0]), int(size[1])),
        )
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ArchitectureError(f"its list of layers cannot be read ({error})") from error
    architecture.check()
    return architecture


def _layer(entry: Mapping[str, Any]) -> Layer:
    layer = Layer(
        **{
            **entry,
            "kind": Kind(entry["kind"]),
            "inputs": tuple(entry["inputs"]),
            "interpolation": Interpolation(entry.get("interpolation", "")),
        }
    )
    is_name = isinstance(layer.name, str) and _NAME.fullmatch(layer.name)
    if not is_name or layer.name in RESERVED:
        raise ArchitectureError(f"a layer is called {layer.name!r:.80}")
    return layer


def _result_of(layer: Layer, inputs: list[Signal]) -> Signal:
    several = layer.kind in (Kind.CONCATENATION, Kind.ADDITION)
    if not inputs or (len(inputs) > 1) != several:
        raise ArchitectureError(f"layer {layer.name} ({layer.kind.value}) has {len(inputs)} inputs")
    first = inputs[0]
    if any(other.scale != first.scale for other in inputs):
        raise ArchitectureError(f"layer {layer.name} joins features of different resolution")
    _check_numbers(layer)
    if layer.kind is Kind.CONCATENATION:
        return Signal(sum(one.channels for one in inputs), first.scale)
    if layer.kind is Kind.ADDITION and any(one.channels != first.channels for one in inputs):
        raise ArchitectureError(f"layer {layer.name} adds features of different depth")
    channels = layer.filters if layer.kind in CONVOLUTIONS else first.channels
    return Signal(channels, first.scale * layer.factor / layer.stride)


def _check_numbers(layer: Layer) -> None:
    """Raise `ArchitectureError` for settings that a layer of this kind cannot have."""
    whole = (layer.filters, layer.kernel_px, layer.stride, layer.factor)
    if any(type(number) is not int for number in whole):
        raise ArchitectureError(f"layer {layer.name} has settings that are no whole numbers")
    is_upsampling = layer.kind is Kind.UPSAMPLING
    enlarges = layer.kind in ENLARGING
    if not (
        (layer.filters > 0) == (layer.kind in CONVOLUTIONS)
        and 0 <= layer.filters <= MAX_PARAMETERS
        and 0 < layer.kernel_px <= MAX_KERNEL_PX
        and 0 < layer.stride <= max(FACTORS)
        and (layer.factor in FACTORS if enlarges else layer.factor == 1)
        and (
            layer.kind is not Kind.TRANSPOSED
            or layer.stride == 1 <= layer.factor <= layer.kernel_px
        )
        and (layer.interpolation is not Interpolation.NONE) == is_upsampling
        and layer.activation in ACTIVATIONS
        and isinstance(layer.epsilon, float)
        and 0 < layer.epsilon < 1
    ):
        raise ArchitectureError(f"layer {layer.name} has settings that are not supported: {layer}")
