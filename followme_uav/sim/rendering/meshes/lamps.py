"""Street lamps."""

from __future__ import annotations

import math

from followme_uav.sim.city.layout import Lamp
from followme_uav.sim.rendering.meshes.mesh import Mesh
from followme_uav.sim.rendering.textures.layers import TextureLayer

_ARM_M = 0.45


def add_lamp(mesh: Mesh, details: Mesh, lamp: Lamp, number: int) -> None:
    """Append a pole with a lamp; `details` gets the short arm between them."""
    n, e, height_m, yaw_rad = lamp.north_m, lamp.east_m, lamp.height_m, lamp.yaw_rad
    c, s = math.cos(yaw_rad), math.sin(yaw_rad)
    grey, plain = (0.22, 0.23, 0.24), TextureLayer.PLAIN
    pole = [(n, e, 0.0, 0.11, 0.11), (n, e, 0.6, 0.06, 0.06), (n, e, height_m, 0.045, 0.045)]
    mesh.loft(pole, plain, grey, number, sides=6, caps=False)
    arm = (n + _ARM_M * c, e + _ARM_M * s, -height_m)
    details.box(arm, (0.5, 0.04, 0.04), plain, grey, number, yaw_rad, bottom=True)
    light, pale = TextureLayer.LIGHT, (0.83, 0.83, 0.78)
    head = (n + 2 * _ARM_M * c, e + 2 * _ARM_M * s, -height_m + 0.06)
    mesh.box(head, (0.3, 0.12, 0.06), light, pale, number, yaw_rad, bottom=True)
