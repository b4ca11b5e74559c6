"""The round along the streets: which waypoint is next, and where the nearest piece of street is."""

from __future__ import annotations

import math
from collections.abc import Sequence

from followme_uav.config import Rectangle
from followme_uav.pilot.keep_in import crossings, is_free, middle_of, nearest_place

Vec2 = tuple[float, float]

CORNER_INSET_M = 1.0
"""Corners are cut so far inside the streets."""


class Patrol:
    """Visits the waypoints in order, for ever."""

    def __init__(self, waypoints_m: Sequence[Vec2], radius_m: float) -> None:
        self._waypoints_m = tuple(waypoints_m)
        self._radius_m = radius_m
        self._next = 0

    def waypoint(self, position_m: Vec2) -> Vec2:
        """The waypoint to fly to from `position_m`; one that is reached gives way to the next."""
        if math.dist(self._waypoints_m[self._next], position_m) <= self._radius_m:
            self._next = (self._next + 1) % len(self._waypoints_m)
        return self._waypoints_m[self._next]

    def way_to(self, goal_m: Vec2, position_m: Vec2, flyable_m: tuple[Rectangle, ...]) -> Vec2:
        """Where to fly next to get near `goal_m`: there, or to a junction on the way around.

        The goal itself may lie off the flyable area; the nearest place inside it will do.
        """
        near_m = nearest_place(flyable_m, goal_m, position_m)
        if is_free(flyable_m, position_m, near_m):
            return near_m
        by_length = sorted(
            crossings(flyable_m),
            key=lambda crossing: _length(position_m, middle_of(crossing), near_m),
        )
        reachable = None
        for crossing in by_length:
            middle_m = middle_of(crossing)
            if not is_free(flyable_m, position_m, middle_m):
                continue
            reachable = reachable or middle_m
            if is_free(flyable_m, middle_m, near_m):
                return _corner(crossing, position_m, near_m, flyable_m)
        return reachable or near_m

    def nearest_on_route(self, position_m: Vec2, off_waypoint_m: float = 0.0) -> Vec2:
        """The point of the closed route that is nearest to `position_m`: the middle of a street.

        Not nearer than `off_waypoint_m` to either end of its leg, where that is long enough:
        waypoints are crossings, where people cross.
        """
        starts = self._waypoints_m
        ends = starts[1:] + starts[:1]
        feet = [_foot(position_m, a, b, off_waypoint_m) for a, b in zip(starts, ends, strict=True)]
        return min(feet, key=lambda foot: math.dist(foot, position_m))


def _corner(
    crossing: Rectangle, here_m: Vec2, goal_m: Vec2, flyable_m: tuple[Rectangle, ...]
) -> Vec2:
    """Where to pass a crossing from the middle of which here and the goal are in sight."""
    south, west, north, east = crossing
    inset_m = min(CORNER_INSET_M, (north - south) / 2.0, (east - west) / 2.0)
    corners = [
        (n, e)
        for n in (south + inset_m, north - inset_m)
        for e in (west + inset_m, east - inset_m)
        if is_free(flyable_m, here_m, (n, e)) and is_free(flyable_m, (n, e), goal_m)
    ]
    return min((*corners, middle_of(crossing)), key=lambda corner: _length(here_m, corner, goal_m))


def _length(start: Vec2, via: Vec2, end: Vec2) -> float:
    return math.dist(start, via) + math.dist(via, end)


def _foot(point: Vec2, start: Vec2, end: Vec2, off_end_m: float) -> Vec2:
    """Nearest point to `point` on the segment from `start` to `end`, that far off both ends."""
    north, east = end[0] - start[0], end[1] - start[1]
    length_squared = north * north + east * east
    if length_squared == 0.0:
        return start
    share = ((point[0] - start[0]) * north + (point[1] - start[1]) * east) / length_squared
    least = min(off_end_m / math.sqrt(length_squared), 0.5)
    share = min(max(share, least), 1.0 - least)
    return start[0] + share * north, start[1] + share * east
