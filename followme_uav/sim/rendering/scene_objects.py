"""Spawned solids in the scene. They cast no shadow and light nothing."""

from __future__ import annotations

from collections.abc import Sequence

from panda3d import core

from followme_uav.sim.city.shapes import SIDES, rings_of
from followme_uav.sim.city.spawned import FULL_INTENSITY, Shape, SpawnedObject
from followme_uav.sim.rendering.meshes.mesh import Mesh
from followme_uav.sim.rendering.panda import SUN_MASK, node_of, panda_matrix, shader_of
from followme_uav.sim.rendering.shaders.surfaces import SOLIDS
from followme_uav.sim.rendering.textures.layers import TextureLayer


class DrawnObjects:
    """Any number of solids below `root`."""

    def __init__(self, root: core.NodePath) -> None:
        self._parent = root
        self._root: core.NodePath | None = None

    def place(self, objects: Sequence[SpawnedObject]) -> None:
        """Show these objects and no others."""
        if self._root is not None:
            self._root.remove_node()
        self._root = self._parent.attach_new_node("objects")
        self._root.set_shader(shader_of(SOLIDS))
        self._root.hide(SUN_MASK)
        for one in objects:
            node = self._root.attach_new_node(node_of(_mesh_of(one)))
            node.set_mat(panda_matrix(one.position_m, one.orientation))
            if one.asset.is_light:
                level = min(one.intensity / FULL_INTENSITY, 1.0)
                node.set_shader_input("glow", core.LVecBase4f(level, level, level, 1.0))


def _mesh_of(one: SpawnedObject) -> Mesh:
    """The surface of a solid in its own axes, centred at the origin."""
    mesh = Mesh()
    tint = (1.0, 1.0, 1.0) if one.asset.is_light else one.colour
    layer = TextureLayer.LIGHT if one.asset.is_light else TextureLayer.PLAIN
    if one.asset.shape is Shape.CUBE:
        mesh.box((0.0, 0.0, 0.0), one.half_size_m, layer, tint, one.number, bottom=True)
    else:
        mesh.loft(rings_of(one), layer, tint, one.number, sides=SIDES)
    return mesh
