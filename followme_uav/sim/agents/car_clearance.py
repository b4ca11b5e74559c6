"""The room between a car of a world and people: now, and along its way.

World frame NED in metres; headings in radians, 0 = north, clockwise seen from above.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from followme_uav.messages import Vec3
from followme_uav.sim.agents.driver import LENGTH_M, LEVEL_M, WIDTH_M
from followme_uav.sim.agents.lane_driver import LaneDriver

_LEAST_M = 0.33
"""A car does not come nearer than this to the axis of a person; a body has a radius of 0.3 m."""
_WANTED_M, _WANTED_S, _MOST_M = 0.36, 0.06, 0.8
"""Room that a driver leaves beside people: some at rest, more by speed, at most so much."""
_STEP_M = 0.5
_LEAP_M = _MOST_M + 0.5 * LENGTH_M
"""A driver looks at once so far ahead as the nearest person is away, but for this."""

Pose = tuple[float, float, float, float, float]
"""North, east, heading, height of the wheels, pitch."""


def clearance_m(pose: Sequence[float], place: Sequence[float]) -> float:
    """Distance from the outline of a car to a place; negative inside of the car.

    Args:
        pose: north, east, heading of the middle of the car.
        place: north, east.
    """
    n, e = place[0] - pose[0], place[1] - pose[1]
    c, s = math.cos(pose[2]), math.sin(pose[2])
    ahead, aside = abs(n * c + e * s) - 0.5 * LENGTH_M, abs(e * c - n * s) - 0.5 * WIDTH_M
    if ahead > 0.0 and aside > 0.0:
        return math.hypot(ahead, aside)
    return max(ahead, aside)


def is_level(pose: Sequence[float], place: Vec3) -> bool:
    """Whether a person stands on the level of a car, not on a deck above or below it."""
    return abs(pose[3] - place[2]) < LEVEL_M


def would_touch(driver: LaneDriver, step_m: float, people_m: Sequence[Vec3]) -> bool:
    """Whether a step of a car brings it too near to a person.

    A step that leads away from a person, or along one who is near already, does not.
    """
    here, there = driver.pose(), driver.pose(step_m)
    for place in people_m:
        if abs(place[0] - there[0]) < LENGTH_M and abs(place[1] - there[1]) < LENGTH_M:
            after_m = clearance_m(there, place)
            if after_m < _LEAST_M and is_level(there, place) and after_m < clearance_m(here, place):
                return True
    return False


def free_way_m(driver: LaneDriver, reach_m: float, people_m: Sequence[Vec3]) -> float:
    """Distance that a car can drive until its body comes near to a person; at most `reach_m`.

    The body is followed through bends, where its corners leave the lane. A person beside the car
    counts only if the car would come nearer.

    Args:
        driver: the car.
        reach_m: how far to look ahead.
        people_m: (north, east, height) of the people.
    """
    here = driver.pose()
    far_m = reach_m + 0.5 * LENGTH_M + 1.0 + _MOST_M
    near = [
        (place, clearance_m(here, place) - 0.02)
        for place in people_m
        if abs(place[0] - here[0]) < far_m and abs(place[1] - here[1]) < far_m
    ]
    wanted_m = min(_WANTED_M + _WANTED_S * driver.speed_mps, _MOST_M)
    ahead_m = _STEP_M
    while near and ahead_m <= reach_m:
        pose = driver.pose(ahead_m)
        nearest_m = math.inf
        for place, now_m in near:
            room_m = clearance_m(pose, place)
            if room_m < min(wanted_m, now_m) and is_level(pose, place):
                return ahead_m - _STEP_M
            nearest_m = min(nearest_m, room_m)
        ahead_m += max(_STEP_M, nearest_m - _LEAP_M)
    return reach_m
