"""Old weights: HDF5 files that Keras 2 wrote with `model.save_weights`, as of the Udacity project.

Such a file lists its layers in order (attribute `layer_names`) and for each layer its arrays
(`weight_names`). Layers have running numbers (`batch_normalization_9`), not the names of this
package, so the network is recognised by the sequence of its convolutions and their channels, and
an array by its own name within its layer: some files store a normalisation's beta before its
gamma, others after it. Only arrays are read; nothing is deserialised.

The channels of the result are background, people, hero: those of the project's masks (red, green,
blue), and of `messages.MaskClass`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[np.float32]]

SEPARABLE = "3x3 separable"
POINTWISE = "1x1"
PLAIN = "3x3"


@dataclass(frozen=True)
class Convolution:
    """One convolution of a network: what it is, and the channels that go in and come out."""

    kind: str
    channels_in: int
    channels_out: int

    def __str__(self) -> str:
        return f"{self.kind} {self.channels_in}->{self.channels_out}"


LAYOUTS: dict[str, dict[str, Convolution]] = {
    "model1": {
        "encoder1": Convolution(SEPARABLE, 3, 32),
        "encoder2": Convolution(SEPARABLE, 32, 64),
        "encoder3": Convolution(SEPARABLE, 64, 128),
        "middle": Convolution(POINTWISE, 128, 128),
        "decoder1": Convolution(SEPARABLE, 128 + 64, 64),
        "decoder2": Convolution(SEPARABLE, 64 + 32, 32),
        "decoder3": Convolution(SEPARABLE, 32 + 3, 3),
        "classes": Convolution(POINTWISE, 3, 3),
    },
    "model2": {
        "encoder1": Convolution(SEPARABLE, 3, 32),
        "encoder2": Convolution(SEPARABLE, 32, 64),
        "middle": Convolution(POINTWISE, 64, 128),
        "decoder1": Convolution(SEPARABLE, 128 + 32, 64),
        "decoder2": Convolution(SEPARABLE, 64 + 3, 32),
        "classes": Convolution(POINTWISE, 32, 3),
    },
    "model3": {
        "encoder1": Convolution(SEPARABLE, 3, 32),
        "encoder2": Convolution(SEPARABLE, 32, 64),
        "middle": Convolution(PLAIN, 64, 64),
        "decoder1": Convolution(SEPARABLE, 64 + 32, 64),
        "decoder2": Convolution(SEPARABLE, 64 + 3, 32),
        "classes": Convolution(POINTWISE, 32, 3),
    },
}
"""By which networks are recognised: block name -> its convolution, in the order of old files."""


class NotRecognisedError(ValueError):
    """The file's layers are not those of a known network; the message says what they are."""


@dataclass(frozen=True)
class LegacyNetwork:
    """What an old file holds, in the names of this package."""

    architecture: str
    keras_version: str
    variables: dict[str, NDArray[np.float32]]
    """Values by variable path, e.g. `encoder1_conv/bias`."""


def is_legacy(attributes: Mapping[str, Any]) -> bool:
    """Whether an HDF5 file with these root attributes was written by `model.save_weights`."""
    return "layer_names" in attributes and "keras_version" in attributes


def recognise(
    attributes: Mapping[str, Any],
    weight_names: Mapping[str, Any],
    arrays: Arrays,
) -> LegacyNetwork:
    """Finds out which network an old file holds, and gives its arrays our names.

    Args:
        attributes: Of the file's root.
        weight_names: By layer, its attribute of that name.
        arrays: The file's data sets by path, `LAYER/WEIGHT NAME`.

    Raises:
        NotRecognisedError: The layers are not those of a known network.
    """
    layers = []
    for layer in _texts(attributes["layer_names"]):
        if layer not in weight_names:
            raise NotRecognisedError(f"layer {layer} is listed but not there")
        layers.append((layer, _layer_arrays(layer, _texts(weight_names[layer]), arrays)))
    layers = [(layer, own) for layer, own in layers if own]

    convolutions = [_convolution(layer, own) for layer, own in layers if not _is_norm(own)]
    architecture = next(
        (name for name, layout in LAYOUTS.items() if list(layout.values()) == convolutions), None
    )
    if architecture is None:
        found = ", ".join(str(c) for c in convolutions) or "no convolution"
        raise NotRecognisedError(f"its layers ({found}) are not those of {', '.join(LAYOUTS)}")

    variables: dict[str, NDArray[np.float32]] = {}
    remaining = iter(layers)
    for block, convolution in LAYOUTS[architecture].items():
        if block == "classes":
            variables |= _take(remaining, "classes", _convolution_shapes(convolution))
        else:
            variables |= _take(remaining, f"{block}_conv", _convolution_shapes(convolution))
            variables |= _take(remaining, f"{block}_norm", _norm_shapes(convolution))
    for layer, _ in remaining:
        raise NotRecognisedError(f"layer {layer} comes after the last one of {architecture}")
    return LegacyNetwork(architecture, _text(attributes["keras_version"]), variables)


def _layer_arrays(layer: str, names: list[str], arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    """Arrays of a layer by short name: `batch_normalization_9/beta:0` is `beta`."""
    own = {}
    for name in names:
        path = f"{layer}/{name}"
        if path not in arrays:
            raise NotRecognisedError(f"{path} is listed but not there")
        own[name.rpartition("/")[2].partition(":")[0]] = arrays[path]
    return own


def _is_norm(own: Arrays) -> bool:
    return "moving_mean" in own


def _convolution(layer: str, own: Arrays) -> Convolution:
    if "pointwise_kernel" in own and own["pointwise_kernel"].ndim == 4:
        _, _, channels_in, channels_out = own["pointwise_kernel"].shape
        return Convolution(SEPARABLE, channels_in, channels_out)
    if "kernel" in own and own["kernel"].ndim == 4:
        height, width, channels_in, channels_out = own["kernel"].shape
        return Convolution(f"{height}x{width}", channels_in, channels_out)
    raise NotRecognisedError(f"layer {layer} ({', '.join(own)}) is no convolution known here")


def _convolution_shapes(convolution: Convolution) -> dict[str, tuple[int, ...]]:
    pointwise = (1, 1, convolution.channels_in, convolution.channels_out)
    bias = (convolution.channels_out,)
    if convolution.kind == POINTWISE:
        return {"kernel": pointwise, "bias": bias}
    if convolution.kind == PLAIN:
        return {"kernel": (3, 3, *pointwise[2:]), "bias": bias}
    depthwise = (3, 3, convolution.channels_in, 1)
    return {"depthwise_kernel": depthwise, "pointwise_kernel": pointwise, "bias": bias}


def _norm_shapes(convolution: Convolution) -> dict[str, tuple[int, ...]]:
    shape = (convolution.channels_out,)
    return dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), shape)


def _take(
    remaining: Any, new_name: str, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, NDArray[np.float32]]:
    """The next layer, which must have exactly these arrays, under its new name."""
    layer, own = next(remaining, ("(none)", {}))
    found = {name: array.shape for name, array in own.items()}
    if found != shapes:
        raise NotRecognisedError(f"layer {layer} has {found or 'nothing'}, {new_name} is {shapes}")
    return {f"{new_name}/{name}": array for name, array in own.items()}


def _texts(values: Any) -> list[str]:
    return [_text(value) for value in np.asarray(values).ravel()]


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
