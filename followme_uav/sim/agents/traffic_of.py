"""Finds the traffic of a place."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from followme_uav.messages import Vec3
from followme_uav.sim.agents.traffic import MovingCars, Traffic
from followme_uav.sim.city.layout import Car, City, Collider
from followme_uav.sim.city.place import Place


class AnyTraffic(MovingCars, Protocol):
    """The driving cars of any place."""

    @property
    def cars(self) -> tuple[Car, ...]:
        """All cars as of now."""

    @property
    def speeds_mps(self) -> tuple[float, ...]:
        """The speed of every car now."""

    @property
    def poses(self) -> Sequence[tuple[float, float, float]]:
        """North, east, heading of every car."""

    @property
    def middles_m(self) -> Sequence[float]:
        """The z of the middle of every car; empty where all are on one level."""

    def colliders(self) -> tuple[Collider, ...]:
        """The cars as solids, as of now."""

    def reset(self, occupied_m: Sequence[Vec3] = ()) -> None:
        """Return to the start; no car starts near one of the places (north, east, height) given."""

    def advance(
        self,
        dt_s: float,
        in_the_road_m: Sequence[Vec3] = (),
        crosswalks_in_use: Collection[int] = (),
    ) -> None:
        """Advance by `dt_s` seconds."""


def traffic_of(place: Place, seed: int, cars: int) -> AnyTraffic:
    """Make the driving cars of a place.

    Raises:
        ConfigError: Too many cars.
    """
    if isinstance(place, City):
        return Traffic(seed, cars, first_name=place.parked_cars)
    # The city of all seeds needs no polygons, whose libraries take a while to import.
    from followme_uav.sim.agents.world_traffic import WorldTraffic
    from followme_uav.sim.city.world_place import WorldPlace

    if not isinstance(place, WorldPlace):
        raise TypeError(f"{type(place).__name__} is no place that cars can drive in")
    return WorldTraffic(place, seed, cars, place.parked_cars)
