"""The city in the picture: what stands, the ground below it and the sky above it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from panda3d import core

from followme_uav.messages import Vec3
from followme_uav.sim.city.layout import City
from followme_uav.sim.city.styles import STYLES
from followme_uav.sim.rendering import shaders
from followme_uav.sim.rendering.city_mesh import CELL_M, Cell, build_city
from followme_uav.sim.rendering.lighting import EYE_MASK, STANDING_MASK
from followme_uav.sim.rendering.panda import node_of, shader_of
from followme_uav.sim.rendering.textures import SIZE_PX, Layer, make_textures

_FAR_PX_PER_M = 5.0  # where a metre is smaller in the picture, nobody misses details


class DrawnCity:
    """One city below `root`.

    Args:
        root: everything drawn is below it.
        city: what stands around.
        numbers: of each object by its name.
    """

    def __init__(self, root: core.NodePath, city: City, numbers: Mapping[str, int]) -> None:
        with ThreadPoolExecutor(1) as thread:  # NumPy paints them without holding Python up
            textures = thread.submit(make_textures, city.seed, STYLES[city.style])
            mesh = build_city(city, numbers)
            root.set_shader_input("pictures", _pictures(textures.result()))
        solids = root.attach_new_node("solids")
        solids.set_shader(shader_of(shaders.solid_shader(Layer.LIGHT)))
        near_first = _near_first_bin()
        details: dict[Cell, list[core.NodePath]] = {}
        outlines: dict[Cell, list[core.NodePath]] = {}
        for at in sorted(mesh.solids):
            solids.attach_new_node(node_of(mesh.solids[at])).set_bin(near_first, 0)
        for at in sorted(mesh.details):
            detail = solids.attach_new_node(node_of(mesh.details[at]))
            detail.set_bin(near_first, 0)
            details.setdefault(at, []).append(detail)
        # The ground comes last of the solids: most of it is hidden by then.
        ground = solids.attach_new_node(node_of(mesh.ground))
        ground.set_shader(shader_of(shaders.ground_shader()))
        ground.set_bin("fixed", 10)
        ground.hide(STANDING_MASK)
        leaves = root.attach_new_node("leaves")
        leaves.set_shader(shader_of(shaders.LEAVES))
        leaves.set_two_sided(True)
        for at in sorted(mesh.leaves):
            details.setdefault(at, []).append(leaves.attach_new_node(node_of(mesh.leaves[at])))
            few = leaves.attach_new_node(node_of(mesh.far_leaves[at]))
            few.hide(STANDING_MASK)
            outlines.setdefault(at, []).append(few)
        self._cells = tuple(details)
        self._middles_m = CELL_M * (np.array(self._cells) + 0.5)
        self._details = [details[at] for at in self._cells]
        self._outlines = [outlines.get(at, []) for at in self._cells]
        self._near = np.ones(len(self._cells), dtype=bool)
        for nodes in self._outlines:
            _hide(nodes)
        self._sky = root.attach_new_node(node_of(mesh.sky))
        self._sky.set_shader(shader_of(shaders.SKY))
        self._sky.set_bin("fixed", 20)
        self._sky.set_two_sided(True)
        self._sky.hide(STANDING_MASK)

    def place(self, eye_m: Vec3, px_per_rad: float) -> None:
        """Let everything be there as it would be seen from there.

        Args:
            eye_m: of the camera, world NED.
            px_per_rad: of the picture.
        """
        north_m, east_m, down_m = eye_m
        self._sky.set_pos(east_m, north_m, -down_m)
        aside_m = np.maximum(np.abs(self._middles_m - (north_m, east_m)) - 0.5 * CELL_M, 0.0)
        near = np.hypot(*aside_m.T) * _FAR_PX_PER_M < px_per_rad
        for i in np.flatnonzero(near != self._near):
            _show(self._details[i] if near[i] else self._outlines[i])
            _hide(self._outlines[i] if near[i] else self._details[i])
        self._near = near


def _show(nodes: Iterable[core.NodePath]) -> None:
    for node in nodes:
        node.show(EYE_MASK)


def _hide(nodes: Iterable[core.NodePath]) -> None:
    """From the cameras; the sun sees them still."""
    for node in nodes:
        node.hide(EYE_MASK)


def _pictures(layers: NDArray[np.uint8]) -> core.Texture:
    pictures = core.Texture("pictures")
    pictures.setup_2d_texture_array(
        SIZE_PX, SIZE_PX, len(Layer), core.Texture.T_unsigned_byte, core.Texture.F_rgba
    )
    # Panda keeps textures as BGRA, bottom row first, which is how the layers are made.
    pictures.set_ram_image(layers[..., [2, 1, 0, 3]].tobytes())
    pictures.set_minfilter(core.SamplerState.FT_linear_mipmap_linear)
    pictures.set_magfilter(core.SamplerState.FT_linear)
    pictures.set_wrap_u(core.SamplerState.WM_repeat)
    pictures.set_wrap_v(core.SamplerState.WM_repeat)
    return pictures


def _near_first_bin() -> str:
    """What is in it is drawn first, the nearest before the others, which are mostly hidden then."""
    name, bins = "near first", core.CullBinManager.get_global_ptr()
    if bins.find_bin(name) < 0:
        bins.add_bin(name, core.CullBinManager.BT_front_to_back, 15)
    return name
