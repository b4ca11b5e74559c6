"""The parts of a world, as frozen data that a file can hold.

World frame NED in metres: a point is (north, east); heights are positive up. An object stands on
the ground, whose height `Terrain` gives; a height of an object is above the ground below it, unless
its docstring says otherwise. Angles are in radians, 0 = north, clockwise seen from above.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, Field

FORMAT = 1
"""Version of the file format."""
MAX_ITEMS = 50_000
"""Most objects of one kind."""
MAX_POINTS = 5_000
"""Most points of one line or outline."""
MAX_SEED = 2**63 - 1
MAX_LATITUDE_DEG = 85.0
"""Nearer to the poles, the local projection is too wrong."""

Coordinate = Annotated[float, Field(ge=-5000.0, le=5000.0, allow_inf_nan=False)]
Height = Annotated[float, Field(ge=-1000.0, le=1000.0, allow_inf_nan=False)]
Size = Annotated[float, Field(gt=0.0, le=500.0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0.0, le=500.0, allow_inf_nan=False)]
Angle = Annotated[float, Field(ge=-100.0, le=100.0, allow_inf_nan=False)]
Text = Annotated[str, Field(max_length=300)]
Part = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Rgb = tuple[Part, Part, Part]

Point = tuple[Coordinate, Coordinate]
"""North, east."""
Ring = Annotated[tuple[Point, ...], Field(min_length=3, max_length=MAX_POINTS)]
"""Corners of a polygon in either order; the last one is joined to the first."""

StreetKind = Literal["street", "alley", "footpath", "steps", "elevated_road", "bridge"]
Surface = Literal["square", "pavement", "lawn", "water", "wood", "parking", "yard"]
BuildingStyle = Literal["house", "row", "block", "hall", "kiosk", "tower", "church", "bridge"]
RoofKind = Literal["flat", "hip", "gable"]
TreeKind = Literal["round", "column", "cone"]
Foliage = Literal["green", "dark", "red", "magenta", "autumn", "olive", "lime"]
BarrierKind = Literal["hedge", "wall", "fence"]

_STRICT = ConfigDict(extra="forbid")
_MANY = Field(max_length=MAX_ITEMS)


@dataclass(frozen=True)
class Street:
    """A way for people or cars along a polyline."""

    __pydantic_config__ = _STRICT

    kind: StreetKind
    width_m: Size
    """From edge to edge, with the pavements."""
    line_m: Annotated[tuple[Point, ...], Field(min_length=2, max_length=MAX_POINTS)]
    pavement_m: NonNegative = 0.0
    """Width of the pavement on either side."""
    lanes: Annotated[int, Field(ge=0, le=2)] = 0
    """Lanes of cars: 2, one in each direction; 1, along the line; 0, no cars."""
    heights_m: Annotated[tuple[Height, ...], Field(max_length=MAX_POINTS)] = ()
    """Height above z = 0 of the deck at each point; empty for a street on the ground."""
    thickness_m: Size = 1.0
    """Of a deck, below `heights_m`."""
    railing_m: NonNegative = 1.1
    """Height of the railings of a deck."""
    supports_m: Annotated[tuple[Point, ...], Field(max_length=MAX_POINTS)] = ()
    """Pillars of a deck."""
    support_half_m: Size = 0.5
    """Half the side of a pillar."""
    name: Text = ""

    @property
    def is_raised(self) -> bool:
        """Whether it is a deck above the ground."""
        return bool(self.heights_m)

    @property
    def carriageway_m(self) -> float:
        """Width between the pavements."""
        return self.width_m - 2.0 * self.pavement_m


@dataclass(frozen=True)
class Area:
    """A polygon of ground with one surface."""

    __pydantic_config__ = _STRICT

    surface: Surface
    outline_m: Ring
    holes_m: Annotated[tuple[Ring, ...], Field(max_length=1000)] = ()
    name: Text = ""


@dataclass(frozen=True)
class Building:
    """Upright walls over a footprint, with a roof."""

    __pydantic_config__ = _STRICT

    outline_m: Ring
    height_m: Size
    """To the eaves, above the highest ground below the outline."""
    storeys: Annotated[int, Field(ge=1, le=200)] = 1
    style: BuildingStyle = "house"
    roof: RoofKind = "flat"
    base_m: NonNegative = 0.0
    """Height of the lowest ceiling: above 0, there is a way below the building."""
    holes_m: Annotated[tuple[Ring, ...], Field(max_length=1000)] = ()
    """Courtyards."""
    look: Annotated[int, Field(ge=0, le=65535)] = 0
    """Selects colours and details within the style."""
    name: Text = ""


@dataclass(frozen=True)
class Tree:
    """A trunk with a crown of leaves."""

    __pydantic_config__ = _STRICT

    at_m: Point
    height_m: Size = 8.0
    crown_radius_m: Size = 2.5
    kind: TreeKind = "round"
    foliage: Foliage = "green"


@dataclass(frozen=True)
class Bush:
    """A shrub on the ground."""

    __pydantic_config__ = _STRICT

    at_m: Point
    radius_m: Size = 1.0
    height_m: Size = 1.2
    foliage: Foliage = "green"


@dataclass(frozen=True)
class Lamp:
    """A street lamp; its arm points at `yaw_rad`."""

    __pydantic_config__ = _STRICT

    at_m: Point
    height_m: Size = 6.0
    yaw_rad: Angle = 0.0


@dataclass(frozen=True)
class Bench:
    """A bench; people on it look along `yaw_rad`."""

    __pydantic_config__ = _STRICT

    at_m: Point
    yaw_rad: Angle = 0.0
    length_m: Size = 1.8


@dataclass(frozen=True)
class Planter:
    """A round bed with a bush in it."""

    __pydantic_config__ = _STRICT

    at_m: Point
    radius_m: Size = 1.0
    bush_height_m: Size = 1.8
    foliage: Foliage = "green"


@dataclass(frozen=True)
class ParkedCar:
    """A car that stands."""

    __pydantic_config__ = _STRICT

    at_m: Point
    yaw_rad: Angle = 0.0
    length_m: Size = 4.3
    width_m: Size = 1.78
    height_m: Size = 1.5
    colour: Rgb = (0.72, 0.74, 0.76)


@dataclass(frozen=True)
class Container:
    """A freight container; its long side points at `yaw_rad`."""

    __pydantic_config__ = _STRICT

    at_m: Point
    yaw_rad: Angle = 0.0
    length_m: Size = 6.06
    width_m: Size = 2.44
    height_m: Size = 2.59
    colour: Rgb = (0.2, 0.35, 0.5)


@dataclass(frozen=True)
class Barrier:
    """A hedge, a wall or a fence along a polyline."""

    __pydantic_config__ = _STRICT

    kind: BarrierKind
    line_m: Annotated[tuple[Point, ...], Field(min_length=2, max_length=MAX_POINTS)]
    height_m: Size = 1.4
    thickness_m: Size = 0.6


@dataclass(frozen=True)
class Terrain:
    """Heights of the ground on a grid, bilinear between its points and constant beyond it."""

    __pydantic_config__ = _STRICT

    south_m: Coordinate
    west_m: Coordinate
    """The first point of the grid."""
    spacing_m: Annotated[float, Field(ge=0.5, le=500.0, allow_inf_nan=False)]
    heights_m: Annotated[
        tuple[Annotated[tuple[Height, ...], Field(min_length=2, max_length=1001)], ...],
        Field(min_length=2, max_length=1001),
    ]
    """Rows from south to north, each from west to east."""

    @cached_property
    def grid(self) -> npt.NDArray[np.float64]:
        """(rows, columns) of `heights_m`; read only."""
        grid = np.array(self.heights_m, dtype=float)
        grid.setflags(write=False)
        return grid


@dataclass(frozen=True)
class GeoOrigin:
    """The geodetic position of (0, 0), on WGS 84."""

    __pydantic_config__ = _STRICT

    latitude_deg: Annotated[
        float, Field(ge=-MAX_LATITUDE_DEG, le=MAX_LATITUDE_DEG, allow_inf_nan=False)
    ]
    longitude_deg: Annotated[float, Field(ge=-180.0, le=180.0, allow_inf_nan=False)]
    altitude_m: Annotated[float, Field(ge=-1000.0, le=10_000.0, allow_inf_nan=False)] = 0.0


@dataclass(frozen=True)
class Bounds:
    """The rectangle that a world fills."""

    __pydantic_config__ = _STRICT

    south_m: Coordinate
    west_m: Coordinate
    north_m: Coordinate
    east_m: Coordinate


@dataclass(frozen=True)
class World:
    """A place without its people and driving cars."""

    __pydantic_config__ = _STRICT

    name: Text
    bounds: Bounds
    format: Literal[1] = 1
    kind: Text = ""
    """The generator, or `import`."""
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = 0
    style: Text = ""
    """City style (colours, materials) that the simulator uses; empty: the seed draws it."""
    attribution: Text = ""
    geo_origin: GeoOrigin | None = None
    start_m: Point = (0.0, 0.0)
    """The place of the take-off; nothing stands above it."""
    terrain: Terrain | None = None
    """None: the ground is level at z = 0."""
    streets: Annotated[tuple[Street, ...], _MANY] = ()
    areas: Annotated[tuple[Area, ...], _MANY] = ()
    """Later ones lie on top of earlier ones."""
    buildings: Annotated[tuple[Building, ...], _MANY] = ()
    trees: Annotated[tuple[Tree, ...], _MANY] = ()
    bushes: Annotated[tuple[Bush, ...], _MANY] = ()
    lamps: Annotated[tuple[Lamp, ...], _MANY] = ()
    benches: Annotated[tuple[Bench, ...], _MANY] = ()
    planters: Annotated[tuple[Planter, ...], _MANY] = ()
    parked_cars: Annotated[tuple[ParkedCar, ...], _MANY] = ()
    containers: Annotated[tuple[Container, ...], _MANY] = ()
    barriers: Annotated[tuple[Barrier, ...], _MANY] = ()
    notes: Annotated[tuple[Text, ...], Field(max_length=100)] = ()
    """Remarks on the origin, for example counts of an import."""
