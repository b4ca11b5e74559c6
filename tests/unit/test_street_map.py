"""The street map: geometry on a union of rectangles."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import load_config
from followme_uav.pilot.navigation.street_map import (
    centre_of,
    contains,
    is_free,
    junctions,
    nearest_place,
    nearest_point,
    shrunk,
)

STREETS = load_config().simulator.flyable_m
GROWN = [(s - 1e-6, w - 1e-6, n + 1e-6, e + 1e-6) for s, w, n, e in STREETS]
SHRUNK = [(s + 0.5, w + 0.5, n - 0.5, e - 0.5) for s, w, n, e in STREETS]
CROSS = ((-4.0, -40.0, 4.0, 40.0), (-40.0, -4.0, 40.0, 4.0))
"""Two streets that meet in the origin."""

coordinates = st.floats(-100, 100)


@given(coordinates, coordinates, coordinates, coordinates)
def test_line_is_free_when_all_of_it_is_inside(north, east, to_north, to_east):
    start = nearest_point(STREETS, (north, east))
    end = nearest_point(STREETS, (to_north, to_east))
    places = [
        tuple(s + i / 300 * (e - s) for s, e in zip(start, end, strict=True)) for i in range(301)
    ]
    inside = all(contains(GROWN, place) for place in places)
    outside = not all(contains(SHRUNK, place) for place in places)
    assert is_free(STREETS, start, end) in {inside, not outside}


def test_every_line_is_free_without_a_map():
    assert is_free((), (-1e3, 0.0), (1e3, 5.0))


def test_junctions_are_the_overlaps_of_two_streets():
    assert junctions(CROSS) == ((-4.0, -4.0, 4.0, 4.0),)
    assert centre_of(junctions(CROSS)[0]) == (0.0, 0.0)
    assert junctions(CROSS[:1]) == ()


@given(coordinates, coordinates)
def test_nearest_point_is_inside_and_no_corner_of_a_street_is_nearer(north, east):
    near = nearest_point(STREETS, (north, east))
    assert contains(STREETS, near)
    corners = [(n, e) for s, w, top, right in STREETS for n in (s, top) for e in (w, right)]
    nearest_corner_m = min(math.dist(corner, (north, east)) for corner in corners)
    assert math.dist(near, (north, east)) <= nearest_corner_m + 1e-9
    assert (near == (north, east)) == contains(STREETS, (north, east))


def test_nearest_place_to_a_goal_off_the_streets_lies_on_the_vehicle_s_side():
    goal = (20.0, 20.0)
    assert nearest_place(CROSS, goal, (30.0, 0.0)) == (20.0, 4.0)
    assert nearest_place(CROSS, goal, (0.0, 30.0)) == (4.0, 20.0)
    assert nearest_place(CROSS, (10.0, 1.0), (0.0, 30.0)) == (10.0, 1.0)
    assert nearest_place((), goal, (0.0, 30.0)) == goal


@pytest.mark.parametrize(
    ("margin_m", "expected"),
    [(0.5, (-39.5, -3.5, 39.5, 3.5)), (6.0, (-34.0, 0.0, 34.0, 0.0))],
)
def test_shrunk_street_keeps_its_middle_when_it_is_narrower_than_its_margins(margin_m, expected):
    assert shrunk(CROSS[1:], margin_m) == (expected,)
