"""Hills: a valley between two slopes, roads that climb them, steps, and a road above the valley.

The plan is made in axes across (u) and along (v) the valley, and then turned and mirrored.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.ndimage import gaussian_filter
from shapely import LineString, Polygon
from shapely.geometry import Point as ShapelyPoint
from shapely.geometry import box

from followme_uav.worlds.generators.blocks import blob
from followme_uav.worlds.generators.site import Site, most_open_point
from followme_uav.worlds.shapes import (
    barrier_polygon,
    heading_at,
    line_of,
    smooth,
    street_polygon,
    turned_box,
)
from followme_uav.worlds.terrain import ground_heights_m, steepest_slope
from followme_uav.worlds.world import Barrier, Foliage, Point, Terrain, World

_WIDTH_M, _PAVEMENT_M = 9.0, 1.6
_STEPS_M = 3.0
_SLOPE = 0.092
"""Of the sides of the valley."""
MAX_SLOPE = 0.1
_GRID_M = 5.0
_LEAVES: tuple[Foliage, ...] = ("dark", "green", "olive", "autumn")


@dataclass(frozen=True)
class _Plan:
    """The numbers that a seed draws."""

    wave_m: float
    wave_length_m: float
    phase: float
    tilt: float
    rim_m: float
    """Distance of the upper roads from the bottom of the valley."""
    viaduct_v: float
    quarters: int
    mirrored: bool

    def bottom(self, v: float) -> float:
        """Return u of the bottom of the valley."""
        return self.wave_m * math.sin(2 * math.pi * v / self.wave_length_m + self.phase)

    def place(self, u: float, v: float) -> Point:
        """Return (north, east)."""
        n, e = v, -u if self.mirrored else u
        for _ in range(self.quarters):
            n, e = -e, n
        return n, e

    def axes(self, n: float, e: float) -> tuple[float, float]:
        """Return (u, v) of a place; the inverse of `place`."""
        for _ in range(self.quarters):
            n, e = e, -n
        return (-e if self.mirrored else e), n


def hills(seed: int, size_m: float = 300.0) -> World:
    """Make the hills of a seed."""
    site = Site(size_m, seed, 5)
    plan = _Plan(
        wave_m=site.uniform(6.0, 12.0),
        wave_length_m=site.uniform(0.8, 1.1) * size_m,
        phase=site.uniform(0.0, 2 * math.pi),
        tilt=site.uniform(0.0, 0.022),
        rim_m=site.uniform(0.295, 0.325) * size_m,
        viaduct_v=site.uniform(-0.07, 0.07) * size_m,
        quarters=int(site.rng.integers(0, 4)),
        mirrored=site.chance(0.5),
    )
    site.terrain = _terrain(site, plan)
    site.area("lawn", site.bounds)
    _roads(site, plan)
    site.streets_done()
    _houses(site)
    _walls(site)
    _plants(site)
    for street in site.streets:
        if street.kind == "street":
            site.lamps_along(street, 36.0, inside_m=-0.4)
    solid = shapely.union_all(
        [Polygon(b.outline_m) for b in site.buildings]
        + [ShapelyPoint(t.at_m).buffer(t.crown_radius_m) for t in site.trees]
        + [street_polygon(s).buffer(4.0) for s in site.streets if s.is_raised]
    )
    candidates = [p for s in site.streets if s.kind == "street" for p in s.line_m]
    start = most_open_point(candidates, solid, site.bounds.buffer(-20.0))
    return site.world("hills", seed, "old_town", start)


def _terrain(site: Site, plan: _Plan) -> Terrain:
    count = round(2.0 * site.half_m / _GRID_M) + 1
    axis = np.linspace(-site.half_m, site.half_m, count)
    heights = np.zeros((count, count))
    bumps = [
        (site.uniform(-1, 1) * site.half_m, site.uniform(-1, 1) * site.half_m,
         site.uniform(30.0, 50.0), site.uniform(-0.5, 0.7))
        for _ in range(9)
    ]  # fmt: skip
    for i, n in enumerate(axis):
        for j, e in enumerate(axis):
            u, v = plan.axes(float(n), float(e))
            off_m = abs(u - plan.bottom(v))
            rise_m = _SLOPE * min(max(off_m - 10.0, 0.0), plan.rim_m - 6.0)
            beyond_m = max(off_m - plan.rim_m - 6.0, 0.0)
            heights[i, j] = rise_m + 0.04 * beyond_m + plan.tilt * (v + site.half_m)
            heights[i, j] += sum(
                h * math.exp(-((n - a) ** 2 + (e - b) ** 2) / (2 * r * r)) for a, b, r, h in bumps
            )
    heights = gaussian_filter(heights, 1.4, mode="nearest")
    heights -= heights.min()
    spacing_m = float(axis[1] - axis[0])

    def made(scale: float) -> Terrain:
        rows = tuple(tuple(round(float(h), 3) for h in row) for row in scale * heights)
        return Terrain(-site.half_m, -site.half_m, spacing_m, rows)

    steepest = steepest_slope(made(1.0))
    return made(min(1.0, (MAX_SLOPE - 1e-3) / steepest))


def _roads(site: Site, plan: _Plan) -> None:
    """Add the valley road, the upper roads, those that climb, the viaduct and the steps."""
    end = site.half_m - 10.0
    along = np.linspace(-end, end, 25)

    def street(points: list[Point]) -> LineString:
        line = LineString([plan.place(u, v) for u, v in points])
        site.street("street", _WIDTH_M, line, pavement_m=_PAVEMENT_M, lanes=2)
        return line

    street([(plan.bottom(v), v) for v in along])
    rims = {
        side: [(side * plan.rim_m + 0.6 * plan.bottom(v), float(v)) for v in along]
        for side in (-1.0, 1.0)
    }
    for side in (-1.0, 1.0):
        street(rims[side])

    def rim_u(side: float, v: float) -> float:
        return side * plan.rim_m + 0.6 * plan.bottom(v)

    centre = plan.viaduct_v
    corners = [(-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (1.0, 1.0)]
    if site.chance(0.5):
        corners[2:] = corners[3:1:-1]
    for side, up in corners[: 3 if site.chance(0.5) else 4]:
        low_v = centre + up * site.uniform(0.1, 0.14) * 2 * site.half_m
        high_v = centre + up * site.uniform(0.31, 0.36) * 2 * site.half_m
        low, high = plan.bottom(low_v), rim_u(side, high_v)
        bend = site.uniform(0.3, 0.42)
        points = smooth(
            [
                (low, low_v),
                (low + bend * (high - low), low_v + 0.22 * (high_v - low_v)),
                (low + (1 - 0.6 * bend) * (high - low), low_v + 0.72 * (high_v - low_v)),
                (high, high_v),
            ],
            6.0,
        )
        street(points)
    _viaduct(site, plan, rim_u(-1.0, centre), rim_u(1.0, centre))
    for side in (-1.0, 1.0):
        for v in (centre + site.uniform(0.03, 0.05) * 2 * site.half_m,
                  centre - site.uniform(0.2, 0.3) * 2 * site.half_m):  # fmt: skip
            a, b = plan.place(plan.bottom(v), v), plan.place(rim_u(side, v), v)
            site.street("steps", _STEPS_M, LineString([a, b]).segmentize(8.0))


def _viaduct(site: Site, plan: _Plan, west_u: float, east_u: float) -> None:
    """Add the road above the valley: straight, from one upper road to the other."""
    v = plan.viaduct_v
    us = np.linspace(west_u, east_u, 15)
    points = [plan.place(float(u), v) for u in us]
    ends = ground_heights_m(site.terrain, [points[0], points[-1]])
    share = np.linspace(0.0, 1.0, len(points))
    ground = ground_heights_m(site.terrain, points)
    deck = np.maximum(ends[0] + share * (ends[1] - ends[0]), ground + 0.02)
    supports = []
    below = [line_of(s) for s in site.streets]
    for u in np.linspace(west_u, east_u, 9)[1:-1]:
        at = plan.place(float(u), v)
        high = float(np.interp(u, us, deck) - ground_heights_m(site.terrain, at))
        spot = ShapelyPoint(at)
        if high > 2.5 and all(line.distance(spot) > _WIDTH_M / 2.0 + 0.8 for line in below):
            supports.append((round(at[0], 2), round(at[1], 2)))
    site.street(
        "elevated_road",
        8.0,
        points,
        lanes=2,
        pavement_m=1.2,
        heights_m=tuple(round(float(h), 3) for h in deck),
        supports_m=tuple(supports),
        support_half_m=0.6,
        name="viaduct",
    )


def _houses(site: Site) -> None:
    """Put houses along the roads, their long side parallel to the road."""
    for street in site.streets:
        if street.kind != "street":
            continue
        line = line_of(street)
        for side in (-1.0, 1.0):
            along_m = site.uniform(6.0, 12.0)
            while along_m < line.length - 6.0:
                wide_m, deep_m = site.uniform(8.5, 13.0), site.uniform(8.0, 10.5)
                spot, heading = line.interpolate(along_m), heading_at(line, along_m, 4.0)
                off_m = side * (street.width_m / 2.0 + site.uniform(1.5, 4.0) + deep_m / 2.0)
                at = (spot.x - off_m * math.sin(heading), spot.y + off_m * math.cos(heading))
                shape = turned_box(at, heading, wide_m, deep_m)
                if site.is_free(shape, 1.0) and site.chance(0.75):
                    storeys = int(site.rng.integers(2, 4))
                    roof = site.pick(("gable", "gable", "hip"))
                    site.building(shape, 3.0 * storeys + 0.4, storeys=storeys, roof=roof)
                    along_m += wide_m + site.uniform(2.5, 8.0)
                else:
                    along_m += 5.0


def _walls(site: Site) -> None:
    """Add walls of terraces below some houses, along the slope."""
    for building in list(site.buildings)[::3]:
        ring = Polygon(building.outline_m).minimum_rotated_rectangle.buffer(2.2, join_style="mitre")
        corners = list(ring.exterior.coords)[:4]
        low = min(range(4), key=lambda i: sum(site.heights((corners[i], corners[(i + 1) % 4]))))
        points = tuple(
            (round(n, 2), round(e, 2)) for n, e in (corners[low], corners[(low + 1) % 4])
        )
        wall = Barrier("wall", points, 1.0, 0.4)
        if site.is_free(barrier_polygon(wall), 0.3):
            site.barriers.append(wall)
            site.blocked(barrier_polygon(wall))


def _plants(site: Site) -> None:
    free = site.bounds.difference(site.roads.buffer(2.0))
    for _ in range(6):
        at = (site.uniform(-1, 1) * site.half_m, site.uniform(-1, 1) * site.half_m)
        grove = blob(site.rng, at, site.uniform(16.0, 28.0)).intersection(free)
        near = shapely.union_all([Polygon(b.outline_m) for b in site.buildings]).buffer(4.0)
        grove = grove.difference(near)
        site.area("wood", grove.intersection(box(*site.bounds.bounds)), least_m2=120.0)
        for spot in site.scatter(grove, int(grove.area / 34.0)):
            site.tree(spot, _LEAVES, 6.0, 11.0, apart_m=4.6)
    for spot in site.scatter(free, 150):
        site.tree(spot, _LEAVES, 5.0, 9.0, apart_m=7.0, wall_m=2.5)
    for spot in site.scatter(free, 60):
        site.bush(spot)
