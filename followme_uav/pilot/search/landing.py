"""Landing places without a map: ground that was looked at, off obstacles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import Vec2
from followme_uav.pilot.mapping.surroundings import COARSE, Surroundings
from followme_uav.pilot.planning.grid_planner import GridPlanner


class ViewedPlaces:
    """The cells of the vehicle's own map that are fit for a landing."""

    def __init__(self, surroundings: Surroundings, planner: GridPlanner) -> None:
        self._surroundings = surroundings
        self._planner = planner

    def nearest_first(self, position_m: Vec2) -> NDArray[np.float64]:
        """Places to land at, (n, 2), those with the shortest way from `position_m` first."""
        field = self._planner.field(position_m)
        _, is_tight = self._surroundings.grid.sampled(COARSE)
        ground = self._surroundings.ground
        fit = ~is_tight & np.isfinite(ground.viewed_s)
        # The ways may be those of a moment before the window moved on.
        allowed = np.isfinite(field.cost) & ground.window.carried(fit, field.window, False)
        rows, columns = np.nonzero(allowed)
        order = np.argsort(field.cost[rows, columns], kind="stable")
        return np.stack(field.window.centres_m(rows[order], columns[order]), axis=1)
