"""Rays to ground that is a grid of heights."""

from __future__ import annotations

import math

import numpy as np

from followme_uav.messages import Vec3
from followme_uav.sim.city.arrays import Floats
from followme_uav.worlds.terrain import ground_heights_m
from followme_uav.worlds.world import Terrain

_TOUCH_M = 1e-9


def ray_to_terrain_m(terrain: Terrain, start_m: Vec3, direction: Vec3) -> float:
    """Length of a ray to the ground; 0 below the ground, inf if it does not meet it.

    Between two lines of the grid the height of the ray above the ground is a quadratic function of
    the distance, because the ground is bilinear there. A ray that starts on the ground leaves it.

    Args:
        terrain: heights of the ground.
        start_m: world NED.
        direction: a unit vector, world NED.
    """
    start, along = np.array(start_m), np.array(direction)

    def above_m(distance: Floats) -> Floats:
        points = start + distance[:, None] * along
        heights: Floats = -points[:, 2] - ground_heights_m(terrain, points[:, :2])
        return heights

    first = float(above_m(np.zeros(1))[0])
    if first < -_TOUCH_M:
        return 0.0
    stops = _crossings_m(terrain, start, along)
    if along[2] > 1e-12:  # downwards: it meets even the lowest ground
        lowest = float(terrain.grid.min())
        end_m = (-start_m[2] - lowest) / float(along[2]) + 1.0
    else:
        end_m = float(stops[-1]) + 1.0 if len(stops) else 1.0
    stops = np.concatenate(([0.0], stops[stops < end_m], [end_m]))
    low, size = stops[:-1], np.diff(stops)
    f0, f1, f2 = above_m(low), above_m(low + 0.5 * size), above_m(stops[1:])
    a, b = 2.0 * (f0 - 2.0 * f1 + f2), -3.0 * f0 + 4.0 * f1 - f2
    hits = [
        low[i] + size[i] * share
        for i in range(len(low))
        for share in _roots(float(a[i]), float(b[i]), float(f0[i]))
        if (low[i] + size[i] * share) > _TOUCH_M or first > _TOUCH_M
    ]
    return float(min(hits, default=math.inf))


def _crossings_m(terrain: Terrain, start: Floats, along: Floats) -> Floats:
    """Distances along a ray at which it crosses lines of the grid, in rising order."""
    found = []
    sizes = len(terrain.heights_m), len(terrain.heights_m[0])
    for axis, first_m in ((0, terrain.south_m), (1, terrain.west_m)):
        if abs(along[axis]) > 1e-12:
            lines = first_m + terrain.spacing_m * np.arange(sizes[axis])
            found.append((lines - start[axis]) / along[axis])
    stops = np.sort(np.concatenate(found)) if found else np.zeros(0)
    return stops[stops > 0.0]


def _roots(a: float, b: float, c: float) -> list[float]:
    """The x from 0 to 1 at which a x^2 + b x + c falls to 0."""
    if abs(a) < 1e-9:
        roots = [-c / b] if b < 0.0 else []
    else:
        root = b * b - 4.0 * a * c
        if root < 0.0:
            return []
        # The form without cancellation.
        q = -0.5 * (b + math.copysign(math.sqrt(root), b))
        roots = [q / a, *([c / q] if q else [])]
    return [x for x in roots if -1e-9 <= x <= 1.0 + 1e-9 and 2.0 * a * x + b <= 0.0]
