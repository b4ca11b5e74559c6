"""External cameras: fixed in the world, independent of the vehicle."""

from __future__ import annotations

from followme_uav.messages import CameraPose, Quaternion, Vec3
from followme_uav.sim.vehicle.gimbal import DEFAULT_FOV_RAD


class FixedCamera:
    """One camera fixed in the world.

    Attributes:
        position_m: world NED.
        fov_rad: horizontal field of view; survives `reset`.

    Args:
        position_m: initial position, world NED.
        orientation: initial orientation, camera to world.
    """

    def __init__(self, position_m: Vec3, orientation: Quaternion) -> None:
        self._initial = position_m, orientation
        self.fov_rad = DEFAULT_FOV_RAD
        self.reset()

    def reset(self) -> None:
        """Return to the initial pose."""
        self.position_m, self._orientation = self._initial

    def point_in_body(self, orientation: Quaternion) -> None:
        """Set the orientation in the world: there is no body."""
        self._orientation = orientation

    def point_in_world(self, orientation: Quaternion) -> None:
        """Set the orientation in the world."""
        self._orientation = orientation

    def camera(self) -> CameraPose:
        """Pose and field of view now."""
        return CameraPose(self.position_m, self._orientation, self.fov_rad)
