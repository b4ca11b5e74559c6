"""The patrol route: every waypoint is visited."""

import math

import pytest

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


def test_waypoint_on_a_deck_is_known_by_its_number():
    route = PatrolRoute(SQUARE, RADIUS_M, on_decks=(1,))
    assert not route.is_on_deck
    route.skip()
    assert route.is_on_deck
    route.skip()
    assert not route.is_on_deck


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


def test_waypoint_that_is_skipped_comes_again_in_the_next_round(route):
    route.skip()
    assert route.waypoint((20.0, 20.0)) == SQUARE[1]
    assert [route.waypoint(place) for place in SQUARE[1:]] == [*SQUARE[2:], SQUARE[0]]


def test_route_of_a_single_waypoint_leads_back_to_it():
    route = PatrolRoute([(5.0, 5.0)], RADIUS_M)
    for place in ((0.0, 0.0), (5.0, 5.0), (9.0, 9.0)):
        assert route.waypoint(place) == (5.0, 5.0)
