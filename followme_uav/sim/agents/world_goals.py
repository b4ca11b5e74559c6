"""Goals of people in any world: they walk along shortest paths to places some way off."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from followme_uav.sim.agents.crosswalks import Crosswalks
from followme_uav.sim.agents.goals import Goals
from followme_uav.sim.agents.walkways import Walkways

_FARTHEST_M = 110.0
_NEAREST_M = 20.0
_CENTRE_SCALE_M = 70.0


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

    def reset(self, people: int, rng: np.random.Generator, crosswalks: Crosswalks) -> None:
        """Forget all goals; use this generator and update these crosswalks from now on."""
        super().reset(people, rng, crosswalks)
        self._paths.clear()

    def choose_next(self, i: int, time_s: float) -> None:
        """Send person i, who has arrived, on along the path, or on a new one."""
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

    def turn_back(self, i: int) -> None:
        """Send person i back to the previous place, and from there on another path."""
        self._paths.pop(i, None)
        super().turn_back(i)

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
