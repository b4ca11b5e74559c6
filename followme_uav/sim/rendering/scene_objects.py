"""Spawned solids in the picture. They cast no shadow and light nothing."""

from __future__ import annotations

from collections.abc import Sequence

from panda3d import core

from followme_uav.sim.city.shapes import SIDES, rings_of
from followme_uav.sim.city.spawned import FULL_INTENSITY, Shape, SpawnedObject
from followme_uav.sim.rendering import shaders
from followme_uav.sim.rendering.lighting import STANDING_MASK
from followme_uav.sim.rendering.mesh import Mesh
from followme_uav.sim.rendering.panda import node_of, panda_matrix, shader_of
from followme_uav.sim.rendering.textures import Layer


class DrawnObjects:
    """Any number of solids below `root`."""

    def __init__(self, root: core.NodePath) -> None:
        self._parent = root
        self._root: core.NodePath | None = None

    def place(self, objects: Sequence[SpawnedObject]) -> None:
        """Let these and no others be there."""
        if self._root is not None:
            self._root.remove_node()
        self._root = self._parent.attach_new_node("objects")
        self._root.set_shader(shader_of(shaders.solid_shader(Layer.LIGHT)))
        self._root.hide(STANDING_MASK)
        for one in objects:
            node = self._root.attach_new_node(node_of(_mesh(one)))
            node.set_mat(panda_matrix(one.position_m, one.orientation))
            if one.asset.is_light:
                level = min(one.intensity / FULL_INTENSITY, 1.0)
                node.set_shader_input("glow", core.LVecBase4f(level, level, level, 1.0))


def _mesh(one: SpawnedObject) -> Mesh:
    """The surface of a solid in its own axes, its centre in the origin."""
    mesh = Mesh()
    tint = (1.0, 1.0, 1.0) if one.asset.is_light else one.colour
    layer = Layer.LIGHT if one.asset.is_light else Layer.PLAIN
    if one.asset.shape is Shape.CUBE:
        mesh.box((0.0, 0.0, 0.0), one.half_size_m, layer, tint, one.number, bottom=True)
    else:
        mesh.loft(rings_of(one), layer, tint, one.number, sides=SIDES)
    return mesh
