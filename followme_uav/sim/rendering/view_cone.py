"""The cone around the optical axis that holds all that an image can show."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from followme_uav.geometry import rotate
from followme_uav.messages import CameraPose
from followme_uav.sim.city.arrays import Floats


class ViewCone:
    """The cone through the corners of an image.

    Args:
        camera: Pose and horizontal field of view.
        width_px: Image width.
        height_px: Image height.
    """

    def __init__(self, camera: CameraPose, width_px: int, height_px: int) -> None:
        half_width = math.tan(0.5 * camera.fov_rad)
        half_angle_rad = math.atan(half_width * math.hypot(1.0, height_px / width_px))
        self._eye_m = np.array(camera.position_m)
        self._axis = np.array(rotate(camera.orientation, (1.0, 0.0, 0.0)))
        self._cosine, self._sine = math.cos(half_angle_rad), math.sin(half_angle_rad)
        self.px_per_rad = 0.5 * width_px / half_width
        """Angular resolution at the centre of the image."""

    def distances_m(self, points_m: Floats) -> Floats:
        """(n,) distances of (n, 3) points from the camera, world NED."""
        away_m = points_m - self._eye_m
        distances: Floats = np.sqrt((away_m * away_m).sum(axis=1))
        return distances

    def may_show(self, centres_m: Floats, radius_m: float) -> NDArray[np.bool_]:
        """(n,) whether spheres around (n, 3) centres reach into the cone; never for NaN."""
        away_m = centres_m - self._eye_m
        along_m = away_m @ self._axis
        across_m = np.sqrt(np.maximum((away_m * away_m).sum(axis=1) - along_m * along_m, 0.0))
        reached: NDArray[np.bool_] = across_m * self._cosine - along_m * self._sine <= radius_m
        return reached
