"""Cameras fixed to the vehicle's body, besides the camera on the pan-tilt mount (see `gimbal`).

They are those of AirSim's multirotor, in its order: camera 1 faces forward from the right, 2
forward from the left, 3 down, 4 back. simSetCameraPose moves and turns each of them at once.
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
"""Position in the body's frame (forward, right, down), pan and tilt of cameras 1 to 4."""


class BodyCamera:
    """One camera fixed to a vehicle.

    Attributes:
        position_m: in the body's frame, forward, right, down.
        fov_rad: horizontal field of view; survives `reset`.

    Args:
        vehicle: the vehicle that carries the camera.
        position_m: initial position in the body's frame.
        orientation: initial orientation, camera to body.
    """

    def __init__(self, vehicle: Vehicle, position_m: Vec3, orientation: Quaternion) -> None:
        self._vehicle = vehicle
        self._initial = position_m, orientation
        self.fov_rad = DEFAULT_FOV_RAD
        self.reset()

    def reset(self) -> None:
        """Return to the initial pose."""
        self.position_m, self._orientation = self._initial
        self._world = False

    def point_in_body(self, orientation: Quaternion) -> None:
        """Set the orientation in the body's frame; the camera turns with the body."""
        self._orientation, self._world = orientation, False

    def point_in_world(self, orientation: Quaternion) -> None:
        """Set the orientation in the world; the camera keeps it while the body turns."""
        self._orientation, self._world = orientation, True

    def camera(self) -> CameraPose:
        """Pose and field of view now."""
        return carried(
            self._vehicle, self.position_m, self._orientation, self.fov_rad, in_world=self._world
        )


def body_cameras(vehicle: Vehicle) -> tuple[BodyCamera, ...]:
    """Cameras 1 to 4 of a vehicle."""
    return tuple(
        BodyCamera(vehicle, position_m, quaternion_from_pan_tilt(pan_rad, tilt_rad))
        for position_m, pan_rad, tilt_rad in _MOUNTS
    )
