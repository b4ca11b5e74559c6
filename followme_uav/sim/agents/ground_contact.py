"""What people stand on, and what they cannot walk through.

World frame NED in metres.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from followme_uav.sim.city.layout import (
    CARRIAGEWAY_HALF_WIDTH_M,
    PAVEMENT_HEIGHT_M,
    STREET_CENTRES_M,
    STREET_END_M,
    Car,
    City,
)

BODY_RADIUS_M = 0.3
"""Nobody comes closer to an obstacle than this."""
NEAR_M = 3.5
"""Obstacles further from somebody's body than this are not `near`."""

_CAR_RADIUS_M = 1.12
_CAR_CIRCLES = (-0.36, 0.0, 0.36)  # their centres, as a share of its length

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Circle = tuple[float, float, float]
"""North, east, radius."""


def road_offsets_m(position: Floats) -> Floats:
    """(n, 2) from the nearest street's middle to each coordinate of (n, 2) positions."""
    spacing = STREET_CENTRES_M[1] - STREET_CENTRES_M[0]
    nearest = np.minimum(np.maximum(np.rint(position / spacing), -1.0), 1.0)
    offsets: Floats = position - spacing * nearest
    return offsets


def road_gaps_m(position: Floats) -> Floats:
    """(n,) how far each of (n, 2) positions is from the nearest centre line of a street."""
    gaps: Floats = np.abs(road_offsets_m(position)).min(axis=1)
    return gaps


def height_m(north_m: float, east_m: float) -> float:
    """As `layout.ground_height_m`, with a short ramp over the kerb."""
    if max(abs(north_m), abs(east_m)) > STREET_END_M:
        return PAVEMENT_HEIGHT_M
    gap_m = min(abs(v - c) for v in (north_m, east_m) for c in STREET_CENTRES_M)
    share = (gap_m - (CARRIAGEWAY_HALF_WIDTH_M - 0.2)) / 0.2
    return min(max(share, 0.0), 1.0) * PAVEMENT_HEIGHT_M


def car_circles(north_m: float, east_m: float, yaw_rad: float, length_m: float) -> list[Circle]:
    """Three circles that cover a car."""
    n, e = length_m * math.cos(yaw_rad), length_m * math.sin(yaw_rad)
    return [(north_m + s * n, east_m + s * e, _CAR_RADIUS_M) for s in _CAR_CIRCLES]


def obstacle_circles(city: City) -> Floats:
    """(n, 3) north, east, radius of everything a walker could bump into near the paths."""

    def parked(car: Car) -> list[Circle]:
        return car_circles(car.north_m, car.east_m, car.yaw_rad, car.length_m)

    circles = [(p.north_m, p.east_m, p.radius_m) for p in city.planters]
    circles += [(t.north_m, t.east_m, 0.25) for t in city.trees]
    circles += [(b.north_m, b.east_m, b.radius_m) for b in city.bushes]
    circles += [(p.north_m, p.east_m, 0.12) for p in city.lamps]
    half = city.highway.pillar_half_m
    circles += [(n, e, half * math.sqrt(2)) for n, e in city.highway.pillars_m]
    circles += [circle for car in city.cars for circle in parked(car)]
    return np.array(circles)


def near_circles(position: Floats, circles: Floats) -> tuple[Indices, Indices]:
    """Who is near which circle.

    Args:
        position: (people, 2).
        circles: (n, 3).
    """
    north = position[:, :1] - circles[:, 0]
    east = position[:, 1:] - circles[:, 1]
    reach = circles[:, 2] + (BODY_RADIUS_M + NEAR_M)
    who, which = np.nonzero(north * north + east * east < reach * reach)
    return who, which


def push_out(position: Floats, circles: Floats, who: Indices, which: Indices) -> None:
    """Move people out of circles, in place.

    Args:
        position: (people, 2).
        circles: (n, 3).
        who: index of a person, of each pair that is to be looked at.
        which: index of a circle, likewise.
    """
    out = position[who] - circles[which, :2]
    reach = circles[which, 2] + BODY_RADIUS_M
    inside = np.einsum("ij,ij->i", out, out) < reach * reach
    if inside.any():
        for k in np.flatnonzero(inside).tolist():
            push_out_one(position, int(who[k]), tuple(circles[which[k]].tolist()))


def push_out_one(position: Floats, i: int, circle: Circle) -> None:
    """Move person i out of one circle, in place."""
    north, east, radius = circle
    n, e = float(position[i, 0]) - north, float(position[i, 1]) - east
    # A touch of sideways motion leads around what stands exactly in the way.
    n, e = n - 0.02 * e - 2e-8, e + 0.02 * n
    gap, reach = math.hypot(n, e), radius + BODY_RADIUS_M
    if gap < reach:
        scale = 1.001 * reach / gap
        position[i] = north + scale * n, east + scale * e
