"""The vehicle: a quadrotor, in its own FRD axes."""

from __future__ import annotations

import math

from followme_uav.sim.rendering.meshes.mesh import Mesh
from followme_uav.sim.rendering.textures.layers import TextureLayer


def make_drone(number: int) -> Mesh:
    """A body with two crossed arms and four rotor discs."""
    mesh = Mesh()
    body, arm = (0.92, 0.92, 0.94), (0.20, 0.20, 0.22)
    plain, origin = TextureLayer.PLAIN, (0.0, 0.0, 0.0)
    mesh.box(origin, (0.16, 0.09, 0.05), plain, body, number, bottom=True)
    for yaw_rad in (math.pi / 4, -math.pi / 4):
        mesh.box(origin, (0.30, 0.02, 0.015), plain, arm, number, yaw_rad, bottom=True)
        for end_m in (-0.3, 0.3):
            n, e = end_m * math.cos(yaw_rad), end_m * math.sin(yaw_rad)
            rotor = [(n, e, 0.05, 0.13, 0.13), (n, e, 0.06, 0.13, 0.13)]
            mesh.loft(rotor, plain, arm, number, sides=12)
    return mesh
