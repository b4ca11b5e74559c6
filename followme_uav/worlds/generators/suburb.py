"""A suburb: curved roads, detached houses in gardens with hedges, many trees."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import shapely
from shapely import LineString, Polygon
from shapely.affinity import rotate, translate
from shapely.geometry import Point as ShapelyPoint
from shapely.geometry import box

from followme_uav.worlds.generators.site import Site, most_open_point
from followme_uav.worlds.shapes import barrier_polygon, heading_at, line_of
from followme_uav.worlds.world import Barrier, Foliage, Point, World

_WIDTH_M, _PAVEMENT_M = 9.0, 1.5
_PLOT_DEPTH_M = 23.0
_LEAVES: tuple[Foliage, ...] = ("green", "lime", "dark", "red", "autumn")


def suburb(seed: int, size_m: float = 300.0) -> World:
    """Make the suburb of a seed."""
    site = Site(size_m, seed, 2)
    site.area("lawn", site.bounds)
    for points in _roads(site):
        site.street("street", _WIDTH_M, points, pavement_m=_PAVEMENT_M, lanes=2)
    site.streets_done()
    taken: list[Polygon] = []
    for street in site.streets:
        _plots_along(site, line_of(street), taken)
    for street in site.streets:
        site.lamps_along(street, 36.0, inside_m=-0.4)
    for at in site.scatter(site.bounds.difference(site.roads.buffer(2.0)), 420):
        site.tree(at, _LEAVES, apart_m=5.5, wall_m=2.2)
    for at in site.scatter(site.bounds.difference(site.roads.buffer(1.5)), 80):
        site.bush(at)
    solid = shapely.union_all(
        [Polygon(b.outline_m) for b in site.buildings]
        + [ShapelyPoint(t.at_m).buffer(t.crown_radius_m) for t in site.trees]
    )
    start = most_open_point(
        [p for s in site.streets for p in s.line_m], solid, site.bounds.buffer(-20.0)
    )
    return site.world("suburb", seed, "brick_town", start)


def _roads(site: Site) -> list[list[Point]]:
    """Draw a bent lattice, take roads out of it, and keep two ways to everywhere."""
    rows = max(round(2.0 * site.half_m / 72.0), 2)
    columns = max(round(2.0 * site.half_m / 84.0), 2)
    reach_m = site.half_m - 26.0
    waves = [
        (site.uniform(7.0, 12.0), site.uniform(150.0, 230.0), site.uniform(0.0, 2 * math.pi))
        for _ in range(4)
    ]
    turn = site.uniform(-0.3, 0.3)

    def place(row: float, column: float) -> Point:
        n = -reach_m + 2.0 * reach_m * row / (rows - 1)
        e = -reach_m + 2.0 * reach_m * column / (columns - 1)
        n += sum(a * math.sin(2 * math.pi * e / w + p) for a, w, p in waves[:2])
        e += sum(a * math.sin(2 * math.pi * n / w + p) for a, w, p in waves[2:])
        shrink = 0.86
        c, s = shrink * math.cos(turn), shrink * math.sin(turn)
        edge = site.half_m - 7.0
        n, e = c * n - s * e, s * n + c * e
        return min(max(n, -edge), edge), min(max(e, -edge), edge)

    graph = nx.grid_2d_graph(rows, columns)
    for edge in [list(graph.edges)[int(i)] for i in site.rng.permutation(len(graph.edges))]:
        if graph.number_of_edges() <= 1.25 * graph.number_of_nodes():
            break
        graph.remove_edge(*edge)
        if not nx.is_connected(graph) or next(nx.bridges(graph), None) is not None:
            graph.add_edge(*edge)
    nodes = {node: _rounded([place(*node)])[0] for node in graph.nodes}
    pieces = []
    for (r0, c0), (r1, c1) in sorted(graph.edges):
        inner = [place(r0 + (r1 - r0) * i / 14, c0 + (c1 - c0) * i / 14) for i in range(1, 14)]
        pieces.append(LineString([nodes[r0, c0], *inner, nodes[r1, c1]]))
    whole = shapely.line_merge(shapely.union_all(pieces))
    roads = [_bent(line) for line in shapely.get_parts(whole)]
    return roads + _dead_ends(site, roads)


def _bent(line: LineString, window_m: float = 14.0) -> list[Point]:
    """Round the corners of a line between its ends, which stay."""
    count = max(int(line.length / 4.0), 2)
    along = np.linspace(0.0, line.length, count + 1)
    points = []
    for s in along:
        reach = min(window_m, s, line.length - s)
        near = [line.interpolate(float(s + reach * k / 4.0)) for k in range(-4, 5)]
        points.append((sum(p.x for p in near) / 9.0, sum(p.y for p in near) / 9.0))
    return _rounded(points)


def _rounded(points: list[Point]) -> list[Point]:
    return [(round(n, 2), round(e, 2)) for n, e in points]


def _dead_ends(site: Site, roads: list[list[Point]]) -> list[list[Point]]:
    """Draw a few short roads into the blocks."""
    whole = shapely.union_all([LineString(r) for r in roads])
    found: list[list[Point]] = []
    for i in site.rng.permutation(len(roads)):
        if len(found) == 4:
            break
        line = LineString(roads[int(i)])
        if line.length < 55.0:
            continue
        at, heading = line.interpolate(0.5, normalized=True), heading_at(line, line.length / 2.0)
        side = heading + site.pick((-1.0, 1.0)) * math.pi / 2.0
        bend = site.uniform(-0.35, 0.35)
        points: list[Point] = [(round(at.x, 2), round(at.y, 2))]
        for _ in range(4):
            n, e = points[-1]
            points.append((round(n + 8.0 * math.cos(side), 2), round(e + 8.0 * math.sin(side), 2)))
            side += bend / 4.0
        new = LineString(points)
        others = shapely.union_all([whole, *(LineString(f) for f in found)])
        far = LineString(points[2:])
        if others.distance(far) > 14.0 and site.bounds.buffer(-14.0).covers(new):
            found.append(points)
    return found


def _plots_along(site: Site, line: LineString, taken: list[Polygon]) -> None:
    """Put houses with gardens on both sides of a road."""
    for side in (-1.0, 1.0):
        along_m = site.uniform(9.0, 14.0)
        while along_m < line.length - 6.0:
            frontage_m = site.uniform(15.5, 21.0)
            if _plot(site, line, along_m, side, frontage_m, taken):
                along_m += frontage_m + 0.6
            else:
                along_m += 2.0


def _plot(
    site: Site,
    line: LineString,
    along_m: float,
    side: float,
    frontage_m: float,
    taken: list[Polygon],
) -> bool:
    """Add a house with its garden; False where there is no room."""
    spot, heading = line.interpolate(along_m), heading_at(line, along_m, 4.0)

    def put(shape: Any) -> Any:
        """From the plot's axes, along the road and away from it, to the world."""
        if side < 0.0:
            shape = shapely.transform(shape, lambda p: p * (1.0, -1.0))
        return translate(rotate(shape, heading, (0.0, 0.0), use_radians=True), spot.x, spot.y)

    half_m, front_m = frontage_m / 2.0, _WIDTH_M / 2.0 + 1.2
    plot = put(box(-half_m, front_m, half_m, front_m + _PLOT_DEPTH_M))
    inside = plot.buffer(-0.1)
    if not site.is_free(plot) or any(inside.intersects(other) for other in taken):
        return False
    taken.append(plot)
    wide_m, deep_m = site.uniform(9.0, min(13.0, frontage_m - 5.5)), site.uniform(8.0, 10.0)
    back_m, aside_m = front_m + site.uniform(5.5, 7.5), site.uniform(-1.0, 1.0)
    body = box(aside_m - wide_m / 2, back_m, aside_m + wide_m / 2, back_m + deep_m)
    if site.chance(0.45):  # a wing to the garden
        left = site.chance(0.5)
        edge_m = aside_m - wide_m / 2 if left else aside_m + wide_m / 2 - 5.0
        body = body.union(box(edge_m, back_m + deep_m - 0.5, edge_m + 5.0, back_m + deep_m + 4.0))
    storeys = int(site.rng.integers(1, 3))
    roof = site.pick(("gable", "hip", "gable"))
    site.building(put(body), storeys * 3.0 + 0.5, storeys=storeys, style="house", roof=roof)
    gate = site.pick((-1.0, 1.0))
    drive_m = gate * (half_m - 2.6)
    site.area("yard", put(box(drive_m - 1.5, front_m - 1.3, drive_m + 1.5, back_m)), "driveway")
    if site.chance(0.6):
        middle = put(box(drive_m - 1.0, front_m + 0.5, drive_m + 1.0, front_m + 5.3)).centroid
        site.park((middle.x, middle.y), heading + math.pi / 2.0)
    _hedges(site, put, half_m, front_m, gate)
    for _ in range(int(site.rng.integers(2, 6))):
        n, e = site.uniform(-half_m + 1.5, half_m - 1.5), site.uniform(18.0, _PLOT_DEPTH_M + 3.0)
        garden = put(ShapelyPoint(n, front_m + e - 3.5).buffer(0.1)).centroid
        site.tree((garden.x, garden.y), _LEAVES, 5.0, 9.0, wall_m=2.0)
    return True


def _hedges(
    site: Site, put: Callable[[Any], Any], half_m: float, front_m: float, gate: float
) -> None:
    """Add hedges around a plot, with a gap for the driveway."""
    low_m, high_m = front_m + 0.6, front_m + _PLOT_DEPTH_M - 0.5
    edge_m = half_m - 0.5
    gap_m = gate * (half_m - 4.8)
    outlines = [[(-gate * edge_m, low_m), (gap_m, low_m)]]
    if site.chance(0.85):
        outlines.append([(-edge_m, low_m + 1.0), (-edge_m, high_m)])
    if site.chance(0.85):
        outlines.append([(edge_m, low_m + 1.0), (edge_m, high_m)])
    if site.chance(0.7):
        outlines.append([(-edge_m + 1.0, high_m), (edge_m - 1.0, high_m)])
    for outline in outlines:
        line = put(LineString(outline))
        points = tuple((round(n, 2), round(e, 2)) for n, e in line.coords)
        hedge = Barrier("hedge", points, round(site.uniform(1.1, 1.9), 2), 0.8)
        if site.is_free(barrier_polygon(hedge)):
            site.barriers.append(hedge)
            site.blocked(barrier_polygon(hedge))
