"""A campus: large halls, yards with containers, parking, and bridges between the buildings."""

from __future__ import annotations

import math
from typing import Any

import shapely
import shapely.ops
from shapely import LineString
from shapely.affinity import rotate
from shapely.geometry import Point as ShapelyPoint
from shapely.geometry import box

from followme_uav.worlds.generators.site import Site, most_open_point
from followme_uav.worlds.shapes import points_of, polygon_of
from followme_uav.worlds.world import Barrier, Building, Foliage, World

_ROAD_M, _PAVEMENT_M = 12.0, 2.4
_BRIDGE_HEIGHT_M, _BRIDGE_WIDTH_M = 7.0, 3.2
_LEAVES: tuple[Foliage, ...] = ("green", "dark")

Rect = tuple[float, float, float, float]
"""South, west, north, east before the campus is turned."""


def campus(seed: int, size_m: float = 300.0) -> World:
    """Make the campus of a seed."""
    site = Site(size_m, seed, 4)
    turn_deg = site.uniform(-14.0, 14.0)

    def put(shape: Any) -> Any:
        return rotate(shape, turn_deg, (0.0, 0.0))

    reach_m = 0.405 * size_m
    site.area("lawn", site.bounds)
    frame: Rect = (-reach_m, -reach_m, reach_m, reach_m)
    site.area("pavement", put(box(*frame)))
    cells, cuts = _cut(site, frame)
    ring = box(*frame).exterior
    for line in (ring, *cuts):
        site.street(
            "street", _ROAD_M, put(line), pavement_m=_PAVEMENT_M, lanes=2
        )  # fmt: skip
    site.streets_done(0.3)
    _fill(site, put, cells, math.radians(turn_deg))
    _bridges(site, put, cuts)
    _fence(site, put, reach_m)
    for street in site.streets:
        site.lamps_along(street, 32.0, height_m=7.0)
    beyond = site.bounds.difference(put(box(*frame)).buffer(14.0))
    for at in site.scatter(beyond, 40):
        site.tree(at, _LEAVES)
    solid = shapely.union_all(
        [polygon_of(b) for b in site.buildings]
        + [ShapelyPoint(t.at_m).buffer(t.crown_radius_m) for t in site.trees]
        + [LineString(s.line_m).buffer(s.width_m) for s in site.streets if s.is_raised]
    )
    on_ground = [LineString(s.line_m) for s in site.streets if not s.is_raised]
    candidates = [point for line in on_ground for point in points_of(line.segmentize(10.0))]
    start = most_open_point(candidates, solid, site.bounds.buffer(-20.0))
    return site.world("campus", seed, "modern", start)


def _cut(site: Site, rect: Rect) -> tuple[list[Rect], list[LineString]]:
    """Divide the campus by roads until the cells are about a hall large."""
    south, west, north, east = rect
    high, wide = north - south, east - west
    if max(high, wide) < site.uniform(92.0, 125.0):
        return [rect], []
    share = site.uniform(0.4, 0.6)
    if high > wide:
        at = south + share * high
        cut = LineString([(at, west), (at, east)])
        parts: tuple[Rect, Rect] = ((south, west, at, east), (at, west, north, east))
    else:
        at = west + share * wide
        cut = LineString([(south, at), (north, at)])
        parts = ((south, west, north, at), (south, at, north, east))
    cells, cuts = [], [cut]
    for part in parts:
        more_cells, more_cuts = _cut(site, part)
        cells += more_cells
        cuts += more_cuts
    return cells, cuts


def _fill(site: Site, put: Any, cells: list[Rect], turn_rad: float) -> None:
    """Use one cell for containers and one for cars; put halls on the others."""
    order = [int(i) for i in site.rng.permutation(len(cells))]
    for place, index in enumerate(order):
        south, west, north, east = cells[index]
        edge = _ROAD_M / 2.0 + 1.5
        inner: Rect = (south + edge, west + edge, north - edge, east - edge)
        if place == 0:
            _container_yard(site, put, inner, turn_rad)
        elif place == 1:
            _parking(site, put, inner, turn_rad)
        else:
            _halls(site, put, inner, turn_rad)


def _halls(site: Site, put: Any, rect: Rect, turn_rad: float) -> None:
    """Put one or two halls on a cell; the rest is yard, with a few trees or containers."""
    south, west, north, east = rect
    site.area("yard", put(box(*rect)))
    margin = site.uniform(1.0, 3.0)
    long_north = north - south > east - west
    two = max(north - south, east - west) > 62.0 and site.chance(0.75)
    gap_m = site.uniform(12.0, 18.0)
    spans = [(south + margin, north - margin, west + margin, east - margin)]
    if two and long_north:
        cut = south + site.uniform(0.42, 0.58) * (north - south)
        spans = [
            (south + margin, cut - gap_m / 2, west + margin, east - margin),
            (cut + gap_m / 2, north - margin, west + margin, east - margin),
        ]
    elif two:
        cut = west + site.uniform(0.42, 0.58) * (east - west)
        spans = [
            (south + margin, north - margin, west + margin, cut - gap_m / 2),
            (south + margin, north - margin, cut + gap_m / 2, east - margin),
        ]
    for s, n, w, e in spans:
        depth_n, depth_e = (n - s) * site.uniform(0.8, 1.0), (e - w) * site.uniform(0.8, 1.0)
        # One corner stays at the road.
        low_n = s if site.chance(0.5) else n - depth_n
        low_e = w if site.chance(0.5) else e - depth_e
        hall = box(low_n, low_e, low_n + depth_n, low_e + depth_e)
        if site.chance(0.35):
            bite = box(low_n, low_e, low_n + 0.4 * depth_n, low_e + 0.35 * depth_e)
            hall = hall.difference(bite)
        storeys = int(site.rng.integers(1, 4))
        site.building(put(hall), 9.0 + 2.5 * storeys, storeys=storeys, style="hall", roof="flat")
    if site.chance(0.6):
        for _ in range(12):
            at = (site.uniform(south + 4, north - 4), site.uniform(west + 4, east - 4))
            spot = put(ShapelyPoint(at))
            site.container((spot.x, spot.y), turn_rad + site.pick((0.0, math.pi / 2)), False)
    if site.chance(0.5):
        at = (site.uniform(south + 5, north - 5), site.uniform(west + 5, east - 5))
        silo = put(ShapelyPoint(at)).buffer(site.uniform(2.2, 3.2), quad_segs=3)
        if site.is_free(silo, 0.5):
            site.building(silo, site.uniform(14.0, 20.0), style="tower", name="silo")
    for spot in site.scatter(put(box(*rect)), 5):
        site.tree(spot, _LEAVES, 5.0, 8.0, wall_m=2.0)


def _container_yard(site: Site, put: Any, rect: Rect, turn_rad: float) -> None:
    """Put containers in rows, and a small office beside them."""
    south, west, north, east = rect
    site.area("yard", put(box(*rect)), "container yard")
    office = box(south + 1.0, west + 1.0, south + 9.0, west + 15.0)
    site.building(put(office), 7.0, storeys=2, style="hall")
    n = south + 14.0
    while n < north - 4.0:
        e = west + 7.0
        while e < east - 6.0:
            if site.chance(0.78):
                spot = put(ShapelyPoint(n, e))
                site.container((spot.x, spot.y), turn_rad + math.pi / 2, site.chance(0.4))
            e += 7.2
        n += site.pick((3.4, 3.4, 8.5))


def _parking(site: Site, put: Any, rect: Rect, turn_rad: float) -> None:
    """Park cars in rows between trees."""
    south, west, north, east = rect
    site.area("parking", put(box(*rect)), "car park")
    n = south + 3.5
    while n < north - 3.0:
        e = west + 3.0
        while e < east - 2.0:
            if site.chance(0.62):
                spot = put(ShapelyPoint(n, e))
                site.park((spot.x, spot.y), turn_rad)
            e += 2.8
        for east_m in (west + 1.2, east - 1.2):
            spot = put(ShapelyPoint(n, east_m))
            site.tree((spot.x, spot.y), _LEAVES, 5.0, 7.0)
        n += site.pick((6.0, 12.0))


def _bridges(site: Site, put: Any, cuts: list[LineString]) -> None:
    """Join halls on both sides of a road, or of a yard, by closed bridges."""
    halls = [b for b in site.buildings if b.style == "hall" and b.height_m > _BRIDGE_HEIGHT_M + 3.0]
    found: list[tuple[float, LineString]] = []
    for i, one in enumerate(halls):
        for other in halls[i + 1 :]:
            line = _span(one, other)
            if line is not None:
                found.append((line.length, line))
    order = [int(i) for i in site.rng.permutation(len(found))]
    made: list[LineString] = []
    for i in sorted(order, key=lambda i: not site.roads.intersects(found[i][1])):
        line = found[i][1]
        others = shapely.union_all([polygon_of(b) for b in site.buildings])
        inside = others.intersection(line.buffer(_BRIDGE_WIDTH_M / 2.0, cap_style="flat")).area
        if inside > 0.2 * line.length or any(line.distance(m) < 15.0 for m in made):
            continue
        made.append(line)
        site.street(
            "bridge",
            _BRIDGE_WIDTH_M,
            line,
            heights_m=(_BRIDGE_HEIGHT_M, _BRIDGE_HEIGHT_M),
            thickness_m=0.6,
            railing_m=2.4,
            name="bridge between halls",
        )
        if len(made) == 3:
            return


def _span(one: Building, other: Building) -> LineString | None:
    """Return a line at right angles between two parallel walls at most 36 m apart."""
    a, b = polygon_of(one), polygon_of(other)
    if a.distance(b) > 36.0:
        return None
    near = shapely.shortest_line(a, b)
    n, e = (near.coords[1][0] - near.coords[0][0], near.coords[1][1] - near.coords[0][1])
    size = math.hypot(n, e)
    if size < 4.0:
        return None
    # The part of both walls that face each other: slide the span to its middle.
    across = (-e / size, n / size)
    reaches = []
    for shape in (a, b):
        along = [p[0] * across[0] + p[1] * across[1] for p in shape.exterior.coords]
        reaches.append((min(along), max(along)))
    low, high = max(r[0] for r in reaches), min(r[1] for r in reaches)
    if high - low < 8.0:
        return None
    shift = (low + high) / 2.0 - (near.coords[0][0] * across[0] + near.coords[0][1] * across[1])
    start = (near.coords[0][0] + shift * across[0], near.coords[0][1] + shift * across[1])
    end = (start[0] + n, start[1] + e)
    line = LineString([start, end])
    # Both ends have to be at a wall, at least 2 m from its corners.
    for shape, point in ((a, start), (b, end)):
        if shape.exterior.distance(ShapelyPoint(point)) > 0.3:
            return None
        corners = shapely.MultiPoint(list(shape.exterior.coords))
        if corners.distance(ShapelyPoint(point)) < 2.5:
            return None
    return line


def _fence(site: Site, put: Any, reach_m: float) -> None:
    """Put a fence around the campus, with one gate."""
    edge = put(box(-reach_m, -reach_m, reach_m, reach_m).buffer(9.0, join_style="mitre")).exterior
    gate_m = site.uniform(0.1, 0.9) * edge.length
    part = shapely.ops.substring(edge, gate_m + 5.0, edge.length)
    rest = shapely.ops.substring(edge, 0.0, gate_m - 5.0)
    for piece in (part, rest):
        site.barriers.append(Barrier("fence", points_of(piece, 2), 2.2, 0.1))
    site.blocked(shapely.union_all([part, rest]).buffer(0.5))
