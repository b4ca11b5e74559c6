"""What the vehicle can run into, and how far away the nearest of it is.

Colliders are upright boxes and cylinders, people upright cylinders, so distances have closed forms
and are exact. The ground is no obstacle here: every take-off and landing comes close to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import Vec3
from followme_uav.sim.city.world import Collider

PERSON_RADIUS_M = 0.3
PERSON_HEIGHT_M = 1.75


def person_name(index: int) -> str:
    """What the simulator calls a person; the first is the hero."""
    return "hero" if index == 0 else f"person_{index:02d}"


class ClearanceField:
    """Distance from a point to the nearest of some fixed obstacles, people and cars."""

    def __init__(self, obstacles: Sequence[Collider]) -> None:
        cylinders = [o for o in obstacles if o.shape == "cylinder"]
        self._boxes = _arrays([o for o in obstacles if o.shape == "box"])
        self._cylinder_centre, self._cylinder_half, _ = _arrays(cylinders)

    def clearance_m(
        self,
        point_m: Vec3,
        people_feet_m: Sequence[Vec3] = (),
        cars: Sequence[Collider] = (),
    ) -> float:
        """Distance from a point to the nearest of all; 0 inside one, inf without any.

        Args:
            point_m: world NED.
            people_feet_m: where the people stand, world NED.
            cars: boxes that move.
        """
        point = np.asarray(point_m)
        nearest = math.inf
        for centre, half, yaw in (self._boxes, _arrays(cars)):
            if len(centre):
                nearest = min(nearest, _to_boxes(point - centre, half, yaw))
        if len(self._cylinder_centre):
            nearest = min(
                nearest, _to_cylinders(point - self._cylinder_centre, self._cylinder_half)
            )
        if len(people_feet_m):
            centre = np.asarray(people_feet_m) - (0.0, 0.0, 0.5 * PERSON_HEIGHT_M)
            half = np.array(((PERSON_RADIUS_M, 0.0, 0.5 * PERSON_HEIGHT_M),))
            nearest = min(nearest, _to_cylinders(point - centre, half))
        return nearest


def _arrays(obstacles: Sequence[Collider]) -> tuple[NDArray[np.float64], ...]:
    centre = np.array([o.centre_m for o in obstacles], dtype=float).reshape(-1, 3)
    half = np.array([o.half_size_m for o in obstacles], dtype=float).reshape(-1, 3)
    return centre, half, np.array([o.yaw_rad for o in obstacles], dtype=float)


def _to_boxes(
    offset: NDArray[np.float64], half: NDArray[np.float64], yaw: NDArray[np.float64]
) -> float:
    north, east, down = offset.T
    c, s = np.cos(yaw), np.sin(yaw)
    along, across = np.abs(c * north + s * east), np.abs(c * east - s * north)
    return _nearest(np.stack((along, across, np.abs(down)), axis=1) - half)


def _to_cylinders(offset: NDArray[np.float64], half: NDArray[np.float64]) -> float:
    radial = np.hypot(offset[:, 0], offset[:, 1]) - half[:, 0]
    return _nearest(np.stack((radial, np.abs(offset[:, 2]) - half[:, 2]), axis=1))


def _nearest(outside: NDArray[np.float64]) -> float:
    """Smallest distance, from how far the point lies outside along each axis (negative inside)."""
    squared = np.square(np.maximum(outside, 0.0)).sum(axis=1)
    return math.sqrt(float(squared.min()))
