"""The manoeuvres of the motion methods, each a task for `TaskRunner`; see also `paths`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from followme_uav.messages import Vec3
from followme_uav.sim.vehicle.control_loops import MAX_SPEED_MPS
from followme_uav.sim.vehicle.setpoints import SetPoint, Velocity
from followme_uav.sim.vehicle.tasks import MOVING_MPS, Heading, Manoeuvre, TaskRunner, until

LAND_SPEED_MPS = 0.2
MANUAL_CLIMB_MPS = 2.0
"""Vertical speed of moveByManual at full throttle stick."""
MANUAL_TURN_RAD = math.radians(100.0)
"""Full yaw stick of moveByManual, added to the yaw mode: an angle, or an angle per second."""

_LANDED_CYCLES = 10
_STAY_GAIN = 1.0  # 1/s


def steadily(runner: TaskRunner, set_point: SetPoint, duration_s: float) -> Manoeuvre:
    """Fly one set point for a duration."""
    for _ in until(runner, duration_s):
        yield set_point
    return True


def move_by_velocity(
    runner: TaskRunner, velocity_mps: Vec3, duration_s: float, heading: Heading
) -> Manoeuvre:
    """Fly with this world velocity."""
    return steadily(runner, heading.set_point(*velocity_mps), duration_s)


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
    return (yield from steadily(runner, heading.set_point(*velocity_mps, None, z_m), duration_s))


def from_body(runner: TaskRunner, forward_mps: float, right_mps: float) -> tuple[float, float]:
    """North and east of a body velocity at the present yaw; roll and pitch are ignored."""
    yaw = runner.vehicle.euler_rad()[2]
    cos, sin = math.cos(yaw), math.sin(yaw)
    return cos * forward_mps - sin * right_mps, sin * forward_mps + cos * right_mps


def land(runner: TaskRunner, timeout_s: float) -> Manoeuvre:
    """Sink until the vehicle rests on something."""
    still = 0
    for _ in until(runner, timeout_s):
        standing = runner.vehicle.in_contact and abs(runner.vehicle.velocity_mps[2]) <= MOVING_MPS
        still = still + 1 if standing else 0
        if still > _LANDED_CYCLES:
            runner.autopilot.landed = True
            return True
        yield Velocity(0.0, 0.0, LAND_SPEED_MPS, yaw_rate_radps=0.0)
    return False


def hover(runner: TaskRunner) -> Manoeuvre:
    """Brake and hold position; the task ends at once, braking goes on."""
    if runner.api_control:
        runner.autopilot.hold()
    return True
    yield  # makes this function a generator


def rotate_to_yaw(
    runner: TaskRunner, yaw_rad: float, timeout_s: float, margin_rad: float
) -> Manoeuvre:
    """Turn to a heading on the spot."""
    stay = _stay(runner)
    heading = Heading(None, yaw_rad)
    for _ in until(runner, timeout_s):
        error = math.remainder(runner.vehicle.euler_rad()[2] - yaw_rad, 2.0 * math.pi)
        if abs(error) <= margin_rad:
            return True
        yield stay(heading)
    return False


def rotate_by_yaw_rate(runner: TaskRunner, rate_radps: float, duration_s: float) -> Manoeuvre:
    """Turn on the spot at this rate."""
    stay = _stay(runner)
    heading = Heading(rate_radps)
    for _ in until(runner, duration_s):
        yield stay(heading)
    return True


def move_by_manual(
    runner: TaskRunner,
    max_forward_mps: float,
    max_right_mps: float,
    min_z_m: float,
    duration_s: float,
    heading: Heading,
) -> Manoeuvre:
    """Fly by the remote control's sticks, not higher than `min_z_m`.

    Forward is the vehicle's heading at the start of the manoeuvre; the yaw stick does not turn it.
    """
    north, east = from_body(runner, 1.0, 0.0)
    max_forward_mps = min(max_forward_mps, MAX_SPEED_MPS)
    max_right_mps = min(max_right_mps, MAX_SPEED_MPS)
    for _ in until(runner, duration_s):
        sticks = runner.sticks()
        if sticks is None:
            yield None
            continue
        forward, right = sticks.pitch * max_forward_mps, sticks.roll * max_right_mps
        room_m = min(0.0, min_z_m - runner.vehicle.position_m[2])
        down = max(-sticks.throttle * MANUAL_CLIMB_MPS, _STAY_GAIN * room_m)
        turn = sticks.yaw * MANUAL_TURN_RAD
        rate = heading.rate_radps
        turned = replace(
            heading,
            rate_radps=None if rate is None else rate + turn,
            angle_rad=heading.angle_rad + turn,
        )
        yield turned.set_point(north * forward - east * right, east * forward + north * right, down)
    return True


def _stay(runner: TaskRunner) -> Callable[[Heading], Velocity]:
    """A function that gives set points which hold the present position."""
    north, east, down = runner.vehicle.position_m

    def set_point(heading: Heading) -> Velocity:
        n, e, _ = runner.vehicle.position_m
        return heading.set_point(_STAY_GAIN * (north - n), _STAY_GAIN * (east - e), None, down)

    return set_point
