"""Makes a city from a seed. Nothing here draws anything.

`make_city(seed)` returns one frozen `City`. Houses, trees, cars and everything else change with the
seed; the streets do not (see `layout`).
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from followme_uav.sim.city.colliders import colliders_of
from followme_uav.sim.city.layout import (
    BUILDING_LINE_M,
    CARRIAGEWAY_HALF_WIDTH_M,
    EXTENT_M,
    HIGHWAY_EAST_M,
    HIGHWAY_HALF_WIDTH_M,
    HIGHWAY_UNDERSIDE_M,
    OUTER_ROW_M,
    PAVEMENT_OUTER_M,
    PLAZA,
    STREET_CENTRES_M,
    STREET_END_M,
    Area,
    Building,
    Bush,
    Car,
    City,
    Collider,
    Foliage,
    Highway,
    Lamp,
    LawnPatch,
    Planter,
    Tree,
)
from followme_uav.sim.city.styles import CityStyle, style_of

__all__ = ["City", "Collider", "make_city"]

_BLOCKS_M = ((-100.0, -70.0), (-50.0, -10.0), (10.0, 50.0), (70.0, 100.0))
_LAWN_M = BUILDING_LINE_M - PAVEMENT_OUTER_M
_STOREY_M = 3.4


def make_city(seed: int, style: str | None = None) -> City:
    """The city that belongs to `seed`; the same arguments always give the same city.

    Args:
        seed: of everything that is left to chance.
        style: name of one of `styles.STYLES`; without it the seed draws one.

    Raises:
        ConfigError: There is no such style.
    """
    look = style_of(seed, style)
    highway = _highway()
    planters, patches = _plaza_furniture(np.random.default_rng([seed, 1]), look)
    buildings = _buildings(np.random.default_rng([seed, 2]), look)
    lamps = _lamps()
    trees = _trees(np.random.default_rng([seed, 3]), look, buildings, lamps, highway)
    bushes = _bushes(np.random.default_rng([seed, 4]), look, buildings, trees, highway)
    cars = _cars(np.random.default_rng([seed, 5]))
    carriageways, pavements, lawns, courts = _ground(np.random.default_rng([seed, 6]))
    return City(
        seed=seed,
        style=look.name,
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
        colliders=colliders_of(buildings, trees, bushes, lamps, planters, cars, highway),
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
    rng: np.random.Generator, look: CityStyle
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
            foliage = _pick_foliage(rng, look)
            planters.append(
                Planter(north_m, east_m, radius_m, float(rng.uniform(1.9, 2.4)), foliage)
            )
            spots.append((north_m, east_m, radius_m))
    return tuple(planters), tuple(patches)


def _buildings(rng: np.random.Generator, look: CityStyle) -> tuple[Building, ...]:
    """Houses on every block but the plaza and the land under the highway, and the closing rows."""
    houses: list[Building] = []
    for north in _BLOCKS_M:
        for east in _BLOCKS_M:
            if (north[0], east[0]) == PLAZA[:2] or east[1] <= -70.0:
                continue
            houses += _block(rng, look, _inset(north), _inset(east))
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
            storeys = (
                2
                if beneath and not along_north
                else int(rng.integers(look.storeys[0] + 1, look.storeys[1] + 2))
            )
            houses.append(
                _house(
                    rng,
                    look,
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
    rng: np.random.Generator, look: CityStyle, north: tuple[float, float], east: tuple[float, float]
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
            storeys = int(rng.integers(look.storeys[0], look.storeys[1] + 1))
            houses.append(_house(rng, look, (north_m, east_m), size, storeys))
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
    look: CityStyle,
    centre_m: tuple[float, float],
    size_m: tuple[float, float],
    storeys: int,
    roof: Literal["flat", "hip", "gable"] | None = None,
) -> Building:
    style = int(rng.integers(0, 1 << 16))
    picked = look.roof_kinds[int(rng.integers(0, 3))]
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


def _pick_foliage(rng: np.random.Generator, look: CityStyle) -> Foliage:
    kinds, shares = zip(*look.foliage, strict=True)
    picked: Foliage = kinds[int(rng.choice(len(kinds), p=shares))]
    return picked


def _trees(
    rng: np.random.Generator,
    look: CityStyle,
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
        kinds, shares = zip(*look.tree_kinds, strict=True)
        kind = kinds[int(rng.choice(len(kinds), p=shares))]
        if kind == "column":
            crown_m, height_m = 0.5 * crown_m, 1.15 * height_m
        foliage = _pick_foliage(rng, look)
        if (
            _street_distance_m(north_m, east_m) >= max(8.5, 8.2 + crown_m)
            and not _near_rect(PLAZA, north_m, east_m, crown_m + 0.3)
            and not _near_building(buildings, north_m, east_m, 0.75 * crown_m)
            and abs(east_m - highway.east_m) > highway.half_width_m + crown_m
            and all(math.hypot(north_m - t.north_m, east_m - t.east_m) > 5.0 for t in trees)
            and all(math.hypot(north_m - p.north_m, east_m - p.east_m) > 2.0 for p in lamps)
        ):
            trees.append(Tree(north_m, east_m, height_m, crown_m, foliage, kind))
    return tuple(trees)


def _bushes(
    rng: np.random.Generator,
    look: CityStyle,
    buildings: tuple[Building, ...],
    trees: tuple[Tree, ...],
    highway: Highway,
) -> tuple[Bush, ...]:
    bushes: list[Bush] = []
    for _ in range(260):
        north_m, east_m = (float(v) for v in rng.uniform(-98.0, 98.0, 2))
        radius_m, height_m = float(rng.uniform(0.6, 1.3)), float(rng.uniform(0.8, 2.0))
        foliage = _pick_foliage(rng, look)
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
        (0.28, 0.09, 0.17), (0.35, 0.37, 0.38), (0.55, 0.50, 0.38), (0.12, 0.30, 0.22),
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
