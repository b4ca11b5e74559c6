"""Routes that somebody wrote, for the hero, who may also walk about or stay away, or others."""

from __future__ import annotations

import bisect
import itertools
import math
from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from followme_uav.errors import ConfigError
from followme_uav.sim.city.layout import STREET_END_M, City
from followme_uav.sim.city.polyline import Path

Floats = NDArray[np.float64]

MAX_SPEED_MPS = 5.0

WALL_M = 0.6
"""Routes keep so far from everything solid; corners are cut a little."""

_REACH_M = STREET_END_M + 5.0

_SAMPLE_M = 0.1
_TALL_M = 2.0  # what begins higher than this is walked under
_BRAKING_MPS2 = 1.8


class HeroMode(Enum):
    """A hero without a route."""

    RANDOM = "random"
    """She walks about, by the seed."""
    ABSENT = "absent"
    """She is not in the city."""


@dataclass(frozen=True)
class Route:
    """Where somebody goes, and how fast, as written in a script.

    Whoever follows one makes way for others and waits for cars as everybody does, so they may come
    a little later and go a little aside.

    Attributes:
        waypoints_m: (north, east) in the world, beginning at the first. A single one is where they
            stand.
        speeds_mps: (from_s, speed_mps): from that simulated time on they go that fast; 0 is a
            stop. Before the first they stand.
        loop: go back to the first waypoint and round again; else they stay at the last.

    Raises:
        ConfigError: A number makes no sense.
    """

    waypoints_m: tuple[tuple[float, float], ...]
    speeds_mps: tuple[tuple[float, float], ...] = ((0.0, 1.4),)
    loop: bool = False

    def __post_init__(self) -> None:
        if not self.waypoints_m:
            raise ConfigError("route: it has no waypoint; give at least one (north, east)")
        for i, point in enumerate(self.waypoints_m):
            if not all(abs(v) <= _REACH_M for v in point):
                raise ConfigError(
                    f"route: waypoint {i} {point} is outside the city; north and east go "
                    f"from {-_REACH_M:g} to {_REACH_M:g} m"
                )
        times = [from_s for from_s, _ in self.speeds_mps]
        if not all(math.isfinite(t) and t >= 0.0 for t in times) or times != sorted(set(times)):
            raise ConfigError(f"route: speeds begin at {times} s; use rising times from 0 on")
        for from_s, speed_mps in self.speeds_mps:
            if not 0.0 <= speed_mps <= MAX_SPEED_MPS:
                raise ConfigError(
                    f"route: {speed_mps} m/s from {from_s:g} s on; use 0 to {MAX_SPEED_MPS:g}"
                )

    def speed_at(self, time_s: float) -> float:
        """The speed wanted at a time since the start."""
        i = bisect.bisect_right(self.speeds_mps, time_s, key=lambda entry: entry[0])
        return self.speeds_mps[i - 1][1] if i else 0.0


Hero = Route | HeroMode
Outfit = Literal["random", "decoy"]
"""Clothes drawn by the seed, or a red jacket with a hood that is not quite the hero's."""


@dataclass(frozen=True)
class Walker:
    """Somebody besides the hero who follows a route."""

    route: Route
    outfit: Outfit = "random"


@dataclass(frozen=True)
class Solids:
    """Boxes and posts, seen from above."""

    names: tuple[str, ...]
    centre: Floats
    """(solids, 2) north, east."""
    half: Floats
    """(solids, 2) half sizes before turning; of a post, its radius twice."""
    yaw: Floats
    is_round: NDArray[np.bool_]


class RouteWalk:
    """Somebody's progress along a route: a point that runs a little ahead of them."""

    def __init__(self, route: Route) -> None:
        self._route = route
        points = [(n, e, 0.0) for n, e in route.waypoints_m]
        self._path = Path([*points, points[0]] if route.loop else points)
        self.start_m = route.waypoints_m[0]
        n, e, _ = self._path.at(min(1.0, self._path.length_m))
        self.heading_rad = math.atan2(e - self.start_m[1], n - self.start_m[0])

    def restart(self) -> None:
        """Back to the first waypoint."""
        self._path.done_m = 0.0

    def join(self, north_m: float, east_m: float) -> None:
        """Go on from the point of the route that is nearest to a place."""
        self._path.done_m = 0.0
        self._path.progress((north_m, east_m, 0.0), self._path.length_m)

    def aim(
        self, north_m: float, east_m: float, speed_mps: float, time_s: float
    ) -> tuple[tuple[float, float], float]:
        """Where to walk towards now, and how fast.

        Args:
            north_m: where they are.
            east_m: the same.
            speed_mps: how fast they walk.
            time_s: since the start.
        """
        path = self._path
        path.progress((north_m, east_m, 0.0), 0.5 + speed_mps)
        ahead_m = path.done_m + 0.4 + 0.2 * speed_mps
        wish_mps = self._route.speed_at(time_s)
        if self._route.loop and path.length_m > 0.0:
            if path.done_m > path.length_m - 0.05:
                path.done_m = 0.0
            ahead_m %= path.length_m
        elif ahead_m >= path.length_m:
            left_m = math.dist((north_m, east_m), path.points_m[-1][:2])
            wish_mps = min(wish_mps, math.sqrt(2.0 * _BRAKING_MPS2 * left_m))
            if left_m < 0.1:
                wish_mps = 0.0
        north, east, _ = path.at(ahead_m)
        return (north, east), wish_mps


def walkable_solids(city: City) -> Solids:
    """What nobody can walk through."""
    solids = [c for c in city.colliders if -c.centre_m[2] - c.half_size_m[2] < _TALL_M]
    return Solids(
        tuple(c.name for c in solids),
        np.array([c.centre_m[:2] for c in solids]),
        np.array([c.half_size_m[:2] for c in solids]),
        np.array([c.yaw_rad for c in solids]),
        np.array([c.shape == "cylinder" for c in solids]),
    )


def gaps_m(points: Floats, solids: Solids) -> Floats:
    """(points, solids) from each of (points, 2) places to each solid; 0 inside a box."""
    north, east = (points[:, None, :] - solids.centre).transpose(2, 0, 1)
    c, s = np.cos(solids.yaw), np.sin(solids.yaw)
    along = np.abs(c * north + s * east) - solids.half[:, 0]
    across = np.abs(c * east - s * north) - solids.half[:, 1]
    to_box = np.hypot(np.maximum(along, 0.0), np.maximum(across, 0.0))
    return np.where(solids.is_round, np.hypot(north, east) - solids.half[:, 0], to_box)


def check_route(route: Route, city: City, who: str = "hero") -> None:
    """Make sure that nothing stands in the way of `who`.

    Raises:
        ConfigError: Something does.
    """
    points = list(route.waypoints_m)
    if route.loop:
        points.append(points[0])
    solids = walkable_solids(city)
    for leg, (a, b) in enumerate(itertools.pairwise([points[0], *points])):
        share = np.linspace(0.0, 1.0, 2 + int(math.dist(a, b) / _SAMPLE_M))[:, None]
        way = np.array(a) + share * (np.array(b) - np.array(a))
        hit, which = np.nonzero(gaps_m(way, solids) < WALL_M)
        if len(hit):
            where = ", ".join(f"{v:.1f}" for v in way[hit[0]])
            raise ConfigError(
                f"route of {who}: leg {max(leg, 1)} comes within {WALL_M} m of "
                f"{solids.names[which[0]]} at ({where}); move its waypoints"
            )
