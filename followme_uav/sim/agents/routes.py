"""Scripted routes of the hero and of other people, and the check that a route is free."""

from __future__ import annotations

import bisect
import itertools
import math
from dataclasses import dataclass
from enum import Enum
from typing import Literal

import numpy as np

from followme_uav.errors import ConfigError
from followme_uav.messages import Vec2, Vec3
from followme_uav.sim.agents.gait import BRAKING_MPS2
from followme_uav.sim.city.arrays import Flags, Floats
from followme_uav.sim.city.layout import STREET_END_M, City, Collider
from followme_uav.sim.city.place import Place
from followme_uav.sim.city.polyline import Path

MAX_SPEED_MPS = 5.0

WALL_GAP_M = 0.6
"""The least distance of a route from anything solid; people cut corners a little."""

_REACH_M = STREET_END_M + 5.0
GRID_REACH_M = (-_REACH_M, -_REACH_M, _REACH_M, _REACH_M)
"""South, west, north, east: in the city of all seeds people walk so far."""
_FARTHEST_M = 5000.0

_SAMPLE_M = 0.1
_TALL_M = 2.0  # people walk under a solid that begins higher than this


class HeroMode(Enum):
    """A hero without a route."""

    RANDOM = "random"
    """The hero walks between random goals, drawn by the seed."""
    ABSENT = "absent"
    """The hero is not in the city."""


@dataclass(frozen=True)
class Route:
    """The way of one person and the speed on it, as written in a script.

    A person with a route makes way for others and waits for cars as all people do, so that person
    may be a little late and a little beside the route.

    Attributes:
        waypoints_m: (north, east) in the world, from the start on. At a single one, a person
            stands.
        speeds_mps: (from_s, speed_mps) pairs: the speed from that simulated time on; 0 is a stop.
            Before the first time, the person stands.
        loop: return to the first waypoint and repeat; else the person stays at the last one.

    Raises:
        ConfigError: A number is not finite, out of range or out of order.
    """

    waypoints_m: tuple[tuple[float, float], ...]
    speeds_mps: tuple[tuple[float, float], ...] = ((0.0, 1.4),)
    loop: bool = False

    def __post_init__(self) -> None:
        if not self.waypoints_m:
            raise ConfigError("route: it has no waypoint; give at least one (north, east)")
        for i, point in enumerate(self.waypoints_m):
            if not all(abs(v) <= _FARTHEST_M for v in point):
                raise ConfigError(
                    f"route: waypoint {i} {point} is outside the city; north and east go "
                    f"from {-_FARTHEST_M:g} to {_FARTHEST_M:g} m"
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
        """The speed at a time since the start."""
        i = bisect.bisect_right(self.speeds_mps, time_s, key=lambda entry: entry[0])
        return self.speeds_mps[i - 1][1] if i else 0.0


Hero = Route | HeroMode
Outfit = Literal["random", "decoy"]
"""Clothes drawn by the seed, or a red jacket with a hood that resembles the hero's."""


@dataclass(frozen=True)
class Walker:
    """A person besides the hero who follows a route."""

    route: Route
    outfit: Outfit = "random"


@dataclass(frozen=True)
class Solids:
    """Boxes and posts, seen from above."""

    names: tuple[str, ...]
    centre: Floats
    """(solids, 2) north, east."""
    half: Floats
    """(solids, 2) half sizes before the rotation by `yaw`; for a post, its radius twice."""
    yaw: Floats
    is_round: Flags
    corners_m: tuple[tuple[Vec3, ...], ...]
    """Of each solid that is neither a box nor a post; else empty."""


class RouteProgress:
    """The progress of one person along a route, and the point a little ahead to walk to.

    Attributes:
        start_m: north, east of the first waypoint.
        heading_rad: heading at the start.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        points = [(n, e, 0.0) for n, e in route.waypoints_m]
        self._path = Path([*points, points[0]] if route.loop else points)
        self.start_m: Vec2 = route.waypoints_m[0]
        n, e, _ = self._path.at(min(1.0, self._path.length_m))
        self.heading_rad = math.atan2(e - self.start_m[1], n - self.start_m[0])

    def restart(self) -> None:
        """Return to the first waypoint."""
        self._path.done_m = 0.0

    def rejoin(self, north_m: float, east_m: float) -> None:
        """Continue at the point of the route that is nearest to a place."""
        self._path.done_m = 0.0
        self._path.progress((north_m, east_m, 0.0), self._path.length_m)

    def aim(
        self, north_m: float, east_m: float, speed_mps: float, time_s: float
    ) -> tuple[Vec2, float]:
        """Advance to the position of the person; return the target and the desired speed.

        Args:
            north_m: position of the person.
            east_m: position of the person.
            speed_mps: speed of the person.
            time_s: since the start.
        """
        path = self._path
        path.progress((north_m, east_m, 0.0), 0.5 + speed_mps)
        ahead_m = path.done_m + 0.4 + 0.2 * speed_mps
        desired_mps = self._route.speed_at(time_s)
        if self._route.loop and path.length_m > 0.0:
            if path.done_m > path.length_m - 0.05:
                path.done_m = 0.0
            ahead_m %= path.length_m
        elif ahead_m >= path.length_m:
            left_m = math.dist((north_m, east_m), path.points_m[-1][:2])
            desired_mps = min(desired_mps, math.sqrt(2.0 * BRAKING_MPS2 * left_m))
            if left_m < 0.1:
                desired_mps = 0.0
        north, east, _ = path.at(ahead_m)
        return (north, east), desired_mps


def walkable_solids(city: Place) -> Solids:
    """The solids of a place that people cannot walk through or under."""

    def bottom_m(c: Collider) -> float:
        return -c.centre_m[2] - c.half_size_m[2] - city.floor_height_m(*c.centre_m[:2])

    solids = [c for c in city.colliders if bottom_m(c) < _TALL_M]
    return Solids(
        tuple(c.name for c in solids),
        np.array([c.centre_m[:2] for c in solids]).reshape(-1, 2),
        np.array([c.half_size_m[:2] for c in solids]).reshape(-1, 2),
        np.array([c.yaw_rad for c in solids], dtype=float),
        np.array([c.shape == "cylinder" for c in solids], dtype=bool),
        tuple(c.corners_m for c in solids),
    )


def gaps_m(points: Floats, solids: Solids) -> Floats:
    """(points, solids) distances of (points, 2) places to the solids; 0 inside a box."""
    north, east = (points[:, None, :] - solids.centre).transpose(2, 0, 1)
    c, s = np.cos(solids.yaw), np.sin(solids.yaw)
    along = np.abs(c * north + s * east) - solids.half[:, 0]
    across = np.abs(c * east - s * north) - solids.half[:, 1]
    to_box = np.hypot(np.maximum(along, 0.0), np.maximum(across, 0.0))
    gaps: Floats = np.where(solids.is_round, np.hypot(north, east) - solids.half[:, 0], to_box)
    hulls = [i for i, corners in enumerate(solids.corners_m) if corners]
    if hulls:
        import shapely  # the city of all seeds has no hulls

        rings = [shapely.MultiPoint(solids.corners_m[i]).convex_hull for i in hulls]
        where = shapely.points(points)
        for i, ring in zip(hulls, rings, strict=True):
            near = gaps[:, i] < WALL_GAP_M  # its box is nearer than that
            gaps[near, i] = shapely.distance(where[near], ring)
    return gaps


def check_within(route: Route, reach_m: tuple[float, float, float, float]) -> None:
    """Check that a route stays within south, west, north, east.

    Raises:
        ConfigError: A waypoint is outside.
    """
    south_m, west_m, north_m, east_m = reach_m
    for i, (n, e) in enumerate(route.waypoints_m):
        if not (south_m <= n <= north_m and west_m <= e <= east_m):
            raise ConfigError(
                f"route: waypoint {i} ({n:g}, {e:g}) is outside the city; north goes from "
                f"{south_m:g} to {north_m:g} m, east from {west_m:g} to {east_m:g} m"
            )


def check_route(route: Route, city: Place, person: str = "hero") -> None:
    """Check that a route keeps its distance from everything solid.

    Args:
        route: the route.
        city: the city that it leads through.
        person: name used in the error.

    Raises:
        ConfigError: A solid is on or near the route, or it leaves the place.
    """
    check_within(route, GRID_REACH_M if isinstance(city, City) else city.bounds_m)
    points = list(route.waypoints_m)
    if route.loop:
        points.append(points[0])
    solids = walkable_solids(city)
    for leg, (a, b) in enumerate(itertools.pairwise([points[0], *points])):
        share = np.linspace(0.0, 1.0, 2 + int(math.dist(a, b) / _SAMPLE_M))[:, None]
        way = np.array(a) + share * (np.array(b) - np.array(a))
        hit, which = np.nonzero(gaps_m(way, solids) < WALL_GAP_M)
        if len(hit):
            where = ", ".join(f"{v:.1f}" for v in way[hit[0]])
            raise ConfigError(
                f"route of {person}: leg {max(leg, 1)} comes within {WALL_GAP_M} m of "
                f"{solids.names[which[0]]} at ({where}); move its waypoints"
            )
