"""The vehicle's own map at one moment, as viewers draw it.

A pilot that makes a map has the attributes `surroundings` and `ways` of `pilot.pilot.Pilot`. They
are read after a step, and only if somebody watches: the pilot knows nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import MissionState, Vec2
from followme_uav.pilot.guarded import GuardedPilot
from followme_uav.pilot.interface import AnyPilot
from followme_uav.pilot.mapping.surroundings import COARSE, Surroundings
from followme_uav.pilot.mapping.window import Indices
from followme_uav.pilot.search.frontier import is_frontier
from followme_uav.pilot.search.hero_map import HeroMap
from followme_uav.pilot.search.hero_search import HeroSearch

LEAST_LIKELY = 0.02
"""Cells with a smaller share of the greatest probability are not worth drawing."""


class MapCell(IntEnum):
    """The kinds of cells."""

    UNKNOWN = 0
    FREE = 1
    """At the vehicle's height; the ground below was not looked at."""
    VIEWED = 2
    """Free, and the ground below was looked at."""
    FRONTIER = 3
    """Free beside unknown space, inside the geofence: the way to more ground."""
    OCCUPIED = 4


@dataclass(frozen=True)
class MapLayer:
    """Values of square cells over the ground."""

    values: NDArray[Any]
    """(rows, columns), the first row in the south, the first column in the west."""
    cell_m: float
    south_m: float
    """Southern edge of the first row."""
    west_m: float
    """Western edge of the first column."""

    @property
    def north_m(self) -> float:
        """Northern edge of the last row."""
        return self.south_m + len(self.values) * self.cell_m

    @property
    def east_m(self) -> float:
        """Eastern edge of the last column."""
        return self.west_m + len(self.values[0]) * self.cell_m


@dataclass(frozen=True)
class MapSnapshot:
    """The map at one moment."""

    cells: MapLayer
    """The part of which anything is known, and where the hero may be, as values of `MapCell`."""
    probability: MapLayer | None
    """In a search: of the hero's place, the most likely cell being 1; else None."""
    start_m: Vec2
    """Centre of the geofence."""
    radius_m: float
    """Radius of the geofence."""


def snapshot_of(pilot: AnyPilot) -> MapSnapshot | None:
    """The map of a pilot after its last step; None if it makes none."""
    flown = pilot.pilot if isinstance(pilot, GuardedPilot) else pilot
    surroundings = getattr(flown, "surroundings", None)
    if not isinstance(surroundings, Surroundings):
        return None
    search = getattr(getattr(flown, "ways", None), "search", None)
    hero_map = None
    if isinstance(search, HeroSearch) and pilot.state is MissionState.SEARCH:
        hero_map = search.hero_map
    return MapSnapshot(
        _cells(surroundings, hero_map),
        None if hero_map is None else _probability(hero_map),
        surroundings.start_m,
        surroundings.radius_m,
    )


def _cells(surroundings: Surroundings, hero_map: HeroMap | None) -> MapLayer:
    grid, ground = surroundings.grid, surroundings.ground
    known = grid.log_odds != 0
    rows, columns = (np.flatnonzero(known.any(axis=axis)) // COARSE for axis in (1, 0))
    if hero_map is not None:
        likely = hero_map.probability >= LEAST_LIKELY * hero_map.probability.max()
        more_rows, more_columns = (np.flatnonzero(likely.any(axis=axis)) for axis in (1, 0))
        rows = np.append(rows, more_rows + hero_map.window.south - ground.window.south)
        columns = np.append(columns, more_columns + hero_map.window.west - ground.window.west)
    block = _range(rows, ground.window.size), _range(columns, ground.window.size)
    fine = _finer(block[0]), _finer(block[1])
    log_odds, is_tight = grid.sampled(COARSE)
    frontier = is_frontier(log_odds, is_tight) & surroundings.inside_geofence()
    cells = np.zeros(grid.log_odds[fine].shape, np.uint8)
    is_free = grid.is_free[fine]
    cells[is_free] = MapCell.FREE
    cells[is_free & _spread(np.isfinite(ground.viewed_s[block]))] = MapCell.VIEWED
    cells[is_free & _spread(frontier[block])] = MapCell.FRONTIER
    cells[grid.is_occupied[fine]] = MapCell.OCCUPIED
    window = grid.window
    south, west = (fine[0].start + window.south), (fine[1].start + window.west)
    return MapLayer(cells, window.cell_m, south * window.cell_m, west * window.cell_m)


def _probability(hero_map: HeroMap) -> MapLayer:
    window, values = hero_map.window, hero_map.probability
    shares = (values / max(float(values.max()), 1e-12)).astype(np.float32)
    return MapLayer(
        shares, window.cell_m, window.south * window.cell_m, window.west * window.cell_m
    )


def _range(numbers: Indices, size: int) -> slice:
    """From the least to the greatest number, inside a window; the first cell if there is none."""
    if not len(numbers):
        return slice(0, 1)
    low, high = (min(max(int(one), 0), size - 1) for one in (numbers.min(), numbers.max()))
    return slice(low, high + 1)


def _finer(coarse: slice) -> slice:
    return slice(COARSE * coarse.start, COARSE * coarse.stop)


def _spread(coarse: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Each cell of a coarse grid as a square of fine cells."""
    return np.repeat(np.repeat(coarse, COARSE, 0), COARSE, 1)
