"""Roofs over polygons: flat ones, gables and hips over four corners, slopes over other outlines."""

from __future__ import annotations

import numpy as np
from shapely import Polygon, contains_xy

from followme_uav.sim.city.colours import Colour
from followme_uav.sim.rendering.meshes.flat_polygons import add_faces, add_level, walls_of
from followme_uav.sim.rendering.meshes.mesh import Mesh
from followme_uav.sim.rendering.meshes.mesh_part import Floats
from followme_uav.sim.rendering.textures.layers import TextureLayer
from followme_uav.worlds.derived.solids import triangles_of
from followme_uav.worlds.shapes import polygons_in

_PARAPET_M = 0.45
_LEAST_M = 0.4
"""Slopes over other outlines are at least so wide."""


def add_flat_roof(
    mesh: Mesh, outline: Polygon, up_m: float, roof: Colour, trim: Colour, number: int
) -> None:
    """Append a level roof behind a low parapet."""
    for a, b in walls_of(outline):
        corners = [(*a, -up_m), (*b, -up_m), (*b, -up_m - _PARAPET_M), (*a, -up_m - _PARAPET_M)]
        mesh.quad(np.array(corners), TextureLayer.CONCRETE, trim, number)
    add_level(mesh, outline, up_m + _PARAPET_M, TextureLayer.ROOF, roof, number)


def add_pitched_roof(
    mesh: Mesh,
    outline: Polygon,
    up_m: float,
    slope: float,
    roof: Colour,
    wall: Colour,
    number: int,
    *,
    is_hipped: bool,
) -> float:
    """Append a roof with slopes; return the height of its ridge above z = 0.

    Args:
        mesh: to append to.
        outline: of the walls, or of the eaves.
        up_m: height of the eaves above z = 0.
        slope: rise over run.
        roof: colour of the slopes.
        wall: colour of gables.
        number: object number.
        is_hipped: whether the ends slope, too.
    """
    corners = [np.array(a) for a, _ in walls_of(outline.simplify(0.05))]
    if len(corners) == 4 and not outline.interiors:
        return _over_four(mesh, corners, up_m, slope, roof, wall, number, is_hipped=is_hipped)
    return _over_any(mesh, outline, up_m, slope, roof, number)


def _over_four(
    mesh: Mesh,
    corners: list[Floats],
    up_m: float,
    slope: float,
    roof: Colour,
    wall: Colour,
    number: int,
    *,
    is_hipped: bool,
) -> float:
    sides = [float(np.hypot(*(corners[(i + 1) % 4] - corners[i]))) for i in range(4)]
    if sides[0] + sides[2] > sides[1] + sides[3]:
        corners = corners[1:] + corners[:1]
        sides = sides[1:] + sides[:1]
    width_m = 0.5 * (sides[0] + sides[2])
    top_m = up_m + 0.5 * slope * width_m
    one, other = 0.5 * (corners[0] + corners[1]), 0.5 * (corners[2] + corners[3])
    if is_hipped:
        reach = min(0.5 * width_m / max(float(np.hypot(*(other - one))), 1e-6), 0.49)
        one, other = one + reach * (other - one), other + reach * (one - other)
    a, b, c, d = (np.append(corner, up_m) for corner in corners)
    r, s = np.append(one, top_m), np.append(other, top_m)
    slopes = [np.array((b, c, s, r)), np.array((d, a, r, s))]
    ends = [np.array((a, b, r)), np.array((c, d, s))]
    # Four corners of a slope need not lie in one plane.
    halves = [half for q in slopes for half in (q[[0, 1, 2]], q[[0, 2, 3]])]
    add_faces(mesh, halves, TextureLayer.ROOF, roof, number)
    if is_hipped:
        add_faces(mesh, ends, TextureLayer.ROOF, roof, number)
    else:
        for end in ends:
            gable = end[[0, 1, 2, 2]] * (1.0, 1.0, -1.0)
            mesh.quad(gable, TextureLayer.CONCRETE, wall, number)
    return top_m


def _over_any(
    mesh: Mesh, outline: Polygon, up_m: float, slope: float, roof: Colour, number: int
) -> float:
    """Slopes all around, as wide as the outline allows, and a level top."""
    run_m = 3.0
    inner = outline.buffer(-run_m, join_style="mitre")
    while inner.is_empty and run_m > _LEAST_M:
        run_m *= 0.6
        inner = outline.buffer(-run_m, join_style="mitre")
    top_m = up_m + slope * run_m
    if inner.is_empty:
        add_level(mesh, outline, up_m + 0.2, TextureLayer.ROOF, roof, number)
        return up_m + 0.2
    faces = []
    for part in polygons_in(outline.difference(inner), 1e-4):
        points, triangles = triangles_of(part)
        is_inner = contains_xy(outline.buffer(-0.5 * run_m, join_style="mitre"), points)
        heights = np.where(is_inner, top_m, up_m)
        solid = np.column_stack((points, heights))
        faces += [solid[t] for t in triangles]
    add_faces(mesh, faces, TextureLayer.ROOF, roof, number)
    for part in polygons_in(inner, 1e-4):
        add_level(mesh, part, top_m, TextureLayer.ROOF, roof, number)
    return top_m
