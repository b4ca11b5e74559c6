"""Everything in the world that has a name and a pose: sky, ground, vehicle, people, solids.

`names_of` is the one list of names: what a client lists, labels, detects and asks the pose of is in
it. People are boxes around their capsules; sky and ground are boxes around the origin; anything
else is the solid the vehicle would hit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.city.layout import EXTENT_M, SKY_RADIUS_M, Collider
from followme_uav.sim.city.obstacles import PERSON_HEIGHT_M, PERSON_RADIUS_M, person_name
from followme_uav.sim.city.patterns import named, same
from followme_uav.sim.rendering.objects import GROUND, SKY
from followme_uav.sim.simulation import Simulation

_ORIGIN: Vec3 = (0.0, 0.0, 0.0)
_NORTH: Quaternion = (1.0, 0.0, 0.0, 0.0)
_AROUND: dict[str, Vec3] = {
    GROUND: (EXTENT_M, EXTENT_M, 0.0),
    SKY: (SKY_RADIUS_M, SKY_RADIUS_M, SKY_RADIUS_M),
}
"""Half size of what is all around."""


@dataclass(frozen=True)
class Body:
    """One thing at one instant."""

    name: str
    position_m: Vec3
    """World NED: a person's feet, else the centre."""
    orientation: Quaternion
    centre_m: Vec3
    half_size_m: Vec3
    """Of its box, along its own axes."""


def names_of(simulation: Simulation) -> list[str]:
    """The names of all bodies."""
    people = [person_name(i) for i, p in enumerate(simulation.crowd.people) if p.present]
    solids = (solid.name for solid in _solids(simulation))
    spawned = (one.name for one in simulation.objects)
    return [GROUND, SKY, simulation.equipment.vehicle_name, *people, *solids, *spawned]


def find_name(simulation: Simulation, name: str) -> str | None:
    """A name as `names_of` spells it, upper and lower case alike; None where it is not in it."""
    names = names_of(simulation)
    return name if name in names else next(iter(named(names, name)), None)


def person_index(simulation: Simulation, name: str) -> int | None:
    """Which person has that name; 0 is the hero, None is nobody."""
    people = enumerate(simulation.crowd.people)
    return next((i for i, p in people if p.present and same(person_name(i), name)), None)


def find_body(simulation: Simulation, name: str) -> Body | None:
    """The body with that name, upper and lower case alike, as it is now."""
    found = find_name(simulation, name)
    return None if found is None else _body(simulation, found)


def _body(simulation: Simulation, name: str) -> Body | None:
    if name in _AROUND:
        return Body(name, _ORIGIN, _NORTH, _ORIGIN, _AROUND[name])
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
    """What stands, and the cars that drive."""
    return simulation.city.colliders + simulation.traffic.colliders()


def _facing(yaw_rad: float) -> Quaternion:
    return math.cos(0.5 * yaw_rad), 0.0, 0.0, math.sin(0.5 * yaw_rad)
