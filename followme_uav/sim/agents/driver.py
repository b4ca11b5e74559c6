"""One driving car: its state, and what is on its way.

World frame NED in metres; headings in radians, 0 = north, clockwise seen from above.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from followme_uav.messages import Vec2
from followme_uav.sim.agents.lanes import LANES, LaneTurn, Segment
from followme_uav.sim.city.colours import Colour

LENGTH_M, WIDTH_M, HEIGHT_M = 4.3, 1.78, 1.5
"""Of every car."""
BRAKING_MPS2 = 2.5
"""Deceleration of a gentle stop."""
ACCELERATION_MPS2, HARD_BRAKING_MPS2 = 1.8, 6.0
"""Most that a car speeds up, and brakes for what it would hit."""
SIDE_M = 1.55
"""A person nearer than this to the middle of a car's way is on it."""

LEVEL_M = 1.5
"""Cars and people whose wheels and feet differ more in height do not meet: a deck is between."""

_BODY_M = 0.35  # least distance from the sides of a car to the axis of a person


@dataclass
class Driver:
    """One car and the intent of its driver."""

    colour: Colour
    cruise_mps: float
    lane: int
    along_m: float
    turn: LaneTurn
    """The turn at the end of the lane."""
    speed_mps: float
    intersection: int = -1
    """The one that the car has claimed; -1 for none."""
    turning: bool = False
    """Whether the car is on its turn, not on its lane."""
    desired_mps: float = 0.0
    refusals: int = 0
    """Claims refused because a person is on the way."""

    @property
    def segment(self) -> Segment:
        """The lane or turn that the car is on."""
        return self.turn.segment if self.turning else LANES[self.lane].segment

    def pose(self, ahead_m: float = 0.0) -> tuple[float, float, float]:
        """North, east, heading of the middle of the car, now or `ahead_m` further on."""
        segment, along_m = self.segment, self.along_m + ahead_m
        if along_m > segment.length_m and self.intersection >= 0:
            along_m -= segment.length_m
            if self.turning:
                return LANES[self.turn.to_lane].segment.pose(along_m)
            turn = self.turn.segment
            if along_m <= turn.length_m:
                return turn.pose(along_m)
            return LANES[self.turn.to_lane].segment.pose(along_m - turn.length_m)
        return segment.pose(along_m)


def approach_mps(left_m: float) -> float:
    """The speed from which a car stops gently within a distance."""
    return math.sqrt(2.0 * BRAKING_MPS2 * left_m) if left_m > 0.0 else 0.0


def next_speed_mps(speed_mps: float, desired_mps: float, dt_s: float) -> float:
    """The speed after `dt_s` of a driver who wants another one."""
    change = desired_mps - speed_mps
    change = min(max(change, -HARD_BRAKING_MPS2 * dt_s), ACCELERATION_MPS2 * dt_s)
    return max(0.0, speed_mps + change)


def is_step_in_front(
    here: Vec2,
    there: Vec2,
    *,
    car_m: Vec2,
    speed_mps: float,
    place_ahead: Callable[[float], Sequence[float]],
    side_m: float,
) -> bool:
    """Whether a person's step from here to there leads in front of a car that could hardly stop.

    Args:
        here: Before the step.
        there: After it.
        car_m: Middle of the car.
        speed_mps: Of the car.
        place_ahead: Gives north and east of the car's way so many metres ahead.
        side_m: A person nearer than this to the middle of the way is on it.
    """
    reach_m = 0.5 * LENGTH_M + 1.0 + 0.17 * speed_mps**2
    if speed_mps < 0.3 or math.dist(car_m, there) > reach_m + 3.0:
        return False
    ahead_m = 0.5 * LENGTH_M
    while ahead_m < reach_m + 1.0:
        at = place_ahead(min(ahead_m, reach_m))[:2]
        if math.dist(at, there) < side_m < math.dist(at, here):
            return True
        ahead_m += 1.0
    return False


def free_road_m(driver: Driver, reach_m: float, places_m: Sequence[Vec2]) -> float:
    """Distance from a car's bumper to the first place on its way; at most `reach_m`."""
    bumper_m = 0.5 * LENGTH_M
    middle = driver.pose()[:2]
    near = [p for p in places_m if math.dist(middle, p) < bumper_m + reach_m + SIDE_M]
    if not near:
        return reach_m
    ahead_m = 0.0
    while ahead_m <= reach_m:
        at = driver.pose(bumper_m + ahead_m)[:2]
        if any(math.dist(at, p) < SIDE_M for p in near):
            return ahead_m
        ahead_m += 0.5
    return reach_m


def hits(pose: tuple[float, float, float], places_m: Sequence[Vec2]) -> bool:
    """Whether a car at that pose would touch a person at one of the places."""
    north, east, heading = pose
    c, s = math.cos(heading), math.sin(heading)
    for n, e in places_m:
        ahead, aside = (n - north) * c + (e - east) * s, (e - east) * c - (n - north) * s
        if abs(ahead) < 0.5 * LENGTH_M + _BODY_M and abs(aside) < 0.5 * WIDTH_M + _BODY_M:
            return True
    return False
