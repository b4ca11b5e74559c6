"""The round of the patrol through a world."""

import math

import numpy as np
import pytest
import shapely

from followme_uav.worlds.derived.flyable import flyable_area, walls
from followme_uav.worlds.derived.patrol import REACH_M, SEEN_M, patrol_of
from followme_uav.worlds.derived.street_graph import street_graph
from followme_uav.worlds.world import Bounds, Street
from tests.unit.world_parts import DRAWN, crossing, flyable, made, small


def length_m(round_m):
    return sum(math.dist(a, b) for a, b in zip(round_m, round_m[1:] + round_m[:1], strict=True))


@pytest.mark.parametrize("kind", DRAWN)
def test_junctions_near_the_start_are_seen_from_the_round(kind):
    world, area = small(kind), flyable(kind)
    round_m = [w.at_m for w in patrol_of(world, area)]
    streets, hidden = street_graph(world), shapely.union_all(walls(world))
    near = [
        at_m
        for _, at_m in streets.nodes(data="at_m")
        if math.dist(at_m, world.start_m) <= REACH_M
        and area.buffer(-1.0).covers(shapely.Point(at_m))
    ]
    legs = list(zip(round_m, round_m[1:] + round_m[:1], strict=True))
    stops = [tuple(p) for a, b in legs for p in np.linspace(a, b, 12)]
    unseen = [
        at_m
        for at_m in near
        if not any(
            math.dist(at_m, stop) <= SEEN_M
            and not hidden.intersects(shapely.LineString([at_m, stop]))
            for stop in stops
        )
    ]
    assert len(unseen) <= 0.1 * len(near)
    assert near


def test_round_of_three_by_three_streets_passes_each_junction_once_but_one():
    """The middles of the legs that it leaves out are seen from both of their ends."""
    ends = (-60.0, 0.0, 60.0)
    streets = [Street("street", 10.0, ((-60.0, c), (60.0, c)), 2.0, 2) for c in ends]
    streets += [Street("street", 10.0, ((c, -60.0), (c, 60.0)), 2.0, 2) for c in ends]
    world = crossing(streets=tuple(streets), buildings=(), bounds=Bounds(-80.0, -80.0, 80.0, 80.0))
    round_m = [w.at_m for w in patrol_of(world, flyable_area(world))]
    corners = {(n, e) for n in ends for e in ends}
    assert corners <= {(round(n), round(e)) for n, e in round_m}
    assert length_m(round_m) == pytest.approx(600.0, abs=10.0)


_BRIDGE_M = ((0.0, -40.0), (0.0, -20.0), (0.0, 20.0), (0.0, 40.0))


@pytest.mark.parametrize(("heights_m", "leads_over"), [((0.0, 7.0, 7.0, 0.0), True),
                                                       ((7.0, 7.0, 7.0, 7.0), False)])  # fmt: skip
def test_round_leads_over_a_bridge_that_people_reach(heights_m, leads_over):
    """Also from the street below it: its ramps are far away."""
    bridge = Street("bridge", 6.0, _BRIDGE_M, heights_m=heights_m)
    below = Street("street", 10.0, ((-50.0, 0.0), (50.0, 0.0)), 2.0, 2)
    world = crossing(streets=(bridge, below), buildings=(), start_m=(-30.0, 0.0))
    area = flyable_area(world, over_lawns=False)
    round_m = patrol_of(world, area)
    above = [w.at_m for w in round_m if w.is_raised]
    assert bool(above) == leads_over
    assert all(abs(north) < 3.0 and abs(east) < 38.0 for north, east in above)


@pytest.mark.parametrize("kind", DRAWN)
def test_round_is_in_the_flyable_area_and_always_the_same(kind):
    world, area = made(kind, 1), flyable_area(made(kind, 1))
    round_m = patrol_of(world, area)
    assert all(area.buffer(0.02).covers(shapely.Point(w.at_m)) for w in round_m)
    assert patrol_of(world, area) == round_m


def test_round_is_the_start_where_there_is_no_street():
    world = crossing(streets=())
    (waypoint,) = patrol_of(world, shapely.box(-20.0, -20.0, 20.0, 20.0))
    assert waypoint == (world.start_m, False)


def test_round_does_not_begin_at_the_end_of_a_bridge_from_wall_to_wall():
    bridge = Street("bridge", 3.0, ((25.0, -9.0), (25.0, 9.0)), heights_m=(7.0, 7.0))
    world = crossing(streets=(*crossing().streets, bridge), start_m=(25.0, -6.0))
    assert len(patrol_of(world, flyable_area(world))) > 2
