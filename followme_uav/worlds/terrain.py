"""Heights of the ground of a world."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from followme_uav.worlds.world import Terrain

Floats = npt.NDArray[np.float64]


def ground_heights_m(terrain: Terrain | None, points_m: Any) -> Floats:
    """Return the heights of the ground above z = 0.

    Args:
        terrain: None stands for level ground at 0.
        points_m: (..., 2) north, east.

    Returns:
        (...,) bilinear between the points of the grid, constant beyond its edges.
    """
    points = np.asarray(points_m, dtype=float)
    if terrain is None:
        return np.zeros(points.shape[:-1])
    grid = terrain.grid
    row = np.clip((points[..., 0] - terrain.south_m) / terrain.spacing_m, 0, grid.shape[0] - 1)
    column = np.clip((points[..., 1] - terrain.west_m) / terrain.spacing_m, 0, grid.shape[1] - 1)
    r = np.minimum(row.astype(int), grid.shape[0] - 2)
    c = np.minimum(column.astype(int), grid.shape[1] - 2)
    v, u = row - r, column - c
    south = grid[r, c] * (1 - u) + grid[r, c + 1] * u
    north = grid[r + 1, c] * (1 - u) + grid[r + 1, c + 1] * u
    heights: Floats = south * (1 - v) + north * v
    return heights


def ground_height_m(terrain: Terrain | None, north_m: float, east_m: float) -> float:
    """Return the height of the ground at one place above z = 0."""
    return float(ground_heights_m(terrain, (north_m, east_m)))


def steepest_slope(terrain: Terrain) -> float:
    """Return the largest gradient within the grid's cells, as rise over run."""
    grid = terrain.grid
    up = np.diff(grid, axis=0) / terrain.spacing_m
    aside = np.diff(grid, axis=1) / terrain.spacing_m
    # Bilinear: the gradient is largest at a corner of a cell.
    corners = [
        np.hypot(up[:, c : c + aside.shape[1]], aside[r : r + up.shape[0]])
        for r in (0, 1)
        for c in (0, 1)
    ]
    return float(np.max(corners))
