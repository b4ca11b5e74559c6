"""How much of a map of the ground can be seen from a place, in each direction."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from followme_uav.pilot.mapping.window import GridWindow

DIRECTIONS = 24
"""Directions around a place, 15 degrees apart."""
NEAREST_M = 2.0
"""Nearer ground is below the vehicle, out of sight."""


def visible_by_direction(
    values: NDArray[np.float64],
    blocks: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_]],
    window: GridWindow,
    places_m: NDArray[np.float64],
    view_m: float,
) -> NDArray[np.float64]:
    """Sum of the values of all cells in sight, for each place and direction.

    Args:
        values: (rows, columns) of the window.
        blocks: Whether places (north, east) hide those behind them; asked at steps of a cell.
        window: The cells.
        places_m: (n, 2): north and east.
        view_m: How far the view reaches.

    Returns:
        (n, DIRECTIONS), the first direction being 0 to 15 degrees clockwise from north.
    """
    cell_m = window.cell_m
    distance_m = np.arange(NEAREST_M, view_m, cell_m)
    azimuth_rad = (np.arange(DIRECTIONS) + 0.5) * (2.0 * np.pi / DIRECTIONS)
    north_m = places_m[:, 0, None, None] + np.cos(azimuth_rad)[:, None] * distance_m
    east_m = places_m[:, 1, None, None] + np.sin(azimuth_rad)[:, None] * distance_m
    rows, columns = window.rows_columns(north_m, east_m)
    inside = window.holds(rows, columns)
    rows, columns = np.where(inside, rows, 0), np.where(inside, columns, 0)
    hidden = np.logical_or.accumulate(blocks(north_m, east_m), axis=2)
    # A sample stands for all cells of its piece of the ring.
    weight = distance_m * (2.0 * np.pi / DIRECTIONS) / cell_m
    seen: NDArray[np.float64] = (values[rows, columns] * (inside & ~hidden) * weight).sum(axis=2)
    return seen
