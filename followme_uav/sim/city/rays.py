"""Ray casting for distance sensors and lines of sight.

Solids are upright boxes, convex hulls and, for trees, lamps and people, upright cylinders; the
ground is the plane z = 0 or a grid of heights. So every intersection has a closed form.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from followme_uav.messages import Vec3
from followme_uav.sim.city.arrays import Floats
from followme_uav.sim.city.hulls import Hulls
from followme_uav.sim.city.layout import Collider
from followme_uav.sim.city.obstacles import PERSON_HEIGHT_M, PERSON_RADIUS_M, solid_arrays
from followme_uav.sim.city.slopes import ray_to_terrain_m
from followme_uav.worlds.world import Terrain

_PARALLEL = 1e-12


class RayField:
    """Casts rays among fixed obstacles, and people and cars that move.

    Args:
        obstacles: the fixed ones.
        terrain: heights of the ground; None: the plane z = 0.
        hulls: those of the shape `hull`, if they are known already.
    """

    def __init__(
        self,
        obstacles: Sequence[Collider],
        terrain: Terrain | None = None,
        hulls: Hulls | None = None,
    ) -> None:
        self._terrain = terrain
        self._hulls = hulls or Hulls([o for o in obstacles if o.shape == "hull"])
        posts = [o for o in obstacles if o.shape == "cylinder"]
        self._boxes = solid_arrays([o for o in obstacles if o.shape == "box"])
        self._post_centre, self._post_half, _ = solid_arrays(posts)

    def distance_m(
        self,
        start_m: Vec3,
        direction: Vec3,
        people_feet_m: Sequence[Vec3],
        cars: Sequence[Collider] = (),
    ) -> float:
        """Length of a ray to the first solid or the ground.

        Args:
            start_m: world NED.
            direction: a unit vector, world NED.
            people_feet_m: the points that people stand on, world NED.
            cars: driving cars, as boxes.

        Returns:
            Metres; 0 inside a solid, inf if the ray meets nothing.
        """
        start, along = np.array(start_m), np.array(direction)
        if self._terrain is None:
            hits = [_to_ground(start_m[2], direction[2])]
        else:
            hits = [ray_to_terrain_m(self._terrain, start_m, direction)]
        hits.append(self._hulls.ray_m(start, along))
        hits += [_to_boxes(start, along, *boxes) for boxes in (self._boxes, solid_arrays(cars))]
        if len(self._post_centre):
            hits.append(_to_posts(start, along, self._post_centre, self._post_half))
        if len(people_feet_m):
            centre = np.array(people_feet_m) - (0.0, 0.0, 0.5 * PERSON_HEIGHT_M)
            half = np.array(((PERSON_RADIUS_M, PERSON_RADIUS_M, 0.5 * PERSON_HEIGHT_M),))
            hits.append(_to_posts(start, along, centre, half))
        return min(hits)

    def sees(
        self,
        start_m: Vec3,
        end_m: Vec3,
        people_feet_m: Sequence[Vec3],
        cars: Sequence[Collider] = (),
    ) -> bool:
        """Whether the line of sight between two points is free; points on surfaces can be seen."""
        length_m = math.dist(start_m, end_m)
        if length_m < 1e-6:
            return True
        n, e, d = ((b - a) / length_m for a, b in zip(start_m, end_m, strict=True))
        return self.distance_m(start_m, (n, e, d), people_feet_m, cars) > length_m - 1e-3


def _to_boxes(start: Floats, along: Floats, centre: Floats, half: Floats, yaw: Floats) -> float:
    if not len(centre):
        return math.inf
    offset, c, s = start - centre, np.cos(yaw), np.sin(yaw)
    local = np.stack(
        (c * offset[:, 0] + s * offset[:, 1], c * offset[:, 1] - s * offset[:, 0], offset[:, 2]),
        axis=1,
    )
    course = np.stack(
        (c * along[0] + s * along[1], c * along[1] - s * along[0], np.full(len(c), along[2])),
        axis=1,
    )
    enter, leave = _slabs(local, course, half)
    return _first(enter.max(axis=1), leave.min(axis=1))


def _to_ground(down_m: float, down: float) -> float:
    if down_m >= 0.0:
        return 0.0 if down_m > 0.0 else math.inf  # from the ground, rays run along it
    return -down_m / down if down > _PARALLEL else math.inf


def _to_posts(start: Floats, along: Floats, centre: Floats, half: Floats) -> float:
    offset = start - centre
    radius = half[:, 0]
    a = float(along[0] ** 2 + along[1] ** 2)
    b = offset[:, 0] * along[0] + offset[:, 1] * along[1]
    c = offset[:, 0] ** 2 + offset[:, 1] ** 2 - radius**2
    if a < _PARALLEL:  # straight up or down
        enter, leave = np.where(c < 0.0, -np.inf, np.inf), np.where(c < 0.0, np.inf, -np.inf)
    else:
        root = b * b - a * c
        reach = np.sqrt(np.maximum(root, 0.0))
        enter = np.where(root > 0.0, (-b - reach) / a, np.inf)
        leave = np.where(root > 0.0, (-b + reach) / a, -np.inf)
    top, bottom = _slabs(offset[:, 2:], np.full((len(offset), 1), along[2]), half[:, 2:])
    return _first(np.maximum(enter, top[:, 0]), np.minimum(leave, bottom[:, 0]))


def _slabs(offset: Floats, along: Floats, half: Floats) -> tuple[Floats, Floats]:
    """Distances at which rays enter and leave the slab |x| <= half of each axis."""
    safe = np.where(np.abs(along) < _PARALLEL, _PARALLEL, along)
    one, other = (-half - offset) / safe, (half - offset) / safe
    return np.minimum(one, other), np.maximum(one, other)


def _first(enter: Floats, leave: Floats) -> float:
    """The least distance at which a ray enters a solid ahead of it; inf without any."""
    hits = np.maximum(enter, 0.0)[(leave >= enter) & (leave >= 0.0)]
    return float(hits.min()) if len(hits) else math.inf
