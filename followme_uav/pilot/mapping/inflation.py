"""The surroundings of obstacles: which cells lie within a distance of an occupied cell.

As the inflation layer of a layered costmap (Lu, Hershberger and Smart, "Layered costmaps for
context-sensitive navigation", IROS 2014), but kept up to date cell by cell: each cell counts the
occupied cells within the distance. A frame changes a few dozen cells, the map has a million.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from followme_uav.pilot.mapping.window import GridWindow, Indices


class Inflation:
    """Counts for each cell the occupied cells within `radius_m` of it.

    Attributes:
        margin: Number of cells from the edge of the window that stay without an obstacle.
    """

    def __init__(self, window: GridWindow, radius_m: float) -> None:
        reach = int(np.floor(radius_m / window.cell_m))
        aside = np.arange(-reach, reach + 1)
        within = np.hypot(aside[:, None], aside[None, :]) * window.cell_m <= radius_m
        rows, columns = np.nonzero(within)
        self._offsets: Indices = (rows - reach) * window.size + (columns - reach)
        self._counts = np.zeros(window.size * window.size, np.int16)
        self.margin = reach

    def add(self, cells: Indices) -> None:
        """Enter obstacles: flat indices, each once."""
        self._change(cells, 1)

    def remove(self, cells: Indices) -> None:
        """Remove obstacles that were entered before."""
        self._change(cells, -1)

    def restart(self, cells: Indices) -> None:
        """Forget all obstacles, and enter these."""
        self._counts[:] = 0
        self.add(cells)

    @property
    def counts(self) -> NDArray[np.int16]:
        """For each cell, as flat array, the number of obstacles within the distance."""
        return self._counts

    def is_near_at(self, cells: Indices) -> NDArray[np.bool_]:
        """Whether an obstacle is within the distance of these cells."""
        return self._counts[cells] > 0

    def _change(self, cells: Indices, by: int) -> None:
        if len(cells):
            around = (cells[:, None] + self._offsets).ravel()
            np.add.at(self._counts, around, np.int16(by))
