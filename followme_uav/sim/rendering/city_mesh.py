"""From the city as data to surfaces: houses, streets, plants, furniture, sky.

Solids and leaves go into separate meshes, because leaves need a shader that cuts them out, and both
are cut into square cells, so that what lies behind the camera need not be drawn. What is too small
to be seen from afar is apart from the rest, too.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from followme_uav.sim.city.colliders import car_name
from followme_uav.sim.city.colours import Colour
from followme_uav.sim.city.layout import (
    CARRIAGEWAY_HALF_WIDTH_M,
    PAVEMENT_HEIGHT_M,
    SKY_RADIUS_M,
    STREET_CENTRES_M,
    STREET_END_M,
    City,
    crown_bottom_m,
)
from followme_uav.sim.city.styles import STYLES, CityStyle
from followme_uav.sim.rendering.mesh import Mesh
from followme_uav.sim.rendering.objects import GROUND, SKY
from followme_uav.sim.rendering.props import add_building, add_car, add_crown, add_lamp
from followme_uav.sim.rendering.textures import Layer

CELL_M = 50.0

Cell = tuple[int, int]
"""Number of a square, northwards and eastwards."""

_WHITE: Colour = (1.0, 1.0, 1.0)


@dataclass
class CityMesh:
    """Solids and leaves by cell."""

    solids: dict[Cell, Mesh] = field(default_factory=lambda: defaultdict(Mesh))
    details: dict[Cell, Mesh] = field(default_factory=lambda: defaultdict(Mesh))
    """Small solids: they are only seen from nearby."""
    leaves: dict[Cell, Mesh] = field(default_factory=lambda: defaultdict(Mesh))
    far_leaves: dict[Cell, Mesh] = field(default_factory=lambda: defaultdict(Mesh))
    """Instead of `leaves` from afar: half as many sprays, and larger ones."""
    ground: Mesh = field(default_factory=Mesh)
    sky: Mesh = field(default_factory=Mesh)


def build_city(city: City, numbers: Mapping[str, int]) -> CityMesh:
    """All surfaces of the city.

    Args:
        city: what stands around.
        numbers: of each object by its name, as the city's colliders are called.
    """
    out = CityMesh()
    rng = np.random.default_rng([city.seed, 40])
    style = STYLES[city.style]

    def solid(north_m: float, east_m: float) -> Mesh:
        return out.solids[_cell(north_m, east_m)]

    def detail(north_m: float, east_m: float) -> Mesh:
        return out.details[_cell(north_m, east_m)]

    def crown(north_m: float, east_m: float) -> tuple[Mesh, Mesh]:
        at = _cell(north_m, east_m)
        return out.leaves[at], out.far_leaves[at]

    _ground(out.ground, city, style, numbers[GROUND])
    _markings(out.ground, city, numbers[GROUND])
    _sky(out.sky, numbers[SKY])
    for i, house in enumerate(city.buildings):
        at = house.north_m, house.east_m
        add_building(solid(*at), detail(*at), house, numbers[f"building_{i}"], style)
    for i, tree in enumerate(city.trees):
        low_m = crown_bottom_m(tree)
        bark = (0.55, 0.52, 0.58) if rng.random() < 0.6 else (0.34, 0.27, 0.22)
        trunk = solid(tree.north_m, tree.east_m)
        trunk.loft(
            [
                (tree.north_m, tree.east_m, 0.0, 0.26, 0.26),
                (tree.north_m, tree.east_m, 0.5, 0.17, 0.17),
                (tree.north_m, tree.east_m, 0.75 * tree.height_m, 0.06, 0.06),
            ],
            Layer.HAIR, bark, numbers[f"tree_{i}_trunk"], sides=7, uv_scale=(1.0, 0.25), caps=False,
        )  # fmt: skip
        centre = (tree.north_m, tree.east_m, (low_m + tree.height_m) / 2)
        half = (tree.crown_radius_m, tree.crown_radius_m, (tree.height_m - low_m) / 2)
        size_m = 0.85 if tree.kind == "round" else 0.65
        taper = {"round": 0.0, "column": 0.35, "cone": 0.92}[tree.kind]
        leaves = crown(tree.north_m, tree.east_m)
        number = numbers[f"tree_{i}_crown"]
        add_crown(leaves, rng, centre, half, tree.foliage, number, 64, size_m, taper)
    for i, bush in enumerate(city.bushes):
        centre = (bush.north_m, bush.east_m, bush.height_m * 0.5)
        half = (bush.radius_m, bush.radius_m, bush.height_m * 0.5)
        taper = 0.85 if rng.random() < 0.25 else 0.0  # some are clipped to cones
        leaves = crown(bush.north_m, bush.east_m)
        add_crown(leaves, rng, centre, half, bush.foliage, numbers[f"bush_{i}"], 28, 0.5, taper)
    for i, p in enumerate(city.planters):
        number = numbers[f"planter_{i}"]
        planter = solid(p.north_m, p.east_m)
        ring = [(p.north_m, p.east_m, h, p.radius_m, p.radius_m) for h in (0.0, 0.5)]
        stones = max(4, round(2 * math.pi * p.radius_m / 1.5))
        planter.loft(ring, Layer.KERB, _WHITE, number, 24, uv_scale=(stones, 1.9), caps=False)
        rim = [(p.north_m, p.east_m, 0.5, p.radius_m, p.radius_m)]
        rim.append((p.north_m, p.east_m, 0.502, p.radius_m - 0.3, p.radius_m - 0.3))
        planter.loft(rim, Layer.KERB, _WHITE, number, 24, uv_scale=(stones, 9.0), caps=False)
        inner = p.radius_m - 0.3
        around = np.linspace(0.0, 2 * math.pi, 20, endpoint=False)
        bed = np.column_stack([np.cos(around), np.sin(around)]) * inner + (p.north_m, p.east_m)
        planter.fan((p.north_m, p.east_m), bed, 0.42, Layer.GRASS, (0.8, 0.7, 1.0), number)
        centre = (p.north_m, p.east_m, (0.6 + p.bush_height_m) / 2)
        half = (p.radius_m - 0.2, p.radius_m - 0.2, (p.bush_height_m - 0.5) / 2)
        leaves = crown(p.north_m, p.east_m)
        add_crown(leaves, rng, centre, half, p.foliage, number, int(40 * p.radius_m), 0.62)

    for i, lamp in enumerate(city.lamps):
        at = lamp.north_m, lamp.east_m
        add_lamp(solid(*at), detail(*at), lamp, numbers[f"lamp_{i}"])
    for i, car in enumerate(city.cars):
        add_car(solid(car.north_m, car.east_m), car, numbers[car_name(i)])
    _highway(out, city, numbers)
    return out


def _cell(north_m: float, east_m: float) -> Cell:
    return math.floor(north_m / CELL_M), math.floor(east_m / CELL_M)


def _ground(mesh: Mesh, city: City, style: CityStyle, obj: int) -> None:
    up = PAVEMENT_HEIGHT_M

    for area in city.carriageways:
        mesh.floor(area.rect, 0.0, Layer.ASPHALT, style.asphalt, obj)
    for area in city.pavements:
        along_north = area.north_max_m - area.north_min_m > area.east_max_m - area.east_min_m
        turn = math.pi / 2 if along_north else 0.0
        mesh.floor(area.rect, up, Layer.PAVERS, style.pavement_tint, obj, turn)
    for area in city.lawns:
        mesh.floor(area.rect, up, Layer.GRASS, style.grass, obj)
    for area in city.courts:
        mesh.floor(
            area.rect, up + 0.03, Layer.SLABS, style.square_tint, obj, turn=math.radians(12.0)
        )
    mesh.floor(city.plaza.rect, up, Layer.SLABS, style.square_tint, obj, turn=math.radians(37.0))
    mesh.floor(city.parking.rect, up + 0.02, Layer.ASPHALT, style.asphalt, obj)
    for patch in city.lawn_patches:
        outline = np.array(patch.outline_m)
        mesh.fan(patch.centre_m, outline, up + 0.01, Layer.GRASS, style.grass, obj)
        wall = np.vstack([outline, outline[:1]])
        rings = [np.column_stack([wall, np.full(len(wall), -h)]) for h in (up, up + 0.12)]
        for i in range(len(wall) - 1):
            a, b, c, d = rings[0][i], rings[0][i + 1], rings[1][i + 1], rings[1][i]
            mesh.quad(np.array([a, b, c, d]), Layer.CONCRETE, (0.36, 0.35, 0.33), obj)
    # Kerbs: a face towards the carriageway and a pale top strip.
    half, end = CARRIAGEWAY_HALF_WIDTH_M, STREET_END_M
    bounds = [-end, *(c + s * half for c in STREET_CENTRES_M for s in (-1, 1)), end]
    for low, high in zip(bounds[0::2], bounds[1::2], strict=True):
        for centre in STREET_CENTRES_M:
            for side in (-1.0, 1.0):
                near, far = centre + side * half, centre + side * (half + 0.35)
                first, last = min(near, far), max(near, far)
                mesh.floor((low, first, high, last), up + 0.01, Layer.CONCRETE, style.kerb, obj)
                mesh.floor((first, low, last, high), up + 0.01, Layer.CONCRETE, style.kerb, obj)
                height = up + 0.01
                _riser(mesh, (near, low), (near, high), (-side, 0.0), height, obj)
                _riser(mesh, (low, near), (high, near), (0.0, -side), height, obj)


def _riser(
    mesh: Mesh,
    start: tuple[float, float],
    stop: tuple[float, float],
    towards: tuple[float, float],
    height_m: float,
    obj: int,
) -> None:
    """The upright face of a kerb between two points, seen from the side `towards`."""
    along = (stop[0] - start[0], stop[1] - start[1])
    if along[1] * towards[0] - along[0] * towards[1] > 0:
        start, stop = stop, start
    corners = [(*start, 0.0), (*stop, 0.0), (*stop, -height_m), (*start, -height_m)]
    mesh.quad(corners, Layer.CONCRETE, (0.42, 0.41, 0.39), obj)


def _markings(mesh: Mesh, city: City, obj: int) -> None:
    """Dashed yellow centre lines, white edge lines, zebra crossings, stop lines, parking bays."""
    yellow, white = (0.62, 0.47, 0.14), (0.86, 0.85, 0.80)
    half, lift = CARRIAGEWAY_HALF_WIDTH_M, 0.012

    def paint(n0: float, e0: float, n1: float, e1: float, colour: Colour, swap: bool) -> None:
        rect = (e0, n0, e1, n1) if swap else (n0, e0, n1, e1)
        mesh.floor(rect, lift, Layer.PLAIN, colour, obj)

    end = STREET_END_M
    bounds = [-end, *(c + s * half for c in STREET_CENTRES_M for s in (-1, 1)), end]
    for swap in (False, True):
        for centre in STREET_CENTRES_M:
            for low, high in zip(bounds[0::2], bounds[1::2], strict=True):
                for at in np.arange(low + 7.0, high - 8.0, 5.0):
                    paint(at, centre - 0.09, at + 2.6, centre + 0.09, yellow, swap)
                for side in (-1.0, 1.0):
                    edge = centre + side * (half - 0.45)
                    paint(low + 5.6, edge - 0.06, high - 5.6, edge + 0.06, white, swap)
                for start, inside in ((low, low > -end), (high - 4.0, high < end)):
                    if not inside:
                        continue
                    for across in np.arange(centre - half + 0.6, centre + half - 0.7, 1.0):
                        paint(start + 0.6, across, start + 3.6, across + 0.5, white, swap)
    lot = city.parking
    for at in np.arange(lot.north_min_m + 1.5, lot.north_max_m - 1.0, 3.0):
        for e0, e1 in (
            (lot.east_min_m + 0.5, lot.east_min_m + 5.5),
            (lot.east_max_m - 5.5, lot.east_max_m - 0.5),
        ):
            mesh.floor(
                (at - 0.07, e0, at + 0.07, e1), PAVEMENT_HEIGHT_M + 0.035, Layer.PLAIN, white, obj
            )


def _sky(mesh: Mesh, obj: int) -> None:
    angles = np.radians([-12.0, 0.0, 8.0, 20.0, 40.0, 65.0, 90.0])
    around = np.linspace(0.0, 2 * math.pi, 25)
    elevation, azimuth = np.meshgrid(angles, around, indexing="ij")
    flat = np.cos(elevation)
    position = SKY_RADIUS_M * np.stack(
        [flat * np.cos(azimuth), flat * np.sin(azimuth), -np.sin(elevation)], axis=-1
    )
    v = np.clip(np.sin(elevation), 0.0, 1.0) * 0.98 + 0.01
    uv = np.stack([azimuth * 2 / (2 * math.pi), v], axis=-1)
    ring = len(around)
    i, j = np.meshgrid(np.arange(len(angles) - 1), np.arange(ring - 1), indexing="ij")
    a = (i * ring + j).ravel()
    quads = np.stack([a, a + 1, a + ring + 1, a, a + ring + 1, a + ring], axis=1).reshape(-1, 3)
    points = position.reshape(-1, 3)
    mesh.add(points, -points / SKY_RADIUS_M, uv.reshape(-1, 2), Layer.SKY, _WHITE, obj, quads)


def _highway(out: CityMesh, city: City, numbers: Mapping[str, int]) -> None:
    h, obj = city.highway, numbers["highway_deck"]
    grey, dark = (0.62, 0.60, 0.57), (0.16, 0.16, 0.17)
    top = h.underside_m + h.thickness_m
    step = CELL_M
    start = h.north_min_m
    while start < h.north_max_m - 1e-6:
        stop = min(start + step, h.north_max_m)
        middle, half = (start + stop) / 2, (stop - start) / 2
        mesh = out.solids[_cell(middle, h.east_m)]
        centre = (middle, h.east_m, -(h.underside_m + top) / 2)
        size = (half, h.half_width_m, h.thickness_m / 2)
        mesh.box(centre, size, Layer.CONCRETE, grey, obj, top=False, bottom=True)
        rect = (start, h.east_m - h.half_width_m, stop, h.east_m + h.half_width_m)
        mesh.floor(rect, top, Layer.ASPHALT, _WHITE, obj)
        for side in (-1.0, 1.0):
            edge = h.east_m + side * (h.half_width_m - 0.1)
            for up in (0.35, 0.7, h.railing_m):
                mesh.box(
                    (middle, edge, -top - up),
                    (half, 0.03, 0.04),
                    Layer.PLAIN,
                    dark,
                    obj,
                    bottom=True,
                )
            for post in np.arange(start, stop, 2.5):
                out.details[_cell(middle, h.east_m)].box(
                    (post, edge, -top - h.railing_m / 2),
                    (0.04, 0.04, h.railing_m / 2),
                    Layer.PLAIN,
                    dark,
                    obj,
                )
        start = stop
    for i, (north_m, east_m) in enumerate(h.pillars_m):
        half = h.pillar_half_m
        mesh = out.solids[_cell(north_m, east_m)]
        mesh.box(
            (north_m, east_m, -h.underside_m / 2),
            (half, half, h.underside_m / 2),
            Layer.CONCRETE,
            grey,
            numbers[f"highway_pillar_{i}"],
            top=False,
        )
