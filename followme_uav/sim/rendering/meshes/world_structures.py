"""Decks with railings and pillars, barriers, benches and containers of a world."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import numpy as np
import shapely

from followme_uav.sim.city.colours import Colour
from followme_uav.sim.rendering.meshes.city_cells import CityMesh, cell_of
from followme_uav.sim.rendering.meshes.flat_polygons import add_beam, add_level, walls_of
from followme_uav.sim.rendering.meshes.mesh import Mesh
from followme_uav.sim.rendering.meshes.mesh_part import Floats
from followme_uav.sim.rendering.textures.layers import TextureLayer
from followme_uav.worlds.shapes import SLOPE_PIECE_M, barrier_parts, line_of
from followme_uav.worlds.world import Barrier, Bench, Container, Point, Street

_CONCRETE: Colour = (0.62, 0.60, 0.57)
_STEEL: Colour = (0.16, 0.16, 0.17)
_WOOD: Colour = (0.46, 0.33, 0.22)
_HEDGE: Colour = (0.50, 0.62, 0.6)
_STONE: Colour = (0.74, 0.69, 0.62)
_POST_M = 2.5
_INTO_GROUND_M = 0.3

GroundAt = Callable[[float, float], float]
"""Height of the ground above z = 0."""


def add_deck(
    out: CityMesh, street: Street, ground_m: GroundAt, number: int, pillars: list[int]
) -> None:
    """Append a raised street: its deck, railings and pillars.

    Args:
        out: The meshes to append to.
        street: A street with heights.
        ground_m: Heights of the ground.
        number: Object number of the deck.
        pillars: Object numbers of its pillars.
    """
    points = np.array(street.line_m)
    aside = _normals(points) * (0.5 * street.width_m)
    heights = np.array(street.heights_m)
    left, right = points - aside, points + aside
    is_path = street.kind == "bridge"
    for i in range(len(points) - 1):
        mesh, details = _meshes(out, 0.5 * (points[i] + points[i + 1]))
        low, high = heights[i], heights[i + 1]
        a, b = np.append(left[i], low), np.append(right[i], low)
        c, d = np.append(right[i + 1], high), np.append(left[i + 1], high)
        down = np.array((0.0, 0.0, street.thickness_m))
        if is_path:
            surface, tint = TextureLayer.CONCRETE, (0.70, 0.62, 0.52)
        else:
            surface, tint = TextureLayer.ASPHALT, (1.0, 1.0, 1.0)
        for face, layer, colour in (
            ((a, b, c, d), surface, tint),
            ((d - down, c - down, b - down, a - down), TextureLayer.CONCRETE, _CONCRETE),
            ((b - down, c - down, c, b), TextureLayer.CONCRETE, _CONCRETE),
            ((d - down, a - down, a, d), TextureLayer.CONCRETE, _CONCRETE),
        ):
            mesh.quad(np.array(face) * (1.0, 1.0, -1.0), layer, colour, number)
        for start, end in ((a, d), (b, c)):
            _add_railing(mesh, details, start, end, street.railing_m, number)
    line = line_of(street)
    stops = [line.project(shapely.Point(p)) for p in points]
    for at, name in zip(street.supports_m, pillars, strict=True):
        top = float(np.interp(line.project(shapely.Point(at)), stops, heights))
        low, top = ground_m(*at) - _INTO_GROUND_M, top - street.thickness_m
        half_m = street.support_half_m
        out.solids[cell_of(*at)].box(
            (*at, -0.5 * (low + top)),
            (half_m, half_m, max(0.5 * (top - low), 0.05)),
            TextureLayer.CONCRETE,
            _CONCRETE,
            name,
            top=False,
        )


def _meshes(out: CityMesh, at: Floats) -> tuple[Mesh, Mesh]:
    cell = cell_of(float(at[0]), float(at[1]))
    return out.solids[cell], out.details[cell]


def _normals(points: Floats) -> Floats:
    """(n, 2) across a polyline, to the right, longer at bends so that both sides stay parallel."""
    steps = np.diff(points, axis=0)
    steps /= np.hypot(*steps.T)[:, None]
    before, after = np.vstack((steps[:1], steps)), np.vstack((steps, steps[-1:]))
    along = before + after
    along /= np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    stretch = np.maximum(np.einsum("ij,ij->i", along, after), 0.5)
    across: Floats = np.column_stack((-along[:, 1], along[:, 0])) / stretch[:, None]
    return across


def _add_railing(
    mesh: Mesh, details: Mesh, start: Floats, end: Floats, height_m: float, number: int
) -> None:
    plain = TextureLayer.PLAIN
    if height_m < 0.1:
        return
    for share in (0.35, 0.68, 1.0):
        up = np.array((0.0, 0.0, share * height_m))
        add_beam(mesh, start + up, end + up, 0.03, 0.04, plain, _STEEL, number)
    count = max(round(float(np.hypot(*(end - start)[:2])) / _POST_M), 1)
    for k in range(count):
        n, e, low = (start + k / count * (end - start)).tolist()
        half = (0.04, 0.04, 0.5 * height_m)
        details.box((n, e, -low - 0.5 * height_m), half, plain, _STEEL, number)


def add_barrier(
    out: CityMesh, barrier: Barrier, ground_m: GroundAt, number: int, on_slope: bool
) -> None:
    """Append a hedge, a wall or a fence.

    Args:
        out: The meshes to append to.
        barrier: To be appended.
        ground_m: Heights of the ground.
        number: Its object number.
        on_slope: Whether the world has heights, which its top follows.
    """
    for polygon in barrier_parts(barrier, on_slope):
        mesh, details = _meshes(out, np.array(polygon.representative_point().coords[0]))
        corners = [ground_m(float(n), float(e)) for n, e in polygon.exterior.coords]
        low_m, high_m = min(corners) - _INTO_GROUND_M, max(corners) + barrier.height_m
        if barrier.kind == "fence":
            line = line_of(barrier)
            points = list((line.segmentize(SLOPE_PIECE_M) if on_slope else line).coords)
            _add_fence(mesh, details, points, barrier.height_m, ground_m, number)
            return
        layer, tint = (
            (TextureLayer.GRASS, _HEDGE)
            if barrier.kind == "hedge"
            else (TextureLayer.PLINTH, _STONE)
        )
        for a, b in walls_of(polygon):
            face = [(*a, -low_m), (*b, -low_m), (*b, -high_m), (*a, -high_m)]
            mesh.quad(np.array(face), layer, tint, number)
        add_level(mesh, polygon, high_m, layer, tint, number)


def _add_fence(
    mesh: Mesh,
    details: Mesh,
    points: Sequence[Point],
    height_m: float,
    ground_m: GroundAt,
    number: int,
) -> None:
    for a, b in itertools.pairwise(points):
        start = np.array((*a, ground_m(*a)))
        end = np.array((*b, ground_m(*b)))
        _add_railing(mesh, details, start, end, height_m, number)
        length_m = max(float(np.hypot(*(end - start)[:2])), 1e-6)
        count = int(length_m / 0.35)
        for k in range(count):
            n, e, low = (start + (k + 0.5) / count * (end - start)).tolist()
            half = (0.015, 0.015, 0.5 * height_m)
            details.box((n, e, -low - half[2]), half, TextureLayer.PLAIN, _STEEL, number)


def add_bench(mesh: Mesh, details: Mesh, bench: Bench, number: int) -> None:
    """Append a seat with a back; people on it look along its yaw."""
    n, e = bench.at_m
    c, s = math.cos(bench.yaw_rad), math.sin(bench.yaw_rad)
    plain, half_m = TextureLayer.PLAIN, 0.5 * bench.length_m
    yaw_rad = bench.yaw_rad
    mesh.box((n, e, -0.45), (half_m, 0.25, 0.04), plain, _WOOD, number, yaw_rad, bottom=True)
    back = (n + 0.27 * s, e - 0.27 * c, -0.66)
    mesh.box(back, (half_m, 0.03, 0.16), plain, _WOOD, number, yaw_rad, bottom=True)
    for along in (-0.8 * half_m, 0.8 * half_m):
        leg = (n + along * c, e + along * s, -0.22)
        details.box(leg, (0.04, 0.22, 0.22), plain, _STEEL, number, yaw_rad)


def add_container(mesh: Mesh, details: Mesh, box: Container, number: int) -> None:
    """Append a freight container with ribs."""
    n, e = box.at_m
    c, s = math.cos(box.yaw_rad), math.sin(box.yaw_rad)
    half = (0.5 * box.length_m, 0.5 * box.width_m, 0.5 * box.height_m)
    concrete, plain = TextureLayer.CONCRETE, TextureLayer.PLAIN
    bright = tuple(min(1.5 * v + 0.08, 1.0) for v in box.colour)
    mesh.box((n, e, -half[2]), half, concrete, bright, number, box.yaw_rad)  # type: ignore[arg-type]
    dark = tuple(0.7 * v for v in box.colour)
    for along in np.arange(-half[0] + 0.3, half[0], 0.6).tolist():
        at = (n + along * c, e + along * s, -half[2])
        rib = (0.07, half[1] + 0.03, half[2] - 0.15)
        details.box(at, rib, plain, dark, number, box.yaw_rad, top=False)  # type: ignore[arg-type]
