"""The goal of each person: the next place of the graph, and the speed on the way there."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from followme_uav.sim.agents.crosswalks import NO_CROSSWALK, Crosswalks
from followme_uav.sim.agents.walk_graph import SCATTER_M
from followme_uav.sim.agents.walkways import Walkways
from followme_uav.sim.city.arrays import Floats, Indices

HERO_INDEX = 0

_CENTRE_SCALE_M = 45.0  # people prefer places within this of the centre, else it empties
_START_GAP_M = 1.0
_HERO_START_M = (15.0, 60.0)  # from the centre, where vehicles take off
_REST_SHARE = 0.12  # of arrivals
_RUN_SHARE = 0.12  # of ways


class Goals:
    """The goals of a number of people, the hero first.

    Attributes:
        target: (people, 2) the point that each person walks to.
        desired_mps: (people,) speed of each person while not resting.
        rest_until_s: (people,) each person rests until this time.
    """

    def __init__(self, walkways: Walkways) -> None:
        self.graph = walkways.graph
        self._walkways = walkways
        self._crosswalk_of = {
            (a, b): self.graph.crosswalk(a, b)
            for a, neighbours in enumerate(self.graph.neighbours)
            for b in neighbours
        }
        self._centre_m = np.hypot(*(self.graph.places_m - walkways.centre_m).T)

    def reset(self, people: int, rng: np.random.Generator, crosswalks: Crosswalks) -> None:
        """Forget all goals; use this generator and update these crosswalks from now on."""
        self._rng, self._crosswalks = rng, crosswalks
        self.target = np.zeros((people, 2))
        self.desired_mps = np.zeros(people)
        self.rest_until_s = np.zeros(people)
        self._place = np.zeros(people, dtype=np.int64)
        self._previous = np.zeros(people, dtype=np.int64)

    def start(self, i: int, others: Floats) -> Floats:
        """Draw a start for person i between two neighbouring places, off the carriageways.

        Args:
            i: index of the person.
            others: (n, 2) starts of the people before.

        Returns:
            (2,) north, east.
        """
        graph, rng = self.graph, self._rng
        weight = np.exp(-self._centre_m / _CENTRE_SCALE_M) * np.where(graph.in_plaza, 1.6, 1.0)
        weight /= weight.sum()
        for _ in range(1000):
            a = int(rng.choice(len(weight), p=weight))
            b = int(rng.choice(graph.neighbours[a]))
            way: Floats = graph.places_m[b] - graph.places_m[a]
            spot: Floats = graph.places_m[a] + rng.random() * way
            spot = spot + rng.uniform(-SCATTER_M, SCATTER_M, 2)
            fits = self._walkways.may_start(spot)
            if i == HERO_INDEX:
                away_m = math.hypot(*(spot - self._walkways.centre_m))
                fits = fits and _HERO_START_M[0] <= away_m <= _HERO_START_M[1]
            elif fits:
                fits = float(np.hypot(*(others - spot).T).min()) > _START_GAP_M
            if fits:
                break
        self._place[i], self._previous[i] = b, a
        self._assign_crosswalk(i)
        self.aim(i)
        return spot

    @property
    def ways(self) -> tuple[Indices, Indices]:
        """(people,) the place that each person comes from, and the one that the person walks to."""
        return self._previous, self._place

    def aim(self, i: int) -> None:
        """Draw a target near the next place of person i, and a speed."""
        graph, rng = self.graph, self._rng
        place = int(self._place[i])
        scatter_m = graph.scatter_m[place]
        self.target[i] = graph.places_m[place] + rng.uniform(-scatter_m, scatter_m, 2)
        runs = rng.random() < _RUN_SHARE
        if i == HERO_INDEX:
            self.desired_mps[i] = rng.uniform(1.9, 2.5) if runs else rng.uniform(1.2, 1.6)
        else:
            self.desired_mps[i] = rng.uniform(2.4, 3.0) if runs else rng.uniform(0.8, 1.6)

    def choose_next(self, i: int, time_s: float) -> None:
        """Draw the next place of person i, who has arrived, and whether to rest first."""
        graph, rng = self.graph, self._rng
        here = int(self._place[i])
        options = [p for p in graph.neighbours[here] if p != self._previous[i]]
        options = options or [int(self._previous[i])]
        weight = np.exp(-self._centre_m[options] / _CENTRE_SCALE_M)
        self._previous[i] = here
        self._place[i] = options[int(rng.choice(len(options), p=weight / weight.sum()))]
        self._assign_crosswalk(i)
        self.aim(i)
        if rng.random() < _REST_SHARE:
            rest_s = rng.uniform(1.0, 4.0) if i == HERO_INDEX else rng.uniform(1.0, 9.0)
            self.rest_until_s[i] = time_s + rest_s

    def turn_back(self, i: int, spot: Floats) -> None:
        """Send person i, who does not get on at a spot (2,), back to the previous place."""
        del spot
        self._place[i], self._previous[i] = self._previous[i], self._place[i]
        self.aim(i)

    def head_for_nearest(self, i: int, spot: Sequence[float]) -> None:
        """Send person i to the place nearest to (north, east), at once."""
        gap = np.hypot(*(self.graph.places_m - np.asarray(spot)).T)
        self.head_for(i, int(np.argmin(gap)))

    def head_for(self, i: int, place: int) -> None:
        """Send person i to a place of the graph, at once; person i may be off the graph."""
        self._place[i] = self._previous[i] = place
        self.rest_until_s[i] = 0.0
        self._crosswalks.assign(i, NO_CROSSWALK)
        self.aim(i)

    def stay_on_ground(self, i: int) -> None:
        """Let person i, who has a route in place of goals, walk on the ground, not on a deck."""
        self._previous[i] = self._place[i] = self._walkways.ground_place

    def _assign_crosswalk(self, i: int) -> None:
        way = int(self._previous[i]), int(self._place[i])
        self._crosswalks.assign(i, self._crosswalk_of.get(way, NO_CROSSWALK))
