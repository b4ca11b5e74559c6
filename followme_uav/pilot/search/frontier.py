"""Frontiers: known free space that borders on space of which nothing is known (Yamauchi 1997)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

_NEIGHBOURS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.bool_)


def is_frontier(log_odds: NDArray[np.int8], is_tight: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which cells are frontiers, (rows, columns).

    Args:
        log_odds: Of being occupied, as `OccupancyGrid.sampled` returns them.
        is_tight: Whether the cells are nearer to an obstacle than the clearance: no frontiers.
    """
    beside_unknown = binary_dilation(log_odds == 0, _NEIGHBOURS)
    return np.asarray((log_odds < 0) & ~is_tight & beside_unknown)
