"""Never faster than the vehicle can stop inside the space that it knows to be free.

The camera looks at the hero, not along the way. A velocity is therefore checked against the map:
in its direction the vehicle must be able to stop, with its delay and its deceleration, before the
first place that is not known to be free (the safe velocity of the curvature-velocity and dynamic
window methods: Fox, Burgard and Thrun, "The dynamic window approach to collision avoidance", 1997).
If that leaves little, directions to both sides are tried.
"""

from __future__ import annotations

import math

import numpy as np

from followme_uav.config import FlightConfig
from followme_uav.messages import Vec2
from followme_uav.pilot.mapping.surroundings import Surroundings
from followme_uav.pilot.stopping import (
    braking_mps2,
    stopping_distance_m,
    stopping_speed_mps,
)

ASIDE_DEG = (0.0, 15.0, -15.0, 30.0, -30.0, 45.0, -45.0, 60.0, -60.0, 75.0, -75.0)
"""Directions that are tried, off the wanted one."""
MARGIN_M = 0.5
"""Left between the place of rest and the first place that is not known to be free: one cell."""
SLOWEST_MPS = 0.05
"""A slower velocity needs no check."""


class KnownSpaceLimiter:
    """Limits velocities to what the map allows."""

    def __init__(self, config: FlightConfig, surroundings: Surroundings) -> None:
        limits = config.limits
        self._surroundings = surroundings
        self._limits = limits
        self._frame_s = 1.0 / config.camera.rate_hz
        self._deceleration_mps2 = braking_mps2(limits)
        self._step_m = config.explore.cell_m

    def limit_velocity(self, position_m: Vec2, velocity_mps: Vec2, lag_s: float) -> Vec2:
        """The velocity (north, east) that makes most of this one, and that the vehicle can stop.

        Args:
            position_m: Of the vehicle.
            velocity_mps: The wanted velocity.
            lag_s: Time constant of the vehicle's response.
        """
        wanted_mps = math.hypot(*velocity_mps)
        if wanted_mps < SLOWEST_MPS:
            return velocity_mps
        delay_s = lag_s + self._frame_s
        if self._surroundings.grid.is_close_at(position_m):
            wanted_mps = min(wanted_mps, self._limits.corner_speed_mps)
        azimuth_rad = math.atan2(velocity_mps[1], velocity_mps[0])
        reach_m = MARGIN_M + stopping_distance_m(wanted_mps, self._deceleration_mps2, delay_s)
        best, best_mps = (0.0, 0.0), 0.0
        for aside_deg, free_m in zip(
            ASIDE_DEG, self._free_m(position_m, azimuth_rad, reach_m), strict=True
        ):
            share = math.cos(math.radians(aside_deg))
            speed_mps = min(
                wanted_mps * share,
                stopping_speed_mps(free_m - MARGIN_M, self._deceleration_mps2, delay_s),
            )
            if speed_mps * share > best_mps + 1e-9:
                best_mps = speed_mps * share
                direction_rad = azimuth_rad + math.radians(aside_deg)
                best = speed_mps * math.cos(direction_rad), speed_mps * math.sin(direction_rad)
        return best

    def _free_m(self, position_m: Vec2, azimuth_rad: float, reach_m: float) -> list[float]:
        """Free distance in each of the directions, up to the reach."""
        along_m = (np.arange(math.ceil(reach_m / self._step_m)) + 1.0) * self._step_m
        directions_rad = azimuth_rad + np.radians(ASIDE_DEG)
        north_m = position_m[0] + np.cos(directions_rad)[:, None] * along_m
        east_m = position_m[1] + np.sin(directions_rad)[:, None] * along_m
        is_free = self._surroundings.grid.may_fly(north_m, east_m, tight=True)
        count = np.where(is_free.all(axis=1), len(along_m), is_free.argmin(axis=1))
        free_m: list[float] = (count * self._step_m).tolist()
        return free_m
