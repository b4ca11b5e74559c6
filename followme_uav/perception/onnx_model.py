"""Conversion of a trained network to an ONNX model, for OpenVINO and for the `export` command.

`perception.models` builds networks from Keras layers. `_Layers` below has the same constructors as
`keras.layers`, as far as networks use them, but its layers write ONNX nodes with the values of a
weights file. Each network therefore has one definition, and neither Keras nor TensorFlow has to
start to run it.

Input `rgb`: (batch, height, width, 3) uint8, sides multiples of `models.SIDE_MULTIPLE_PX`.
Output `probabilities`: (batch, height, width, 3) float32, channels as in `messages.MaskClass`.
The scaling of the bytes is part of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.perception import weights as weights_file
from followme_uav.perception.models import CLASSES, apply
from followme_uav.perception.onnx_description import NetworkDescription
from followme_uav.perception.onnx_package import onnx_package
from followme_uav.perception.weights import WeightsFile

if TYPE_CHECKING:
    import onnx

INPUT, OUTPUT = "rgb", "probabilities"
OPSET, IR_VERSION = 17, 8
"""Versions of 2022, which all current runtimes support."""


def onnx_model(weights: Path) -> onnx.ModelProto:
    """Convert the network of a weights file.

    Raises:
        WeightsError: The weights cannot be used.
        EnvironmentSetupError: The package `onnx` is missing.
    """
    onnx = onnx_package()
    stored = weights_file.read_weights(weights)
    layers = _Layers(stored)
    probabilities = apply(stored.network, layers.image())
    layers.node("Transpose", [probabilities.name], OUTPUT, perm=_TO_CHANNELS_LAST)
    axes = ["batch", "height", "width"]
    graph = onnx.helper.make_graph(
        _used(layers.nodes),
        stored.architecture,
        [onnx.helper.make_tensor_value_info(INPUT, onnx.TensorProto.UINT8, [*axes, 3])],
        [onnx.helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, [*axes, len(CLASSES)])],
        layers.constants,
    )
    model = onnx.helper.make_model(
        graph,
        producer_name="followme-uav",
        ir_version=IR_VERSION,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
    )
    about = {"classes": ",".join(CLASSES), "weights_sha256": weights_file.sha256(weights)}
    if stored.network.input_size_px is not None:
        about["input_size_px"] = "{1}x{0}".format(*stored.network.input_size_px)
    onnx.helper.set_model_props(model, about)
    onnx.checker.check_model(model)
    return model


def description_of(weights: Path) -> NetworkDescription:
    """The description of what `onnx_model` makes, for `--weights`; raises `WeightsError`."""
    network = weights_file.read_weights(weights).network
    height_px, width_px = network.input_size_px or (None, None)
    channels = {name: number for number, name in enumerate(CLASSES)}
    return NetworkDescription.model_validate(
        {
            "classes": channels,
            "width_px": width_px,
            "height_px": height_px,
            "trained_width_px": network.trained_side_px,
            "side_multiple_px": 1 if width_px else network.side_multiple_px,
        }
    )


def _used(nodes: Sequence[onnx.NodeProto]) -> list[onnx.NodeProto]:
    """The nodes that the last one needs: a concatenation may have been replaced by its parts."""
    needed, used = {nodes[-1].name}, []
    for node in reversed(nodes):
        if node.name in needed:
            needed.update(node.input)
            used.append(node)
    return used[::-1]


_TO_CHANNELS_FIRST = [0, 3, 1, 2]
"""Axes for ONNX, whose convolutions take (batch, channels, height, width)."""
_TO_CHANNELS_LAST = [0, 2, 3, 1]


@dataclass(frozen=True)
class _Tensor:
    """A value in the graph: input and output of layers."""

    name: str
    channels: int
    layers: _Layers
    """Layers that `models.apply` applies to it."""
    parts: tuple[_Tensor, ...] = ()
    """The tensors that a concatenation consists of, in their order."""


class _Layers:
    """Replacement for `keras.layers`: a layer that is applied appends its ONNX nodes.

    It has only the layers and arguments that networks use; others raise `AttributeError` or
    `TypeError`.
    """

    def __init__(self, stored: WeightsFile) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._stored = stored

    def image(self) -> _Tensor:
        """Append the input nodes, which scale bytes to -1..1."""
        from onnx import TensorProto

        scale = self.constant("scale", np.float32(127.5))
        one = self.constant("one", np.float32(1.0))
        self.node("Transpose", [INPUT], "planes", perm=_TO_CHANNELS_FIRST)
        self.node("Cast", ["planes"], "levels", to=TensorProto.FLOAT)
        self.node("Div", ["levels", scale], "scaled")
        self.node("Sub", ["scaled", one], "image")
        return _Tensor("image", 3, self)

    def Conv2D(self, *settings: Any, **more: Any) -> Callable[[_Tensor], _Tensor]:
        return self._convolution("Conv", *settings, **more)

    def Conv2DTranspose(self, *settings: Any, **more: Any) -> Callable[[_Tensor], _Tensor]:
        return self._convolution("ConvTranspose", *settings, **more)

    def _convolution(
        self,
        kind: str,
        filters: int,
        kernel_size: int,
        *,
        strides: int,
        padding: str,
        activation: str,
        name: str,
    ) -> Callable[[_Tensor], _Tensor]:
        def apply(x: _Tensor) -> _Tensor:
            kernel = self.variable(f"{name}/kernel", _KERNEL_AXES)
            bias = self.variable(f"{name}/bias")
            pads = _pads(padding, kernel_size, strides)
            stride = [strides, strides]
            self.node(kind, [x.name, kernel, bias], f"{name}/sum", strides=stride, pads=pads)
            return self._activated(activation, f"{name}/sum", name, filters)

        return apply

    def SeparableConv2D(
        self,
        filters: int,
        kernel_size: int,
        *,
        strides: int,
        padding: str,
        activation: str,
        name: str,
    ) -> Callable[[_Tensor], _Tensor]:
        window = {"strides": [strides, strides], "pads": _pads(padding, kernel_size, strides)}
        each = self._stored.variables[f"{name}/depthwise_kernel"].transpose(2, 3, 0, 1)
        across = self._stored.variables[f"{name}/pointwise_kernel"].transpose(_KERNEL_AXES)

        def convolved(part: _Tensor, begin: int) -> str:
            """Append the convolution of the channels from `begin` on."""
            own, end = f"{name}/from{begin}", begin + part.channels
            depthwise = self.constant(f"{own}/depthwise_kernel", each[begin:end])
            pointwise = self.constant(f"{own}/pointwise_kernel", across[:, begin:end])
            bias = [] if begin else [self.variable(f"{name}/bias")]
            channels = part.channels
            self.node("Conv", [part.name, depthwise], f"{own}/each", group=channels, **window)
            self.node("Conv", [f"{own}/each", pointwise, *bias], f"{own}/sum")
            return f"{own}/sum"

        def apply(x: _Tensor) -> _Tensor:
            # The convolution of a concatenation is the sum of the convolutions of its parts: this
            # saves the copy that a concatenation is, an eighth of Model 1's time.
            parts = x.parts or (x,)
            begins = accumulate((part.channels for part in parts[:-1]), initial=0)
            sums = [convolved(part, begin) for part, begin in zip(parts, begins, strict=True)]
            if len(sums) == 1:
                return self._activated(activation, sums[0], name, filters)
            self.node("Sum", sums, f"{name}/sum")
            return self._activated(activation, f"{name}/sum", name, filters)

        return apply

    def BatchNormalization(
        self, *, epsilon: float, momentum: float, name: str
    ) -> Callable[[_Tensor], _Tensor]:
        del momentum  # matters in training only

        def apply(x: _Tensor) -> _Tensor:
            parts = ("gamma", "beta", "moving_mean", "moving_variance")
            values = [self.variable(f"{name}/{part}") for part in parts]
            self.node("BatchNormalization", [x.name, *values], name, epsilon=epsilon)
            return _Tensor(name, x.channels, self)

        return apply

    def UpSampling2D(
        self, size: int, *, interpolation: str, name: str
    ) -> Callable[[_Tensor], _Tensor]:
        def apply(x: _Tensor) -> _Tensor:
            scales = self.constant(f"{name}/scales", np.array([1, 1, size, size], np.float32))
            self.node(
                "Resize",
                [x.name, "", scales],
                name,
                **_RESIZE[interpolation],
            )
            return _Tensor(name, x.channels, self)

        return apply

    def AveragePooling2D(
        self, pool_size: int, *, strides: int, padding: str, name: str
    ) -> Callable[[_Tensor], _Tensor]:
        def apply(x: _Tensor) -> _Tensor:
            self.node(
                "AveragePool",
                [x.name],
                name,
                kernel_shape=[pool_size, pool_size],
                strides=[strides, strides],
                pads=_pads(padding, pool_size, strides),
                count_include_pad=0,
            )
            return _Tensor(name, x.channels, self)

        return apply

    def MaxPooling2D(
        self, pool_size: int, *, strides: int, padding: str, name: str
    ) -> Callable[[_Tensor], _Tensor]:
        def apply(x: _Tensor) -> _Tensor:
            window, step = [pool_size, pool_size], [strides, strides]
            pads = _pads(padding, pool_size, strides)
            self.node("MaxPool", [x.name], name, kernel_shape=window, strides=step, pads=pads)
            return _Tensor(name, x.channels, self)

        return apply

    def Activation(self, activation: str, *, name: str) -> Callable[[_Tensor], _Tensor]:
        def apply(x: _Tensor) -> _Tensor:
            return self._activated(activation, x.name, name, x.channels)

        return apply

    def Add(self, *, name: str) -> Callable[[Sequence[_Tensor]], _Tensor]:
        def apply(parts: Sequence[_Tensor]) -> _Tensor:
            self.node("Sum", [part.name for part in parts], name)
            return _Tensor(name, parts[0].channels, self)

        return apply

    def Concatenate(self, *, name: str) -> Callable[[Sequence[_Tensor]], _Tensor]:
        def apply(parts: Sequence[_Tensor]) -> _Tensor:
            self.node("Concat", [part.name for part in parts], name, axis=1)
            return _Tensor(name, sum(part.channels for part in parts), self, tuple(parts))

        return apply

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> None:
        """Append a node, named after its only output."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))

    def constant(self, name: str, value: NDArray[Any] | np.float32) -> str:
        """Append a constant and return its name."""
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def variable(self, name: str, axes: Sequence[int] | None = None) -> str:
        """Append a variable of the weights file, with permuted `axes`, and return its name."""
        value = self._stored.variables[name]
        return self.constant(name, value if axes is None else value.transpose(axes))

    def _activated(self, activation: str, before: str, name: str, channels: int) -> _Tensor:
        if activation == "linear":  # a node without effect would part what quantisation joins
            return _Tensor(before, channels, self)
        if activation == "softmax":
            self.node("Softmax", [before], name, axis=1)
        else:
            self.node(_ACTIVATION[activation], [before], name)
        return _Tensor(name, channels, self)


_ACTIVATION = {
    "relu": "Relu",
    "elu": "Elu",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
}

_RESIZE: dict[str, dict[str, str]] = {
    "nearest": {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    },
    "bilinear": {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
}
"""By the name of an interpolation in Keras, the attributes of the same resizing in ONNX."""

_KERNEL_AXES = [3, 2, 0, 1]
"""Keras: (height, width, in, out); ONNX: (out, in, height, width). Of transposed convolutions both
have `in` and `out` exchanged."""


def _pads(padding: str, window: int, stride: int) -> list[int]:
    """Padding (top, left, bottom, right) for an image whose sides are multiples of the stride.

    If "same" needs an odd number, Keras adds one more at the bottom and at the right.
    """
    if padding == "valid":
        return [0, 0, 0, 0]
    if padding != "same":
        raise ValueError(f"padding '{padding}'")
    before, odd = divmod(max(window - stride, 0), 2)
    return [before, before, before + odd, before + odd]
