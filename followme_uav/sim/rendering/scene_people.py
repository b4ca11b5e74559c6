"""The people in the picture: figures that walk, and fewer triangles where they are small."""

from __future__ import annotations

import math

import numpy as np
from panda3d import core

from followme_uav.messages import Vec3
from followme_uav.sim.agents.gait import LIMBS, limb_turns
from followme_uav.sim.agents.people import Person
from followme_uav.sim.rendering import shaders
from followme_uav.sim.rendering.figures import MODEL_HEIGHT_M, Appearance, make_figure
from followme_uav.sim.rendering.lighting import STANDING_MASK
from followme_uav.sim.rendering.panda import node_of, shader_of, uniform_array

_FINE_PX = 18.0  # whoever is smaller in the picture gets a coarse figure, but never the hero
_FINE, _COARSE, _HIDDEN = 0, 1, -1


class DrawnPeople:
    """One figure for each look, below `root`.

    Args:
        root: everything drawn is below it.
        wardrobe: who there can be, the hero first.
        first_id: object number of the hero; the others' follow.
    """

    def __init__(
        self, root: core.NodePath, wardrobe: tuple[Appearance, ...], first_id: int
    ) -> None:
        self._crowd = root.attach_new_node("people")
        self._crowd.set_shader(shader_of(shaders.person_shader(len(wardrobe), first_id)))
        self._crowd.hide(STANDING_MASK)
        limbs = uniform_array(self._crowd, "limbs", len(wardrobe) * LIMBS)
        self._turns = limbs.reshape(-1, LIMBS, 4)
        self._wardrobe, self._first_id = wardrobe, first_id
        self._figures: dict[tuple[int, int], core.NodePath] = {}
        """By person and level, made when first seen so: most never come near."""
        self._shown = [_HIDDEN] * len(wardrobe)

    def place(self, people: tuple[Person, ...], eye_m: Vec3, px_per_rad: float) -> None:
        """Let everybody stand where they are, as they would be seen from there.

        Args:
            people: the first of those that there can be; the others are hidden.
            eye_m: of the camera, world NED.
            px_per_rad: of the picture.
        """
        phases, speeds = [], []
        for i, person in enumerate(people):
            phases.append(person.gait_phase_rad)
            speeds.append(person.speed_mps)
            if not person.present:
                self._show(i, _HIDDEN)
                continue
            far_m = max(math.dist(person.position_m, eye_m), 0.1)
            small = i > 0 and px_per_rad * MODEL_HEIGHT_M < _FINE_PX * far_m
            level = _COARSE if small else _FINE
            self._show(i, level)
            north, east, down = person.position_m
            heading_deg = -math.degrees(person.heading_rad)
            self._figures[i, level].set_pos_hpr(east, north, -down, heading_deg, 0.0, 0.0)
        for i in range(len(people), len(self._shown)):
            self._show(i, _HIDDEN)
        if people:
            self._turns[: len(people)] = limb_turns(np.array(phases), np.array(speeds))

    def _figure(self, i: int, level: int) -> core.NodePath:
        look = self._wardrobe[i]
        node = node_of(make_figure(look, self._first_id + i, coarse=level == _COARSE))
        # The vertex shader moves limbs, so the bounds leave room for a long stride.
        node.set_bounds(core.BoundingSphere(core.Point3(0, 0, 0.9), 1.4))
        node.set_final(True)
        figure = self._crowd.attach_new_node(node)
        figure.set_scale(look.height_m / MODEL_HEIGHT_M)
        return figure

    def _show(self, i: int, level: int) -> None:
        before = self._shown[i]
        if level == before:
            return
        if before != _HIDDEN:
            self._figures[i, before].stash()
        if level != _HIDDEN:
            if (i, level) in self._figures:
                self._figures[i, level].unstash()
            else:
                self._figures[i, level] = self._figure(i, level)
        self._shown[i] = level
