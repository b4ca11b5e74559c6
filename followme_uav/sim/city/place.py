"""A place: what people, cars, vehicle, rays and clients need to know of the city around them.

`layout.City` (the city of all seeds) and `world_place.WorldPlace` (any world) are places.
"""

from __future__ import annotations

from typing import Protocol

from followme_uav.messages import Vec2
from followme_uav.sim.city.layout import Collider
from followme_uav.worlds.world import GeoOrigin, Terrain


class Place(Protocol):
    """Surroundings without people and driving cars. World frame NED in metres."""

    @property
    def seed(self) -> int:
        """Of everything that is drawn at random in the place."""

    @property
    def style(self) -> str:
        """Name of its `styles.CityStyle`."""

    @property
    def colliders(self) -> tuple[Collider, ...]:
        """All static solids."""

    @property
    def objects(self) -> tuple[Collider, ...]:
        """Each object as one solid: those of several parts as the box around them."""

    @property
    def parked_cars(self) -> int:
        """Number of parked cars; driving ones have the names after them."""

    @property
    def start_m(self) -> Vec2:
        """Place of the take-off."""

    @property
    def bounds_m(self) -> tuple[float, float, float, float]:
        """South, west, north, east: the rectangle that the place fills."""

    @property
    def terrain(self) -> Terrain | None:
        """Heights of the ground; None: the plane z = 0."""

    @property
    def home(self) -> GeoOrigin | None:
        """Position of (0, 0) on the Earth, of a place that has one."""

    def floor_height_m(self, north_m: float, east_m: float) -> float:
        """Height above z = 0 of the ground on which the vehicle stands and that rays meet."""
