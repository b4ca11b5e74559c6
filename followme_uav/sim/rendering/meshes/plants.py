"""Plants: crowns of leaf sprays, trees, bushes, planters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from followme_uav.messages import Vec3
from followme_uav.sim.city.colours import Colour
from followme_uav.sim.city.layout import Bush, Foliage, Planter, Tree, crown_bottom_m
from followme_uav.sim.rendering.meshes.mesh import Mesh
from followme_uav.sim.rendering.meshes.mesh_part import Floats, MeshPart
from followme_uav.sim.rendering.textures.layers import TextureLayer

_LEAF_COLOURS: dict[Foliage, tuple[Colour, ...]] = {
    "green": ((0.30, 0.74, 0.12), (0.52, 0.84, 0.16), (0.36, 0.66, 0.12)),
    "dark": ((0.18, 0.52, 0.12), (0.34, 0.62, 0.14)),
    "red": ((0.70, 0.09, 0.03), (0.52, 0.05, 0.03), (0.62, 0.22, 0.04)),
    "magenta": ((0.80, 0.12, 0.50), (0.62, 0.20, 0.60), (0.42, 0.44, 0.22)),
    "autumn": ((0.78, 0.40, 0.05), (0.62, 0.20, 0.05), (0.30, 0.52, 0.10), (0.70, 0.56, 0.10)),
    "olive": ((0.40, 0.50, 0.20), (0.52, 0.56, 0.26), (0.34, 0.46, 0.22)),
    "lime": ((0.62, 0.84, 0.18), (0.74, 0.82, 0.24)),
}
"""Each spray of a plant draws one of these."""
LEAF_LEVELS = ((1, 1.0), (2, 1.2), (4, 1.45), (8, 1.75))
"""Levels of detail, the finest first: which share of the sprays is drawn (every first, second,
fourth or eighth one), and the factor on their size with which they cover as many pixels."""
_SPRAY_CORNERS = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
_WHITE: Colour = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Crown:
    """An ellipsoid or a cone of leaf sprays."""

    centre: Vec3
    """North, east and height."""
    half: Vec3
    """Half sizes north, east and vertical."""
    foliage: Foliage
    sprays: int
    spray_m: float
    """Half of the mean size of a spray."""
    taper: float = 0.0
    """0 is an ellipsoid, 1 a cone that stands on its base."""


CrownMeshes = Sequence[Mesh]
"""Meshes that a crown is appended to, one for each of `LEAF_LEVELS`."""


def add_tree(
    solids: Mesh,
    leaves: CrownMeshes,
    rng: np.random.Generator,
    tree: Tree,
    trunk_number: int,
    crown_number: int,
) -> None:
    """Append a trunk and a crown."""
    low_m = crown_bottom_m(tree)
    bark = (0.55, 0.52, 0.58) if rng.random() < 0.6 else (0.34, 0.27, 0.22)
    solids.loft(
        [
            (tree.north_m, tree.east_m, 0.0, 0.26, 0.26),
            (tree.north_m, tree.east_m, 0.5, 0.17, 0.17),
            (tree.north_m, tree.east_m, 0.75 * tree.height_m, 0.06, 0.06),
        ],
        TextureLayer.HAIR, bark, trunk_number, sides=7, uv_scale=(1.0, 0.25), caps=False,
    )  # fmt: skip
    crown = Crown(
        centre=(tree.north_m, tree.east_m, (low_m + tree.height_m) / 2),
        half=(tree.crown_radius_m, tree.crown_radius_m, (tree.height_m - low_m) / 2),
        foliage=tree.foliage,
        sprays=64,
        spray_m=0.85 if tree.kind == "round" else 0.65,
        taper={"round": 0.0, "column": 0.35, "cone": 0.92}[tree.kind],
    )
    add_crown(leaves, rng, crown, crown_number)


def add_bush(leaves: CrownMeshes, rng: np.random.Generator, bush: Bush, number: int) -> None:
    """Append a bush; one in four is clipped to a cone."""
    crown = Crown(
        centre=(bush.north_m, bush.east_m, bush.height_m * 0.5),
        half=(bush.radius_m, bush.radius_m, bush.height_m * 0.5),
        foliage=bush.foliage,
        sprays=28,
        spray_m=0.5,
        taper=0.85 if rng.random() < 0.25 else 0.0,
    )
    add_crown(leaves, rng, crown, number)


def add_planter(
    solids: Mesh, leaves: CrownMeshes, rng: np.random.Generator, planter: Planter, number: int
) -> None:
    """Append a round bed in a ring of kerb stones, with a bush in it."""
    n, e, radius_m = planter.north_m, planter.east_m, planter.radius_m
    inner_m = radius_m - 0.3
    stones = max(4, round(2 * math.pi * radius_m / 1.5))
    ring = [(n, e, height_m, radius_m, radius_m) for height_m in (0.0, 0.5)]
    rim = [(n, e, 0.5, radius_m, radius_m), (n, e, 0.502, inner_m, inner_m)]
    for rings, repeats_per_m in ((ring, 1.9), (rim, 9.0)):
        solids.loft(
            rings, TextureLayer.KERB, _WHITE, number, 24,
            uv_scale=(stones, repeats_per_m), caps=False,
        )  # fmt: skip
    around = np.linspace(0.0, 2 * math.pi, 20, endpoint=False)
    bed = np.column_stack([np.cos(around), np.sin(around)]) * inner_m + (n, e)
    solids.fan((n, e), bed, 0.42, TextureLayer.GRASS, (0.8, 0.7, 1.0), number)
    crown = Crown(
        centre=(n, e, (0.6 + planter.bush_height_m) / 2),
        half=(radius_m - 0.2, radius_m - 0.2, (planter.bush_height_m - 0.5) / 2),
        foliage=planter.foliage,
        sprays=int(40 * radius_m),
        spray_m=0.62,
    )
    add_crown(leaves, rng, crown, number)


def add_crown(meshes: CrownMeshes, rng: np.random.Generator, crown: Crown, number: int) -> None:
    """Append sprays of leaves at random places, which face outwards within some scatter."""
    count = crown.sprays
    outwards = _unit(rng.standard_normal((count, 3)))
    shell = rng.uniform(0.45, 0.92, (count, 1))
    size_m = crown.spray_m * rng.uniform(0.7, 1.2, (count, 1, 1))
    position = _spray_centres(rng, crown, outwards, shell)
    corners = _spray_corners(rng, outwards)
    normal = _unit(np.repeat(0.6 * outwards + np.array([0.0, 0.0, -0.5]), 4, axis=0))
    uv = np.tile((_SPRAY_CORNERS + 1.0) / 2.0, (count, 1))
    tint = _leaf_tints(rng, crown.foliage, shell)
    start = 4 * np.arange(count)[:, None]
    triangles = (start[:, :, None] + np.array([(0, 1, 2), (0, 2, 3)])).reshape(-1, 3)
    for mesh, (every, larger) in zip(meshes, LEAF_LEVELS, strict=True):
        some = (np.arange(count) % every == 0).repeat(4)
        points = (position[:, None, :] + larger * size_m * corners).reshape(-1, 3)
        surface = MeshPart(points[some], normal[some], uv[some], triangles[: some.sum() // 2])
        mesh.add(surface, TextureLayer.LEAVES, tint[some], number)


def _unit(vectors: Floats) -> Floats:
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _spray_centres(
    rng: np.random.Generator, crown: Crown, outwards: Floats, shell: Floats
) -> Floats:
    """(n, 3) NED; `shell` (n, 1) is the share of the crown's radius."""
    count = len(outwards)
    half = np.array(crown.half)
    room = np.maximum(half - 0.5 * crown.spray_m, 0.25 * half)
    place = outwards * shell
    if crown.taper > 0.0:
        height = rng.uniform(-1.0, 1.0, count) ** 3 * 0.2 + rng.uniform(-1.0, 0.7, count)
        height = np.clip(height, -1.0, 1.0)
        level = np.linalg.norm(outwards[:, :2], axis=1, keepdims=True)
        narrowing = 1.0 - crown.taper * (height[:, None] + 1.0) / 2.0
        spread = narrowing * rng.uniform(0.55, 0.95, (count, 1))
        place = np.hstack([outwards[:, :2] / np.maximum(level, 1e-9) * spread, -height[:, None]])
    north, east, height_m = crown.centre
    return np.array([north, east, -height_m]) + place * room


def _spray_corners(rng: np.random.Generator, outwards: Floats) -> Floats:
    """(n, 4, 3) corners of squares of half size 1 about the origin."""
    shape = outwards.shape
    facing = _unit(outwards + 0.6 * rng.standard_normal(shape))
    side = _unit(np.cross(facing, rng.standard_normal(shape)))
    up = np.cross(facing, side)
    signs = _SPRAY_CORNERS
    corners: Floats = signs[None, :, :1] * side[:, None, :] + signs[None, :, 1:] * up[:, None, :]
    return corners


def _leaf_tints(rng: np.random.Generator, foliage: Foliage, shell: Floats) -> Floats:
    """(4 n, 3) RGB of the corners of all sprays; inner sprays are darker."""
    count = len(shell)
    palette = np.array(_LEAF_COLOURS[foliage])
    colour = palette[rng.integers(len(palette), size=count)] * rng.uniform(0.88, 1.08, (count, 1))
    tint: Floats = np.repeat(colour * (0.45 + 0.6 * shell), 4, axis=0)
    return tint
