"""The graph that people walk on: places on pavements, at crosswalks and in the plaza.

People cross carriageways at crosswalks only; each arm of each intersection has one. Every crosswalk
has a number, by which people and cars agree on the right of way.

World frame NED in metres.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from followme_uav.sim.city.arrays import Flags, Floats
from followme_uav.sim.city.layout import (
    CARRIAGEWAY_HALF_WIDTH_M,
    PAVEMENT_OUTER_M,
    PLAZA,
    STREET_CENTRES_M,
    STREET_END_M,
    City,
)

SCATTER_M = 1.3
"""People walk to a point up to this far from a place, so that they do not walk in single file."""

_PAVEMENT_M = (CARRIAGEWAY_HALF_WIDTH_M + PAVEMENT_OUTER_M) / 2
_RING_M = STREET_END_M + 2.5  # ways around the ends of the streets
_PLAZA_MIDDLE_M = (PLAZA[0] + PLAZA[2]) / 2
_PLAZA_PLACES = 14
_PLAZA_LINK_M = 28.0  # the longest way across the plaza
_PLAZA_SCATTER_M = 1.0


@dataclass(frozen=True)
class Crosswalk:
    """A place where people cross one street."""

    middle_m: tuple[float, float]
    """North, east."""
    axis: int
    """0: people walk north or south, across a street that runs east; 1: east or west."""

    @property
    def street_m(self) -> float:
        """Coordinate along `axis` of the centre line of the street."""
        return self.middle_m[self.axis]


def crosswalk_number(row: int, column: int, arm: int) -> int:
    """The number of the crosswalk on one arm of an intersection.

    Args:
        row: index into `STREET_CENTRES_M` of the street that runs east.
        column: index of the street that runs north.
        arm: 0 north, 1 east, 2 south, 3 west.
    """
    return (row * len(STREET_CENTRES_M) + column) * 4 + arm


def _crosswalks() -> tuple[Crosswalk, ...]:
    found = []
    for north in STREET_CENTRES_M:
        for east in STREET_CENTRES_M:
            found.append(Crosswalk((north + _PAVEMENT_M, east), 1))
            found.append(Crosswalk((north, east + _PAVEMENT_M), 0))
            found.append(Crosswalk((north - _PAVEMENT_M, east), 1))
            found.append(Crosswalk((north, east - _PAVEMENT_M), 0))
    return tuple(found)


CROSSWALKS = _crosswalks()
"""In the order of `crosswalk_number`."""
_CROSSWALK_AT = {crosswalk.middle_m: number for number, crosswalk in enumerate(CROSSWALKS)}


@dataclass(frozen=True)
class WalkGraph:
    """Places and the straight ways between them."""

    places_m: Floats
    """(places, 2) north, east."""
    neighbours: tuple[tuple[int, ...], ...]
    """For each place, the places that a straight way leads to."""
    scatter_m: Floats
    """(places,) how far from the place people may aim."""
    in_plaza: Flags
    """(places,)"""

    def crosswalk(self, a: int, b: int) -> int:
        """The number of the crosswalk between two neighbouring places; -1 for none."""
        north, east = (self.places_m[a] + self.places_m[b]) / 2
        return _CROSSWALK_AT.get((float(north), float(east)), -1)


def walk_graph(city: City) -> WalkGraph:
    """Make the graph of the pavements, crosswalks, street ends and plaza of a city."""
    builder = _Builder()
    _add_streets(builder)
    street_places = len(builder.index)
    _add_plaza(builder, city)
    in_plaza = np.arange(len(builder.index)) >= street_places
    return WalkGraph(
        np.array(list(builder.index)),
        builder.neighbours(),
        np.where(in_plaza, _PLAZA_SCATTER_M, SCATTER_M),
        in_plaza,
    )


class _Builder:
    """Places and edges of a graph, in the order in which they are added."""

    def __init__(self) -> None:
        self.index: dict[tuple[float, float], int] = {}
        self._edges: set[tuple[int, int]] = set()

    def link(self, one: tuple[float, float], other: tuple[float, float]) -> None:
        """Add an edge between two places, and the places themselves."""
        a, b = (self.index.setdefault(place, len(self.index)) for place in (one, other))
        if a != b:
            self._edges.add((min(a, b), max(a, b)))

    def neighbours(self) -> tuple[tuple[int, ...], ...]:
        found: list[list[int]] = [[] for _ in self.index]
        for a, b in sorted(self._edges):
            found[a].append(b)
            found[b].append(a)
        return tuple(tuple(places) for places in found)


def _add_streets(builder: _Builder) -> None:
    """Pavements, crosswalks and the ways around the ends of the streets."""
    lines = [c + side * _PAVEMENT_M for c in STREET_CENTRES_M for side in (-1.0, 1.0)]
    for line in lines:
        stops = [-_RING_M, *lines, _RING_M]
        if PLAZA[0] - _PAVEMENT_M <= line <= PLAZA[2] + _PAVEMENT_M:
            stops = sorted([*stops, _PLAZA_MIDDLE_M])
        for low, high in itertools.pairwise(stops):
            builder.link((line, low), (line, high))
            builder.link((low, line), (high, line))
    for side in (-_RING_M, _RING_M):
        for low, high in zip(lines[1:-1:2], lines[2:-1:2], strict=True):
            builder.link((side, low), (side, high))
            builder.link((low, side), (high, side))


def _add_plaza(builder: _Builder, city: City) -> None:
    """Places drawn in the plaza, linked to each other and to the middles of its sides."""
    rng = np.random.default_rng([city.seed, 6])
    obstacles = np.array([(p.north_m, p.east_m, p.radius_m + 1.1) for p in city.planters])
    spots: list[tuple[float, float]] = []
    for _ in range(300):
        spot = tuple(float(v) for v in rng.uniform(PLAZA[0] + 2.0, PLAZA[2] - 2.0, 2))
        if len(spots) < _PLAZA_PLACES and _clear(spot, spot, obstacles, 1.0):
            spots.append((spot[0], spot[1]))
    near = PLAZA[0] - PAVEMENT_OUTER_M + _PAVEMENT_M
    far = PLAZA[2] + PAVEMENT_OUTER_M - _PAVEMENT_M
    middle = _PLAZA_MIDDLE_M
    doors = [(near, middle), (far, middle), (middle, near), (middle, far)]
    for i, here in enumerate(spots):
        for other in [*spots[:i], *doors]:
            close = math.dist(here, other) < _PLAZA_LINK_M
            if close and _clear(here, other, obstacles, 0.0):
                builder.link(here, other)


def _clear(a: tuple[float, ...], b: tuple[float, ...], circles: Floats, margin_m: float) -> bool:
    """Whether the line from a to b stays out of (n, 3) circles: north, east, radius."""
    start, along = np.array(a), np.array(b) - np.array(a)
    towards = circles[:, :2] - start
    share = np.clip(towards @ along / max(float(along @ along), 1e-9), 0.0, 1.0)
    gap = np.hypot(*(towards - share[:, None] * along).T)
    return bool(np.all(gap > circles[:, 2] + margin_m))
