"""External cameras: they stand in the world, whatever the vehicle does."""

from __future__ import annotations

from followme_uav.messages import CameraPose, Quaternion, Vec3
from followme_uav.sim.vehicle.gimbal import DEFAULT_FOV_RAD


class FixedCamera:
    """One camera in the world.

    Attributes:
        position_m: world NED.
        fov_rad: horizontal field of view; survives `reset`.

    Args:
        position_m: at first.
        orientation: at first; camera to world.
    """

    def __init__(self, position_m: Vec3, orientation: Quaternion) -> None:
        self._first = position_m, orientation
        self.fov_rad = DEFAULT_FOV_RAD
        self.reset()

    def reset(self) -> None:
        """Back to its first place and direction."""
        self.position_m, self._orientation = self._first

    def point_in_body(self, orientation: Quaternion) -> None:
        """Look in this direction of the world: there is no body."""
        self._orientation = orientation

    def point_in_world(self, orientation: Quaternion) -> None:
        """Look in this direction of the world."""
        self._orientation = orientation

    def camera(self) -> CameraPose:
        """Where the camera is now and how it looks."""
        return CameraPose(self.position_m, self._orientation, self.fov_rad)
