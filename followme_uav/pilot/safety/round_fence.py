"""The geofence of a flight without a map: a circle around its start."""

from __future__ import annotations

import math

from followme_uav.config import LimitsConfig
from followme_uav.messages import Vec2


def limit_to_circle(
    position_m: Vec2, velocity_mps: Vec2, centre_m: Vec2, radius_m: float, limits: LimitsConfig
) -> Vec2:
    """`velocity_mps` (north, east), slowed down outwards so that the vehicle stays inside.

    The speed outwards is at most the distance to the boundary divided by the braking time; outside,
    the vehicle comes back.
    """
    away = position_m[0] - centre_m[0], position_m[1] - centre_m[1]
    away_m = math.hypot(*away)
    if away_m == 0.0:
        return velocity_mps
    outwards = away[0] / away_m, away[1] / away_m
    allowed_mps = (radius_m - limits.boundary_margin_m - away_m) / limits.boundary_time_s
    excess_mps = velocity_mps[0] * outwards[0] + velocity_mps[1] * outwards[1] - allowed_mps
    if excess_mps <= 0.0:
        return velocity_mps
    return (
        velocity_mps[0] - excess_mps * outwards[0],
        velocity_mps[1] - excess_mps * outwards[1],
    )
