"""The way to a place: straight where it is free, else around the block by a junction."""

import math

import pytest

from followme_uav.config import load_config
from followme_uav.pilot.navigation.route_planner import (
    SETTLE_S,
    RoutePlanner,
    course,
    heading_velocity,
)
from followme_uav.pilot.navigation.street_map import is_free
from followme_uav.pilot.stopping import braking_mps2, stopping_speed_mps

LIMITS = load_config().limits
CORNER_MPS = LIMITS.corner_speed_mps
STREETS = (
    (-4.0, -4.0, 44.0, 4.0),
    (36.0, -4.0, 44.0, 44.0),
    (-4.0, 36.0, 44.0, 44.0),
    (-4.0, -4.0, 4.0, 44.0),
)
"""Around a square block; `(north_min, east_min, north_max, east_max)`."""


def next_point(here, goal, streets=STREETS):
    return RoutePlanner(streets, LIMITS).next_point(goal, here)


def test_way_is_straight_where_it_is_free():
    assert next_point((10.0, 0.0), (30.0, 3.0)) == (30.0, 3.0)
    assert RoutePlanner(STREETS, LIMITS).is_straight((30.0, 3.0), (10.0, 0.0))


def test_way_around_a_block_leads_over_the_junction():
    north, east = next_point((15.0, 0.0), (0.0, 20.0))
    assert (north, east) == pytest.approx((3.0, 3.0))  # around the corner, a metre inside it
    assert is_free(STREETS, (15.0, 0.0), (north, east))
    assert not RoutePlanner(STREETS, LIMITS).is_straight((0.0, 20.0), (15.0, 0.0))


def test_way_to_a_goal_off_the_streets_ends_at_the_boundary():
    assert next_point((20.0, 0.0), (20.0, 8.0)) == (20.0, 4.0)
    assert RoutePlanner(STREETS, LIMITS).is_straight((20.0, 8.0), (20.0, 0.0))


@pytest.mark.parametrize(
    ("here_m", "goal_m"),
    [((10.0, 0.0), (30.0, 3.0)), ((5.0, 3.0), (3.0, 6.0)), ((0.0, 20.0), (15.0, 0.0))],
)
def test_way_around_a_corner_is_hardly_longer_than_the_straight_line(here_m, goal_m):
    """Over the middle of the junction it was twice as long, and the vehicle did not take it."""
    length_m = RoutePlanner(STREETS, LIMITS).way_length_m(goal_m, here_m)
    assert math.dist(here_m, goal_m) <= length_m + 1e-9
    assert length_m < 1.5 * math.dist(here_m, goal_m)


def test_way_around_a_block_is_as_long_as_its_streets():
    length_m = RoutePlanner(STREETS, LIMITS).way_length_m((40.0, 20.0), (0.0, 20.0))
    assert 70.0 < length_m < 90.0


LADDER = (
    (-4.0, -4.0, 64.0, 4.0),
    (-4.0, 56.0, 64.0, 64.0),
    (-4.0, -4.0, 4.0, 64.0),
    (56.0, -4.0, 64.0, 64.0),
    (25.0, -4.0, 35.0, 30.0),
)
"""Around a block of 60 m, with a cul-de-sac that leads into it from one street."""


@pytest.mark.parametrize("side", [-1.0, 1.0])
@pytest.mark.parametrize("off_m", [1.0, 4.0, 8.0, 20.0])
def test_way_around_two_corners_does_not_stop_at_a_junction_that_leads_nowhere(side, off_m):
    """The mouth of the cul-de-sac lies on the straight line to the goal."""
    here, goal = (30.0 + side * off_m, 0.0), (30.0 + side * 5.0, 60.0)
    assert next_point(here, goal, LADDER) == (30.0 + side * 30.0, 0.0)


def test_way_around_two_corners_becomes_shorter_all_along():
    here, goal, planner = (31.0, 0.0), (33.0, 60.0), RoutePlanner(LADDER, LIMITS)
    steps = 0
    while math.dist(here, goal) > 0.1:
        north, east = planner.velocity_to(goal, here, 5.0)
        here, steps = (here[0] + 0.1 * north, here[1] + 0.1 * east), steps + 1
        assert steps < 400


def test_way_to_a_street_without_a_connection_is_the_straight_line():
    islands = ((0.0, 0.0, 10.0, 4.0), (0.0, 20.0, 10.0, 24.0), (4.0, 0.0, 8.0, 10.0))
    assert next_point((5.0, 2.0), (5.0, 22.0), islands) == (5.0, 22.0)


def test_way_is_straight_without_a_map():
    assert next_point((5.0, 5.0), (1.0, 2.0), streets=()) == (1.0, 2.0)


def test_way_to_the_middle_of_a_block_ends_on_the_vehicle_s_side():
    """The nearest point alone would jump between two streets."""
    for north in (18.0, 19.5, 20.5, 22.0):
        assert next_point((north, 3.0), (20.0, 20.0)) == pytest.approx((20.0, 4.0))


@pytest.mark.parametrize(
    ("goal", "speed_mps"),
    [
        ((30.0, 0.0), 6.0),  # as fast as wanted
        ((12.0, 0.0), stopping_speed_mps(2.0, braking_mps2(LIMITS), SETTLE_S)),
        ((10.1, 0.0), 0.1),  # the distance in a second
        ((10.0, 0.0), 0.0),
    ],
)
def test_speed_falls_to_zero_at_the_goal(goal, speed_mps):
    velocity = RoutePlanner(STREETS, LIMITS).velocity_to(goal, (10.0, 0.0), 6.0)
    assert velocity == pytest.approx((speed_mps, 0.0), abs=2e-3)


def test_goal_is_passed_as_fast_as_wanted():
    """A waypoint on a straight street is no reason to slow down."""
    planner = RoutePlanner(STREETS, LIMITS)
    assert planner.velocity_to((12.0, 0.0), (10.0, 0.0), 6.0, 6.0) == pytest.approx((6.0, 0.0))


def test_speed_falls_to_the_corner_speed_at_a_junction():
    planner, here, goal = RoutePlanner(STREETS, LIMITS), (4.5, 3.0), (0.0, 20.0)
    velocity = planner.velocity_to(goal, here, 8.0)
    left_m = math.dist(here, planner.next_point(goal, here))
    assert left_m < 8.0 - CORNER_MPS
    braked_mps = stopping_speed_mps(left_m, braking_mps2(LIMITS), SETTLE_S)
    assert math.hypot(*velocity) == pytest.approx(CORNER_MPS + braked_mps)


def test_course_is_the_direction_from_north_and_the_distance():
    assert course((1.0, 1.0), (1.0, 4.0)) == pytest.approx((math.pi / 2, 3.0))


def test_heading_velocity_points_along_the_azimuth():
    assert heading_velocity(2.0, 0.0) == pytest.approx((2.0, 0.0))
    assert heading_velocity(2.0, math.pi / 2) == pytest.approx((0.0, 2.0))
