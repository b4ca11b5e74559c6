"""The maps of one flight, kept up to date from its frames."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import FlightConfig
from followme_uav.messages import Frame, MapProgress, Vec2
from followme_uav.pilot.mapping.occupancy_grid import OccupancyGrid
from followme_uav.pilot.mapping.viewed_ground import ViewedGround
from followme_uav.pilot.mapping.window import GridWindow, Indices

LARGEST = 1024
"""Cells of the largest window, a side."""
START_M = 2.0
"""Around the place where the vehicle has risen, this much on each side is free: the camera cannot
see what is beside it, and the vehicle could not begin to move."""
COARSE = 4
"""Cells of ground, and of plans, have this many times the size of those of the occupancy grid."""


_NOTHING: tuple[Indices, Indices] = (np.empty(0, np.intp), np.empty(0, np.intp))


class Surroundings:
    """The occupancy grid and the viewed ground around the start, or around the vehicle.

    Attributes:
        start_m: Begin of the flight, north and east: the centre of the geofence.
        radius_m: Of the geofence.
        grid: Space at the vehicle's height.
        ground: The ground that was looked at.
        time_s: Of the last frame.
        way_m: The way that was planned at the last frame, for logs; set by the planner.
        in_view: Rows and columns of the ground that the last frame shows.
    """

    def __init__(self, config: FlightConfig) -> None:
        self._config = config
        self._lowest_m = config.limits.low_altitude_m
        self._is_first = True
        self._aspect = config.camera.width_px / config.camera.height_px
        self.time_s = -math.inf
        self.radius_m = config.explore.radius_m
        self._begin((0.0, 0.0))

    def _begin(self, start_m: Vec2) -> None:
        explore = self._config.explore
        reach_m = explore.radius_m + self._config.depth.scan_range_m
        window = GridWindow.around(start_m, explore.cell_m, reach_m, LARGEST)
        south, west = (edge // COARSE for edge in (window.south, window.west))
        size = math.ceil(window.size / COARSE)
        coarse = GridWindow(COARSE * explore.cell_m, size, south, west)
        fine = GridWindow(explore.cell_m, COARSE * size, COARSE * south, COARSE * west)
        self.start_m = start_m
        # A window that holds the geofence need not move while the vehicle is inside.
        self._may_stay = math.ceil(reach_m / explore.cell_m) + 1 <= LARGEST // 2
        self.grid = OccupancyGrid(fine, self._config.limits.clearance_m)
        self.ground = ViewedGround(coarse, explore.view_m, start_m, explore.radius_m)
        self.in_view: tuple[Indices, Indices] = _NOTHING
        self.way_m: tuple[Vec2, ...] = ()

    def update(self, frame: Frame, altitude_m: float) -> None:
        """Enter a frame; low above the ground it says nothing about the space to fly in."""
        here = frame.vehicle.position_m[:2]
        if self.time_s == -math.inf:
            self._begin(here)
        self.time_s = frame.time_s
        self.in_view, self.way_m = _NOTHING, ()
        if altitude_m < self._lowest_m:
            return
        if not (self._may_stay and math.dist(here, self.start_m) <= self.radius_m):
            self.grid.follow(here)
            self._follow_ground()
        self.grid.clear_around(here, START_M if self._is_first else 0.0)
        self._is_first = False
        if frame.scan is None:
            return
        self.grid.update(frame.scan, frame.camera.position_m[:2])
        height_m = altitude_m + frame.vehicle.position_m[2] - frame.camera.position_m[2]
        self.in_view = self.ground.update(
            frame.time_s, frame.scan, frame.camera, height_m, self._aspect
        )

    def inside_geofence(self) -> NDArray[np.bool_]:
        """Which cells of the ground lie inside the geofence, (rows, columns)."""
        window = self.ground.window
        index = np.arange(window.size)
        north_m, east_m = window.centres_m(index[:, None], index[None, :])
        away_m = np.hypot(north_m - self.start_m[0], east_m - self.start_m[1])
        return np.asarray(away_m <= self.radius_m)

    def progress(self) -> MapProgress:
        """The part of the map at this frame that logs and viewers show."""
        return MapProgress(self.ground.area_m2, self.way_m)

    def _follow_ground(self) -> None:
        """Keep the coarse window on the fine one."""
        fine = self.grid.window
        coarse = replace(self.ground.window, south=fine.south // COARSE, west=fine.west // COARSE)
        self.ground.move_to(coarse)
