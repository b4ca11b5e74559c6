"""The ground: carriageways, pavements, lawns, kerbs, road markings."""

from __future__ import annotations

import math

import numpy as np

from followme_uav.messages import Vec2
from followme_uav.sim.city.colours import Colour
from followme_uav.sim.city.layout import (
    CARRIAGEWAY_HALF_WIDTH_M,
    PAVEMENT_HEIGHT_M,
    STREET_CENTRES_M,
    STREET_END_M,
    Area,
    City,
)
from followme_uav.sim.city.styles import CityStyle
from followme_uav.sim.rendering.meshes.mesh import Mesh, Rect
from followme_uav.sim.rendering.textures.layers import TextureLayer

_YELLOW: Colour = (0.62, 0.47, 0.14)
_WHITE: Colour = (0.86, 0.85, 0.80)
_KERB_FACE: Colour = (0.42, 0.41, 0.39)
_PATCH_EDGE: Colour = (0.36, 0.35, 0.33)
_MARKING_HEIGHT_M = 0.012


def add_ground(mesh: Mesh, city: City, style: CityStyle, number: int) -> None:
    """Append all level ground with its kerbs, but no markings."""
    up_m = PAVEMENT_HEIGHT_M
    grass, slabs, asphalt = TextureLayer.GRASS, TextureLayer.SLABS, TextureLayer.ASPHALT
    for area in city.carriageways:
        mesh.floor(area.rect, 0.0, asphalt, style.asphalt, number)
    for area in city.pavements:
        along_north = area.north_max_m - area.north_min_m > area.east_max_m - area.east_min_m
        turn_rad = math.pi / 2 if along_north else 0.0
        mesh.floor(area.rect, up_m, TextureLayer.PAVERS, style.pavement_tint, number, turn_rad)
    for area in city.lawns:
        mesh.floor(area.rect, up_m, grass, style.grass, number)
    for area in city.courts:
        turn_rad = math.radians(12.0)
        mesh.floor(area.rect, up_m + 0.03, slabs, style.square_tint, number, turn_rad)
    mesh.floor(city.plaza.rect, up_m, slabs, style.square_tint, number, math.radians(37.0))
    mesh.floor(city.parking.rect, up_m + 0.02, asphalt, style.asphalt, number)
    for patch in city.lawn_patches:
        outline = np.array(patch.outline_m)
        mesh.fan(patch.centre_m, outline, up_m + 0.01, grass, style.grass, number)
        wall = np.vstack([outline, outline[:1]])
        rings = [np.column_stack([wall, np.full(len(wall), -h)]) for h in (up_m, up_m + 0.12)]
        for i in range(len(wall) - 1):
            corners = np.array([rings[0][i], rings[0][i + 1], rings[1][i + 1], rings[1][i]])
            mesh.quad(corners, TextureLayer.CONCRETE, _PATCH_EDGE, number)
    _add_kerbs(mesh, style, number)


def _blocks() -> list[Vec2]:
    """Stretches of a street between crossings: where each begins and ends along the street."""
    half_m, end_m = CARRIAGEWAY_HALF_WIDTH_M, STREET_END_M
    bounds = [-end_m, *(c + s * half_m for c in STREET_CENTRES_M for s in (-1, 1)), end_m]
    return list(zip(bounds[0::2], bounds[1::2], strict=True))


def _add_kerbs(mesh: Mesh, style: CityStyle, number: int) -> None:
    """Kerbs: a face towards the carriageway and a pale strip on top."""
    height_m = PAVEMENT_HEIGHT_M + 0.01
    concrete, tint = TextureLayer.CONCRETE, style.kerb
    for low, high in _blocks():
        for centre in STREET_CENTRES_M:
            for side in (-1.0, 1.0):
                near = centre + side * CARRIAGEWAY_HALF_WIDTH_M
                far = centre + side * (CARRIAGEWAY_HALF_WIDTH_M + 0.35)
                first, last = min(near, far), max(near, far)
                mesh.floor((low, first, high, last), height_m, concrete, tint, number)
                mesh.floor((first, low, last, high), height_m, concrete, tint, number)
                _add_kerb_face(mesh, (near, low), (near, high), (-side, 0.0), height_m, number)
                _add_kerb_face(mesh, (low, near), (high, near), (0.0, -side), height_m, number)


def _add_kerb_face(
    mesh: Mesh, start: Vec2, stop: Vec2, towards: Vec2, height_m: float, number: int
) -> None:
    """The upright face of a kerb between two points, seen from the side `towards`."""
    along = (stop[0] - start[0], stop[1] - start[1])
    if along[1] * towards[0] - along[0] * towards[1] > 0:
        start, stop = stop, start
    corners = [(*start, 0.0), (*stop, 0.0), (*stop, -height_m), (*start, -height_m)]
    mesh.quad(corners, TextureLayer.CONCRETE, _KERB_FACE, number)


def add_markings(mesh: Mesh, city: City, number: int) -> None:
    """Append the markings of all streets and of the car park."""
    for swap in (False, True):
        for centre in STREET_CENTRES_M:
            for low, high in _blocks():
                for rect, tint in _street_markings(centre, low, high):
                    n0, e0, n1, e1 = rect
                    turned = (e0, n0, e1, n1) if swap else rect
                    plain = TextureLayer.PLAIN
                    mesh.floor(turned, _MARKING_HEIGHT_M, plain, tint, number)
    _add_bay_lines(mesh, city.parking, number)


def _street_markings(centre: float, low: float, high: float) -> list[tuple[Rect, Colour]]:
    """Markings of a block from `low` to `high` of a street that runs north at east `centre`.

    Dashed yellow centre line, white edge lines, zebra crossings at inner ends.
    """
    half_m, end_m = CARRIAGEWAY_HALF_WIDTH_M, STREET_END_M
    markings: list[tuple[Rect, Colour]] = []
    for at in np.arange(low + 7.0, high - 8.0, 5.0):
        markings.append(((at, centre - 0.09, at + 2.6, centre + 0.09), _YELLOW))
    for side in (-1.0, 1.0):
        edge = centre + side * (half_m - 0.45)
        markings.append(((low + 5.6, edge - 0.06, high - 5.6, edge + 0.06), _WHITE))
    for start, is_inner in ((low, low > -end_m), (high - 4.0, high < end_m)):
        if is_inner:
            for across in np.arange(centre - half_m + 0.6, centre + half_m - 0.7, 1.0):
                markings.append(((start + 0.6, across, start + 3.6, across + 0.5), _WHITE))
    return markings


def _add_bay_lines(mesh: Mesh, lot: Area, number: int) -> None:
    """Lines between the bays on both sides of a car park."""
    height_m = PAVEMENT_HEIGHT_M + 0.035
    for at in np.arange(lot.north_min_m + 1.5, lot.north_max_m - 1.0, 3.0):
        for e0, e1 in (
            (lot.east_min_m + 0.5, lot.east_min_m + 5.5),
            (lot.east_max_m - 5.5, lot.east_max_m - 0.5),
        ):
            rect = (at - 0.07, e0, at + 0.07, e1)
            mesh.floor(rect, height_m, TextureLayer.PLAIN, _WHITE, number)
