"""Buildings over polygons: walls by style, plinths, doors and roofs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely import Polygon

from followme_uav.sim.city.colours import Colour
from followme_uav.sim.city.styles import CityStyle
from followme_uav.sim.rendering.meshes.buildings import BAY_M, SIGNS, WALL_LAYERS
from followme_uav.sim.rendering.meshes.flat_polygons import add_ceiling, walls_of
from followme_uav.sim.rendering.meshes.mesh import Mesh
from followme_uav.sim.rendering.meshes.mesh_part import Floats
from followme_uav.sim.rendering.meshes.world_roofs import add_flat_roof, add_pitched_roof
from followme_uav.sim.rendering.textures.layers import TextureLayer
from followme_uav.worlds.shapes import polygon_of
from followme_uav.worlds.world import Building

_INTO_GROUND_M = 0.3
_SHORTEST_M = 1.6
"""Shorter walls have no window."""
_HALLS: tuple[Colour, ...] = (
    (0.86, 0.88, 0.90), (0.46, 0.66, 0.92), (0.98, 0.86, 0.62), (0.62, 0.80, 0.66),
    (0.90, 0.56, 0.44),
)  # fmt: skip
_KIOSKS: tuple[Colour, ...] = ((0.42, 0.52, 0.36), (0.56, 0.36, 0.26), (0.34, 0.44, 0.54))
_SLOPES = {"church": 1.15, "tower": 1.0, "house": 0.62, "row": 0.60, "kiosk": 0.45}
_STRIP_M = 1.3
"""Height of the row of windows below the roof of a hall."""


@dataclass(frozen=True)
class Site:
    """A building on its ground."""

    building: Building
    number: int
    """Object number."""
    low_m: float
    """Height of the lowest ground below it."""
    high_m: float
    """Height of the highest ground below it."""


@dataclass(frozen=True)
class _Paint:
    layer: TextureLayer
    tint: Colour
    plinth: Colour
    trim: Colour
    roof: Colour


class Neighbours:
    """Tells which walls stand against other buildings."""

    def __init__(self, buildings: tuple[Building, ...]) -> None:
        self._shapes = np.array([polygon_of(b) for b in buildings], dtype=object)
        self._tree = shapely.STRtree(self._shapes)

    def is_free(self, spot: Any) -> bool:
        """Whether a point (north, east) is in no building."""
        return len(self._tree.query(shapely.Point(spot), predicate="within")) == 0


def add_world_building(
    mesh: Mesh, details: Mesh, site: Site, style: CityStyle, neighbours: Neighbours
) -> None:
    """Append one building; `details` gets parts that are too small to show from afar."""
    b, polygon = site.building, polygon_of(site.building)
    paint = _paint(b, style)
    top_m = site.high_m + b.height_m
    plinth_m = 0.0 if b.style in ("hall", "kiosk", "bridge") else 0.7
    start_m = site.high_m + (b.base_m or plinth_m)
    bottom_m = site.high_m + b.base_m if b.base_m else site.low_m - _INTO_GROUND_M
    for i, (left, right) in enumerate(walls_of(polygon)):
        _add_wall(mesh, left, right, (bottom_m, start_m, top_m), site, paint)
        if not b.base_m:
            _add_openings(mesh, details, left, right, site, style, i, neighbours)
    if b.base_m:
        add_ceiling(mesh, polygon, bottom_m, TextureLayer.CONCRETE, (0.5, 0.48, 0.46), site.number)
    _add_roof(mesh, polygon, top_m, site, paint)


def _paint(b: Building, style: CityStyle) -> _Paint:
    kind, tint = style.walls[b.look % len(style.walls)]
    layer = WALL_LAYERS[kind]
    shade = 0.93 + 0.02 * (b.look // 144 % 8)
    roof = style.roofs[b.look // 24 % len(style.roofs)]
    if b.style == "hall":
        layer, tint = TextureLayer.CONCRETE, _HALLS[b.look % len(_HALLS)]
        roof = (0.52, 0.54, 0.56)
    elif b.style == "kiosk":
        layer, tint = TextureLayer.CONCRETE, _KIOSKS[b.look % len(_KIOSKS)]
    elif b.style == "church":
        layer, tint = TextureLayer.STONE, (0.84, 0.79, 0.70)
    elif b.style == "tower":
        layer, tint = TextureLayer.PLINTH, (0.80, 0.74, 0.66)
    red, green, blue = tint
    tint = (red * shade, green * shade, blue * shade)
    trim = (0.80, 0.79, 0.77) if b.look // 72 % 2 else tuple(v * 0.9 for v in tint)
    plinth = style.plinths[b.look // 8 % len(style.plinths)]
    return _Paint(layer, tint, plinth, trim, roof)  # type: ignore[arg-type]


def _add_wall(
    mesh: Mesh,
    left: Floats,
    right: Floats,
    heights_m: tuple[float, float, float],
    site: Site,
    paint: _Paint,
) -> None:
    """A plinth that reaches into the ground, and bays of windows above it."""
    bottom_m, start_m, top_m = heights_m
    length_m = float(np.hypot(*(right - left)))
    if start_m - bottom_m > 1e-6:
        foot = paint.tint if site.building.style in ("hall", "kiosk") else paint.plinth
        layer = TextureLayer.CONCRETE if foot is paint.tint else TextureLayer.PLINTH
        _add_quad(mesh, left, right, bottom_m, start_m, layer, foot, site.number)
    storeys = max(site.building.storeys, 1)
    if site.building.style == "church":
        storeys = max(round((top_m - start_m) / 6.0), 1)
    if site.building.style == "hall" and top_m - start_m > 4.0:
        strip_m = top_m - 0.6 - _STRIP_M
        _add_quad(mesh, left, right, start_m, strip_m, paint.layer, paint.tint, site.number)
        bays = max(round(length_m / 2.2), 1)
        upper = strip_m + _STRIP_M
        windows = (0.0, 0.0, float(bays), 1.0)
        _add_quad(
            mesh, left, right, strip_m, upper, TextureLayer.GLASS, (0.7, 0.78, 0.84), site.number,
            windows,
        )  # fmt: skip
        _add_quad(mesh, left, right, upper, top_m, paint.layer, paint.tint, site.number)
        return
    has_windows = paint.layer not in (TextureLayer.CONCRETE, TextureLayer.PLINTH)
    if has_windows and length_m < _SHORTEST_M:
        _add_quad(mesh, left, right, start_m, top_m, TextureLayer.CONCRETE, paint.trim, site.number)
    else:
        bays = max(round(length_m / BAY_M), 1)
        uv = (0.0, 0.0, float(bays), float(storeys)) if has_windows else None
        _add_quad(mesh, left, right, start_m, top_m, paint.layer, paint.tint, site.number, uv)


def _add_quad(
    mesh: Mesh,
    left: Floats,
    right: Floats,
    low_m: float,
    high_m: float,
    layer: TextureLayer,
    tint: Colour,
    number: int,
    uv: tuple[float, float, float, float] | None = None,
) -> None:
    corners = [(*left, -low_m), (*right, -low_m), (*right, -high_m), (*left, -high_m)]
    mesh.quad(np.array(corners), layer, tint, number, uv)


def _add_openings(
    mesh: Mesh,
    details: Mesh,
    left: Floats,
    right: Floats,
    site: Site,
    style: CityStyle,
    side: int,
    neighbours: Neighbours,
) -> None:
    """A door in the middle of a bay of a free wall, a gate in a hall, a counter in a kiosk."""
    b, number = site.building, site.number
    length_m = float(np.hypot(*(right - left)))
    along = (right - left) / max(length_m, 1e-9)
    out = np.array((-along[1], along[0]))
    lot = b.look // 8 + 7 * side
    if b.style == "tower" or length_m < 3.0:
        return
    if b.style == "house" and side != b.look % 4:
        return
    bays = max(round(length_m / BAY_M), 1)
    middle = left + (lot % bays + 0.5) / bays * length_m * along
    if not neighbours.is_free(middle + 0.7 * out) or not neighbours.is_free(middle + 2.0 * out):
        return
    half_m, low_m, high_m = 0.9, 0.05, 2.6
    colour = style.doors[lot % len(style.doors)]
    layer = TextureLayer.DOOR
    if b.style == "hall":
        half_m, high_m = 1.9, 3.6
        layer, colour = TextureLayer.CONCRETE, (0.3, 0.4, 0.5)
    elif b.style == "kiosk":
        half_m, low_m, high_m = 0.8, 1.0, 2.0
        layer, colour = TextureLayer.PLAIN, (0.16, 0.14, 0.12)
    elif b.style == "church":
        half_m, high_m = 1.2, 3.4
    spot = middle + 0.06 * out
    a, c = spot - half_m * along, spot + half_m * along
    ground_m = site.high_m
    _add_quad(
        mesh, a, c, ground_m + low_m, ground_m + high_m, layer, colour, number,
        (0.0, 0.0, 1.0, 1.0),
    )  # fmt: skip
    yaw_rad = math.atan2(along[1], along[0])
    if b.style in ("row", "block", "house"):
        n, e = middle + 0.3 * out
        half = (1.0, 0.3, 0.06)
        hood = (float(n), float(e), -ground_m - 2.75)
        details.box(
            hood, half, TextureLayer.CONCRETE, (0.56, 0.55, 0.53), number, yaw_rad, bottom=True
        )
    if lot % 3 == 0 and b.style in ("row", "block") and b.height_m > 5.0:
        n, e = middle + 0.08 * out
        sign = (float(n), float(e), -ground_m - 3.25)
        colour = SIGNS[lot // 3 % len(SIGNS)]
        half = (1.4, 0.07, 0.32)
        mesh.box(sign, half, TextureLayer.PLAIN, colour, number, yaw_rad, bottom=True)


def _add_roof(mesh: Mesh, polygon: Polygon, top_m: float, site: Site, paint: _Paint) -> None:
    b, number = site.building, site.number
    if b.roof == "flat":
        add_flat_roof(mesh, polygon, top_m, paint.roof, paint.trim, number)
        if polygon.area > 90.0 and b.style in ("block", "row", "hall"):
            n, e = polygon.representative_point().coords[0]
            half = (1.4, 1.8, 0.9)
            mesh.box((n, e, -top_m - 1.2), half, TextureLayer.CONCRETE, paint.trim, number)
        return
    eaves = polygon
    if b.style in ("house", "kiosk", "church"):
        wide = polygon.buffer(0.4, join_style="mitre", mitre_limit=2.0)
        eaves = wide if isinstance(wide, Polygon) else polygon
        add_ceiling(mesh, eaves, top_m, TextureLayer.CONCRETE, paint.trim, number)
    slope = _SLOPES.get(b.style, 0.5)
    ridge_m = add_pitched_roof(
        mesh, eaves, top_m, slope, paint.roof, paint.trim, number, is_hipped=b.roof == "hip"
    )
    if b.style in ("house", "row") and b.look % 3:
        n, e = polygon.representative_point().coords[0]
        chimney = (n, e, -0.5 * (top_m + ridge_m + 0.8))
        half = (0.35, 0.35, 0.5 * (ridge_m + 0.8 - top_m))
        mesh.box(chimney, half, TextureLayer.CONCRETE, (0.50, 0.40, 0.36), number)
