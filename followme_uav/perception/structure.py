"""Structure of an old network without its JSON, inferred from names, order and shapes of layers.

A weights file does not tell the strides of convolutions, the factors of upsampling, and the sources
of skip connections. The search tries all ways to connect the layers to a network from an image to a
mask of the same size; exactly one must fit. Other properties that the file lacks are assumed as in
the blocks of the Udacity project: ReLU after every convolution but the last, "same" padding, and
the upsampled features before those of the skip connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from followme_uav.perception.architecture import (
    FACTORS,
    IMAGE,
    MAX_LAYERS,
    ArchitectureError,
    Interpolation,
    Kind,
    Layer,
)

Shapes = Mapping[str, tuple[int, ...]]
"""Shapes of a layer's arrays by short name, e.g. `bias`."""

MAX_STEPS = 50_000
"""Limit of the search; networks of the Udacity project need some dozens of steps."""
_STRIDES = (2, 1)
_DROPPED = ("dropout", "spatial_dropout2d", "gaussian_noise", "gaussian_dropout")


class JsonNeededError(ArchitectureError):
    """A file that does not determine the structure without the network's JSON."""


def infer(layers: Sequence[tuple[str, Shapes]]) -> tuple[Layer, ...]:
    """Infer the only network that fits.

    Args:
        layers: Name and shapes of the arrays of each layer, in the order of the file.

    Returns:
        Layers by the names of the file.

    Raises:
        JsonNeededError: Several networks fit, or none does.
        ArchitectureError: A layer holds weights of a kind that is not known here.
    """
    outlines = [outline for name, own in layers if (outline := _outline(name, own)) is not None]
    if len(outlines) > MAX_LAYERS:  # the search calls itself for each layer
        raise ArchitectureError(f"it has {len(outlines)} layers, allowed are {MAX_LAYERS}")
    if not outlines or outlines[-1].kind is not Kind.CONVOLUTION:
        raise JsonNeededError("its last layer is no convolution")
    found = list(_Search(outlines).solutions())
    if len(found) > 1:
        raise JsonNeededError("several networks fit its layers (strides, skip connections)")
    if not found:
        raise JsonNeededError(f"no network fits its layers ({_described(outlines)})")
    return found[0]


class _Outline:
    """A layer as far as the file tells it: everything but stride, factor and inputs."""

    def __init__(self, name: str, kind: Kind, **known: Any) -> None:
        self.name, self.kind = name, kind
        self.channels_in: int | None = known.pop("channels_in", None)
        self.known: dict[str, Any] = known

    def __str__(self) -> str:
        if self.kind is Kind.NORMALISATION:
            return f"normalisation of {self.channels_in}"
        if self.channels_in is None:
            return str(self.kind.value)
        side, kind = self.known["kernel_px"], "separable " if self.kind is Kind.SEPARABLE else ""
        return f"{side}x{side} {kind}{self.channels_in}->{self.known['filters']}"


def _described(outlines: Sequence[_Outline]) -> str:
    return ", ".join(str(outline) for outline in outlines if outline.kind is not Kind.NORMALISATION)


def _outline(name: str, own: Shapes) -> _Outline | None:
    """The outline of a layer from its name and shapes; None for an identity layer."""
    if "moving_mean" in own:
        return _Outline(name, Kind.NORMALISATION, channels_in=own["moving_mean"][0])
    if "pointwise_kernel" in own and "depthwise_kernel" in own:
        kind, window, across = Kind.SEPARABLE, own["depthwise_kernel"], own["pointwise_kernel"]
    elif "kernel" in own and len(own["kernel"]) == 4:
        kind, window, across = Kind.CONVOLUTION, own["kernel"], own["kernel"]
    elif own:
        raise ArchitectureError(f"layer {name} ({', '.join(own)}) is no convolution known here")
    else:
        return _outline_by_name(name)
    if len(window) != 4 or len(across) != 4 or window[0] != window[1] or window[2] != across[2]:
        raise ArchitectureError(f"layer {name} has kernels of shapes {window} and {across}")
    return _Outline(
        name, kind, channels_in=across[2], filters=across[3], kernel_px=window[0], activation="relu"
    )


def _outline_by_name(name: str) -> _Outline | None:
    base = re.sub(r"_\d+$", "", name)
    if base in ("input", "input_layer", *_DROPPED):
        return None
    if base in ("bilinear_up_sampling2d", "bilinear_upsampling2d"):
        return _Outline(name, Kind.UPSAMPLING, interpolation=Interpolation.BILINEAR_TF1)
    if base == "concatenate":
        return _Outline(name, Kind.CONCATENATION)
    raise JsonNeededError(f"the name of layer {name} does not say what the layer computes")


class _Search:
    """Depth-first search over strides, factors and skip connections."""

    def __init__(self, outlines: Sequence[_Outline]) -> None:
        self._outlines = outlines
        self._steps = 0

    def solutions(self) -> Iterator[tuple[Layer, ...]]:
        """Yield up to two ways to connect the layers; two are enough to see an ambiguity."""
        found = self._from(0, [], [(IMAGE, 3, Fraction(1))])
        for _ in range(2):
            solution = next(found, None)
            if solution is None:
                return
            yield solution

    def _from(
        self, at: int, chosen: list[Layer], results: list[tuple[str, int, Fraction]]
    ) -> Iterator[tuple[Layer, ...]]:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise JsonNeededError("its layers can be connected in too many ways")
        _, channels, scale = results[-1]
        if not self._can_come_back(at, scale):
            return
        if at == len(self._outlines):
            if scale == 1:
                yield tuple(chosen)
            return
        outline = self._outlines[at]
        if outline.channels_in not in (None, channels):
            return
        for inputs, settings, depth, size in self._options(outline, results):
            layer = Layer(outline.name, outline.kind, inputs, **{**outline.known, **settings})
            result = (outline.name, depth, size)
            yield from self._from(at + 1, [*chosen, layer], [*results, result])

    def _options(
        self, outline: _Outline, results: list[tuple[str, int, Fraction]]
    ) -> Iterator[tuple[tuple[str, ...], dict[str, Any], int, Fraction]]:
        before, channels, scale = results[-1]
        after_upsampling = any(size > 1 for size in self._factors(results))
        if outline.kind is Kind.UPSAMPLING:
            for factor in FACTORS:
                yield (before,), {"factor": factor}, channels, scale * factor
        elif outline.kind is Kind.CONCATENATION:
            for name, depth, size in self._blocks(results):
                if size == scale:
                    yield (before, name), {}, channels + depth, scale
        elif outline.kind is Kind.SEPARABLE and not after_upsampling:
            for stride in _STRIDES:
                yield (before,), {"stride": stride}, outline.known["filters"], scale / stride
        else:
            yield (before,), self._last(outline), outline.known.get("filters", channels), scale

    def _last(self, outline: _Outline) -> dict[str, Any]:
        return {"activation": "softmax"} if outline is self._outlines[-1] else {}

    @staticmethod
    def _factors(results: list[tuple[str, int, Fraction]]) -> Iterator[Fraction]:
        for (_, _, before), (_, _, after) in pairwise(results):
            yield after / before

    def _blocks(
        self, results: list[tuple[str, int, Fraction]]
    ) -> Iterator[tuple[str, int, Fraction]]:
        """Outputs of blocks: without convolutions before a normalisation, and without the last."""
        inside = {
            first.name
            for first, second in pairwise(self._outlines)
            if second.kind is Kind.NORMALISATION
        }
        return (result for result in results[:-1] if result[0] not in inside)

    def _can_come_back(self, at: int, scale: Fraction) -> bool:
        """Whether the remaining layers can still end at the size of the image."""
        left = self._outlines[at:]
        ups = sum(outline.kind is Kind.UPSAMPLING for outline in left)
        halvings = 0
        for outline in left:
            if outline.kind is Kind.UPSAMPLING:
                break
            halvings += outline.kind is Kind.SEPARABLE
        if ups == len([o for o in self._outlines if o.kind is Kind.UPSAMPLING]):
            smallest = scale / 2**halvings
        else:
            smallest = scale
        return bool(smallest * min(FACTORS) ** ups <= 1 <= scale * max(FACTORS) ** ups)
