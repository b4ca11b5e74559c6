"""If these fail, the vehicle leaves parts of the city unsearched or lands among the trees."""

import math

import pytest
from followme_uav.pilot.keep_in import is_free
from followme_uav.pilot.patrol import Patrol
from hypothesis import given
from hypothesis import strategies as st

SQUARE = ((0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0))
RADIUS_M = 3.0
STREETS = (
    (-4.0, -4.0, 44.0, 4.0),
    (36.0, -4.0, 44.0, 44.0),
    (-4.0, 36.0, 44.0, 44.0),
    (-4.0, -4.0, 4.0, 44.0),
)
"""Around the square; `(north_min, east_min, north_max, east_max)`."""


@pytest.fixture
def patrol():
    return Patrol(SQUARE, RADIUS_M)


def test_waypoints_are_visited_in_order_round_and_round(patrol):
    assert [patrol.waypoint(place) for place in (*SQUARE, *SQUARE)] == [
        *(*SQUARE[1:], SQUARE[0]),
        *(*SQUARE[1:], SQUARE[0]),
    ]


def test_a_waypoint_stays_the_goal_until_it_is_reached(patrol):
    assert patrol.waypoint((0.0, -3.1)) == (0.0, 0.0)
    assert patrol.waypoint((-10.0, 0.0)) == (0.0, 0.0)
    assert patrol.waypoint((0.0, -2.9)) == (40.0, 0.0)


def test_passing_another_waypoint_does_not_skip_any(patrol):
    patrol.waypoint((0.0, 0.0))
    assert patrol.waypoint((40.0, 40.0)) == (40.0, 0.0)


def test_a_single_waypoint_is_returned_to():
    patrol = Patrol([(5.0, 5.0)], RADIUS_M)
    for place in ((0.0, 0.0), (5.0, 5.0), (9.0, 9.0)):
        assert patrol.waypoint(place) == (5.0, 5.0)
        assert patrol.nearest_on_route(place) == (5.0, 5.0)


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
def test_the_nearest_piece_of_the_route(patrol, place, nearest):
    assert patrol.nearest_on_route(place) == pytest.approx(nearest)


def test_a_landing_place_is_off_the_crossings(patrol):
    """Somebody who crossed the street walked into the vehicle as it came down."""
    assert patrol.nearest_on_route((3.0, -1.0), 16.0) == pytest.approx((16.0, 0.0))
    assert patrol.nearest_on_route((21.0, 1.0), 16.0) == pytest.approx((21.0, 0.0))
    assert patrol.nearest_on_route((0.0, 0.0), 30.0) in [(20.0, 0.0), (0.0, 20.0)]


places = st.tuples(st.floats(-60, 60), st.floats(-60, 60))


@given(places)
def test_no_point_of_the_route_is_nearer(place):
    nearest = Patrol(SQUARE, RADIUS_M).nearest_on_route(place)
    legs = zip(SQUARE, SQUARE[1:] + SQUARE[:1], strict=True)
    route = [
        tuple(s + share / 40 * (e - s) for s, e in zip(start, end, strict=True))
        for start, end in legs
        for share in range(41)
    ]
    assert min(math.dist(point, nearest) for point in route) <= 0.5 + 1e-9  # it is on the route
    assert math.dist(place, nearest) <= min(math.dist(place, point) for point in route) + 1e-9


class TestWayTo:
    """Without these she is seen down a side street and the vehicle pushes against the corner."""

    def way(self, here, goal, streets=STREETS):
        return Patrol(SQUARE, RADIUS_M).way_to(goal, here, streets)

    def test_straight_where_the_way_is_free(self):
        assert self.way((10.0, 0.0), (30.0, 3.0)) == (30.0, 3.0)

    def test_by_the_crossing_where_a_block_is_between(self):
        north, east = self.way((15.0, 0.0), (0.0, 20.0))
        assert (north, east) == pytest.approx((3.0, 3.0))  # around the corner, a metre off it
        assert is_free(STREETS, (15.0, 0.0), (north, east))

    def test_to_the_kerb_where_she_stands_on_the_lawn(self):
        assert self.way((20.0, 0.0), (20.0, 8.0)) == (20.0, 4.0)

    def test_straight_without_a_map(self):
        assert self.way((5.0, 5.0), (1.0, 2.0), streets=()) == (1.0, 2.0)

    def test_to_the_near_side_of_a_block(self):
        """A place in its middle drew the vehicle to and fro between two streets."""
        for north in (18.0, 19.5, 20.5, 22.0):
            assert self.way((north, 3.0), (20.0, 20.0)) == pytest.approx((20.0, 4.0))
