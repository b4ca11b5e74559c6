"""A round through the streets near the take-off, for a vehicle that looks for somebody."""

from __future__ import annotations

import itertools
import math

import networkx as nx
import shapely
from shapely import Polygon

from followme_uav.worlds.derived.street_graph import street_graph
from followme_uav.worlds.world import Point, World

REACH_M = 100.0
"""Streets up to this far from the take-off are visited."""
_SPACING_M = 24.0
_MARGIN_M = 1.0
"""Waypoints keep this distance from the edge of the area where they can."""
_OFF_M = 6.0
"""Places of a street farther than this from the area are left out."""


def patrol_of(world: World, area: Polygon, reach_m: float = REACH_M) -> tuple[Point, ...]:
    """Return the waypoints of a closed round; the start of the world if there is no street.

    Args:
        world: the world.
        area: where the vehicle may fly; all waypoints lie in it.
        reach_m: leave out what is farther from the start.
    """
    inner = area.buffer(-_MARGIN_M)
    inner = area if inner.is_empty else inner
    places: dict[int, Point] = {}
    graph = nx.Graph()
    streets = street_graph(world)
    for node, at_m in sorted(streets.nodes(data="at_m")):
        places[node] = at_m
    for a, b, line in sorted(streets.edges(data="line"), key=lambda e: (e[0], e[1], e[2].length)):
        count = max(round(line.length / _SPACING_M), 1)
        chain = [a]
        for k in range(1, count):
            at = line.interpolate(k / count, normalized=True)
            chain.append(len(places))
            places[len(places)] = (at.x, at.y)
        chain.append(b)
        for one, other in itertools.pairwise(chain):
            graph.add_edge(one, other, weight=math.dist(places[one], places[other]))
    spots = {node: _into(inner, at_m) for node, at_m in places.items()}
    kept = [
        node
        for node in sorted(graph.nodes)
        if math.dist(places[node], world.start_m) <= reach_m
        and math.dist(places[node], spots[node]) <= _OFF_M
    ]
    graph = nx.Graph(graph.subgraph(kept))
    start = min(kept, key=lambda n: math.dist(places[n], world.start_m), default=None)
    if start is None:
        return (_into(inner, world.start_m),)
    graph = nx.Graph(graph.subgraph(nx.node_connected_component(graph, start)))
    if len(graph) < 3:
        return tuple(spots[n] for n in sorted(graph.nodes))
    tour = nx.approximation.traveling_salesman_problem(graph, weight="weight", cycle=True)[:-1]
    first = tour.index(start)
    ordered = [*tour[first:], *tour[:first]]
    found = [spots[node] for node in ordered]
    return tuple(p for i, p in enumerate(found) if p != found[i - 1]) or (found[0],)


def _into(area: Polygon, at_m: Point) -> Point:
    """The point of an area nearest to a place, to the centimetre."""
    spot = shapely.Point(at_m)
    if not area.covers(spot):
        spot = shapely.Point(shapely.shortest_line(area, spot).coords[0])
    return round(float(spot.x), 2), round(float(spot.y), 2)
