"""Distances and lines of sight in a simulation: city, people, cars and spawned objects."""

from __future__ import annotations

import math

import numpy as np

from followme_uav.messages import Vec3
from followme_uav.sim.agents.people import Crowd
from followme_uav.sim.agents.traffic_of import AnyTraffic
from followme_uav.sim.city.hulls import Hulls
from followme_uav.sim.city.obstacles import ClearanceField
from followme_uav.sim.city.place import Place
from followme_uav.sim.city.rays import RayField
from followme_uav.sim.city.spawned import SpawnedObjects
from followme_uav.sim.vehicle.vehicle import Vehicle

MAX_RAY_M = 1e7
"""Rays to spawned objects end here."""


class ObstacleQueries:
    """Answers questions about everything solid.

    Args:
        place: its solids and its ground.
        crowd: all people.
        traffic: the driving cars.
        vehicle: its world holds the spawned objects.
        objects: the spawned objects.
    """

    def __init__(
        self,
        place: Place,
        crowd: Crowd,
        traffic: AnyTraffic,
        vehicle: Vehicle,
        objects: SpawnedObjects,
    ) -> None:
        hulls = Hulls([solid for solid in place.colliders if solid.shape == "hull"])
        self._clearance = ClearanceField(place.colliders, hulls)
        self._rays = RayField(place.colliders, place.terrain, hulls)
        self._crowd, self._traffic = crowd, traffic
        self._vehicle, self._objects = vehicle, objects

    def clearance_m(self, point_m: Vec3) -> float:
        """Distance from a point to the nearest obstacle, person or car."""
        return min(
            self._clearance.clearance_m(point_m, self._feet_m(), self._traffic.colliders()),
            self._objects.clearance_m(point_m),
        )

    def ray_m(self, start_m: Vec3, direction: Vec3, *, movers: bool = True) -> float:
        """Length of a ray to the first obstacle, person or the ground; inf without any.

        Args:
            start_m: start of the ray.
            direction: unit vector.
            movers: whether people and driving cars count.
        """
        feet_m, cars = (self._feet_m(), self._traffic.colliders()) if movers else ([], [])
        distance_m = self._rays.distance_m(start_m, direction, feet_m, cars)
        return min(distance_m, self._object_ray_m(start_m, direction))

    def sees(self, start_m: Vec3, end_m: Vec3) -> bool:
        """Whether the line of sight between two points is free."""
        if not self._rays.sees(start_m, end_m, self._feet_m(), self._traffic.colliders()):
            return False
        length_m = math.dist(start_m, end_m)
        if length_m < 1e-6:
            return True
        n, e, d = ((b - a) / length_m for a, b in zip(start_m, end_m, strict=True))
        return self._object_ray_m(start_m, (n, e, d)) > length_m - 1e-3

    def _object_ray_m(self, start_m: Vec3, direction: Vec3) -> float:
        """As `ray_m`, to spawned objects only."""
        if not len(self._objects):
            return math.inf
        direction_1 = np.array([direction])
        distance_m, _ = self._vehicle.cast(start_m, direction_1, MAX_RAY_M, objects_only=True)
        return float(distance_m[0])

    def _feet_m(self) -> list[Vec3]:
        return [person.position_m for person in self._crowd.people if person.present]
