"""The parts of a city, and its street plan, which is the same for every seed.

Pilots fly with a fixed map of the streets, so the numbers here are part of their interface. The
flight corridors (every street centre line +- `CORRIDOR_HALF_WIDTH_M`, and `PLAZA`) are free of
obstacles between 3 m and 25 m above the ground, except for the highway deck, whose underside is at
`HIGHWAY_UNDERSIDE_M`.

World frame NED in metres: x north, y east, z down; the ground is z = 0 and the origin is the centre
of the middle intersection. Heights (`height_m`) are positive up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from followme_uav.messages import Vec2, Vec3
from followme_uav.sim.city.colours import Colour

STREET_CENTRES_M = (-60.0, 0.0, 60.0)
"""Centre lines of the streets, for both axes: x = c (running east) and y = c (running north)."""
STREET_END_M = 100.0
"""Every street runs from -STREET_END_M to STREET_END_M and ends in front of a row of houses."""
CARRIAGEWAY_HALF_WIDTH_M = 5.0
PAVEMENT_OUTER_M = 10.0
"""Pavements lie between CARRIAGEWAY_HALF_WIDTH_M and this distance from a centre line."""
BUILDING_LINE_M = 16.0
"""No building stands closer to a centre line; between it and the pavement there is lawn."""
PAVEMENT_HEIGHT_M = 0.12
"""Height of pavements, lawns and the plaza above the carriageways."""
CORRIDOR_HALF_WIDTH_M = 7.5
CORRIDOR_HEIGHTS_M = (3.0, 25.0)
PLAZA = (10.0, 10.0, 50.0, 50.0)
"""The open stone plaza: north_min, east_min, north_max, east_max."""
PLAZA_CLEAR_ABOVE_M = 2.5
HIGHWAY_EAST_M = -85.0
HIGHWAY_HALF_WIDTH_M = 6.0
HIGHWAY_UNDERSIDE_M = 10.5
OUTER_ROW_M = 108.0
"""Front of the closing rows of houses around the city."""
EXTENT_M = 124.0
"""The city fills the square from -EXTENT_M to EXTENT_M."""
SKY_RADIUS_M = 900.0


Foliage = Literal["green", "dark", "red", "magenta", "autumn", "olive", "lime"]
TreeKind = Literal["round", "column", "cone"]
Surface = Literal["carriageway", "parking", "pavement", "plaza", "lawn"]


@dataclass(frozen=True)
class Building:
    """A house: a box aligned with the axes; `style` and `roof` select its appearance."""

    north_m: float
    east_m: float
    size_north_m: float
    size_east_m: float
    height_m: float
    """To the eaves."""
    storeys: int
    style: int
    roof: Literal["flat", "hip", "gable"]


@dataclass(frozen=True)
class Tree:
    """A trunk with a crown of leaves."""

    north_m: float
    east_m: float
    height_m: float
    crown_radius_m: float
    foliage: Foliage
    kind: TreeKind = "round"


@dataclass(frozen=True)
class Bush:
    """A shrub on the ground."""

    north_m: float
    east_m: float
    radius_m: float
    height_m: float
    foliage: Foliage


@dataclass(frozen=True)
class Planter:
    """A round bed in a red and white kerb, with a bush in it."""

    north_m: float
    east_m: float
    radius_m: float
    bush_height_m: float
    foliage: Foliage


@dataclass(frozen=True)
class Lamp:
    """A street lamp; its short arm points at `yaw_rad`."""

    north_m: float
    east_m: float
    height_m: float
    yaw_rad: float


@dataclass(frozen=True)
class Car:
    """A car, parked or at one instant of its drive."""

    north_m: float
    east_m: float
    yaw_rad: float
    length_m: float
    width_m: float
    height_m: float
    colour: Colour
    up_m: float = 0.0
    """Height of its wheels above z = 0."""
    pitch_rad: float = 0.0
    """Positive: the front is higher."""


@dataclass(frozen=True)
class Highway:
    """A straight deck running north, on pillars, railings on both sides."""

    east_m: float
    half_width_m: float
    north_min_m: float
    north_max_m: float
    underside_m: float
    thickness_m: float
    railing_m: float
    pillars_m: tuple[tuple[float, float], ...]
    """(north, east) of each pillar."""
    pillar_half_m: float


@dataclass(frozen=True)
class Area:
    """A flat rectangle of ground."""

    surface: Surface
    north_min_m: float
    east_min_m: float
    north_max_m: float
    east_max_m: float

    @property
    def rect(self) -> tuple[float, float, float, float]:
        """north_min, east_min, north_max, east_max."""
        return self.north_min_m, self.east_min_m, self.north_max_m, self.east_max_m


@dataclass(frozen=True)
class LawnPatch:
    """A star-shaped lawn in the plaza."""

    centre_m: tuple[float, float]
    outline_m: tuple[tuple[float, float], ...]
    """(north, east) corners, clockwise or counter-clockwise."""


@dataclass(frozen=True)
class Collider:
    """A solid that the vehicle can collide with."""

    name: str
    """Parts of one object share its name."""
    shape: Literal["box", "cylinder", "hull"]
    centre_m: Vec3
    """World NED."""
    half_size_m: Vec3
    """Box: half north, east and vertical size before yaw; cylinder: radius, radius, half height;
    hull: half sizes of the upright box around its corners, which is aligned with the axes."""
    yaw_rad: float = 0.0
    corners_m: tuple[Vec3, ...] = ()
    """The corners of a hull, world NED; it is their convex hull."""


@dataclass(frozen=True)
class City:
    """A city without its people and driving cars."""

    seed: int
    style: str
    """Name of its `styles.CityStyle`."""
    buildings: tuple[Building, ...]
    trees: tuple[Tree, ...]
    bushes: tuple[Bush, ...]
    lamps: tuple[Lamp, ...]
    planters: tuple[Planter, ...]
    cars: tuple[Car, ...]
    highway: Highway
    carriageways: tuple[Area, ...]
    pavements: tuple[Area, ...]
    lawns: tuple[Area, ...]
    lawn_patches: tuple[LawnPatch, ...]
    courts: tuple[Area, ...]
    """Stone yards around houses, on lawns; no city has any yet."""
    plaza: Area
    parking: Area
    colliders: tuple[Collider, ...]
    extent_m: float = EXTENT_M

    @property
    def start_m(self) -> Vec2:
        """Place of the take-off."""
        return 0.0, 0.0

    @property
    def objects(self) -> tuple[Collider, ...]:
        """Each object as one solid: here every solid is an object."""
        return self.colliders

    @property
    def parked_cars(self) -> int:
        """Number of parked cars; driving ones have the names after them."""
        return len(self.cars)

    @property
    def bounds_m(self) -> tuple[float, float, float, float]:
        """South, west, north, east: the rectangle that the city fills."""
        return -self.extent_m, -self.extent_m, self.extent_m, self.extent_m

    @property
    def terrain(self) -> None:
        """None: vehicles, rays and solids stand on the plane z = 0."""
        return

    @property
    def home(self) -> None:
        """None: the place has no position on the Earth of its own."""
        return

    def floor_height_m(self, north_m: float, east_m: float) -> float:
        """Height above z = 0 on which the vehicle stands: kerbs are drawn, but not solid."""
        return 0.0


def street_gap_m(north_m: float, east_m: float) -> float:
    """Distance of a point to the nearest centre line of a street, extended without end."""
    return min(abs(v - c) for v in (north_m, east_m) for c in STREET_CENTRES_M)


def ground_height_m(north_m: float, east_m: float) -> float:
    """Height of the ground above z = 0: `PAVEMENT_HEIGHT_M`, or 0 on a carriageway."""
    if max(abs(north_m), abs(east_m)) > STREET_END_M:
        return PAVEMENT_HEIGHT_M
    return 0.0 if street_gap_m(north_m, east_m) < CARRIAGEWAY_HALF_WIDTH_M else PAVEMENT_HEIGHT_M


def in_flight_corridor(north_m: float, east_m: float) -> bool:
    """Whether a point lies in the flight corridors or the plaza."""
    if PLAZA[0] <= north_m <= PLAZA[2] and PLAZA[1] <= east_m <= PLAZA[3]:
        return True
    if max(abs(north_m), abs(east_m)) > STREET_END_M:
        return False
    return any(
        abs(v - c) <= CORRIDOR_HALF_WIDTH_M for v in (north_m, east_m) for c in STREET_CENTRES_M
    )


def crown_bottom_m(tree: Tree) -> float:
    """Height at which the crown of a tree begins."""
    trunk_m = tree.height_m - 1.6 * tree.crown_radius_m + 1.0
    return min(0.42 * tree.height_m, max(trunk_m, 0.1))
