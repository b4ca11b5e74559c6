"""Path following: the vehicle flies towards a carrot, a point that runs ahead of it on the path.

The parameters are those of AirSim's path follower. A larger lookahead flies smoother and cuts
corners by up to that distance; an adaptive lookahead grows with the distance from the path.
Take-off, flight to a position and going home are paths too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from followme_uav.messages import Vec3
from followme_uav.sim.city.polyline import Path
from followme_uav.sim.vehicle.tasks import (
    MOVING_MPS,
    PERIOD_NS,
    Heading,
    Manoeuvre,
    TaskError,
    TaskRunner,
    until,
)

TAKEOFF_CLIMB_M = 2.0
TAKEOFF_SPEED_MPS = 0.5
HOME_SPEED_MPS = 2.0
"""Level speed of goHome; it climbs and sinks at the speed of a take-off."""

_TAKEOFF_ARRIVAL_M = 0.5
_ARRIVAL_M = 0.2
_APPROACH_GAIN = 1.0  # 1/s; speed over remaining distance
_AUTO_LOOKAHEAD_S = 0.8
_AUTO_LOOKAHEAD_ADAPTIVE_S = 0.6
_MIN_LOOKAHEAD_M = 0.75
_ACCURACY_M = 0.5  # AirSim's


@dataclass(frozen=True)
class Lookahead:
    """Distance of the carrot ahead of the vehicle.

    Attributes:
        distance_m: along the path; None: derived from the speed.
        adaptive: metres added for each metre off the path; usually 0 or 1.
    """

    distance_m: float | None = None
    adaptive: float = 1.0

    def at_speed(self, speed_mps: float) -> float:
        """The distance in metres."""
        if self.distance_m is not None:
            return self.distance_m
        time_s = _AUTO_LOOKAHEAD_ADAPTIVE_S if self.adaptive > 0.0 else _AUTO_LOOKAHEAD_S
        return max(time_s * speed_mps, _MIN_LOOKAHEAD_M)


AUTO = Lookahead()


def least_lookahead_m(speed_mps: float) -> float:
    """The shortest lookahead that AirSim accepts.

    It is the distance flown between two set points, at least AirSim's accuracy.
    """
    return max(speed_mps * PERIOD_NS * 1e-9, _ACCURACY_M)


def move_on_path(
    runner: TaskRunner,
    points_m: Sequence[Vec3],
    speed_mps: float,
    timeout_s: float,
    heading: Heading,
    lookahead: Lookahead = AUTO,
    arrival_m: float = _ARRIVAL_M,
) -> Manoeuvre:
    """Fly from the present position through all points, slowing down near the last one."""
    if not points_m:
        return True
    path = Path((runner.vehicle.position_m, *points_m))
    ahead_m = lookahead.at_speed(speed_mps)
    goal, off_m = points_m[-1], 0.0
    for _ in until(runner, timeout_s):
        position = runner.vehicle.position_m
        off_m = path.progress(position, ahead_m + lookahead.adaptive * off_m)
        carrot_m = path.done_m + ahead_m + lookahead.adaptive * off_m
        remaining_m = path.length_m - path.done_m
        if carrot_m >= path.length_m:
            remaining_m = math.dist(position, goal)
            if remaining_m < arrival_m:
                return True
        aim = path.at(carrot_m)
        offset = tuple(a - p for a, p in zip(aim, position, strict=True))
        scale = min(speed_mps, _APPROACH_GAIN * remaining_m) / max(math.hypot(*offset), 1e-9)
        yield heading.set_point(*(scale * o for o in offset))
    return False


def move_to_position(
    runner: TaskRunner,
    goal_m: Vec3,
    speed_mps: float,
    timeout_s: float,
    heading: Heading,
    lookahead: Lookahead = AUTO,
) -> Manoeuvre:
    """Fly straight to a position."""
    return move_on_path(runner, (goal_m,), speed_mps, timeout_s, heading, lookahead)


def takeoff(runner: TaskRunner, timeout_s: float) -> Manoeuvre:
    """Climb 2 m, less the arrival radius of half a metre."""
    return (
        yield from move_on_path(
            runner,
            (takeoff_goal(runner),),
            TAKEOFF_SPEED_MPS,
            timeout_s,
            Heading(),
            arrival_m=_TAKEOFF_ARRIVAL_M,
        )
    )


def takeoff_goal(runner: TaskRunner) -> Vec3:
    """Return the place above the vehicle to which it takes off; raises `TaskError` if it moves."""
    if math.hypot(*runner.vehicle.velocity_mps) > MOVING_MPS:
        raise TaskError("Cannot perform takeoff because vehicle is already moving")
    north, east, down = runner.vehicle.position_m
    return north, east, down - TAKEOFF_CLIMB_M


def go_home(runner: TaskRunner, timeout_s: float) -> Manoeuvre:
    """Fly above the start, no lower than a take-off climbs, then sink to it."""
    end_ns = runner.time_ns + round(timeout_s * 1e9)
    home = runner.vehicle.start_m
    north, east, down = runner.vehicle.position_m
    level = min(down, home[2] - TAKEOFF_CLIMB_M)
    if math.dist(runner.vehicle.position_m, home) < _ARRIVAL_M:
        return True
    for goal, speed_mps in (
        ((north, east, level), TAKEOFF_SPEED_MPS),
        ((home[0], home[1], level), HOME_SPEED_MPS),
        (home, TAKEOFF_SPEED_MPS),
    ):
        left_s = (end_ns - runner.time_ns) * 1e-9
        if not (yield from move_to_position(runner, goal, speed_mps, left_s, Heading())):
            return False
    return True
