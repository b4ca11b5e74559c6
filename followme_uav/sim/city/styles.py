"""City styles: walls, roofs, paving and plants.

The seed draws the style (`style_of`), so that a network trained on many seeds does not overfit to
one style. Streets, squares and flyable space are the same in all styles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from followme_uav.errors import ConfigError
from followme_uav.sim.city.colours import Colour
from followme_uav.sim.city.layout import Foliage, TreeKind

Wall = Literal["plaster", "brick", "stone", "glass"]
Roof = Literal["flat", "hip", "gable"]
Paving = Literal["slabs", "blocks", "cobbles", "granite", "bricks"]


@dataclass(frozen=True)
class CityStyle:
    """One style. Colours of the ground multiply the colours of its textures."""

    name: str
    walls: tuple[tuple[Wall, Colour], ...]
    plinths: tuple[Colour, ...]
    roofs: tuple[Colour, ...]
    roof_picture: Literal["seams", "tiles"]
    roof_kinds: tuple[Roof, ...]
    storeys: tuple[int, int]
    """Fewest and most."""
    square: Paving
    square_tint: Colour
    pavement: Paving
    pavement_tint: Colour
    kerb: Colour
    asphalt: Colour
    grass: Colour
    foliage: tuple[tuple[Foliage, float], ...]
    """Kinds of leaves and their shares, which add up to 1."""
    tree_kinds: tuple[tuple[TreeKind, float], ...]
    """Forms of trees and their shares, which add up to 1."""
    doors: tuple[Colour, ...]


_DOORS: tuple[Colour, ...] = (
    (0.44, 0.27, 0.16), (0.20, 0.30, 0.24), (0.22, 0.26, 0.38), (0.32, 0.20, 0.16),
)  # fmt: skip

_PLAZA = CityStyle(
    name="plaza",
    walls=(
        ("plaster", (0.72, 0.74, 0.78)),
        ("plaster", (0.80, 0.80, 0.78)),
        ("plaster", (0.62, 0.69, 0.72)),
        ("plaster", (0.56, 0.42, 0.38)),
        ("brick", (0.50, 0.33, 0.29)),
        ("brick", (0.42, 0.28, 0.24)),
        ("stone", (0.66, 0.67, 0.72)),
        ("stone", (0.74, 0.72, 0.66)),
    ),
    plinths=((0.30, 0.33, 0.42), (0.38, 0.38, 0.40), (0.66, 0.61, 0.54)),
    roofs=((0.40, 0.43, 0.48), (0.30, 0.31, 0.34), (0.45, 0.28, 0.22)),
    roof_picture="seams",
    roof_kinds=("flat", "hip", "gable"),
    storeys=(2, 5),
    square="slabs",
    square_tint=(1.0, 1.0, 1.0),
    pavement="blocks",
    pavement_tint=(1.0, 1.0, 1.0),
    kerb=(0.80, 0.79, 0.75),
    asphalt=(1.0, 1.0, 1.0),
    grass=(1.0, 1.0, 1.0),
    foliage=(("green", 0.46), ("dark", 0.22), ("red", 0.12), ("autumn", 0.12), ("magenta", 0.08)),
    tree_kinds=(("round", 0.8), ("column", 0.1), ("cone", 0.1)),
    doors=_DOORS,
)

_OLD_TOWN = CityStyle(
    name="old_town",
    walls=(
        ("plaster", (0.90, 0.76, 0.50)),
        ("plaster", (0.86, 0.62, 0.46)),
        ("plaster", (0.93, 0.88, 0.76)),
        ("plaster", (0.84, 0.70, 0.66)),
        ("plaster", (0.66, 0.74, 0.62)),
        ("stone", (0.80, 0.74, 0.62)),
        ("plaster", (0.70, 0.76, 0.84)),
        ("plaster", (0.88, 0.82, 0.60)),
    ),
    plinths=((0.56, 0.50, 0.43), (0.46, 0.42, 0.38), (0.68, 0.62, 0.54)),
    roofs=((0.66, 0.34, 0.22), (0.58, 0.30, 0.20), (0.72, 0.42, 0.28)),
    roof_picture="tiles",
    roof_kinds=("hip", "gable", "gable"),
    storeys=(2, 4),
    square="cobbles",
    square_tint=(0.98, 0.93, 0.85),
    pavement="cobbles",
    pavement_tint=(0.86, 0.83, 0.80),
    kerb=(0.70, 0.66, 0.60),
    asphalt=(0.96, 0.93, 0.88),
    grass=(1.0, 0.90, 1.0),
    foliage=(("dark", 0.34), ("green", 0.26), ("olive", 0.24), ("magenta", 0.10), ("red", 0.06)),
    tree_kinds=(("round", 0.6), ("column", 0.3), ("cone", 0.1)),
    doors=((0.24, 0.36, 0.28), (0.40, 0.22, 0.14), (0.26, 0.32, 0.46), (0.55, 0.38, 0.20)),
)

_MODERN = CityStyle(
    name="modern",
    walls=(
        ("glass", (0.74, 0.84, 0.92)),
        ("glass", (0.62, 0.70, 0.76)),
        ("glass", (0.80, 0.86, 0.84)),
        ("plaster", (0.88, 0.89, 0.90)),
        ("plaster", (0.58, 0.60, 0.63)),
        ("glass", (0.50, 0.58, 0.66)),
        ("stone", (0.72, 0.73, 0.75)),
        ("plaster", (0.78, 0.72, 0.64)),
    ),
    plinths=((0.34, 0.35, 0.37), (0.48, 0.49, 0.50), (0.24, 0.25, 0.27)),
    roofs=((0.52, 0.53, 0.55), (0.40, 0.42, 0.44), (0.46, 0.52, 0.44)),
    roof_picture="seams",
    roof_kinds=("flat", "flat", "flat"),
    storeys=(3, 7),
    square="granite",
    square_tint=(0.92, 0.94, 0.98),
    pavement="granite",
    pavement_tint=(0.76, 0.78, 0.80),
    kerb=(0.62, 0.63, 0.65),
    asphalt=(0.84, 0.86, 0.90),
    grass=(0.96, 1.0, 1.0),
    foliage=(("green", 0.48), ("lime", 0.30), ("dark", 0.16), ("red", 0.06)),
    tree_kinds=(("round", 0.45), ("column", 0.45), ("cone", 0.10)),
    doors=((0.22, 0.23, 0.25), (0.30, 0.34, 0.38), (0.62, 0.46, 0.16), (0.16, 0.34, 0.42)),
)

_BRICK_TOWN = CityStyle(
    name="brick_town",
    walls=(
        ("brick", (0.58, 0.36, 0.29)),
        ("brick", (0.66, 0.46, 0.36)),
        ("brick", (0.46, 0.33, 0.30)),
        ("brick", (0.74, 0.62, 0.46)),
        ("brick", (0.52, 0.30, 0.26)),
        ("stone", (0.62, 0.58, 0.54)),
        ("brick", (0.60, 0.56, 0.54)),
        ("plaster", (0.84, 0.82, 0.78)),
    ),
    plinths=((0.36, 0.33, 0.32), (0.52, 0.47, 0.42), (0.28, 0.28, 0.30)),
    roofs=((0.28, 0.29, 0.32), (0.36, 0.30, 0.28), (0.24, 0.27, 0.32)),
    roof_picture="tiles",
    roof_kinds=("gable", "flat", "gable"),
    storeys=(2, 5),
    square="bricks",
    square_tint=(0.80, 0.66, 0.56),
    pavement="bricks",
    pavement_tint=(0.66, 0.58, 0.53),
    kerb=(0.66, 0.65, 0.62),
    asphalt=(1.0, 0.99, 0.98),
    grass=(1.0, 0.84, 1.0),
    foliage=(("autumn", 0.34), ("red", 0.14), ("olive", 0.24), ("dark", 0.20), ("lime", 0.08)),
    tree_kinds=(("round", 0.75), ("column", 0.1), ("cone", 0.15)),
    doors=_DOORS,
)

STYLES: Mapping[str, CityStyle] = MappingProxyType(
    {style.name: style for style in (_PLAZA, _OLD_TOWN, _MODERN, _BRICK_TOWN)}
)
_CYCLE = ("plaza", "plaza", "old_town", "modern", "brick_town")
"""Five consecutive seeds use all styles, the one most similar to the real frames twice."""


def style_of(seed: int, name: str | None = None) -> CityStyle:
    """The style of that name, or the one drawn by the seed.

    Raises:
        ConfigError: The name is unknown.
    """
    if name is None:
        order = np.random.default_rng([seed // len(_CYCLE), 76]).permutation(len(_CYCLE))
        return STYLES[_CYCLE[order[seed % len(_CYCLE)]]]
    if name not in STYLES:
        raise ConfigError(f"city style '{name}': there is {', '.join(STYLES)}")
    return STYLES[name]
