"""Where each person is going: from place to place of the graph, at a pace of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from followme_uav.sim.agents.crosswalks import Kerbs
from followme_uav.sim.agents.walks import STRAY_M, walk_graph
from followme_uav.sim.city.layout import PAVEMENT_HEIGHT_M, City, ground_height_m

HERO_INDEX = 0

_HOME_M = 45.0  # people prefer places this close to the centre, or the city would run empty
_START_GAP_M = 1.0
_RESTS = 0.12  # share of arrivals

Floats = NDArray[np.float64]


class Errands:
    """The goals of a number of people, the hero first.

    Attributes:
        target: (people, 2) where each walks to now.
        wish_mps: (people,) how fast, while they are not resting.
        rest_until_s: (people,)
    """

    def __init__(self, city: City) -> None:
        self.graph = walk_graph(city)
        self._zebra_of = {
            (a, b): self.graph.zebra(a, b)
            for a, neighbours in enumerate(self.graph.neighbours)
            for b in neighbours
        }
        self._centre_m = np.hypot(*self.graph.places_m.T)

    def reset(self, people: int, rng: np.random.Generator, kerbs: Kerbs) -> None:
        """Forget all goals; from now on use that generator, and tell those kerbs."""
        self._rng, self._kerbs = rng, kerbs
        self.target = np.zeros((people, 2))
        self.wish_mps = np.zeros(people)
        self.rest_until_s = np.zeros(people)
        self._place = np.zeros(people, dtype=np.int64)
        self._previous = np.zeros(people, dtype=np.int64)

    def start(self, i: int, others: Floats) -> Floats:
        """A spot for person i between two neighbouring places, on a pavement or in the plaza.

        Args:
            i: who.
            others: (n, 2) where others are already.
        """
        graph, rng = self.graph, self._rng
        weight = np.exp(-self._centre_m / _HOME_M) * np.where(graph.in_plaza, 1.6, 1.0)
        weight /= weight.sum()
        for _ in range(1000):
            a = int(rng.choice(len(weight), p=weight))
            b = int(rng.choice(graph.neighbours[a]))
            spot = graph.places_m[a] + rng.random() * (graph.places_m[b] - graph.places_m[a])
            spot = spot + rng.uniform(-STRAY_M, STRAY_M, 2)
            fits = ground_height_m(*spot.tolist()) == PAVEMENT_HEIGHT_M
            if i == HERO_INDEX:
                fits = fits and 15.0 <= math.hypot(*spot) <= 60.0
            elif fits:
                fits = float(np.hypot(*(others - spot).T).min()) > _START_GAP_M
            if fits:
                break
        self._place[i], self._previous[i] = b, a
        self._find_zebra(i)
        self.aim(i)
        return spot

    def aim(self, i: int) -> None:
        """Walk to the place of person i, or near it."""
        graph, rng = self.graph, self._rng
        place = int(self._place[i])
        stray_m = graph.stray_m[place]
        self.target[i] = graph.places_m[place] + rng.uniform(-stray_m, stray_m, 2)
        runs = rng.random() < 0.12
        if i == HERO_INDEX:
            self.wish_mps[i] = rng.uniform(1.9, 2.5) if runs else rng.uniform(1.2, 1.6)
        else:
            self.wish_mps[i] = rng.uniform(2.4, 3.0) if runs else rng.uniform(0.8, 1.6)

    def arrive(self, i: int, time_s: float) -> None:
        """Choose where person i goes next, and whether to rest first."""
        graph, rng = self.graph, self._rng
        here = int(self._place[i])
        options = [p for p in graph.neighbours[here] if p != self._previous[i]]
        options = options or [int(self._previous[i])]
        weight = np.exp(-self._centre_m[options] / _HOME_M)
        self._previous[i] = here
        self._place[i] = options[int(rng.choice(len(options), p=weight / weight.sum()))]
        self._find_zebra(i)
        self.aim(i)
        if rng.random() < _RESTS:
            rest_s = rng.uniform(1.0, 4.0) if i == HERO_INDEX else rng.uniform(1.0, 9.0)
            self.rest_until_s[i] = time_s + rest_s

    def turn_round(self, i: int) -> None:
        """Go back to where person i came from."""
        self._place[i], self._previous[i] = self._previous[i], self._place[i]
        self.aim(i)

    def set_out(self, i: int, spot: Sequence[float]) -> None:
        """Walk from (north, east), which need not be on the graph, to the nearest place."""
        gap = np.hypot(*(self.graph.places_m - np.asarray(spot)).T)
        self.set_out_for(i, int(np.argmin(gap)))

    def set_out_for(self, i: int, place: int) -> None:
        """Walk to a place of the graph from wherever person i is, at once."""
        self._place[i] = self._previous[i] = place
        self.rest_until_s[i] = 0.0
        self._kerbs.set(i, -1)
        self.aim(i)

    def _find_zebra(self, i: int) -> None:
        way = int(self._previous[i]), int(self._place[i])
        self._kerbs.set(i, self._zebra_of.get(way, -1))
