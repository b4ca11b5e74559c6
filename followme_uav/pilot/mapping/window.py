"""The square window of ground that a map covers, and its cells.

Cell (row, column) of a window covers `cell_m` to the north and to the east. The window follows the
vehicle in whole cells; the part of the map that leaves the window is forgotten, so that a map never
takes more memory than one window.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import Vec2

Indices = NDArray[np.intp]
Scalar = TypeVar("Scalar", bound=np.generic)

NEAR_EDGE = 0.25
"""The window moves on when the vehicle is nearer than this share of its size to its edge."""


@dataclass(frozen=True)
class GridWindow:
    """A window of `size` times `size` cells."""

    cell_m: float
    size: int
    south: int
    """Of the first row: its southern edge is this many cells north of the origin."""
    west: int
    """Of the first column: its western edge is this many cells east of the origin."""

    @classmethod
    def around(cls, centre_m: Vec2, cell_m: float, radius_m: float, largest: int) -> GridWindow:
        """A window that holds the circle, but has at most `largest` cells a side."""
        half = min(int(np.ceil(radius_m / cell_m)) + 1, largest // 2)
        north, east = (int(np.floor(x / cell_m)) for x in centre_m)
        return cls(cell_m, 2 * half, north - half, east - half)

    def rows_columns(
        self, north_m: NDArray[np.floating], east_m: NDArray[np.floating]
    ) -> tuple[Indices, Indices]:
        """The cells that hold these points; outside of the window where it does not."""
        rows = np.floor(np.asarray(north_m) / self.cell_m).astype(np.intp) - self.south
        columns = np.floor(np.asarray(east_m) / self.cell_m).astype(np.intp) - self.west
        return rows, columns

    def cell_of(self, point_m: Vec2) -> tuple[int, int]:
        """The cell of one point."""
        return (
            int(np.floor(point_m[0] / self.cell_m)) - self.south,
            int(np.floor(point_m[1] / self.cell_m)) - self.west,
        )

    def centres_m(
        self, rows: Indices, columns: Indices
    ) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        """North and east of the cells' centres."""
        return (
            (rows + self.south + 0.5) * self.cell_m,
            (columns + self.west + 0.5) * self.cell_m,
        )

    def centre_of(self, row: int, column: int) -> Vec2:
        """The centre of one cell."""
        return (row + self.south + 0.5) * self.cell_m, (column + self.west + 0.5) * self.cell_m

    def holds(self, rows: Indices, columns: Indices, margin: int = 0) -> NDArray[np.bool_]:
        """Which cells lie inside, at least `margin` cells from the edge."""
        low, high = margin, self.size - margin
        return (rows >= low) & (rows < high) & (columns >= low) & (columns < high)

    def following(self, position_m: Vec2) -> GridWindow:
        """The same window, or one around a vehicle that has come near to its edge."""
        row, column = self.cell_of(position_m)
        near = NEAR_EDGE * self.size
        if near <= row < self.size - near and near <= column < self.size - near:
            return self
        half = self.size // 2
        # Steps of 8 cells keep coarser grids, whose cells are 2, 4 or 8 of these, aligned.
        south, west = (8 * ((i - half) // 8) for i in (row, column))
        return replace(self, south=self.south + south, west=self.west + west)

    def carried(
        self, values: NDArray[Scalar], to: GridWindow, fill: Scalar | float | bool
    ) -> NDArray[Scalar]:
        """The values of this window's cells in another one; `fill` where there was no cell."""
        moved = np.full_like(values, fill)
        north, east = to.south - self.south, to.west - self.west
        rows, columns = self.size - abs(north), self.size - abs(east)
        if rows > 0 and columns > 0:
            moved[max(-north, 0) :, max(-east, 0) :][:rows, :columns] = values[
                max(north, 0) :, max(east, 0) :
            ][:rows, :columns]
        return moved
