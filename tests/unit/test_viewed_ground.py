"""Tests of the record of the ground that was looked at."""

import math

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.messages import RangeScan
from followme_uav.pilot.mapping.surroundings import COARSE, Surroundings
from tests.scan_world import frame_at

CONFIG = load_config(simulator="embedded-no-map")
VIEW_M = CONFIG.explore.view_m


def viewed(*frames):
    surroundings = Surroundings(CONFIG)
    for frame in frames:
        surroundings.update(frame, -frame.vehicle.position_m[2])
    return surroundings


def places_of(surroundings):
    rows, columns = np.nonzero(np.isfinite(surroundings.ground.viewed_s))
    return np.stack(surroundings.ground.window.centres_m(rows, columns), axis=1)


@pytest.mark.parametrize("pan_deg", [0.0, 90.0, 200.0])
def test_ground_in_the_image_is_viewed_and_no_other(pan_deg):
    places = places_of(viewed(frame_at((0.0, 0.0), [], pan_deg=pan_deg)))
    azimuths = np.degrees(np.arctan2(places[:, 1], places[:, 0]))
    aside = [abs(math.remainder(azimuth - pan_deg, 360.0)) for azimuth in azimuths]
    assert max(aside) <= 32.0
    distances = np.hypot(*places.T)
    assert distances.max() <= VIEW_M
    # 12 degrees down, and 30 from there to the lower edge.
    assert distances.min() >= 4.5 / math.tan(math.radians(42.0)) - 0.5


def test_ground_behind_a_wall_is_not_viewed():
    places = places_of(viewed(frame_at((0.0, 0.0), [(10.0, -50.0, 11.0, 50.0)])))
    assert 8.0 < places[:, 0].max() < 12.5


def test_ground_in_a_direction_that_the_scan_knows_nothing_of_is_not_viewed():
    frame = frame_at((0.0, 0.0), [])
    blind = type(frame)(**{**vars(frame), "scan": RangeScan(0, ())})
    assert len(places_of(viewed(blind))) == 0


def test_area_counts_each_cell_once():
    first, again = frame_at((0.0, 0.0), []), frame_at((0.0, 0.0), [], time_s=0.1)
    once, twice = viewed(first), viewed(first, again)
    assert once.ground.area_m2 == twice.ground.area_m2 > 0.0
    assert once.ground.area_m2 == len(places_of(once)) * once.ground.window.cell_m**2


def test_cells_of_the_last_frame_are_those_in_view():
    surroundings = viewed(
        frame_at((0.0, 0.0), []), frame_at((0.0, 0.0), [], time_s=0.1, pan_deg=90)
    )
    rows, columns = surroundings.in_view
    assert (surroundings.ground.viewed_s[rows, columns] == 0.1).all()
    assert (surroundings.ground.viewed_s == 0.0).any()


def test_frame_from_near_the_ground_says_nothing():
    surroundings = viewed(frame_at((0.0, 0.0), [], altitude_m=1.0))
    assert len(places_of(surroundings)) == 0
    assert not surroundings.grid.log_odds.any()


def test_coarse_cells_lie_on_the_fine_ones():
    surroundings = viewed(frame_at((33.3, -7.7), []))
    fine, coarse = surroundings.grid.window, surroundings.ground.window
    assert (fine.south, fine.west) == (COARSE * coarse.south, COARSE * coarse.west)
    assert fine.size == COARSE * coarse.size


def test_ground_inside_the_geofence_is_never_forgotten():
    """A map that forgets would count the same ground again each time."""
    surroundings = Surroundings(CONFIG)
    places_m = [(0.0, 0.0), (-110.0, 0.0), (0.0, 0.0), (110.0, 0.0), (0.0, 0.0)]
    for i, place_m in enumerate(2 * places_m):
        surroundings.update(frame_at(place_m, [], time_s=i / 10), 4.5)
        if i == len(places_m):
            once_m2 = surroundings.ground.area_m2
    assert surroundings.ground.area_m2 == once_m2 > 0.0


def test_windows_stay_together_on_a_flight_beyond_the_largest_window():
    config = CONFIG.model_copy(
        update={"explore": CONFIG.explore.model_copy(update={"radius_m": 2000.0})}
    )
    surroundings = Surroundings(config)
    for i in range(8):
        surroundings.update(frame_at((60.0 * i, 0.0), [], time_s=i / 10), 4.5)
        fine, coarse = surroundings.grid.window, surroundings.ground.window
        assert (fine.south, fine.west) == (COARSE * coarse.south, COARSE * coarse.west)
    assert surroundings.grid.window.south > -COARSE * 128
    assert surroundings.ground.area_m2 > 3 * len(surroundings.in_view[0])


def test_ground_outside_of_the_geofence_does_not_count():
    """It is looked at, but no exploration is to go there."""
    explore = CONFIG.explore.model_copy(update={"radius_m": 12.0})
    surroundings = Surroundings(CONFIG.model_copy(update={"explore": explore}))
    frame = frame_at((3.0, -5.0), [])
    surroundings.update(frame, 4.5)
    away_m = np.hypot(*(places_of(surroundings) - [3.0, -5.0]).T)
    assert away_m.max() > 12.0
    cell_m2 = surroundings.ground.window.cell_m**2
    assert surroundings.ground.area_m2 == (away_m < 12.0).sum() * cell_m2 > 0.0
