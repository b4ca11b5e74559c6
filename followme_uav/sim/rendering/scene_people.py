"""The people in the scene: figures that walk, with fewer triangles where they are small."""

from __future__ import annotations

import math

import numpy as np
from panda3d import core

from followme_uav.messages import Vec3
from followme_uav.sim.agents.gait import LIMBS, limb_turns
from followme_uav.sim.agents.people import Person
from followme_uav.sim.rendering.meshes.figures import MODEL_HEIGHT_M, make_figure
from followme_uav.sim.rendering.meshes.wardrobe import Appearance
from followme_uav.sim.rendering.panda import SUN_MASK, node_of, shader_of, uniform_array
from followme_uav.sim.rendering.shaders.surfaces import people_shader

_FINE_PX = 18.0
"""Smaller figures are coarse, except for the hero's."""
_FINE, _COARSE, _HIDDEN = 0, 1, -1


class DrawnPeople:
    """One figure for each appearance, below `root`.

    Args:
        root: Parent node.
        wardrobe: Appearances of all people, the hero first.
        first_number: Object number of the hero; those of the others follow.
    """

    def __init__(
        self, root: core.NodePath, wardrobe: tuple[Appearance, ...], first_number: int
    ) -> None:
        self._crowd = root.attach_new_node("people")
        self._crowd.set_shader(shader_of(people_shader(len(wardrobe), first_number)))
        self._crowd.hide(SUN_MASK)
        limbs = uniform_array(self._crowd, "limbs", len(wardrobe) * LIMBS)
        self._turns = limbs.reshape(-1, LIMBS, 4)
        self._wardrobe, self._first_number = wardrobe, first_number
        self._figures: dict[tuple[int, int], core.NodePath] = {}
        """By person and level of detail; made at the first use, because most stay far away."""
        self._levels = [_HIDDEN] * len(wardrobe)

    def place(self, people: tuple[Person, ...], eye_m: Vec3, px_per_rad: float) -> None:
        """Place all figures, with the level of detail for this camera.

        Args:
            people: The hero first; appearances beyond them are hidden.
            eye_m: Position of the camera, world NED.
            px_per_rad: Angular resolution of the image at its centre.
        """
        phases, speeds = [], []
        for i, person in enumerate(people):
            phases.append(person.gait_phase_rad)
            speeds.append(person.speed_mps)
            if not person.present:
                self._set_level(i, _HIDDEN)
                continue
            distance_m = max(math.dist(person.position_m, eye_m), 0.1)
            is_small = i > 0 and px_per_rad * MODEL_HEIGHT_M < _FINE_PX * distance_m
            level = _COARSE if is_small else _FINE
            self._set_level(i, level)
            north, east, down = person.position_m
            heading_deg = -math.degrees(person.heading_rad)
            self._figures[i, level].set_pos_hpr(east, north, -down, heading_deg, 0.0, 0.0)
        for i in range(len(people), len(self._levels)):
            self._set_level(i, _HIDDEN)
        if people:
            self._turns[: len(people)] = limb_turns(np.array(phases), np.array(speeds))

    def _add_figure(self, i: int, level: int) -> core.NodePath:
        look = self._wardrobe[i]
        node = node_of(make_figure(look, self._first_number + i, coarse=level == _COARSE))
        # The vertex shader moves limbs, so the bounds have room for a long stride.
        node.set_bounds(core.BoundingSphere(core.Point3(0, 0, 0.9), 1.4))
        node.set_final(True)
        figure = self._crowd.attach_new_node(node)
        figure.set_scale(look.height_m / MODEL_HEIGHT_M)
        return figure

    def _set_level(self, i: int, level: int) -> None:
        before = self._levels[i]
        if level == before:
            return
        if before != _HIDDEN:
            self._figures[i, before].stash()
        if level != _HIDDEN:
            if (i, level) in self._figures:
                self._figures[i, level].unstash()
            else:
                self._figures[i, level] = self._add_figure(i, level)
        self._levels[i] = level
