"""Polygons as surfaces: level ones, ones that follow the ground, and upright walls around them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely import Polygon
from shapely.geometry.polygon import orient

from followme_uav.sim.city.colours import Colour
from followme_uav.sim.rendering.meshes.mesh import Mesh
from followme_uav.sim.rendering.meshes.mesh_part import Floats, MeshPart
from followme_uav.sim.rendering.textures.layers import TILE_M, TextureLayer
from followme_uav.worlds.derived.solids import triangles_of

Heights = Callable[[Any], Floats]
"""Heights above z = 0 at (n, 2) places."""

_SLOPE_M = 0.5


def ground_part(
    polygons: list[Polygon], heights_m: Heights | None, lift_m: float, tile_m: float
) -> MeshPart | None:
    """Make one surface of polygons that lie on the ground.

    Args:
        polygons: in north and east, small where the ground is curved.
        heights_m: of the ground; None: level at 0.
        lift_m: distance of the surface above the ground.
        tile_m: side of one repetition of the texture.
    """
    corners, triangles, count = [], [], 0
    for polygon in polygons:
        points, numbers = triangles_of(polygon)
        corners.append(points)
        triangles.append(numbers.astype(np.int64) + count)
        count += len(points)
    if not count:
        return None
    points = np.concatenate(corners)
    up = np.full(count, lift_m) if heights_m is None else heights_m(points) + lift_m
    normal = np.broadcast_to(np.array([0.0, 0.0, -1.0]), (count, 3))
    if heights_m is not None:
        n, e = np.array((_SLOPE_M, 0.0)), np.array((0.0, _SLOPE_M))
        rise_n = (heights_m(points + n) - heights_m(points - n)) / (2.0 * _SLOPE_M)
        rise_e = (heights_m(points + e) - heights_m(points - e)) / (2.0 * _SLOPE_M)
        steep = np.column_stack((-rise_n, -rise_e, -np.ones(count)))
        normal = steep / np.linalg.norm(steep, axis=1, keepdims=True)
    return MeshPart(
        np.column_stack((points, -up)), normal, points[:, ::-1] / tile_m, np.concatenate(triangles)
    )


def add_level(
    mesh: Mesh, polygon: Polygon, up_m: float, layer: TextureLayer, tint: Colour, number: int
) -> None:
    """Append a level polygon that faces up."""
    part = ground_part([polygon], None, up_m, TILE_M.get(layer, 4.0))
    if part is not None:
        mesh.add(part, layer, tint, number)


def add_ceiling(
    mesh: Mesh, polygon: Polygon, up_m: float, layer: TextureLayer, tint: Colour, number: int
) -> None:
    """Append a level polygon that faces down."""
    part = ground_part([polygon], None, up_m, TILE_M.get(layer, 4.0))
    if part is not None:
        turned = MeshPart(part.position, -part.normal, part.uv, part.triangles)
        mesh.add(turned, layer, tint, number)


def walls_of(polygon: Polygon) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Yield the ends of each wall, from left to right seen from outside; courtyards included."""
    turned = orient(polygon, -1.0)
    for ring in (turned.exterior, *turned.interiors):
        points = np.array(ring.coords)[:, :2]
        yield from itertools.pairwise(points)


def add_faces(
    mesh: Mesh, faces: list[Floats], layer: TextureLayer, tint: Colour, number: int
) -> None:
    """Append flat faces of three or four corners (north, east, up) that face away from below.

    Texture coordinates run along the first edge, and at right angles to it.
    """
    tile_m = TILE_M.get(layer, 4.0)
    for count in sorted({len(face) for face in faces}):
        part = _faces_part(np.array([f for f in faces if len(f) == count], dtype=float), tile_m)
        if len(part.position):
            mesh.add(part, layer, tint, number)


def _faces_part(faces: Floats, tile_m: float) -> MeshPart:
    """One surface of (n, corners, 3) faces (north, east, up); those without area are left out."""
    corners = faces * (1.0, 1.0, -1.0)
    along = corners[:, 1] - corners[:, 0]
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    normal = np.cross(along, corners[:, -1] - corners[:, 0])
    length = np.linalg.norm(normal, axis=1)
    solid = length > 1e-9
    corners, along = corners[solid], along[solid]
    normal = normal[solid] / length[solid, None]
    normal[normal[:, 2] > 0.0] *= -1.0
    aside = np.cross(normal, along)
    away = corners - corners[:, :1]
    uv = np.stack(
        (np.einsum("ijk,ik->ij", away, along), np.abs(np.einsum("ijk,ik->ij", away, aside))), -1
    )
    count, sides = corners.shape[:2]
    fan = np.array([(0, k, k + 1) for k in range(1, sides - 1)])
    triangles = fan + sides * np.arange(count)[:, None, None]
    return MeshPart(
        corners.reshape(-1, 3),
        np.repeat(normal, sides, axis=0),
        uv.reshape(-1, 2) / tile_m,
        triangles.reshape(-1, 3),
    )


def add_beam(
    mesh: Mesh,
    start: Floats,
    end: Floats,
    half_width_m: float,
    half_height_m: float,
    layer: TextureLayer,
    tint: Colour,
    number: int,
) -> None:
    """Append a beam between two points (north, east, up), without its ends."""
    along = (end - start)[:2]
    length = max(float(np.hypot(*along)), 1e-9)
    aside = half_width_m * np.array((-along[1], along[0], 0.0)) / length
    above = np.array((0.0, 0.0, half_height_m))
    for one, other in (
        (-aside + above, aside + above),
        (aside - above, -aside - above),
        (aside + above, aside - above),
        (-aside - above, -aside + above),
    ):
        corners = np.array((start + one, start + other, end + other, end + one))
        mesh.quad(corners[::-1] * (1.0, 1.0, -1.0), layer, tint, number)
