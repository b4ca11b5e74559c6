"""The surfaces of spawned solids; rendering and collision use the same corners."""

from __future__ import annotations

import math

import numpy as np

from followme_uav.sim.city.arrays import Floats
from followme_uav.sim.city.spawned import Shape, SpawnedObject

SIDES = 24
_RINGS = 12
_TIP = 1e-7  # half the width of a ring that stands for a point


def corners_of(one: SpawnedObject) -> Floats:
    """(n, 3) corners of a cylinder or a cone in its own axes: forward, right, down."""
    angle = np.linspace(0.0, 2 * math.pi, SIDES, endpoint=False)
    rings = [
        np.stack((n * np.cos(angle), e * np.sin(angle), np.full(SIDES, -height)), axis=1)
        for _, _, height, n, e in rings_of(one)
    ]
    return np.vstack(rings)


def rings_of(one: SpawnedObject) -> list[tuple[float, float, float, float, float]]:
    """Elliptic rings of a solid other than a cube, from the bottom up.

    Returns:
        Forward, right and height of each centre, and half sizes forward and right.
    """
    x, y, z = one.half_size_m
    if one.asset.shape is Shape.CYLINDER:
        return [(0.0, 0.0, -z, x, y), (0.0, 0.0, z, x, y)]
    if one.asset.shape is Shape.CONE:
        return [(0.0, 0.0, -z, x, y), (0.0, 0.0, z, _TIP, _TIP)]
    rings = []
    for i in range(_RINGS + 1):
        angle = math.pi * (i / _RINGS - 0.5)
        wide = max(math.cos(angle), _TIP)
        rings.append((0.0, 0.0, z * math.sin(angle), x * wide, y * wide))
    return rings
