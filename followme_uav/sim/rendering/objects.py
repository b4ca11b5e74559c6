"""Names, object numbers and segmentation ids of all objects.

An object number belongs to one object and identifies it in a rendering. A segmentation id is the
value that the segmentation image shows in its place: 0 to 255, and a client may give the same id to
many objects.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from followme_uav.sim.agents.traffic import MAX_CARS
from followme_uav.sim.city.colliders import car_name
from followme_uav.sim.city.obstacles import person_name
from followme_uav.sim.city.place import Place
from followme_uav.sim.city.spawned import SLOT_NAMES, SpawnedObjects
from followme_uav.sim.names import VEHICLE_NAME

SKY, GROUND = "sky", "ground"
SKY_ID, GROUND_ID, HERO_ID = 0, 1, 2
"""Object numbers of sky, ground and hero."""
MAX_ID = 255
"""The largest segmentation id."""

_KINDS = ("tree", "bush", "lamp", "planter", "car", "highway", VEHICLE_NAME)
"""All objects of one of these kinds share a segmentation id until a client sets another."""
_WORLD_KINDS = ("bench", "container", "barrier", "deck")
"""The same, of kinds that only worlds have."""
_BUILDING = "building"
_SLOT_IDS = {name: MAX_ID - i for i, name in enumerate(SLOT_NAMES)}
"""Default ids of spawned objects: from the top down, because all others begin at 0."""


def drawn_names(city: Place, people: int) -> tuple[str, ...]:
    """Name of the object behind each object number.

    The vehicle has its default name here, whatever a client calls it, and spawned objects have
    `SLOT_NAMES`: numbers are assigned before anything is spawned.

    The number of a building decides which of its windows are lit. Buildings therefore come behind
    the people and one number for each kind of other objects, so that their numbers do not depend
    on how many of the others there are.

    Args:
        city: The city.
        people: Number of people without the hero.
    """
    solids = [solid.name for solid in city.objects]
    buildings = [name for name in solids if _kind(name) == _BUILDING]
    others = [VEHICLE_NAME, *(name for name in solids if _kind(name) != _BUILDING)]
    others += [car_name(city.parked_cars + i) for i in range(MAX_CARS)]
    before = len(_KINDS)
    persons = [person_name(i) for i in range(people + 1)]
    return (SKY, GROUND, *persons, *others[:before], *buildings, *others[before:], *SLOT_NAMES)


class SegmentationIds:
    """The segmentation id of each object, by the name that clients know.

    People, buildings and spawned objects have an id each by default, all other objects one for
    their kind.

    Args:
        names: Name behind each object number, as `drawn_names`.
        vehicle_name: Name that clients use for the vehicle.
    """

    def __init__(self, names: Sequence[str], vehicle_name: str = VEHICLE_NAME) -> None:
        self._numbers = {name: number for number, name in enumerate(names)}
        self._vehicle_name = vehicle_name
        shared = (*_KINDS, *_WORLD_KINDS, _BUILDING)
        own = [name for name in names if _kind(name) not in shared and name not in _SLOT_IDS]
        self._kinds = {kind: len(own) + i for i, kind in enumerate((*_KINDS, *_WORLD_KINDS))}
        self._ids: dict[str, int] = {}
        self._of_number: NDArray[np.uint8] = np.array([self._drawn_as(n) for n in names], np.uint8)

    def find(self, objects: SpawnedObjects, name: str) -> int:
        """The id of an object; 0 for one that is never drawn and has no id of its own."""
        spawned = objects.find(name)
        if spawned is None:
            return self._drawn_as(self._drawn_name(name))
        if spawned.segmentation_id is None:
            return self._drawn_as(objects.slot_name(spawned))
        return spawned.segmentation_id

    def give(self, objects: SpawnedObjects, name: str, segmentation_id: int) -> None:
        """Set the id of an object."""
        if objects.label(name, segmentation_id):
            return
        name = self._drawn_name(name)
        self._ids[name] = segmentation_id
        if name in self._numbers:
            self._of_number[self._numbers[name]] = segmentation_id

    def of_numbers(self, objects: SpawnedObjects) -> NDArray[np.uint8]:
        """(numbers,) the id of each object number."""
        ids: NDArray[np.uint8] = self._of_number.copy()
        for one in objects:
            if one.segmentation_id is not None:
                ids[one.number] = one.segmentation_id
        return ids

    def _drawn_name(self, name: str) -> str:
        return VEHICLE_NAME if name == self._vehicle_name else name

    def _drawn_as(self, name: str) -> int:
        first = _SLOT_IDS.get(name, self._kinds.get(_kind(name), self._numbers.get(name, 0)))
        return self._ids.get(name, first % (MAX_ID + 1))


def _kind(name: str) -> str:
    return name.split("_")[0]
