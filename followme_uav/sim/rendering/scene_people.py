"""The people in the scene: figures that walk, with fewer triangles where they are small."""

from __future__ import annotations

import math

import numpy as np
from panda3d import core

from followme_uav.sim.agents.gait import LIMBS, limb_turns
from followme_uav.sim.agents.people import Person
from followme_uav.sim.city.arrays import Floats
from followme_uav.sim.rendering.meshes.figures import MODEL_HEIGHT_M, make_figure
from followme_uav.sim.rendering.meshes.wardrobe import Appearance
from followme_uav.sim.rendering.panda import SUN_MASK, node_of, shader_of, uniform_array
from followme_uav.sim.rendering.shaders.surfaces import people_shader
from followme_uav.sim.rendering.view_cone import ViewCone

_FINE_PX = 18.0
"""Smaller figures are coarse, except for the hero's."""
_FINE, _COARSE, _HIDDEN = 0, 1, -1
_HIPS_M = np.array((0.0, 0.0, 0.9))
_REACH_M = 1.6
"""No part of a tall person with a long stride is farther from the hips."""


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
        """By person and level of detail; made at the first use, because most are never near."""
        self._levels = np.full(len(wardrobe), _HIDDEN)

    def place(self, people: tuple[Person, ...], feet_m: Floats, view: ViewCone) -> None:
        """Place the figures that the image can show, with its level of detail; hide all others.

        Args:
            people: The hero first; appearances beyond them are hidden.
            feet_m: (people, 3) their positions.
            view: The cone around the image.
        """
        levels = np.full(len(self._levels), _HIDDEN)
        shown = np.flatnonzero(view.may_show(feet_m - _HIPS_M, _REACH_M))
        distances_m = np.maximum(view.distances_m(feet_m[shown]), 0.1)
        is_small = (shown > 0) & (view.px_per_rad * MODEL_HEIGHT_M < _FINE_PX * distances_m)
        levels[shown] = np.where(is_small, _COARSE, _FINE)
        for i in np.flatnonzero(levels != self._levels).tolist():
            self._set_level(i, int(levels[i]))
        for i in shown.tolist():
            north, east, down = people[i].position_m
            heading_deg = -math.degrees(people[i].heading_rad)
            self._figures[i, levels[i]].set_pos_hpr(east, north, -down, heading_deg, 0.0, 0.0)
        if len(shown):
            gaits = np.array([(people[i].gait_phase_rad, people[i].speed_mps) for i in shown])
            self._turns[shown] = limb_turns(*gaits.T)

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
        before = int(self._levels[i])
        if before != _HIDDEN:
            self._figures[i, before].stash()
        if level != _HIDDEN:
            if (i, level) in self._figures:
                self._figures[i, level].unstash()
            else:
                self._figures[i, level] = self._add_figure(i, level)
        self._levels[i] = level
