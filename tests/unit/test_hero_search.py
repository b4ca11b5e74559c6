"""Tests of the probability map of a lost hero, and of the views that a search chooses."""

import math

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.messages import GroundCovariance, Measurement
from followme_uav.pilot.guidance.search import View
from followme_uav.pilot.mapping.surroundings import Surroundings
from followme_uav.pilot.mapping.window import GridWindow
from followme_uav.pilot.planning.grid_planner import GridPlanner
from followme_uav.pilot.search.hero_map import HeroMap
from followme_uav.pilot.search.hero_search import HeroSearch
from followme_uav.pilot.search.visibility import DIRECTIONS, visible_by_direction
from followme_uav.pilot.tracking.track import start_track
from tests.scan_world import frame_at

CONFIG = load_config(simulator="embedded-no-map")
CELLS = GridWindow(2.0, 100, -50, -50)
FREE = np.ones((100, 100), np.bool_)


def track_at(north_m, east_m, velocity_mps=(0.0, 0.0), sigma_m=1.0):
    covariance = GroundCovariance(sigma_m**2, 0.0, sigma_m**2)
    measurement = Measurement((north_m, east_m, -0.95), covariance, 10.0, 1.0, 1.0, False)
    track = start_track(0.0, measurement, CONFIG.track)
    return type(track)(**{**vars(track), "velocity_mps": velocity_mps})


def hero_map(track=None, is_walkable=FREE, radius_m=60.0):
    return HeroMap(CELLS, radius_m, track or track_at(1.0, 1.0), is_walkable)


def mean_m(found):
    rows, columns = np.indices(found.probability.shape)
    north_m, east_m = found.window.centres_m(rows, columns)
    return float((found.probability * north_m).sum()), float((found.probability * east_m).sum())


def variance_m2(found):
    rows, _ = np.indices(found.probability.shape)
    north_m, _ = found.window.centres_m(rows, rows)
    return float((found.probability * (north_m - mean_m(found)[0]) ** 2).sum())


def walkable_of(found, is_walkable=FREE):
    return found.cut(CELLS, is_walkable, True)


def test_map_begins_at_the_track():
    found = hero_map(track_at(11.0, -7.0))
    assert mean_m(found) == pytest.approx((11.0, -7.0), abs=0.3)
    assert found.probability.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("dt_s", [0.1, 1.0, 4.0])
def test_probability_is_kept_and_never_negative_while_it_spreads(dt_s):
    found = hero_map()
    for _ in range(5):
        found.move(dt_s, (1.5, -0.5), 4.0, walkable_of(found))
    assert found.probability.sum() == pytest.approx(1.0)
    assert found.probability.min() >= 0.0


def test_variance_grows_by_twice_the_diffusion():
    found = hero_map()
    before_m2 = variance_m2(found)
    for _ in range(30):
        found.move(0.1, (0.0, 0.0), 4.0, walkable_of(found))
    assert variance_m2(found) - before_m2 == pytest.approx(2.0 * 4.0 * 3.0, rel=0.05)


def test_mean_moves_with_the_hero_s_velocity():
    found = hero_map()
    north, east = mean_m(found)
    for _ in range(30):
        found.move(0.1, (2.0, -1.0), 1.0, walkable_of(found))
    assert mean_m(found) == pytest.approx((north + 6.0, east - 3.0), abs=0.2)


def test_nothing_passes_a_wall():
    wall = FREE.copy()
    wall[55, :] = False
    found = hero_map(is_walkable=wall)
    walkable = walkable_of(found, wall)
    for _ in range(100):
        found.move(0.2, (2.0, 0.0), 4.0, walkable)
    rows, columns = np.indices(found.probability.shape)
    north_m, _ = found.window.centres_m(rows, columns)
    assert found.probability[north_m > 10.0].sum() < 1e-12


def test_probability_leaves_ground_where_the_hero_is_not_seen():
    found = hero_map()
    rows, columns = np.nonzero(FREE)
    south = rows < 50
    before = found.probability.copy()
    for _ in range(10):
        found.not_seen_at(CELLS, rows[south], columns[south], 0.3)
    assert found.probability.sum() == pytest.approx(1.0)
    assert mean_m(found)[0] > 1.0
    assert found.probability.max() > before.max()


def test_hero_that_was_looked_for_everywhere_is_still_somewhere():
    found = hero_map()
    rows, columns = np.nonzero(FREE)
    for _ in range(200):
        found.not_seen_at(CELLS, rows, columns, 1.0)
    assert found.probability.sum() == pytest.approx(1.0)


def nothing(north_m, east_m):
    return np.zeros(np.broadcast_shapes(north_m.shape, east_m.shape), np.bool_)


def wall_across_north(north_m, east_m):
    return (abs(north_m - 9.0) < 1.0) & (abs(east_m) < 8.0)


def test_all_cells_in_open_ground_are_visible_up_to_the_view():
    values = np.ones((100, 100))
    seen = visible_by_direction(values, nothing, CELLS, np.array([[0.0, 0.0]]), 26.0)
    assert seen.shape == (1, DIRECTIONS)
    area_m2 = math.pi * (25.0**2 - 1.0) / 4.0  # cells of 4 m²
    assert seen.sum() == pytest.approx(area_m2, rel=0.05)


def test_ground_behind_an_obstacle_is_not_visible():
    values = np.zeros((100, 100))
    values[58:62, 48:52] = 1.0
    places = np.array([[0.0, 0.0], [0.0, 18.0]])
    open_view = visible_by_direction(values, nothing, CELLS, places, 30.0)
    behind = visible_by_direction(values, wall_across_north, CELLS, places, 30.0)
    assert open_view[0].sum() > 5.0
    assert behind[0].sum() == 0.0
    assert behind[1].sum() > 0.5 * open_view[1].sum()


def search_for(track, boxes, seconds, hero=None):
    """Fly a point on a search that never finds anybody; return (place, goal) of each frame."""
    surroundings = Surroundings(CONFIG)
    planner = GridPlanner(CONFIG, surroundings)
    search, here, flown = HeroSearch(CONFIG, surroundings, planner), (0.0, 0.0), []
    for i in range(12):
        surroundings.update(frame_at(here, boxes, time_s=i / 10, pan_deg=30.0 * i), 4.5)
    search.begin(1.2)
    azimuth_deg = 0.0
    for i in range(round(10 * seconds)):
        time_s = 1.2 + i / 10
        surroundings.update(frame_at(here, boxes, time_s=time_s, pan_deg=azimuth_deg), 4.5)
        goal = search.goal(time_s, here, track.predict(time_s, CONFIG.track))
        north, east = planner.velocity_to(goal.position_m, here, 5.0)
        here = here[0] + 0.1 * north, here[1] + 0.1 * east
        azimuth_deg = math.degrees(goal.azimuth_rad)
        flown.append((here, goal))
    return flown, search


def test_search_first_looks_where_the_hero_was_lost():
    flown, _ = search_for(track_at(10.0, 10.0), [], 0.5)
    goal = flown[0][1]
    assert goal.view is View.ALONG
    assert goal.azimuth_rad == pytest.approx(math.pi / 4.0, abs=0.2)


def test_search_flies_around_a_house_behind_which_the_hero_was_lost():
    house = (8.0, -10.0, 14.0, 10.0)
    flown, _ = search_for(track_at(20.0, 0.0), [house], 20.0)
    assert any(here[0] > 8.0 for here, _ in flown)
    assert all(
        not (house[0] - 1 < n < house[2] + 1 and house[1] - 1 < e < house[3] + 1)
        for (n, e), _ in flown
    )


def test_search_takes_probability_from_the_ground_that_it_has_seen():
    _, search = search_for(track_at(10.0, 0.0), [], 8.0)
    near = search.hero_map.probability[search.hero_map.window.cell_of((10.0, 0.0))]
    assert near < 0.25 * hero_map(track_at(10.0, 0.0)).probability.max()


def test_new_search_begins_at_the_new_place():
    _, search = search_for(track_at(10.0, 0.0), [], 3.0)
    search.begin(10.0)
    search.goal(10.0, (0.0, 0.0), track_at(-20.0, -20.0))
    assert mean_m(search.hero_map) == pytest.approx((-20.0, -20.0), abs=1.0)


def test_same_frames_give_the_same_search():
    first, second = (
        search_for(track_at(20.0, 0.0), [(8.0, -10.0, 14.0, 10.0)], 5.0)[0] for _ in range(2)
    )
    assert first == second
