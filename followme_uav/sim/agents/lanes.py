"""The lanes: one in each direction between two intersections, and the turns that join them.

Traffic keeps to the right. The outer ends of the streets are dead ends, so cars use only the twelve
streets between the nine intersections. Parked cars leave the lanes free. No car turns left at the
middle intersection, because that turn leads over the place where vehicles take off and land.

World frame NED in metres; headings in radians, 0 = north, clockwise seen from above.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from followme_uav.sim.agents.walk_graph import crosswalk_number
from followme_uav.sim.city.layout import STREET_CENTRES_M

LANE_OFFSET_M = 1.6
"""Distance of a lane from the centre line; parked cars begin at 2.9 m."""
LANE_START_M = 6.6
"""Distance of the start of a lane from the middle of the intersection; it ends as far before the
next one."""
STOP_LINE_M = 9.8
"""Distance of stopped bumpers from the middle of an intersection; the crosswalk begins at 8.6 m."""
CROSSWALK_OUTER_M, CROSSWALK_INNER_M = 9.2, 5.2
"""Distances from the middle of an intersection: outside the one and inside the other, a car leaves
the crosswalk free."""

_RIGHT_RADIUS_M = LANE_START_M - LANE_OFFSET_M
_LEFT_RADIUS_M = LANE_START_M + LANE_OFFSET_M
_SPEED_MPS = {0: 6.5, 1: 3.0, 3: 3.8}
"""Speed on an intersection, by the number of quarter turns to the right."""


@dataclass(frozen=True)
class Segment:
    """A straight line or an arc."""

    north_m: float
    east_m: float
    heading_rad: float
    """At the start."""
    length_m: float
    radius_m: float = 0.0
    """0: straight; positive: to the right; negative: to the left."""

    def pose(self, along_m: float) -> tuple[float, float, float]:
        """North, east and heading at a distance from the start; straight on beyond the ends."""
        north, east, heading = self.north_m, self.east_m, self.heading_rad
        if self.radius_m:
            on_arc_m = min(max(along_m, 0.0), self.length_m)
            turn = on_arc_m / self.radius_m
            c, s = math.cos(heading), math.sin(heading)
            ahead, right = self.radius_m * math.sin(turn), self.radius_m * (1.0 - math.cos(turn))
            north += ahead * c - right * s
            east += ahead * s + right * c
            heading += turn
            along_m -= on_arc_m
        return north + along_m * math.cos(heading), east + along_m * math.sin(heading), heading


@dataclass(frozen=True)
class LaneTurn:
    """The way over an intersection, from the end of one lane to the start of another."""

    segment: Segment
    to_lane: int
    speed_mps: float
    crosswalks: tuple[int, int]
    """The one before the intersection and the one behind it."""


@dataclass(frozen=True)
class Lane:
    """A lane from one intersection to the next."""

    segment: Segment
    intersection: int
    """Number of the intersection at its end."""
    turns: tuple[LaneTurn, ...]

    @property
    def stop_m(self) -> float:
        """Distance from the start at which bumpers stop."""
        return self.segment.length_m - (STOP_LINE_M - LANE_START_M)


def _unit(direction: int) -> tuple[int, int]:
    return ((1, 0), (0, 1), (-1, 0), (0, -1))[direction]


def _lanes() -> tuple[Lane, ...]:
    """Make all lanes; direction 0 is north, 1 east, 2 south, 3 west."""
    size = len(STREET_CENTRES_M)
    starts: dict[tuple[int, int, int], int] = {}
    for row in range(size):
        for column in range(size):
            for direction in range(4):
                n, e = _unit(direction)
                if 0 <= row + n < size and 0 <= column + e < size:
                    starts[row, column, direction] = len(starts)
    lanes = []
    for row, column, direction in starts:
        n, e = _unit(direction)
        here = (STREET_CENTRES_M[row], STREET_CENTRES_M[column])
        there = (STREET_CENTRES_M[row + n], STREET_CENTRES_M[column + e])
        length_m = abs(there[0] - here[0]) + abs(there[1] - here[1]) - 2 * LANE_START_M
        heading = direction * math.pi / 2
        turns = tuple(
            _turn(there, (row + n, column + e), direction, quarters, starts)
            for quarters in _SPEED_MPS
            if (row + n, column + e, (direction + quarters) % 4) in starts
            and not (quarters == 3 and there == (0.0, 0.0))
        )
        start = (
            here[0] + LANE_START_M * n - LANE_OFFSET_M * e,
            here[1] + LANE_START_M * e + LANE_OFFSET_M * n,
        )
        intersection = (row + n) * size + column + e
        lanes.append(Lane(Segment(*start, heading, length_m), intersection, turns))
    return tuple(lanes)


def _turn(
    middle: tuple[float, float],
    intersection: tuple[int, int],
    direction: int,
    quarters: int,
    starts: dict[tuple[int, int, int], int],
) -> LaneTurn:
    """Make the turn that leaves an intersection `quarters` quarter turns to the right."""
    n, e = _unit(direction)
    start = (
        middle[0] - LANE_START_M * n - LANE_OFFSET_M * e,
        middle[1] - LANE_START_M * e + LANE_OFFSET_M * n,
    )
    radius_m = {0: 0.0, 1: _RIGHT_RADIUS_M, 3: -_LEFT_RADIUS_M}[quarters]
    length_m = abs(radius_m) * math.pi / 2 if radius_m else 2 * LANE_START_M
    away = (direction + quarters) % 4
    return LaneTurn(
        Segment(*start, direction * math.pi / 2, length_m, radius_m),
        starts[intersection[0], intersection[1], away],
        _SPEED_MPS[quarters],
        (
            crosswalk_number(*intersection, (direction + 2) % 4),
            crosswalk_number(*intersection, away),
        ),
    )


LANES = _lanes()
INTERSECTIONS = len(STREET_CENTRES_M) ** 2
