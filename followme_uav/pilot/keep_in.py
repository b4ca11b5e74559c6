"""Keeps the vehicle inside the flyable area, a union of axis-aligned rectangles (the streets).

Towards a boundary the speed may be at most the distance to it divided by a braking time, so the
vehicle glides to a stop in front of it and slides along it. Outside, the way back in is the only
way.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Sequence

from followme_uav.config import LimitsConfig, Rectangle

Vec2 = tuple[float, float]

ASIDE_M = 0.2
"""Who cannot fly as asked flies this far off the edge, so that it does not hang on to a corner."""
SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)
"""So much of what is asked for is flown, north and east: the most that leaves the way free."""


def limit_velocity(
    position_m: Vec2, velocity_mps: Vec2, flyable_m: tuple[Rectangle, ...], limits: LimitsConfig
) -> Vec2:
    """`velocity_mps` (north, east), reduced so that the vehicle stays inside `flyable_m`.

    An empty `flyable_m` allows everything.
    """
    if not flyable_m:
        return velocity_mps
    areas = _shrunk(flyable_m, limits.boundary_margin_m)
    if not contains(areas, position_m):
        inside_m = nearest_point(areas, position_m)
        back = tuple(
            (i - p) / limits.boundary_time_s for i, p in zip(inside_m, position_m, strict=True)
        )
        if math.dist(inside_m, position_m) > limits.boundary_margin_m:
            return back[0], back[1]
        # A gust pushed it into the margin: back, and on along the boundary.
        north, east = limit_velocity(inside_m, velocity_mps, flyable_m, limits)
        return north + back[0], east + back[1]
    time_s = limits.boundary_time_s
    # Around a corner the way may be free although an axis alone would soon meet the edge.
    if _is_free_for(time_s, areas, position_m, velocity_mps):
        return velocity_mps
    # Along the edge, and into a street that begins a step aside from here.
    inner = _shrunk(flyable_m, limits.boundary_margin_m + ASIDE_M)
    ahead_m = nearest_point(inner, _after(time_s, position_m, velocity_mps))
    inside_mps = tuple((a - p) / time_s for a, p in zip(ahead_m, position_m, strict=True))
    parts = itertools.product(SHARES, repeat=2)
    choices = ((north * inside_mps[0], east * inside_mps[1]) for north, east in parts)
    most_first = sorted(choices, key=lambda choice: math.dist(choice, inside_mps))
    return next(c for c in most_first if _is_free_for(time_s, areas, position_m, c))


def _is_free_for(
    time_s: float, areas: Sequence[Rectangle], position_m: Vec2, velocity_mps: Vec2
) -> bool:
    """Whether flying on like that stays inside the areas for so long."""
    return is_free(areas, position_m, _after(time_s, position_m, velocity_mps))


def _after(time_s: float, position_m: Vec2, velocity_mps: Vec2) -> Vec2:
    return position_m[0] + time_s * velocity_mps[0], position_m[1] + time_s * velocity_mps[1]


def contains(areas: Sequence[Rectangle], point_m: Vec2) -> bool:
    """Whether one of the rectangles holds the point (north, east)."""
    at_north, at_east = point_m
    for south, west, north, east in areas:
        if south <= at_north <= north and west <= at_east <= east:
            return True
    return False


def is_free(areas: Sequence[Rectangle], start_m: Vec2, end_m: Vec2) -> bool:
    """Whether the straight way lies inside the areas."""
    if not areas:
        return True
    low_north, high_north = sorted((start_m[0], end_m[0]))
    low_east, high_east = sorted((start_m[1], end_m[1]))
    touched = []
    for area in areas:
        south, west, north, east = area
        if south <= low_north and high_north <= north and west <= low_east and high_east <= east:
            return True  # so most ways are
        if south <= high_north and low_north <= north and west <= high_east and low_east <= east:
            touched.append(area)
    reached = 0.0  # share of the way that is known to be inside
    for entry, leave in sorted(_parts_inside(touched, start_m, end_m)):
        if entry > reached + 1e-9:
            return False
        reached = max(reached, leave)
    return reached >= 1.0 - 1e-9


def _parts_inside(
    areas: Sequence[Rectangle], start_m: Vec2, end_m: Vec2
) -> Iterator[tuple[float, float]]:
    """For each rectangle that the way crosses, the shares of the way at entry and exit."""
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
def crossings(areas: tuple[Rectangle, ...]) -> tuple[Rectangle, ...]:
    """Every overlap of two rectangles."""
    overlaps = []
    for (s1, w1, n1, e1), (s2, w2, n2, e2) in itertools.combinations(areas, 2):
        south, west, north, east = max(s1, s2), max(w1, w2), min(n1, n2), min(e1, e2)
        if south < north and west < east:
            overlaps.append((south, west, north, east))
    return tuple(dict.fromkeys(overlaps))


def middle_of(area: Rectangle) -> Vec2:
    """Its centre."""
    return (area[0] + area[2]) / 2.0, (area[1] + area[3]) / 2.0


NEARER_TO_HERE = 0.25
"""So many metres nearer to the goal count as much as one metre nearer to the vehicle."""


def nearest_place(areas: Sequence[Rectangle], goal_m: Vec2, here_m: Vec2) -> Vec2:
    """A point of the rectangles near to the goal, on this side of it.

    Of streets all around a block whose middle is the goal, the nearest would be now the one, now
    the other.
    """
    if not areas or contains(areas, goal_m):
        return goal_m
    return min(
        (_into(area, goal_m) for area in areas),
        key=lambda place: math.dist(place, goal_m) + NEARER_TO_HERE * math.dist(place, here_m),
    )


def nearest_point(areas: Sequence[Rectangle], point_m: Vec2) -> Vec2:
    """The point of the rectangles that is nearest to `point_m`."""
    return min((_into(area, point_m) for area in areas), key=lambda c: math.dist(c, point_m))


def _into(area: Rectangle, point_m: Vec2) -> Vec2:
    return _clamp(point_m[0], area[0], area[2]), _clamp(point_m[1], area[1], area[3])


@functools.lru_cache(maxsize=8)
def _shrunk(areas: tuple[Rectangle, ...], margin_m: float) -> tuple[Rectangle, ...]:
    """Narrower on all sides; of what is too narrow for that, the middle line stays."""

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
