"""Landing places without a map: ground that was looked at, off obstacles, and off people."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from followme_uav.messages import Vec2
from followme_uav.pilot.mapping.surroundings import COARSE, Surroundings
from followme_uav.pilot.planning.grid_planner import GridPlanner

PERSON_S = 20.0
"""A place counts as taken for so long after a person was seen there."""
OFF_PEOPLE_M = 8.0
"""Distance from people when a place is chosen: some seconds of walking."""
TAKEN_M = 4.0
"""A chosen place is given up when a person comes this near."""


class LandingPlaces:
    """Chooses one place, and another one if people come there."""

    def __init__(self, surroundings: Surroundings, planner: GridPlanner) -> None:
        self._surroundings = surroundings
        self._planner = planner
        self._place_m: Vec2 | None = None

    def nearest_point(self, position_m: Vec2) -> Vec2:
        """The place to land at; the vehicle's own if none is better."""
        if self._place_m is None or self._is_near_people(TAKEN_M, self._place_m):
            self._place_m = self._chosen(position_m)
        return self._place_m

    def _chosen(self, position_m: Vec2) -> Vec2:
        field = self._planner.field(position_m)
        _, is_tight = self._surroundings.grid.sampled(COARSE)
        ground = self._surroundings.ground
        fit = ~is_tight & np.isfinite(ground.viewed_s) & ~self._people(OFF_PEOPLE_M)
        # The ways may be those of a moment before the window moved on.
        allowed = np.isfinite(field.cost) & ground.window.carried(fit, field.window, False)
        if not allowed.any():
            return position_m
        cost = np.where(allowed, field.cost, np.inf)
        row, column = np.unravel_index(int(np.argmin(cost)), cost.shape)
        return field.window.centre_of(int(row), int(column))

    def _is_near_people(self, distance_m: float, place_m: Vec2) -> bool:
        window = self._surroundings.ground.window
        row, column = window.cell_of(place_m)
        if not (0 <= row < window.size and 0 <= column < window.size):
            return False  # the window has moved on: nobody is known to be there
        return bool(self._people(distance_m)[row, column])

    def _people(self, distance_m: float) -> NDArray[np.bool_]:
        """The cells that are nearer than this to a person seen lately."""
        people = self._surroundings.people
        recent = people.seen_s >= self._surroundings.time_s - PERSON_S
        if not recent.any():
            return recent
        reach = math.ceil(distance_m / people.window.cell_m)
        aside = np.arange(-reach, reach + 1)
        disc = np.hypot(aside[:, None], aside[None, :]) * people.window.cell_m <= distance_m
        return np.asarray(binary_dilation(recent, disc))
