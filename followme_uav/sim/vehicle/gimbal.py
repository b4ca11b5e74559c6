"""The pan-tilt camera mount: follows commanded directions at a limited rate.

Body mode: pan and tilt are angles against the body, so the view leans with the vehicle. World mode
(AirSim on Unity): the camera keeps the direction it was given in the world, level, until it is
given another; its position always follows the vehicle. Roll and position of a commanded pose
are ignored: a mount with two axes can obey neither.
"""

from __future__ import annotations

import math

from followme_uav.geometry import euler_of, multiply, quaternion_from_pan_tilt, rotate, wrap_angle
from followme_uav.messages import CameraPose, Quaternion, Vec3
from followme_uav.sim.vehicle.vehicle import Vehicle

MOUNT_M = (0.20, 0.0, 0.02)
"""Camera in the body's frame: forward, right, down."""
PAN_RATE_RADPS = math.radians(180.0)
TILT_RATE_RADPS = math.radians(120.0)
PAN_LIMIT_RAD = math.radians(170.0)
"""To both sides of the vehicle's nose, in both modes."""
TILT_LIMITS_RAD = (math.radians(-90.0), math.radians(30.0))
DEFAULT_FOV_RAD = math.radians(60.0)


class Gimbal:
    """The camera of one vehicle.

    Attributes:
        pan_rad: positive right; against the body, or against north in world mode.
        tilt_rad: positive up; against the body, or against the horizon in world mode.
        fov_rad: horizontal field of view; survives `reset`.
    """

    def __init__(self, vehicle: Vehicle) -> None:
        self._vehicle = vehicle
        self.fov_rad = DEFAULT_FOV_RAD
        self.reset()

    def reset(self) -> None:
        """Look straight ahead, in body mode."""
        self.pan_rad = self.tilt_rad = 0.0
        self._wanted = (0.0, 0.0)
        self._world = False

    def point_in_body(self, orientation: Quaternion) -> None:
        """Turn to this direction of the body's frame and stay fixed to the body."""
        if self._world:
            _, self.tilt_rad, pan = euler_of(self.camera().orientation)
            self.pan_rad = wrap_angle(pan - self._vehicle.euler_rad()[2])
            self._world = False
        _, tilt, pan = euler_of(orientation)
        self._wanted = (_between(pan, -PAN_LIMIT_RAD, PAN_LIMIT_RAD), _tilt(tilt))

    def point_in_world(self, orientation: Quaternion) -> None:
        """Turn to this direction of the world and keep it."""
        if not self._world:
            _, self.tilt_rad, self.pan_rad = euler_of(self.camera().orientation)
            self._world = True
        _, tilt, pan = euler_of(orientation)
        self._wanted = (pan, _tilt(tilt))

    def step(self, dt_s: float) -> None:
        """Slew towards the commanded direction."""
        pan, tilt = self._wanted
        pan_step, tilt_step = PAN_RATE_RADPS * dt_s, TILT_RATE_RADPS * dt_s
        if self._world:
            yaw = self._vehicle.euler_rad()[2]
            allowed = _between(wrap_angle(pan - yaw), -PAN_LIMIT_RAD, PAN_LIMIT_RAD)
            # Measured from the nose, so that the camera never turns through the blocked sector.
            now = _between(wrap_angle(self.pan_rad - yaw), -PAN_LIMIT_RAD, PAN_LIMIT_RAD)
            self.pan_rad = wrap_angle(yaw + now + _between(allowed - now, -pan_step, pan_step))
        else:
            self.pan_rad += _between(pan - self.pan_rad, -pan_step, pan_step)
        self.tilt_rad += _between(tilt - self.tilt_rad, -tilt_step, tilt_step)

    def camera(self) -> CameraPose:
        """Where the camera is now and how it looks."""
        orientation = quaternion_from_pan_tilt(self.pan_rad, self.tilt_rad)
        return carried(self._vehicle, MOUNT_M, orientation, self.fov_rad, in_world=self._world)


def carried(
    vehicle: Vehicle, mount_m: Vec3, orientation: Quaternion, fov_rad: float, *, in_world: bool
) -> CameraPose:
    """Where a camera on a vehicle is now and how it looks.

    Args:
        vehicle: that carries it.
        mount_m: its place in the body's frame.
        orientation: of the camera to the body, or to the world.
        fov_rad: horizontal field of view.
        in_world: which of the two the orientation is.
    """
    offset = rotate(vehicle.orientation, mount_m)
    n, e, d = (p + o for p, o in zip(vehicle.position_m, offset, strict=True))
    if not in_world:
        orientation = multiply(vehicle.orientation, orientation)
    return CameraPose((n, e, d), orientation, fov_rad)


def _tilt(angle_rad: float) -> float:
    return _between(angle_rad, *TILT_LIMITS_RAD)


def _between(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
