"""Tests of ways on the vehicle's own map, and of the speed that known space allows."""

import math

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.pilot.mapping.surroundings import COARSE, Surroundings
from followme_uav.pilot.planning.grid_planner import GridPlanner
from followme_uav.pilot.planning.known_space import (
    KnownSpaceLimiter,
    stopping_distance_m,
    stopping_speed_mps,
)
from followme_uav.pilot.planning.route_field import RouteField
from tests.scan_world import frame_at

CONFIG = load_config(simulator="embedded-no-map")
CLEARANCE_M = CONFIG.limits.clearance_m
HOUSE = (10.0, -10.0, 20.0, 10.0)


def known(boxes, *places_m):
    """A map made by looking around at these places."""
    surroundings = Surroundings(CONFIG)
    for i, place_m in enumerate(places_m):
        surroundings.update(frame_at(place_m, boxes, time_s=i / 10, all_around=True), 4.5)
    return surroundings


def around_the_house():
    return known([HOUSE], (0.0, 0.0), (0.0, 20.0), (30.0, 20.0), (30.0, 0.0), (0.0, -20.0))


def distance_to_box_m(point_m, box):
    return math.hypot(
        *(
            max(low - x, 0.0, x - high)
            for x, low, high in zip(point_m, box[:2], box[2:], strict=True)
        )
    )


def field_of(surroundings, here_m=(0.0, 0.0), limit_m=120.0):
    log_odds, tight = surroundings.grid.sampled(COARSE)
    return RouteField(log_odds < 0, tight, surroundings.ground.window, here_m, limit_m)


def test_way_in_open_space_is_as_long_as_a_way_on_a_grid_has_to_be():
    surroundings = known([], (0.0, 0.0))
    field = field_of(surroundings)
    cell = field.window.cell_of((20.0, 10.0))
    start, end = (
        field.window.centre_of(*field.window.cell_of((0.0, 0.0))),
        field.window.centre_of(*cell),
    )
    north_m, east_m = abs(end[0] - start[0]), abs(end[1] - start[1])
    octile_m = max(north_m, east_m) + (math.sqrt(2.0) - 1.0) * min(north_m, east_m)
    assert field.cost[cell] == pytest.approx(octile_m)


def test_way_leads_around_a_house_with_the_clearance():
    field = field_of(around_the_house())
    way = field.way_to(*field.window.cell_of((26.0, 0.0)))
    assert math.dist(way[0], (0.0, 0.0)) <= 2.0
    assert math.dist(way[-1], (26.0, 0.0)) <= 2.0
    assert min(distance_to_box_m(point, HOUSE) for point in way) >= CLEARANCE_M - 0.5


def test_no_way_leads_to_unknown_or_tight_places():
    field = field_of(known([HOUSE], (0.0, 0.0)))
    for place_m in ((15.0, 0.0), (30.0, 0.0), (9.0, 0.0)):
        cell = field.window.cell_of(place_m)
        assert math.isinf(field.cost[cell])
        assert field.way_to(*cell) == []


def test_costs_grow_by_no_more_than_a_step_between_neighbours():
    field = field_of(around_the_house())
    cost = field.cost
    finite = np.isfinite(cost[:-1]) & np.isfinite(cost[1:])
    steps = np.abs(cost[1:][finite] - cost[:-1][finite])
    assert steps.max() <= 10.0 * field.window.cell_m


def test_vehicle_nearer_to_a_wall_than_the_clearance_finds_a_way_out():
    surroundings = known([HOUSE], (0.0, 0.0), (8.8, 0.0))
    field = field_of(surroundings, (8.8, 0.0))
    assert np.isfinite(field.cost[field.window.cell_of((0.0, 0.0))])


def test_place_without_a_way_stands_for_the_nearest_one_with_a_way():
    field = field_of(around_the_house())
    place_m = field.window.centre_of(*field.nearest_to((12.0, 0.0)))
    assert distance_to_box_m(place_m, HOUSE) < 4.5


def fly(surroundings, goal_m, seconds, boxes, speed_mps=5.0):
    """Fly a point along the planner's velocities, looking around; return its places."""
    planner, here = GridPlanner(CONFIG, surroundings), (0.0, 0.0)
    track = [here]
    for i in range(round(10 * seconds)):
        surroundings.update(frame_at(here, boxes, time_s=10.0 + i / 10, all_around=True), 4.5)
        north, east = planner.velocity_to(goal_m, here, speed_mps)
        here = here[0] + 0.1 * north, here[1] + 0.1 * east
        track.append(here)
    return track


def test_planner_flies_around_a_house_that_it_does_not_know_yet():
    track = fly(known([HOUSE], (0.0, 0.0)), (27.0, 0.0), 25.0, [HOUSE])
    assert math.dist(track[-1], (27.0, 0.0)) < 1.0
    assert min(distance_to_box_m(here, HOUSE) for here in track) >= CLEARANCE_M - 0.6


def test_way_in_open_space_is_flown_straight():
    track = fly(known([], (0.0, 0.0)), (20.0, 9.0), 10.0, [])
    assert math.dist(track[-1], (20.0, 9.0)) < 0.5
    north, east = np.array(track).T
    assert np.abs(20.0 * east - 9.0 * north).max() / math.hypot(20.0, 9.0) < 0.1


def test_line_behind_a_wall_is_not_straight():
    planner = GridPlanner(CONFIG, around_the_house())
    assert planner.is_straight((9.0, 5.0), (0.0, 0.0))
    assert not planner.is_straight((26.0, 0.0), (0.0, 0.0))


@pytest.mark.parametrize("speed_mps", [0.0, 0.3, 2.0, 8.0])
@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.9])
def test_stopping_speed_and_distance_are_inverse(speed_mps, delay_s):
    distance_m = stopping_distance_m(speed_mps, 6.0, delay_s)
    assert stopping_speed_mps(distance_m, 6.0, delay_s) == pytest.approx(speed_mps)


def limited(surroundings, velocity_mps, here_m=(0.0, 0.0)):
    limiter = KnownSpaceLimiter(CONFIG, surroundings)
    return limiter.limit_velocity(here_m, velocity_mps, 0.45)


def test_velocity_in_open_known_space_is_kept():
    assert limited(known([], (0.0, 0.0)), (8.0, 0.0)) == pytest.approx((8.0, 0.0))


def test_vehicle_does_not_creep_into_unknown_space():
    """It clears only the place where it is, not the one that it wants to fly to."""
    surroundings, here = Surroundings(CONFIG), (0.0, 0.0)
    limiter = KnownSpaceLimiter(CONFIG, surroundings)
    for i in range(100):
        view = frame_at(here, [], time_s=i / 10)
        surroundings.update(type(view)(**{**vars(view), "scan": None}), 4.5)
        north, east = limiter.limit_velocity(here, (3.0, 0.5), 0.45)
        here = here[0] + 0.1 * north, here[1] + 0.1 * east
    assert math.hypot(*here) <= 2.0


def test_velocity_into_unknown_space_is_none():
    assert math.hypot(*limited(Surroundings(CONFIG), (3.0, 1.0))) == 0.0


@pytest.mark.parametrize("seed", range(4))
def test_vehicle_can_stop_inside_known_space_whatever_is_asked(seed):
    """Ask for random velocities; from each that is allowed, full braking must end in free space."""
    random = np.random.default_rng(seed)
    surroundings = around_the_house()
    for _ in range(60):
        here = tuple(random.uniform(-15.0, 8.0, 2))
        azimuth = random.uniform(-math.pi, math.pi)
        wanted = 8.0 * math.cos(azimuth), 8.0 * math.sin(azimuth)
        north, east = limited(surroundings, wanted, here)
        speed_mps = math.hypot(north, east)
        if speed_mps < 0.1:
            continue
        reach_m = stopping_distance_m(speed_mps, CONFIG.limits.acceleration_mps2 / 1.5, 0.55)
        along = np.linspace(0.3, reach_m, 20) / speed_mps
        assert surroundings.grid.may_fly(
            here[0] + along * north, here[1] + along * east, tight=True
        ).all()


def test_vehicle_that_flies_at_a_wall_at_an_angle_slides_along_it():
    surroundings = known([(5.0, -40.0, 6.0, 40.0)], (0.0, 0.0), (3.0, 0.0))
    north, east = limited(surroundings, (4.0, 4.0), (3.0, 0.0))
    assert east > 1.5
    assert north < 1.0


def test_velocity_is_never_faster_than_asked():
    surroundings = around_the_house()
    for azimuth in np.linspace(0.0, 6.2, 20):
        wanted = 3.0 * math.cos(azimuth), 3.0 * math.sin(azimuth)
        assert math.hypot(*limited(surroundings, wanted, (0.0, 3.0))) <= 3.0 + 1e-9
