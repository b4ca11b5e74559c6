"""Obstacle avoidance: keep clear of what the depth image has shown in the last seconds.

The camera looks at the hero, not in the direction of flight; obstacles are therefore remembered.
Towards each obstacle the speed is at most the free distance to it divided by a braking time, and
slow enough for the vehicle to stop within this distance. An obstacle that the vehicle will pass
limits it less, the farther aside it lies; a wall along a street does not slow it down. Nearer than
the clearance, the vehicle backs off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from followme_uav.config import LimitsConfig
from followme_uav.messages import Vec2, Vec3
from followme_uav.pilot.stopping import (
    braking_mps2,
    stopping_distance_m,
    stopping_speed_mps,
)

CELL_M = 0.5
"""Size of a grid cell; a cell keeps its latest obstacle."""
ROUNDS = 3
"""Backing off from one obstacle may lead towards another: the rule is applied this often."""
WANDER = 0.2
"""That far aside of its course wind and delays push the vehicle, for each metre."""


class ObstacleMap:
    """The obstacles around the vehicle at its height.

    Args:
        limits: Of the vehicle.
        wander: How far aside of its course the vehicle may get, for each metre. With infinity, all
            obstacles ahead count in full: those that will be passed may reach farther than they
            have shown.
    """

    def __init__(self, limits: LimitsConfig, wander: float = WANDER) -> None:
        self._limits, self._wander = limits, wander
        self._cells: dict[tuple[int, int], tuple[float, Vec2]] = {}
        """Cell -> (time, north and east)."""

    def update(self, time_s: float, obstacles_m: Sequence[Vec3]) -> None:
        """Add the obstacles of a frame, world NED, and forget old ones."""
        oldest_s = time_s - self._limits.obstacle_memory_s
        self._cells = {cell: seen for cell, seen in self._cells.items() if seen[0] >= oldest_s}
        for north, east, _ in obstacles_m:
            cell = (round(north / CELL_M), round(east / CELL_M))
            self._cells[cell] = (time_s, (north, east))

    def limit_velocity(self, position_m: Vec2, velocity_mps: Vec2, delay_s: float) -> Vec2:
        """The velocity (north, east) nearest to this one that keeps clear of all obstacles.

        Args:
            position_m: Of the vehicle.
            velocity_mps: The wanted velocity.
            delay_s: Time until the vehicle obeys.
        """
        limits = self._limits
        north, east = velocity_mps
        braking = braking_mps2(limits)
        reach_m = limits.clearance_m + max(
            limits.speed_mps * limits.boundary_time_s,
            stopping_distance_m(limits.speed_mps, braking, delay_s),
        )
        near = sorted(
            (distance_m, obstacle_m)
            for _, obstacle_m in self._cells.values()
            if 0.0 < (distance_m := math.dist(obstacle_m, position_m)) < reach_m
        )
        for _ in range(ROUNDS):
            for distance_m, obstacle_m in near:
                ahead = (
                    (obstacle_m[0] - position_m[0]) / distance_m,
                    (obstacle_m[1] - position_m[1]) / distance_m,
                )
                free_m = distance_m - limits.clearance_m
                allowed_mps = free_m / limits.boundary_time_s
                if free_m > 0.0:
                    allowed_mps = min(allowed_mps, stopping_speed_mps(free_m, braking, delay_s))
                towards_mps = north * ahead[0] + east * ahead[1]
                if towards_mps <= allowed_mps:
                    continue
                excess_mps = towards_mps - allowed_mps
                if free_m > 0.0:
                    aside_mps = abs(north * ahead[1] - east * ahead[0])
                    spare_m = distance_m * aside_mps / math.hypot(north, east) - limits.clearance_m
                    excess_mps *= min(max(1.0 - spare_m / (self._wander * distance_m), 0.0), 1.0)
                north, east = north - excess_mps * ahead[0], east - excess_mps * ahead[1]
        return north, east
