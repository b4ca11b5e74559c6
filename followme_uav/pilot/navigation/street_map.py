"""The street map: where the vehicle may fly, as a union of axis-aligned rectangles.

In other places it is a `PolygonMap`, which has methods of the same names.
"""

from __future__ import annotations

import abc
import functools
import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import Rectangle
from followme_uav.messages import Vec2


class PolygonStreets(abc.ABC):
    """A map of polygons; `polygon_map.PolygonMap` is the only kind."""

    @abc.abstractmethod
    def contains(self, point_m: Vec2) -> bool:
        """Whether a point lies inside."""

    @abc.abstractmethod
    def is_free(self, start_m: Vec2, end_m: Vec2) -> bool:
        """Whether the straight line stays inside."""

    @abc.abstractmethod
    def nearest_point(self, point_m: Vec2) -> Vec2:
        """The point of the map that is nearest to a place."""

    @abc.abstractmethod
    def shrunk(self, margin_m: float) -> PolygonStreets:
        """The map, narrower by a margin on all sides."""

    @abc.abstractmethod
    def lookouts(self) -> tuple[Vec2, ...]:
        """Places that are spread over the whole map."""

    @abc.abstractmethod
    def next_point(self, goal_m: Vec2, position_m: Vec2) -> Vec2:
        """The farthest point in sight on the shortest way to a goal inside the map."""

    @abc.abstractmethod
    def nearest_on_this_side(self, goal_m: Vec2, position_m: Vec2) -> Vec2:
        """The point nearest to a goal, of the part of the map that lies between here and there."""

    @abc.abstractmethod
    def way_length_m(self, goal_m: Vec2, position_m: Vec2) -> float:
        """Length of the shortest way to a goal inside the map."""


StreetMap = tuple[Rectangle, ...] | PolygonStreets
"""Without a rectangle the vehicle may fly anywhere."""

NEARER_TO_HERE = 0.25
"""This many metres nearer to the goal count as much as one metre nearer to the vehicle."""


def contains(areas: StreetMap | Sequence[Rectangle], point_m: Vec2) -> bool:
    """Whether one of the rectangles holds the point (north, east)."""
    if isinstance(areas, PolygonStreets):
        return areas.contains(point_m)
    at_north, at_east = point_m
    for south, west, north, east in areas:
        if south <= at_north <= north and west <= at_east <= east:
            return True
    return False


def is_free(areas: StreetMap | Sequence[Rectangle], start_m: Vec2, end_m: Vec2) -> bool:
    """Whether the straight line lies inside the areas; no areas allow everything."""
    if isinstance(areas, PolygonStreets):
        return areas.is_free(start_m, end_m)
    if not areas:
        return True
    low_north, high_north = sorted((start_m[0], end_m[0]))
    low_east, high_east = sorted((start_m[1], end_m[1]))
    touched = []
    for area in areas:
        south, west, north, east = area
        if south <= low_north and high_north <= north and west <= low_east and high_east <= east:
            return True  # the usual case
        if south <= high_north and low_north <= north and west <= high_east and low_east <= east:
            touched.append(area)
    reached = 0.0  # share of the line that is known to be inside
    for entry, leave in sorted(_parts_inside(touched, start_m, end_m)):
        if entry > reached + 1e-9:
            return False
        reached = max(reached, leave)
    return reached >= 1.0 - 1e-9


def _parts_inside(
    areas: Sequence[Rectangle], start_m: Vec2, end_m: Vec2
) -> Iterator[tuple[float, float]]:
    """For each rectangle that the line crosses, the shares of the line at entry and exit."""
    (north, east), to_north, to_east = start_m, end_m[0] - start_m[0], end_m[1] - start_m[1]
    for south, west, top, right in areas:
        entry, leave = 0.0, 1.0
        for at, towards, low, high in (
            (north, to_north, south, top),
            (east, to_east, west, right),
        ):
            if towards == 0.0:
                if not low <= at <= high:
                    leave = -1.0
                continue
            one, other = (low - at) / towards, (high - at) / towards
            entry, leave = max(entry, min(one, other)), min(leave, max(one, other))
        if entry <= leave:
            yield entry, leave


@functools.lru_cache(maxsize=8)
def junctions(areas: tuple[Rectangle, ...]) -> tuple[Rectangle, ...]:
    """Every overlap of two rectangles."""
    overlaps = []
    for (s1, w1, n1, e1), (s2, w2, n2, e2) in itertools.combinations(areas, 2):
        south, west, north, east = max(s1, s2), max(w1, w2), min(n1, n2), min(e1, e2)
        if south < north and west < east:
            overlaps.append((south, west, north, east))
    return tuple(dict.fromkeys(overlaps))


@functools.lru_cache(maxsize=8)
def junction_ways(areas: tuple[Rectangle, ...]) -> NDArray[np.float64]:
    """Lengths of the shortest ways between the centres of all junctions, in metres.

    Returns:
        (junctions, junctions); inf without a way.
    """
    from scipy.sparse.csgraph import shortest_path  # takes a while, and few ways need it

    centres_m = [centre_of(junction) for junction in junctions(areas)]
    straight_m = np.zeros((len(centres_m), len(centres_m)))
    for (i, start_m), (j, end_m) in itertools.combinations(enumerate(centres_m), 2):
        if is_free(areas, start_m, end_m):
            straight_m[i, j] = math.dist(start_m, end_m)
    ways_m: NDArray[np.float64] = shortest_path(straight_m, directed=False)
    return ways_m


def centre_of(area: Rectangle) -> Vec2:
    """Centre of the rectangle."""
    return (area[0] + area[2]) / 2.0, (area[1] + area[3]) / 2.0


def lookouts(areas: StreetMap) -> tuple[Vec2, ...]:
    """Places from which streets can be looked into: junctions, or places all over polygons."""
    if isinstance(areas, PolygonStreets):
        return areas.lookouts()
    return tuple(centre_of(junction) for junction in junctions(areas))


def nearest_place(areas: StreetMap, goal_m: Vec2, here_m: Vec2) -> Vec2:
    """A point of the rectangles near to the goal, on this side of it.

    With streets on all sides of a block, and the goal in the middle of it, the nearest point alone
    would jump from one street to another.
    """
    if isinstance(areas, PolygonStreets):
        return areas.nearest_point(goal_m)
    if not areas or contains(areas, goal_m):
        return goal_m
    return min(
        (_into(area, goal_m) for area in areas),
        key=lambda place: math.dist(place, goal_m) + NEARER_TO_HERE * math.dist(place, here_m),
    )


def nearest_point(areas: StreetMap, point_m: Vec2) -> Vec2:
    """The point of the areas that is nearest to `point_m`."""
    if isinstance(areas, PolygonStreets):
        return areas.nearest_point(point_m)
    return min((_into(area, point_m) for area in areas), key=lambda c: math.dist(c, point_m))


def _into(area: Rectangle, point_m: Vec2) -> Vec2:
    return _clamp(point_m[0], area[0], area[2]), _clamp(point_m[1], area[1], area[3])


def shrunk(areas: StreetMap, margin_m: float) -> StreetMap:
    """Narrower by the margin on all sides; what is too narrow for that keeps its middle."""
    return areas.shrunk(margin_m) if isinstance(areas, PolygonStreets) else _shrunk(areas, margin_m)


@functools.lru_cache(maxsize=8)
def _shrunk(areas: tuple[Rectangle, ...], margin_m: float) -> tuple[Rectangle, ...]:

    def sides(low_m: float, high_m: float) -> tuple[float, float]:
        aside_m = min(margin_m, (high_m - low_m) / 2.0)
        return low_m + aside_m, high_m - aside_m

    return tuple(
        (south, west, north, east)
        for (south, north), (west, east) in (
            (sides(area[0], area[2]), sides(area[1], area[3])) for area in areas
        )
    )


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
