"""The probability map, over the ground, of the places where a lost hero may be by now.

Recursive Bayesian search for a lost target (Bourgault, Furukawa and Durrant-Whyte, "Optimal search
for a lost target in a Bayesian world", 2006): between frames the probability moves on with the
hero's last velocity and diffuses over ground that can be walked; each image that does not show the
hero takes probability from the ground that it shows.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import Vec2
from followme_uav.pilot.mapping.window import GridWindow, Indices
from followme_uav.pilot.tracking.track import Track

MOST_SHARE = 0.2
"""Share of a cell's probability that goes to one neighbour in a step, at most: a larger one of the
explicit scheme would oscillate."""


class HeroMap:
    """Probability of the hero's place, for each cell of a window.

    Attributes:
        window: The cells.
        probability: (rows, columns); the sum is 1.

    Args:
        cells: The cells of the map that the window is cut out of.
        radius_m: Half the side of the window.
        track: Place and speed of the hero when the track was lost.
        is_walkable: Of all `cells`, (rows, columns).
    """

    def __init__(
        self, cells: GridWindow, radius_m: float, track: Track, is_walkable: NDArray[np.bool_]
    ) -> None:
        half = math.ceil(radius_m / cells.cell_m)
        row, column = cells.cell_of(track.ground_m)
        self.window = GridWindow(
            cells.cell_m, 2 * half + 1, cells.south + row - half, cells.west + column - half
        )
        rows, columns = np.mgrid[0 : self.window.size, 0 : self.window.size]
        north_m, east_m = self.window.centres_m(rows, columns)
        north_m, east_m = north_m - track.ground_m[0], east_m - track.ground_m[1]
        # A cell is an error of its own: the variance of a uniform distribution.
        own_m2 = cells.cell_m**2 / 12.0
        n_n, e_e = track.covariance.n_n + own_m2, track.covariance.e_e + own_m2
        n_e = track.covariance.n_e
        distance_sq = (e_e * north_m**2 - 2.0 * n_e * north_m * east_m + n_n * east_m**2) / max(
            n_n * e_e - n_e**2, 1e-9
        )
        density = np.exp(-0.5 * np.minimum(distance_sq, 200.0))
        walkable = self.cut(cells, is_walkable, True)
        self.probability = _normalised(density * walkable, density)

    def cut(self, cells: GridWindow, values: NDArray[np.bool_], fill: bool) -> NDArray[np.bool_]:
        """The values of this window's cells, of a larger map; `fill` outside of it."""
        size = self.window.size
        part = np.full((size, size), fill)
        row, column = self.window.south - cells.south, self.window.west - cells.west
        rows = slice(max(row, 0), min(row + size, cells.size))
        columns = slice(max(column, 0), min(column + size, cells.size))
        if rows.start < rows.stop and columns.start < columns.stop:
            part[
                rows.start - row : rows.stop - row, columns.start - column : columns.stop - column
            ] = values[rows, columns]
        return part

    def move(
        self,
        dt_s: float,
        velocity_mps: Vec2,
        diffusion_m2ps: float,
        is_walkable: NDArray[np.bool_],
    ) -> None:
        """Move on by `dt_s`.

        Args:
            dt_s: Time since the last step.
            velocity_mps: Of the hero as far as known, north and east.
            diffusion_m2ps: Half the growth of the variance in each direction per second.
            is_walkable: Of this window's cells; nothing moves into others.
        """
        cell_m = self.window.cell_m
        fastest = max(map(abs, velocity_mps))
        share = dt_s * (diffusion_m2ps / cell_m**2 + fastest / cell_m)
        steps = max(1, math.ceil(share / MOST_SHARE))
        for _ in range(steps):
            self._step(dt_s / steps, velocity_mps, diffusion_m2ps, is_walkable)

    def _step(
        self,
        dt_s: float,
        velocity_mps: Vec2,
        diffusion_m2ps: float,
        is_walkable: NDArray[np.bool_],
    ) -> None:
        before, cell_m = self.probability, self.window.cell_m
        after = before.copy()
        for axis, speed_mps in enumerate(velocity_mps):
            for sign in (1.0, -1.0):
                share = dt_s * (diffusion_m2ps / cell_m**2 + max(sign * speed_mps, 0.0) / cell_m)
                source, target = [slice(None)] * 2, [slice(None)] * 2
                source[axis], target[axis] = _BEFORE[sign], _BEFORE[-sign]
                moved = share * before[tuple(source)] * is_walkable[tuple(target)]
                after[tuple(source)] -= moved
                after[tuple(target)] += moved
        self.probability = after

    def not_seen_at(self, cells: GridWindow, rows: Indices, columns: Indices, share: float) -> None:
        """The hero was not detected on these cells of a larger map; `share`: would have been."""
        rows = rows + (cells.south - self.window.south)
        columns = columns + (cells.west - self.window.west)
        inside = self.window.holds(rows, columns)
        updated = self.probability.copy()
        updated[rows[inside], columns[inside]] *= 1.0 - share
        self.probability = _normalised(updated, self.probability)


_BEFORE = {1.0: slice(None, -1), -1.0: slice(1, None)}
"""The cells that have a neighbour in this direction."""


def _normalised(values: NDArray[np.float64], otherwise: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values with the sum 1; those of `otherwise` if nothing is left."""
    total = float(values.sum())
    if total < 1e-12:
        values, total = otherwise, float(otherwise.sum())
    return values / total
