"""SEARCH: a lost hero is looked for at the predicted position, then along the streets around."""

import math

import pytest

from followme_uav.config import load_config
from followme_uav.pilot.guidance.search import SearchPlan, View
from followme_uav.pilot.navigation.street_map import is_free
from followme_uav.pilot.tracking.track import Covariance, Track

CONFIG = load_config()
STREETS = CONFIG.simulator.flyable_m
PRECISE = Covariance(
    n_n=0.1, n_e=0.0, e_e=0.1,
    n_vn=0.0, n_ve=0.0, e_vn=0.0, e_ve=0.0,
    vn_vn=0.5, vn_ve=0.0, ve_ve=0.5,
)  # fmt: skip


def hero(north, east, velocity=(0.0, 0.0)):
    return Track(0.0, (north, east, -0.95), velocity, PRECISE)


def searched(config, here, track, seconds, speed_mps=5.0):
    """Positions of a vehicle that flies to each goal; True where the camera sweeps all around."""
    plan = SearchPlan(config)
    plan.begin(0.0)
    way = []
    for step in range(round(10 * seconds)):
        goal = plan.goal(0.1 * step, here, track)
        distance_m = math.dist(here, goal.position_m)
        share = min(1.0, 0.1 * speed_mps / distance_m) if distance_m > 0.0 else 0.0
        here = tuple(h + share * (g - h) for h, g in zip(here, goal.position_m, strict=True))
        way.append((here, goal.view is View.SWEEP))
    return way


def test_search_begins_at_the_predicted_position():
    way = searched(CONFIG, (0.0, 0.0), hero(25.0, 0.0), 3.0)
    here, is_sweeping = way[-1]
    assert not is_sweeping
    assert math.dist(here, (25.0, 0.0)) <= 2.0 * CONFIG.control.wanted_distance_m
    assert math.dist(here, (25.0, 0.0)) >= CONFIG.control.min_distance_m


def test_search_goes_on_along_the_streets_when_the_predicted_position_is_empty():
    way = searched(CONFIG, (0.0, 0.0), hero(25.0, 0.0), 45.0)
    assert way[-1][1]
    corners = [(60.0, 0.0), (0.0, 0.0)]
    for corner in corners:
        reach_m = CONFIG.search.place_radius_m + 0.5
        assert min(math.dist(here, corner) for here, _ in way) <= reach_m


def test_streets_near_to_the_track_are_searched_first():
    far_away = searched(CONFIG, (0.0, 0.0), hero(58.0, 3.0), 40.0)
    visited = [here for here, is_sweeping in far_away if is_sweeping]
    first = next(here for here in visited if math.dist(here, (0.0, 0.0)) > 40.0)
    assert math.dist(first, (60.0, 0.0)) < 25.0


def test_camera_dwells_on_the_predicted_position_until_it_has_been_in_view():
    """From the other side of a block the predicted position is not in view."""
    plan = SearchPlan(CONFIG)
    plan.begin(0.0)
    here, place = (-30.0, 0.0), (-60.0, -30.0)
    assert not is_free(STREETS, here, place)
    for step in range(round(10 * CONFIG.search.view_s) + 5):
        goal = plan.goal(0.1 * step, here, hero(*place))
    assert goal.view is View.DWELL


def test_search_flies_on_around_a_corner_near_to_which_the_hero_is():
    """It stood behind the corner, 5 m from the predicted position, which it never saw."""
    here, place = (-54.0, -10.0), (-49.5, -6.8)
    assert not is_free(STREETS, here, place)
    assert math.dist(here, place) < CONFIG.control.wanted_distance_m
    plan = SearchPlan(CONFIG)
    plan.begin(0.0)
    assert plan.goal(0.1, here, hero(*place)).position_m == place
    in_sight = (-55.0, -6.0)
    assert is_free(STREETS, in_sight, place)
    assert plan.goal(0.2, in_sight, hero(*place)).position_m == in_sight


def test_camera_dwells_then_scans_then_sweeps_when_the_predicted_position_is_in_view():
    config, plan = CONFIG.search, SearchPlan(CONFIG)
    plan.begin(10.0)
    views = [plan.goal(10.0 + 0.1 * step, (20.0, 0.0), hero(25.0, 0.0)).view for step in range(80)]
    first_of = {view: views.index(view) * 0.1 for view in (View.DWELL, View.SCAN, View.SWEEP)}
    assert first_of[View.DWELL] == 0.0
    assert first_of[View.SCAN] == pytest.approx(config.dwell_s, abs=0.11)
    assert first_of[View.SWEEP] == pytest.approx(config.view_s, abs=0.11)


def test_search_that_goes_on_after_an_approach_does_not_dwell_again():
    config, plan, place = CONFIG.search, SearchPlan(CONFIG), ((20.0, 0.0), hero(25.0, 0.0))
    plan.begin(0.0)
    for step in range(round(10 * config.dwell_s) + 2):
        plan.goal(0.1 * step, *place)
    plan.resume(60.0)
    assert plan.goal(60.1, *place).view is not View.DWELL
    plan.begin(60.1)
    assert plan.goal(60.2, *place).view is View.DWELL


def test_patrol_route_is_searched_without_a_map():
    simulator = CONFIG.simulator.model_copy(update={"flyable_m": ()})
    config = CONFIG.model_copy(update={"simulator": simulator})
    way = searched(config, (0.0, 0.0), hero(20.0, 10.0), 60.0)
    assert max(math.dist(here, (20.0, 10.0)) for here, _ in way) > 25.0


@pytest.mark.parametrize("seconds", [600.0])
def test_long_search_stays_in_the_city(seconds):
    for here, _ in searched(CONFIG, (0.0, 0.0), hero(25.0, 0.0), seconds)[::10]:
        assert max(abs(x) for x in here) <= 110.0
