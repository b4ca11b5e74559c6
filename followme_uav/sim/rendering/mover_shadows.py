"""Shadows of movers: flat soft silhouettes on the ground.

They take the place of a shadow map that would have to be drawn again for each image.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from panda3d import core

from followme_uav.messages import Vec3
from followme_uav.sim.city.arrays import Floats
from followme_uav.sim.city.layout import Car
from followme_uav.sim.rendering.overlays import add_overlay
from followme_uav.sim.rendering.panda import uniform_array
from followme_uav.sim.rendering.shaders.shadows import silhouette_shader

_BODY_HALF_M, _LEGS_HALF_M = 0.20, 0.09
"""Half width of a slim body, and half of the spread of the legs."""
_ROUND = 2.0
"""Spread of the legs that means a round shape."""
_LONGEST = 3.0
"""Length of a shadow over the height of the caster, at most; the shader has the same limit."""


@dataclass(frozen=True)
class Stature:
    """Build of a person, as far as the shadow shows it."""

    height_m: float
    width: float
    """Factor on the width of the body; 1 is slim."""


class MoverShadows:
    """Shadows of people, then of other movers, below `root`.

    Args:
        root: Parent node.
        statures: One for each person who can cast a shadow.
        others: Number of other movers.
    """

    def __init__(self, root: core.NodePath, statures: Sequence[Stature], others: int) -> None:
        casters = len(statures) + others
        self._node = _add_silhouettes(root, casters)
        self._casters = uniform_array(self._node, "casters", casters)
        self._stance = uniform_array(self._node, "stance", casters)
        self._heights_m = np.array([stature.height_m for stature in statures])
        for i, stature in enumerate(statures):
            self._stance[i, :2] = _BODY_HALF_M * stature.width, _LEGS_HALF_M

    def set_sun(self, sun: Vec3, *, casts_shadows: bool) -> None:
        """Set the unit vector towards the sun (x east, y north, z up) for shadows of cars."""
        self._sun = sun
        if casts_shadows:
            self._node.show()
        else:
            self._node.hide()

    def place_people(self, feet_m: Floats) -> None:
        """Place the shadows of the first people; (n, 3) NED, NaN for a person who is absent."""
        self._casters[: len(self._heights_m)] = 0.0
        present = np.flatnonzero(~np.isnan(feet_m[:, 0]))
        self._casters[present, :3] = feet_m[present][:, [1, 0, 2]] * (1.0, 1.0, -1.0)
        self._casters[present, 3] = self._heights_m[present]

    def place_round(self, other: int, ground: Vec3, height_m: float, half_m: float) -> None:
        """Place the elliptic shadow of a mover.

        Args:
            other: Index of the mover, people not counted.
            ground: The point below it: x east, y north, z up.
            height_m: Its height.
            half_m: Half of its width.
        """
        index = len(self._heights_m) + other
        self._casters[index] = *ground, height_m
        self._stance[index, :2] = half_m, _ROUND

    def place_car(self, other: int, car: Car) -> None:
        """Place the shadow of a car: about an ellipse, from the car away from the sun."""
        sun, c, s = self._sun, math.cos(car.yaw_rad), math.sin(car.yaw_rad)
        level = max(math.hypot(sun[0], sun[1]), 1e-6)
        away = (-sun[0] / level, -sun[1] / level)
        along, across = abs(away[0] * s + away[1] * c), abs(away[0] * c - away[1] * s)
        depth_m = along * car.length_m + across * car.width_m
        width_m = across * car.length_m + along * car.width_m
        steep = max(float(sun[2]), 0.05)
        reach_m = depth_m + min(car.height_m * level / steep, _LONGEST * car.height_m)
        start = (
            car.east_m - 0.5 * depth_m * away[0],
            car.north_m - 0.5 * depth_m * away[1],
            car.up_m,
        )
        # The height from which the shader gets this reach.
        height_m = reach_m * max(steep / level, 1.0 / _LONGEST)
        self.place_round(other, start, height_m, 0.6 * width_m)

    def hide(self, first: int, after: int) -> None:
        """Hide the shadows of the movers from `first` to before `after`, people not counted."""
        people = len(self._heights_m)
        self._casters[people + first : people + after] = 0.0
        self._stance[people + first : people + after, :2] = 0.0


def _add_silhouettes(root: core.NodePath, casters: int) -> core.NodePath:
    """One square for each mover, which the vertex shader lays on the ground."""

    def points() -> Iterator[Vec3]:
        for i in range(casters):
            for along, across in ((0.0, -1.0), (1.0, -1.0), (1.0, 1.0), (0.0, 1.0)):
                yield along, across, float(i)

    def triangles() -> Iterator[tuple[int, int, int]]:
        for first in range(0, 4 * casters, 4):
            yield first, first + 1, first + 2
            yield first, first + 2, first + 3

    shader = silhouette_shader(casters)
    return add_overlay(root, "silhouettes", points(), triangles(), shader, sort=15)
