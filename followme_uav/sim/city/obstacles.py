"""Distances to the solids that the vehicle can collide with.

Colliders are upright boxes and cylinders and convex hulls, people upright cylinders, so distances
have closed forms and are exact. The ground does not count: every take-off and landing comes close
to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from followme_uav.messages import Vec3
from followme_uav.sim.city.arrays import Floats
from followme_uav.sim.city.hulls import Hulls
from followme_uav.sim.city.layout import Collider

PERSON_RADIUS_M = 0.3
PERSON_HEIGHT_M = 1.75


def person_name(index: int) -> str:
    """The name of a person in the simulator; the first is the hero."""
    return "hero" if index == 0 else f"person_{index:02d}"


class ClearanceField:
    """Distances from points to fixed obstacles, people and cars.

    Args:
        obstacles: the fixed ones.
        hulls: those of the shape `hull`, if they are known already.
    """

    def __init__(self, obstacles: Sequence[Collider], hulls: Hulls | None = None) -> None:
        cylinders = [o for o in obstacles if o.shape == "cylinder"]
        self._boxes = _turned([o for o in obstacles if o.shape == "box"])
        self._cylinder_centre, self._cylinder_half, _ = solid_arrays(cylinders)
        self._hulls = hulls or Hulls([o for o in obstacles if o.shape == "hull"])

    def clearance_m(
        self,
        point_m: Vec3,
        people_feet_m: Sequence[Vec3] = (),
        cars: Sequence[Collider] = (),
    ) -> float:
        """Distance from a point to the nearest solid; 0 inside one, inf without any.

        Args:
            point_m: world NED.
            people_feet_m: the points that people stand on, world NED.
            cars: driving cars, as boxes.
        """
        point = np.asarray(point_m)
        nearest = math.inf
        for centre, half, axis in (self._boxes, _turned(cars)):
            if len(centre):
                nearest = min(nearest, _to_boxes(point - centre, half, axis))
        if len(self._cylinder_centre):
            nearest = min(
                nearest, _to_cylinders(point - self._cylinder_centre, self._cylinder_half)
            )
        if len(people_feet_m):
            centre = np.asarray(people_feet_m) - (0.0, 0.0, 0.5 * PERSON_HEIGHT_M)
            half = np.array(((PERSON_RADIUS_M, 0.0, 0.5 * PERSON_HEIGHT_M),))
            nearest = min(nearest, _to_cylinders(point - centre, half))
        return min(nearest, self._hulls.distance_m(point, nearest))


def solid_arrays(obstacles: Sequence[Collider]) -> tuple[Floats, Floats, Floats]:
    """(n, 3) centres, (n, 3) half sizes and (n,) yaws of solids."""
    centre = np.array([o.centre_m for o in obstacles], dtype=float).reshape(-1, 3)
    half = np.array([o.half_size_m for o in obstacles], dtype=float).reshape(-1, 3)
    return centre, half, np.array([o.yaw_rad for o in obstacles], dtype=float)


def _turned(boxes: Sequence[Collider]) -> tuple[Floats, Floats, Floats]:
    """(n, 3) centres, (n, 3) half sizes and (2, n) cosine and sine of the yaws."""
    centre, half, yaw = solid_arrays(boxes)
    return centre, half, np.array((np.cos(yaw), np.sin(yaw)))


def _to_boxes(offset: Floats, half: Floats, axis: Floats) -> float:
    north, east, down = offset.T
    c, s = axis
    along, across = np.abs(c * north + s * east), np.abs(c * east - s * north)
    return _nearest(np.stack((along, across, np.abs(down)), axis=1) - half)


def _to_cylinders(offset: Floats, half: Floats) -> float:
    radial = np.hypot(offset[:, 0], offset[:, 1]) - half[:, 0]
    return _nearest(np.stack((radial, np.abs(offset[:, 2]) - half[:, 2]), axis=1))


def _nearest(outside: Floats) -> float:
    """Smallest distance, by (n, axes) distances outside along each axis, negative inside."""
    squared = np.square(np.maximum(outside, 0.0)).sum(axis=1)
    return math.sqrt(float(squared.min()))
