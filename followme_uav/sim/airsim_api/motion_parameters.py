"""Checked reading of the parameters that motion methods share.

Errors name the parameter, see `structs`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from followme_uav.messages import Vec3
from followme_uav.rpc.server import HandlerError
from followme_uav.sim.airsim_api.structs import read_bool, read_int, read_number, read_struct
from followme_uav.sim.vehicle import paths
from followme_uav.sim.vehicle.earth import MAX_POSITION_M
from followme_uav.sim.vehicle.paths import Lookahead
from followme_uav.sim.vehicle.tasks import Heading

MAX_SPEED_MPS = 100.0
MAX_YAW_DEG = 36_000.0
MAX_DURATION_S = 3.5e38
"""AirSim's clients send the largest float32 for "no time limit"."""

FORWARD_ONLY = 1


@dataclass(frozen=True)
class PathFlight:
    """Parameters of a flight along a path."""

    speed_mps: float
    timeout_s: float
    heading: Heading
    lookahead: Lookahead


def read_heading(drivetrain: Any, yaw_mode: Any) -> Heading:
    """DrivetrainType and YawMode."""
    forward_only = read_int(drivetrain, "drivetrain", 0, 1) == FORWARD_ONLY
    fields = read_struct(yaw_mode, "yaw_mode")
    angle = read_yaw(fields.get("yaw_or_rate", 0.0), "yaw_mode.yaw_or_rate")
    if read_bool(fields.get("is_rate", True), "yaw_mode.is_rate"):
        return Heading(rate_radps=angle)
    return Heading(None, angle, forward_only)


def read_yaw(value: Any, name: str) -> float:
    """An angle, or an angle per second, in degrees; returned in radians."""
    return math.radians(read_number(value, name, -MAX_YAW_DEG, MAX_YAW_DEG))


def read_z(value: Any) -> float:
    """A vertical coordinate, world NED."""
    return read_number(value, "z", -MAX_POSITION_M, MAX_POSITION_M)


def read_duration(value: Any, name: str = "duration") -> float:
    """Seconds, up to the largest float32."""
    return read_number(value, name, 0.0, MAX_DURATION_S)


def read_speed(value: Any, name: str) -> float:
    """One component of a velocity."""
    return read_number(value, name, -MAX_SPEED_MPS, MAX_SPEED_MPS)


def read_velocity(vx: Any, vy: Any, vz: Any) -> Vec3:
    """A velocity."""
    return read_speed(vx, "vx"), read_speed(vy, "vy"), read_speed(vz, "vz")


def read_path_flight(
    velocity: Any,
    timeout_sec: Any,
    drivetrain: Any,
    yaw_mode: Any,
    lookahead: Any,
    adaptive_lookahead: Any,
) -> PathFlight:
    """Speed, time limit, heading and lookahead of a flight along a path."""
    timeout_s = read_duration(timeout_sec, "timeout_sec")
    speed_mps, ahead = _read_lookahead(velocity, lookahead, adaptive_lookahead)
    heading = read_heading(drivetrain, yaw_mode)
    if drivetrain == FORWARD_ONLY and heading.rate_radps is not None:
        raise HandlerError("drivetrain ForwardOnly needs yaw_mode.is_rate = false")
    return PathFlight(speed_mps, timeout_s, heading, ahead)


def _read_lookahead(
    velocity: Any, lookahead: Any, adaptive_lookahead: Any
) -> tuple[float, Lookahead]:
    """Speed in m/s, and the lookahead; a negative distance leaves the choice to the simulator."""
    speed_mps = read_number(velocity, "velocity", 0.0, MAX_SPEED_MPS)
    distance_m = read_number(lookahead, "lookahead", -1e6, 1e6)
    adaptive = read_number(adaptive_lookahead, "adaptive_lookahead", 0.0, 100.0)
    if distance_m < 0.0:
        return speed_mps, Lookahead(None, adaptive)
    least_m = paths.least_lookahead_m(speed_mps)
    if distance_m < least_m:
        raise HandlerError(
            f"lookahead is {distance_m:g} m, must be at least {least_m:g} m at {speed_mps:g} m/s, "
            "or negative to be chosen for you"
        )
    return speed_mps, Lookahead(distance_m, adaptive)
