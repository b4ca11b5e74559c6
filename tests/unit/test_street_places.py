"""Landing places on a street map: in the middle of a street, off the junctions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.pilot.navigation.street_places import STEP_M, StreetPlaces

SQUARE = ((0.0, 0.0), (40.0, 0.0), (40.0, 40.0), (0.0, 40.0))


def nearest(place_m, off_waypoint_m=0.0):
    return tuple(StreetPlaces(SQUARE, off_waypoint_m).nearest_first(place_m)[0])


@pytest.mark.parametrize(
    ("place_m", "nearest_m"),
    [
        ((20.0, -5.0), (20.0, 0.0)),
        ((20.0, 6.0), (20.0, 0.0)),
        ((45.0, -7.0), (40.0, 0.0)),
        ((-9.0, 20.0), (0.0, 20.0)),  # on the leg from the last waypoint to the first
        ((40.0, 12.5), (40.0, 12.5)),
    ],
)
def test_first_place_lies_on_the_nearest_leg(place_m, nearest_m):
    assert nearest(place_m) == pytest.approx(nearest_m)


def test_places_keep_away_from_waypoints():
    """Pedestrians cross the street at junctions, under a vehicle that comes down there."""
    assert nearest((3.0, -1.0), 16.0) == pytest.approx((16.0, 0.0))
    assert nearest((21.0, 1.0), 16.0) == pytest.approx((21.0, 0.0))
    assert nearest((0.0, 0.0), 30.0) in [(20.0, 0.0), (0.0, 20.0)]
    for place_m in StreetPlaces(SQUARE, 16.0).nearest_first((0.0, 0.0)):
        assert min(math.dist(place_m, corner) for corner in SQUARE) >= 16.0 - 1e-9


def test_a_single_waypoint_is_the_only_place():
    places_m = StreetPlaces([(5.0, 5.0)], 16.0).nearest_first((0.0, 0.0))
    assert {tuple(p) for p in places_m.tolist()} == {(5.0, 5.0)}


def test_a_waypoint_given_twice_is_a_leg_without_length():
    places_m = StreetPlaces([(0.0, 0.0), (0.0, 0.0), (40.0, 0.0)], 5.0).nearest_first((0.0, 1.0))
    assert np.isfinite(places_m).all()
    assert tuple(places_m[0]) == (0.0, 0.0)


points = st.tuples(st.floats(-60, 60), st.floats(-60, 60))


@given(points)
def test_places_are_sorted_and_cover_the_round(place_m):
    places_m = StreetPlaces(SQUARE, 0.0).nearest_first(place_m)
    away_m = np.hypot(*(places_m - np.array(place_m)).T)
    assert (np.diff(away_m) >= 0).all()
    legs = zip(SQUARE, SQUARE[1:] + SQUARE[:1], strict=True)
    for start, end in legs:
        for share in range(41):
            point = [s + share / 40 * (e - s) for s, e in zip(start, end, strict=True)]
            assert np.hypot(*(places_m - point).T).min() <= STEP_M / 2 + 1e-9
            assert away_m[0] <= math.dist(place_m, point) + 1e-9


def test_places_lie_inside_the_streets_where_a_leg_cuts_a_corner():
    """The vehicle hung at a wall: its landing place was in the house behind."""
    corner = ((-4.0, -4.0, 44.0, 4.0), (36.0, -4.0, 44.0, 44.0))
    places = StreetPlaces([(0.0, 0.0), (40.0, 40.0), (40.0, 0.0)], 0.0, corner)
    for place_m in [(20.0, 20.0), (0.0, 0.0), (40.0, 40.0)]:
        for north, east in places.nearest_first(place_m).tolist():
            assert any(
                s + 1.0 <= north <= n - 1.0 and w + 1.0 <= east <= e - 1.0 for s, w, n, e in corner
            )


def test_places_outside_are_better_than_none():
    places = StreetPlaces([(0.0, 20.0), (0.0, 40.0)], 0.0, ((-4.0, -4.0, 4.0, 4.0),))
    assert len(places.nearest_first((0.0, 0.0)))
