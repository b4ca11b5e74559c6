"""The motion of the vehicle's body at one instant, and its latest collision."""

from __future__ import annotations

from dataclasses import dataclass

from followme_uav.messages import Quaternion, Vec3


@dataclass(frozen=True)
class Kinematics:
    """The motion of the body at one instant; frames as in AirSim's KinematicsState."""

    position_m: Vec3
    """World NED."""
    orientation: Quaternion
    """Body FRD to world NED, (w, x, y, z)."""
    velocity_mps: Vec3
    """World NED."""
    angular_velocity_radps: Vec3
    """Body FRD."""
    acceleration_mps2: Vec3
    """World NED."""
    angular_acceleration_radps2: Vec3
    """Body FRD."""


@dataclass(frozen=True)
class Collision:
    """A contact that is no landing."""

    time_ns: int
    object_name: str
    object_id: int
    penetration_m: float
    normal: Vec3
    """World NED, pointing from the object towards the vehicle."""
    impact_point_m: Vec3
    """World NED."""
    position_m: Vec3
    """Centre of the vehicle, world NED."""
