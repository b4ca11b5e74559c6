"""Names of everything in the world, the renderer's number of each, and its segmentation id.

A number belongs to one object for good and tells apart what is in a picture. A segmentation id is
what the segmentation image shows in its place: 0 to 255, and a client may give the same one to many
objects.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from followme_uav.sim.colliders import car_name
from followme_uav.sim.dialects import VEHICLE_NAME
from followme_uav.sim.layout import City
from followme_uav.sim.obstacles import person_name
from followme_uav.sim.traffic import MAX_CARS

SKY, GROUND = "sky", "ground"
MAX_ID = 255
"""The largest segmentation id."""

_KINDS = ("tree", "bush", "lamp", "planter", "car", "highway", VEHICLE_NAME)
"""All things of one of these kinds have the same segmentation id until a client sets another."""
_BUILDING = "building"


def drawn_names(city: City, people: int) -> tuple[str, ...]:
    """The name behind each number of the renderer.

    A building's number decides which of its windows are lit, so buildings come right behind the
    people and one number for each kind of the other things, however many of those there are.

    Args:
        city: what stands around.
        people: everybody but the hero.
    """
    solids = [solid.name for solid in city.colliders]
    buildings = [name for name in solids if _kind(name) == _BUILDING]
    others = [VEHICLE_NAME, *(name for name in solids if _kind(name) != _BUILDING)]
    others += [car_name(len(city.cars) + i) for i in range(MAX_CARS)]
    before = len(_KINDS)
    persons = [person_name(i) for i in range(people + 1)]
    return (SKY, GROUND, *persons, *others[:before], *buildings, *others[before:])


class SegmentationIds:
    """The segmentation id of each object.

    People and buildings begin with an id each, all other things with one for their kind.

    Args:
        names: behind each number of the renderer, as `drawn_names`.

    Attributes:
        of_number: (numbers,) uint8, the id of each of the renderer's numbers.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._numbers = {name: number for number, name in enumerate(names)}
        own = [name for name in names if _kind(name) not in (*_KINDS, _BUILDING)]
        self._kinds = {kind: len(own) + i for i, kind in enumerate(_KINDS)}
        self._ids: dict[str, int] = {}
        self.of_number: NDArray[np.uint8] = np.array([self[name] for name in names], np.uint8)

    def __getitem__(self, name: str) -> int:
        """The id of an object; 0 for one that is never drawn and was given none."""
        first = self._kinds.get(_kind(name), self._numbers.get(name, 0))
        return self._ids.get(name, first % (MAX_ID + 1))

    def __setitem__(self, name: str, segmentation_id: int) -> None:
        self._ids[name] = segmentation_id
        if name in self._numbers:
            self.of_number[self._numbers[name]] = segmentation_id


def _kind(name: str) -> str:
    return name.split("_")[0]
