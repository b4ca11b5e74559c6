"""The patrol route: a closed round of waypoints along the streets."""

from __future__ import annotations

import math
from collections.abc import Sequence

from followme_uav.messages import Vec2


class PatrolRoute:
    """Visits the waypoints in order, for ever."""

    def __init__(self, waypoints_m: Sequence[Vec2], radius_m: float) -> None:
        self._waypoints_m = tuple(waypoints_m)
        self._radius_m = radius_m
        self._next = 0

    def waypoint(self, position_m: Vec2) -> Vec2:
        """The waypoint to fly to from `position_m`; a waypoint that is reached is passed."""
        if math.dist(self._waypoints_m[self._next], position_m) <= self._radius_m:
            self._next = (self._next + 1) % len(self._waypoints_m)
        return self._waypoints_m[self._next]

    def onward_share(self, position_m: Vec2) -> float:
        """Share of the speed that leads on at the waypoint: the cosine of the turn, 0 at least."""
        here = self._waypoints_m[self._next]
        after = self._waypoints_m[(self._next + 1) % len(self._waypoints_m)]
        way_m, onward_m = math.dist(position_m, here), math.dist(here, after)
        if way_m == 0.0 or onward_m == 0.0:
            return 0.0
        along = sum((h - p) * (a - h) for p, h, a in zip(position_m, here, after, strict=True))
        return max(along / (way_m * onward_m), 0.0)

    def nearest_point(self, position_m: Vec2, off_waypoint_m: float = 0.0) -> Vec2:
        """The point of the route that is nearest to `position_m`: the middle of a street.

        It keeps `off_waypoint_m` from both ends of its leg, where the leg is long enough: waypoints
        are junctions, where people cross the street.
        """
        starts = self._waypoints_m
        ends = starts[1:] + starts[:1]
        feet = [_foot(position_m, a, b, off_waypoint_m) for a, b in zip(starts, ends, strict=True)]
        return min(feet, key=lambda foot: math.dist(foot, position_m))


def _foot(point: Vec2, start: Vec2, end: Vec2, off_end_m: float) -> Vec2:
    """Nearest point to `point` on the segment from `start` to `end`, that far from both ends."""
    north, east = end[0] - start[0], end[1] - start[1]
    length_squared = north * north + east * east
    if length_squared == 0.0:
        return start
    share = ((point[0] - start[0]) * north + (point[1] - start[1]) * east) / length_squared
    least = min(off_end_m / math.sqrt(length_squared), 0.5)
    share = min(max(share, least), 1.0 - least)
    return start[0] + share * north, start[1] + share * east
