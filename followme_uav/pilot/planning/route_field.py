"""The cheapest ways from the vehicle to all places around it: Dijkstra's algorithm on a grid.

One search serves everything that is planned at the same time: the cost of all views that an
exploration may choose, and the way to the one chosen. Cells nearer to an obstacle than twice the
clearance cost more, so that ways keep to the middle (LaValle, Planning Algorithms, sections 2.2 and
8.4). Space that was not seen to be free is no way.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from followme_uav.messages import Vec2
from followme_uav.pilot.mapping.window import GridWindow

CLOSE_COST = 1.5
"""Added for each metre near to an obstacle: a way around may be this much longer."""
UNKNOWN_COST = 3.0
"""Cost of a metre that may turn out to be no way: one in three does."""
TIGHT_COST = 8.0
"""Added nearer than the clearance, which is left only where the vehicle is already."""
ESCAPE = 2
"""Cells around the vehicle in which it may fly out of a tight place."""
STEPS = ((0, 1, 1.0), (1, 0, 1.0), (1, 1, math.sqrt(2.0)), (1, -1, math.sqrt(2.0)))
"""(rows, columns, length) of a step to a neighbour; the opposite steps are the same edges."""


class RouteField:
    """Costs, in metres of open space, and ways from one place.

    Attributes:
        window: The coarse cells.
        cost: (rows, columns) of the whole window; infinite where no way leads.

    Args:
        is_free: Whether each cell is known to be free, (rows, columns).
        is_tight: Whether it is nearer to an obstacle than the clearance, (rows, columns).
        window: The cells.
        here_m: Begin of the ways.
        limit_m: Ways that cost more are left out.
        is_unknown: Whether nothing is known of a cell; ways lead through such cells, too, at a
            higher cost. None: only through cells that are known to be free.
    """

    def __init__(
        self,
        is_free: NDArray[np.bool_],
        is_tight: NDArray[np.bool_],
        window: GridWindow,
        here_m: Vec2,
        limit_m: float,
        is_unknown: NDArray[np.bool_] | None = None,
    ) -> None:
        self.window = window
        self._here = here = window.cell_of(here_m)
        reach = math.ceil(limit_m / window.cell_m)
        rows, columns = (slice(max(i - reach, 0), min(i + reach + 1, window.size)) for i in here)
        self._corner = rows.start, columns.start
        cost = _cell_costs(is_free[rows, columns], is_tight[rows, columns])
        if is_unknown is not None:
            cost[is_unknown[rows, columns] & ~is_tight[rows, columns]] = UNKNOWN_COST
        start = here[0] - rows.start, here[1] - columns.start
        _allow_escape(cost, is_free[rows, columns], start)
        self._number, graph = _graph(cost, window.cell_m)
        self._cells = np.argwhere(self._number >= 0)
        source = int(self._number[start])
        found, self._before = dijkstra(
            graph, directed=False, indices=source, return_predecessors=True, limit=limit_m
        )
        self.cost = np.full((window.size, window.size), np.inf)
        self.cost[rows, columns][self._number >= 0] = found

    def way_to(self, row: int, column: int) -> list[Vec2]:
        """Centres of the cells on the way to a cell, from the vehicle on; empty without a way."""
        if not np.isfinite(self.cost[row, column]):
            return []
        node = int(self._number[row - self._corner[0], column - self._corner[1]])
        way = []
        while node >= 0:
            row, column = (int(i) for i in self._cells[node] + self._corner)
            way.append(self.window.centre_of(row, column))
            node = int(self._before[node])
        return way[::-1]

    def nearest_to(self, goal_m: Vec2, allowed: NDArray[np.bool_] | None = None) -> tuple[int, int]:
        """The cell with a way that is nearest to a place, and of several the nearest by way.

        Args:
            goal_m: The place.
            allowed: (rows, columns); other cells are taken only if a way leads to none of these.
        """
        reached = np.isfinite(self.cost)
        if allowed is not None and (reached & allowed).any():
            reached &= allowed
        rows, columns = np.nonzero(reached)
        north_m, east_m = self.window.centres_m(rows, columns)
        away_m = np.hypot(north_m - goal_m[0], east_m - goal_m[1])
        best = int(np.argmin(away_m + NEARER_TO_HERE * self.cost[rows, columns]))
        return int(rows[best]), int(columns[best])


NEARER_TO_HERE = 0.1
"""This many metres nearer to the goal count as much as one metre less of the way."""


def _cell_costs(is_free: NDArray[np.bool_], is_tight: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Cost of a metre in each cell; infinite where the vehicle must not be."""
    is_close = binary_dilation(is_tight, np.ones((3, 3), np.bool_))
    cost: NDArray[np.float64] = 1.0 + CLOSE_COST * is_close
    cost[~is_free | is_tight] = np.inf
    return cost


def _allow_escape(
    cost: NDArray[np.float64], is_free: NDArray[np.bool_], start: tuple[int, int]
) -> None:
    """Make the start, and free cells around it, a way, where it is nearer than the clearance."""
    rows, columns = (slice(max(i - ESCAPE, 0), i + ESCAPE + 1) for i in start)
    around = cost[rows, columns]
    around[np.isinf(around) & is_free[rows, columns]] = 1.0 + TIGHT_COST
    cost[start] = min(float(cost[start]), 1.0 + TIGHT_COST)


def _graph(cost: NDArray[np.float64], cell_m: float) -> tuple[NDArray[np.intp], csr_matrix]:
    """(number of each cell, or -1; edges between the cells), each edge once."""
    allowed = np.isfinite(cost)
    number = np.full(cost.shape, -1, np.intp)
    count = int(allowed.sum())
    number[allowed] = np.arange(count)
    height, width = cost.shape
    ends, others, lengths = [], [], []
    for down, right, length in STEPS:
        left = max(-right, 0)
        one = (slice(0, height - down), slice(left, width - max(right, 0)))
        other = (slice(down, height), slice(left + right, width - max(right, 0) + right))
        both = allowed[one] & allowed[other]
        ends.append(number[one][both])
        others.append(number[other][both])
        lengths.append((cost[one][both] + cost[other][both]) * (0.5 * length * cell_m))
    edges = np.concatenate(lengths), (np.concatenate(ends), np.concatenate(others))
    return number, csr_matrix(edges, shape=(count, count))
