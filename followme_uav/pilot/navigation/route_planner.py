"""The way to a place: straight, or around blocks by way of junctions."""

from __future__ import annotations

import math

import numpy as np

from followme_uav.config import LimitsConfig, Rectangle
from followme_uav.messages import Vec2
from followme_uav.pilot.navigation.street_map import (
    PolygonStreets,
    StreetMap,
    centre_of,
    is_free,
    junction_ways,
    junctions,
    nearest_place,
)
from followme_uav.pilot.stopping import braking_mps2, stopping_speed_mps

CORNER_INSET_M = 1.0
"""A corner is cut this far inside the streets."""
SETTLE_S = 1.0
"""The vehicle is taken to obey this late, which is later than any vehicle does. Near the end of a
way the speed is then the distance divided by this time."""


class RoutePlanner:
    """Plans on the street map.

    Args:
        flyable_m: The streets; none at all allow every straight line.
        limits: Of the vehicle: speed where the way turns at a junction, and deceleration.
    """

    def __init__(self, flyable_m: StreetMap, limits: LimitsConfig) -> None:
        self._flyable_m = flyable_m
        self._limits = limits

    def velocity_to(
        self, goal_m: Vec2, position_m: Vec2, speed_mps: float, at_goal_mps: float = 0.0
    ) -> Vec2:
        """Velocity towards the goal, slower near its end and near junctions.

        Args:
            goal_m: North and east.
            position_m: Of the vehicle.
            speed_mps: At most.
            at_goal_mps: Speed with which the vehicle may pass the goal.
        """
        point_m = self.next_point(goal_m, position_m)
        course_rad, distance_m = course(position_m, point_m)
        at_the_end_mps = self._limits.corner_speed_mps
        if point_m == nearest_place(self._flyable_m, goal_m, position_m):
            at_the_end_mps = at_goal_mps
        braked_mps = stopping_speed_mps(distance_m, braking_mps2(self._limits), SETTLE_S)
        return heading_velocity(min(speed_mps, at_the_end_mps + braked_mps), course_rad)

    def is_straight(self, goal_m: Vec2, position_m: Vec2) -> bool:
        """Whether the way to the goal leads around no corner."""
        near_m = nearest_place(self._flyable_m, goal_m, position_m)
        return is_free(self._flyable_m, position_m, near_m)

    def way_length_m(self, goal_m: Vec2, position_m: Vec2) -> float:
        """Length of the way to `goal_m`, or to the nearest place inside the flyable area."""
        near_m = nearest_place(self._flyable_m, goal_m, position_m)
        if isinstance(self._flyable_m, PolygonStreets):
            return self._flyable_m.way_length_m(near_m, position_m)
        next_m = self.next_point(goal_m, position_m)
        if is_free(self._flyable_m, next_m, near_m):
            return _length(position_m, next_m, near_m)
        _, length_m = _over_junctions(self._flyable_m, position_m, near_m)
        return length_m

    def nearest_on_this_side(self, goal_m: Vec2, position_m: Vec2) -> Vec2:
        """The place nearest to `goal_m` that is reached without a long way around.

        On a map of rectangles it is the vehicle's own place.
        """
        if isinstance(self._flyable_m, PolygonStreets):
            return self._flyable_m.nearest_on_this_side(goal_m, position_m)
        return position_m

    def next_point(self, goal_m: Vec2, position_m: Vec2) -> Vec2:
        """The next point on the way to `goal_m`: the goal, or a junction on the way around.

        A goal off the flyable area stands for the nearest place inside it.
        """
        flyable_m = self._flyable_m
        near_m = nearest_place(flyable_m, goal_m, position_m)
        if is_free(flyable_m, position_m, near_m):
            return near_m
        if isinstance(flyable_m, PolygonStreets):
            return flyable_m.next_point(near_m, position_m)
        by_length = sorted(
            junctions(flyable_m),
            key=lambda junction: _length(position_m, centre_of(junction), near_m),
        )
        for junction in by_length:
            centre_m = centre_of(junction)
            if is_free(flyable_m, position_m, centre_m) and is_free(flyable_m, centre_m, near_m):
                return _corner(junction, position_m, near_m, flyable_m)
        first_m, _ = _over_junctions(flyable_m, position_m, near_m)
        return first_m


def course(start_m: Vec2, end_m: Vec2) -> tuple[float, float]:
    """(direction in radians clockwise from north, distance in metres)."""
    north, east = end_m[0] - start_m[0], end_m[1] - start_m[1]
    return math.atan2(east, north), math.hypot(north, east)


def heading_velocity(speed_mps: float, azimuth_rad: float) -> Vec2:
    """Velocity (north, east) of this speed in this direction."""
    return speed_mps * math.cos(azimuth_rad), speed_mps * math.sin(azimuth_rad)


def _corner(
    junction: Rectangle, here_m: Vec2, goal_m: Vec2, flyable_m: tuple[Rectangle, ...]
) -> Vec2:
    """The point to pass at a junction whose centre is in sight of both ends."""
    south, west, north, east = junction
    inset_m = min(CORNER_INSET_M, (north - south) / 2.0, (east - west) / 2.0)
    corners = [
        (n, e)
        for n in (south + inset_m, north - inset_m)
        for e in (west + inset_m, east - inset_m)
        if is_free(flyable_m, here_m, (n, e)) and is_free(flyable_m, (n, e), goal_m)
    ]
    return min((*corners, centre_of(junction)), key=lambda corner: _length(here_m, corner, goal_m))


def _over_junctions(
    flyable_m: tuple[Rectangle, ...], here_m: Vec2, goal_m: Vec2
) -> tuple[Vec2, float]:
    """The first junction of the shortest way, and its length; straight on if there is no way."""
    centres_m = [centre_of(junction) for junction in junctions(flyable_m)]
    starts = [i for i, c in enumerate(centres_m) if is_free(flyable_m, here_m, c)]
    ends = [i for i, c in enumerate(centres_m) if is_free(flyable_m, c, goal_m)]
    straight = goal_m, math.dist(here_m, goal_m)
    if not starts or not ends:
        return straight
    ways_m = junction_ways(flyable_m)[np.ix_(starts, ends)]
    to_goal_m = (ways_m + [math.dist(centres_m[i], goal_m) for i in ends]).min(axis=1)
    if not np.isfinite(to_goal_m).any():
        return straight
    # Of junctions along one street, whose ways are equally long, the last one that is in sight.
    length_m, _, first = min(
        (round(math.dist(here_m, centres_m[i]) + left_m, 3), left_m, i)
        for i, left_m in zip(starts, to_goal_m.tolist(), strict=True)
    )
    return centres_m[first], length_m


def _length(start: Vec2, via: Vec2, end: Vec2) -> float:
    return math.dist(start, via) + math.dist(via, end)
