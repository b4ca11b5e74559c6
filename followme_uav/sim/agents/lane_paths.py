"""The lanes of a world as paths for cars: poses along them, speeds, gates, conflicts of turns."""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from shapely import LineString, STRtree

from followme_uav.messages import Vec3
from followme_uav.sim.agents.driver import BRAKING_MPS2, LENGTH_M, LEVEL_M
from followme_uav.worlds.derived.lanes import CAR_WIDTH_M, LaneNetwork
from followme_uav.worlds.world import World

EXIT_M = 8.0
"""A crosswalk that begins so near to the start of a lane belongs to the junction before it."""
_STOP_M = 0.7
"""Bumpers stop so far before a crosswalk."""
_STEP_M = 2.0
_REACH_M = 4.0
_SIDEWAYS_MPS2 = 1.8
_NARROW_M, _NARROW_MPS = 5.2, 5.0
"""Cars are slow where the carriageway is narrower than this."""


class CarPath:
    """A polyline in space, by the distance from its start."""

    def __init__(self, points_m: Sequence[Vec3]) -> None:
        self._points = points_m
        steps = [math.dist(a[:2], b[:2]) for a, b in itertools.pairwise(points_m)]
        self._along = [0.0, *itertools.accumulate(steps)]
        self.length_m = self._along[-1]

    def at(self, along_m: float) -> Vec3:
        """North, east, height; straight on beyond the ends."""
        i = bisect.bisect_right(self._along, along_m, 1, len(self._along) - 1)
        a, b, start = self._points[i - 1], self._points[i], self._along[i - 1]
        share = (along_m - start) / max(self._along[i] - start, 1e-9)
        return (
            a[0] + share * (b[0] - a[0]),
            a[1] + share * (b[1] - a[1]),
            a[2] + share * (b[2] - a[2]),
        )


@dataclass(frozen=True)
class Gate:
    """A place on a lane at which cars stop until a crosswalk is free."""

    stop_m: float
    """Distance from the start of the lane at which bumpers stop."""
    end_m: float
    """Distance at which the crosswalk ends."""
    crosswalk: int


@dataclass(frozen=True)
class TurnPath:
    """A turn with its path, and what a car needs to be free before it goes."""

    path: CarPath
    to_lane: int
    speed_mps: float
    crosswalks: tuple[tuple[int, float], ...]
    """(number, distance from the stop line at which it ends) of each crosswalk on the way."""
    rivals: frozenset[tuple[int, int]]
    """(lane, turn) of turns that no other car may be on meanwhile."""
    first: tuple[tuple[int, int], ...]
    """(lane, turn) of the turns that go first."""
    room_m: float
    """Free road that a car needs on the next lane."""


@dataclass(frozen=True)
class LanePath:
    """A lane with its path."""

    path: CarPath
    stop_m: float
    gates: tuple[Gate, ...]
    turns: tuple[TurnPath, ...]
    speeds_mps: tuple[float, ...]
    """Highest speed at every second metre."""

    def limit_mps(self, along_m: float) -> float:
        """Highest speed at a place, which allows for bends ahead."""
        return self.speeds_mps[min(int(max(along_m, 0.0) / _STEP_M), len(self.speeds_mps) - 1)]


def lane_paths(world: World, network: LaneNetwork) -> tuple[LanePath, ...]:
    """Prepare all lanes of a world."""
    lanes = network.lanes
    if not lanes:
        return ()
    paths = [CarPath(lane.line_m) for lane in lanes]
    rivals = _rivals(network)
    number = {
        (turn.from_lane, turn.to_lane): (i, k)
        for i, lane in enumerate(lanes)
        for k, turn in enumerate(lane.turns)
    }
    found = []
    for i, lane in enumerate(lanes):
        stop_m = min(lane.stop_m, paths[i].length_m)
        gates = tuple(
            Gate(start - _STOP_M, end, crosswalk)
            for start, end, crosswalk in lane.crosswalks
            if EXIT_M <= start < stop_m
        )
        turns = []
        for k, turn in enumerate(lane.turns):
            path = CarPath(turn.line_m)
            rest_m = paths[i].length_m - stop_m
            on_way = [(c, end - stop_m) for start, end, c in lane.crosswalks if start >= stop_m]
            on_way += [(c, rest_m + path.length_m) for c in turn.crosswalks]
            exits = [(end, c) for start, end, c in lanes[turn.to_lane].crosswalks if start < EXIT_M]
            on_way += [(c, rest_m + path.length_m + end) for end, c in exits]
            room_m = max([1.0, *(end for end, _ in exits)]) + LENGTH_M + 1.0
            turns.append(
                TurnPath(
                    path,
                    turn.to_lane,
                    turn.speed_mps,
                    tuple(on_way),
                    rivals[i, k],
                    tuple(number[pair] for pair in turn.gives_way_to if pair in number),
                    min(room_m, 0.9 * paths[turn.to_lane].length_m),
                )
            )
        narrow_m = min(world.streets[s].carriageway_m for s in lane.streets)
        most_mps = _NARROW_MPS if narrow_m < _NARROW_M else math.inf
        speeds = _speeds(paths[i], most_mps)
        found.append(LanePath(paths[i], stop_m, gates, tuple(turns), speeds))
    return tuple(found)


def _rivals(network: LaneNetwork) -> dict[tuple[int, int], frozenset[tuple[int, int]]]:
    """For each turn the others that come too near for two cars, of any junction."""
    turns = [
        (i, k, turn) for i, lane in enumerate(network.lanes) for k, turn in enumerate(lane.turns)
    ]
    lines = [LineString([p[:2] for p in turn.line_m]) for *_, turn in turns]
    heights = [
        (min(p[2] for p in turn.line_m), max(p[2] for p in turn.line_m)) for *_, turn in turns
    ]
    rivals: dict[tuple[int, int], set[tuple[int, int]]] = {(i, k): set() for i, k, _ in turns}
    near = STRtree(lines).query(lines, predicate="dwithin", distance=CAR_WIDTH_M + 0.5)
    for one, other in near.T.tolist():
        (low, high), (other_low, other_high) = heights[one], heights[other]
        if one != other and low < other_high + LEVEL_M and other_low < high + LEVEL_M:
            rivals[turns[one][:2]].add(turns[other][:2])
    return {name: frozenset(others) for name, others in rivals.items()}


def _speeds(path: CarPath, most_mps: float) -> tuple[float, ...]:
    """Highest speeds by the bends of a path, low enough to brake for those ahead."""
    speeds = []
    for at_m in np.arange(0.0, path.length_m + _STEP_M, _STEP_M).tolist():
        places = (at_m - _REACH_M, at_m, at_m + _REACH_M)
        a, b, c = (path.at(min(max(place, 0.0), path.length_m)) for place in places)
        one = math.atan2(b[1] - a[1], b[0] - a[0])
        other = math.atan2(c[1] - b[1], c[0] - b[0])
        bend = abs(math.remainder(other - one, 2.0 * math.pi))
        is_end = math.dist(a[:2], b[:2]) < 0.5 or math.dist(b[:2], c[:2]) < 0.5
        limit = math.inf if is_end or bend < 0.02 else math.sqrt(_SIDEWAYS_MPS2 * _REACH_M / bend)
        speeds.append(max(min(limit, most_mps, 30.0), 2.0))
    for i in range(len(speeds) - 2, -1, -1):
        speeds[i] = min(speeds[i], math.sqrt(speeds[i + 1] ** 2 + 2.0 * BRAKING_MPS2 * _STEP_M))
    return tuple(speeds)
