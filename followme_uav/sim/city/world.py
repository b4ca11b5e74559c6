"""Makes a city from a seed.

`make_city(seed)` returns one frozen `City`. Houses, trees, cars and everything else depend on the
seed; the streets do not (see `layout`).
"""

from __future__ import annotations

import math

import numpy as np

from followme_uav.sim.city.buildings import LAWN_M, make_buildings, near_building
from followme_uav.sim.city.colliders import colliders_of
from followme_uav.sim.city.ground import make_ground
from followme_uav.sim.city.layout import (
    EXTENT_M,
    HIGHWAY_EAST_M,
    HIGHWAY_HALF_WIDTH_M,
    HIGHWAY_UNDERSIDE_M,
    PAVEMENT_OUTER_M,
    PLAZA,
    STREET_CENTRES_M,
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
    street_gap_m,
)
from followme_uav.sim.city.styles import CityStyle, style_of

__all__ = ["City", "Collider", "make_city"]


def make_city(seed: int, style: str | None = None) -> City:
    """Make the city of a seed; equal arguments give equal cities.

    Args:
        seed: of all random draws.
        style: name of one of `styles.STYLES`; None: the seed draws one.

    Raises:
        ConfigError: The style is unknown.
    """
    look = style_of(seed, style)
    highway = _highway()
    planters, patches = _plaza_furniture(np.random.default_rng([seed, 1]), look)
    buildings = make_buildings(np.random.default_rng([seed, 2]), look)
    lamps = _lamps()
    trees = _trees(np.random.default_rng([seed, 3]), look, buildings, lamps, highway)
    bushes = _bushes(np.random.default_rng([seed, 4]), look, buildings, trees, highway)
    cars = _cars(np.random.default_rng([seed, 5]))
    carriageways, pavements, lawns = make_ground()
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
        courts=(),
        plaza=Area("plaza", *PLAZA),
        parking=Area("parking", -50.0 + LAWN_M, -98.0, -10.0 - LAWN_M, -76.0),
        colliders=colliders_of(buildings, trees, bushes, lamps, planters, cars, highway),
    )


def _highway() -> Highway:
    """Make the highway, on pairs of pillars."""
    pairs_m = (
        16.0,
        30.0,
        44.0,
        76.0,
        94.0,
        112.0,
    )  # and mirrored; the streets lie between the pillars
    pillars = tuple(
        (north_m, HIGHWAY_EAST_M + side_m)
        for north_m in (*(-north_m for north_m in reversed(pairs_m)), *pairs_m)
        for side_m in (-3.6, 3.6)
    )
    return Highway(
        east_m=HIGHWAY_EAST_M,
        half_width_m=HIGHWAY_HALF_WIDTH_M,
        north_min_m=-EXTENT_M - 40.0,
        north_max_m=EXTENT_M + 40.0,
        underside_m=HIGHWAY_UNDERSIDE_M,
        thickness_m=1.2,
        railing_m=1.1,
        pillars_m=pillars,
        pillar_half_m=0.6,
    )


def _plaza_furniture(
    rng: np.random.Generator, look: CityStyle
) -> tuple[tuple[Planter, ...], tuple[LawnPatch, ...]]:
    """Make planters and lawns that do not touch; the middles of the plaza's edges stay free."""
    patches: list[LawnPatch] = []
    taken: list[tuple[float, float, float]] = []  # north, east, radius
    corners = [(19.0, 19.0), (19.0, 41.0), (41.0, 19.0), (41.0, 41.0)]
    for index in rng.permutation(4)[: int(rng.integers(2, 4))]:
        north_m, east_m = corners[int(index)]
        radius_m = float(rng.uniform(5.5, 7.5))
        patches.append(_lawn_patch(rng, north_m, east_m, radius_m))
        taken.append((north_m, east_m, radius_m * 1.16))
    planters: list[Planter] = []
    wanted = int(rng.integers(3, 6))
    for _ in range(400):
        if len(planters) == wanted:
            break
        radius_m = float(rng.uniform(2.0, 3.6))
        north_m, east_m = (float(v) for v in rng.uniform(PLAZA[0] + 6.0, PLAZA[2] - 6.0, 2))
        if all(math.hypot(north_m - n, east_m - e) > radius_m + r + 2.6 for n, e, r in taken):
            foliage, height_m = _pick_foliage(rng, look), float(rng.uniform(1.9, 2.4))
            planters.append(Planter(north_m, east_m, radius_m, height_m, foliage))
            taken.append((north_m, east_m, radius_m))
    return tuple(planters), tuple(patches)


def _lawn_patch(
    rng: np.random.Generator, north_m: float, east_m: float, radius_m: float
) -> LawnPatch:
    """Make a lawn whose outline waves by 16 % around a circle."""
    phase, lobes = float(rng.uniform(0, 2 * math.pi)), int(rng.integers(2, 4))
    outline = []
    for angle in np.linspace(0.0, 2 * math.pi, 28, endpoint=False):
        reach_m = radius_m * (1.0 + 0.16 * math.sin(lobes * angle + phase))
        outline.append((north_m + reach_m * math.cos(angle), east_m + reach_m * math.sin(angle)))
    return LawnPatch((north_m, east_m), tuple(outline))


def _lamps() -> tuple[Lamp, ...]:
    """Make lamps along the outer edges of the pavements; their arms point at the carriageways."""
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
    """Draw a kind of leaves by the shares of the style."""
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
    """Make trees on the lawns, 12.5 m from the centre lines, and a few between the houses."""
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
            street_gap_m(north_m, east_m) >= max(8.5, 8.2 + crown_m)
            and not _near_rect(PLAZA, north_m, east_m, crown_m + 0.3)
            and not near_building(buildings, north_m, east_m, 0.75 * crown_m)
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
    """Make at most 50 bushes, off the pavements and buildings."""
    bushes: list[Bush] = []
    for _ in range(260):
        north_m, east_m = (float(v) for v in rng.uniform(-98.0, 98.0, 2))
        radius_m, height_m = float(rng.uniform(0.6, 1.3)), float(rng.uniform(0.8, 2.0))
        foliage = _pick_foliage(rng, look)
        if (
            len(bushes) < 50
            and street_gap_m(north_m, east_m) > PAVEMENT_OUTER_M + radius_m + 0.3
            and not _near_rect(PLAZA, north_m, east_m, radius_m + 1.0)
            and not near_building(buildings, north_m, east_m, radius_m)
            and abs(east_m - highway.east_m) > highway.half_width_m + 7.0
            and all(math.hypot(north_m - t.north_m, east_m - t.east_m) > 1.5 for t in trees)
        ):
            bushes.append(Bush(north_m, east_m, radius_m, height_m, foliage))
    return tuple(bushes)


def _cars(rng: np.random.Generator) -> tuple[Car, ...]:
    """Make cars parked at the kerbs, away from intersections, and under the highway."""
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


def _near_rect(
    rect: tuple[float, float, float, float], north_m: float, east_m: float, margin_m: float
) -> bool:
    """Whether a point lies in a rectangle, or nearer than `margin_m` along both axes."""
    return (
        rect[0] - margin_m < north_m < rect[2] + margin_m
        and rect[1] - margin_m < east_m < rect[3] + margin_m
    )
