"""A park: paths between trees, lawns, a pond with a bridge, kiosks, a road around it."""

from __future__ import annotations

import math

import shapely
import shapely.affinity
from shapely import LineString, Polygon
from shapely.geometry import Point as ShapelyPoint

from followme_uav.worlds.generators.blocks import blob, octagon
from followme_uav.worlds.generators.site import Site, most_open_point
from followme_uav.worlds.shapes import line_of, smooth, street_polygon
from followme_uav.worlds.world import Foliage, Planter, Point, Street, World

_PATH_M, _MAIN_M = 2.6, 4.0
_ROAD_M, _PAVEMENT_M = 11.0, 2.4
_ROW_M = 7.0
"""Rows of trees stand so far from the middle of a way: a vehicle flies between their crowns."""
_LEAVES: tuple[Foliage, ...] = ("green", "dark", "lime", "autumn", "olive")


def park(seed: int, size_m: float = 300.0) -> World:
    """Make the park of a seed."""
    site = Site(size_m, seed, 3)
    site.area("lawn", site.bounds)
    centre: Point = (site.uniform(-8.0, 8.0), site.uniform(-8.0, 8.0))
    pond_angle = site.uniform(-math.pi, math.pi)
    reach_m = site.uniform(0.185, 0.205) * size_m
    pond_at = _polar(centre, pond_angle, reach_m)
    pond = blob(site.rng, pond_at, site.uniform(0.082, 0.1) * size_m)
    while pond.distance(ShapelyPoint(centre)) < 17.0:
        pond = shapely.affinity.scale(pond, 0.93, 0.93)
    site.area("water", pond, "pond")
    shore = pond.buffer(5.5).simplify(0.3)
    square = ShapelyPoint(centre).buffer(site.uniform(8.0, 10.5))
    _road(site)
    paths = _paths(site, centre, pond_angle, shore)
    _bridge(site, pond, shore)
    site.streets_done(flown_path_m=_MAIN_M)
    site.area("square", square, "centre")
    site.blocked(pond.buffer(0.8))
    site.blocked(square)
    site.planters = [Planter(_rounded(centre), 2.4, 2.0)]
    _kiosks(site, paths, square)
    for path in paths:
        site.benches_along(path, 26.0)
        site.lamps_along(path, 30.0, height_m=4.0, inside_m=-0.5)
    site.lamps_along(site.streets[0], 34.0, inside_m=0.5)
    _plants(site, paths, centre)
    crowns = [ShapelyPoint(t.at_m).buffer(t.crown_radius_m) for t in site.trees]
    solid = shapely.union_all(crowns + [street_polygon(s) for s in site.streets if s.is_raised])
    start = most_open_point([p for s in paths for p in s.line_m], solid, site.bounds.buffer(-20.0))
    return site.world("park", seed, "plaza", start)


def _polar(centre: Point, angle: float, reach_m: float) -> Point:
    return centre[0] + reach_m * math.cos(angle), centre[1] + reach_m * math.sin(angle)


def _rounded(point: Point) -> Point:
    return round(point[0], 2), round(point[1], 2)


def _road(site: Site) -> None:
    """Add the road around the park, a rounded square."""
    inner_m = site.half_m - 38.0
    edge = shapely.box(-inner_m, -inner_m, inner_m, inner_m).buffer(26.0, quad_segs=6).exterior
    points = list(edge.coords)
    site.street("street", _ROAD_M, points, pavement_m=_PAVEMENT_M, lanes=2, name="ring road")


def _paths(site: Site, centre: Point, pond_angle: float, shore: Polygon) -> list[Street]:
    """Add a loop, ways from the centre to the road, the way around the pond, and side paths."""
    road = line_of(site.streets[0])
    lines: list[LineString] = []
    phases = [site.uniform(0.0, 2 * math.pi) for _ in range(2)]
    corners = []
    for i in range(14):
        angle = 2 * math.pi * i / 14
        wave = 0.05 * math.sin(2 * angle + phases[0]) + 0.04 * math.sin(3 * angle + phases[1])
        corners.append(_polar((0.0, 0.0), angle, 2.0 * site.half_m * (0.35 + 0.5 * wave)))
    loop = LineString(smooth([*corners, corners[0]], 6.0))
    lines += [loop, LineString(shore.exterior.coords)]
    rays = int(site.rng.integers(5, 8))
    first = pond_angle + math.pi / rays
    for i in range(rays):
        angle = first + 2 * math.pi * i / rays + site.uniform(-0.12, 0.12)
        bend = site.uniform(-0.3, 0.3)
        outer = _on_ray(road, angle)
        middle = _polar(centre, angle + bend, 0.5 * math.dist(centre, outer))
        ray = LineString(smooth([centre, middle, outer], 6.0))
        if ray.intersects(shore.buffer(1.0)):
            ray = LineString([centre, outer])
        if not ray.intersects(shore.buffer(1.0)):
            lines.append(ray)
    near = shapely.shortest_line(ShapelyPoint(centre), lines[1])
    lines.append(LineString([centre, near.coords[1]]))
    far = _polar(centre, pond_angle, 0.5 * site.half_m)
    outer = _on_ray(loop, math.atan2(far[1], far[0]))
    away = shapely.shortest_line(LineString(shore.exterior.coords), ShapelyPoint(outer))
    lines.append(LineString([away.coords[0], outer]))
    made = [site.street("footpath", _MAIN_M, line) for line in lines]
    for _ in range(5):
        made += _side_path(site, lines, shore)
    return made


def _on_ray(line: LineString, angle: float) -> Point:
    """Return where a ray from the middle of the world meets a closed line."""
    hit = LineString([(0.0, 0.0), _polar((0.0, 0.0), angle, 5000.0)]).intersection(line)
    point = shapely.get_parts(hit)[0]
    return float(point.x), float(point.y)


def _side_path(site: Site, lines: list[LineString], shore: Polygon) -> list[Street]:
    """Join two main paths by a bent path that meets no water."""
    for _ in range(30):
        one, other = (lines[int(i)] for i in site.rng.integers(0, len(lines), 2))
        a = one.interpolate(site.uniform(0.2, 0.8), normalized=True)
        b = other.interpolate(site.uniform(0.2, 0.8), normalized=True)
        length_m = a.distance(b)
        if not 35.0 < length_m < 110.0:
            continue
        off_m = site.uniform(-0.25, 0.25) * length_m
        n, e = (b.x - a.x) / length_m, (b.y - a.y) / length_m
        middle = ((a.x + b.x) / 2 - e * off_m, (a.y + b.y) / 2 + n * off_m)
        line = LineString(smooth([(a.x, a.y), middle, (b.x, b.y)], 5.0))
        crossed = shapely.union_all(lines).intersection(line)
        if line.intersects(shore.buffer(-0.5)) or len(shapely.get_parts(crossed)) > 3:
            continue
        lines.append(line)
        return [site.street("footpath", _PATH_M, line)]
    return []


def _bridge(site: Site, pond: Polygon, shore: Polygon) -> None:
    """Let a footbridge cross the pond where it is narrow, from path to path."""
    middle = pond.centroid
    edge = LineString(shore.exterior.coords)
    best: LineString | None = None
    start = site.uniform(0.0, math.pi)
    for i in range(12):
        angle = start + math.pi * i / 12
        ray = LineString(
            [
                _polar((middle.x, middle.y), angle, 400.0),
                _polar((middle.x, middle.y), angle, -400.0),
            ]
        )
        hits = [p for p in shapely.get_parts(ray.intersection(edge)) if p.geom_type == "Point"]
        if len(hits) == 2:
            line = LineString([(p.x, p.y) for p in hits])
            if best is None or line.length < best.length:
                best = line
    if best is None:
        return
    points = [best.interpolate(share, normalized=True) for share in (0.0, 0.2, 0.5, 0.8, 1.0)]
    site.street(
        "bridge",
        3.0,
        [(p.x, p.y) for p in points],
        heights_m=(0.05, 0.5, 0.7, 0.5, 0.05),
        thickness_m=0.3,
        name="footbridge",
    )


def _kiosks(site: Site, paths: list[Street], square: Polygon) -> None:
    made = 0
    whole = shapely.union_all([line_of(p) for p in paths])
    for _ in range(300):
        if made == 4:
            return
        line = line_of(site.pick(paths))
        spot = line.interpolate(site.uniform(0.1, 0.9), normalized=True)
        angle = site.uniform(0.0, 2 * math.pi)
        at = _polar((spot.x, spot.y), angle, site.uniform(6.0, 8.0))
        shape = octagon(at, site.uniform(2.4, 3.4))
        if site.is_free(shape, 1.0) and whole.distance(shape) < 6.0 and site.chance(0.6):
            site.building(shape, 3.2, style="kiosk", roof="hip")
            site.area("yard", shape.buffer(2.0).difference(shape).difference(site.roads))
            made += 1


def _plants(site: Site, paths: list[Street], centre: Point) -> None:
    """Plant rows along two ways, groves, single trees and bushes; lawns between them stay open."""
    for path in paths[2:5]:
        line = line_of(path)
        for side in (-1.0, 1.0):
            row = line.parallel_offset(_ROW_M, "left" if side > 0 else "right")
            for along_m in range(6, int(row.length) - 4, 9):
                spot = row.interpolate(float(along_m))
                site.tree((spot.x, spot.y), ("lime", "green"), 7.0, 9.0, wall_m=1.6, column=0.0)
    open_lawns = [
        blob(site.rng, _polar((0.0, 0.0), site.uniform(0, 2 * math.pi),
                              site.uniform(0.12, 0.3) * 2 * site.half_m), site.uniform(18.0, 26.0))
        for _ in range(3)
    ]  # fmt: skip
    closed = shapely.union_all(open_lawns)
    for _ in range(11):
        at = (site.uniform(-1, 1) * site.half_m * 0.85, site.uniform(-1, 1) * site.half_m * 0.85)
        grove = blob(site.rng, at, site.uniform(15.0, 26.0)).difference(closed)
        free = grove.difference(site.roads.buffer(1.5))
        for solid in (ShapelyPoint(centre).buffer(22.0), *site._solid[:2]):
            free = free.difference(solid)
        site.area("wood", free.intersection(site.bounds), least_m2=80.0)
        for spot in site.scatter(free, int(free.area / 26.0)):
            site.tree(spot, _LEAVES, 6.0, 11.0, apart_m=4.4, on_path_m=1.5)
    rest = site.bounds.difference(closed)
    for spot in site.scatter(rest, 160):
        site.tree(spot, _LEAVES, 6.0, 10.0, apart_m=8.0, on_path_m=1.6)
    for spot in site.scatter(rest, 60):
        site.bush(spot)
