"""Exploration: fly to where the camera will see most that it has not looked at for long.

Frontier-based exploration (Yamauchi 1997) with the utility of a next best view (Gonzalez-Banos and
Latombe, "Navigation strategies for exploring indoor environments", 2002): the ground that a view
would show past the known obstacles, weighted by the time since it was looked at, times an
exponential of the cost of the way there. Places near to frontiers, where free space borders on the
unknown, are tried first. The same rule explores at first, and later visits all places again.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from followme_uav.config import FlightConfig
from followme_uav.messages import Vec2
from followme_uav.pilot.mapping.surroundings import COARSE, Surroundings
from followme_uav.pilot.planning.grid_planner import GridPlanner
from followme_uav.pilot.planning.route_field import RouteField
from followme_uav.pilot.search.frontier import is_frontier
from followme_uav.pilot.search.visibility import visible_by_direction

FRONTIER = 3.0
"""Cells of ground that a frontier cell counts for in the rough choice: those behind it."""
EVERY = 3
"""Every third cell, in both directions, is a place that may be flown to."""
TRIED = 40
"""Number of places, by the rough choice, of which the view is computed."""
KEEP = 0.6
"""The goal is kept as long as its utility is at least this share of the best one."""


class Exploration:
    """Chooses the places to fly to; has the methods of `navigation.patrol_route`."""

    def __init__(
        self, config: FlightConfig, surroundings: Surroundings, planner: GridPlanner
    ) -> None:
        self._config = config.explore
        self._reached_m = config.patrol.waypoint_radius_m
        self._surroundings = surroundings
        self._planner = planner
        self._field: RouteField | None = None
        self._goal_m: Vec2 | None = None

    def waypoint(self, position_m: Vec2) -> Vec2:
        """The place to fly to from `position_m`."""
        field = self._planner.field(position_m)
        is_reached = (
            self._goal_m is not None and math.dist(self._goal_m, position_m) <= self._reached_m
        )
        if field is not self._field or is_reached or self._goal_m is None:
            self._field = field
            self._goal_m = self._best_view(field, None if is_reached else self._goal_m)
        return self._goal_m

    def skip(self) -> None:
        """Forget the present place, so that another one is chosen."""
        self._goal_m = None

    @property
    def is_on_deck(self) -> bool:
        """Without a map, no decks are known."""
        return False

    def onward_share(self, position_m: Vec2) -> float:
        """None of the speed leads on: the next view may lie in any direction."""
        del position_m
        return 0.0

    def _best_view(self, field: RouteField, goal_m: Vec2 | None) -> Vec2:
        """The place with the greatest utility; the present goal, if that is nearly as good."""
        window, start_m = field.window, self._surroundings.start_m
        rows, columns = np.nonzero(np.isfinite(field.cost))
        north_m, east_m = window.centres_m(rows, columns)
        inside = np.hypot(north_m - start_m[0], east_m - start_m[1]) < self._config.radius_m
        if not inside.any():
            return start_m
        rows, columns = rows[inside], columns[inside]
        value = np.exp(-field.cost[rows, columns] / self._config.discount_m)
        # The ways may be those of a moment before the window moved on.
        now = self._surroundings.ground.window
        new, worth = (now.carried(values, window, 0.0) for values in self._worth())
        size = 2 * round(self._config.view_m / 2.0 / window.cell_m) + 1
        around = uniform_filter(worth, size, mode="constant")
        on_lattice = ((rows + window.south) % EVERY == 0) & ((columns + window.west) % EVERY == 0)
        rough = around[rows, columns] * value * on_lattice
        chosen = np.argsort(-rough, kind="stable")[:TRIED]
        if goal_m is not None:
            goal_row, goal_column = window.cell_of(goal_m)
            is_goal = np.flatnonzero((rows == goal_row) & (columns == goal_column))
            chosen = np.concatenate((is_goal, np.setdiff1d(chosen, is_goal)))
        places_m = np.stack(window.centres_m(rows[chosen], columns[chosen]), axis=1)
        seen = visible_by_direction(
            new,
            self._surroundings.grid.is_beside_obstacle,
            window,
            places_m,
            self._config.view_m,
        ).sum(axis=1)
        utility = seen * value[chosen]
        best = int(np.argmax(utility))
        if goal_m is not None and len(is_goal) and utility[0] >= KEEP * utility[best]:
            return goal_m
        return float(places_m[best, 0]), float(places_m[best, 1])

    def _worth(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """How much each cell is worth: if it is seen; and for a rough choice of places.

        Cells of which nothing is known count as if never looked at. For the rough choice only their
        frontier counts, since most of them are inside of houses.
        """
        ground, now_s = self._surroundings.ground, max(self._surroundings.time_s, 0.0)
        log_odds, is_tight = self._surroundings.grid.sampled(COARSE)
        is_free, is_unknown = log_odds < 0, log_odds == 0
        age = np.minimum((now_s - ground.viewed_s) / self._config.forget_s, 1.0)
        inside = self._surroundings.inside_geofence()
        new: NDArray[np.float64] = inside * age * (is_free | is_unknown)
        rough: NDArray[np.float64] = is_free * age + FRONTIER * is_frontier(log_odds, is_tight)
        return new, inside * rough
