"""The bodies of the world, with names and poses: sky, ground, vehicle, people and solids.

`names_of` is the only list of names: clients list, label, detect and locate the bodies in it.
People are boxes around their capsules; sky and ground are boxes around the origin; the others are
the solids that the vehicle can hit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.city.layout import SKY_RADIUS_M, Collider
from followme_uav.sim.city.obstacles import PERSON_HEIGHT_M, PERSON_RADIUS_M, person_name
from followme_uav.sim.city.patterns import named, same
from followme_uav.sim.rendering.objects import GROUND, SKY
from followme_uav.sim.simulation import Simulation

_ORIGIN: Vec3 = (0.0, 0.0, 0.0)
_NORTH: Quaternion = (1.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Body:
    """One body at one instant."""

    name: str
    position_m: Vec3
    """World NED: the feet of a person, the centre of any other body."""
    orientation: Quaternion
    centre_m: Vec3
    half_size_m: Vec3
    """Half size of its box, along its own axes."""


def names_of(simulation: Simulation) -> list[str]:
    """The names of all bodies, each once."""
    people = [person_name(i) for i, p in enumerate(simulation.crowd.people) if p.present]
    solids = (solid.name for solid in _solids(simulation))
    spawned = (one.name for one in simulation.objects)
    return [GROUND, SKY, simulation.equipment.vehicle_name, *people, *solids, *spawned]


def find_name(simulation: Simulation, name: str) -> str | None:
    """A name as `names_of` spells it, ignoring case; None for an unknown name."""
    names = names_of(simulation)
    return name if name in names else next(iter(named(names, name)), None)


def person_index(simulation: Simulation, name: str) -> int | None:
    """Number of the person of that name, 0 for the hero; None for any other name."""
    people = enumerate(simulation.crowd.people)
    return next((i for i, p in people if p.present and same(person_name(i), name)), None)


def find_body(simulation: Simulation, name: str) -> Body | None:
    """The body of that name, ignoring case, as it is now; None for an unknown name."""
    found = find_name(simulation, name)
    return None if found is None else _body(simulation, found)


def _body(simulation: Simulation, name: str) -> Body | None:
    if name == SKY:
        return Body(name, _ORIGIN, _NORTH, _ORIGIN, (SKY_RADIUS_M, SKY_RADIUS_M, SKY_RADIUS_M))
    if name == GROUND:
        return _ground(simulation)
    if name == simulation.equipment.vehicle_name:
        vehicle = simulation.vehicle
        place = vehicle.position_m
        return Body(name, place, vehicle.orientation, place, vehicle.airframe.half_size_m)
    index = person_index(simulation, name)
    if index is not None:
        person = simulation.crowd.people[index]
        north, east, down = person.position_m
        half = (PERSON_RADIUS_M, PERSON_RADIUS_M, 0.5 * PERSON_HEIGHT_M)
        centre = (north, east, down - half[2])
        return Body(name, person.position_m, _facing(person.heading_rad), centre, half)
    spawned = simulation.objects.find(name)
    if spawned is not None:
        place = spawned.position_m
        return Body(name, place, spawned.orientation, place, spawned.half_size_m)
    for solid in _solids(simulation):
        if solid.name == name:
            centre = solid.centre_m
            return Body(name, centre, _facing(solid.yaw_rad), centre, solid.half_size_m)
    return None


def _solids(simulation: Simulation) -> tuple[Collider, ...]:
    """The static objects and the driving cars."""
    return simulation.city.objects + simulation.traffic.colliders()


def _ground(simulation: Simulation) -> Body:
    """The box around the ground, at the origin for a city around it."""
    south_m, west_m, north_m, east_m = simulation.city.bounds_m
    terrain = simulation.city.terrain
    low_m, high_m = (0.0, 0.0) if terrain is None else (terrain.grid.min(), terrain.grid.max())
    middle = (0.5 * (south_m + north_m), 0.5 * (west_m + east_m), -0.5 * float(low_m + high_m))
    half = (0.5 * (north_m - south_m), 0.5 * (east_m - west_m), 0.5 * float(high_m - low_m))
    return Body(GROUND, middle, _NORTH, middle, half)


def _facing(yaw_rad: float) -> Quaternion:
    return math.cos(0.5 * yaw_rad), 0.0, 0.0, math.sin(0.5 * yaw_rad)
