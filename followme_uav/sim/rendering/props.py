"""The things that stand in the city, one function each: houses, crowns of leaves, lamps, cars."""

from __future__ import annotations

import math

import numpy as np

from followme_uav.sim.city.colours import Colour
from followme_uav.sim.city.layout import OUTER_ROW_M, Building, Car, Foliage, Lamp
from followme_uav.sim.city.styles import CityStyle, Wall
from followme_uav.sim.rendering.mesh import Mesh
from followme_uav.sim.rendering.textures import Layer

_WALL_LAYERS: dict[Wall, Layer] = {
    "plaster": Layer.PLASTER,
    "brick": Layer.BRICK,
    "stone": Layer.STONE,
    "glass": Layer.GLASS,
}
# Colours that the sprays of one plant take turns in.
_LEAVES: dict[Foliage, tuple[Colour, ...]] = {
    "green": ((0.30, 0.74, 0.12), (0.52, 0.84, 0.16), (0.36, 0.66, 0.12)),
    "dark": ((0.18, 0.52, 0.12), (0.34, 0.62, 0.14)),
    "red": ((0.70, 0.09, 0.03), (0.52, 0.05, 0.03), (0.62, 0.22, 0.04)),
    "magenta": ((0.80, 0.12, 0.50), (0.62, 0.20, 0.60), (0.42, 0.44, 0.22)),
    "autumn": ((0.78, 0.40, 0.05), (0.62, 0.20, 0.05), (0.30, 0.52, 0.10), (0.70, 0.56, 0.10)),
    "olive": ((0.40, 0.50, 0.20), (0.52, 0.56, 0.26), (0.34, 0.46, 0.22)),
    "lime": ((0.62, 0.84, 0.18), (0.74, 0.82, 0.24)),
}
_FAR_SPRAY = 1.2  # larger by that, half as many sprays cover as many pixels
_SIGNS: tuple[Colour, ...] = (
    (0.16, 0.30, 0.58), (0.16, 0.40, 0.28), (0.80, 0.62, 0.18), (0.24, 0.24, 0.26),
)  # fmt: skip


def add_building(mesh: Mesh, details: Mesh, house: Building, obj: int, style: CityStyle) -> None:
    """Walls of repeating bays with doors, a stone plinth, cornices, corner pilasters, a roof.

    `details` gets what is not seen from afar.
    """
    wall, colour = style.walls[house.style % len(style.walls)]
    layer = _WALL_LAYERS[wall]
    shade = 0.93 + 0.02 * (house.style // 144 % 8)
    tint = (colour[0] * shade, colour[1] * shade, colour[2] * shade)
    plinth = style.plinths[house.style // 8 % len(style.plinths)]
    roof = style.roofs[house.style // 24 % len(style.roofs)]
    trim = (
        (0.80, 0.79, 0.77)
        if house.style // 72 % 2
        else (tint[0] * 0.9, tint[1] * 0.9, tint[2] * 0.9)
    )
    n, e = house.north_m, house.east_m
    hn, he, top = house.size_north_m / 2, house.size_east_m / 2, house.height_m
    base = 0.3 if wall == "glass" else 0.9
    for side, (size, at, across) in enumerate(
        (
            (he, (n + hn, e), (0.0, -1.0)),
            (he, (n - hn, e), (0.0, 1.0)),
            (hn, (n, e + he), (1.0, 0.0)),
            (hn, (n, e - he), (-1.0, 0.0)),
        )
    ):
        a = (at[0] - across[0] * size, at[1] - across[1] * size)
        b = (at[0] + across[0] * size, at[1] + across[1] * size)
        bays = max(1, round(2 * size / 3.3))
        corners = [(*a, -base), (*b, -base), (*b, -top), (*a, -top)]
        mesh.quad(corners, layer, tint, obj, (0.0, 0.0, float(bays), float(house.storeys)))
        outwards = (-across[1], across[0])
        if outwards[0] * n + outwards[1] * e > OUTER_ROW_M:
            continue  # the far side of a closing row: nobody gets to see it
        lot = house.style // 8 + 7 * side
        door = style.doors[lot % len(style.doors)]
        bay = (lot % bays + 0.5) / bays * 2.0 * size - size
        _door(mesh, details, at, across, outwards, bay, door, obj)
        if lot % 3 == 0:
            sign = _SIGNS[lot // 3 % len(_SIGNS)]
            _sign(mesh, at, across, outwards, bay, sign, obj)
    mesh.box((n, e, -base / 2), (hn + 0.08, he + 0.08, base / 2), Layer.PLINTH, plinth, obj)
    mesh.box(
        (n, e, -top + 0.12), (hn + 0.35, he + 0.35, 0.22), Layer.CONCRETE, trim, obj, bottom=True
    )
    if house.storeys > 2 and wall != "glass":
        storey = (top - base) / house.storeys
        mesh.box(
            (n, e, -base - storey),
            (hn + 0.14, he + 0.14, 0.12),
            Layer.CONCRETE,
            trim,
            obj,
            bottom=True,
        )
    for dn in (-1, 1):
        for de in (-1, 1):
            mesh.box(
                (n + dn * (hn - 0.25), e + de * (he - 0.25), -(top + base) / 2),
                (0.31, 0.31, (top - base) / 2), Layer.CONCRETE, trim, obj, top=False,
            )  # fmt: skip
    _roof(mesh, house, roof, tint, obj)
    _roof_furniture(mesh, house, trim, obj)


def _door(
    mesh: Mesh,
    details: Mesh,
    at: tuple[float, float],
    across: tuple[float, float],
    outwards: tuple[float, float],
    along_m: float,
    colour: Colour,
    obj: int,
) -> None:
    """A door of 1.8 m by 2.7 m in the wall whose middle is `at`, with a step before it."""
    half, out = 0.9, 0.11
    middle = (at[0] + across[0] * along_m, at[1] + across[1] * along_m)
    face = (middle[0] + outwards[0] * out, middle[1] + outwards[1] * out)
    a = (face[0] - across[0] * half, face[1] - across[1] * half)
    b = (face[0] + across[0] * half, face[1] + across[1] * half)
    corners = [(*a, -0.25), (*b, -0.25), (*b, -2.95), (*a, -2.95)]
    mesh.quad(corners, Layer.DOOR, colour, obj, (0.0, 0.0, 1.0, 1.0))
    step = (middle[0] + 0.35 * outwards[0], middle[1] + 0.35 * outwards[1], -0.13)
    wide = (
        0.35 * abs(outwards[0]) + 1.1 * abs(across[0]),
        0.35 * abs(outwards[1]) + 1.1 * abs(across[1]),
    )
    details.box(step, (*wide, 0.13), Layer.CONCRETE, (0.62, 0.61, 0.58), obj)
    hood = (middle[0] + 0.35 * outwards[0], middle[1] + 0.35 * outwards[1], -3.05)
    details.box(hood, (*wide, 0.06), Layer.CONCRETE, (0.56, 0.55, 0.53), obj, bottom=True)


def _sign(
    mesh: Mesh,
    at: tuple[float, float],
    across: tuple[float, float],
    outwards: tuple[float, float],
    along_m: float,
    colour: Colour,
    obj: int,
) -> None:
    """A painted board above a door."""
    middle = (
        at[0] + across[0] * along_m + 0.1 * outwards[0],
        at[1] + across[1] * along_m + 0.1 * outwards[1],
        -3.55,
    )
    half = (
        0.08 * abs(outwards[0]) + 1.5 * abs(across[0]),
        0.08 * abs(outwards[1]) + 1.5 * abs(across[1]),
    )
    mesh.box(middle, (*half, 0.36), Layer.PLAIN, colour, obj, bottom=True)


def _roof_furniture(mesh: Mesh, house: Building, trim: Colour, obj: int) -> None:
    """Chimneys on pitched roofs, machine rooms on flat ones."""
    n, e, top = house.north_m, house.east_m, house.height_m
    shift = 0.22 * (1 if house.style // 16 % 2 else -1)
    hn, he = house.size_north_m / 2, house.size_east_m / 2
    at = (n + shift * 2 * hn * 0.6, e - shift * 2 * he * 0.6)
    if house.roof == "flat":
        size = (min(2.2, 0.3 * hn), min(3.0, 0.3 * he))
        mesh.box((*at, -top - 1.4), (*size, 1.2), Layer.CONCRETE, trim, obj)
    else:
        mesh.box((*at, -top - 1.9), (0.45, 0.45, 1.7), Layer.CONCRETE, (0.50, 0.40, 0.36), obj)


def _roof(mesh: Mesh, house: Building, roof: Colour, wall: Colour, obj: int) -> None:
    n, e = house.north_m, house.east_m
    hn, he, top = house.size_north_m / 2 + 0.3, house.size_east_m / 2 + 0.3, house.height_m + 0.1
    if house.roof == "flat":
        mesh.box((n, e, -top - 0.3), (hn - 0.35, he - 0.35, 0.3), Layer.ROOF, roof, obj)
        return
    rise = 0.42 * min(hn, he)
    along_north = hn >= he
    ridge = (hn if along_north else he) - (min(hn, he) if house.roof == "hip" else 0.0)
    r0 = (n - ridge, e) if along_north else (n, e - ridge)
    r1 = (n + ridge, e) if along_north else (n, e + ridge)
    low = [(n - hn, e - he), (n - hn, e + he), (n + hn, e + he), (n + hn, e - he)]
    a, b, c, d = ((*p, -top) for p in low)
    p0, p1 = (*r0, -top - rise), (*r1, -top - rise)
    if along_north:
        slopes, ends = [[d, a, p0, p1], [b, c, p1, p0]], [[a, b, p0, p0], [c, d, p1, p1]]
    else:
        slopes, ends = [[a, b, p1, p0], [c, d, p0, p1]], [[d, a, p0, p0], [b, c, p1, p1]]
    for corners in slopes:
        mesh.quad(corners, Layer.ROOF, roof, obj)
    for corners in ends:
        gable = house.roof == "gable"
        mesh.quad(corners, Layer.CONCRETE if gable else Layer.ROOF, wall if gable else roof, obj)


def add_crown(
    meshes: tuple[Mesh, Mesh],
    rng: np.random.Generator,
    centre: tuple[float, float, float],
    half: tuple[float, float, float],
    foliage: Foliage,
    obj: int,
    count: int,
    size_m: float,
    taper: float = 0.0,
) -> None:
    """Sprays of leaves scattered over an ellipsoid, facing outwards more or less.

    The second of the meshes gets every other spray, and larger ones, which is enough from afar.
    `taper` 1 makes it a cone that stands on its base, 0 leaves it round.
    """
    out = rng.standard_normal((count, 3))
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    shell = rng.uniform(0.45, 0.92, (count, 1))
    size = size_m * rng.uniform(0.7, 1.2, (count, 1, 1))
    room = np.maximum(np.array(half) - 0.5 * size_m, 0.25 * np.array(half))
    place = out * shell
    if taper > 0.0:
        height = rng.uniform(-1.0, 1.0, count) ** 3 * 0.2 + rng.uniform(-1.0, 0.7, count)
        height = np.clip(height, -1.0, 1.0)
        flat = np.linalg.norm(out[:, :2], axis=1, keepdims=True)
        spread = (1.0 - taper * (height[:, None] + 1.0) / 2.0) * rng.uniform(0.55, 0.95, (count, 1))
        place = np.hstack([out[:, :2] / np.maximum(flat, 1e-9) * spread, -height[:, None]])
    position = np.array([centre[0], centre[1], -centre[2]]) + place * room
    facing = out + 0.6 * rng.standard_normal((count, 3))
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    side = np.cross(facing, rng.standard_normal((count, 3)))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(facing, side)
    signs = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
    corner = signs[None, :, :1] * side[:, None, :] + signs[None, :, 1:] * up[:, None, :]
    normal = np.repeat(0.6 * out + np.array([0.0, 0.0, -0.5]), 4, axis=0)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    uv = np.tile((signs + 1.0) / 2.0, (count, 1))
    palette = np.array(_LEAVES[foliage])
    mix = palette[rng.integers(len(palette), size=count)] * rng.uniform(0.88, 1.08, (count, 1))
    tint = np.repeat(mix * (0.45 + 0.6 * shell), 4, axis=0)
    start = 4 * np.arange(count)[:, None]
    triangles = (start[:, :, None] + np.array([(0, 1, 2), (0, 2, 3)])).reshape(-1, 3)
    for mesh, every, larger in zip(meshes, (1, 2), (1.0, _FAR_SPRAY), strict=True):
        some = (np.arange(count) % every == 0).repeat(4)
        corners = position[:, None, :] + larger * size * corner
        mesh.add(
            corners.reshape(-1, 3)[some],
            normal[some],
            uv[some],
            Layer.LEAVES,
            tint[some],
            obj,
            triangles[: some.sum() // 2],
        )


def add_lamp(mesh: Mesh, details: Mesh, lamp: Lamp, obj: int) -> None:
    """A pole with a short arm, which is a detail."""
    n, e, height_m, yaw = lamp.north_m, lamp.east_m, lamp.height_m, lamp.yaw_rad
    grey = (0.22, 0.23, 0.24)
    pole = [(n, e, 0.0, 0.11, 0.11), (n, e, 0.6, 0.06, 0.06), (n, e, height_m, 0.045, 0.045)]
    mesh.loft(pole, Layer.PLAIN, grey, obj, sides=6, caps=False)
    reach = 0.45
    at = (n + reach * math.cos(yaw), e + reach * math.sin(yaw), -height_m)
    details.box(at, (0.5, 0.04, 0.04), Layer.PLAIN, grey, obj, yaw, bottom=True)
    at = (n + 0.9 * math.cos(yaw), e + 0.9 * math.sin(yaw), -height_m + 0.06)
    mesh.box(at, (0.3, 0.12, 0.06), Layer.LIGHT, (0.83, 0.83, 0.78), obj, yaw, bottom=True)


def add_car(mesh: Mesh, car: Car, obj: int) -> None:
    """A saloon car of a few boxes."""
    c, s = math.cos(car.yaw_rad), math.sin(car.yaw_rad)
    length, width, height = car.length_m / 2, car.width_m / 2, car.height_m

    def at(forward: float, up: float) -> tuple[float, float, float]:
        return car.north_m + c * forward, car.east_m + s * forward, -up

    glass, black = (0.10, 0.12, 0.15), (0.05, 0.05, 0.05)
    mesh.box(
        at(0, 0.58), (length, width, 0.28), Layer.PLAIN, car.colour, obj, car.yaw_rad, bottom=True
    )
    mesh.box(at(0, 0.2), (length - 0.25, width - 0.1, 0.19), Layer.PLAIN, black, obj, car.yaw_rad)
    cabin = height - 0.86
    mesh.box(
        at(-0.25, 0.86 + cabin / 2),
        (0.48 * length, width - 0.12, cabin / 2),
        Layer.PLAIN,
        glass,
        obj,
        car.yaw_rad,
    )
    mesh.box(
        at(-0.25, height - 0.03),
        (0.42 * length, width - 0.14, 0.04),
        Layer.PLAIN,
        car.colour,
        obj,
        car.yaw_rad,
    )
    for forward in (-0.62 * length, 0.62 * length):
        mesh.box(
            at(forward, 0.31), (0.31, width + 0.02, 0.31), Layer.PLAIN, black, obj, car.yaw_rad
        )
    for forward, colour in ((length, (0.85, 0.85, 0.75)), (-length, (0.55, 0.04, 0.04))):
        mesh.box(
            at(forward, 0.66), (0.02, width - 0.15, 0.07), Layer.PLAIN, colour, obj, car.yaw_rad
        )
