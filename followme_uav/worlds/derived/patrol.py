"""A round through the streets near the take-off, for a vehicle that looks for somebody."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import networkx as nx
import numpy as np
import shapely
from scipy.spatial import cKDTree
from shapely import Polygon, STRtree

from followme_uav.worlds.derived.flyable import walls
from followme_uav.worlds.derived.heights import deck_heights_m
from followme_uav.worlds.derived.street_graph import ground_level_ends, street_graph
from followme_uav.worlds.terrain import ground_height_m
from followme_uav.worlds.world import Point, Street, World

REACH_M = 100.0
"""Streets up to this far from the take-off are looked at."""
SEEN_M = 30.0
"""From this far and in sight, a place counts as looked at: the hero then shows some 14 pixels."""
_SPACING_M = 24.0
_RAISED_M = 2.0
"""Places of decks so far above the ground are seen from such places only."""
_CLIMB_M = 10.0
"""A climb to a deck counts as so much of a way."""
_MARGIN_M = 1.0
"""Waypoints keep this distance from the edge of the area where they can."""
_OFF_M = 6.0
"""Places of a street farther than this from the area are left out."""
_LONGER_M, _TRIES = 10.0, 30
"""A change may make the tour this much longer, less and less, in as many rounds of changes."""


class Waypoint(NamedTuple):
    """A place of the round."""

    at_m: Point
    is_raised: bool
    """It lies on a deck, not on the ground below."""


def patrol_of(world: World, area: Polygon, reach_m: float = REACH_M) -> tuple[Waypoint, ...]:
    """Return the waypoints of a closed round; the start of the world if there is no street.

    The round need not lead through every street: it leads past lookouts from which each place of
    the streets is seen. The shorter a round, the less time somebody has to walk from where the
    vehicle will come to where it has been.

    Args:
        world: the world.
        area: where the vehicle may fly; all waypoints lie in it.
        reach_m: leave out what is farther from the start.
    """
    inner = area.buffer(-_MARGIN_M)
    inner = area if inner.is_empty else inner
    graph = _places_along_streets(world)
    graph.remove_nodes_from(list(nx.isolates(graph)))  # ends of bridges from wall to wall
    places = dict(graph.nodes(data="at_m"))
    spots = {node: _into(inner, at_m) for node, at_m in places.items()}
    kept = [
        node
        for node in sorted(graph.nodes)
        if math.dist(places[node], world.start_m) <= reach_m
        and math.dist(places[node], spots[node]) <= _OFF_M
    ]
    graph = nx.Graph(graph.subgraph(kept))
    _join_levels(graph, spots, area)
    raised = {node for node, is_raised in graph.nodes(data="is_raised") if is_raised}
    start = min(
        kept, key=lambda n: (n in raised, math.dist(places[n], world.start_m)), default=None
    )
    if start is None:
        return (Waypoint(_into(inner, world.start_m), is_raised=False),)
    graph = nx.Graph(graph.subgraph(nx.node_connected_component(graph, start)))
    if len(graph) < 3:
        return tuple(Waypoint(spots[n], n in raised) for n in sorted(graph.nodes))
    visited = _lookouts(world, {node: spots[node] for node in graph}, raised, start)
    if len(visited) < 3:
        return tuple(Waypoint(spots[n], n in raised) for n in visited)
    tour = nx.approximation.traveling_salesman_problem(
        graph, nodes=visited, weight="weight", method=_short_tour
    )[:-1]
    first = tour.index(start)
    ordered = [*tour[first:], *tour[:first]]
    found = [Waypoint(spots[node], node in raised) for node in ordered]
    return tuple(p for i, p in enumerate(found) if p != found[i - 1]) or (found[0],)


def _places_along_streets(world: World) -> nx.Graph:
    """Junctions and places between them, at most about `_SPACING_M` apart.

    Nodes have `at_m`, and `is_raised` if they are high above the ground.
    """
    graph, streets = nx.Graph(), street_graph(world)
    for node, at_m in sorted(streets.nodes(data="at_m")):
        graph.add_node(node, at_m=at_m, is_raised=False)
    edges = sorted(streets.edges(data=True), key=lambda e: (e[0], e[1], e[2]["line"].length))
    for a, b, edge in edges:
        line, street = edge["line"], world.streets[edge["street"]]
        if not all(ground_level_ends(world, street)):
            continue  # nobody gets onto a bridge from wall to wall
        count = max(round(line.length / _SPACING_M), 1)
        chain = [a]
        for k in range(1, count):
            at = line.interpolate(k / count, normalized=True)
            chain.append(len(graph))
            is_raised = _is_raised(world, street, (at.x, at.y))
            graph.add_node(chain[-1], at_m=(at.x, at.y), is_raised=is_raised)
        chain.append(b)
        for one, other in itertools.pairwise(chain):
            weight = math.dist(graph.nodes[one]["at_m"], graph.nodes[other]["at_m"])
            graph.add_edge(one, other, weight=weight)
    return graph


def _join_levels(graph: nx.Graph, spots: dict[int, Point], area: Polygon) -> None:
    """Join each raised place to the nearest one on the ground: a vehicle climbs beside a deck."""
    is_raised = dict(graph.nodes(data="is_raised"))
    low = [node for node in graph if not is_raised[node]]
    for node in [node for node in graph if is_raised[node] and low]:
        near = min(low, key=lambda other: math.dist(spots[node], spots[other]))
        length_m = math.dist(spots[node], spots[near])
        if length_m <= _SPACING_M and area.covers(shapely.LineString([spots[node], spots[near]])):
            graph.add_edge(node, near, weight=length_m + _CLIMB_M)


def _is_raised(world: World, street: Street, at_m: Point) -> bool:
    if not street.is_raised:
        return False
    deck_m = float(deck_heights_m(street, [at_m])[0])
    return deck_m - ground_height_m(world.terrain, *at_m) > _RAISED_M


def _short_tour(graph: nx.Graph, weight: str) -> list[int]:
    """A closed tour of a complete graph, made shorter by small changes from a seed."""
    first = nx.approximation.christofides(graph, weight)
    tour: list[int] = nx.approximation.threshold_accepting_tsp(
        graph, first, weight, move="1-0", threshold=_LONGER_M, max_iterations=_TRIES, seed=1
    )
    return tour


def _lookouts(world: World, spots: dict[int, Point], raised: set[int], start: int) -> list[int]:
    """Places that together see all places: `start`, then always the one that sees most new ones."""
    nodes = sorted(spots)
    places_m = np.array([spots[node] for node in nodes])
    pairs = cKDTree(places_m).query_pairs(SEEN_M, output_type="ndarray")
    lines = shapely.linestrings(places_m[pairs])
    hidden = np.unique(STRtree(walls(world)).query(lines, predicate="intersects")[0])
    sees = np.eye(len(nodes), dtype=bool)
    for one, other in np.delete(pairs, hidden, axis=0):
        if (nodes[one] in raised) == (nodes[other] in raised):
            sees[one, other] = sees[other, one] = True
    chosen, unseen = [nodes.index(start)], ~sees[nodes.index(start)]
    while unseen.any():
        chosen.append(int(np.argmax((sees & unseen).sum(axis=1))))
        unseen &= ~sees[chosen[-1]]
    return [nodes[number] for number in chosen]


def _into(area: Polygon, at_m: Point) -> Point:
    """The point of an area nearest to a place, to the centimetre."""
    spot = shapely.Point(at_m)
    if not area.covers(spot):
        spot = shapely.Point(shapely.shortest_line(area, spot).coords[0])
    return round(float(spot.x), 2), round(float(spot.y), 2)
