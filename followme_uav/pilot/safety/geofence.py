"""The geofence: keep the vehicle inside the flyable area.

Towards the boundary the speed is at most the distance to it divided by a braking time, and slow
enough for the vehicle to stop within this distance. The vehicle therefore glides to a stop in front
of the boundary, and slides along it. Outside, the way back in is the only way.
"""

from __future__ import annotations

import itertools
import math

from followme_uav.config import LimitsConfig
from followme_uav.messages import Vec2
from followme_uav.pilot.navigation.street_map import (
    StreetMap,
    contains,
    is_free,
    nearest_point,
    shrunk,
)
from followme_uav.pilot.safety.velocity_limiter import shortened
from followme_uav.pilot.stopping import braking_mps2, stopping_distance_m

INSET_M = 0.2
"""A velocity that has to be changed leads this far inside the boundary, off its corners."""
ROUNDS = 3
"""A slower vehicle stops within less: the braking time is that of the speed allowed before. The
speeds are too low and too high in turn, and the first and the third one too low."""
SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)
"""Shares of the wanted velocity, north and east, that are tried: the largest free one is flown."""


def limit_velocity(
    position_m: Vec2,
    velocity_mps: Vec2,
    flyable_m: StreetMap,
    limits: LimitsConfig,
    delay_s: float,
) -> Vec2:
    """The velocity (north, east) nearest to this one that keeps the vehicle inside.

    Args:
        position_m: Of the vehicle, north and east.
        velocity_mps: The wanted velocity.
        flyable_m: The area for flights; an empty one allows everything.
        limits: Of the vehicle.
        delay_s: Time until the vehicle obeys.
    """
    if not flyable_m:
        return velocity_mps
    areas = shrunk(flyable_m, limits.boundary_margin_m)
    if not contains(areas, position_m):
        inside_m = nearest_point(areas, position_m)
        back = tuple(
            (i - p) / limits.boundary_time_s for i, p in zip(inside_m, position_m, strict=True)
        )
        if math.dist(inside_m, position_m) > limits.boundary_margin_m:
            return shortened((back[0], back[1]), limits.speed_mps)
        # Inside the margin, as after a gust: go back, and go on along the boundary.
        north, east = limit_velocity(inside_m, velocity_mps, flyable_m, limits, delay_s)
        return north + back[0], east + back[1]
    inner = shrunk(flyable_m, limits.boundary_margin_m + INSET_M)
    inside_mps = _staying_inside(limits.boundary_time_s, areas, inner, position_m, velocity_mps)
    return _stopping_inside(areas, inner, position_m, inside_mps, limits, delay_s)


def _stopping_inside(
    areas: StreetMap,
    inner: StreetMap,
    position_m: Vec2,
    velocity_mps: Vec2,
    limits: LimitsConfig,
    delay_s: float,
) -> Vec2:
    """The velocity, along the boundary or slower if the vehicle could not stop inside from it."""

    def braking_time_s(of_mps: Vec2) -> float:
        """The time in which the vehicle would fly its stopping distance at this speed."""
        speed_mps = math.hypot(*of_mps)
        if speed_mps == 0.0:
            return limits.boundary_time_s
        stop_m = stopping_distance_m(speed_mps, braking_mps2(limits), delay_s)
        return max(limits.boundary_time_s, stop_m / speed_mps)

    if _is_free_for(braking_time_s(velocity_mps), areas, position_m, velocity_mps):
        return velocity_mps
    allowed_mps = velocity_mps
    for _ in range(ROUNDS):
        time_s = braking_time_s(allowed_mps)
        allowed_mps = _towards_inside(time_s, inner, position_m, velocity_mps)
    if _is_free_for(braking_time_s(allowed_mps), areas, position_m, allowed_mps):
        return allowed_mps
    # The nearest place inside is in another street.
    slower = ((share * velocity_mps[0], share * velocity_mps[1]) for share in SHARES)
    return next(s for s in slower if _is_free_for(braking_time_s(s), areas, position_m, s))


def _staying_inside(
    time_s: float, areas: StreetMap, inner: StreetMap, position_m: Vec2, velocity_mps: Vec2
) -> Vec2:
    """The velocity nearest to this one that stays inside the areas for `time_s`."""
    if _is_free_for(time_s, areas, position_m, velocity_mps):
        return velocity_mps
    # Along the boundary, and into a street that begins beside this place.
    inside_mps = _towards_inside(time_s, inner, position_m, velocity_mps)
    parts = itertools.product(SHARES, repeat=2)
    choices = ((north * inside_mps[0], east * inside_mps[1]) for north, east in parts)
    most_first = sorted(choices, key=lambda choice: math.dist(choice, inside_mps))
    return next(c for c in most_first if _is_free_for(time_s, areas, position_m, c))


def _towards_inside(time_s: float, inner: StreetMap, position_m: Vec2, velocity_mps: Vec2) -> Vec2:
    """The velocity that leads in `time_s` to the place inside next to where this one leads."""
    north_m, east_m = nearest_point(inner, _after(time_s, position_m, velocity_mps))
    return (north_m - position_m[0]) / time_s, (east_m - position_m[1]) / time_s


def _is_free_for(time_s: float, areas: StreetMap, position_m: Vec2, velocity_mps: Vec2) -> bool:
    """Whether this velocity stays inside the areas for `time_s`."""
    return is_free(areas, position_m, _after(time_s, position_m, velocity_mps))


def _after(time_s: float, position_m: Vec2, velocity_mps: Vec2) -> Vec2:
    return position_m[0] + time_s * velocity_mps[0], position_m[1] + time_s * velocity_mps[1]
