"""Random ways of people through a world, along shortest paths that keep off walls."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra

from followme_uav.messages import Vec2
from followme_uav.sim.agents.routes import WALL_GAP_M, gaps_m, walkable_solids
from followme_uav.sim.city.world_place import WorldPlace

_REACH_M = 90.0
"""Ways lead to places up to this far from the take-off."""
_OFF_VEHICLE_M = 3.0
_LEGS = 6
_SLACK_M = 0.05
_SAMPLES = 5
"""Points of each straight way at which its distance from walls is measured."""


class WorldWays:
    """The straight ways of a world on which a route may lead."""

    def __init__(self, place: WorldPlace) -> None:
        walk = place.walk_graph
        self._places_m = walk.places_m
        pairs = np.array([way[:2] for way in walk.ways], dtype=int).reshape(-1, 2)
        a, b = self._places_m[pairs[:, 0]], self._places_m[pairs[:, 1]]
        away = np.hypot(*(self._places_m - place.start_m).T)
        near = (away[pairs] < 1.5 * _REACH_M).all(axis=1)
        pairs, a, b = pairs[near], a[near], b[near]
        solids, clear = walkable_solids(place), np.ones(len(pairs), dtype=bool)
        if len(solids.names):
            for share in np.linspace(0.0, 1.0, _SAMPLES):
                gaps = gaps_m(a + share * (b - a), solids).min(axis=1)
                clear &= gaps > WALL_GAP_M + _SLACK_M
        pairs, length = pairs[clear], np.hypot(*(a - b)[clear].T)
        both = np.vstack([pairs, pairs[:, ::-1]])
        size = (len(self._places_m),) * 2
        lengths = np.concatenate([length, length])
        self._lengths = csr_matrix((lengths, (both[:, 0], both[:, 1])), shape=size)
        _, part = connected_components(self._lengths, directed=False)
        largest = part == np.bincount(part).argmax()
        self._off_vehicle = away > _OFF_VEHICLE_M
        self._ends = np.flatnonzero(largest & (away < _REACH_M))

    def draw(self, rng: np.random.Generator) -> list[Vec2]:
        """Draw a way; empty if there is none, and if it would begin at the vehicle."""
        if len(self._ends) < 2:
            return []
        way = [int(rng.choice(self._ends))]
        if not self._off_vehicle[way[0]]:
            return []
        for _ in range(_LEGS):
            end = int(rng.choice(self._ends))
            _, before = dijkstra(self._lengths, indices=way[-1], return_predecessors=True)
            leg = [end]
            while leg[-1] != way[-1]:
                leg.append(int(before[leg[-1]]))
            way += leg[-2::-1]
        return [(float(n), float(e)) for n, e in self._places_m[way]]
