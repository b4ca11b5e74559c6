"""The houses of a city: blocks along the streets, and rows that close the horizon."""

from __future__ import annotations

import numpy as np

from followme_uav.sim.city.layout import (
    BUILDING_LINE_M,
    EXTENT_M,
    HIGHWAY_EAST_M,
    HIGHWAY_HALF_WIDTH_M,
    OUTER_ROW_M,
    PAVEMENT_OUTER_M,
    PLAZA,
    STREET_END_M,
    Building,
)
from followme_uav.sim.city.styles import CityStyle, Roof

LAWN_M = BUILDING_LINE_M - PAVEMENT_OUTER_M
"""Width of the lawn between a pavement and the houses."""

_BLOCKS_M = ((-100.0, -70.0), (-50.0, -10.0), (10.0, 50.0), (70.0, 100.0))
_STOREY_M = 3.4


def make_buildings(rng: np.random.Generator, look: CityStyle) -> tuple[Building, ...]:
    """Make houses on all blocks but the plaza and the land under the highway, and at the edge."""
    houses: list[Building] = []
    for north in _BLOCKS_M:
        for east in _BLOCKS_M:
            if (north[0], east[0]) == PLAZA[:2] or east[1] <= -70.0:
                continue
            houses += _block(rng, look, _inset(north), _inset(east))
    for along_north, side in ((True, -1.0), (True, 1.0), (False, -1.0), (False, 1.0)):
        houses += _closing_row(rng, look, along_north, side)
    return tuple(houses)


def _closing_row(
    rng: np.random.Generator, look: CityStyle, along_north: bool, side: float
) -> list[Building]:
    """Make a closed row of houses at one edge of the city.

    Args:
        rng: draws widths and heights.
        look: style of the city.
        along_north: whether the row runs north.
        side: -1 for the southern or western edge, 1 for the northern or eastern one.
    """
    depth_m = EXTENT_M - OUTER_ROW_M
    middle_m = (EXTENT_M + OUTER_ROW_M) / 2
    at_m = -EXTENT_M if along_north else -OUTER_ROW_M
    end_m = -at_m
    houses: list[Building] = []
    while end_m - at_m > 1.0:
        width_m = float(rng.uniform(11.0, 22.0))
        if end_m - at_m - width_m < 9.0:
            width_m = end_m - at_m
        centre_m = at_m + width_m / 2
        frontage_m = width_m - 0.02
        if along_north:
            place, size = (centre_m, side * middle_m), (frontage_m, depth_m)
        else:
            place, size = (side * middle_m, centre_m), (depth_m, frontage_m)
        beneath = abs(place[1] - HIGHWAY_EAST_M) < HIGHWAY_HALF_WIDTH_M + width_m / 2 + 0.5
        low = beneath and not along_north
        storeys = 2 if low else int(rng.integers(look.storeys[0] + 1, look.storeys[1] + 2))
        houses.append(_house(rng, look, place, size, storeys, "flat" if storeys == 2 else None))
        at_m += width_m
    return houses


def _inset(block: tuple[float, float]) -> tuple[float, float]:
    """The part of a block, along one axis, where houses may stand."""
    low = block[0] + (LAWN_M if block[0] > -STREET_END_M else 2.0)
    high = block[1] - (LAWN_M if block[1] < STREET_END_M else 2.0)
    return low, high


def _block(
    rng: np.random.Generator, look: CityStyle, north: tuple[float, float], east: tuple[float, float]
) -> list[Building]:
    """Make one to four houses in a rectangle, with gaps between them."""
    cuts = [_cut(rng, north), _cut(rng, east)]
    houses = []
    for n_low, n_high in cuts[0]:
        for e_low, e_high in cuts[1]:
            size = (
                (n_high - n_low) * float(rng.uniform(0.82, 1.0)),
                (e_high - e_low) * float(rng.uniform(0.82, 1.0)),
            )
            # One corner stays on the building line, so that fronts form a line along the street.
            north_m = n_low + size[0] / 2 if rng.random() < 0.5 else n_high - size[0] / 2
            east_m = e_low + size[1] / 2 if rng.random() < 0.5 else e_high - size[1] / 2
            storeys = int(rng.integers(look.storeys[0], look.storeys[1] + 1))
            houses.append(_house(rng, look, (north_m, east_m), size, storeys))
    return houses


def _cut(rng: np.random.Generator, span: tuple[float, float]) -> list[tuple[float, float]]:
    """Split a span into two with a gap between them, or keep it as it is."""
    length_m = span[1] - span[0]
    if length_m < 18.0 or rng.random() < 0.3:
        return [span]
    gap_m = float(rng.uniform(4.0, 7.0))
    middle_m = span[0] + length_m * float(rng.uniform(0.42, 0.58))
    return [(span[0], middle_m - gap_m / 2), (middle_m + gap_m / 2, span[1])]


def _house(
    rng: np.random.Generator,
    look: CityStyle,
    centre_m: tuple[float, float],
    size_m: tuple[float, float],
    storeys: int,
    roof: Roof | None = None,
) -> Building:
    """Make a house; without `roof` the style draws one."""
    style = int(rng.integers(0, 1 << 16))
    picked = look.roof_kinds[int(rng.integers(0, 3))]
    return Building(*centre_m, *size_m, storeys * _STOREY_M + 0.9, storeys, style, roof or picked)


def near_building(
    buildings: tuple[Building, ...], north_m: float, east_m: float, margin_m: float
) -> bool:
    """Whether a point lies in a building, or nearer than `margin_m` along both axes."""
    return any(
        abs(north_m - b.north_m) < b.size_north_m / 2 + margin_m
        and abs(east_m - b.east_m) < b.size_east_m / 2 + margin_m
        for b in buildings
    )
