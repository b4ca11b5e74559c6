"""Simple solids that clients put into the world while the simulator runs.

They stand where they were put (nothing makes them fall), are solid to the vehicle and to rays, and
are drawn with an object number of their own. People and cars do not know of them. They survive
`reset`, as in AirSim.
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
"""What a renderer calls the object numbers that it keeps for spawned solids."""
SCALE_LIMITS = (0.01, 100.0)
"""Of each axis; at scale 1 every solid is one metre wide, deep and high."""

FIRST_COLOUR: Colour = (0.62, 0.62, 0.62)
FULL_INTENSITY = 5000.0
"""Of a light: Unreal's default for point lights; a ball of light is white from here on."""
LIGHT_DIAMETER_M = 0.2


class Shape(Enum):
    """Forms of solids; the axes of cylinder and cone are vertical, the cone's tip is on top."""

    CUBE = "cube"
    SPHERE = "sphere"
    CYLINDER = "cylinder"
    CONE = "cone"


@dataclass(frozen=True)
class Asset:
    """Something that can be spawned."""

    name: str
    shape: Shape
    is_light: bool = False
    """A blueprint in AirSim: a ball that shines, and stays as big as it is."""


ASSETS = (
    Asset("Cube", Shape.CUBE),
    Asset("Sphere", Shape.SPHERE),
    Asset("Cylinder", Shape.CYLINDER),
    Asset("Cone", Shape.CONE),
    Asset("1M_Cube", Shape.CUBE),
    Asset("1M_Cube_Chamfer", Shape.CUBE),
    Asset("PointLightBP", Shape.SPHERE, is_light=True),
)
"""Names that AirSim's Blocks environment has, too."""


def find_asset(name: str) -> Asset | None:
    """The asset of that name, upper and lower case alike."""
    return next((asset for asset in ASSETS if asset.name.lower() == name.lower()), None)


@dataclass(frozen=True)
class SpawnedObject:
    """One solid."""

    name: str
    asset: Asset
    position_m: Vec3
    """Of its centre, world NED."""
    orientation: Quaternion
    """Its own axes to the world's; its height is along its third axis, upwards."""
    scale: Vec3
    number: int = 0
    """In `RenderedImages.object_id`, where the renderer has numbers."""
    colour: Colour = FIRST_COLOUR
    intensity: float = FULL_INTENSITY
    """Of a light; 0 is dark."""
    segmentation_id: int | None = None
    """Set by a client; it goes away with the object. None: see `objects.SegmentationIds`."""

    @property
    def half_size_m(self) -> Vec3:
        """Half its size along its own axes."""
        if self.asset.is_light:
            return (0.5 * LIGHT_DIAMETER_M,) * 3
        x, y, z = self.scale
        return 0.5 * x, 0.5 * y, 0.5 * z


class SolidWorld(Protocol):
    """What collides: the vehicle's world."""

    def set_objects(self, objects: Sequence[SpawnedObject]) -> None:
        """Let these stand there and no others."""

    def move_object(self, index: int, position_m: Vec3, orientation: Quaternion) -> None:
        """Put one of them elsewhere."""


class SpawnedObjects:
    """All of them, in the order in which they came.

    Args:
        solids: told of every change.
        draw: called with all of them after every change.
        drawn_names: of the renderer's object numbers, some of `SLOT_NAMES` among them; None when
            nothing is drawn.
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
        """How many more there can be."""
        return len(self._slots) - len(self._objects)

    def find(self, name: str) -> SpawnedObject | None:
        """The one of that name, upper and lower case alike, here and in all that follows."""
        return next((one for one in self._objects if same(one.name, name)), None)

    def slot_name(self, one: SpawnedObject) -> str:
        """What the renderer calls it, one of `SLOT_NAMES`."""
        return self._slots[one.number]

    def with_names(self, drawn_names: Sequence[str]) -> list[str]:
        """Names of the renderer's numbers: these objects' in their slots, "" in free slots."""
        names = ["" if name in SLOT_NAMES else name for name in drawn_names]
        for one in self._objects:
            if self.slot_name(one) in drawn_names:
                names[one.number] = one.name
        return names

    def add(self, new: SpawnedObject) -> None:
        """Put one more there, under the lowest free number; `room` must not be 0."""
        taken = {one.number for one in self._objects}
        number = next(n for n in self._slots if n not in taken)
        self._objects.append(replace(new, number=number))
        self._rebuild()

    def remove(self, name: str) -> bool:
        """Take one away; whether there was one of that name."""
        left = [one for one in self._objects if not same(one.name, name)]
        if len(left) == len(self._objects):
            return False
        self._objects = left
        self._rebuild()
        return True

    def move(self, name: str, position_m: Vec3, orientation: Quaternion) -> bool:
        """Put one elsewhere; whether there is one of that name."""
        moved = self._change(name, position_m=position_m, orientation=orientation)
        if moved is None:
            return False
        self._solids.move_object(self._objects.index(moved), position_m, orientation)
        self._draw(self._objects)
        return True

    def resize(self, name: str, scale: Vec3) -> bool:
        """Give one another size; whether there is one of that name. A light stays as it is."""
        if self._change(name, scale=scale) is None:
            return False
        self._rebuild()
        return True

    def paint(self, name: str, colour: Colour) -> bool:
        """Give one another colour; whether there is one of that name."""
        if self._change(name, colour=colour) is None:
            return False
        self._draw(self._objects)
        return True

    def shine(self, name: str, intensity: float) -> bool:
        """Let a light shine brighter or less; whether there is a light of that name."""
        one = self.find(name)
        if one is None or not one.asset.is_light:
            return False
        self._change(name, intensity=intensity)
        self._draw(self._objects)
        return True

    def label(self, name: str, segmentation_id: int) -> bool:
        """Show one as this in segmentation images; whether there is one of that name."""
        return self._change(name, segmentation_id=segmentation_id) is not None

    def clearance_m(self, point_m: Vec3) -> float:
        """Distance from a point to the nearest, as the boxes around them; inf without any."""
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
