"""The patrol route: every waypoint is visited, and the vehicle lands in the middle of a street."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.pilot.navigation.patrol_route import PatrolRoute

SQUARE = ((0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0))
RADIUS_M = 3.0


@pytest.fixture
def route():
    return PatrolRoute(SQUARE, RADIUS_M)


def test_waypoints_are_visited_in_order_again_and_again(route):
    assert [route.waypoint(place) for place in (*SQUARE, *SQUARE)] == [
        *(*SQUARE[1:], SQUARE[0]),
        *(*SQUARE[1:], SQUARE[0]),
    ]


def test_waypoint_stays_the_goal_until_it_is_reached(route):
    assert route.waypoint((0.0, -3.1)) == (0.0, 0.0)
    assert route.waypoint((-10.0, 0.0)) == (0.0, 0.0)
    assert route.waypoint((0.0, -2.9)) == (40.0, 0.0)


@pytest.mark.parametrize(
    ("after_m", "share"),
    [((80.0, 0.0), 1.0), ((80.0, 40.0), math.sqrt(0.5)), ((40.0, 40.0), 0.0), ((0.0, 5.0), 0.0)],
)
def test_the_share_of_the_speed_that_leads_on_is_the_cosine_of_the_turn(after_m, share):
    route = PatrolRoute([(40.0, 0.0), after_m], RADIUS_M)
    assert route.onward_share((10.0, 0.0)) == pytest.approx(share)
    assert route.onward_share((40.0, 0.0)) == 0.0


def test_passing_another_waypoint_skips_none(route):
    route.waypoint((0.0, 0.0))
    assert route.waypoint((40.0, 40.0)) == (40.0, 0.0)


def test_route_of_a_single_waypoint_leads_back_to_it():
    route = PatrolRoute([(5.0, 5.0)], RADIUS_M)
    for place in ((0.0, 0.0), (5.0, 5.0), (9.0, 9.0)):
        assert route.waypoint(place) == (5.0, 5.0)
        assert route.nearest_point(place) == (5.0, 5.0)


@pytest.mark.parametrize(
    ("place", "nearest"),
    [
        ((20.0, -5.0), (20.0, 0.0)),
        ((20.0, 6.0), (20.0, 0.0)),
        ((45.0, -7.0), (40.0, 0.0)),
        ((-9.0, 20.0), (0.0, 20.0)),  # on the leg from the last waypoint to the first
        ((40.0, 12.5), (40.0, 12.5)),
    ],
)
def test_nearest_point_lies_on_the_nearest_leg(route, place, nearest):
    assert route.nearest_point(place) == pytest.approx(nearest)


def test_landing_place_keeps_away_from_waypoints(route):
    """Pedestrians cross the street at junctions, under a vehicle that comes down there."""
    assert route.nearest_point((3.0, -1.0), 16.0) == pytest.approx((16.0, 0.0))
    assert route.nearest_point((21.0, 1.0), 16.0) == pytest.approx((21.0, 0.0))
    assert route.nearest_point((0.0, 0.0), 30.0) in [(20.0, 0.0), (0.0, 20.0)]


places = st.tuples(st.floats(-60, 60), st.floats(-60, 60))


@given(places)
def test_no_point_of_the_route_is_nearer_than_the_nearest_point(place):
    nearest = PatrolRoute(SQUARE, RADIUS_M).nearest_point(place)
    legs = zip(SQUARE, SQUARE[1:] + SQUARE[:1], strict=True)
    route = [
        tuple(s + share / 40 * (e - s) for s, e in zip(start, end, strict=True))
        for start, end in legs
        for share in range(41)
    ]
    assert min(math.dist(point, nearest) for point in route) <= 0.5 + 1e-9  # it is on the route
    assert math.dist(place, nearest) <= min(math.dist(place, point) for point in route) + 1e-9
