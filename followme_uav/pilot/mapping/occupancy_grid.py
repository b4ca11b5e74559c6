"""Occupancy grid: which space at the vehicle's height is free, occupied, or not known.

Each cell holds the log-odds of being occupied (Moravec and Elfes 1985; Thrun, Burgard and Fox,
Probabilistic Robotics, chapter 9). A ray lowers them along its way, and raises them where it ends
at an obstacle. They are clamped, as in OctoMap (Hornung et al. 2013), so that the map follows a
world that changes; and they are whole numbers, so that sums do not depend on the processor.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import SCAN_STEP_DEG, RangeScan, Vec2
from followme_uav.pilot.mapping.inflation import Inflation
from followme_uav.pilot.mapping.window import GridWindow, Indices

MISS, HIT = -4, 13
"""Tenths of log-odds of one ray. A hit says more: at a distance, rays pass beside a thin pole in
the same cell."""
LEAST, MOST = -12, 36
"""Bounds of the log-odds: three misses make a cell as free as it gets."""
SUB_RAYS = 2
"""Lines along which each ray clears cells: 0.5 m apart at 30 m."""
STEP_CELLS = 0.8
"""Distance between two points of such a line, in cells."""
HULL_M = 1.0
"""Distance within which the vehicle may touch an obstacle: half its width, and half a cell."""


BESIDE_M = 0.75
"""The vehicle needs known free space so far to all sides: half its width, and its error."""
_FREE_NORTH_M = np.array([0.0, BESIDE_M, -BESIDE_M, 0.0, 0.0])
_FREE_EAST_M = np.array([0.0, 0.0, 0.0, BESIDE_M, -BESIDE_M])
_AROUND = np.array([[math.cos(i * math.pi / 4), math.sin(i * math.pi / 4)] for i in range(8)]).T


class OccupancyGrid:
    """The grid, and the surroundings of its obstacles at two distances.

    Args:
        window: The cells.
        clearance_m: Distance that is kept from obstacles.
    """

    def __init__(self, window: GridWindow, clearance_m: float) -> None:
        self.window = window
        self._log_odds = np.zeros(window.size * window.size, np.int8)
        self._occupied = np.zeros(window.size * window.size, np.bool_)
        self._hull = Inflation(window, HULL_M)
        self._clearance = Inflation(window, clearance_m)
        self._clearance_m = clearance_m
        self._layers = (self._hull, self._clearance)
        self._margin = max(layer.margin for layer in self._layers)

    def update(self, scan: RangeScan, camera_m: Vec2) -> None:
        """Enter one scan."""
        if not scan.reach_dm:
            return
        reach_m = np.abs(np.asarray(scan.reach_dm)) / 10.0
        is_hit = np.asarray(scan.reach_dm) < 0
        ray = scan.first + np.arange(len(reach_m))
        free = self._cells_along(ray, reach_m - 1.5 * self.window.cell_m * is_hit, camera_m)
        hit_rad = np.radians((ray[is_hit] + 0.5) * SCAN_STEP_DEG)
        hit = self._cells_at(
            camera_m[0] + reach_m[is_hit] * np.cos(hit_rad),
            camera_m[1] + reach_m[is_hit] * np.sin(hit_rad),
        )
        before, before_at_hit = self._log_odds[free], self._log_odds[hit]
        self._log_odds[free] = np.maximum(before + MISS, LEAST)
        self._log_odds[hit] = np.minimum(before_at_hit + HIT, MOST)
        self._note_changes(np.unique(np.concatenate((free[before > 0], hit))))

    def clear_around(self, position_m: Vec2, radius_m: float) -> None:
        """The vehicle is there, or has risen there: this place is free, where nothing was hit."""
        steps = np.arange(-radius_m, radius_m + 1e-9, self.window.cell_m / 2.0)
        north_m, east_m = (one.ravel() for one in np.meshgrid(steps, steps))
        cells = self._cells_at(position_m[0] + north_m, position_m[1] + east_m)
        before = self._log_odds[cells]
        self._log_odds[cells] = np.where(before > 0, before, np.minimum(MISS, before))

    def follow(self, position_m: Vec2) -> None:
        """Move the window on with the vehicle."""
        window = self.window.following(position_m)
        if window is self.window:
            return
        shape = (window.size, window.size)
        self._log_odds = self.window.carried(self._log_odds.reshape(shape), window, 0).ravel()
        self.window = window
        rows, columns = np.divmod(np.flatnonzero(self._log_odds > 0), window.size)
        inside = window.holds(rows, columns, self._margin)
        occupied = rows[inside] * window.size + columns[inside]
        self._log_odds[(rows * window.size + columns)[~inside]] = 0
        self._occupied[:] = False
        self._occupied[occupied] = True
        for layer in self._layers:
            layer.restart(occupied)

    @property
    def log_odds(self) -> NDArray[np.int8]:
        """Tenths of log-odds, (rows, columns): negative free, 0 not known, positive occupied."""
        return self._log_odds.reshape(self.window.size, self.window.size)

    @property
    def is_free(self) -> NDArray[np.bool_]:
        """Which cells are known to be free, (rows, columns)."""
        return self.log_odds < 0

    @property
    def is_occupied(self) -> NDArray[np.bool_]:
        """Which cells are occupied, (rows, columns)."""
        return self._occupied.reshape(self.window.size, self.window.size)

    def sampled(self, step: int) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
        """(log-odds, whether nearer to an obstacle than the clearance) of every `step`-th cell.

        Of each square of `step` times `step` cells, the cell in the middle is taken; of the
        log-odds, the least known of those in its middle and in its corners.
        """
        middle = slice(step // 2, None, step)
        shape = (self.window.size, self.window.size)
        tight = self._clearance.counts.reshape(shape)[middle, middle] > 0
        log_odds = self.log_odds
        most = log_odds[middle, middle].copy()
        for row in {0, step - 1}:
            for column in {0, step - 1}:
                np.maximum(most, log_odds[row::step, column::step], out=most)
        return most, tight

    def may_fly(
        self, north_m: NDArray[np.floating], east_m: NDArray[np.floating], *, tight: bool = False
    ) -> NDArray[np.bool_]:
        """Whether these places are known to be free, and far enough from all obstacles.

        The vehicle has a width: what is beside a place must be free, too.

        Args:
            north_m: Of any shape.
            east_m: Of the same shape.
            tight: The vehicle need not keep its clearance, but must not touch anything.
        """
        around, inside = self._flat(
            np.asarray(north_m)[..., None] + _FREE_NORTH_M,
            np.asarray(east_m)[..., None] + _FREE_EAST_M,
        )
        layer = self._hull if tight else self._clearance
        is_free = (inside & (self._log_odds[around] < 0)).all(axis=-1)
        return np.asarray(is_free & ~layer.is_near_at(around[..., 0]))

    def is_obstructed(
        self, north_m: NDArray[np.floating], east_m: NDArray[np.floating]
    ) -> NDArray[np.bool_]:
        """Whether an obstacle is known at these places."""
        cells, inside = self._flat(north_m, east_m)
        return inside & self._occupied[cells]

    def is_beside_obstacle(
        self, north_m: NDArray[np.floating], east_m: NDArray[np.floating]
    ) -> NDArray[np.bool_]:
        """Whether an obstacle is within `HULL_M` of these places: no wall is thinner than that."""
        cells, inside = self._flat(north_m, east_m)
        return inside & self._hull.is_near_at(cells)

    def is_close_at(self, position_m: Vec2) -> bool:
        """Whether a place is nearer to an obstacle than twice the clearance."""
        cells, _ = self._flat(
            position_m[0] + self._clearance_m * _AROUND[0],
            position_m[1] + self._clearance_m * _AROUND[1],
        )
        return bool(self._clearance.is_near_at(cells).any())

    def _note_changes(self, cells: Indices) -> None:
        now = self._log_odds[cells] > 0
        turned = now != self._occupied[cells]
        filled, emptied = cells[turned & now], cells[turned & ~now]
        self._occupied[filled], self._occupied[emptied] = True, False
        for layer in self._layers:
            layer.add(filled)
            layer.remove(emptied)

    def _cells_along(self, ray: Indices, reach_m: NDArray[np.floating], start_m: Vec2) -> Indices:
        """Cells of the rays up to their reach; some of them twice."""
        cell_m = self.window.cell_m
        shares = (np.arange(SUB_RAYS) + 0.5) / SUB_RAYS
        azimuth_rad = np.radians((ray[:, None] + shares).ravel() * SCAN_STEP_DEG)
        reach_m = np.repeat(reach_m, SUB_RAYS)
        step_m = STEP_CELLS * cell_m
        steps = np.arange(math.ceil(float(reach_m.max()) / step_m))
        # Neighbouring lines take turns: one passes through the corner that the other misses.
        along_m = (steps + 0.25 + 0.5 * (np.arange(len(reach_m)) % 2)[:, None]) * step_m
        within = along_m < reach_m[:, None]
        north_m = start_m[0] + np.cos(azimuth_rad)[:, None] * along_m
        east_m = start_m[1] + np.sin(azimuth_rad)[:, None] * along_m
        return self._cells_at(north_m[within], east_m[within])

    def _cells_at(self, north_m: NDArray[np.floating], east_m: NDArray[np.floating]) -> Indices:
        """Flat indices of those points that lie well inside the window."""
        rows, columns = self.window.rows_columns(north_m, east_m)
        inside = self.window.holds(rows, columns, self._margin)
        flat: Indices = (rows * self.window.size + columns)[inside]
        return flat

    def _flat(
        self, north_m: NDArray[np.floating], east_m: NDArray[np.floating]
    ) -> tuple[Indices, NDArray[np.bool_]]:
        """(flat index, or 0; whether the point lies in the window) of each point."""
        rows, columns = self.window.rows_columns(north_m, east_m)
        inside = self.window.holds(rows, columns)
        flat: Indices = np.where(inside, rows * self.window.size + columns, 0)
        return flat, inside
