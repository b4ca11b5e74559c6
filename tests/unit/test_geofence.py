"""If these fail, the vehicle leaves the streets and hits a house."""

import math

import pytest
from followme_uav.pilot.keep_in import contains, is_free, limit_velocity, nearest_point
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import load_config

CONFIG = load_config()
STREETS = CONFIG.simulator.flyable_m
LIMITS = CONFIG.limits
GROWN = [(s - 1e-6, w - 1e-6, n + 1e-6, e + 1e-6) for s, w, n, e in STREETS]
SHRUNK = [(s + 0.5, w + 0.5, n - 0.5, e - 0.5) for s, w, n, e in STREETS]
TICK_S = 0.1

coordinates = st.floats(-100, 100)
speeds = st.floats(-8, 8)


@given(coordinates, coordinates, st.lists(st.tuples(speeds, speeds), min_size=20, max_size=60))
def test_whatever_is_commanded_the_vehicle_stays_over_the_streets(north, east, commands):
    place = nearest_point(STREETS, (north, east))
    for command in commands:
        velocity = limit_velocity(place, command, STREETS, LIMITS)
        place = (place[0] + TICK_S * velocity[0], place[1] + TICK_S * velocity[1])
        assert contains(STREETS, place)


@given(coordinates, coordinates, speeds, speeds)
def test_from_outside_the_way_leads_back_in(north, east, speed_north, speed_east):
    place = (north, east)
    for _ in range(200):
        velocity = limit_velocity(place, (speed_north, speed_east), STREETS, LIMITS)
        place = (place[0] + TICK_S * velocity[0], place[1] + TICK_S * velocity[1])
    assert contains(STREETS, place)


def test_in_the_middle_of_a_street_nothing_is_held_back():
    assert limit_velocity((30.0, 0.0), (4.0, 0.0), STREETS, LIMITS) == (4.0, 0.0)


def test_at_the_kerb_the_vehicle_slides_along():
    north, east = limit_velocity((-30.0, 6.9), (3.0, 3.0), STREETS, LIMITS)
    assert north == pytest.approx(3.0)
    assert abs(east) < 0.2


def test_beside_the_mouth_of_a_street_the_vehicle_moves_over_and_in():
    """She walked along the outer kerb; a fifth of a metre beside that street it hung for 26 s."""
    place = (67.2, -7.0)
    for _ in range(60):
        velocity = limit_velocity(place, (0.0, -5.0), STREETS, LIMITS)
        place = (place[0] + TICK_S * velocity[0], place[1] + TICK_S * velocity[1])
    assert place[1] < -15.0


def test_streets_that_cross_let_the_vehicle_turn():
    assert limit_velocity((0.0, 0.0), (3.0, 3.0), STREETS, LIMITS) == (3.0, 3.0)


def test_without_a_map_everything_is_allowed():
    assert limit_velocity((1e3, 1e3), (5.0, -5.0), (), LIMITS) == (5.0, -5.0)


def test_the_boundary_never_speeds_the_vehicle_up():
    velocity = limit_velocity((0.0, 7.0), (0.5, 0.5), STREETS, LIMITS)
    assert math.hypot(*velocity) <= math.hypot(0.5, 0.5)


@given(coordinates, coordinates, coordinates, coordinates)
def test_a_way_is_free_when_all_of_it_is_inside(north, east, to_north, to_east):
    start = nearest_point(STREETS, (north, east))
    end = nearest_point(STREETS, (to_north, to_east))
    places = [
        tuple(s + i / 300 * (e - s) for s, e in zip(start, end, strict=True)) for i in range(301)
    ]
    inside = all(contains(GROWN, place) for place in places)
    outside = not all(contains(SHRUNK, place) for place in places)
    assert is_free(STREETS, start, end) in {inside, not outside}


def test_a_runner_around_a_corner_is_not_lost_for_seconds():
    """North towards a crossing, along the kerb: what leads past its corner is allowed at once."""
    north, east = limit_velocity((-9.5, 5.0), (5.0, 3.0), STREETS, LIMITS)
    assert (north, east) == (5.0, 3.0)
    _, east = limit_velocity((-30.0, 5.0), (5.0, 3.0), STREETS, LIMITS)
    assert east < 2.3, "there is no crossing here"


def test_an_alley_narrower_than_its_margins_is_flown_along_its_middle():
    alley = ((-50.0, -0.4, 50.0, 0.4),)
    north, east = limit_velocity((0.0, 0.3), (3.0, 3.0), alley, LIMITS)
    assert north == pytest.approx(3.0)
    assert -0.3 / LIMITS.boundary_time_s <= east < 0.0
