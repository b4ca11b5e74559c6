"""The ground under people, and the obstacles that they cannot walk through.

World frame NED in metres.
"""

from __future__ import annotations

import math

import numpy as np

from followme_uav.messages import Vec2, Vec3
from followme_uav.sim.agents.avoidance import Pairs
from followme_uav.sim.city.arrays import Floats
from followme_uav.sim.city.layout import (
    CARRIAGEWAY_HALF_WIDTH_M,
    PAVEMENT_HEIGHT_M,
    STREET_CENTRES_M,
    STREET_END_M,
    Car,
    City,
    street_gap_m,
)

BODY_RADIUS_M = 0.3
"""The least distance between a person's axis and an obstacle."""
NEAR_M = 3.5
"""An obstacle nearer than this to a person's body counts as near."""

VEHICLE_RADIUS_M = 0.8
"""People keep their bodies this far from the axis of a vehicle among them."""
_ASIDE_M = 0.15
"""Longest step aside: 3 m/s."""
_SAME_LEVEL_M = 1.5

_CAR_RADIUS_M = 1.12
_CAR_CIRCLES = (-0.36, 0.0, 0.36)  # their centres, as a share of its length

Circle = tuple[float, float, float]
"""North, east, radius."""


def road_offsets_m(position: Floats) -> Floats:
    """(n, 2) offsets of the coordinates of (n, 2) positions from the nearest centre line."""
    spacing = STREET_CENTRES_M[1] - STREET_CENTRES_M[0]
    nearest = np.minimum(np.maximum(np.rint(position / spacing), -1.0), 1.0)
    offsets: Floats = position - spacing * nearest
    return offsets


def road_gaps_m(position: Floats) -> Floats:
    """(n,) distances of (n, 2) positions to the nearest centre line of a street."""
    gaps: Floats = np.abs(road_offsets_m(position)).min(axis=1)
    return gaps


def height_m(north_m: float, east_m: float) -> float:
    """Height of the ground as `layout.ground_height_m`, with a short ramp at the kerb."""
    if max(abs(north_m), abs(east_m)) > STREET_END_M:
        return PAVEMENT_HEIGHT_M
    gap_m = street_gap_m(north_m, east_m)
    share = (gap_m - (CARRIAGEWAY_HALF_WIDTH_M - 0.2)) / 0.2
    return min(max(share, 0.0), 1.0) * PAVEMENT_HEIGHT_M


def car_circles(north_m: float, east_m: float, yaw_rad: float, length_m: float) -> list[Circle]:
    """Three circles that cover a car."""
    n, e = length_m * math.cos(yaw_rad), length_m * math.sin(yaw_rad)
    return [(north_m + s * n, east_m + s * e, _CAR_RADIUS_M) for s in _CAR_CIRCLES]


def car_circle(car_m: Vec2, heading_rad: float, length_m: float, person_m: Vec2) -> Circle:
    """The part of a car that a person may touch: a circle around the nearest point of its axis.

    Circles at fixed places would have notches between them, in which a person who walks along the
    car stays for good.
    """
    half_m = _CAR_CIRCLES[-1] * length_m
    n, e = math.cos(heading_rad), math.sin(heading_rad)
    along_m = (person_m[0] - car_m[0]) * n + (person_m[1] - car_m[1]) * e
    along_m = min(max(along_m, -half_m), half_m)
    return car_m[0] + along_m * n, car_m[1] + along_m * e, _CAR_RADIUS_M


def keep_off_vehicle(before: Floats, after: Floats, heights_m: Floats, vehicle_m: Vec3) -> None:
    """Move people who are too near to a low vehicle away from it, in place, at 3 m/s at most.

    Args:
        before: (people, 2) positions before the step.
        after: (people, 2) positions after it.
        heights_m: (people,) of their feet above z = 0.
        vehicle_m: north, east, and height of the ground below it above z = 0.
    """
    reach_m = VEHICLE_RADIUS_M + BODY_RADIUS_M
    off = after - vehicle_m[:2]
    near = np.einsum("ij,ij->i", off, off) < reach_m * reach_m
    near &= np.abs(heights_m - vehicle_m[2]) < _SAME_LEVEL_M
    for i in np.flatnonzero(near).tolist():
        push_out_one(after, i, (vehicle_m[0], vehicle_m[1], VEHICLE_RADIUS_M))
        step = after[i] - before[i]
        length_m = math.hypot(*step)
        if length_m > _ASIDE_M:
            after[i] = before[i] + step * (_ASIDE_M / length_m)


def obstacle_circles(city: City) -> Floats:
    """(n, 3) north, east, radius of the obstacles near the ways that people walk."""

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


def near_circles(position: Floats, circles: Floats) -> Pairs:
    """Find the people and circles that are near each other.

    Args:
        position: (people, 2).
        circles: (n, 3).

    Returns:
        Indices of people, and of circles.
    """
    north = position[:, :1] - circles[:, 0]
    east = position[:, 1:] - circles[:, 1]
    reach = circles[:, 2] + (BODY_RADIUS_M + NEAR_M)
    people, near = np.nonzero(north * north + east * east < reach * reach)
    return people, near


def push_out(position: Floats, circles: Floats, pairs: Pairs) -> None:
    """Move people out of circles, in place.

    Args:
        position: (people, 2).
        circles: (n, 3).
        pairs: people and circles that may touch.
    """
    people, near = pairs
    out = position[people] - circles[near, :2]
    reach = circles[near, 2] + BODY_RADIUS_M
    inside = np.einsum("ij,ij->i", out, out) < reach * reach
    if inside.any():
        for k in np.flatnonzero(inside).tolist():
            push_out_one(position, int(people[k]), tuple(circles[near[k]].tolist()))


def push_out_one(position: Floats, i: int, circle: Circle) -> None:
    """Move person i out of one circle, in place."""
    north, east, radius = circle
    n, e = float(position[i, 0]) - north, float(position[i, 1]) - east
    # A little sideways motion leads around a circle that is exactly ahead.
    n, e = n - 0.02 * e - 2e-8, e + 0.02 * n
    gap, reach = math.hypot(n, e), radius + BODY_RADIUS_M
    if gap < reach:
        scale = 1.001 * reach / gap
        position[i] = north + scale * n, east + scale * e
