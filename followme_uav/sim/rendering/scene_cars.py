"""The driving cars in the scene."""

from __future__ import annotations

import math
from collections.abc import Sequence

from panda3d import core

from followme_uav.sim.city.colours import Colour
from followme_uav.sim.city.layout import Car
from followme_uav.sim.rendering.meshes.cars import add_car
from followme_uav.sim.rendering.meshes.mesh import Mesh
from followme_uav.sim.rendering.panda import SUN_MASK, node_of, shader_of
from followme_uav.sim.rendering.shaders.surfaces import SOLIDS

_Look = tuple[float, float, float, Colour]
"""Length, width and height in metres, and the colour."""


class DrawnCars:
    """Cars below `root`.

    Args:
        root: Parent node.
        numbers: Object number of each car that can be driving.
    """

    def __init__(self, root: core.NodePath, numbers: Sequence[int]) -> None:
        self._root = root.attach_new_node("cars")
        self._root.set_shader(shader_of(SOLIDS))
        self._root.hide(SUN_MASK)
        self._numbers = numbers
        self._cars: list[tuple[core.NodePath, _Look]] = []

    def place(self, cars: tuple[Car, ...]) -> None:
        """Show these cars and no others."""
        for i, car in enumerate(cars):
            look = car.length_m, car.width_m, car.height_m, car.colour
            if i == len(self._cars):
                self._cars.append((self._root.attach_new_node(self._body(i, look)), look))
            node, before = self._cars[i]
            if look != before:
                node.remove_node()
                node = self._root.attach_new_node(self._body(i, look))
                self._cars[i] = node, look
            turn = -math.degrees(car.yaw_rad), math.degrees(car.pitch_rad), 0.0
            node.set_pos_hpr(car.east_m, car.north_m, car.up_m, *turn)
            node.show()
        for node, _ in self._cars[len(cars) :]:
            node.hide()

    def _body(self, i: int, look: _Look) -> core.GeomNode:
        mesh = Mesh()
        add_car(mesh, Car(0.0, 0.0, 0.0, *look), self._numbers[i])
        return node_of(mesh)
