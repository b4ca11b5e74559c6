"""Today's city as a world: the same streets, houses and trees, in the terms of `worlds`.

The city itself is made by `world.make_city`, and does not change; this module translates it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from followme_uav.sim.city.layout import (
    CARRIAGEWAY_HALF_WIDTH_M,
    PAVEMENT_OUTER_M,
    STREET_CENTRES_M,
    STREET_END_M,
    Area,
    City,
    Highway,
)
from followme_uav.sim.city.layout import Building as House
from followme_uav.sim.city.world import make_city
from followme_uav.worlds import world as w
from followme_uav.worlds.generators.catalogue import GENERATORS, Generator


def grid_world(seed: int) -> w.World:
    """Make the world of a seed; its houses and trees are those of `make_city(seed)`."""
    return world_of_city(make_city(seed))


def world_of_city(city: City) -> w.World:
    """Translate a city.

    Cars are parked at the kerbs, and the highway leads beyond the bounds; no street joins it.
    """
    extent_m = city.extent_m
    return w.World(
        name=f"grid {city.seed}",
        bounds=w.Bounds(-extent_m, -extent_m, extent_m, extent_m),
        kind="grid",
        seed=city.seed,
        style=city.style,
        streets=(*_streets(), _deck(city.highway)),
        areas=_areas(city),
        buildings=tuple(_building(b) for b in city.buildings),
        trees=tuple(
            w.Tree((t.north_m, t.east_m), t.height_m, t.crown_radius_m, t.kind, t.foliage)
            for t in city.trees
        ),
        bushes=tuple(
            w.Bush((b.north_m, b.east_m), b.radius_m, b.height_m, b.foliage) for b in city.bushes
        ),
        lamps=tuple(w.Lamp((p.north_m, p.east_m), p.height_m, p.yaw_rad) for p in city.lamps),
        planters=tuple(
            w.Planter((p.north_m, p.east_m), p.radius_m, p.bush_height_m, p.foliage)
            for p in city.planters
        ),
        parked_cars=tuple(
            w.ParkedCar(
                (c.north_m, c.east_m), c.yaw_rad, c.length_m, c.width_m, c.height_m, c.colour
            )
            for c in city.cars
        ),
    )


def _streets() -> tuple[w.Street, ...]:
    """The six streets; their round ends reach as far as the square ends of the city."""
    width_m = 2.0 * PAVEMENT_OUTER_M
    pavement_m = PAVEMENT_OUTER_M - CARRIAGEWAY_HALF_WIDTH_M
    end_m = STREET_END_M - CARRIAGEWAY_HALF_WIDTH_M
    lines = [((c, -end_m), (c, end_m)) for c in STREET_CENTRES_M]
    lines += [((-end_m, c), (end_m, c)) for c in STREET_CENTRES_M]
    return tuple(w.Street("street", width_m, line, pavement_m, lanes=2) for line in lines)


def _deck(highway: Highway) -> w.Street:
    top_m = highway.underside_m + highway.thickness_m
    return w.Street(
        "elevated_road",
        2.0 * highway.half_width_m,
        ((highway.north_min_m, highway.east_m), (highway.north_max_m, highway.east_m)),
        heights_m=(top_m, top_m),
        thickness_m=highway.thickness_m,
        railing_m=highway.railing_m,
        supports_m=highway.pillars_m,
        support_half_m=highway.pillar_half_m,
        name="highway",
    )


def _areas(city: City) -> tuple[w.Area, ...]:
    far_m = city.extent_m
    lawns = [_area("lawn", area, far_m) for area in city.lawns]
    pavements = [_area("pavement", area, far_m) for area in city.pavements]
    patches = [w.Area("lawn", patch.outline_m) for patch in city.lawn_patches]
    yards = [_area("yard", area, far_m) for area in city.courts]
    open_ground = [_area("square", city.plaza, far_m), _area("parking", city.parking, far_m)]
    return (*lawns, *pavements, *yards, *open_ground, *patches)


def _area(surface: w.Surface, area: Area, far_m: float) -> w.Area:
    """Return a rectangle of ground, cut at the bounds of the world."""
    n0, e0, n1, e1 = (min(max(v, -far_m), far_m) for v in area.rect)
    return w.Area(surface, ((n0, e0), (n1, e0), (n1, e1), (n0, e1)))


def _building(house: House) -> w.Building:
    n, e = house.size_north_m / 2.0, house.size_east_m / 2.0
    n0, n1, e0, e1 = house.north_m - n, house.north_m + n, house.east_m - e, house.east_m + e
    return w.Building(
        ((n0, e0), (n1, e0), (n1, e1), (n0, e1)),
        house.height_m,
        house.storeys,
        "block",
        house.roof,
        look=house.style,
    )


WORLDS: Mapping[str, Generator] = MappingProxyType(
    {
        "grid": Generator(
            f"{__name__}:grid_world",
            "three streets by three, a plaza, a highway above the ground: the city of all seeds",
            has_fixed_size=True,
        ),
        **GENERATORS,
    }
)
"""All generators by name."""
