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
SHARES = (1.0, 0.75, 0.5, 0.25)
"""What is asked for is given up in these steps."""


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
    velocity_mps = (
        (ahead_m[0] - position_m[0]) / time_s,
        (ahead_m[1] - position_m[1]) / time_s,
    )
    slow = (
        _limit_axis(0, position_m, velocity_mps[0], areas, time_s),
        _limit_axis(1, position_m, velocity_mps[1], areas, time_s),
    )
    for share in SHARES:
        north, east = (w + share * (v - w) for v, w in zip(velocity_mps, slow, strict=True))
        if _is_free_for(time_s, areas, position_m, (north, east)):
            return north, east
    return _without_cutting_corners(position_m, slow, areas, time_s)


def _is_free_for(
    time_s: float, areas: Sequence[Rectangle], position_m: Vec2, velocity_mps: Vec2
) -> bool:
    """Whether flying on like that stays inside the areas for so long."""
    return is_free(areas, position_m, _after(time_s, position_m, velocity_mps))


def _after(time_s: float, position_m: Vec2, velocity_mps: Vec2) -> Vec2:
    return position_m[0] + time_s * velocity_mps[0], position_m[1] + time_s * velocity_mps[1]


def _without_cutting_corners(
    position_m: Vec2, velocity_mps: Vec2, areas: Sequence[Rectangle], time_s: float
) -> Vec2:
    """Each axis alone may be free and both together not: then the smaller one gives way."""
    north, east = velocity_mps
    for share in SHARES:
        slow = (north, share * east) if abs(north) >= abs(east) else (share * north, east)
        if contains(areas, _after(time_s, position_m, slow)):
            return slow
    return (north, 0.0) if abs(north) >= abs(east) else (0.0, east)


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


def _limit_axis(
    axis: int, position_m: Vec2, speed_mps: float, areas: Sequence[Rectangle], time_s: float
) -> float:
    """Speed along one axis, given how far the union of areas reaches along it from here."""
    across = 1 - axis
    spans = sorted(
        (area[axis], area[axis + 2])
        for area in areas
        if area[across] <= position_m[across] <= area[across + 2]
    )
    low = high = position_m[axis]
    for start, end in spans:
        if start <= high and end > high:
            high = end
    for start, end in sorted(spans, key=lambda span: -span[1]):
        if end >= low and start < low:
            low = start
    return _clamp(speed_mps, (low - position_m[axis]) / time_s, (high - position_m[axis]) / time_s)


@functools.lru_cache(maxsize=8)
def _shrunk(areas: tuple[Rectangle, ...], margin_m: float) -> tuple[Rectangle, ...]:
    return tuple((s + margin_m, w + margin_m, n - margin_m, e - margin_m) for s, w, n, e in areas)


def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
