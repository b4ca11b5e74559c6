"""Conversion of Keras weights of other projects to the names of this package.

Networks of the Udacity project have the same blocks as the networks here, but are deeper, wider or
have more convolutions in a block. Their layers are numbered (`batch_normalization_9`) or named
differently. `recognise` takes the layers from the network's JSON, else from the file itself
(`structure`), and renames them (`encoder1_conv`). It finds each array by its name within the layer,
because some files store the beta of a normalisation before its gamma and others after it.

The output channels are background, people, hero, as in the masks of the Udacity project (red,
green, blue) and in `messages.MaskClass`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from followme_uav.perception import structure
from followme_uav.perception.architecture import (
    CONVOLUTIONS,
    IMAGE,
    Architecture,
    ArchitectureError,
    Kind,
    Layer,
    variables_of,
)
from followme_uav.perception.keras_config import KerasNetwork, fold_activations
from followme_uav.perception.models import ARCHITECTURES, INPUT_SIZE_PX

Arrays = Mapping[str, NDArray[np.float32]]
"""Arrays of a layer by short name: `batch_normalization_9/beta:0` is `beta`."""

_NEUTRAL = {"bias": 0.0, "beta": 0.0, "gamma": 1.0}
"""Variables that a Keras layer may lack, with the value that has no effect."""


class MismatchError(ArchitectureError):
    """Arrays that do not fit the described network."""


@dataclass(frozen=True)
class RecognisedNetwork:
    """A network of a Keras file, in the names of this package."""

    network: Architecture
    variables: dict[str, NDArray[np.float32]]
    """Values by variable path, e.g. `encoder1_conv/bias`."""


def recognise(
    layers: Sequence[tuple[str, Arrays]], described: KerasNetwork | None
) -> RecognisedNetwork:
    """Recognise the network of a file's layers, and name its arrays as in this package.

    Args:
        layers: Name and arrays of each layer in the order of the file, also of layers without any.
        described: Network of the JSON; None without JSON.

    Raises:
        ArchitectureError: This program cannot run the network.
        MismatchError: The arrays do not fit the JSON.
        structure.JsonNeededError: Only the JSON could tell the structure.
    """
    filled = [(name, own) for name, own in layers if own]
    if described is None:
        shapes = [(name, {k: a.shape for k, a in own.items()}) for name, own in layers]
        chain, size = structure.infer(shapes), None
    else:
        chain, size = fold_activations(described.layers), described.input_size_px
        filled = _in_order_of(chain, filled)
    names = _canonical_names(chain)
    network = _known(
        Architecture(
            _title(chain),
            tuple(
                replace(
                    layer,
                    name=names[layer.name],
                    inputs=tuple(names[source] for source in layer.inputs),
                )
                for layer in chain
            ),
            size,
        )
    )
    network.check()
    sources = {layer.name: layer.inputs[0] for layer in chain}
    by_name = {layer.name: layer for layer in chain}
    variables = {}
    for name, own in filled:
        channels = network.signals[names[sources[name]]].channels
        wanted = variables_of(by_name[name], channels)
        left_out = described.left_out.get(name, frozenset()) if described else frozenset()
        for part, values in _completed(name, own, wanted, left_out).items():
            variables[f"{names[name]}/{part}"] = values
    return RecognisedNetwork(network, variables)


def _in_order_of(
    chain: Sequence[Layer], filled: Sequence[tuple[str, Arrays]]
) -> list[tuple[str, Arrays]]:
    """Arrays of the file, by the names of the layers in the JSON.

    The names agree when JSON and weights were written in one session of Keras. Other sessions give
    other numbers to layers; then the order decides, and every shape is checked later.
    """
    wanted = [layer.name for layer in chain if layer.kind in (*CONVOLUTIONS, Kind.NORMALISATION)]
    if set(wanted) == {name for name, _ in filled}:
        return list(filled)
    if len(wanted) != len(filled):
        raise MismatchError(
            f"it has {len(filled)} layers with weights, its JSON describes {len(wanted)}"
        )
    return [(name, own) for name, (_, own) in zip(wanted, filled, strict=True)]


def _completed(
    name: str,
    own: Arrays,
    wanted: Mapping[str, tuple[int, ...]],
    left_out: frozenset[str],
) -> dict[str, NDArray[np.float32]]:
    """Arrays of a layer, completed with neutral values for those that its settings leave out."""
    found = {part: array.shape for part, array in own.items()}
    shapes = {part: shape for part, shape in wanted.items() if part not in left_out}
    if found != shapes:
        raise MismatchError(f"layer {name} has {_text(found)}, needed is {_text(wanted)}")
    return {
        part: own[part] if part in own else np.full(shape, _NEUTRAL[part], np.float32)
        for part, shape in wanted.items()
    }


def _text(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{part} {shape}" for part, shape in shapes.items()) or "nothing"


def _known(network: Architecture) -> Architecture:
    """The equal network in `ARCHITECTURES`, else the network itself."""
    if network.input_size_px in (None, (INPUT_SIZE_PX, INPUT_SIZE_PX)):
        for known in ARCHITECTURES.values():
            if known.layers == network.layers:
                return known
    return network


def _title(chain: Sequence[Layer]) -> str:
    """A name that lists the widths, e.g. `fcn-32-64-128-256-64-32`."""
    widths = [str(layer.filters) for layer in chain if layer.kind in CONVOLUTIONS]
    name = "-".join(["fcn", *widths[:-1]])
    return name if len(name) <= 60 else f"fcn-{len(widths)}-convolutions"


def _canonical_names(chain: Sequence[Layer]) -> dict[str, str]:
    """Name of each layer in this package; networks of equal layers get equal names.

    Before the first upsampling, a separable convolution belongs to an encoder block and a plain
    convolution to the middle block. After an upsampling, every convolution belongs to that decoder
    block. The last convolution is named `classes`.
    """
    names = {IMAGE: IMAGE}
    counts: dict[str, int] = {}
    stage, inside = "", 0
    last = next((layer.name for layer in reversed(chain) if layer.kind in CONVOLUTIONS), "")

    def counted(base: str, first: str) -> str:
        counts[base] = counts.get(base, 0) + 1
        return first if counts[base] == 1 else f"{base}{counts[base]}"

    for layer in chain:
        name = ""
        if layer.name == last:
            name = "classes"
        elif layer.kind is Kind.UPSAMPLING:
            stage, inside = counted("decoder", "decoder1"), 0
            name = stage
        elif layer.kind in CONVOLUTIONS:
            inside += 1
            if stage:
                block = stage if inside == 1 else f"{stage}_{inside}"
            elif layer.kind is Kind.SEPARABLE:
                block = counted("encoder", "encoder1")
            else:
                block = counted("middle", "middle")
            name = f"{block}_conv"
        elif layer.kind is Kind.NORMALISATION:
            name = f"{names[layer.inputs[0]].removesuffix('_conv')}_norm"
        elif layer.kind is Kind.CONCATENATION and stage:
            name = f"{stage}_concat"
        if not name or name in names.values():
            base = layer.kind.value
            name = counted(base, f"{base}1")
        names[layer.name] = name
    return names
