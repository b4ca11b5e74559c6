"""The area on which people walk, and the graph of their ways.

People walk on pavements, alleys, footpaths, steps, squares and yards, keep off carriageways but for
crosswalks, and keep their body's radius from everything solid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import shapely
from scipy.spatial import Delaunay, QhullError
from shapely import LineString
from shapely.geometry import Point as ShapelyPoint

from followme_uav.worlds.derived.crosswalks import Crosswalk, crosswalks_of
from followme_uav.worlds.derived.heights import deck_heights_m
from followme_uav.worlds.derived.street_graph import ground_level_ends, street_graph
from followme_uav.worlds.shapes import (
    barrier_polygon,
    box_of,
    carriageway_polygon,
    line_of,
    polygon_of,
    street_polygon,
)
from followme_uav.worlds.terrain import Floats, ground_heights_m
from followme_uav.worlds.world import Point, Street, World

BODY_M = 0.4
"""Distance of a person's middle from walls and other solids."""
HEADROOM_M = 2.2
_SURFACES = ("square", "pavement", "yard", "parking")
_SPACING_M, _AREA_SPACING_M = 4.0, 6.0
_LONGEST_M = 14.0
_TRUNK_M, _LAMP_M = 0.25, 0.12


@dataclass(frozen=True)
class WalkGraph:
    """Places and the straight ways between them, as one connected graph."""

    places_m: Floats
    """(places, 2) north, east."""
    heights_m: Floats
    """(places,) height above z = 0 of the ground, or of a deck."""
    ways: tuple[tuple[int, int, int], ...]
    """Pairs of places with the number of the crosswalk between them, -1 for none."""
    crosswalks: tuple[Crosswalk, ...]

    def graph(self) -> nx.Graph:
        """Return it for searches: edges have `length_m` and `crosswalk`."""
        graph = nx.Graph()
        graph.add_nodes_from(range(len(self.places_m)))
        for a, b, crosswalk in self.ways:
            length_m = math.dist(self.places_m[a], self.places_m[b])
            graph.add_edge(a, b, length_m=length_m, crosswalk=crosswalk)
        return graph

    def nearest(self, at_m: Point) -> int:
        """Return the place nearest to a point."""
        return int(np.argmin(np.hypot(*(self.places_m - at_m).T)))


def obstacles_on_foot(world: World, near: Any = None) -> Any:
    """Return the union of all that people cannot walk through.

    Args:
        world: the world.
        near: leave out what is farther from this shape than a body; None: keep all.
    """
    solid: list[Any] = [polygon_of(b) for b in world.buildings if b.base_m < HEADROOM_M]
    solid += [polygon_of(a) for a in world.areas if a.surface == "water"]
    solid += [barrier_polygon(b) for b in world.barriers]
    found = np.concatenate([np.array(solid, dtype=object), _small_obstacles(world)])
    if near is not None:
        shapely.prepare(near)
        found = found[shapely.dwithin(near, found, BODY_M)]
    return shapely.union_all(found)


def _small_obstacles(world: World) -> Any:
    """Furniture, trunks and pillars as an array of polygons."""
    solid = [box_of(p) for p in world.parked_cars]
    solid += [box_of(p) for p in world.containers]
    solid += [box_of(p) for p in world.benches]
    for street in world.streets:
        half_m = street.support_half_m
        solid += [ShapelyPoint(p).buffer(half_m, cap_style="square") for p in street.supports_m]
    round_ones = [(*p.at_m, p.radius_m) for p in world.planters]
    round_ones += [(*b.at_m, b.radius_m) for b in world.bushes]
    round_ones += [(*t.at_m, _TRUNK_M) for t in world.trees]
    round_ones += [(*p.at_m, _LAMP_M) for p in world.lamps]
    at = np.array(round_ones, dtype=float).reshape(-1, 3)
    circles = shapely.buffer(shapely.points(at[:, :2]), at[:, 2], quad_segs=4)
    return np.concatenate([np.array(solid, dtype=object), circles])


def walkable_area(world: World) -> Any:
    """Return where the middle of a person on the ground may be."""
    ground = [s for s in world.streets if not s.is_raised]
    surfaces = [street_polygon(s) for s in ground]
    surfaces += [polygon_of(a) for a in world.areas if a.surface in _SURFACES]
    roads = shapely.union_all([carriageway_polygon(s) for s in ground if s.lanes])
    free = shapely.union_all(surfaces).difference(roads)
    around = obstacles_on_foot(world, free).buffer(BODY_M, quad_segs=4)
    low = [_low_part(world, s) for s in world.streets if s.is_raised]
    return free.difference(around).difference(shapely.union_all(low))


def walk_graph(world: World) -> WalkGraph:
    """Make the graph of the ways of people; it has all places that are connected with most."""
    area = walkable_area(world)
    shapely.prepare(area)
    crosswalks = crosswalks_of(world, street_graph(world), area)
    ends = [end for c in crosswalks for end in c.ends_m]
    places = np.array([*ends, *_samples(world, area)]).reshape(-1, 2)
    ways = {(2 * i, 2 * i + 1): i for i in range(len(crosswalks))}
    ways |= dict.fromkeys(_straight_ways(places, area), -1)
    heights = list(ground_heights_m(world.terrain, places))
    extra = _raised_ways(world, places, area, ways)
    for point, height in extra:
        places = np.vstack([places, point])
        heights.append(height)
    return _largest_part(places, np.array(heights), ways, crosswalks)


def _low_part(world: World, street: Street) -> Any:
    """The ground below a deck, without headroom; at an end that cars drive over, their way."""
    line = line_of(street).segmentize(1.0)
    points = np.array(line.coords)[:, :2]
    under = deck_heights_m(street, points) - street.thickness_m
    low = under - ground_heights_m(world.terrain, points) < HEADROOM_M
    parts = []
    for i in range(len(points) - 1):
        if not (low[i] and low[i + 1]):
            continue
        width_m = street.width_m
        if _is_ramp_end(street, line, points[i]):
            width_m = street.carriageway_m if street.lanes else 0.0
        if width_m > 0.0:
            part = LineString(points[i : i + 2]).buffer(width_m / 2.0, cap_style="square")
            parts.append(part)
    return shapely.union_all(parts)


def _is_ramp_end(street: Street, line: LineString, point: Any) -> bool:
    """Whether a point is so near to an end of a deck that people step on it there."""
    along_m = line.project(ShapelyPoint(point))
    return bool(min(along_m, line.length - along_m) < street.width_m)


def _samples(world: World, area: Any) -> list[Point]:
    """Places along the middle of pavements and paths, and spread over squares and yards."""
    found: list[Point] = []
    for street in world.streets:
        if street.is_raised:
            continue
        line = line_of(street)
        if street.lanes and street.pavement_m > 0.0:
            off_m = street.carriageway_m / 2.0 + street.pavement_m / 2.0
            rows: list[Any] = [line.offset_curve(off_m), line.offset_curve(-off_m)]
            rows += [line.buffer(off_m).exterior]  # around dead ends
        elif street.lanes:
            continue
        elif street.width_m >= 5.0:
            rows = [
                line,
                line.offset_curve(street.width_m / 4),
                line.offset_curve(-street.width_m / 4),
            ]
        else:
            rows = [line]
        for row in rows:
            for part in shapely.get_parts(row):
                if part.is_empty:  # beside a bend that is sharper than the street is wide
                    continue
                count = max(int(part.length / _SPACING_M), 1)
                points = [part.interpolate(i / count, normalized=True) for i in range(count + 1)]
                found += [(p.x, p.y) for p in points]
    for place in world.areas:
        if place.surface in _SURFACES:
            south, west, north, east = polygon_of(place).bounds
            n = np.arange(south + 1.0, north, _AREA_SPACING_M)
            e = np.arange(west + 1.0, east, _AREA_SPACING_M)
            grid = np.stack(np.meshgrid(n, e, indexing="ij"), -1).reshape(-1, 2)
            if len(grid):
                inside = shapely.contains_xy(polygon_of(place), grid)
                found += [(float(a), float(b)) for a, b in grid[inside]]
    rings = shapely.buffer(_small_obstacles(world), BODY_M + 0.1, quad_segs=2)
    # Ways lead around small obstacles.
    points_m = np.vstack([np.array(found).reshape(-1, 2), shapely.get_coordinates(rings)])
    points_m = points_m[shapely.contains_xy(area, points_m)]
    thin: list[Point] = []
    cells: set[tuple[int, int]] = set()
    for north_m, east_m in points_m:
        cell = (round(north_m / 0.7), round(east_m / 0.7))
        if cell not in cells:
            cells.add(cell)
            thin.append((float(north_m), float(east_m)))
    return thin


def _straight_ways(places: Floats, area: Any) -> list[tuple[int, int]]:
    """Edges of the Delaunay triangulation that stay in the walkable area."""
    if len(places) < 2:
        return []
    pairs = _neighbours(places)
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    length = np.hypot(*(places[pairs[:, 0]] - places[pairs[:, 1]]).T)
    pairs = pairs[(length < _LONGEST_M) & (length > 1e-6)]
    lines = shapely.linestrings(places[pairs])
    pairs = pairs[shapely.covers(area, lines)]
    return [(int(a), int(b)) for a, b in pairs]


def _neighbours(places: Floats) -> Any:
    """(n, 2) pairs of places between which no other place lies."""
    try:
        corners = Delaunay(places).simplices
    except QhullError:  # on a line, or too few: one straight path
        along = places @ (places[np.argmax(np.hypot(*(places - places[0]).T))] - places[0])
        order = np.argsort(along, kind="stable")
        return np.column_stack([order[:-1], order[1:]])
    return np.vstack([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])


def _raised_ways(
    world: World, places: Floats, area: Any, ways: dict[tuple[int, int], int]
) -> list[tuple[Point, float]]:
    """Add chains of places over footbridges and along the pavements of raised roads."""
    extra: list[tuple[Point, float]] = []
    roads = shapely.union_all([carriageway_polygon(s) for s in world.streets if s.lanes])
    shapely.prepare(roads)
    for street in world.streets:
        if not street.is_raised or not all(ground_level_ends(world, street)):
            continue
        line = line_of(street)
        if street.lanes and street.pavement_m < 0.8:
            continue
        off_m = street.carriageway_m / 2.0 + street.pavement_m / 2.0 if street.lanes else 0.0
        for rows in [line.offset_curve(off_m), line.offset_curve(-off_m)] if off_m else [line]:
            row = max(shapely.get_parts(rows), key=lambda p: p.length, default=None)
            if row is None or row.is_empty:
                continue
            count = max(int(row.length / _SPACING_M), 2)
            points = [row.interpolate(i / count, normalized=True) for i in range(count + 1)]
            chain = [(p.x, p.y) for p in points]
            height = deck_heights_m(street, chain)
            inner = _on_deck(world, street, chain, height, area)
            if not inner:
                continue
            first = len(places) + len(extra)
            extra += [(chain[i], float(height[i])) for i in inner]
            ways |= {(first + i, first + i + 1): -1 for i in range(len(inner) - 1)}
            for mine, end in ((first, chain[inner[0]]), (first + len(inner) - 1, chain[inner[-1]])):
                for near in _ends_of_deck(places, end, roads):
                    ways[near, mine] = -1
    return extra


def _on_deck(
    world: World, street: Street, chain: list[Point], height_m: Floats, area: Any
) -> list[int]:
    """The part of a chain of places over a deck that is neither on the ground nor on a road.

    Where a deck joins a street, its line goes on over the carriageway of that street.
    """
    inside = shapely.contains_xy(area, np.array(chain))
    inner = [i for i in range(len(chain)) if not inside[i]]
    roads = [carriageway_polygon(s) for s in world.streets if s.lanes and not s.is_raised]
    on_road = shapely.contains_xy(shapely.union_all(roads).buffer(BODY_M), np.array(chain))
    low = height_m - ground_heights_m(world.terrain, np.array(chain)) < HEADROOM_M
    while inner and on_road[inner[0]] and low[inner[0]]:
        inner.pop(0)
    while inner and on_road[inner[-1]] and low[inner[-1]]:
        inner.pop()
    return list(range(inner[0], inner[-1] + 1)) if inner else []


def _ends_of_deck(places: Floats, end: Point, roads: Any) -> list[int]:
    """The places near the end of a deck to which people walk from it without crossing a road."""
    gap_m = np.hypot(*(places - end).T)
    near = np.flatnonzero(gap_m < 2.0 * _SPACING_M)
    near = near[np.argsort(gap_m[near], kind="stable")]
    if not len(near):
        return []
    ways = shapely.linestrings([[places[i], end] for i in near.tolist()])
    return [int(i) for i in near[~shapely.intersects(roads, ways)]][:3]


def _largest_part(
    places: Floats,
    heights: Floats,
    ways: dict[tuple[int, int], int],
    crosswalks: tuple[Crosswalk, ...],
) -> WalkGraph:
    graph = nx.Graph(list(ways))
    part = sorted(max(nx.connected_components(graph), key=len, default=set()))
    number = {old: new for new, old in enumerate(part)}
    kept = tuple(
        (number[a], number[b], crosswalk)
        for (a, b), crosswalk in sorted(ways.items())
        if a in number and b in number
    )
    return WalkGraph(places[part].reshape(-1, 2), heights[part], kept, crosswalks)
