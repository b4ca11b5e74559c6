"""The street graph: streets are divided where they meet."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

import networkx as nx
import numpy as np
import shapely
from scipy.spatial import cKDTree
from shapely import LineString
from shapely.geometry import Point as ShapelyPoint
from shapely.ops import substring

from followme_uav.worlds.shapes import line_of
from followme_uav.worlds.terrain import ground_height_m
from followme_uav.worlds.world import Street, World

JOIN_M = 0.8
"""Ends and crossings nearer than this are one junction."""
_STEP_M = 1.5
"""A deck whose end is higher above the ground than this does not lead to the ground."""


def street_graph(world: World) -> nx.MultiGraph:
    """Make the graph of all streets.

    Streets on the ground meet where they cross. A raised street meets others at its ends only, and
    not where an end is high above the ground (a bridge between buildings).

    Returns:
        Nodes: 0 to n - 1, with `at_m` (north, east). Edges: `street` (number in the world), and
        `line`, a `LineString` from the node with the lower number to the other (a loop: along the
        street).
    """
    if not world.streets:
        return nx.MultiGraph()
    lines = [line_of(s) for s in world.streets]
    cuts = _meetings(world, lines)
    places = [p for points in cuts for p in points]
    if not places:
        return nx.MultiGraph()
    groups = _groups(np.array(places))
    graph = nx.MultiGraph()
    for number, members in enumerate(groups):
        north, east = np.mean([places[i] for i in members], axis=0)
        graph.add_node(number, at_m=(float(north), float(east)))
    node_of = {i: number for number, members in enumerate(groups) for i in members}
    first = 0
    for street, line in enumerate(lines):
        own = range(first, first + len(cuts[street]))
        first += len(cuts[street])
        _add_edges(graph, street, line, [(places[i], node_of[i]) for i in own])
    return graph


def ground_level_ends(world: World, street: Street) -> tuple[bool, bool]:
    """Whether each end of a street can be reached from the ground."""
    if not street.is_raised:
        return True, True
    first, last = (
        abs(street.heights_m[i] - ground_height_m(world.terrain, *street.line_m[i])) < _STEP_M
        for i in (0, -1)
    )
    return first, last


def _meetings(world: World, lines: list[LineString]) -> list[list[tuple[float, float]]]:
    """For each street the places of its ends and of its meetings with others."""
    cuts: list[list[tuple[float, float]]] = [
        [line.coords[0][:2], line.coords[-1][:2]] for line in lines
    ]
    tree = shapely.STRtree(lines)
    pairs = tree.query(lines, predicate="dwithin", distance=JOIN_M).T
    for i, j in pairs:
        if i >= j:
            continue
        one, other = world.streets[i], world.streets[j]
        if not one.is_raised and not other.is_raised:
            crossing = lines[i].intersection(lines[j])
            for point in _points_in(crossing):
                cuts[i].append(point)
                cuts[j].append(point)
        for a, b in ((i, j), (j, i)):
            open_ends = ground_level_ends(world, world.streets[a])
            for end, is_open in zip((cuts[a][0], cuts[a][1]), open_ends, strict=True):
                spot = ShapelyPoint(end)
                if not is_open or lines[b].distance(spot) > JOIN_M:
                    continue
                if (
                    world.streets[b].is_raised
                    and min(spot.distance(ShapelyPoint(e)) for e in (cuts[b][0], cuts[b][1]))
                    > JOIN_M
                ):
                    continue
                cuts[b].append(end)
    return cuts


def _points_in(shape: Any) -> list[tuple[float, float]]:
    found = []
    for part in shapely.get_parts(shape):
        if part.is_empty:
            continue
        if part.geom_type == "Point":
            found.append((part.x, part.y))
        elif part.geom_type == "LineString":
            found += [part.coords[0][:2], part.coords[-1][:2]]
    return found


def _groups(places: Any) -> list[list[int]]:
    """Group the places that are one junction."""
    near = nx.Graph()
    near.add_nodes_from(range(len(places)))
    near.add_edges_from(cKDTree(places).query_pairs(JOIN_M))
    return [sorted(group) for group in nx.connected_components(near)]


def _add_edges(
    graph: nx.MultiGraph,
    street: int,
    line: LineString,
    stops: list[tuple[tuple[float, float], int]],
) -> None:
    along: dict[float, int] = {0.0: stops[0][1], line.length: stops[1][1]}
    for place, node in stops[2:]:
        at_m = line.project(ShapelyPoint(place))
        if JOIN_M < at_m < line.length - JOIN_M:
            along[at_m] = node
    ordered = sorted(along.items())
    for (low_m, a), (high_m, b) in itertools.pairwise(ordered):
        if a == b and high_m - low_m < 2.0 * JOIN_M:
            continue
        part = substring(line, low_m, high_m)
        points = [p[:2] for p in part.coords]
        points[0], points[-1] = graph.nodes[a]["at_m"], graph.nodes[b]["at_m"]
        if a > b:
            points.reverse()
        way = LineString(points)
        # Ends that are one junction only over others: both are moved to its middle.
        if a == b and way.length < 2.0 * JOIN_M:
            continue
        graph.add_edge(a, b, street=street, line=way)


def line_from(graph: nx.MultiGraph, a: int, b: int, key: int) -> LineString:
    """Return the line of an edge in the direction from a to b."""
    line: LineString = graph.edges[a, b, key]["line"]
    return line if a <= b else LineString(list(line.coords)[::-1])


def without_middle_nodes(graph: nx.MultiGraph) -> nx.MultiGraph:
    """Join the two edges of each node that has no others.

    Returns:
        Edges with `line` and `streets`, the numbers of all streets on the way. A closed way keeps
        one of its nodes.
    """
    joined = nx.MultiGraph()
    keep = {n for n, degree in graph.degree if degree != 2}
    for part in nx.connected_components(graph):
        if not part & keep:
            keep.add(min(part))
    used: set[tuple[int, int, int]] = set()
    for node in sorted(keep):
        joined.add_node(node, at_m=graph.nodes[node]["at_m"])
    ways: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for a, b, key in graph.edges(keys=True):
        ways[a].append((b, key))
        if a != b:
            ways[b].append((a, key))
    for start in sorted(keep):
        for step in sorted(ways[start]):
            here, (there, key) = start, step
            if _name(here, there, key) in used:
                continue
            points: list[Any] = [graph.nodes[start]["at_m"]]
            streets: list[int] = []
            while True:
                used.add(_name(here, there, key))
                points += list(line_from(graph, here, there, key).coords)[1:]
                streets.append(graph.edges[here, there, key]["street"])
                if there in keep:
                    break
                came, here = _name(here, there, key), there
                there, key = next(w for w in ways[here] if _name(here, *w) != came)
            if start > there:
                points.reverse()
            joined.add_edge(
                start, there, line=LineString(points), streets=tuple(dict.fromkeys(streets))
            )
    return joined


def _name(a: int, b: int, key: int) -> tuple[int, int, int]:
    return min(a, b), max(a, b), key
