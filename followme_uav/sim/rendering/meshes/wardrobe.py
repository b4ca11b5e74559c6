"""Clothes and build of the hero and of all other people, drawn from a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from followme_uav.sim.agents.routes import Outfit
from followme_uav.sim.city.colours import Colour

HairStyle = Literal["long", "short", "bald", "ponytail", "hood"]
TopStyle = Literal["jacket", "shirt", "crop"]
Sleeves = Literal["long", "short", "none"]
BottomStyle = Literal["trousers", "shorts", "skirt"]


@dataclass(frozen=True)
class Appearance:
    """Clothes and build of one person."""

    height_m: float
    width: float
    """Factor on the width of the body; 1 is slim."""
    skin: Colour
    hair: Colour
    hair_style: HairStyle
    top: Colour
    top_style: TopStyle
    sleeves: Sleeves
    bottom: Colour
    bottom_style: BottomStyle
    shoes: Colour


HERO = Appearance(
    height_m=1.72,
    width=1.12,
    skin=(0.56, 0.45, 0.40),
    hair=(0.72, 0.05, 0.06),
    hair_style="long",
    top=(1.0, 0.18, 0.16),
    top_style="jacket",
    sleeves="none",
    bottom=(0.29, 0.14, 0.13),
    bottom_style="trousers",
    shoes=(0.95, 0.08, 0.09),
)

_SKINS = ((0.86, 0.68, 0.57), (0.74, 0.57, 0.47), (0.50, 0.37, 0.31), (0.34, 0.26, 0.23))
_HAIRS = (
    (0.08, 0.08, 0.09), (0.13, 0.10, 0.09), (0.30, 0.20, 0.13), (0.84, 0.70, 0.44),
    (0.60, 0.36, 0.16), (0.44, 0.56, 0.58), (0.16, 0.34, 0.24), (0.35, 0.33, 0.32),
    (0.42, 0.16, 0.10), (0.36, 0.15, 0.11), (0.70, 0.70, 0.68), (0.20, 0.15, 0.12),
)  # fmt: skip
_TOPS = (
    (0.08, 0.09, 0.12), (0.12, 0.15, 0.24), (0.16, 0.24, 0.52), (0.20, 0.42, 0.54),
    (0.36, 0.52, 0.68), (0.36, 0.52, 0.68), (0.88, 0.90, 0.88), (0.88, 0.90, 0.88),
    (0.55, 0.58, 0.60), (0.80, 0.82, 0.22), (0.66, 0.76, 0.18), (0.95, 0.55, 0.10),
    (0.30, 0.62, 0.56), (0.14, 0.34, 0.26), (0.72, 0.20, 0.42), (0.62, 0.62, 0.60),
    (0.44, 0.30, 0.52), (0.34, 0.24, 0.18), (0.78, 0.62, 0.44), (0.24, 0.30, 0.22),
    (0.86, 0.66, 0.70), (0.10, 0.10, 0.10),
)  # fmt: skip
_BOTTOMS = (
    (0.09, 0.10, 0.11), (0.14, 0.15, 0.19), (0.20, 0.32, 0.48), (0.32, 0.46, 0.62),
    (0.24, 0.26, 0.28), (0.55, 0.52, 0.42), (0.18, 0.44, 0.46), (0.40, 0.34, 0.48),
    (0.48, 0.82, 0.72), (0.40, 0.45, 0.32), (0.24, 0.36, 0.52),
)  # fmt: skip
_SHOES = ((0.08, 0.08, 0.08), (0.75, 0.75, 0.75), (0.30, 0.30, 0.34), (0.25, 0.17, 0.12))
_REDS = (
    (0.74, 0.10, 0.30), (0.80, 0.34, 0.10), (0.40, 0.06, 0.18), (0.58, 0.24, 0.17),
    (0.70, 0.26, 0.24),
)  # fmt: skip
"""Crimson, rust, wine, brick and coral: confusable with the hero's scarlet, but never equal to it.
Close to the camera a network with a small field of view can go by the exact red alone."""
_HOODS = ((0.34, 0.06, 0.15), (0.52, 0.22, 0.15), (0.20, 0.18, 0.20))
"""Hoods over red jackets: darker than the jacket and of another red; the hero wears one red."""

_PERIOD = 14
"""Outfits in red come back after so many people."""
_RED_TOP, _HOODED_TOP, _RED_BOTTOM = 3, 6, 9
"""Index within the period of each outfit in red."""
_STOUT_SHARE = 0.15


def make_wardrobe(seed: int, people: int, walkers: Sequence[Outfit] = ()) -> tuple[Appearance, ...]:
    """Dress the hero, then `people` others, then walkers with the given outfits.

    One in five of the people wears a red top with blue or grey trousers, red trousers, or a red
    jacket with a hood of another red, so that red alone does not identify the hero.
    """
    rng = np.random.default_rng([seed, 30])
    others = [_dress(rng, i) for i in range(people)]
    rng = np.random.default_rng([seed, 31])
    extra = [_dress_decoy(rng) if outfit == "decoy" else _dress(rng, 0) for outfit in walkers]
    return (HERO, *others, *extra)


def _dress(rng: np.random.Generator, index: int) -> Appearance:
    """Draw the appearance of the person with this index in the crowd.

    The order of the draws is part of what a seed means.
    """
    woman = bool(rng.random() < 0.5)
    top, bottom = _pick(rng, _TOPS, 1.05, 1.7), _pick(rng, _BOTTOMS, 1.05, 1.8)
    hair_styles: tuple[HairStyle, ...]
    hair_styles = ("long", "long", "ponytail") if woman else ("short", "short", "bald", "hood")
    hair_style = hair_styles[int(rng.integers(len(hair_styles)))]
    hair = _pick(rng, _HAIRS)
    if hair_style == "hood":
        hair = top
    turn = index % _PERIOD
    if turn == _RED_TOP:
        top, bottom = _pick(rng, _REDS), _BOTTOMS[2 + int(rng.integers(3))]
        # Hood and jacket in one red are the mark of the hero.
        hair_style = "short" if hair_style == "hood" else hair_style
    elif turn == _HOODED_TOP:
        top, hair, hair_style = _pick(rng, _REDS), _pick(rng, _HOODS), "hood"
    elif turn == _RED_BOTTOM:
        bottom = _pick(rng, _REDS)
    bare_legs = bool(rng.random() < 0.35)
    top_style, sleeves = _cut_of_top(rng, woman=woman)
    bottom_style: BottomStyle = "trousers"
    if bare_legs:
        bottom_style = "skirt" if woman and rng.random() < 0.5 else "shorts"
    height_m = float(rng.uniform(1.58, 1.74) if woman else rng.uniform(1.68, 1.88))
    width = float(rng.uniform(0.90, 1.08) if woman else rng.uniform(1.0, 1.22))
    return Appearance(
        height_m=height_m,
        width=width * (1.16 if rng.random() < _STOUT_SHARE else 1.0),
        skin=_pick(rng, _SKINS),
        hair=hair,
        hair_style=hair_style,
        top=top,
        top_style=top_style,
        sleeves=sleeves,
        bottom=bottom,
        bottom_style=bottom_style,
        shoes=_pick(rng, _SHOES),
    )


def _pick(
    rng: np.random.Generator, colours: tuple[Colour, ...], low: float = 0.9, high: float = 1.2
) -> Colour:
    """One of the colours, each channel scaled by a random factor from `low` to `high`."""
    colour = colours[int(rng.integers(len(colours)))]
    r, g, b = (min(1.0, v * float(rng.uniform(low, high))) for v in colour)
    return (r, g, b)


def _cut_of_top(rng: np.random.Generator, *, woman: bool) -> tuple[TopStyle, Sleeves]:
    if rng.random() < 0.45:
        return "jacket", "long"
    if rng.random() >= 0.7:
        return "shirt", "long"
    sleeves: Sleeves = "none" if woman and rng.random() < 0.5 else "short"
    is_cropped = woman and rng.random() < 0.25
    return ("crop" if is_cropped else "shirt"), sleeves


def _dress_decoy(rng: np.random.Generator) -> Appearance:
    """Draw a person in a red jacket with a hood of another red."""
    return replace(
        _dress(rng, _HOODED_TOP), top_style="jacket", sleeves="long", bottom_style="trousers"
    )
