"""Tests of the map that the vehicle makes of the space at its height."""

import math

import numpy as np
import pytest

from followme_uav.messages import RangeScan
from followme_uav.pilot.mapping.inflation import Inflation
from followme_uav.pilot.mapping.occupancy_grid import HULL_M, LEAST, MOST, OccupancyGrid
from followme_uav.pilot.mapping.window import GridWindow
from tests.scan_world import scan_around

WALL = (8.2, -20.0, 9.2, 20.0)
CLEARANCE_M = 1.8


def grid_of(radius_m=60.0, largest=1024):
    window = GridWindow.around((0.0, 0.0), 0.5, radius_m, largest)
    return OccupancyGrid(window, CLEARANCE_M)


def values_at(grid, *points_m):
    rows, columns = grid.window.rows_columns(*np.array(points_m).T)
    return grid.log_odds[rows, columns].tolist()


def seen_from(*places_m, boxes=(WALL,)):
    grid = grid_of()
    for place_m in places_m:
        grid.update(scan_around(place_m, boxes), place_m)
    return grid


def test_space_before_a_wall_is_free_the_wall_occupied_and_behind_it_unknown():
    grid = seen_from((0.0, 0.0))
    before, wall, behind = values_at(grid, (4.0, 0.2), (8.3, 0.2), (12.0, 0.2))
    assert before < 0 < wall
    assert behind == 0


def test_window_without_a_scan_is_unknown():
    assert not grid_of().log_odds.any()


def test_scan_without_rays_changes_nothing():
    grid = grid_of()
    grid.update(RangeScan(0, ()), (0.0, 0.0))
    assert not grid.log_odds.any()


def test_free_space_has_no_gaps_where_rays_lie_closer_than_cells():
    grid = seen_from((0.0, 0.0), boxes=())
    rows, columns = np.mgrid[0 : grid.window.size, 0 : grid.window.size]
    north_m, east_m = grid.window.centres_m(rows, columns)
    assert (grid.log_odds[np.hypot(north_m, east_m) < 25.0] < 0).all()


def test_log_odds_stay_within_their_bounds():
    grid = seen_from(*[(0.0, 0.0)] * 30)
    assert grid.log_odds.min() == LEAST
    assert grid.log_odds.max() == MOST


def test_one_hit_is_enough_to_occupy_free_space():
    grid = seen_from(*[(0.0, 0.0)] * 10, boxes=())
    grid.update(scan_around((0.0, 0.0), [WALL]), (0.0, 0.0))
    assert values_at(grid, (8.3, 0.2))[0] > 0


def test_obstacle_that_goes_away_is_forgotten_after_ten_scans():
    grid = seen_from(*[(0.0, 0.0)] * 30)
    for _ in range(10):
        grid.update(scan_around((0.0, 0.0), []), (0.0, 0.0))
    assert not grid.is_occupied.any()
    assert values_at(grid, (8.3, 0.2))[0] < 0


def test_thin_pole_stays_occupied_while_the_vehicle_flies_past_it():
    pole = (10.0, 3.0, 10.15, 3.15)
    grid = seen_from(*[(0.3 * i, 0.0) for i in range(50)], boxes=[pole])
    assert values_at(grid, (10.1, 3.1))[0] > 0


@pytest.mark.parametrize("seed", range(3))
def test_counted_surroundings_equal_those_computed_at_once(seed):
    """The counts follow each change; a sum over all cells, computed anew, is the truth."""
    random = np.random.default_rng(seed)
    grid = grid_of(40.0)
    for _ in range(12):
        here = tuple(random.uniform(-6.0, 6.0, 2))
        corners = random.uniform(-20.0, 20.0, (4, 2))
        boxes = [(n, e, n + 2.0, e + 2.0) for n, e in corners if math.dist((n, e), here) > 6.0]
        grid.update(scan_around(here, boxes), here)
    assert np.array_equal(grid.is_occupied, grid.log_odds > 0)
    fresh = Inflation(grid.window, CLEARANCE_M)
    fresh.add(np.flatnonzero(grid.is_occupied))
    _, tight = grid.sampled(1)
    assert np.array_equal(tight.ravel(), fresh.counts > 0)


def test_places_nearer_to_a_wall_than_the_clearance_may_not_be_flown_over():
    grid = seen_from((0.0, 0.0))
    north_m = np.array([8.2 - CLEARANCE_M - 1.0, 8.2 - CLEARANCE_M + 0.6])
    assert grid.may_fly(north_m, np.zeros(2)).tolist() == [True, False]
    tight = np.array([8.2 - HULL_M - 1.0, 8.2 - HULL_M + 0.6])
    assert grid.may_fly(tight, np.zeros(2), tight=True).tolist() == [True, False]


def test_unknown_space_and_space_outside_the_window_may_not_be_flown_over():
    grid = seen_from((0.0, 0.0))
    assert not grid.may_fly(np.array([12.0, 500.0]), np.array([0.0, 0.0])).any()


def test_place_of_the_vehicle_is_free_but_not_what_is_beside_it():
    grid = grid_of()
    grid.clear_around((3.2, 3.2), 0.0)
    assert values_at(grid, (3.2, 3.2), (3.2, 4.2)) == [-4, 0]
    grid.clear_around((3.2, 3.2), 2.0)
    assert values_at(grid, (3.2, 4.2), (5.0, 5.0), (3.2, 6.2)) == [-4, -4, 0]


def test_place_beside_unknown_space_may_not_be_flown_over():
    """The vehicle is wider than a cell: what is unknown beside it may be a tree."""
    grid = grid_of()
    grid.update(scan_around((0.0, 0.0), [], first_deg=0.0, span_deg=90.0), (0.0, 0.0))
    assert grid.may_fly(np.array([10.0]), np.array([3.0])).all()
    assert not grid.may_fly(np.array([10.0]), np.array([0.3])).any()


def test_window_follows_the_vehicle_and_keeps_the_map_around_it():
    grid = grid_of(largest=160)  # 80 m
    grid.update(scan_around((0.0, 0.0), [WALL]), (0.0, 0.0))
    size, before = grid.window.size, values_at(grid, (4.0, 0.2), (8.3, 0.2))
    grid.follow((22.0, 0.0))
    assert grid.window.size == size
    assert grid.window.south > -80
    assert values_at(grid, (4.0, 0.2), (8.3, 0.2)) == before
    assert np.array_equal(grid.is_occupied, grid.log_odds > 0)
    grid.follow((2000.0, 0.0))
    assert not grid.log_odds.any()
    assert not grid.is_occupied.any()


def test_scans_beyond_the_window_are_cut_off():
    grid = grid_of(20.0)
    grid.update(scan_around((15.0, 15.0), [(17.0, -20.0, 18.0, 40.0)]), (15.0, 15.0))
    grid.update(scan_around((500.0, 15.0), []), (500.0, 15.0))
    assert grid.is_free.any()


def test_same_scans_give_the_same_map():
    places = [(0.7 * i, 0.3 * i) for i in range(8)]
    first, second = seen_from(*places), seen_from(*places)
    assert np.array_equal(first.log_odds, second.log_odds)
