"""Which ground the camera has looked at, and when: the coverage of an exploration.

A cell of ground is viewed if it lies in the image, near enough to recognise a person there, and
nearer than the obstacle in its direction. As far as the camera has not seen what lies at the
vehicle's height, it has not seen the ground behind either.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from followme_uav.geometry import rotate
from followme_uav.messages import SCAN_STEP_DEG, CameraPose, RangeScan, Vec2
from followme_uav.pilot.mapping.window import GridWindow, Indices

EDGE = 0.95
"""Share of the image's half width and height within which a person is seen as a whole."""
BEHIND_M = 1.0
"""Ground so far behind the reach of a ray still counts: the cells are coarse."""


class ViewedGround:
    """When each cell of ground was viewed last.

    Args:
        window: The cells.
        view_m: Distance over ground from which a person is recognised.
        start_m: Centre of the geofence.
        radius_m: Radius of the geofence.
    """

    def __init__(
        self,
        window: GridWindow,
        view_m: float,
        start_m: Vec2 = (0.0, 0.0),
        radius_m: float = math.inf,
    ) -> None:
        self.window = window
        self._view_m = view_m
        self._start_m, self._radius_m = start_m, radius_m
        self._viewed_s = np.full((window.size, window.size), -np.inf)
        self._first_count = 0
        around = int(np.ceil(view_m / window.cell_m))
        rows, columns = np.mgrid[-around : around + 1, -around : around + 1]
        near = np.hypot(rows, columns) <= around + 1
        self._rows_around, self._columns_around = rows[near], columns[near]

    def update(
        self, time_s: float, scan: RangeScan, camera: CameraPose, height_m: float, aspect: float
    ) -> tuple[Indices, Indices]:
        """Enter one image; return rows and columns of the cells that it shows.

        Args:
            time_s: Of the image.
            scan: Of the same moment.
            camera: Its pose.
            height_m: Of the camera above the ground.
            aspect: Width / height of the image.
        """
        rows, columns = self._cells_in_view(scan, camera, height_m, aspect)
        self._count_first(rows, columns)
        self._viewed_s[rows, columns] = time_s
        return rows, columns

    def move_to(self, window: GridWindow) -> None:
        """Move the window on with the vehicle."""
        if window != self.window:
            self._viewed_s = self.window.carried(self._viewed_s, window, -np.inf)
            self.window = window

    @property
    def viewed_s(self) -> NDArray[np.float64]:
        """Time of the last view of each cell; minus infinity for never."""
        return self._viewed_s

    @property
    def area_m2(self) -> float:
        """Ground inside the geofence that was ever viewed."""
        return self._first_count * self.window.cell_m**2

    def _count_first(self, rows: Indices, columns: Indices) -> None:
        """Count the cells inside the geofence that were never viewed before."""
        is_first = np.isneginf(self._viewed_s[rows, columns])
        north_m, east_m = self.window.centres_m(rows[is_first], columns[is_first])
        away_m = np.hypot(north_m - self._start_m[0], east_m - self._start_m[1])
        self._first_count += int((away_m < self._radius_m).sum())

    def _cells_in_view(
        self, scan: RangeScan, camera: CameraPose, height_m: float, aspect: float
    ) -> tuple[Indices, Indices]:
        nothing = np.empty(0, np.intp)
        if not scan.reach_dm or height_m <= 0.0:
            return nothing, nothing
        row, column = self.window.cell_of(camera.position_m[:2])
        rows, columns = self._rows_around + row, self._columns_around + column
        north_m, east_m = self.window.centres_m(rows, columns)
        north_m, east_m = north_m - camera.position_m[0], east_m - camera.position_m[1]
        distance_m = np.hypot(north_m, east_m)
        seen = self.window.holds(rows, columns)
        seen &= distance_m <= np.minimum(self._reach_m(scan, north_m, east_m), self._view_m)
        # In the camera's frame: ahead, right, down.
        ahead, right, down = (
            n * north_m + e * east_m + d * height_m
            for n, e, d in (rotate(camera.orientation, axis) for axis in _AXES)
        )
        half = np.tan(camera.fov_rad / 2.0) * EDGE * ahead
        seen &= (ahead > 0.0) & (np.abs(right) <= half) & (np.abs(down) * aspect <= half)
        return rows[seen], columns[seen]

    def _reach_m(
        self, scan: RangeScan, north_m: NDArray[np.floating], east_m: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """How far the scan reaches in the direction of each cell."""
        circle_m = np.full(360 // SCAN_STEP_DEG, -1.0)
        rays = (scan.first + np.arange(len(scan.reach_dm))) % len(circle_m)
        circle_m[rays] = np.abs(np.asarray(scan.reach_dm)) / 10.0 + BEHIND_M
        azimuth_deg = np.degrees(np.arctan2(east_m, north_m))
        ray = np.floor(azimuth_deg / SCAN_STEP_DEG).astype(np.intp) % len(circle_m)
        reach_m: NDArray[np.float64] = circle_m[ray]
        return reach_m


_AXES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
