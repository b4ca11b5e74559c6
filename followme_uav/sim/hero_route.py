"""What the hero does: walk about like everybody, follow a route somebody wrote, or stay away."""

from __future__ import annotations

import bisect
import itertools
import math
from dataclasses import dataclass
from enum import Enum

import numpy as np

from followme_uav.errors import ConfigError
from followme_uav.sim.layout import STREET_END_M, City
from followme_uav.sim.paths import Path

MAX_SPEED_MPS = 5.0

_REACH_M = STREET_END_M + 5.0
_WALL_M = 0.6  # routes keep so far from everything solid; corners are cut a little
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
class HeroRoute:
    """Where the hero goes, and how fast, as written in a script.

    She makes way for others and waits for cars as everybody does, so she may come a little later
    and go a little aside.

    Attributes:
        waypoints_m: (north, east) in the world; she starts at the first. A single one is where she
            stands.
        speeds_mps: (from_s, speed_mps): from that simulated time on she goes that fast; 0 is a
            stop. Before the first she stands.
        loop: go back to the first waypoint and round again; else she stays at the last.

    Raises:
        ConfigError: A number makes no sense.
    """

    waypoints_m: tuple[tuple[float, float], ...]
    speeds_mps: tuple[tuple[float, float], ...] = ((0.0, 1.4),)
    loop: bool = False

    def __post_init__(self) -> None:
        if not self.waypoints_m:
            raise ConfigError("hero route: it has no waypoint; give at least one (north, east)")
        for i, point in enumerate(self.waypoints_m):
            if not all(abs(v) <= _REACH_M for v in point):
                raise ConfigError(
                    f"hero route: waypoint {i} {point} is outside the city; north and east go "
                    f"from {-_REACH_M:g} to {_REACH_M:g} m"
                )
        times = [from_s for from_s, _ in self.speeds_mps]
        if not all(math.isfinite(t) and t >= 0.0 for t in times) or times != sorted(set(times)):
            raise ConfigError(f"hero route: speeds begin at {times} s; use rising times from 0 on")
        for from_s, speed_mps in self.speeds_mps:
            if not 0.0 <= speed_mps <= MAX_SPEED_MPS:
                raise ConfigError(
                    f"hero route: {speed_mps} m/s from {from_s:g} s on; use 0 to {MAX_SPEED_MPS:g}"
                )

    def speed_at(self, time_s: float) -> float:
        """The speed wanted at a time since the start."""
        i = bisect.bisect_right(self.speeds_mps, time_s, key=lambda entry: entry[0])
        return self.speeds_mps[i - 1][1] if i else 0.0


Hero = HeroRoute | HeroMode


class RouteWalk:
    """The hero's progress along her route: a point that runs a little ahead of her."""

    def __init__(self, route: HeroRoute) -> None:
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
            north_m: where she is.
            east_m: the same.
            speed_mps: how fast she walks.
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


def check_route(route: HeroRoute, city: City) -> None:
    """Make sure that nothing stands in the way.

    Raises:
        ConfigError: Something does.
    """
    points = list(route.waypoints_m)
    if route.loop:
        points.append(points[0])
    solids = [c for c in city.colliders if -c.centre_m[2] - c.half_size_m[2] < _TALL_M]
    centre = np.array([c.centre_m[:2] for c in solids])
    half = np.array([c.half_size_m[:2] for c in solids])
    yaw = np.array([c.yaw_rad for c in solids])
    is_round = np.array([c.shape == "cylinder" for c in solids])
    for leg, (a, b) in enumerate(itertools.pairwise([points[0], *points])):
        share = np.linspace(0.0, 1.0, 2 + int(math.dist(a, b) / _SAMPLE_M))[:, None]
        way = np.array(a) + share * (np.array(b) - np.array(a))
        north, east = (way[:, None, :] - centre).transpose(2, 0, 1)
        along = np.abs(np.cos(yaw) * north + np.sin(yaw) * east) - half[:, 0]
        across = np.abs(np.cos(yaw) * east - np.sin(yaw) * north) - half[:, 1]
        to_box = np.hypot(np.maximum(along, 0.0), np.maximum(across, 0.0))
        gap_m = np.where(is_round, np.hypot(north, east) - half[:, 0], to_box)
        hit, which = np.nonzero(gap_m < _WALL_M)
        if len(hit):
            where = ", ".join(f"{v:.1f}" for v in way[hit[0]])
            raise ConfigError(
                f"hero route: leg {max(leg, 1)} comes within {_WALL_M} m of "
                f"{solids[which[0]].name} at ({where}); move its waypoints"
            )
