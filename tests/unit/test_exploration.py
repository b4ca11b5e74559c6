"""Tests of the exploration of an unknown place."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.pilot.mapping.surroundings import Surroundings
from followme_uav.pilot.planning.grid_planner import GridPlanner
from followme_uav.pilot.search.exploration import Exploration
from followme_uav.pilot.search.landing import ViewedPlaces
from tests.scan_world import frame_at

HOUSE = (6.0, -6.0, 16.0, 6.0)
YARD = (
    (-25.0, -25.0, -24.0, 25.0),
    (24.0, -25.0, 25.0, 25.0),
    (-25.0, -25.0, 25.0, -24.0),
    (-25.0, 24.0, 25.0, 25.0),
)
"""Walls around 48 m of ground."""


def config_with(**changes):
    config = load_config(simulator="embedded-no-map")
    return config.model_copy(update={"explore": config.explore.model_copy(update=changes)})


def explore(config, boxes, seconds):
    """Fly a point at 5 m/s to the waypoints, the camera sweeping; return places and maps."""
    surroundings = Surroundings(config)
    planner = GridPlanner(config, surroundings)
    exploration = Exploration(config, surroundings, planner)
    here, track, areas_m2 = (0.0, 0.0), [], []
    for i in range(round(10 * seconds)):
        frame = frame_at(here, boxes, time_s=i / 10, pan_deg=(40.0 * i) % 360.0)
        surroundings.update(frame, 4.5)
        velocity = planner.velocity_to(exploration.waypoint(here), here, 5.0)
        if i >= 20:  # look around first
            here = here[0] + 0.1 * velocity[0], here[1] + 0.1 * velocity[1]
        track.append(here)
        areas_m2.append(surroundings.ground.area_m2)
    return track, areas_m2, surroundings


def test_yard_with_a_house_is_seen_as_a_whole():
    _, areas_m2, _ = explore(config_with(), (*YARD, HOUSE), 35.0)
    whole_m2 = 48.0**2 - 10.0 * 12.0
    assert areas_m2[-1] >= 0.93 * whole_m2


def test_coverage_never_shrinks():
    _, areas_m2, _ = explore(config_with(), YARD, 10.0)
    assert all(after >= before for before, after in itertools.pairwise(areas_m2))
    assert areas_m2[-1] > areas_m2[0]


@pytest.mark.parametrize(("radius_m", "least_m"), [(12.0, 0.0), (40.0, 12.0)])
def test_exploration_stays_inside_the_geofence(radius_m, least_m):
    """From the middle of a small one, everything is in view."""
    track, _, _ = explore(config_with(radius_m=radius_m), [], 20.0)
    assert least_m <= max(math.hypot(*here) for here in track) <= radius_m


def test_ground_not_looked_at_for_long_is_visited_again():
    """In a yard that was seen as a whole, the vehicle goes round instead of hovering."""
    track, _, surroundings = explore(config_with(forget_s=10.0), (*YARD, HOUSE), 40.0)
    late = np.array(track[200:])
    assert np.ptp(late[:, 0]) + np.ptp(late[:, 1]) > 15.0
    age_s = surroundings.time_s - surroundings.ground.viewed_s
    assert np.mean(age_s[np.isfinite(age_s)] < 20.0) > 0.8


def test_same_frames_give_the_same_exploration():
    first, second = (explore(config_with(), (*YARD, HOUSE), 8.0)[0] for _ in range(2))
    assert first == second


def test_waypoint_of_a_vehicle_that_sees_nothing_is_its_own_place():
    config = config_with()
    surroundings = Surroundings(config)
    exploration = Exploration(config, surroundings, GridPlanner(config, surroundings))
    waypoint = exploration.waypoint((0.0, 0.0))
    assert math.hypot(*waypoint) <= 4.0


def test_landing_places_are_off_the_walls():
    config = config_with()
    _, _, surroundings = explore(config, [HOUSE], 5.0)
    places_m = ViewedPlaces(surroundings, GridPlanner(config, surroundings)).nearest_first((4.8, 0))
    assert len(places_m) > 20
    south, west, north, east = HOUSE
    nearest_m = np.clip(places_m, (south, west), (north, east))
    apart_m = np.hypot(*(places_m - nearest_m).T)
    assert apart_m.min() >= config.limits.clearance_m - config.explore.cell_m


def test_landing_places_are_sorted_by_the_way_to_them():
    config = config_with()
    _, _, surroundings = explore(config, [], 3.0)
    places_m = ViewedPlaces(surroundings, GridPlanner(config, surroundings)).nearest_first((0, 0))
    assert math.hypot(*places_m[0]) <= 6.0
    assert math.hypot(*places_m[-1]) == pytest.approx(np.hypot(*places_m.T).max(), abs=4.0)


def beyond_the_geofence(surroundings):
    """A place where the window, which holds the geofence, follows the vehicle."""
    return surroundings.radius_m + 5.0, 0.0


def test_landing_places_are_the_same_in_the_moment_in_which_the_window_moves_on():
    config = config_with()
    _, _, surroundings = explore(config, [], 3.0)
    planner = GridPlanner(config, surroundings)
    places = ViewedPlaces(surroundings, planner)
    before_m = places.nearest_first((0.0, 0.0))
    there_m = beyond_the_geofence(surroundings)
    surroundings.update(frame_at(there_m, [], time_s=surroundings.time_s), 4.5)
    after_m = places.nearest_first(there_m)
    assert surroundings.ground.window != planner.field(there_m).window
    assert 0 < len(after_m) <= len(before_m)
    assert set(map(tuple, after_m.tolist())) <= set(map(tuple, before_m.tolist()))


def test_best_view_is_the_same_in_the_moment_in_which_the_window_moves_on():
    config = config_with()
    _, _, surroundings = explore(config, (*YARD, HOUSE), 3.0)
    planner = GridPlanner(config, surroundings)
    exploration = Exploration(config, surroundings, planner)
    field = planner.field((0.0, 0.0))
    before_m = exploration._best_view(field, None)
    there = frame_at(beyond_the_geofence(surroundings), [], time_s=surroundings.time_s)
    surroundings.update(dataclasses.replace(there, scan=None), 4.5)
    assert surroundings.ground.window != field.window
    assert exploration._best_view(field, None) == before_m
