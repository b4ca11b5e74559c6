"""Vertices and triangles of vertical tubes through elliptic rings."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from followme_uav.sim.rendering.meshes.mesh_part import Floats, MeshPart, grid_triangles

Ring = tuple[float, float, float, float, float]
"""Centre north and east, height, half size north and east."""

_UP = np.array([0.0, 0.0, -1.0])
_POINT_M = 1e-6
"""A ring whose half size is smaller has no cap."""


def tube(
    rings: NDArray[np.float64],
    sides: int,
    *,
    caps: bool,
    uv_scale: tuple[float, float],
    uv_shift: tuple[float, float],
) -> MeshPart:
    """The surface of a tube, with smooth normals on its side.

    Args:
        rings: (n, 5) rows as `Ring`, from the bottom up.
        sides: Number of corners of each ring.
        caps: Close the tube at its first and last ring.
        uv_scale: Repetitions of the texture around the tube, and per metre of height.
        uv_shift: Offset of the texture coordinates.
    """
    around = _around(sides)
    position = _ring_points(rings, around)
    side = MeshPart(
        position.reshape(-1, 3),
        _smooth_normals(rings, position).reshape(-1, 3),
        _texture_coordinates(rings, around, uv_scale, uv_shift).reshape(-1, 2),
        _side_triangles(len(rings), sides + 1),
    )
    return _with_caps(side, rings, position) if caps else side


@dataclass(frozen=True)
class _Around:
    """The corners of a ring; the last one is the first one again."""

    share: Floats
    """(sides + 1,) from 0 to 1."""
    cosine: Floats
    sine: Floats


@functools.cache
def _around(sides: int) -> _Around:
    angle = np.linspace(0.0, 2 * math.pi, sides + 1)
    return _Around(angle / (2 * math.pi), np.cos(angle), np.sin(angle))


@functools.cache
def _side_triangles(rings: int, columns: int) -> NDArray[np.int64]:
    return grid_triangles(rings, columns)


def _ring_points(rings: Floats, around: _Around) -> Floats:
    """(n, sides + 1, 3) NED."""
    points = np.empty((len(rings), len(around.share), 3))
    points[..., 0] = rings[:, 0, None] + rings[:, 3, None] * around.cosine
    points[..., 1] = rings[:, 1, None] + rings[:, 4, None] * around.sine
    points[..., 2] = -rings[:, 2, None]
    return points


# Written out in plain differences and products: a figure has twenty tubes of a few points, for
# which NumPy's `gradient` and `cross` mostly check their arguments.
def _smooth_normals(rings: Floats, position: Floats) -> Floats:
    """(n, sides + 1, 3) unit normals that point away from the axis."""
    around, along = np.empty_like(position), np.empty_like(position)
    around[:, 1:-1] = (position[:, 2:] - position[:, :-2]) / 2.0
    around[:, 0] = around[:, -1] = position[:, 1] - position[:, -2]
    along[1:-1] = (position[2:] - position[:-2]) / 2.0
    along[0], along[-1] = position[1] - position[0], position[-1] - position[-2]
    normal = np.empty_like(position)
    for axis, (i, j) in enumerate(((1, 2), (2, 0), (0, 1))):
        normal[..., axis] = around[..., i] * along[..., j] - around[..., j] * along[..., i]
    outward = position.copy()
    outward[..., :2] -= rings[:, None, :2]
    outward[..., 2] += rings[:, None, 2]
    inwards = (normal * outward).sum(axis=-1, keepdims=True) < 0.0
    np.negative(normal, out=normal, where=inwards)
    length = np.sqrt((normal * normal).sum(axis=-1, keepdims=True))
    return np.where(length > 1e-9, normal / np.maximum(length, 1e-9), _UP)


def _texture_coordinates(
    rings: Floats, around: _Around, scale: tuple[float, float], shift: tuple[float, float]
) -> Floats:
    """(n, sides + 1, 2)."""
    climb = np.zeros(len(rings))
    climb[1:] = np.abs(rings[1:, 2] - rings[:-1, 2]).cumsum()
    coordinates = np.empty((len(rings), len(around.share), 2))
    coordinates[..., 0] = around.share * scale[0] + shift[0]
    coordinates[..., 1] = (climb * scale[1])[:, None] + shift[1]
    return coordinates


def _with_caps(side: MeshPart, rings: Floats, position: Floats) -> MeshPart:
    """Close the first and the last ring with a fan of triangles, unless it is a point."""
    count, ring = position.shape[:2]
    points, normals, uvs, triangles = [side.position], [side.normal], [side.uv], [side.triangles]
    start = count * ring
    for index, sign in ((0, 1.0), (count - 1, -1.0)):
        north, east, height, half_north, half_east = rings[index].tolist()
        if min(half_north, half_east) < _POINT_M:
            continue
        points += [position[index], np.array([(north, east, -height)])]
        normals.append(_cap_normals(ring + 1, sign))
        ring_uv = side.uv[index * ring : (index + 1) * ring]
        uvs += [ring_uv, ring_uv[:1]]
        triangles.append(_cap_triangles(ring, sign) + start)
        start += ring + 1
    join = np.concatenate
    return MeshPart(join(points), join(normals), join(uvs), join(triangles))


@functools.cache
def _cap_normals(count: int, down: float) -> Floats:
    return np.tile([0.0, 0.0, down], (count, 1))


@functools.cache
def _cap_triangles(ring: int, down: float) -> NDArray[np.int64]:
    """A fan around the point behind a ring of points."""
    corner = np.arange(ring - 1)
    centre = np.full(ring - 1, ring)
    order = [centre, corner + 1, corner] if down > 0 else [centre, corner, corner + 1]
    return np.stack(order, axis=1)
