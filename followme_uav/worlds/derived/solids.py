"""Solids of a world: triangles of polygons, and convex parts with heights for collisions."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import mapbox_earcut
import numpy as np
import numpy.typing as npt
import shapely
from shapely import LineString, Polygon
from shapely.geometry.polygon import orient

from followme_uav.worlds.shapes import barrier_parts, box_of, line_of, polygon_of
from followme_uav.worlds.terrain import Floats, ground_height_m, ground_heights_m
from followme_uav.worlds.world import Point, Street, World

_TRUNK_M, _LAMP_M = 0.25, 0.12
_SHORTEST_TRUNK_M = 0.1
_BENCH_HEIGHT_M = 0.8
_INTO_GROUND_M = 0.3
"""Solids on a slope begin so far below its lowest point."""


@dataclass(frozen=True)
class ConvexPart:
    """The convex hull of a convex ring at two heights; a solid has one part or several."""

    name: str
    ring_m: tuple[Point, ...]
    bottoms_m: tuple[float, ...]
    """Height above z = 0 of the lower end of each upright edge."""
    tops_m: tuple[float, ...]


@dataclass(frozen=True)
class Pillar:
    """An upright cylinder."""

    name: str
    at_m: Point
    radius_m: float
    bottom_m: float
    """Height above z = 0."""
    top_m: float


def triangles_of(polygon: Polygon) -> tuple[Floats, npt.NDArray[np.uint32]]:
    """Triangulate a polygon with holes.

    Returns:
        (n, 2) corners: north, east; (m, 3) numbers of the corners of each triangle, all in one
        direction of rotation.
    """
    rings = [np.array(polygon.exterior.coords)[:-1, :2]]
    rings += [np.array(r.coords)[:-1, :2] for r in polygon.interiors]
    corners = np.ascontiguousarray(np.vstack(rings), dtype=np.float64)
    ends = np.cumsum([len(r) for r in rings]).astype(np.uint32)
    numbers = mapbox_earcut.triangulate_float64(corners, ends)
    return corners, np.asarray(numbers, dtype=np.uint32).reshape(-1, 3)


def convex_parts(polygon: Polygon) -> list[tuple[Point, ...]]:
    """Divide a polygon into convex rings, by joining triangles as long as they stay convex."""
    tidy = orient(polygon.simplify(1e-6))
    if not tidy.interiors and _is_convex(list(tidy.exterior.coords)[:-1]):
        return [tuple((float(n), float(e)) for n, e in list(polygon.exterior.coords)[:-1])]
    corners, triangles = triangles_of(tidy)
    rings: list[list[int]] = []
    for triangle in triangles:
        a, b, c = (int(i) for i in triangle)
        turn = _turn(corners[a], corners[b], corners[c])
        if abs(turn) > 1e-9:
            rings.append([a, b, c] if turn > 0 else [a, c, b])
    joined = True
    while joined:
        joined = False
        owner: dict[tuple[int, int], int] = {}
        for number, ring in enumerate(rings):
            for i, corner in enumerate(ring):
                owner[corner, ring[(i + 1) % len(ring)]] = number
        gone: set[int] = set()
        for (a, b), one in list(owner.items()):
            other = owner.get((b, a))
            if other is None or one == other or one in gone or other in gone:
                continue
            ring = _merged(rings[one], rings[other], a, b)
            if _is_convex([corners[i] for i in ring]):
                rings[one] = ring
                gone |= {other, one}
                rings[other] = []
                joined = True
        rings = [r for r in rings if r]
    return [tuple((float(corners[i][0]), float(corners[i][1])) for i in ring) for ring in rings]


def _merged(one: list[int], other: list[int], a: int, b: int) -> list[int]:
    """Join two rings at their common edge a to b."""
    i, j = one.index(b), other.index(a)
    return one[i:] + one[:i] + (other[j:] + other[:j])[1:-1]


def _turn(a: Any, b: Any, c: Any) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def _is_convex(ring: list[Any]) -> bool:
    """Whether a ring turns in one direction only, and once."""
    count = len(ring)
    turns = [_turn(ring[i], ring[(i + 1) % count], ring[(i + 2) % count]) for i in range(count)]
    if not (all(t > -1e-9 for t in turns) or all(t < 1e-9 for t in turns)):
        return False
    total = 0.0
    for i in range(count):
        a, b, c = ring[i], ring[(i + 1) % count], ring[(i + 2) % count]
        one, other = math.atan2(b[1] - a[1], b[0] - a[0]), math.atan2(c[1] - b[1], c[0] - b[0])
        total += math.remainder(other - one, 2 * math.pi)
    return abs(abs(total) - 2 * math.pi) < 0.1


def solids_of(world: World) -> tuple[ConvexPart | Pillar, ...]:
    """Return everything that a vehicle can collide with, but the ground.

    Parts of one object share its name, which is its kind and number. People and driving cars are no
    part of a world.
    """
    return tuple(_solids(world))


def _solids(world: World) -> Iterator[ConvexPart | Pillar]:
    for i, building in enumerate(world.buildings):
        low, high = _ground_span(world, building.outline_m)
        bottom = high + building.base_m if building.base_m else low - _INTO_GROUND_M
        top = high + building.height_m
        yield from _upright(f"building_{i}", polygon_of(building), bottom, top)
    for i, tree in enumerate(world.trees):
        ground = ground_height_m(world.terrain, *tree.at_m)
        crown = ground + crown_bottom_m(tree.height_m, tree.crown_radius_m)
        yield Pillar(f"tree_{i}_trunk", tree.at_m, _TRUNK_M, ground, crown)
        top = ground + tree.height_m
        yield Pillar(f"tree_{i}_crown", tree.at_m, tree.crown_radius_m, crown, top)
    for kind, items in (
        ("bush", [(b.at_m, b.radius_m, b.height_m) for b in world.bushes]),
        ("lamp", [(p.at_m, _LAMP_M, p.height_m) for p in world.lamps]),
        ("planter", [(p.at_m, p.radius_m, p.bush_height_m) for p in world.planters]),
    ):
        for i, (at_m, radius_m, height_m) in enumerate(items):
            ground = ground_height_m(world.terrain, *at_m)
            yield Pillar(f"{kind}_{i}", at_m, radius_m, ground, ground + height_m)
    on_slope = world.terrain is not None
    for kind, shapes in (
        ("bench", [(box_of(b), _BENCH_HEIGHT_M) for b in world.benches]),
        ("car", [(box_of(c), c.height_m) for c in world.parked_cars]),
        ("container", [(box_of(c), c.height_m) for c in world.containers]),
        ("barrier", [(barrier_parts(b, on_slope), b.height_m) for b in world.barriers]),
    ):
        for i, (shape, height_m) in enumerate(shapes):
            for part in shapely.get_parts(shape):
                low, high = _ground_span(world, part.exterior.coords)
                yield from _upright(f"{kind}_{i}", part, low - _INTO_GROUND_M, high + height_m)
    for i, street in enumerate(world.streets):
        if street.is_raised:
            yield from _deck(world, f"deck_{i}", street)


def crown_bottom_m(height_m: float, crown_radius_m: float) -> float:
    """Height above the ground at which the crown of a tree begins."""
    trunk_m = height_m - 1.6 * crown_radius_m + 1.0
    return min(0.42 * height_m, max(trunk_m, _SHORTEST_TRUNK_M))


def _ground_span(world: World, points: Any) -> tuple[float, float]:
    """The lowest and highest ground at points."""
    if world.terrain is None:
        return _INTO_GROUND_M, 0.0  # upright solids begin at 0 on level ground
    heights = ground_heights_m(world.terrain, np.asarray(list(points))[:, :2])
    return float(heights.min()), float(heights.max())


def _upright(name: str, shape: Polygon, bottom: float, top: float) -> Iterator[ConvexPart]:
    for ring in convex_parts(shape):
        yield ConvexPart(name, ring, (bottom,) * len(ring), (top,) * len(ring))


def _deck(world: World, name: str, street: Street) -> Iterator[ConvexPart]:
    """The deck with its railings as one solid for each segment, and its pillars."""
    half_m = street.width_m / 2.0
    points, heights = street.line_m, street.heights_m
    spans = zip(itertools.pairwise(points), itertools.pairwise(heights), strict=True)
    for (a, b), (low, high) in spans:
        size = math.dist(a, b)
        n, e = (b[1] - a[1]) / size * half_m, -(b[0] - a[0]) / size * half_m
        ring = ((a[0] + n, a[1] + e), (b[0] + n, b[1] + e),
                (b[0] - n, b[1] - e), (a[0] - n, a[1] - e))  # fmt: skip
        under = tuple(h - street.thickness_m for h in (low, high, high, low))
        over = tuple(h + street.railing_m for h in (low, high, high, low))
        yield ConvexPart(name, ring, under, over)
    line: LineString = line_of(street)
    for i, at in enumerate(street.supports_m):
        spot = shapely.geometry.Point(at)
        share = line.project(spot)
        stops = [line.project(shapely.geometry.Point(p)) for p in points]
        top = float(np.interp(share, stops, heights)) - street.thickness_m
        ground = ground_height_m(world.terrain, *at)
        square = spot.buffer(street.support_half_m, cap_style="square")
        yield from _upright(f"{name}_pillar_{i}", square, ground, max(top, ground + 0.1))
