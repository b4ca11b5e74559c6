"""Simple solids that clients spawn while the simulator runs.

They stay where they are put, without gravity. The vehicle and rays collide with them, people and
cars ignore them. Each is drawn with its own object number. They survive `reset`, as in AirSim.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

import numpy as np

from followme_uav.geometry import conjugate, rotate
from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.city.colours import Colour
from followme_uav.sim.city.patterns import same

MAX_OBJECTS = 32
SLOT_NAMES = tuple(f"spawned_{i:02d}" for i in range(MAX_OBJECTS))
"""Names of the object numbers that a renderer reserves for spawned solids."""
SCALE_LIMITS = (0.01, 100.0)
"""Least and greatest scale of each axis; at scale 1 a solid is one metre wide, deep and high."""

FIRST_COLOUR: Colour = (0.62, 0.62, 0.62)
FULL_INTENSITY = 5000.0
"""Intensity at which a light is drawn white: Unreal's default for point lights."""
LIGHT_DIAMETER_M = 0.2


class Shape(Enum):
    """Forms of solids; the axes of cylinder and cone are vertical, the cone's tip is on top."""

    CUBE = "cube"
    SPHERE = "sphere"
    CYLINDER = "cylinder"
    CONE = "cone"


@dataclass(frozen=True)
class Asset:
    """A type of object that clients can spawn."""

    name: str
    shape: Shape
    is_light: bool = False
    """A blueprint in AirSim: a shining ball of constant size."""


ASSETS = (
    Asset("Cube", Shape.CUBE),
    Asset("Sphere", Shape.SPHERE),
    Asset("Cylinder", Shape.CYLINDER),
    Asset("Cone", Shape.CONE),
    Asset("1M_Cube", Shape.CUBE),
    Asset("1M_Cube_Chamfer", Shape.CUBE),
    Asset("PointLightBP", Shape.SPHERE, is_light=True),
)
"""The names are those of AirSim's Blocks environment."""


def find_asset(name: str) -> Asset | None:
    """The asset of that name, ignoring case."""
    return next((asset for asset in ASSETS if asset.name.lower() == name.lower()), None)


@dataclass(frozen=True)
class SpawnedObject:
    """One spawned solid."""

    name: str
    asset: Asset
    position_m: Vec3
    """Of its centre, world NED."""
    orientation: Quaternion
    """Rotation from its own axes to the world's; its height is along its third axis, upwards."""
    scale: Vec3
    number: int = 0
    """Its value in `RenderedImages.object_id`."""
    colour: Colour = FIRST_COLOUR
    intensity: float = FULL_INTENSITY
    """Of a light; 0 is dark."""
    segmentation_id: int | None = None
    """Set by a client, and removed with the object. None: see `objects.SegmentationIds`."""

    @property
    def half_size_m(self) -> Vec3:
        """Half its size along its own axes."""
        if self.asset.is_light:
            return (0.5 * LIGHT_DIAMETER_M,) * 3
        x, y, z = self.scale
        return 0.5 * x, 0.5 * y, 0.5 * z


class SolidWorld(Protocol):
    """The vehicle's world, in which the solids collide."""

    def set_objects(self, objects: Sequence[SpawnedObject]) -> None:
        """Replace all solids by these."""

    def move_object(self, index: int, position_m: Vec3, orientation: Quaternion) -> None:
        """Move one of them."""


class SpawnedObjects:
    """All spawned objects, in the order of spawning. Names ignore case.

    Args:
        solids: updated after every change.
        draw: called with all objects after every change.
        drawn_names: names of the renderer's object numbers, some of `SLOT_NAMES` among them; None
            without a renderer.
    """

    def __init__(
        self,
        solids: SolidWorld,
        draw: Callable[[Sequence[SpawnedObject]], None],
        drawn_names: Sequence[str] | None = None,
    ) -> None:
        self._solids, self._draw = solids, draw
        names = SLOT_NAMES if drawn_names is None else drawn_names
        self._slots = {i: name for i, name in enumerate(names) if name in SLOT_NAMES}
        self._objects: list[SpawnedObject] = []

    def __iter__(self) -> Iterator[SpawnedObject]:
        return iter(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    @property
    def room(self) -> int:
        """The number of further objects that can be spawned."""
        return len(self._slots) - len(self._objects)

    def find(self, name: str) -> SpawnedObject | None:
        """The object of that name, or None."""
        return next((one for one in self._objects if same(one.name, name)), None)

    def slot_name(self, one: SpawnedObject) -> str:
        """The renderer's name of an object, one of `SLOT_NAMES`."""
        return self._slots[one.number]

    def with_names(self, drawn_names: Sequence[str]) -> list[str]:
        """Names of the renderer's numbers: those of objects in their slots, "" in free slots."""
        names = ["" if name in SLOT_NAMES else name for name in drawn_names]
        for one in self._objects:
            if self.slot_name(one) in drawn_names:
                names[one.number] = one.name
        return names

    def add(self, new: SpawnedObject) -> None:
        """Add an object under the lowest free number; `room` must not be 0."""
        taken = {one.number for one in self._objects}
        number = next(n for n in self._slots if n not in taken)
        self._objects.append(replace(new, number=number))
        self._rebuild()

    def remove(self, name: str) -> bool:
        """Remove an object; return whether one has that name."""
        left = [one for one in self._objects if not same(one.name, name)]
        if len(left) == len(self._objects):
            return False
        self._objects = left
        self._rebuild()
        return True

    def move(self, name: str, position_m: Vec3, orientation: Quaternion) -> bool:
        """Move an object; return whether one has that name."""
        moved = self._change(name, position_m=position_m, orientation=orientation)
        if moved is None:
            return False
        self._solids.move_object(self._objects.index(moved), position_m, orientation)
        self._draw(self._objects)
        return True

    def resize(self, name: str, scale: Vec3) -> bool:
        """Scale an object, but not a light; return whether one has that name."""
        if self._change(name, scale=scale) is None:
            return False
        self._rebuild()
        return True

    def paint(self, name: str, colour: Colour) -> bool:
        """Set the colour of an object; return whether one has that name."""
        if self._change(name, colour=colour) is None:
            return False
        self._draw(self._objects)
        return True

    def shine(self, name: str, intensity: float) -> bool:
        """Set the intensity of a light; return whether one has that name."""
        one = self.find(name)
        if one is None or not one.asset.is_light:
            return False
        self._change(name, intensity=intensity)
        self._draw(self._objects)
        return True

    def label(self, name: str, segmentation_id: int) -> bool:
        """Set the segmentation id of an object; return whether one has that name."""
        return self._change(name, segmentation_id=segmentation_id) is not None

    def clearance_m(self, point_m: Vec3) -> float:
        """Distance from a point to the nearest object's bounding box; inf without any."""
        return min((_box_distance_m(one, point_m) for one in self._objects), default=math.inf)

    def _change(self, name: str, **changes: object) -> SpawnedObject | None:
        for i, one in enumerate(self._objects):
            if same(one.name, name):
                self._objects[i] = replace(one, **changes)  # type: ignore[arg-type]
                return self._objects[i]
        return None

    def _rebuild(self) -> None:
        self._solids.set_objects(self._objects)
        self._draw(self._objects)


def _box_distance_m(one: SpawnedObject, point_m: Vec3) -> float:
    offset = np.array(point_m) - one.position_m
    x, y, z = rotate(conjugate(one.orientation), (offset[0], offset[1], offset[2]))
    outside = np.abs((x, y, z)) - one.half_size_m
    return float(np.linalg.norm(np.maximum(outside, 0.0)))
