"""SEARCH without a map: views chosen by how much of the hero's probability they see per second.

The vehicle flies to the place from which the camera sees most of the probability map, divided by
the time of the way and of the look; on its way the camera already looks where most is to be seen.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import FlightConfig
from followme_uav.geometry import wrap_angle
from followme_uav.messages import Vec2
from followme_uav.pilot.guidance.search import Goal, View
from followme_uav.pilot.mapping.surroundings import COARSE, Surroundings
from followme_uav.pilot.planning.grid_planner import GridPlanner
from followme_uav.pilot.planning.route_field import RouteField
from followme_uav.pilot.search.hero_map import HeroMap
from followme_uav.pilot.search.visibility import DIRECTIONS, visible_by_direction
from followme_uav.pilot.tracking.track import Track

RADIUS_M = 80.0
"""Half the side of the probability map: twice as far as a walker comes in a search."""
LOOK_S = 2.0
"""Time that a look around takes at the end of a way."""
TURN_S = 0.5
"""Time that a look in one direction takes, besides the camera's turn."""
PAN_RADPS = math.pi
"""Speed of the camera's turn."""
KEEP = 0.7
"""A goal is kept as long as it is worth at least this share of the best one."""
EVERY = 3
"""Every third cell, in both directions, is tried as a place to look from."""


class HeroSearch:
    """One search; has the methods of `guidance.search.SearchPlan`.

    Attributes:
        hero_map: The places where the hero may be; None before the first search.
    """

    def __init__(
        self, config: FlightConfig, surroundings: Surroundings, planner: GridPlanner
    ) -> None:
        self._config = config
        self._surroundings = surroundings
        self._planner = planner
        self._view_angle = math.radians(config.simulator.camera_fov_deg)
        self.hero_map: HeroMap | None = None
        self._last_s = 0.0
        self._goal_m: Vec2 | None = None
        self._field: RouteField | None = None
        self._is_walkable: NDArray[np.bool_] = np.zeros((1, 1), np.bool_)
        self._azimuth_rad = 0.0
        self._begins = True

    def begin(self, time_s: float) -> None:
        """Forget the last search."""
        self._begins, self._last_s = True, time_s
        self._goal_m = self._field = None

    def resume(self, time_s: float) -> None:
        """Go on after an approach to somebody else; the hero has walked on meanwhile."""

    def goal(self, time_s: float, here_m: Vec2, hero: Track) -> Goal:
        """The action for this frame; `hero` is the track predicted to this time."""
        hero_map = self._updated(time_s, hero)
        field = self._planner.field(here_m)
        if field is not self._field:
            self._field = field
            self._is_walkable = self._walkable(hero_map)
            self._goal_m = self._best_place(field, hero_map)
        seen = visible_by_direction(
            hero_map.probability,
            self._surroundings.grid.is_beside_obstacle,
            hero_map.window,
            np.array([here_m]),
            self._config.explore.view_m,
        )[0]
        self._azimuth_rad = self._best_direction(seen, here_m, hero)
        return Goal(self._goal_m or here_m, View.ALONG, self._azimuth_rad)

    def _updated(self, time_s: float, hero: Track) -> HeroMap:
        """The probability map of this time."""
        ground, search = self._surroundings.ground, self._config.search
        if self.hero_map is None or self._begins:
            self._begins = False
            self._azimuth_rad = 0.0
            log_odds, _ = self._surroundings.grid.sampled(COARSE)
            self.hero_map = HeroMap(ground.window, RADIUS_M, hero, log_odds <= 0)
            self._is_walkable = self._walkable(self.hero_map)
        dt_s, self._last_s = time_s - self._last_s, time_s
        if dt_s > 0.0:
            self.hero_map.move(dt_s, hero.velocity_mps, search.diffusion_m2ps, self._is_walkable)
        self.hero_map.not_seen_at(ground.window, *self._surroundings.in_view, search.detect_share)
        return self.hero_map

    def _walkable(self, hero_map: HeroMap) -> NDArray[np.bool_]:
        """Cells of the probability map without an obstacle."""
        window = self._surroundings.ground.window
        is_occupied = self._surroundings.grid.is_occupied
        blocks = is_occupied.reshape(window.size, COARSE, window.size, COARSE).any(axis=(1, 3))
        return hero_map.cut(window, ~np.asarray(blocks), True)

    def _best_place(self, field: RouteField, hero_map: HeroMap) -> Vec2 | None:
        """The place that sees most per second; None where no way leads to any."""
        rows, columns = np.nonzero(np.isfinite(field.cost))
        window = field.window
        chosen = ((rows + window.south) % EVERY == 0) & ((columns + window.west) % EVERY == 0)
        if self._goal_m is not None:
            row, column = window.cell_of(self._goal_m)
            chosen |= (rows == row) & (columns == column)
        rows, columns = rows[chosen], columns[chosen]
        places_m = np.stack(window.centres_m(rows, columns), axis=1)
        start_m = self._surroundings.start_m
        fence_m = np.hypot(places_m[:, 0] - start_m[0], places_m[:, 1] - start_m[1])
        near = (fence_m < self._config.explore.radius_m) & (field.cost[rows, columns] <= RADIUS_M)
        rows, columns, places_m = rows[near], columns[near], places_m[near]
        if not len(rows):
            return None
        seen = visible_by_direction(
            hero_map.probability,
            self._surroundings.grid.is_beside_obstacle,
            hero_map.window,
            places_m,
            self._config.explore.view_m,
        ).sum(axis=1)
        worth = seen / (field.cost[rows, columns] / self._config.search.speed_mps + LOOK_S)
        best = int(np.argmax(worth))
        if self._goal_m is not None:
            row, column = window.cell_of(self._goal_m)
            is_goal = (rows == row) & (columns == column)
            if is_goal.any() and worth[is_goal][0] >= KEEP * worth[best]:
                return self._goal_m
        return float(places_m[best, 0]), float(places_m[best, 1])

    def _best_direction(self, seen: NDArray[np.float64], here_m: Vec2, hero: Track) -> float:
        """The direction that shows most per second, by the time of the camera's turn."""
        if float(seen.sum()) < 1e-6:
            north, east = (h - p for h, p in zip(hero.ground_m, here_m, strict=True))
            return math.atan2(east, north)
        step_rad = 2.0 * math.pi / DIRECTIONS
        middle_rad = (np.arange(DIRECTIONS) + 0.5) * step_rad
        half = max(1, round(self._view_angle / step_rad / 2.0) - 1)
        around = np.arange(-half, half + 1)
        in_view = seen[(np.arange(DIRECTIONS)[:, None] + around) % DIRECTIONS]
        turn_rad = np.abs((middle_rad - self._azimuth_rad + math.pi) % (2.0 * math.pi) - math.pi)
        worth = in_view.sum(axis=1) / (TURN_S + turn_rad / PAN_RADPS)
        best = int(np.argmax(worth))
        weights = in_view[best]
        offset_rad = float((weights * around).sum() / max(float(weights.sum()), 1e-12)) * step_rad
        return wrap_angle(float(middle_rad[best]) + offset_rad)
