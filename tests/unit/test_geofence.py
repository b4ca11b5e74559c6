"""The geofence: the vehicle stays over the streets, and is held back no more than necessary."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import load_config
from followme_uav.pilot.navigation.street_map import contains, nearest_point
from followme_uav.pilot.safety.geofence import limit_velocity
from followme_uav.pilot.stopping import braking_mps2, stopping_distance_m

pytestmark = pytest.mark.slow

CONFIG = load_config()
STREETS = CONFIG.simulator.flyable_m
LIMITS = CONFIG.limits
TICK_S = 0.1
DELAY_S = 0.75

coordinates = st.floats(-100, 100)
speeds = st.floats(-8, 8)


@given(coordinates, coordinates, st.lists(st.tuples(speeds, speeds), min_size=20, max_size=60))
def test_vehicle_stays_over_the_streets_for_any_commands(north, east, commands):
    place = nearest_point(STREETS, (north, east))
    for command in commands:
        velocity = limit_velocity(place, command, STREETS, LIMITS, DELAY_S)
        place = (place[0] + TICK_S * velocity[0], place[1] + TICK_S * velocity[1])
        assert contains(STREETS, place)


@given(coordinates, coordinates, speeds, speeds)
def test_vehicle_outside_is_led_back_inside(north, east, speed_north, speed_east):
    place = (north, east)
    for _ in range(200):
        velocity = limit_velocity(place, (speed_north, speed_east), STREETS, LIMITS, DELAY_S)
        place = (place[0] + TICK_S * velocity[0], place[1] + TICK_S * velocity[1])
    assert contains(STREETS, place)


def test_way_back_from_far_outside_is_no_faster_than_the_vehicle():
    north, east = limit_velocity((300.0, -400.0), (0.0, 0.0), STREETS, LIMITS, DELAY_S)
    assert math.hypot(north, east) == pytest.approx(LIMITS.speed_mps)
    assert north < 0.0 < east


def test_velocity_in_the_middle_of_a_street_is_unchanged():
    assert limit_velocity((30.0, 0.0), (4.0, 0.0), STREETS, LIMITS, DELAY_S) == (4.0, 0.0)


def test_vehicle_slides_along_the_boundary():
    north, east = limit_velocity((-30.0, 6.9), (3.0, 3.0), STREETS, LIMITS, DELAY_S)
    assert north == pytest.approx(3.0)
    assert abs(east) < 0.2


def test_vehicle_beside_the_mouth_of_a_street_moves_over_and_into_it():
    """A vehicle 0.2 m beside the street must not hang at its corner."""
    place = (67.2, -7.0)
    for _ in range(60):
        velocity = limit_velocity(place, (0.0, -5.0), STREETS, LIMITS, DELAY_S)
        place = (place[0] + TICK_S * velocity[0], place[1] + TICK_S * velocity[1])
    assert place[1] < -15.0


def test_vehicle_may_turn_at_a_junction():
    assert limit_velocity((0.0, 0.0), (3.0, 3.0), STREETS, LIMITS, DELAY_S) == (3.0, 3.0)


def test_every_velocity_is_allowed_without_a_map():
    assert limit_velocity((1e3, 1e3), (5.0, -5.0), (), LIMITS, DELAY_S) == (5.0, -5.0)


def test_boundary_never_speeds_the_vehicle_up():
    velocity = limit_velocity((0.0, 7.0), (0.5, 0.5), STREETS, LIMITS, DELAY_S)
    assert math.hypot(*velocity) <= math.hypot(0.5, 0.5)


def test_velocity_past_a_corner_into_a_junction_is_unchanged():
    """North towards a junction along the boundary: each axis alone would be held back."""
    north, east = limit_velocity((-9.5, 5.0), (5.0, 3.0), STREETS, LIMITS, DELAY_S)
    assert (north, east) == (5.0, 3.0)
    _, east = limit_velocity((-30.0, 5.0), (5.0, 3.0), STREETS, LIMITS, DELAY_S)
    assert east < 2.3, "there is no junction here"


def test_vehicle_flies_along_the_middle_of_a_street_narrower_than_its_margins():
    alley = ((-50.0, -0.4, 50.0, 0.4),)
    north, east = limit_velocity((0.0, 0.3), (3.0, 3.0), alley, LIMITS, DELAY_S)
    assert north == pytest.approx(3.0)
    assert -0.3 / LIMITS.boundary_time_s <= east < 0.0


@given(st.floats(0.0, 30.0), st.floats(0.1, 8.0))
def test_vehicle_stops_inside_at_the_end_of_a_street(distance_m, speed):
    street = ((0.0, -7.5, 60.0, 7.5),)
    end_m = 60.0 - LIMITS.boundary_margin_m
    north, east = limit_velocity((end_m - distance_m, 0.0), (speed, 0.0), street, LIMITS, DELAY_S)
    assert abs(east) < 1e-9
    assert stopping_distance_m(north, braking_mps2(LIMITS), DELAY_S) <= distance_m + 0.5
    far_enough_m = stopping_distance_m(speed, braking_mps2(LIMITS), DELAY_S) + 0.3
    if distance_m >= max(far_enough_m, LIMITS.boundary_time_s * speed):
        assert north == speed
