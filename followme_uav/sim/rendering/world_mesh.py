"""All surfaces of a world, made from the world as data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from followme_uav.sim.city import layout
from followme_uav.sim.city.colliders import car_name
from followme_uav.sim.city.styles import STYLES
from followme_uav.sim.city.world_place import WorldPlace
from followme_uav.sim.rendering.meshes.cars import add_car
from followme_uav.sim.rendering.meshes.city_cells import Cell, CityMesh, cell_of
from followme_uav.sim.rendering.meshes.lamps import add_lamp
from followme_uav.sim.rendering.meshes.mesh import Mesh
from followme_uav.sim.rendering.meshes.plants import CrownMeshes, add_bush, add_planter, add_tree
from followme_uav.sim.rendering.meshes.sky import add_sky
from followme_uav.sim.rendering.meshes.world_buildings import Neighbours, Site, add_world_building
from followme_uav.sim.rendering.meshes.world_ground import add_world_ground
from followme_uav.sim.rendering.meshes.world_structures import (
    add_barrier,
    add_bench,
    add_container,
    add_deck,
)
from followme_uav.sim.rendering.objects import GROUND, SKY
from followme_uav.worlds.shapes import polygon_of
from followme_uav.worlds.terrain import ground_heights_m


def build_world(place: WorldPlace, numbers: Mapping[str, int]) -> CityMesh:
    """Make the meshes of a world.

    Args:
        place: The world.
        numbers: Object number of each name; colliders of the world have the same names.
    """
    out, world, style = CityMesh(), place.world, STYLES[place.style]
    add_world_ground(out, place, style, numbers[GROUND])
    add_sky(out.sky, numbers[SKY])
    neighbours = Neighbours(world.buildings)
    for i, building in enumerate(world.buildings):
        heights = ground_heights_m(world.terrain, building.outline_m)
        number = numbers[f"building_{i}"]
        site = Site(building, number, float(heights.min()), float(heights.max()))
        n, e = polygon_of(building).representative_point().coords[0]
        at = cell_of(n, e)
        add_world_building(out.solids[at], out.details[at], site, style, neighbours)
    for i, street in enumerate(world.streets):
        if street.is_raised:
            pillars = [numbers[f"deck_{i}_pillar_{k}"] for k in range(len(street.supports_m))]
            add_deck(out, street, place.floor_height_m, numbers[f"deck_{i}"], pillars)
    for i, barrier in enumerate(world.barriers):
        number = numbers[f"barrier_{i}"]
        add_barrier(out, barrier, place.floor_height_m, number, world.terrain is not None)
    _add_plants(_Standing(out, place), place, numbers)
    _add_furniture(_Standing(out, place), place, numbers)
    return out.without_empty_cells()


class _Standing:
    """The meshes of the cell around a place, raised to the ground there."""

    def __init__(self, out: CityMesh, place: WorldPlace) -> None:
        self._out, self._place = out, place

    def at(self, at_m: tuple[float, float]) -> tuple[Mesh, Mesh, CrownMeshes]:
        """Solids, details and leaves."""
        cell: Cell = cell_of(*at_m)
        out = self._out
        solids, details = out.solids[cell], out.details[cell]
        leaves = out.leaves[cell]
        for mesh in (solids, details, *leaves):
            mesh.raised_m = self._place.floor_height_m(*at_m)
        return solids, details, leaves


def _add_plants(standing: _Standing, place: WorldPlace, numbers: Mapping[str, int]) -> None:
    """Append trees, bushes and planters, in the order in which they draw from one generator."""
    rng, world = np.random.default_rng([place.seed, 40]), place.world
    for i, tree in enumerate(world.trees):
        solids, _, leaves = standing.at(tree.at_m)
        trunk, crown = numbers[f"tree_{i}_trunk"], numbers[f"tree_{i}_crown"]
        drawn = layout.Tree(*tree.at_m, tree.height_m, tree.crown_radius_m, tree.foliage, tree.kind)
        add_tree(solids, leaves, rng, drawn, trunk, crown)
    for i, bush in enumerate(world.bushes):
        *_, leaves = standing.at(bush.at_m)
        shrub = layout.Bush(*bush.at_m, bush.radius_m, bush.height_m, bush.foliage)
        add_bush(leaves, rng, shrub, numbers[f"bush_{i}"])
    for i, planter in enumerate(world.planters):
        solids, _, leaves = standing.at(planter.at_m)
        bed = layout.Planter(
            *planter.at_m, planter.radius_m, planter.bush_height_m, planter.foliage
        )
        add_planter(solids, leaves, rng, bed, numbers[f"planter_{i}"])


def _add_furniture(standing: _Standing, place: WorldPlace, numbers: Mapping[str, int]) -> None:
    world = place.world
    for i, lamp in enumerate(world.lamps):
        solids, details, _ = standing.at(lamp.at_m)
        add_lamp(
            solids,
            details,
            layout.Lamp(*lamp.at_m, lamp.height_m, lamp.yaw_rad),
            numbers[f"lamp_{i}"],
        )
    for i, bench in enumerate(world.benches):
        solids, details, _ = standing.at(bench.at_m)
        add_bench(solids, details, bench, numbers[f"bench_{i}"])
    for i, box in enumerate(world.containers):
        solids, details, _ = standing.at(box.at_m)
        add_container(solids, details, box, numbers[f"container_{i}"])
    for i, car in enumerate(world.parked_cars):
        solids, *_ = standing.at(car.at_m)
        drawn = layout.Car(
            *car.at_m, car.yaw_rad, car.length_m, car.width_m, car.height_m, car.colour
        )
        add_car(solids, drawn, numbers[car_name(i)])
