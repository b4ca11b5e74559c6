"""The highway: a deck on pillars, with railings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from followme_uav.sim.city.colours import Colour
from followme_uav.sim.city.layout import Highway
from followme_uav.sim.rendering.meshes.city_cells import CELL_M, CityMesh, cell_of
from followme_uav.sim.rendering.textures.layers import TextureLayer

_CONCRETE: Colour = (0.62, 0.60, 0.57)
_STEEL: Colour = (0.16, 0.16, 0.17)
_WHITE: Colour = (1.0, 1.0, 1.0)
_POST_SPACING_M = 2.5


def add_highway(out: CityMesh, highway: Highway, numbers: Mapping[str, int]) -> None:
    """Append the deck in lengths of a cell, and the pillars.

    Args:
        out: The meshes to append to.
        highway: The highway.
        numbers: Object number of each name.
    """
    start_m = highway.north_min_m
    while start_m < highway.north_max_m - 1e-6:
        stop_m = min(start_m + CELL_M, highway.north_max_m)
        _add_deck(out, highway, start_m, stop_m, numbers["highway_deck"])
        start_m = stop_m
    half_m, centre_m = highway.pillar_half_m, highway.underside_m / 2
    for i, (north_m, east_m) in enumerate(highway.pillars_m):
        out.solids[cell_of(north_m, east_m)].box(
            (north_m, east_m, -centre_m),
            (half_m, half_m, centre_m),
            TextureLayer.CONCRETE,
            _CONCRETE,
            numbers[f"highway_pillar_{i}"],
            top=False,
        )


def _add_deck(out: CityMesh, highway: Highway, start_m: float, stop_m: float, number: int) -> None:
    """A length of deck, asphalt and railings."""
    east_m = highway.east_m
    top_m = highway.underside_m + highway.thickness_m
    middle_m, half_m = (start_m + stop_m) / 2, (stop_m - start_m) / 2
    cell = cell_of(middle_m, east_m)
    mesh = out.solids[cell]
    centre = (middle_m, east_m, -(highway.underside_m + top_m) / 2)
    half = (half_m, highway.half_width_m, highway.thickness_m / 2)
    mesh.box(centre, half, TextureLayer.CONCRETE, _CONCRETE, number, top=False, bottom=True)
    rect = (start_m, east_m - highway.half_width_m, stop_m, east_m + highway.half_width_m)
    mesh.floor(rect, top_m, TextureLayer.ASPHALT, _WHITE, number)
    plain = TextureLayer.PLAIN
    for side in (-1.0, 1.0):
        edge_m = east_m + side * (highway.half_width_m - 0.1)
        for up_m in (0.35, 0.7, highway.railing_m):
            rail = (middle_m, edge_m, -top_m - up_m)
            mesh.box(rail, (half_m, 0.03, 0.04), plain, _STEEL, number, bottom=True)
        for post_m in np.arange(start_m, stop_m, _POST_SPACING_M):
            post = (post_m, edge_m, -top_m - highway.railing_m / 2)
            half = (0.04, 0.04, highway.railing_m / 2)
            out.details[cell].box(post, half, plain, _STEEL, number)
