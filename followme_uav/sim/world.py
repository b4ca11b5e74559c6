"""The city as data: what stands where, and how big it is. Nothing here draws anything.

`make_city(seed)` returns one frozen `City`. The street layout is the same for every seed, because
pilots fly with a fixed map of it; houses, trees, cars and everything else change with the seed.
The flight corridors (every street centre line +- `CORRIDOR_HALF_WIDTH_M`, and `PLAZA`) are free of
obstacles between 3 m and 25 m above the ground, except for the highway deck, which passes at
`HIGHWAY_UNDERSIDE_M` or more.

World frame NED in metres: x north, y east, z down; the ground is z = 0 and the origin is the centre
of the middle crossing. Heights (`height_m`) are positive up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

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
"""Pavements, lawns and the plaza lie this much above the carriageways."""
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

_BLOCKS_M = ((-100.0, -70.0), (-50.0, -10.0), (10.0, 50.0), (70.0, 100.0))
_LAWN_M = BUILDING_LINE_M - PAVEMENT_OUTER_M
_STOREY_M = 3.4

Foliage = Literal["green", "dark", "red", "magenta"]
Surface = Literal["carriageway", "parking", "pavement", "plaza", "lawn"]


@dataclass(frozen=True)
class Building:
    """A house: a box aligned with the axes, its look chosen by `style` and `roof`."""

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
    """A parked car."""

    north_m: float
    east_m: float
    yaw_rad: float
    length_m: float
    width_m: float
    height_m: float
    colour: tuple[float, float, float]
    """RGB, 0..1."""


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


@dataclass(frozen=True)
class LawnPatch:
    """A lawn of free form in the plaza, counter-clockwise or clockwise, star-shaped."""

    centre_m: tuple[float, float]
    outline_m: tuple[tuple[float, float], ...]
    """(north, east) corners."""


@dataclass(frozen=True)
class Collider:
    """A solid the vehicle can hit."""

    name: str
    shape: Literal["box", "cylinder"]
    centre_m: tuple[float, float, float]
    """World NED."""
    half_size_m: tuple[float, float, float]
    """Box: half north, east and vertical size before yaw; cylinder: radius, radius, half height."""
    yaw_rad: float = 0.0


@dataclass(frozen=True)
class City:
    """Everything that does not move."""

    seed: int
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
    """Stone yards around houses; they lie on lawns."""
    plaza: Area
    parking: Area
    colliders: tuple[Collider, ...]
    extent_m: float = EXTENT_M


def make_city(seed: int) -> City:
    """The city that belongs to `seed`; the same seed always gives the same city."""
    highway = _highway()
    planters, patches = _plaza_furniture(np.random.default_rng([seed, 1]))
    buildings = _buildings(np.random.default_rng([seed, 2]))
    lamps = _lamps()
    trees = _trees(np.random.default_rng([seed, 3]), buildings, lamps, highway)
    bushes = _bushes(np.random.default_rng([seed, 4]), buildings, trees, highway)
    cars = _cars(np.random.default_rng([seed, 5]))
    carriageways, pavements, lawns, courts = _ground(np.random.default_rng([seed, 6]))
    return City(
        seed=seed,
        buildings=buildings,
        trees=trees,
        bushes=bushes,
        lamps=lamps,
        planters=planters,
        cars=cars,
        highway=highway,
        carriageways=carriageways,
        pavements=pavements,
        lawns=lawns,
        lawn_patches=patches,
        courts=courts,
        plaza=Area("plaza", *PLAZA),
        parking=Area("parking", -50.0 + _LAWN_M, -98.0, -10.0 - _LAWN_M, -76.0),
        colliders=_colliders(buildings, trees, bushes, lamps, planters, cars, highway),
    )


def ground_height_m(north_m: float, east_m: float) -> float:
    """Height of the ground above z = 0: `PAVEMENT_HEIGHT_M`, or 0 on a carriageway."""
    if max(abs(north_m), abs(east_m)) > STREET_END_M:
        return PAVEMENT_HEIGHT_M
    distance_m = min(
        min(abs(north_m - c) for c in STREET_CENTRES_M),
        min(abs(east_m - c) for c in STREET_CENTRES_M),
    )
    return 0.0 if distance_m < CARRIAGEWAY_HALF_WIDTH_M else PAVEMENT_HEIGHT_M


def in_flight_corridor(north_m: float, east_m: float) -> bool:
    """Whether a point lies in the part of the city that is kept free for flying."""
    if PLAZA[0] <= north_m <= PLAZA[2] and PLAZA[1] <= east_m <= PLAZA[3]:
        return True
    if max(abs(north_m), abs(east_m)) > STREET_END_M:
        return False
    return any(
        abs(v - c) <= CORRIDOR_HALF_WIDTH_M for v in (north_m, east_m) for c in STREET_CENTRES_M
    )


def _highway() -> Highway:
    pillars = tuple(
        (north_m, HIGHWAY_EAST_M + side_m)
        for north_m in (
            -112.0,
            -94.0,
            -76.0,
            -44.0,
            -30.0,
            -16.0,
            16.0,
            30.0,
            44.0,
            76.0,
            94.0,
            112.0,
        )
        for side_m in (-3.6, 3.6)
    )
    return Highway(
        HIGHWAY_EAST_M,
        HIGHWAY_HALF_WIDTH_M,
        -EXTENT_M - 40.0,
        EXTENT_M + 40.0,
        HIGHWAY_UNDERSIDE_M,
        1.2,
        1.1,
        pillars,
        0.6,
    )


def _plaza_furniture(
    rng: np.random.Generator,
) -> tuple[tuple[Planter, ...], tuple[LawnPatch, ...]]:
    """Planters and lawns, none of them touching another, the middle of each edge left open."""
    spots: list[tuple[float, float, float]] = []
    planters: list[Planter] = []
    patches: list[LawnPatch] = []
    corners = [(19.0, 19.0), (19.0, 41.0), (41.0, 19.0), (41.0, 41.0)]
    for index in rng.permutation(4)[: int(rng.integers(2, 4))]:
        north_m, east_m = corners[int(index)]
        radius_m = float(rng.uniform(5.5, 7.5))
        phase, lobes = float(rng.uniform(0, 2 * math.pi)), int(rng.integers(2, 4))
        outline = []
        for angle in np.linspace(0.0, 2 * math.pi, 28, endpoint=False):
            reach_m = radius_m * (1.0 + 0.16 * math.sin(lobes * angle + phase))
            outline.append(
                (north_m + reach_m * math.cos(angle), east_m + reach_m * math.sin(angle))
            )
        patches.append(LawnPatch((north_m, east_m), tuple(outline)))
        spots.append((north_m, east_m, radius_m * 1.16))
    wanted = int(rng.integers(3, 6))
    for _ in range(400):
        if len(planters) == wanted:
            break
        radius_m = float(rng.uniform(2.0, 3.6))
        north_m, east_m = (float(v) for v in rng.uniform(PLAZA[0] + 6.0, PLAZA[2] - 6.0, 2))
        if all(math.hypot(north_m - n, east_m - e) > radius_m + r + 2.6 for n, e, r in spots):
            foliage = _pick_foliage(rng)
            planters.append(
                Planter(north_m, east_m, radius_m, float(rng.uniform(1.9, 2.4)), foliage)
            )
            spots.append((north_m, east_m, radius_m))
    return tuple(planters), tuple(patches)


def _buildings(rng: np.random.Generator) -> tuple[Building, ...]:
    """Houses on every block but the plaza and the land under the highway, and the closing rows."""
    houses: list[Building] = []
    for north in _BLOCKS_M:
        for east in _BLOCKS_M:
            if (north[0], east[0]) == PLAZA[:2] or east[1] <= -70.0:
                continue
            houses += _block(rng, _inset(north), _inset(east))
    depth_m = EXTENT_M - OUTER_ROW_M
    middle_m = (EXTENT_M + OUTER_ROW_M) / 2
    for along_north, side in ((True, -1.0), (True, 1.0), (False, -1.0), (False, 1.0)):
        at_m = -EXTENT_M if along_north else -OUTER_ROW_M
        end_m = -at_m
        while end_m - at_m > 1.0:
            width_m = float(rng.uniform(11.0, 22.0))
            if end_m - at_m - width_m < 9.0:
                width_m = end_m - at_m
            centre_m = at_m + width_m / 2
            north_m, east_m = (
                (centre_m, side * middle_m) if along_north else (side * middle_m, centre_m)
            )
            beneath = abs(east_m - HIGHWAY_EAST_M) < HIGHWAY_HALF_WIDTH_M + width_m / 2 + 0.5
            storeys = 2 if beneath and not along_north else int(rng.integers(3, 7))
            houses.append(
                _house(
                    rng,
                    (north_m, east_m),
                    (width_m - 0.02, depth_m) if along_north else (depth_m, width_m - 0.02),
                    storeys,
                    "flat" if storeys == 2 else None,
                )
            )
            at_m += width_m
    return tuple(houses)


def _inset(block: tuple[float, float]) -> tuple[float, float]:
    """The part of a block, along one axis, where houses may stand."""
    low = block[0] + (_LAWN_M if block[0] > -STREET_END_M else 2.0)
    high = block[1] - (_LAWN_M if block[1] < STREET_END_M else 2.0)
    return low, high


def _block(
    rng: np.random.Generator, north: tuple[float, float], east: tuple[float, float]
) -> list[Building]:
    """One to four houses in a rectangle, with gaps between them."""
    cuts = [_cut(rng, north), _cut(rng, east)]
    houses = []
    for n_low, n_high in cuts[0]:
        for e_low, e_high in cuts[1]:
            size = (
                (n_high - n_low) * float(rng.uniform(0.82, 1.0)),
                (e_high - e_low) * float(rng.uniform(0.82, 1.0)),
            )
            # Keep one corner on the building line, so that fronts stand in line along the streets.
            north_m = n_low + size[0] / 2 if rng.random() < 0.5 else n_high - size[0] / 2
            east_m = e_low + size[1] / 2 if rng.random() < 0.5 else e_high - size[1] / 2
            houses.append(_house(rng, (north_m, east_m), size, int(rng.integers(2, 6))))
    return houses


def _cut(rng: np.random.Generator, span: tuple[float, float]) -> list[tuple[float, float]]:
    length_m = span[1] - span[0]
    if length_m < 18.0 or rng.random() < 0.3:
        return [span]
    gap_m = float(rng.uniform(4.0, 7.0))
    middle_m = span[0] + length_m * float(rng.uniform(0.42, 0.58))
    return [(span[0], middle_m - gap_m / 2), (middle_m + gap_m / 2, span[1])]


def _house(
    rng: np.random.Generator,
    centre_m: tuple[float, float],
    size_m: tuple[float, float],
    storeys: int,
    roof: Literal["flat", "hip", "gable"] | None = None,
) -> Building:
    roofs: tuple[Literal["flat", "hip", "gable"], ...] = ("flat", "hip", "gable")
    style = int(rng.integers(0, 1 << 16))
    picked = roofs[int(rng.integers(0, 3))]
    return Building(*centre_m, *size_m, storeys * _STOREY_M + 0.9, storeys, style, roof or picked)


def _lamps() -> tuple[Lamp, ...]:
    """Lamps along the outer edge of the pavements, arms pointing at the carriageway."""
    lamps = []
    for centre_m in STREET_CENTRES_M:
        for along_m in (-86.0, -44.0, -18.0, 18.0, 44.0, 86.0):
            for side in (-1.0, 1.0):
                across_m = centre_m + side * 9.5
                inwards = -side
                lamps.append(Lamp(across_m, along_m, 6.0, 0.0 if inwards > 0 else math.pi))
                lamps.append(Lamp(along_m, across_m, 6.0, inwards * math.pi / 2))
    return tuple(lamps)


def _pick_foliage(rng: np.random.Generator) -> Foliage:
    kinds: tuple[Foliage, ...] = ("green", "dark", "red", "magenta")
    return kinds[int(rng.choice(4, p=[0.5, 0.22, 0.16, 0.12]))]


def _trees(
    rng: np.random.Generator,
    buildings: tuple[Building, ...],
    lamps: tuple[Lamp, ...],
    highway: Highway,
) -> tuple[Tree, ...]:
    """Trees on the lawns, 12.5 m from the centre lines, and a few in the yards."""
    spots: list[tuple[float, float]] = []
    for centre_m in STREET_CENTRES_M:
        for along_m in np.arange(-92.0, 93.0, 11.0):
            for side in (-1.0, 1.0):
                if rng.random() < 0.42:
                    jitter_m = float(rng.uniform(-3.5, 3.5))
                    spot = (centre_m + side * 12.5, float(along_m) + jitter_m)
                    spots.append(spot if rng.random() < 0.5 else (spot[1], spot[0]))
    for _ in range(60):
        spots.append((float(rng.uniform(-98, 98)), float(rng.uniform(-98, 98))))
    trees: list[Tree] = []
    for north_m, east_m in spots:
        crown_m = float(rng.uniform(1.9, 3.3))
        height_m = float(rng.uniform(5.5, 9.5))
        foliage = _pick_foliage(rng)
        if (
            _street_distance_m(north_m, east_m) >= max(8.5, 8.2 + crown_m)
            and not _near_rect(PLAZA, north_m, east_m, crown_m + 0.3)
            and not _near_building(buildings, north_m, east_m, 0.75 * crown_m)
            and abs(east_m - highway.east_m) > highway.half_width_m + crown_m
            and all(math.hypot(north_m - t.north_m, east_m - t.east_m) > 5.0 for t in trees)
            and all(math.hypot(north_m - p.north_m, east_m - p.east_m) > 2.0 for p in lamps)
        ):
            trees.append(Tree(north_m, east_m, height_m, crown_m, foliage))
    return tuple(trees)


def _bushes(
    rng: np.random.Generator,
    buildings: tuple[Building, ...],
    trees: tuple[Tree, ...],
    highway: Highway,
) -> tuple[Bush, ...]:
    bushes: list[Bush] = []
    for _ in range(260):
        north_m, east_m = (float(v) for v in rng.uniform(-98.0, 98.0, 2))
        radius_m, height_m = float(rng.uniform(0.6, 1.3)), float(rng.uniform(0.8, 2.0))
        foliage = _pick_foliage(rng)
        if (
            len(bushes) < 50
            and _street_distance_m(north_m, east_m) > PAVEMENT_OUTER_M + radius_m + 0.3
            and not _near_rect(PLAZA, north_m, east_m, radius_m + 1.0)
            and not _near_building(buildings, north_m, east_m, radius_m)
            and abs(east_m - highway.east_m) > highway.half_width_m + 7.0
            and all(math.hypot(north_m - t.north_m, east_m - t.east_m) > 1.5 for t in trees)
        ):
            bushes.append(Bush(north_m, east_m, radius_m, height_m, foliage))
    return tuple(bushes)


def _cars(rng: np.random.Generator) -> tuple[Car, ...]:
    """Cars at the kerbs, well away from crossings, and on the car park under the highway."""
    paints = (
        (0.72, 0.74, 0.76), (0.12, 0.13, 0.15), (0.85, 0.85, 0.83), (0.16, 0.24, 0.42),
        (0.45, 0.08, 0.08), (0.35, 0.37, 0.38), (0.55, 0.50, 0.38), (0.12, 0.30, 0.22),
    )  # fmt: skip
    cars = []

    def park(north_m: float, east_m: float, yaw_rad: float) -> None:
        colour = paints[int(rng.integers(len(paints)))]
        length_m, height_m = float(rng.uniform(3.9, 4.7)), float(rng.uniform(1.42, 1.6))
        cars.append(Car(north_m, east_m, yaw_rad, length_m, 1.78, height_m, colour))

    for centre_m in STREET_CENTRES_M:
        for along_m in (-92.0, -80.0, -38.0, -30.0, -22.0, 22.0, 30.0, 38.0, 80.0, 92.0):
            for side in (-1.0, 1.0):
                draw, shift_m = float(rng.random()), float(rng.uniform(-1.0, 1.0))
                flip = math.pi if rng.random() < 0.5 else 0.0
                if draw < 0.14:
                    park(centre_m + side * 3.85, along_m + shift_m, math.pi / 2 + flip)
                elif draw > 0.86:
                    park(along_m + shift_m, centre_m + side * 3.85, flip)
    for north_m in np.arange(-41.0, -17.0, 3.0):
        for east_m in (-95.0, -79.0):
            if rng.random() < 0.4:
                park(float(north_m), east_m, math.pi / 2)
    return tuple(cars)


def _ground(
    rng: np.random.Generator,
) -> tuple[tuple[Area, ...], ...]:
    """Carriageways, pavements and lawns, which do not overlap, and stone yards on the lawns."""
    half, outer, end = CARRIAGEWAY_HALF_WIDTH_M, PAVEMENT_OUTER_M, STREET_END_M
    spans = [(c - half, c + half) for c in STREET_CENTRES_M]
    carriageways = [Area("carriageway", -end, low, end, high) for low, high in spans]
    pavements: list[Area] = []
    lawns: list[Area] = []
    courts: list[Area] = []
    bounds = [-end, *(v for span in spans for v in span), end]
    blocks = list(zip(bounds[0::2], bounds[1::2], strict=True))
    for n_low, n_high in spans:
        carriageways += [Area("carriageway", n_low, low, n_high, high) for low, high in blocks]
    rim = outer - half
    for n_low, n_high in blocks:
        for e_low, e_high in blocks:
            n0 = n_low + (rim if n_low > -end else 0.0)
            n1 = n_high - (rim if n_high < end else 0.0)
            e0 = e_low + (rim if e_low > -end else 0.0)
            e1 = e_high - (rim if e_high < end else 0.0)
            for area in (
                (n_low, e_low, n0, e_high),
                (n1, e_low, n_high, e_high),
                (n0, e_low, n1, e0),
                (n0, e1, n1, e_high),
            ):
                if area[2] > area[0] and area[3] > area[1]:
                    pavements.append(Area("pavement", *area))
            if (n0, e0, n1, e1) != PLAZA:
                lawns.append(Area("lawn", n0, e0, n1, e1))
    # Around the street ends a strip of pavement, then lawn up to the closing rows.
    wide = end + rim
    pavements += [
        Area("pavement", end, -wide, wide, wide),
        Area("pavement", -wide, -wide, -end, wide),
        Area("pavement", -end, end, end, wide),
        Area("pavement", -end, -wide, end, -end),
    ]
    far = 600.0
    lawns += [
        Area("lawn", wide, -far, far, far),
        Area("lawn", -far, -far, -wide, far),
        Area("lawn", -wide, wide, wide, far),
        Area("lawn", -wide, -far, wide, -wide),
    ]
    return tuple(carriageways), tuple(pavements), tuple(lawns), tuple(courts)


def _colliders(
    buildings: tuple[Building, ...],
    trees: tuple[Tree, ...],
    bushes: tuple[Bush, ...],
    lamps: tuple[Lamp, ...],
    planters: tuple[Planter, ...],
    cars: tuple[Car, ...],
    highway: Highway,
) -> tuple[Collider, ...]:
    solids: list[Collider] = []

    def post(name: str, n: float, e: float, radius_m: float, low_m: float, high_m: float) -> None:
        half_m = (high_m - low_m) / 2
        centre = (n, e, -(high_m + low_m) / 2)
        solids.append(Collider(name, "cylinder", centre, (radius_m, radius_m, half_m)))

    for i, b in enumerate(buildings):
        half = (b.size_north_m / 2, b.size_east_m / 2, b.height_m / 2)
        centre = (b.north_m, b.east_m, -b.height_m / 2)
        solids.append(Collider(f"building_{i}", "box", centre, half))
    for i, t in enumerate(trees):
        bottom_m = crown_bottom_m(t)
        post(f"tree_{i}_trunk", t.north_m, t.east_m, 0.25, 0.0, bottom_m)
        post(f"tree_{i}_crown", t.north_m, t.east_m, t.crown_radius_m, bottom_m, t.height_m)
    for i, s in enumerate(bushes):
        post(f"bush_{i}", s.north_m, s.east_m, s.radius_m, 0.0, s.height_m)
    for i, p in enumerate(lamps):
        post(f"lamp_{i}", p.north_m, p.east_m, 0.12, 0.0, p.height_m)
    for i, q in enumerate(planters):
        post(f"planter_{i}", q.north_m, q.east_m, q.radius_m, 0.0, q.bush_height_m)
    for i, c in enumerate(cars):
        half = (c.length_m / 2, c.width_m / 2, c.height_m / 2)
        centre = (c.north_m, c.east_m, -c.height_m / 2)
        solids.append(Collider(f"car_{i}", "box", centre, half, c.yaw_rad))
    h = highway
    top_m = h.underside_m + h.thickness_m + h.railing_m
    solids.append(
        Collider(
            "highway_deck",
            "box",
            ((h.north_min_m + h.north_max_m) / 2, h.east_m, -(h.underside_m + top_m) / 2),
            ((h.north_max_m - h.north_min_m) / 2, h.half_width_m, (top_m - h.underside_m) / 2),
        )
    )
    for i, (north_m, east_m) in enumerate(h.pillars_m):
        half = (h.pillar_half_m, h.pillar_half_m, h.underside_m / 2)
        solids.append(
            Collider(f"highway_pillar_{i}", "box", (north_m, east_m, -h.underside_m / 2), half)
        )
    return tuple(solids)


def crown_bottom_m(tree: Tree) -> float:
    """Height at which the crown of a tree begins."""
    return min(0.42 * tree.height_m, tree.height_m - 1.6 * tree.crown_radius_m + 1.0)


def _street_distance_m(north_m: float, east_m: float) -> float:
    return min(abs(v - c) for v in (north_m, east_m) for c in STREET_CENTRES_M)


def _near_rect(
    rect: tuple[float, float, float, float], north_m: float, east_m: float, margin_m: float
) -> bool:
    return (
        rect[0] - margin_m < north_m < rect[2] + margin_m
        and rect[1] - margin_m < east_m < rect[3] + margin_m
    )


def _near_building(
    buildings: tuple[Building, ...], north_m: float, east_m: float, margin_m: float
) -> bool:
    return any(
        abs(north_m - b.north_m) < b.size_north_m / 2 + margin_m
        and abs(east_m - b.east_m) < b.size_east_m / 2 + margin_m
        for b in buildings
    )
