"""The city in the scene: static objects, the ground and the sky."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from panda3d import core

from followme_uav.messages import Vec3
from followme_uav.sim.city.layout import City
from followme_uav.sim.city.place import Place
from followme_uav.sim.city.styles import STYLES
from followme_uav.sim.rendering.city_mesh import build_city
from followme_uav.sim.rendering.meshes.city_cells import CELL_M, Cell, CityMesh
from followme_uav.sim.rendering.meshes.mesh import Mesh
from followme_uav.sim.rendering.meshes.plants import LEAF_LEVELS
from followme_uav.sim.rendering.panda import CAMERA_MASK, SUN_MASK, node_of, shader_of
from followme_uav.sim.rendering.shaders.sky import SKY
from followme_uav.sim.rendering.shaders.surfaces import GROUND, LEAVES, SOLIDS
from followme_uav.sim.rendering.textures.layers import SIZE_PX, TextureLayer
from followme_uav.sim.rendering.textures.texture_array import make_textures

_LEVEL_PX_PER_M = np.array([[5.0], [3.5], [1.75]])
"""Each level of detail but the last is drawn where a metre is at least so large in the image."""

_Levels = dict[Cell, list[list[core.NodePath]]]
"""Nodes of each cell by their level of detail, the finest first."""


class DrawnCity:
    """One city below `root`.

    Args:
        root: Parent node.
        city: The city.
        numbers: Object number of each name.
    """

    def __init__(self, root: core.NodePath, city: Place, numbers: Mapping[str, int]) -> None:
        with ThreadPoolExecutor(1) as thread:  # NumPy releases the interpreter lock while painting
            textures = thread.submit(make_textures, city.seed, STYLES[city.style])
            mesh = build_city(city, numbers) if isinstance(city, City) else _world(city, numbers)
            root.set_shader_input("city_textures", _texture_array(textures.result()))
        levels: _Levels = defaultdict(lambda: [[] for _ in LEAF_LEVELS])
        _add_solids(root, mesh, levels)
        _add_leaves(root, mesh, levels)
        self._sky = _add_sky(root, mesh.sky)
        self._centres_m = CELL_M * (np.array(tuple(levels)).T + 0.5)
        self._nodes = tuple(levels.values())
        self._levels = np.zeros(len(levels), dtype=int)
        for _, *coarser in self._nodes:
            for nodes in coarser:
                _hide(nodes)

    def place(self, eye_m: Vec3, px_per_rad: float) -> None:
        """Centre the sky on the camera, and choose the level of detail of each cell.

        Args:
            eye_m: Position of the camera, world NED.
            px_per_rad: Angular resolution of the image at its centre.
        """
        north_m, east_m, down_m = eye_m
        self._sky.set_pos(east_m, north_m, -down_m)
        north_gap_m, east_gap_m = np.maximum(
            np.abs(self._centres_m - [[north_m], [east_m]]) - 0.5 * CELL_M, 0.0
        )
        gaps_m = np.hypot(north_gap_m, east_gap_m)
        levels = (gaps_m * _LEVEL_PX_PER_M >= px_per_rad).sum(axis=0)
        for i in np.flatnonzero(levels != self._levels).tolist():
            _hide(self._nodes[i][self._levels[i]])
            _show(self._nodes[i][levels[i]])
        self._levels = levels


def _world(place: Place, numbers: Mapping[str, int]) -> CityMesh:
    # The city of all seeds needs no polygons, whose libraries take a while to import.
    from followme_uav.sim.city.world_place import WorldPlace
    from followme_uav.sim.rendering.world_mesh import build_world

    if not isinstance(place, WorldPlace):
        raise TypeError(f"{type(place).__name__} is no place that can be drawn")
    return build_world(place, numbers)


def _add_solids(root: core.NodePath, mesh: CityMesh, levels: _Levels) -> None:
    solids = root.attach_new_node("solids")
    solids.set_shader(shader_of(SOLIDS))
    near_first = _near_first_bin()
    for cell in sorted(mesh.solids):
        solids.attach_new_node(node_of(mesh.solids[cell])).set_bin(near_first, 0)
    for cell in sorted(mesh.details):
        detail = solids.attach_new_node(node_of(mesh.details[cell]))
        detail.set_bin(near_first, 0)
        levels[cell][0].append(detail)
    # The ground is drawn after the other solids, which hide most of it.
    for part in (mesh.ground, *(mesh.grounds[cell] for cell in sorted(mesh.grounds))):
        if not part.is_empty:
            ground = solids.attach_new_node(node_of(part))
            ground.set_shader(shader_of(GROUND))
            ground.set_bin("fixed", 10)
            ground.hide(SUN_MASK)


def _add_leaves(root: core.NodePath, mesh: CityMesh, levels: _Levels) -> None:
    leaves = root.attach_new_node("leaves")
    leaves.set_shader(shader_of(LEAVES))
    leaves.set_two_sided(True)
    for cell in sorted(mesh.leaves):
        for level, crowns in enumerate(mesh.leaves[cell]):
            node = leaves.attach_new_node(node_of(crowns))
            levels[cell][level].append(node)
            if level > 0:
                node.hide(SUN_MASK)


def _add_sky(root: core.NodePath, mesh: Mesh) -> core.NodePath:
    sky = root.attach_new_node(node_of(mesh))
    sky.set_shader(shader_of(SKY))
    sky.set_bin("fixed", 20)
    sky.set_two_sided(True)
    sky.hide(SUN_MASK)
    return sky


def _show(nodes: Iterable[core.NodePath]) -> None:
    for node in nodes:
        node.show(CAMERA_MASK)


def _hide(nodes: Iterable[core.NodePath]) -> None:
    """Hide nodes from cameras; they go on casting shadows."""
    for node in nodes:
        node.hide(CAMERA_MASK)


def _texture_array(layers: NDArray[np.uint8]) -> core.Texture:
    texture = core.Texture("city_textures")
    texture.setup_2d_texture_array(
        SIZE_PX, SIZE_PX, len(TextureLayer), core.Texture.T_unsigned_byte, core.Texture.F_rgba
    )
    # Panda3D wants BGRA, bottom row first; the layers have the bottom row first already.
    texture.set_ram_image(layers[..., [2, 1, 0, 3]].tobytes())
    texture.set_minfilter(core.SamplerState.FT_linear_mipmap_linear)
    texture.set_magfilter(core.SamplerState.FT_linear)
    texture.set_wrap_u(core.SamplerState.WM_repeat)
    texture.set_wrap_v(core.SamplerState.WM_repeat)
    return texture


def _near_first_bin() -> str:
    """Name of a bin whose nodes are drawn first, the nearest before those that it hides."""
    name, bins = "near first", core.CullBinManager.get_global_ptr()
    if bins.find_bin(name) < 0:
        bins.add_bin(name, core.CullBinManager.BT_front_to_back, 15)
    return name
