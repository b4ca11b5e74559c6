"""One car on the lanes of a world: its state, and its way ahead and behind.

World frame NED in metres; headings in radians, 0 = north, clockwise seen from above.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from followme_uav.messages import Vec3
from followme_uav.sim.agents.lane_paths import CarPath, LanePath, TurnPath
from followme_uav.sim.city.colours import Colour

_AXLE_M = 1.3
"""Distance of the axles, which are on the path, from the middle of a car."""


@dataclass
class Claim:
    """Something that a car holds until it has driven so far."""

    until_m: float
    crosswalk: int = -1
    turn: tuple[int, int] | None = None


@dataclass
class LaneDriver:
    """One car, and the intent of its driver."""

    lanes: tuple[LanePath, ...]
    """All lanes."""
    colour: Colour
    cruise_mps: float
    lane: int
    along_m: float
    turn: int
    speed_mps: float = 0.0
    driven_m: float = 0.0
    turning: bool = False
    behind: CarPath | None = None
    """The path before the one that the car is on."""
    may_turn: bool = False
    """Whether the turn at the end of the lane is claimed."""
    claims: list[Claim] = field(default_factory=list)
    gates_open: set[int] = field(default_factory=set)
    """Crosswalks of gates on this lane that are claimed."""
    desired_mps: float = 0.0
    refusals: int = 0
    refused_because: str = ""

    @property
    def turn_path(self) -> TurnPath:
        """The turn at the end of the lane."""
        return self.lanes[self.lane].turns[self.turn]

    @property
    def path(self) -> CarPath:
        """The lane or turn that the car is on."""
        return self.turn_path.path if self.turning else self.lanes[self.lane].path

    def place_at(self, ahead_m: float) -> Vec3:
        """The point of a car's way at a distance from its middle; behind it for a negative one."""
        path, along_m = self.path, self.along_m + ahead_m
        if along_m < 0.0 and self.behind is not None:
            return self.behind.at(self.behind.length_m + along_m)
        if along_m > path.length_m and not self.turning:
            along_m -= path.length_m
            path = self.turn_path.path
            if along_m <= path.length_m:
                return path.at(along_m)
            return self.lanes[self.turn_path.to_lane].path.at(along_m - path.length_m)
        if along_m > path.length_m:
            return self.lanes[self.turn_path.to_lane].path.at(along_m - path.length_m)
        return path.at(along_m)

    def pose(self, ahead_m: float = 0.0) -> tuple[float, float, float, float, float]:
        """North, east, heading, height of the wheels and pitch of a car."""
        n0, e0, h0 = self.place_at(ahead_m - _AXLE_M)
        n1, e1, h1 = self.place_at(ahead_m + _AXLE_M)
        reach = max(math.hypot(n1 - n0, e1 - e0), 1e-6)
        heading, pitch = math.atan2(e1 - e0, n1 - n0), math.atan2(h1 - h0, reach)
        return 0.5 * (n0 + n1), 0.5 * (e0 + e1), heading, 0.5 * (h0 + h1), pitch
