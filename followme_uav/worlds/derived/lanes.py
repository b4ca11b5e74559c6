"""Lanes of cars on any street graph, the turns at junctions, and the order in which cars give way.

Traffic keeps to the right. Dead ends have no lanes, as long as other streets are left.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx
import numpy as np
import shapely
from shapely import LineString
from shapely.ops import substring

from followme_uav.worlds.derived.crosswalks import Crosswalk, crossed_at
from followme_uav.worlds.derived.heights import deck_heights_m
from followme_uav.worlds.derived.street_graph import (
    JOIN_M,
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
_CAR_LENGTH_M, _TAIL_M = 4.3, 0.7
"""A car that waits on a lane leaves so much of it free behind its tail."""
_ASIDE_M = 0.1
"""Cars on a turn keep this distance from those that wait."""
_BACK_M, _STEP_M = 10.0, 0.5
"""Cars wait at most so much farther back for that, in steps."""

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

    A lane on which no car could wait without standing on the junction before it becomes a part of
    the turns over both junctions.

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
    if not pieces:
        return LaneNetwork((), ())
    of_street = _numbers_by(c.street for c in crosswalks)
    lanes = []
    for start, end, line, streets in pieces:
        crossed = sorted(
            (*span, number)
            for number in _numbers_on(streets, of_street)
            if (span := crossed_at(line, crosswalks[number])) is not None
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
    lanes = _waiting_clear_of_turns(lanes, turns)
    kept, ways = _without_short_lanes(lanes, turns)
    network = _in_order(world, lanes, kept, ways)
    return LaneNetwork(network, tuple(graph.nodes[n]["at_m"] for n in sorted(graph.nodes)))


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
        same = _runs_along(line, one_way)
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


def _runs_along(line: LineString, street: LineString) -> bool:
    """Whether a line that covers a part of a street has its direction."""
    along_m = 0.0
    for a, b in itertools.pairwise(line.coords):
        middle = LineString((a, b)).interpolate(0.5, normalized=True)
        if street.distance(middle) < JOIN_M:
            heading = heading_at(street, street.project(middle))
            along_m += (b[0] - a[0]) * math.cos(heading) + (b[1] - a[1]) * math.sin(heading)
    return along_m >= 0.0


def _with_a_way_on(pieces: list[_Piece], graph: nx.MultiGraph) -> list[_Piece]:
    """Remove lanes (of one-way streets) that no other one leads on from."""
    while True:
        starts = _numbers_by(piece[0] for piece in pieces)
        ends = _numbers_by(piece[1] for piece in pieces)
        kept = [
            piece
            for piece in pieces
            if any(_leads_on(piece, pieces[i], graph) for i in starts.get(piece[1], ()))
            and any(_leads_on(pieces[i], piece, graph) for i in ends.get(piece[0], ()))
        ]
        if len(kept) == len(pieces):
            return pieces
        pieces = kept


def _numbers_by(keys: Iterable[int]) -> dict[int, list[int]]:
    """The numbers of the elements by their key, in ascending order.

    A town has thousands of lanes and crosswalks, but few at one junction or street: only these are
    compared.
    """
    found: dict[int, list[int]] = {}
    for number, key in enumerate(keys):
        found.setdefault(key, []).append(number)
    return found


def _numbers_on(streets: Sequence[int], of_street: dict[int, list[int]]) -> list[int]:
    """The numbers of all crosswalks on some streets, in ascending order."""
    return sorted(number for street in streets for number in of_street.get(street, ()))


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
    """Make all turns over one junction each, not yet with the order of giving way."""
    found = []
    starts = _numbers_by(piece[0] for piece in pieces)
    of_street = _numbers_by(c.street for c in crosswalks)
    for i, one in enumerate(pieces):
        for j in starts.get(one[1], ()):
            other = pieces[j]
            if not _leads_on(one, other, graph):
                continue
            line, speed_mps = _curve(one[2], other[2])
            streets = tuple(dict.fromkeys((*one[3], *other[3])))
            on_it = tuple(
                number
                for number in _numbers_on(streets, of_street)
                if crossed_at(line, crosswalks[number]) is not None
            )
            found.append(LaneTurn(_raised(world, line, streets), i, j, speed_mps, (), on_it))
    return found


def _waiting_clear_of_turns(lanes: list[Lane], turns: Sequence[LaneTurn]) -> list[Lane]:
    """Let cars wait far enough back that those on the turns of other lanes do not touch them."""
    ways = [
        LineString([p[:2] for p in turn.line_m])
        .union(substring(_flat(lanes[turn.to_lane]), 0.0, _CAR_LENGTH_M))
        .buffer(CAR_WIDTH_M / 2.0 + _ASIDE_M, cap_style="flat")
        for turn in turns
    ]
    tree, found = shapely.STRtree(ways), []
    for number, lane in enumerate(lanes):
        line, stop_m = _flat(lane), lane.stop_m
        while stop_m > max(_CAR_LENGTH_M + _TAIL_M, lane.stop_m - _BACK_M):
            waiting = substring(line, stop_m - _CAR_LENGTH_M, stop_m)
            outline = waiting.buffer(CAR_WIDTH_M / 2.0, cap_style="flat")
            touched = tree.query(outline, predicate="intersects").tolist()
            if not any(_is_beside(turns[turn], lanes, number) for turn in touched):
                break
            stop_m -= _STEP_M
        else:
            stop_m = lane.stop_m
        tail_m = stop_m - _CAR_LENGTH_M
        if any(start_m < stop_m and end_m > tail_m for start_m, end_m, _ in lane.crosswalks):
            stop_m = lane.stop_m  # rather than on a crosswalk
        found.append(replace(lane, stop_m=stop_m))
    return found


def _is_beside(turn: LaneTurn, lanes: Sequence[Lane], number: int) -> bool:
    """Whether a turn of another lane leads over the junction at the end of this one."""
    return turn.from_lane != number and lanes[turn.from_lane].junction == lanes[number].junction


def _flat(lane: Lane) -> LineString:
    return LineString([p[:2] for p in lane.line_m])


def _without_short_lanes(
    lanes: Sequence[Lane], turns: list[LaneTurn]
) -> tuple[list[int], list[LaneTurn]]:
    """Let turns lead on over lanes without room for a car that waits.

    Returns:
        The numbers of the lanes left, and the turns between them; all as they are if none would
        be left.
    """
    short = {i for i, lane in enumerate(lanes) if lane.stop_m < _CAR_LENGTH_M + _TAIL_M}
    after: dict[int, list[LaneTurn]] = {}
    for turn in turns:
        after.setdefault(turn.from_lane, []).append(turn)
    found = {
        (i, turn.to_lane): turn
        for i in sorted(set(after) - short)
        for turn in _ways_on(i, lanes, after, short)
    }
    left = _with_a_way_between(set(range(len(lanes))) - short, set(found))
    if not left:
        return list(range(len(lanes))), turns
    return sorted(left), [turn for (a, b), turn in sorted(found.items()) if a in left and b in left]


def _ways_on(
    start: int, lanes: Sequence[Lane], after: dict[int, list[LaneTurn]], short: set[int]
) -> list[LaneTurn]:
    """The turns from a lane to the next ones that are not short, over the fewest junctions."""
    found: dict[int, LaneTurn] = {}
    reached: set[int] = set()
    open_ways = deque(after[start])
    while open_ways:
        way = open_ways.popleft()
        if way.to_lane not in short:
            found.setdefault(way.to_lane, way)
        elif way.to_lane not in reached:
            reached.add(way.to_lane)
            lane = lanes[way.to_lane]
            open_ways += [_joined(way, lane, turn) for turn in after.get(way.to_lane, ())]
    return list(found.values())


def _with_a_way_between(lanes: set[int], turns: set[tuple[int, int]]) -> set[int]:
    """The lanes that a turn leads to and another one leads away from."""
    while True:
        inner = [(a, b) for a, b in turns if a in lanes and b in lanes]
        kept = {a for a, _ in inner} & {b for _, b in inner}
        if kept == lanes:
            return kept
        lanes = kept


def _joined(way: LaneTurn, lane: Lane, turn: LaneTurn) -> LaneTurn:
    """One turn over two junctions and the lane between them."""
    on_it = (*way.crosswalks, *(number for *_, number in lane.crosswalks), *turn.crosswalks)
    return LaneTurn(
        (*way.line_m, *lane.line_m[1:], *turn.line_m[1:]),
        way.from_lane,
        turn.to_lane,
        min(way.speed_mps, turn.speed_mps),
        (),
        tuple(dict.fromkeys(on_it)),
    )


def _in_order(
    world: World, lanes: Sequence[Lane], kept: list[int], turns: list[LaneTurn]
) -> tuple[Lane, ...]:
    """Number the lanes that are left, and give them their turns with the order of giving way."""
    ranks = [_rank(world, lanes, turn) for turn in turns]
    lines = [LineString([p[:2] for p in turn.line_m]) for turn in turns]
    number = {old: new for new, old in enumerate(kept)}
    before: list[list[tuple[int, int]]] = [[] for _ in turns]
    near = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=CAR_WIDTH_M + 0.4)
    for i, k in near.T.tolist():
        one, other = turns[i], turns[k]
        if one.from_lane != other.from_lane and ranks[k] < ranks[i]:
            before[i].append((number[other.from_lane], number[other.to_lane]))
    of_lane: dict[int, list[LaneTurn]] = {i: [] for i in kept}
    for turn, first in zip(turns, before, strict=True):
        ends = number[turn.from_lane], number[turn.to_lane]
        of_lane[turn.from_lane].append(
            replace(turn, from_lane=ends[0], to_lane=ends[1], gives_way_to=tuple(sorted(first)))
        )
    return tuple(
        replace(lanes[i], turns=tuple(sorted(of_lane[i], key=lambda t: t.to_lane))) for i in kept
    )


def _rank(world: World, lanes: Sequence[Lane], turn: LaneTurn) -> tuple[Any, ...]:
    """Wide streets first, then straight on before turns, then by direction: a total order."""
    one, other = lanes[turn.from_lane], lanes[turn.to_lane]
    heading = _end_heading(LineString([p[:2] for p in one.line_m]))
    on = _start_heading(LineString([p[:2] for p in other.line_m]))
    bend = abs(math.remainder(heading - on, 2 * math.pi))
    width_m = max(world.streets[s].width_m for s in one.streets)
    return -width_m, bend > 0.6, round(heading, 3), turn.from_lane, turn.to_lane


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
