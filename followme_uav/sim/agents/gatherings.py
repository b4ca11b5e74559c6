"""Gatherings: routes of people who stand or walk slowly within a few metres of one place."""

from __future__ import annotations

import math

import numpy as np

from followme_uav.errors import ConfigError
from followme_uav.messages import Vec2
from followme_uav.sim.agents.routes import WALL_GAP_M, Route, Walker, gaps_m, walkable_solids
from followme_uav.sim.city.place import Place

_PACE_MPS = (0.4, 0.9)
_WAYPOINTS = 4
_START_GAP_M = 1.0
_TRIES = 60  # per person


def gathering(
    city: Place, place_m: Vec2, people: int, radius_m: float, number: int = 0
) -> list[Walker]:
    """Make people who stay within `radius_m` of a place; every other one stands.

    Args:
        city: its seed draws the routes.
        place_m: north, east.
        people: number of people.
        radius_m: greatest distance of waypoints from the place.
        number: of the gathering; each number gives other routes.

    Raises:
        ConfigError: There is no room for so many people.
    """
    rng = np.random.default_rng([city.seed, 90, number])
    solids = walkable_solids(city)
    starts: list[Vec2] = []

    def spot() -> Vec2:
        angle, out_m = rng.uniform(0.0, 2 * math.pi), radius_m * math.sqrt(rng.uniform())
        return (
            place_m[0] + float(out_m * math.cos(angle)),
            place_m[1] + float(out_m * math.sin(angle)),
        )

    def clear(*points: Vec2) -> bool:
        ways = [np.linspace(a, b, 12) for a, b in zip(points, points[1:] or points, strict=False)]
        return bool(gaps_m(np.concatenate(ways), solids).min() > WALL_GAP_M + 0.1)

    walkers = []
    for i in range(people):
        for _ in range(_TRIES):
            start = spot()
            if all(math.dist(start, other) > _START_GAP_M for other in starts) and clear(start):
                break
        else:
            north, east = place_m
            raise ConfigError(
                f"gathering at ({north:g}, {east:g}): no room for {people} people within "
                f"{radius_m:g} m; widen it, move it or make it smaller"
            )
        starts.append(start)
        waypoints = [start]
        for _ in range(_TRIES if i % 2 else 0):
            there = spot()
            if len(waypoints) < _WAYPOINTS and clear(waypoints[-1], there, start):
                waypoints.append(there)
        speed_mps = float(rng.uniform(*_PACE_MPS))
        route = Route(tuple(waypoints), ((0.0, speed_mps),), loop=len(waypoints) > 1)
        walkers.append(Walker(route))
    return walkers
