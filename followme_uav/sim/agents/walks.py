"""Where people walk: a graph of places along pavements, over crossings and across the plaza.

Carriageways are crossed on the zebra crossings only, one on each arm of each crossing of two
streets. Every zebra has a number, which people and cars use to agree on who goes first.

World frame NED in metres.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from followme_uav.sim.city.layout import (
    CARRIAGEWAY_HALF_WIDTH_M,
    PAVEMENT_OUTER_M,
    PLAZA,
    STREET_CENTRES_M,
    STREET_END_M,
    City,
)

STRAY_M = 1.3
"""How far from a place people aim, so that they do not walk in single file."""

_PAVEMENT_M = (CARRIAGEWAY_HALF_WIDTH_M + PAVEMENT_OUTER_M) / 2
_RING_M = STREET_END_M + 2.5


@dataclass(frozen=True)
class Zebra:
    """One zebra crossing."""

    middle_m: tuple[float, float]
    """North, east."""
    axis: int
    """0: it is walked along north, over a street that runs east; 1: the other way round."""

    @property
    def street_m(self) -> float:
        """Where the centre line of the street it crosses is, along `axis`."""
        return self.middle_m[self.axis]


def zebra_number(row: int, column: int, arm: int) -> int:
    """Of the zebra on an arm of a crossing.

    Args:
        row: which of `STREET_CENTRES_M` the street running east is.
        column: and which the one running north.
        arm: 0 north, 1 east, 2 south, 3 west.
    """
    return (row * len(STREET_CENTRES_M) + column) * 4 + arm


def _zebras() -> tuple[Zebra, ...]:
    found = []
    for north in STREET_CENTRES_M:
        for east in STREET_CENTRES_M:
            found.append(Zebra((north + _PAVEMENT_M, east), 1))
            found.append(Zebra((north, east + _PAVEMENT_M), 0))
            found.append(Zebra((north - _PAVEMENT_M, east), 1))
            found.append(Zebra((north, east - _PAVEMENT_M), 0))
    return tuple(found)


ZEBRAS = _zebras()
"""In the order of `zebra_number`."""
_ZEBRA_AT = {zebra.middle_m: number for number, zebra in enumerate(ZEBRAS)}


@dataclass(frozen=True)
class WalkGraph:
    """Places people walk between."""

    places_m: NDArray[np.float64]
    """(places, 2) north, east."""
    neighbours: tuple[tuple[int, ...], ...]
    stray_m: NDArray[np.float64]
    """(places,) how far off a place one may aim."""
    in_plaza: NDArray[np.bool_]
    """(places,)"""

    def zebra(self, a: int, b: int) -> int:
        """The zebra between two neighbouring places, -1 if there is none."""
        north, east = (self.places_m[a] + self.places_m[b]) / 2
        return _ZEBRA_AT.get((float(north), float(east)), -1)


def walk_graph(city: City) -> WalkGraph:
    """The graph of pavements, crossings, street ends and the plaza of a city."""
    index: dict[tuple[float, float], int] = {}
    edges: set[tuple[int, int]] = set()

    def place(north_m: float, east_m: float) -> int:
        return index.setdefault((north_m, east_m), len(index))

    def link(a: int, b: int) -> None:
        if a != b:
            edges.add((min(a, b), max(a, b)))

    middle = (PLAZA[0] + PLAZA[2]) / 2
    lines = [c + side * _PAVEMENT_M for c in STREET_CENTRES_M for side in (-1.0, 1.0)]
    for line in lines:
        stops = [-_RING_M, *lines, _RING_M]
        if PLAZA[0] - _PAVEMENT_M <= line <= PLAZA[2] + _PAVEMENT_M:
            stops = sorted([*stops, middle])
        for low, high in itertools.pairwise(stops):
            link(place(line, low), place(line, high))
            link(place(low, line), place(high, line))
    for side in (-_RING_M, _RING_M):
        for low, high in zip(lines[1:-1:2], lines[2:-1:2], strict=True):
            link(place(side, low), place(side, high))
            link(place(low, side), place(high, side))
    street_places = len(index)
    rng = np.random.default_rng([city.seed, 6])
    obstacles = np.array([(p.north_m, p.east_m, p.radius_m + 1.1) for p in city.planters])
    spots: list[tuple[float, float]] = []
    for _ in range(300):
        spot = tuple(float(v) for v in rng.uniform(PLAZA[0] + 2.0, PLAZA[2] - 2.0, 2))
        if len(spots) < 14 and _clear(spot, spot, obstacles, 1.0):
            spots.append((spot[0], spot[1]))
    near = PLAZA[0] - PAVEMENT_OUTER_M + _PAVEMENT_M
    far = PLAZA[2] + PAVEMENT_OUTER_M - _PAVEMENT_M
    doors = [(near, middle), (far, middle), (middle, near), (middle, far)]
    for i, spot in enumerate(spots):
        for other in [*spots[:i], *doors]:
            if math.dist(spot, other) < 28.0 and _clear(spot, other, obstacles, 0.0):
                link(place(*spot), place(*other))
    neighbours: list[list[int]] = [[] for _ in index]
    for a, b in sorted(edges):
        neighbours[a].append(b)
        neighbours[b].append(a)
    inside = np.arange(len(index)) >= street_places
    return WalkGraph(
        np.array(list(index)),
        tuple(tuple(n) for n in neighbours),
        np.where(inside, 1.0, STRAY_M),
        inside,
    )


def _clear(
    a: tuple[float, ...], b: tuple[float, ...], circles: NDArray[np.float64], margin_m: float
) -> bool:
    """Whether the line from a to b stays out of all circles (north, east, radius)."""
    start, along = np.array(a), np.array(b) - np.array(a)
    towards = circles[:, :2] - start
    share = np.clip(towards @ along / max(float(along @ along), 1e-9), 0.0, 1.0)
    gap = np.hypot(*(towards - share[:, None] * along).T)
    return bool(np.all(gap > circles[:, 2] + margin_m))
