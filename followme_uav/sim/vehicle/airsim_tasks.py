"""The manoeuvres of AirSim's multirotors, each a task for `TaskRunner`, as they behave there.

Of the vehicles with AirSim's rules; `manoeuvres` and `paths` have the others. Source: the public
sources of AirSim, AirLib, MultirotorApiBase. The answer of a path is no sign of success: it is true
only if the vehicle passes the end of the path while it moves on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from followme_uav.messages import Vec3
from followme_uav.sim.city.polyline import Path
from followme_uav.sim.vehicle.manoeuvres import LAND_SPEED_MPS, steadily
from followme_uav.sim.vehicle.paths import AUTO, TAKEOFF_SPEED_MPS, Lookahead, takeoff_goal
from followme_uav.sim.vehicle.setpoints import Position, Velocity
from followme_uav.sim.vehicle.tasks import (
    MOVING_MPS,
    PERIOD_NS,
    Heading,
    Manoeuvre,
    TaskRunner,
    until,
)

_ACCURACY_M = 0.5
"""Nearer goals count as reached, and slower or shorter courses as none; AirSim's value."""
_LANDED_CYCLES = 10
_STILL_RADPS = 0.01
_PERIOD_S = PERIOD_NS * 1e-9


def move_by_velocity(
    runner: TaskRunner, velocity_mps: Vec3, duration_s: float, heading: Heading
) -> Manoeuvre:
    """Fly with this world velocity."""
    north, east, down = velocity_mps
    set_point = _velocity(heading, north, east, down, _course(north, east))
    return steadily(runner, set_point, duration_s)


def move_by_velocity_z(
    runner: TaskRunner,
    velocity_mps: tuple[float, float],
    z_m: float,
    duration_s: float,
    heading: Heading,
) -> Manoeuvre:
    """Fly with this horizontal world velocity at this altitude."""
    if duration_s <= 0.0:
        return False
    level = _velocity(heading, *velocity_mps, 0.0, _course(*velocity_mps))
    set_point = replace(level, down_mps=None, z_m=z_m)
    return (yield from steadily(runner, set_point, duration_s))


def takeoff(runner: TaskRunner, timeout_s: float) -> Manoeuvre:
    """Climb 2 m, less the accuracy of a path."""
    goal = takeoff_goal(runner)
    return (yield from move_on_path(runner, (goal,), TAKEOFF_SPEED_MPS, timeout_s, Heading()))


def land(runner: TaskRunner, timeout_s: float) -> Manoeuvre:
    """Sink until the vehicle has not sunk for ten cycles, be it on the ground or in the air."""
    still = 0
    for _ in until(runner, timeout_s):
        still = still + 1 if runner.vehicle.velocity_mps[2] <= MOVING_MPS else 0
        if still > _LANDED_CYCLES:
            return True
        yield Velocity(0.0, 0.0, LAND_SPEED_MPS, yaw_rate_radps=0.0)
    return False


def go_home(runner: TaskRunner, timeout_s: float) -> Manoeuvre:
    """Fly straight to the start, through whatever is in between."""
    home = runner.vehicle.start_m
    return move_on_path(runner, (home,), TAKEOFF_SPEED_MPS, timeout_s, Heading())


def hover(runner: TaskRunner) -> Manoeuvre:
    """End at once; the autopilot holds the position once the last set point has expired."""
    del runner
    return False
    yield  # makes this function a generator


def rotate_to_yaw(
    runner: TaskRunner, yaw_rad: float, timeout_s: float, margin_rad: float
) -> Manoeuvre:
    """Turn on the spot, and end once the vehicle has stopped within the margin."""
    if timeout_s <= 0.0:
        return True
    place, vehicle = runner.vehicle.position_m, runner.vehicle
    goal = math.remainder(yaw_rad, 2.0 * math.pi)
    for _ in until(runner, timeout_s):
        if abs(vehicle.euler_rad()[2] - goal) > margin_rad:
            yield Position(*place, yaw_rad=goal)
        elif abs(vehicle.rates_radps[2]) > _STILL_RADPS:
            yield Position(*place, yaw_rate_radps=0.0)
        else:
            return True
    return False


def rotate_by_yaw_rate(runner: TaskRunner, rate_radps: float, duration_s: float) -> Manoeuvre:
    """Turn on the spot at this rate."""
    place = runner.vehicle.position_m
    return steadily(runner, Position(*place, yaw_rate_radps=rate_radps), duration_s)


def move_on_path(
    runner: TaskRunner,
    points_m: Sequence[Vec3],
    speed_mps: float,
    timeout_s: float,
    heading: Heading,
    lookahead: Lookahead = AUTO,
) -> Manoeuvre:
    """Fly towards a carrot on the path from the present position through all points.

    The progress on the path grows by the way flown towards the carrot. With an adaptive lookahead
    the carrot runs further ahead the farther the vehicle went off that line. The task ends when the
    carrot is at the end of the path and the vehicle comes no nearer to it.
    """
    if not points_m:
        return True
    path = Path((runner.vehicle.position_m, *points_m))
    ahead_m = lookahead.at_speed(speed_mps)
    done_m, carrot_m, nearer_m = 0.0, ahead_m, 0.0
    arrived = False
    for _ in until(runner, timeout_s):
        if carrot_m > path.length_m and nearer_m <= 0.0:
            return arrived
        carrot, begin = path.at(carrot_m), path.at(done_m)
        yield _towards(runner.vehicle.position_m, carrot, speed_mps, heading)
        off_m = 0.0
        arrived = math.dist(carrot, begin) == 0.0
        if arrived:
            nearer_m = 0.0
        else:
            nearer_m, off_m = _along(begin, carrot, runner.vehicle.position_m)
        if nearer_m >= 0.0:
            done_m = min(done_m + nearer_m, path.length_m)
        carrot_m = done_m + ahead_m + lookahead.adaptive * off_m
    return False


def _along(begin: Vec3, end: Vec3, position: Vec3) -> tuple[float, float]:
    """Way of a position along the line from `begin` to `end`, and its distance from the line."""
    (bn, be, bd), (en, ee, ed), (pn, pe, pd) = begin, end, position
    length_m = math.dist(begin, end)
    n, e, d = (en - bn) / length_m, (ee - be) / length_m, (ed - bd) / length_m
    way_m = (pn - bn) * n + (pe - be) * e + (pd - bd) * d
    foot = (bn + way_m * n, be + way_m * e, bd + way_m * d)
    return way_m, math.dist(position, foot)


def _towards(position: Vec3, carrot: Vec3, speed_mps: float, heading: Heading) -> Velocity:
    """Set point towards the carrot: at full speed, unless that would fly past it in one period.

    The vertical speed is 0 for a carrot at about the same altitude.
    """
    (pn, pe, pd), (cn, ce, cd) = position, carrot
    n, e, d = cn - pn, ce - pe, cd - pd
    distance_m = math.hypot(n, e, d)
    rate = 0.0
    if distance_m >= _ACCURACY_M:
        rate = min(speed_mps / distance_m, 1.0 / _PERIOD_S)
    down = 0.0 if abs(d) <= _ACCURACY_M else rate * d
    course = (n, e) if distance_m > _ACCURACY_M else None
    return _velocity(heading, rate * n, rate * e, down, course)


def _velocity(
    heading: Heading, north: float, east: float, down: float, course: tuple[float, float] | None
) -> Velocity:
    """Set point of a velocity. `course` is the direction of ForwardOnly; None: keep the heading."""
    rate, angle = heading.rate_radps, None
    if rate is None:
        angle = heading.angle_rad
        if heading.forward_only:
            rate, angle = (
                (0.0, None) if course is None else (None, angle + math.atan2(course[1], course[0]))
            )
    return Velocity(north, east, down, None, rate, angle)


def _course(north: float, east: float) -> tuple[float, float] | None:
    """Direction of a velocity; None for a slow one."""
    return (north, east) if math.hypot(north, east) > _ACCURACY_M else None
