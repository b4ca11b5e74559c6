"""Cars."""

from __future__ import annotations

import math

from followme_uav.messages import Vec3
from followme_uav.sim.city.colours import Colour
from followme_uav.sim.city.layout import Car
from followme_uav.sim.rendering.meshes.mesh import Mesh
from followme_uav.sim.rendering.textures.layers import TextureLayer

_GLASS: Colour = (0.10, 0.12, 0.15)
_BLACK: Colour = (0.05, 0.05, 0.05)
_HEADLIGHT: Colour = (0.85, 0.85, 0.75)
_TAIL_LIGHT: Colour = (0.55, 0.04, 0.04)


def add_car(mesh: Mesh, car: Car, number: int) -> None:
    """Append a saloon car of a few boxes."""
    c, s = math.cos(car.yaw_rad), math.sin(car.yaw_rad)
    length, width, height = car.length_m / 2, car.width_m / 2, car.height_m

    def box(forward: float, up: float, half: Vec3, tint: Colour, *, bottom: bool = False) -> None:
        centre = (car.north_m + c * forward, car.east_m + s * forward, -up)
        mesh.box(centre, half, TextureLayer.PLAIN, tint, number, car.yaw_rad, bottom=bottom)

    box(0.0, 0.58, (length, width, 0.28), car.colour, bottom=True)
    box(0.0, 0.2, (length - 0.25, width - 0.1, 0.19), _BLACK)
    cabin = height - 0.86
    box(-0.25, 0.86 + cabin / 2, (0.48 * length, width - 0.12, cabin / 2), _GLASS)
    box(-0.25, height - 0.03, (0.42 * length, width - 0.14, 0.04), car.colour)
    for forward in (-0.62 * length, 0.62 * length):
        box(forward, 0.31, (0.31, width + 0.02, 0.31), _BLACK)
    for forward, tint in ((length, _HEADLIGHT), (-length, _TAIL_LIGHT)):
        box(forward, 0.66, (0.02, width - 0.15, 0.07), tint)
