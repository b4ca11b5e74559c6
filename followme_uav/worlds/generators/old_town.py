"""An old town: winding narrow streets, closed rows of houses, small squares, a ring and a wall."""

from __future__ import annotations

import itertools
import math
from typing import Any

import networkx as nx
import numpy as np
import shapely
import shapely.ops
from scipy.spatial import Voronoi
from shapely import LineString, Polygon
from shapely.affinity import rotate, translate
from shapely.geometry import Point as ShapelyPoint
from shapely.geometry import box
from shapely.ops import polygonize

from followme_uav.worlds.generators.blocks import row_of_houses
from followme_uav.worlds.generators.site import Site, most_open_point
from followme_uav.worlds.shapes import polygons_in, smooth
from followme_uav.worlds.world import Barrier, Foliage, World

_CELL_M = 41.0
"""Mean distance between the middles of blocks."""
_STREET_M, _PAVEMENT_M = 9.0, 1.75
_ALLEY_M = (6.0, 7.5)
_DEPTH_M = 10.0
_PASSAGES_M = (5.2, 3.8)
"""Heights of passages, in turn: some are high enough for a vehicle, some are not."""
_STOREY_M = 3.1
_LEAVES: tuple[Foliage, ...] = ("green", "dark", "autumn", "olive")

Node = tuple[float, float]


def old_town(seed: int, size_m: float = 300.0) -> World:
    """Make the old town of a seed."""
    site = Site(size_m, seed, 1)
    network, ring = _network(site)
    _streets(site, network)
    site.streets_done()
    lines = [LineString(s.line_m) for s in site.streets]
    faces = [f for f in polygonize(shapely.union_all(lines)) if f.area > 60.0]
    faces.sort(key=lambda f: f.centroid.distance(ShapelyPoint(0.0, 0.0)))
    site.area("lawn", site.bounds)
    squares = _pick_squares(site, faces)
    for number, face in enumerate(faces):
        block = _largest(face.difference(site.roads))
        if block is None:
            continue
        if number in squares:
            _square(site, block, main=number == squares[0])
        else:
            _block(site, block)
    _passages(site)
    _outside(site, ring)
    for street in site.streets:
        site.lamps_along(street, 26.0, height_m=4.5, inside_m=0.15)
    solid = shapely.union_all(
        [Polygon(b.outline_m) for b in site.buildings]
        + [ShapelyPoint(t.at_m).buffer(t.crown_radius_m) for t in site.trees]
    )
    candidates = [p for s in site.streets for p in s.line_m]
    start = most_open_point(candidates, solid, site.bounds.buffer(-20.0))
    return site.world("old-town", seed, "old_town", start)


def _network(site: Site) -> tuple[nx.Graph, list[Node]]:
    """Draw the streets as a graph of the edges between blocks; also the nodes of the ring."""
    radius_m = 0.43 * 2.0 * site.half_m
    reach_m = radius_m + 2.0 * _CELL_M
    seeds: list[tuple[float, float]] = []
    for _ in range(6000):
        at = (site.uniform(-reach_m, reach_m), site.uniform(-reach_m, reach_m))
        if all(math.dist(at, other) > 0.78 * _CELL_M for other in seeds):
            seeds.append(at)
    points = np.array(seeds)
    for _ in range(2):  # relaxed, so that few streets are very short
        diagram = Voronoi(points)
        for i, region in enumerate(diagram.point_region):
            corners = diagram.regions[region]
            if corners and -1 not in corners and np.hypot(*points[i]) < reach_m:
                points[i] = 0.5 * points[i] + 0.5 * diagram.vertices[corners].mean(axis=0)
    diagram = Voronoi(points)
    stretch = site.uniform(0.86, 1.0)
    scaled = points * ((stretch, 1.0 / stretch) if site.chance(0.5) else (1.0 / stretch, stretch))
    inside = np.hypot(*scaled.T) < radius_m - 0.45 * _CELL_M
    place = {
        i: (round(float(n), 2), round(float(e), 2)) for i, (n, e) in enumerate(diagram.vertices)
    }
    graph = nx.Graph()
    outer: list[tuple[Node, Node]] = []
    for (a, b), (one, other) in zip(diagram.ridge_vertices, diagram.ridge_points, strict=True):
        if a < 0 or not (inside[one] or inside[other]) or place[a] == place[b]:
            continue
        is_ring = inside[one] != inside[other]
        graph.add_edge(place[a], place[b], ring=is_ring, main=is_ring)
        if is_ring:
            outer.append((place[a], place[b]))
    _merge_short(graph)
    ring = sorted({node for e in graph.edges if graph.edges[e]["ring"] for node in e})
    _mark_main_streets(site, graph, ring)
    return graph, ring


def _merge_short(graph: nx.Graph, least_m: float = 11.0) -> None:
    """Merge junctions that lie too near to each other."""
    while True:
        short = [e for e in sorted(graph.edges) if math.dist(*e) < least_m]
        if not short:
            return
        keep, gone = min(short, key=lambda e: math.dist(*e))
        for other in sorted(graph[gone]):
            if other not in (keep, gone):
                data = graph.edges[gone, other]
                if graph.has_edge(keep, other):
                    for key in ("ring", "main"):
                        graph.edges[keep, other][key] |= data[key]
                else:
                    graph.add_edge(keep, other, **data)
        graph.remove_node(gone)


def _mark_main_streets(site: Site, graph: nx.Graph, ring: list[Node]) -> None:
    """Let two streets for cars cross the town from ring to ring."""
    for a, b in graph.edges:
        graph.edges[a, b]["length"] = math.dist(a, b)
    turn = site.uniform(0.0, math.pi / 2.0)
    for angle in (turn, turn + math.pi / 2.0):
        ahead = (math.cos(angle), math.sin(angle))
        forward = [p[0] * ahead[0] + p[1] * ahead[1] for p in ring]
        ends = [ring[int(np.argmax(forward))], ring[int(np.argmin(forward))]]
        nx.set_edge_attributes(
            graph,
            dict.fromkeys(nx.utils.pairwise(nx.shortest_path(graph, *ends, "length")), True),
            "main",
        )


def _streets(site: Site, graph: nx.Graph) -> None:
    for a, b in sorted(graph.edges):
        length_m = math.dist(a, b)
        middle = ((a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0)
        off_m = site.uniform(-0.12, 0.12) * length_m
        n, e = (b[0] - a[0]) / length_m, (b[1] - a[1]) / length_m
        points = smooth([a, (middle[0] - e * off_m, middle[1] + n * off_m), b], 5.0)
        if graph.edges[a, b]["main"]:
            site.street("street", _STREET_M, points, pavement_m=_PAVEMENT_M, lanes=2)
        else:
            site.street("alley", round(site.uniform(*_ALLEY_M), 2), points)


def _largest(shape: Any) -> Polygon | None:
    return max(polygons_in(shape, 25.0), key=lambda p: p.area, default=None)


def _pick_squares(site: Site, faces: list[Polygon]) -> list[int]:
    """Choose the block in the middle and two or three others as squares."""
    chosen = [0]
    wanted = int(site.rng.integers(2, 4))
    for i in (int(i) for i in site.rng.permutation(len(faces))):
        apart = all(faces[i].distance(faces[other]) > 5.0 for other in chosen)
        if len(chosen) <= wanted and apart and 500.0 < faces[i].area < 1500.0:
            chosen.append(i)
    return chosen


def _square(site: Site, block: Polygon, *, main: bool) -> None:
    site.area("square", block, "market square" if main else "")
    if main:
        _church(site, block)
    spots = site.scatter(block.buffer(-3.5), 5 if main else 7)
    for at in spots:
        site.tree(at, _LEAVES, 5.0, 8.0, apart_m=7.0, on_path_m=2.0, wall_m=3.0)


def _church(site: Site, block: Polygon) -> None:
    """Put a church with a tower on the main square, as large as leaves a way around it."""
    a, b = list(block.minimum_rotated_rectangle.exterior.coords)[:2]
    angle = math.degrees(math.atan2(b[1] - a[1], b[0] - a[0]))
    middle = block.centroid

    def put(shape: Any, off_m: float) -> Any:
        return translate(
            rotate(translate(shape, 0.0, off_m), angle, (0.0, 0.0)), middle.x, middle.y
        )

    free = block.buffer(-2.5)
    for scale in (1.0, 0.85, 0.7, 0.6, 0.5, 0.4):
        tower = box(-13.0 * scale, -3.2 * scale, -6.6 * scale, 3.2 * scale)
        nave = box(-6.6 * scale, -5.5 * scale, 12.0 * scale, 5.5 * scale)
        for off_m in (-9.0, 9.0, -5.0, 5.0, 0.0):
            if free.covers(put(tower, off_m)) and free.covers(put(nave, off_m)):
                roof = "gable"
                site.building(put(nave, off_m), 11.0, storeys=2, style="church", roof=roof)
                site.building(put(tower, off_m), 27.0, storeys=6, style="tower", roof="hip")
                return


def _block(site: Site, block: Polygon) -> None:
    houses, yard = row_of_houses(
        block.simplify(0.4), site.uniform(0.9, 1.1) * _DEPTH_M, lambda: site.uniform(7.0, 12.5)
    )
    site.area("lawn" if site.chance(0.5) else "yard", yard)
    for house in houses:
        _house(site, _largest(house.difference(site.roads)))
    for at in site.scatter(yard.buffer(-2.0), 2):
        site.tree(at, _LEAVES, 5.0, 8.0, apart_m=6.0)


def _house(site: Site, shape: Polygon | None) -> None:
    if shape is None:
        return
    solids = shapely.union_all(site.solids_near(shape))
    if site.roads.intersection(shape).area + solids.intersection(shape).area > 1e-2:
        return
    storeys = int(site.rng.integers(2, 5))
    site.building(
        shape, storeys * _STOREY_M + 0.6, storeys=storeys, style="row",
        roof="gable" if site.chance(0.8) else "hip",
    )  # fmt: skip


def _passages(site: Site) -> None:
    """Build rooms above a few alleys, from wall to wall."""
    alleys = [s for s in site.streets if s.kind == "alley" and LineString(s.line_m).length > 24.0]
    order = site.rng.permutation(len(alleys))
    made = 0
    for i in order:
        if made == 5:
            return
        line = LineString(alleys[int(i)].line_m)
        middle_m, half_m = line.length / 2.0, site.uniform(3.0, 4.5)
        part = shapely.ops.substring(line, middle_m - half_m, middle_m + half_m)
        shape = part.buffer(alleys[int(i)].width_m / 2.0, cap_style="flat")
        solids = [Polygon(b.outline_m) for b in site.buildings]
        walls = shapely.union_all([s for s in solids if s.distance(shape) < 0.3])
        if shape.buffer(0.4).intersection(walls).area < 0.5 * 0.4 * 4.0 * half_m:
            continue  # houses on one side only
        free = _largest(shape.difference(walls))
        if free is not None and site.building(
            free,
            9.5,
            storeys=2,
            style="bridge",
            roof="gable",
            base_m=_PASSAGES_M[made % len(_PASSAGES_M)],
        ):
            made += 1


def _outside(site: Site, ring: list[Node]) -> None:
    """Houses along the outside of the ring, a wall with gates around them, and trees."""
    town = shapely.union_all(
        [Polygon(f) for f in (p.exterior for p in polygons_in(_filled(site.roads)))]
    )
    strip = town.buffer(_DEPTH_M)
    houses, _ = row_of_houses(
        _largest(strip).simplify(0.4),  # type: ignore[union-attr]
        _DEPTH_M - 0.5,
        lambda: site.uniform(8.0, 13.0),
    )
    for house in houses:
        if site.bounds.covers(house) and site.chance(0.8):
            _house(site, _largest(house.difference(town)))
    wall = strip.buffer(6.0).simplify(0.5).exterior
    length_m = wall.length
    gates = sorted(site.uniform(0.0, length_m) for _ in range(4))
    cuts = [0.0, *gates, length_m]
    for low_m, high_m in itertools.pairwise(cuts):
        part = shapely.ops.substring(wall, low_m + 3.5, high_m - 3.5)
        if high_m - low_m < 15.0:
            continue
        inside = part.intersection(site.bounds.buffer(-1.0))
        for piece in shapely.get_parts(inside):
            if piece.geom_type == "LineString" and piece.length > 5.0:
                points = tuple((round(n, 2), round(e, 2)) for n, e in piece.coords)
                site.barriers.append(Barrier("wall", points, 5.0, 1.2))
    site.blocked(wall.buffer(1.0))
    for at in site.scatter(site.bounds.difference(strip.buffer(9.0)), 130):
        site.tree(at, _LEAVES)
    for at in site.scatter(strip.buffer(4.5).difference(town.buffer(1.0)), 40):
        site.bush(at)


def _filled(shape: Any) -> Any:
    return shapely.union_all([Polygon(p.exterior) for p in polygons_in(shape)])
