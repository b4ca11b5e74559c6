"""The ground of a place: its height by north and east, and altitudes above it."""

from __future__ import annotations

import math

from followme_uav.config import GroundGrid
from followme_uav.messages import Vec3


class Ground:
    """Heights above z = 0, bilinear between the points of a grid, and constant beyond its edges.

    Args:
        grid: None: level ground at z = 0.
    """

    def __init__(self, grid: GroundGrid | None = None) -> None:
        self._grid = grid

    @property
    def is_level(self) -> bool:
        """Whether there is no grid."""
        return self._grid is None

    def height_m(self, north_m: float, east_m: float) -> float:
        """The height at one place, positive up.

        Plain numbers: a replay has to reproduce a flight to the last bit.
        """
        grid = self._grid
        if grid is None:
            return 0.0
        rows = grid.heights_m
        row, v = _cell((north_m - grid.south_m) / grid.spacing_m, len(rows))
        column, u = _cell((east_m - grid.west_m) / grid.spacing_m, len(rows[0]))
        south = rows[row][column] * (1.0 - u) + rows[row][column + 1] * u
        north = rows[row + 1][column] * (1.0 - u) + rows[row + 1][column + 1] * u
        return south * (1.0 - v) + north * v


LEVEL = Ground()


class Altimeter:
    """Altitude above the ground; takes positions in order, the first of which has altitude 0."""

    def __init__(self, ground: Ground = LEVEL) -> None:
        self._ground = ground
        self._start_m: tuple[float, float] | None = None
        """Down, and the height of the ground."""

    def altitude_m(self, position_m: Vec3) -> float:
        """The altitude at a position, world NED."""
        north_m, east_m, down_m = position_m
        height_m = self._ground.height_m(north_m, east_m)
        if self._start_m is None:
            self._start_m = down_m, height_m
        start_down_m, start_height_m = self._start_m
        return start_down_m - down_m - (height_m - start_height_m)


def _cell(place: float, points: int) -> tuple[int, float]:
    """Index of the cell that holds a place on an axis of the grid, and the share of it."""
    inside = min(max(place, 0.0), points - 1.0)
    cell = min(math.floor(inside), points - 2)
    return cell, inside - cell
