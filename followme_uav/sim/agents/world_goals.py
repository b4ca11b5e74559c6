"""Goals of people in any world: they walk along shortest paths to places some way off."""

from __future__ import annotations

import math

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from followme_uav.sim.agents.crosswalks import Crosswalks
from followme_uav.sim.agents.goals import Goals
from followme_uav.sim.agents.ground_contact import BODY_RADIUS_M
from followme_uav.sim.agents.walkways import Walkways
from followme_uav.sim.city.arrays import Floats

_FARTHEST_M = 110.0
_NEAREST_M = 20.0
_CENTRE_SCALE_M = 70.0
_TRIES, _STEP_M = 40, 0.3
"""So many places are tried for somebody who is stuck; their ways are looked at in such steps."""
_LEVEL_M = 1.0
"""Places that are so much higher or lower are on another level: on a deck, or below it."""


class WorldGoals(Goals):
    """As `Goals`, for a graph whose places are a few metres apart.

    A person keeps the speed until the end of a path, rests there at times, and draws another end.
    """

    def __init__(self, walkways: Walkways) -> None:
        super().__init__(walkways)
        ways = [(a, b) for a, others in enumerate(self.graph.neighbours) for b in others]
        rows, columns = np.array(ways).T
        apart = self.graph.places_m[rows] - self.graph.places_m[columns]
        count = len(self.graph.places_m)
        self._lengths = csr_matrix((np.hypot(*apart.T), (rows, columns)), shape=(count, count))
        self._paths: dict[int, list[int]] = {}
        """For each person the places after the next one, the last one first."""
        self._has_turned = np.zeros(0, dtype=bool)
        """Whether each person has turned back since the last place."""

    def reset(self, people: int, rng: np.random.Generator, crosswalks: Crosswalks) -> None:
        """Forget all goals; use this generator and update these crosswalks from now on."""
        super().reset(people, rng, crosswalks)
        self._paths.clear()
        self._has_turned = np.zeros(people, dtype=bool)

    def choose_next(self, i: int, time_s: float) -> None:
        """Send person i, who has arrived, on along the path, or on a new one."""
        self._has_turned[i] = False
        path = self._paths.get(i)
        if not path:
            super().choose_next(i, time_s)  # a step in any direction, a new speed, perhaps a rest
            self._paths[i] = self._new_path(int(self._place[i]), int(self._previous[i]))
            return
        self._previous[i] = self._place[i]
        self._place[i] = path.pop()
        self._assign_crosswalk(i)
        speed_mps = self.desired_mps[i]
        self.aim(i)
        self.desired_mps[i] = speed_mps

    def turn_back(self, i: int, spot: Floats) -> None:
        """Send person i back to the previous place, and from there on another path.

        If neither place can be reached from the spot, because a parked car is in between, the
        person goes to the nearest place without anything in between.
        """
        self._paths.pop(i, None)
        if self._has_turned[i]:
            places_m = self.graph.places_m
            height_m = self._height_m(spot, int(self._previous[i]), int(self._place[i]))
            for place in np.argsort(np.hypot(*(places_m - spot).T))[:_TRIES].tolist():
                is_level = abs(self._height_m(spot, place, place) - height_m) < _LEVEL_M
                if is_level and self._is_free(spot, places_m[place]):
                    self.head_for(i, place)
                    return
        self._has_turned[i] = True
        super().turn_back(i, spot)

    def _height_m(self, spot: Floats, a: int, b: int) -> float:
        """Height above z = 0 of somebody at a spot (2,) on the way between two places."""
        ways = np.array([a]), np.array([b])
        return -float(self._walkways.feet_down_m(spot[None], np.zeros(0, int), ways)[0])

    def _is_free(self, start: Floats, end: Floats) -> bool:
        """Whether a person can walk straight from one spot (2,) to another."""
        steps = max(math.ceil(math.dist(start, end) / _STEP_M), 1)
        shares = (np.arange(steps) + 1.0) / steps
        return all(
            self._walkways.has_room(start + s * (end - start), BODY_RADIUS_M) for s in shares
        )

    def head_for(self, i: int, place: int) -> None:
        """Send person i to a place of the graph, at once; person i may be off the graph."""
        self._paths.pop(i, None)
        super().head_for(i, place)

    def _new_path(self, here: int, before: int) -> list[int]:
        """Draw a path from a place that does not begin with the place before; the last first."""
        length_m, previous = dijkstra(
            self._lengths, indices=here, limit=_FARTHEST_M, return_predecessors=True
        )
        reached = np.flatnonzero(np.isfinite(length_m) & (length_m >= _NEAREST_M))
        if not len(reached):
            return []
        weight = np.exp(-self._centre_m[reached] / _CENTRE_SCALE_M)
        end = int(self._rng.choice(reached, p=weight / weight.sum()))
        path = [end]
        while previous[path[-1]] != here:
            path.append(int(previous[path[-1]]))
        return [] if path[-1] == before else path
