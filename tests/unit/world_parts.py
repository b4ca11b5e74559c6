"""Small worlds, and generated ones that several tests share."""

import functools

from followme_uav.sim.city.grid_world import WORLDS
from followme_uav.worlds.derived.flyable import flyable_area
from followme_uav.worlds.derived.lanes import lane_network
from followme_uav.worlds.derived.walking import walk_graph
from followme_uav.worlds.world import Area, Bounds, Building, Street, World

KINDS = tuple(WORLDS)
DRAWN = tuple(kind for kind in KINDS if kind != "grid")
SEEDS = (1, 2)
SMALL_M = 220.0
"""Side of the worlds for tests of what follows from them; the usual one takes twice the time."""


@functools.cache
def made(kind, seed):
    return WORLDS[kind].world(seed)


@functools.cache
def small(kind):
    return WORLDS[kind].world(1, None if kind == "grid" else SMALL_M)


@functools.cache
def walks(kind):
    return walk_graph(small(kind))


@functools.cache
def lanes(kind):
    return lane_network(small(kind), walks(kind).crosswalks)


@functools.cache
def flyable(kind):
    return flyable_area(small(kind))


def square(north, east, half):
    return (
        (north - half, east - half),
        (north + half, east - half),
        (north + half, east + half),
        (north - half, east + half),
    )


def crossing(**changes):
    """Two streets that cross, and a house in each quarter."""
    parts = {
        "name": "crossing",
        "bounds": Bounds(-60.0, -60.0, 60.0, 60.0),
        "streets": (
            Street("street", 10.0, ((-50.0, 0.0), (50.0, 0.0)), 2.0, 2),
            Street("street", 10.0, ((0.0, -50.0), (0.0, 50.0)), 2.0, 2),
        ),
        "buildings": tuple(
            Building(square(n, e, 8.0), 9.0, 3) for n in (-20.0, 20.0) for e in (-20.0, 20.0)
        ),
        "areas": (Area("lawn", square(0.0, 0.0, 60.0)),),
    }
    return World(**{**parts, **changes})
