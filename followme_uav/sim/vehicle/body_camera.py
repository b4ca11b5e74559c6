"""Cameras fixed to the vehicle's body, besides the one on the pan-tilt mount (see `gimbal`).

They are those of AirSim's multirotor, in its order: number 1 looks ahead from the right, 2 ahead
from the left, 3 down, 4 back. Each can be moved and turned by simSetCameraPose, at once.
"""

from __future__ import annotations

import math

from followme_uav.geometry import quaternion_from_pan_tilt
from followme_uav.messages import CameraPose, Quaternion, Vec3
from followme_uav.sim.vehicle.gimbal import DEFAULT_FOV_RAD, carried
from followme_uav.sim.vehicle.vehicle import Vehicle

_MOUNTS: tuple[tuple[Vec3, float, float], ...] = (
    ((0.20, 0.10, 0.02), 0.0, 0.0),
    ((0.20, -0.10, 0.02), 0.0, 0.0),
    ((0.00, 0.00, 0.06), 0.0, math.radians(-90.0)),
    ((-0.20, 0.00, 0.02), math.radians(180.0), 0.0),
)
"""Place in the body's frame (forward, right, down), pan and tilt of cameras 1 to 4."""


class BodyCamera:
    """One camera of a vehicle.

    Attributes:
        position_m: in the body's frame, forward, right, down.
        fov_rad: horizontal field of view; survives `reset`.

    Args:
        vehicle: that carries it.
        position_m: at first.
        orientation: at first; camera to body.
    """

    def __init__(self, vehicle: Vehicle, position_m: Vec3, orientation: Quaternion) -> None:
        self._vehicle = vehicle
        self._first = position_m, orientation
        self.fov_rad = DEFAULT_FOV_RAD
        self.reset()

    def reset(self) -> None:
        """Back to its first place and direction."""
        self.position_m, self._orientation = self._first
        self._world = False

    def point_in_body(self, orientation: Quaternion) -> None:
        """Look in this direction of the body's frame, whichever way the body turns."""
        self._orientation, self._world = orientation, False

    def point_in_world(self, orientation: Quaternion) -> None:
        """Look in this direction of the world."""
        self._orientation, self._world = orientation, True

    def camera(self) -> CameraPose:
        """Where the camera is now and how it looks."""
        return carried(
            self._vehicle, self.position_m, self._orientation, self.fov_rad, in_world=self._world
        )


def body_cameras(vehicle: Vehicle) -> tuple[BodyCamera, ...]:
    """Cameras 1 to 4 of a vehicle."""
    return tuple(
        BodyCamera(vehicle, position_m, quaternion_from_pan_tilt(pan_rad, tilt_rad))
        for position_m, pan_rad, tilt_rad in _MOUNTS
    )
