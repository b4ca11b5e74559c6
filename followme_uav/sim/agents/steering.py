"""How people react to what is near them: pure functions of the crowd's state."""

from __future__ import annotations

import numpy as np

from followme_uav.sim.agents.avoidance import Pairs, near_pairs, sidesteps
from followme_uav.sim.agents.crosswalks import KERB_M, ROAD_M, Crosswalks
from followme_uav.sim.agents.crowd_state import Bodies, Surroundings
from followme_uav.sim.agents.ground_contact import near_circles
from followme_uav.sim.agents.groups import Groups
from followme_uav.sim.agents.motion import HARD_BRAKING_MPS2
from followme_uav.sim.agents.traffic import MovingCars
from followme_uav.sim.agents.walkways import Walkways, Ways
from followme_uav.sim.city.arrays import Flags, Floats, Indices

NEAR_KERB_M = KERB_M + 1.0
"""A person nearer than this to a centre line is at the kerb or on the carriageway."""

_GROUP_GAP_M = 3.5  # people nearer than this to a group walk around it
_GROUP_PACE_MPS = 0.9  # at most, on the last steps to a place in a group


def surroundings_of(
    position: Floats,
    walkways: Walkways,
    ways: Ways,
    obstacles: Pairs | None,
) -> Surroundings:
    """Find what is near each person.

    Args:
        position: (people, 2).
        walkways: the ground and the obstacles on it.
        ways: the places between which each person walks.
        obstacles: pairs found earlier, to save the search; None to search.
    """
    gap_m = walkways.road_gaps_m(position, ways)
    if obstacles is None:
        obstacles = near_circles(position, walkways.circles)
    near_road = on_road(gap_m, walkways)
    height_m = -walkways.feet_down_m(position, near_road, ways)
    return Surroundings(gap_m, near_road, height_m, near_pairs(position), obstacles)


def on_road(road_gap_m: Floats, walkways: Walkways) -> Indices:
    """Indices of the people on a carriageway, or at its edge."""
    return np.flatnonzero(road_gap_m < ROAD_M + walkways.road_edge_m)


def slot_pace_mps(left_m: Floats) -> Floats:
    """Speeds of people who walk to their places in groups, by the distance left."""
    pace_mps = np.minimum(0.2 + 0.9 * left_m, _GROUP_PACE_MPS)
    return np.where(left_m < 0.12, 0.0, pace_mps)


def stopping_for_cars(
    bodies: Bodies,
    direction: Floats,
    desired_mps: Floats,
    surroundings: Surroundings,
    crosswalks: Crosswalks,
    traffic: MovingCars,
) -> list[int]:
    """Find people in the road, not on a crosswalk, who would step in front of a car.

    Args:
        bodies: all people.
        direction: (people, 2) unit vectors.
        desired_mps: (people,).
        surroundings: of all people.
        crosswalks: which people cross at one.
        traffic: the cars.
    """
    road_gap_m = surroundings.road_gap_m
    exposed = (road_gap_m < NEAR_KERB_M) & ~crosswalks.crossing & (desired_mps > 0.0)
    exposed &= (crosswalks.number < 0) | (road_gap_m < ROAD_M)
    stopping = []
    for i in np.flatnonzero(exposed).tolist():
        reach_m = 0.5 + 0.5 * float(bodies.speed_mps[i]) ** 2 / HARD_BRAKING_MPS2
        north, east = bodies.position[i].tolist()
        n, e = direction[i].tolist()
        there = north + reach_m * n, east + reach_m * e
        if traffic.endangers((north, east), there, float(surroundings.height_m[i])):
            stopping.append(i)
    return stopping


def sidestep_mps(
    bodies: Bodies,
    velocity: Floats,
    pairs: Pairs,
    groups: Groups,
    crossing: Flags,
    walkways: Walkways,
    ways: Ways,
) -> Floats:
    """(people, 2) velocity aside, around other people and around groups.

    Args:
        bodies: all people.
        velocity: (people, 2), as desired.
        pairs: people who are near each other.
        groups: all groups; their members do not avoid each other.
        crossing: (people,) whether each person crosses at a crosswalk.
        walkways: nobody steps aside from a kerb onto a carriageway.
        ways: the places between which each person walks.
    """
    in_group, position, count = groups.in_group, bodies.position, len(bodies.position)
    first, second = pairs
    apart = ~(in_group[first] & in_group[second])
    first, second = first[apart], second[apart]
    extra_m: Floats | float = 0.0
    centres, radii = groups.rings()
    if len(centres):
        away = position[:, None, :] - centres
        near = (np.einsum("ijk,ijk->ij", away, away) < _GROUP_GAP_M**2) & ~in_group[:, None]
        if near.any():
            # Each ring is one more body, which stands and is wider than a person.
            person, ring = np.nonzero(near)
            extra_m = np.concatenate((np.zeros(len(first)), radii[ring]))
            first = np.concatenate((first, person))
            second = np.concatenate((second, count + ring))
            position = np.concatenate((position, centres))
            velocity = np.concatenate((velocity, np.zeros_like(centres)))
    aside = sidesteps(position, velocity, (first, second), extra_m)[:count]
    off_the_kerb = walkways.off_the_kerb(bodies.position, aside, NEAR_KERB_M, ways)
    aside[off_the_kerb & ~crossing[:, None]] = 0.0
    # People who stand do not step aside; walking people pass them.
    moving: Floats = aside * np.minimum(1.0, bodies.speed_mps / 0.5)[:, None]
    return moving
