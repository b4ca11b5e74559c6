"""All surfaces of a city, made from the city as data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from followme_uav.sim.city.colliders import car_name
from followme_uav.sim.city.layout import City
from followme_uav.sim.city.styles import STYLES
from followme_uav.sim.rendering.meshes.buildings import add_building
from followme_uav.sim.rendering.meshes.cars import add_car
from followme_uav.sim.rendering.meshes.city_cells import CityMesh, cell_of
from followme_uav.sim.rendering.meshes.highway import add_highway
from followme_uav.sim.rendering.meshes.lamps import add_lamp
from followme_uav.sim.rendering.meshes.plants import CrownMeshes, add_bush, add_planter, add_tree
from followme_uav.sim.rendering.meshes.sky import add_sky
from followme_uav.sim.rendering.meshes.streets import add_ground, add_markings
from followme_uav.sim.rendering.objects import GROUND, SKY


def build_city(city: City, numbers: Mapping[str, int]) -> CityMesh:
    """Make the meshes of a city.

    Args:
        city: The city.
        numbers: Object number of each name; colliders of the city have the same names.
    """
    out = CityMesh()
    style = STYLES[city.style]
    add_ground(out.ground, city, style, numbers[GROUND])
    add_markings(out.ground, city, numbers[GROUND])
    add_sky(out.sky, numbers[SKY])
    for i, house in enumerate(city.buildings):
        at = cell_of(house.north_m, house.east_m)
        add_building(out.solids[at], out.details[at], house, numbers[f"building_{i}"], style)
    _add_plants(out, city, numbers)
    for i, lamp in enumerate(city.lamps):
        at = cell_of(lamp.north_m, lamp.east_m)
        add_lamp(out.solids[at], out.details[at], lamp, numbers[f"lamp_{i}"])
    for i, car in enumerate(city.cars):
        add_car(out.solids[cell_of(car.north_m, car.east_m)], car, numbers[car_name(i)])
    add_highway(out, city.highway, numbers)
    return out


def _add_plants(out: CityMesh, city: City, numbers: Mapping[str, int]) -> None:
    """Append trees, bushes and planters, in the order in which they draw from one generator."""
    rng = np.random.default_rng([city.seed, 40])

    def leaves_at(north_m: float, east_m: float) -> CrownMeshes:
        return out.leaves[cell_of(north_m, east_m)]

    for i, tree in enumerate(city.trees):
        place = tree.north_m, tree.east_m
        trunk, crown = numbers[f"tree_{i}_trunk"], numbers[f"tree_{i}_crown"]
        add_tree(out.solids[cell_of(*place)], leaves_at(*place), rng, tree, trunk, crown)
    for i, bush in enumerate(city.bushes):
        add_bush(leaves_at(bush.north_m, bush.east_m), rng, bush, numbers[f"bush_{i}"])
    for i, planter in enumerate(city.planters):
        place = planter.north_m, planter.east_m
        number = numbers[f"planter_{i}"]
        add_planter(out.solids[cell_of(*place)], leaves_at(*place), rng, planter, number)
