"""Limits of the commanded horizontal velocity and of its rate of change."""

from __future__ import annotations

import math

from followme_uav.config import LimitsConfig
from followme_uav.messages import Vec2


class VelocityLimiter:
    """Bounds speed and acceleration of the command."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._limits = limits
        self._last_mps = (0.0, 0.0)

    def reset(self, velocity_mps: Vec2 = (0.0, 0.0)) -> None:
        """Start from this velocity."""
        self._last_mps = velocity_mps

    def limit(self, velocity_mps: Vec2, dt_s: float) -> Vec2:
        """The nearest allowed velocity."""
        wanted = shortened(velocity_mps, self._limits.speed_mps)
        change = (wanted[0] - self._last_mps[0], wanted[1] - self._last_mps[1])
        change = shortened(change, self._limits.acceleration_mps2 * dt_s)
        self._last_mps = (self._last_mps[0] + change[0], self._last_mps[1] + change[1])
        return self._last_mps


def shortened(vector: Vec2, longest: float) -> Vec2:
    """The vector in its direction, no longer than this."""
    length = math.hypot(*vector)
    scale = longest / length if length > longest else 1.0
    return scale * vector[0], scale * vector[1]
