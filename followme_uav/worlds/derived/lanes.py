"""Lanes of cars on any street graph, the turns at junctions, and the order in which cars give way.

Traffic keeps to the right. Dead ends have no lanes, as long as other streets are left.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import shapely
from shapely import LineString
from shapely.ops import substring

from followme_uav.worlds.derived.crosswalks import Crosswalk, crossed_at
from followme_uav.worlds.derived.heights import deck_heights_m
from followme_uav.worlds.derived.street_graph import (
    line_from,
    street_graph,
    without_middle_nodes,
)
from followme_uav.worlds.shapes import heading_at, line_of
from followme_uav.worlds.terrain import ground_heights_m
from followme_uav.worlds.world import World

CAR_WIDTH_M = 1.8
_MAX_OFFSET_M = 1.75
_STOP_M = 0.7
"""Cars stop so far before a crosswalk or the end of a lane."""
_SIDEWAYS_MPS2 = 1.8
_TURN_MPS = (2.0, 6.5)
_SHORTEST_M = 4.0

Place = tuple[float, float, float]
"""North, east, height above z = 0."""


@dataclass(frozen=True)
class LaneTurn:
    """The way over a junction, from the end of one lane to the start of another."""

    line_m: tuple[Place, ...]
    from_lane: int
    to_lane: int
    speed_mps: float
    gives_way_to: tuple[tuple[int, int], ...] = ()
    """(from_lane, to_lane) of the turns that cross this one and go first."""
    crosswalks: tuple[int, ...] = ()
    """Crosswalks on the turn itself."""


@dataclass(frozen=True)
class Lane:
    """A lane from one junction to the next."""

    line_m: tuple[Place, ...]
    streets: tuple[int, ...]
    start_junction: int
    junction: int
    """Number of the junction at its end."""
    stop_m: float
    """Distance from the start at which bumpers stop before the junction."""
    crosswalks: tuple[tuple[float, float, int], ...]
    """(start, end, number): where the lane crosses crosswalks, as distances from its start."""
    turns: tuple[LaneTurn, ...] = ()


@dataclass(frozen=True)
class LaneNetwork:
    """All lanes; from each of them the turns lead on."""

    lanes: tuple[Lane, ...]
    junctions_m: tuple[tuple[float, float], ...]


def lane_network(world: World, crosswalks: Sequence[Crosswalk]) -> LaneNetwork:
    """Make the lanes of a world; without a street with lanes there are none.

    Args:
        world: the world.
        crosswalks: of its walk graph.
    """
    graph = _for_cars(world)
    junctions = {node: number for number, node in enumerate(sorted(graph.nodes))}
    radius = {node: _radius_m(world, graph, node) for node in graph.nodes}
    pieces = [
        piece
        for a, b, key in sorted(graph.edges(keys=True))
        for piece in _both_lanes(world, graph, (a, b, key), radius)
    ]
    pieces = _with_a_way_on(pieces, graph)
    lanes = []
    for start, end, line, streets in pieces:
        crossed = sorted(
            (*span, number)
            for number, crosswalk in enumerate(crosswalks)
            if crosswalk.street in streets and (span := crossed_at(line, crosswalk)) is not None
        )
        last = crossed[-1][0] if crossed and line.length - crossed[-1][1] < 6.0 else line.length
        lanes.append(
            Lane(
                _raised(world, line, streets),
                streets,
                junctions[start],
                junctions[end],
                max(last - _STOP_M, 0.0),
                tuple(crossed),
            )
        )
    turns = _turns(world, graph, pieces, crosswalks)
    done = tuple(
        Lane(**{**vars(lane), "turns": tuple(t for t in turns if t.from_lane == i)})
        for i, lane in enumerate(lanes)
    )
    return LaneNetwork(done, tuple(graph.nodes[n]["at_m"] for n in sorted(graph.nodes)))


_Piece = tuple[int, int, LineString, tuple[int, ...]]
"""First and last junction, line, streets."""


def _for_cars(world: World) -> nx.MultiGraph:
    """The streets with lanes, without dead ends unless there is nothing else."""
    whole = street_graph(world)
    graph = nx.MultiGraph()
    for a, b, data in whole.edges(data=True):
        if world.streets[data["street"]].lanes:
            for node in (a, b):
                graph.add_node(node, **whole.nodes[node])
            graph.add_edge(a, b, **data)
    pruned = graph.copy()
    while ends := [n for n, degree in pruned.degree if degree < 2]:
        pruned.remove_nodes_from(ends)
    if pruned.number_of_edges():
        parts = nx.connected_components(pruned)
        largest = max(parts, key=lambda p: (sum(_length(pruned, p)), -min(p)))
        graph = nx.MultiGraph(pruned.subgraph(largest))
    return without_middle_nodes(graph)


def _length(graph: nx.MultiGraph, nodes: set[int]) -> list[float]:
    return [line.length for *_, line in graph.subgraph(nodes).edges(data="line")]


def _radius_m(world: World, graph: nx.MultiGraph, node: int) -> float:
    """Distance from the middle of a junction at which its lanes begin."""
    arms = []
    for a, b, key, data in graph.edges(node, keys=True, data=True):
        half_m = max(world.streets[s].carriageway_m for s in data["streets"]) / 2.0
        lines = [line_from(graph, a, b, key)]
        if a == b:
            lines.append(LineString(list(lines[0].coords)[::-1]))
        arms += [(heading_at(line, 6.0, 6.0), half_m) for line in lines]
    if len(arms) < 3:
        return 0.6
    arms.sort()
    most = 0.0
    for (one, half_m), (other, other_m) in zip(arms, [*arms[1:], arms[0]], strict=True):
        angle = abs(math.remainder(other - one, 2 * math.pi))
        wide = max(half_m, other_m)
        most = max(most, wide / math.tan(max(angle, 0.35) / 2.0) if angle < 2.6 else 0.0, wide)
    return min(most + 1.2, 16.0)


def _both_lanes(
    world: World, graph: nx.MultiGraph, edge: tuple[int, int, int], radius: dict[int, float]
) -> list[_Piece]:
    a, b, key = edge
    streets: tuple[int, ...] = graph.edges[edge]["streets"]
    line = line_from(graph, a, b, key)
    room_m = max(line.length - _SHORTEST_M, 0.0) / 2.0
    part = substring(line, min(radius[a], room_m), line.length - min(radius[b], room_m))
    lanes = min(world.streets[s].lanes for s in streets)
    narrow_m = min(world.streets[s].carriageway_m for s in streets)
    if lanes == 1:
        one_way = line_of(next(world.streets[s] for s in streets if world.streets[s].lanes == 1))
        ahead = [line.project(one_way.interpolate(s, normalized=True)) for s in (0.25, 0.75)]
        same = ahead[0] <= ahead[1]
        points = list(part.coords) if same else list(part.coords)[::-1]
        ends = (a, b) if same else (b, a)
        return [(*ends, LineString(points), streets)]
    offset_m = min(narrow_m / 4.0, _MAX_OFFSET_M)
    found: list[_Piece] = []
    for first, last, points in ((a, b, list(part.coords)), (b, a, list(part.coords)[::-1])):
        # In (north, east) the positive side of Shapely is the right one.
        lane = LineString(points).offset_curve(offset_m, join_style="mitre", mitre_limit=2.0)
        if lane.geom_type != "LineString" or lane.is_empty:
            lane = max(shapely.get_parts(lane), key=lambda p: p.length, default=None)
        if lane is not None and lane.length > 0.5:
            found.append((first, last, lane, streets))
    return found


def _with_a_way_on(pieces: list[_Piece], graph: nx.MultiGraph) -> list[_Piece]:
    """Remove lanes (of one-way streets) that no other one leads on from."""
    while True:
        kept = [
            piece
            for piece in pieces
            if any(_leads_on(piece, other, graph) for other in pieces)
            and any(_leads_on(other, piece, graph) for other in pieces)
        ]
        if len(kept) == len(pieces):
            return pieces
        pieces = kept


def _leads_on(one: _Piece, other: _Piece, graph: nx.MultiGraph) -> bool:
    if one[1] != other[0]:
        return False
    return not _is_u_turn(one, other) or graph.degree(one[1]) == 1


def _is_u_turn(one: _Piece, other: _Piece) -> bool:
    """Whether the second is the opposite lane of the first; not the other end of a loop."""
    if (one[0], one[1]) != (other[1], other[0]) or one[3] != other[3]:
        return False
    back = LineString(list(other[2].coords)[::-1])
    return bool(one[2].hausdorff_distance(back) < 2.5 * _MAX_OFFSET_M + 1.0) and (
        math.dist(one[2].coords[-1], other[2].coords[0]) < 4.0 * _MAX_OFFSET_M
        and abs(math.remainder(_end_heading(one[2]) - _start_heading(other[2]), 2 * math.pi)) > 2.4
    )


def _start_heading(line: LineString) -> float:
    return heading_at(line, 0.0, 1.0)


def _end_heading(line: LineString) -> float:
    return heading_at(line, line.length, 1.0)


def _raised(world: World, line: LineString, streets: tuple[int, ...]) -> tuple[Place, ...]:
    """Add the heights of the ground, or of the decks, to the points of a line."""
    is_level = world.terrain is None and not any(world.streets[s].is_raised for s in streets)
    points = np.array(line.coords)[:, :2] if is_level else np.array(line.segmentize(3.0).coords)
    heights = ground_heights_m(world.terrain, points[:, :2])
    for s in streets:
        street = world.streets[s]
        if street.is_raised:
            flat = line_of(street).buffer(street.width_m / 2.0, cap_style="flat")
            on_deck = shapely.contains_xy(flat, points[:, :2])
            if on_deck.any():
                heights[on_deck] = deck_heights_m(street, points[on_deck][:, :2])
    return tuple(
        (round(float(p[0]), 4), round(float(p[1]), 4), round(float(h), 4))
        for p, h in zip(points, heights, strict=True)
    )


def _turns(
    world: World, graph: nx.MultiGraph, pieces: list[_Piece], crosswalks: Sequence[Crosswalk]
) -> list[LaneTurn]:
    """Make all turns, with the order of giving way at each junction."""
    by_junction: dict[int, list[tuple[tuple[Any, ...], LaneTurn, LineString]]] = {}
    for i, one in enumerate(pieces):
        for j, other in enumerate(pieces):
            if not _leads_on(one, other, graph):
                continue
            line, speed_mps = _curve(one[2], other[2])
            streets = tuple(dict.fromkeys((*one[3], *other[3])))
            on_it = tuple(
                n
                for n, crosswalk in enumerate(crosswalks)
                if crosswalk.street in streets and crossed_at(line, crosswalk) is not None
            )
            turn = LaneTurn(_raised(world, line, streets), i, j, speed_mps, (), on_it)
            bend = abs(math.remainder(_end_heading(one[2]) - _start_heading(other[2]), 2 * math.pi))
            # Wide streets first, then straight on before turns, then by direction.
            width_m = max(world.streets[s].width_m for s in one[3])
            rank = (-width_m, bend > 0.6, round(_end_heading(one[2]), 3), i, j)
            by_junction.setdefault(one[1], []).append((rank, turn, line))
    found = []
    for ways in by_junction.values():
        before: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for (rank, turn, line), (other_rank, other_turn, other_line) in itertools.permutations(
            ways, 2
        ):
            if (
                turn.from_lane != other_turn.from_lane
                and other_rank < rank
                and line.distance(other_line) < CAR_WIDTH_M + 0.4
            ):
                key = (turn.from_lane, turn.to_lane)
                before.setdefault(key, []).append((other_turn.from_lane, other_turn.to_lane))
        for _, turn, _ in ways:
            first = tuple(sorted(before.get((turn.from_lane, turn.to_lane), ())))
            found.append(LaneTurn(**{**vars(turn), "gives_way_to": first}))
    return sorted(found, key=lambda t: (t.from_lane, t.to_lane))


def _curve(one: LineString, other: LineString) -> tuple[LineString, float]:
    """Return a cubic Bezier curve from lane to lane, and the speed on it."""
    p0, p3 = np.array(one.coords[-1][:2]), np.array(other.coords[0][:2])
    h0, h3 = _end_heading(one), _start_heading(other)
    bend = abs(math.remainder(h3 - h0, 2 * math.pi))
    reach = float(np.hypot(*(p3 - p0)))
    handle = reach / 3.0 / max(math.cos(bend / 4.0) ** 2, 0.35)
    p1 = p0 + handle * np.array([math.cos(h0), math.sin(h0)])
    p2 = p3 - handle * np.array([math.cos(h3), math.sin(h3)])
    t = np.linspace(0.0, 1.0, max(int(reach / 0.7), 6))[:, None]
    points = (1 - t) ** 3 * p0 + 3 * (1 - t) ** 2 * t * p1 + 3 * (1 - t) * t**2 * p2 + t**3 * p3
    line = LineString(points) if reach > 1e-3 else LineString([p0, (p0[0] + 0.01, p0[1])])
    tightest_m = line.length / bend if bend > 0.1 else math.inf
    low, high = _TURN_MPS
    return line, min(max(math.sqrt(_SIDEWAYS_MPS2 * min(tightest_m, 100.0)), low), high)
