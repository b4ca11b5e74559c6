"""Places at which people were seen on the ground, so that the vehicle lands on nobody."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from transforms3d.quaternions import quat2mat

from followme_uav.geometry import aspect_of
from followme_uav.messages import CameraPose, Mask, MaskClass
from followme_uav.pilot.mapping.window import GridWindow

_STRIDE_PX = 2
"""Every second pixel of every second row shows everybody near enough to matter."""
_HALF = 128
"""Class probability of a half, as a mask holds it."""


class PeopleMap:
    """When people, the hero among them, were seen last in each cell of ground.

    Args:
        window: The cells.
        view_m: Nobody farther away is entered.
    """

    def __init__(self, window: GridWindow, view_m: float) -> None:
        self.window = window
        self._view_m = view_m
        self.seen_s = np.full((window.size, window.size), -np.inf)

    def move_to(self, window: GridWindow) -> None:
        """Move the window on with the vehicle."""
        if window != self.window:
            self.seen_s = self.window.carried(self.seen_s, window, -np.inf)
            self.window = window

    def update(self, time_s: float, mask: Mask, camera: CameraPose, height_m: float) -> None:
        """Enter the people of one mask.

        Each of their pixels counts for the ground behind it, so that a person takes the place of
        the feet and some more behind.

        Args:
            time_s: Of the image.
            mask: Class probabilities.
            camera: Its pose.
            height_m: Of the camera above the ground.
        """
        small = mask[::_STRIDE_PX, ::_STRIDE_PX]
        is_person = small[..., MaskClass.BACKGROUND] < _HALF
        rows, columns = np.nonzero(is_person)
        if not len(rows):
            return
        half_width = np.tan(camera.fov_rad / 2.0)
        right = half_width * (2.0 * (columns + 0.5) / small.shape[1] - 1.0)
        below = half_width * (2.0 * (rows + 0.5) / small.shape[0] - 1.0) / aspect_of(small.shape)
        # Sums, not a matrix product, whose rounding depends on the machine: a replay is exact.
        axes = quat2mat(camera.orientation)
        rays: NDArray[np.float64] = np.stack(
            [axis[0] + axis[1] * right + axis[2] * below for axis in axes], axis=1
        )
        rays = rays[rays[:, 2] > 0.02]
        reach = height_m / rays[:, 2]
        north_m, east_m = reach * rays[:, 0], reach * rays[:, 1]
        near = np.hypot(north_m, east_m) <= self._view_m
        cells = self.window.rows_columns(
            camera.position_m[0] + north_m[near], camera.position_m[1] + east_m[near]
        )
        inside = self.window.holds(*cells)
        self.seen_s[cells[0][inside], cells[1][inside]] = time_s
