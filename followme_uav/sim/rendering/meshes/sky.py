"""The sky: a dome around the camera."""

from __future__ import annotations

import math

import numpy as np

from followme_uav.sim.city.layout import SKY_RADIUS_M
from followme_uav.sim.rendering.meshes.mesh import Mesh
from followme_uav.sim.rendering.meshes.mesh_part import MeshPart, grid_triangles
from followme_uav.sim.rendering.textures.layers import TextureLayer

_ELEVATIONS_DEG = (-12.0, 0.0, 8.0, 20.0, 40.0, 65.0, 90.0)
_AZIMUTHS = 25


def add_sky(mesh: Mesh, number: int) -> None:
    """Append the dome, whose texture repeats twice around the horizon."""
    angles = np.radians(_ELEVATIONS_DEG)
    around = np.linspace(0.0, 2 * math.pi, _AZIMUTHS)
    elevation, azimuth = np.meshgrid(angles, around, indexing="ij")
    level = np.cos(elevation)
    position = SKY_RADIUS_M * np.stack(
        [level * np.cos(azimuth), level * np.sin(azimuth), -np.sin(elevation)], axis=-1
    )
    v = np.clip(np.sin(elevation), 0.0, 1.0) * 0.98 + 0.01
    uv = np.stack([azimuth * 2 / (2 * math.pi), v], axis=-1)
    points = position.reshape(-1, 3)
    triangles = grid_triangles(len(angles), len(around))
    surface = MeshPart(points, -points / SKY_RADIUS_M, uv.reshape(-1, 2), triangles)
    mesh.add(surface, TextureLayer.SKY, (1.0, 1.0, 1.0), number)
