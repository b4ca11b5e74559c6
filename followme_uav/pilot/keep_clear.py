"""Keeps the vehicle clear of what its depth image has shown, for as long as it remembers.

The camera looks at the hero, not where the vehicle flies; so what was seen a moment ago still
counts. Towards each thing the speed is at most the free distance to it divided by a braking time;
nearer than the clearance to keep, the vehicle backs off.
"""

from __future__ import annotations

import math

from followme_uav.config import LimitsConfig
from followme_uav.messages import Frame

Vec2 = tuple[float, float]

CELL_M = 0.5
"""Of all things seen in a square of this size the last one is remembered."""
ROUNDS = 3
"""Backing off from one thing may lead towards another: the rule is applied this often."""


class Surroundings:
    """What stands around the vehicle at its height."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._limits = limits
        self._things: dict[tuple[int, int], tuple[float, Vec2]] = {}
        """Cell -> (time, north and east)."""

    def see(self, frame: Frame) -> None:
        """Add what this frame shows and forget what is old."""
        oldest_s = frame.time_s - self._limits.obstacle_memory_s
        self._things = {cell: thing for cell, thing in self._things.items() if thing[0] >= oldest_s}
        for north, east, _ in frame.obstacles_m:
            cell = (round(north / CELL_M), round(east / CELL_M))
            self._things[cell] = (frame.time_s, (north, east))

    def limit(self, here_m: Vec2, velocity_mps: Vec2) -> Vec2:
        """The velocity (north, east) nearest to this one that keeps clear of everything."""
        limits = self._limits
        north, east = velocity_mps
        reach_m = limits.clearance_m + limits.speed_mps * limits.boundary_time_s
        near = sorted(
            (distance_m, thing_m)
            for _, thing_m in self._things.values()
            if 0.0 < (distance_m := math.dist(thing_m, here_m)) < reach_m
        )
        for _ in range(ROUNDS):
            for distance_m, thing_m in near:
                ahead = (
                    (thing_m[0] - here_m[0]) / distance_m,
                    (thing_m[1] - here_m[1]) / distance_m,
                )
                allowed_mps = (distance_m - limits.clearance_m) / limits.boundary_time_s
                excess_mps = north * ahead[0] + east * ahead[1] - allowed_mps
                if excess_mps > 0.0:
                    north, east = north - excess_mps * ahead[0], east - excess_mps * ahead[1]
        return north, east
