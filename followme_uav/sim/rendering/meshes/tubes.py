"""Vertices and triangles of vertical tubes through elliptic rings."""

from __future__ import annotations

import math

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
    angle = np.linspace(0.0, 2 * math.pi, sides + 1)
    position = _ring_points(rings, angle)
    side = MeshPart(
        position.reshape(-1, 3),
        _smooth_normals(rings, position).reshape(-1, 3),
        _texture_coordinates(rings, angle, uv_scale, uv_shift).reshape(-1, 2),
        grid_triangles(len(rings), sides + 1),
    )
    return _with_caps(side, rings, position) if caps else side


def _ring_points(rings: Floats, angle: Floats) -> Floats:
    """(n, sides + 1, 3) NED; the last point of each ring is the first one again."""
    north = rings[:, None, 0] + rings[:, None, 3] * np.cos(angle)
    east = rings[:, None, 1] + rings[:, None, 4] * np.sin(angle)
    down = np.broadcast_to(-rings[:, None, 2], north.shape)
    return np.stack([north, east, down], axis=-1)


def _smooth_normals(rings: Floats, position: Floats) -> Floats:
    """(n, sides + 1, 3) unit normals that point away from the axis."""
    around = np.gradient(position, axis=1)
    around[:, 0] = around[:, -1] = position[:, 1] - position[:, -2]
    along = np.gradient(position, axis=0)
    normal = np.cross(around, along)
    axis = np.stack([rings[:, 0], rings[:, 1], -rings[:, 2]], axis=-1)
    outward = position - axis[:, None, :]
    normal *= np.where(np.sum(normal * outward, axis=-1, keepdims=True) < 0, -1.0, 1.0)
    length = np.linalg.norm(normal, axis=-1, keepdims=True)
    return np.where(length > 1e-9, normal / np.maximum(length, 1e-9), _UP)


def _texture_coordinates(
    rings: Floats, angle: Floats, scale: tuple[float, float], shift: tuple[float, float]
) -> Floats:
    """(n, sides + 1, 2)."""
    shape = (len(rings), len(angle))
    height = np.abs(np.diff(rings[:, 2], prepend=rings[0, 2])).cumsum()
    u = np.broadcast_to(angle / (2 * math.pi) * scale[0], shape) + shift[0]
    v = np.broadcast_to((height * scale[1])[:, None], shape) + shift[1]
    return np.stack([u, v], axis=-1)


def _with_caps(side: MeshPart, rings: Floats, position: Floats) -> MeshPart:
    """Close the first and the last ring with a fan of triangles, unless it is a point."""
    count, ring = position.shape[:2]
    points, normals, uvs, triangles = (
        [side.position],
        [side.normal],
        [side.uv],
        [side.triangles],
    )
    start = count * ring
    for index, sign in ((0, 1.0), (count - 1, -1.0)):
        if min(rings[index, 3:]) < _POINT_M:
            continue
        north, east, height = rings[index, :3]
        points.append(np.vstack([position[index], (north, east, -height)]))
        normals.append(np.broadcast_to(np.array([0.0, 0.0, sign]), (ring + 1, 3)))
        ring_uv = side.uv[index * ring : (index + 1) * ring]
        uvs.append(np.vstack([ring_uv, ring_uv[0]]))
        corner = start + np.arange(ring - 1)
        centre = np.full(ring - 1, start + ring)
        order = [centre, corner + 1, corner] if sign > 0 else [centre, corner, corner + 1]
        triangles.append(np.stack(order, axis=1))
        start += ring + 1
    return MeshPart(np.vstack(points), np.vstack(normals), np.vstack(uvs), np.vstack(triangles))
