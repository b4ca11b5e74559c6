"""The things that stand in the city, one function each: houses, crowns of leaves, lamps, cars."""

from __future__ import annotations

import math

import numpy as np

from followme_uav.sim.layout import Building, Car, Foliage, Lamp
from followme_uav.sim.mesh import Colour, Mesh
from followme_uav.sim.textures import Layer

_WALLS: tuple[tuple[Layer, Colour], ...] = (
    (Layer.PLASTER, (0.72, 0.74, 0.78)),
    (Layer.PLASTER, (0.80, 0.80, 0.78)),
    (Layer.PLASTER, (0.62, 0.69, 0.72)),
    (Layer.PLASTER, (0.56, 0.42, 0.38)),
    (Layer.BRICK, (0.50, 0.33, 0.29)),
    (Layer.BRICK, (0.42, 0.28, 0.24)),
    (Layer.STONE, (0.66, 0.67, 0.72)),
    (Layer.STONE, (0.74, 0.72, 0.66)),
)
_PLINTHS: tuple[Colour, ...] = ((0.30, 0.33, 0.42), (0.38, 0.38, 0.40), (0.66, 0.61, 0.54))
_ROOFS: tuple[Colour, ...] = ((0.40, 0.43, 0.48), (0.30, 0.31, 0.34), (0.45, 0.28, 0.22))
_LEAVES: dict[Foliage, tuple[Colour, Colour]] = {
    "green": ((0.30, 0.74, 0.12), (0.52, 0.84, 0.16)),
    "dark": ((0.18, 0.52, 0.12), (0.34, 0.62, 0.14)),
    "red": ((0.85, 0.04, 0.06), (0.55, 0.03, 0.04)),
    "magenta": ((0.80, 0.12, 0.50), (0.62, 0.20, 0.60)),
}


def add_building(mesh: Mesh, house: Building, obj: int) -> None:
    """Walls of repeating bays, a stone plinth, cornices, corner pilasters and a roof."""
    wall, tint = _WALLS[house.style % len(_WALLS)]
    plinth = _PLINTHS[house.style // 8 % len(_PLINTHS)]
    roof = _ROOFS[house.style // 24 % len(_ROOFS)]
    trim = (
        (0.80, 0.79, 0.77)
        if house.style // 72 % 2
        else (tint[0] * 0.9, tint[1] * 0.9, tint[2] * 0.9)
    )
    n, e = house.north_m, house.east_m
    hn, he, top = house.size_north_m / 2, house.size_east_m / 2, house.height_m
    base = 0.9
    for size, at, across in (
        (he, (n + hn, e), (0.0, -1.0)),
        (he, (n - hn, e), (0.0, 1.0)),
        (hn, (n, e + he), (1.0, 0.0)),
        (hn, (n, e - he), (-1.0, 0.0)),
    ):
        a = (at[0] - across[0] * size, at[1] - across[1] * size)
        b = (at[0] + across[0] * size, at[1] + across[1] * size)
        bays = max(1, round(2 * size / 3.3))
        corners = [(*a, -base), (*b, -base), (*b, -top), (*a, -top)]
        mesh.quad(corners, wall, tint, obj, (0.0, 0.0, float(bays), float(house.storeys)))
    mesh.box((n, e, -base / 2), (hn + 0.08, he + 0.08, base / 2), Layer.PLINTH, plinth, obj)
    mesh.box(
        (n, e, -top + 0.12), (hn + 0.35, he + 0.35, 0.22), Layer.CONCRETE, trim, obj, bottom=True
    )
    if house.storeys > 2:
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
    mesh: Mesh,
    rng: np.random.Generator,
    centre: tuple[float, float, float],
    half: tuple[float, float, float],
    foliage: Foliage,
    obj: int,
    count: int,
    size_m: float,
) -> None:
    """Sprays of leaves scattered over an ellipsoid, facing outwards more or less."""
    out = rng.standard_normal((count, 3))
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    shell = rng.uniform(0.45, 0.92, (count, 1))
    size = size_m * rng.uniform(0.7, 1.2, (count, 1, 1))
    room = np.maximum(np.array(half) - 0.5 * size_m, 0.25 * np.array(half))
    position = np.array([centre[0], centre[1], -centre[2]]) + out * shell * room
    facing = out + 0.6 * rng.standard_normal((count, 3))
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    side = np.cross(facing, rng.standard_normal((count, 3)))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(facing, side)
    signs = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
    corners = position[:, None, :] + size * (
        signs[None, :, :1] * side[:, None, :] + signs[None, :, 1:] * up[:, None, :]
    )
    normal = np.repeat(0.6 * out + np.array([0.0, 0.0, -0.5]), 4, axis=0)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    uv = np.tile((signs + 1.0) / 2.0, (count, 1))
    mix = rng.random((count, 1))
    first, second = (np.array(c) for c in _LEAVES[foliage])
    tint = np.repeat((mix * first + (1 - mix) * second) * (0.45 + 0.6 * shell), 4, axis=0)
    start = 4 * np.arange(count)[:, None]
    triangles = (start[:, :, None] + np.array([(0, 1, 2), (0, 2, 3)])).reshape(-1, 3)
    mesh.add(corners.reshape(-1, 3), normal, uv, Layer.LEAVES, tint, obj, triangles)


def add_lamp(mesh: Mesh, lamp: Lamp, obj: int) -> None:
    """A pole with a short arm."""
    n, e, height_m, yaw = lamp.north_m, lamp.east_m, lamp.height_m, lamp.yaw_rad
    grey = (0.22, 0.23, 0.24)
    pole = [(n, e, 0.0, 0.11, 0.11), (n, e, 0.6, 0.06, 0.06), (n, e, height_m, 0.045, 0.045)]
    mesh.loft(pole, Layer.PLAIN, grey, obj, sides=6)
    reach = 0.45
    at = (n + reach * math.cos(yaw), e + reach * math.sin(yaw), -height_m)
    mesh.box(at, (0.5, 0.04, 0.04), Layer.PLAIN, grey, obj, yaw, bottom=True)
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
