"""People who do not choose their own goals: those with routes, and an absent hero."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from followme_uav.sim.agents.crowd_state import Bodies
from followme_uav.sim.agents.goals import HERO_INDEX, Goals
from followme_uav.sim.agents.routes import Hero, HeroMode, Route, RouteProgress, check_route
from followme_uav.sim.city.arrays import Floats
from followme_uav.sim.city.obstacles import person_name
from followme_uav.sim.city.place import Place

_AWAY_M = 1.0e4  # position of an absent hero


class ScriptedPeople:
    """The people of a crowd who follow routes, and a hero who is absent.

    Args:
        city: the city that they walk in.
        hero: a route, or what the hero does without one.
        walkers: routes of other people.
        first_walker: index of the first of the walkers.

    Attributes:
        indices: all scripted people.
        hero_absent: whether the hero is not in the city.

    Raises:
        ConfigError: A route leads through something.
    """

    def __init__(
        self, city: Place, hero: Hero, walkers: Sequence[Route], first_walker: int
    ) -> None:
        routes = dict(enumerate(walkers, start=first_walker))
        if isinstance(hero, Route):
            routes[HERO_INDEX] = hero
        for i, route in routes.items():
            check_route(route, city, person_name(i))
        self._progress = {i: RouteProgress(route) for i, route in sorted(routes.items())}
        self.hero_absent = hero is HeroMode.ABSENT
        self.indices = np.array([HERO_INDEX] if self.hero_absent else list(self._progress), int)

    def __contains__(self, i: int) -> bool:
        """Whether person i follows a route."""
        return i in self._progress

    def place_at_start(self, bodies: Bodies, goals: Goals) -> None:
        """Put the people at the starts of their routes, and an absent hero far away; in place."""
        if self.hero_absent:
            bodies.position[HERO_INDEX] = goals.target[HERO_INDEX] = _AWAY_M
            goals.rest_until_s[HERO_INDEX] = math.inf
        for i, progress in self._progress.items():
            progress.restart()
            bodies.position[i], bodies.heading_rad[i] = progress.start_m, progress.heading_rad
            goals.stay_on_ground(i)

    def rejoin(self, i: int, north_m: float, east_m: float, goals: Goals) -> None:
        """Let person i continue at the point of the route that is nearest to a place."""
        if i in self._progress:
            self._progress[i].rejoin(north_m, east_m)
            goals.stay_on_ground(i)

    def aim(self, target: Floats, desired_mps: Floats, bodies: Bodies, time_s: float) -> None:
        """Set targets and desired speeds of the people with routes; in place."""
        for i, progress in self._progress.items():
            north_m, east_m = bodies.position[i].tolist()
            speed_mps = float(bodies.speed_mps[i])
            target[i], desired_mps[i] = progress.aim(north_m, east_m, speed_mps, time_s)
