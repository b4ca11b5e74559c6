"""The pan-tilt camera mount: follows commanded directions at a limited rate.

Body mode: pan and tilt are relative to the body, so the image leans with the vehicle. World mode
(AirSim on Unity): the camera keeps a commanded direction in the world, level, until the next
command; its position follows the vehicle in both modes. The roll of a commanded pose is ignored: a
mount with two axes has no such degree of freedom.
"""

from __future__ import annotations

import math

from followme_uav.geometry import euler_of, multiply, quaternion_from_pan_tilt, rotate, wrap_angle
from followme_uav.messages import CameraPose, Quaternion, Vec3
from followme_uav.sim.vehicle.vehicle import Vehicle

MOUNT_M = (0.20, 0.0, 0.02)
"""Position of the camera in the body's frame at the start: forward, right, down."""
PAN_RATE_RADPS = math.radians(180.0)
TILT_RATE_RADPS = math.radians(120.0)
PAN_LIMIT_RAD = math.radians(170.0)
"""To both sides of the vehicle's nose, in both modes."""
TILT_LIMITS_RAD = (math.radians(-90.0), math.radians(30.0))
DEFAULT_FOV_RAD = math.radians(60.0)


class Gimbal:
    """The pan-tilt camera of one vehicle.

    Attributes:
        pan_rad: positive right; relative to the body, or to north in world mode.
        tilt_rad: positive up; relative to the body, or to the horizon in world mode.
        fov_rad: horizontal field of view; survives `reset`.
        position_m: in the body's frame.
    """

    def __init__(self, vehicle: Vehicle) -> None:
        self._vehicle = vehicle
        self.fov_rad = DEFAULT_FOV_RAD
        self.reset()

    def reset(self) -> None:
        """Point straight ahead, in body mode."""
        self.position_m = MOUNT_M
        self.pan_rad = self.tilt_rad = 0.0
        self._wanted = (0.0, 0.0)
        self._world = False

    def point_in_body(self, orientation: Quaternion) -> None:
        """Turn to a direction in the body's frame, in body mode."""
        if self._world:
            _, self.tilt_rad, pan = euler_of(self.camera().orientation)
            self.pan_rad = wrap_angle(pan - self._vehicle.euler_rad()[2])
            self._world = False
        _, tilt, pan = euler_of(orientation)
        self._wanted = (_between(pan, -PAN_LIMIT_RAD, PAN_LIMIT_RAD), _tilt(tilt))

    def point_in_world(self, orientation: Quaternion) -> None:
        """Turn to a direction in the world, in world mode."""
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
            # Relative to the nose, so that the camera never turns through the blocked sector.
            now = _between(wrap_angle(self.pan_rad - yaw), -PAN_LIMIT_RAD, PAN_LIMIT_RAD)
            self.pan_rad = wrap_angle(yaw + now + _between(allowed - now, -pan_step, pan_step))
        else:
            self.pan_rad += _between(pan - self.pan_rad, -pan_step, pan_step)
        self.tilt_rad += _between(tilt - self.tilt_rad, -tilt_step, tilt_step)

    def camera(self) -> CameraPose:
        """Pose and field of view now."""
        orientation = quaternion_from_pan_tilt(self.pan_rad, self.tilt_rad)
        return carried(
            self._vehicle, self.position_m, orientation, self.fov_rad, in_world=self._world
        )


def carried(
    vehicle: Vehicle, mount_m: Vec3, orientation: Quaternion, fov_rad: float, *, in_world: bool
) -> CameraPose:
    """Pose of a camera on a vehicle now.

    Args:
        vehicle: the vehicle that carries the camera.
        mount_m: position in the body's frame.
        orientation: camera to body, or camera to world.
        fov_rad: horizontal field of view.
        in_world: `orientation` is camera to world.
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
