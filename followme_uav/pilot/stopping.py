"""The way to stop, from the delay of the vehicle and its deceleration."""

from __future__ import annotations

import math

from followme_uav.config import LimitsConfig


def braking_mps2(limits: LimitsConfig) -> float:
    """Deceleration of the vehicle on which plans rely.

    The commanded velocity changes with `limits.acceleration_mps2`; a third is left for the vehicle.
    """
    return limits.acceleration_mps2 / 1.5


def stopping_distance_m(speed_mps: float, deceleration_mps2: float, delay_s: float) -> float:
    """Distance from the decision to stop until the vehicle is at rest."""
    return speed_mps * delay_s + speed_mps**2 / (2.0 * deceleration_mps2)


def stopping_speed_mps(distance_m: float, deceleration_mps2: float, delay_s: float) -> float:
    """Greatest speed from which the vehicle stops within the distance; the inverse of it."""
    if distance_m <= 0.0:
        return 0.0
    root_s = math.sqrt(delay_s**2 + 2.0 * distance_m / deceleration_mps2)
    return deceleration_mps2 * (root_s - delay_s)
