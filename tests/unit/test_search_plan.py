"""If these fail, a hero who was lost is looked for in the wrong streets, or not at all."""

import math

import pytest
from followme_uav.pilot.keep_in import is_free
from followme_uav.pilot.search import Look, Search
from followme_uav.pilot.tracker import Covariance, HeroTrack

from followme_uav.config import load_config

CONFIG = load_config()
STREETS = CONFIG.simulator.flyable_m
SURE = Covariance(
    n_n=0.1, n_e=0.0, e_e=0.1,
    n_vn=0.0, n_ve=0.0, e_vn=0.0, e_ve=0.0,
    vn_vn=0.5, vn_ve=0.0, ve_ve=0.5,
)  # fmt: skip


def hero(north, east, velocity=(0.0, 0.0)):
    return HeroTrack(0.0, (north, east, -0.95), velocity, SURE)


def hunted(config, here, track, seconds, speed_mps=5.0):
    """Places on the way of a vehicle that flies to each goal; True where it looks all around."""
    search = Search(config)
    search.begin(0.0)
    way = []
    for step in range(round(10 * seconds)):
        goal = search.goal(0.1 * step, here, track)
        distance_m = math.dist(here, goal.spot_m)
        share = min(1.0, 0.1 * speed_mps / distance_m) if distance_m > 0.0 else 0.0
        here = tuple(h + share * (s - h) for h, s in zip(here, goal.spot_m, strict=True))
        way.append((here, goal.look is Look.ALL_AROUND))
    return way


def test_first_it_goes_to_where_she_should_be_and_looks():
    way = hunted(CONFIG, (0.0, 0.0), hero(25.0, 0.0), 3.0)
    here, is_wide = way[-1]
    assert not is_wide
    assert math.dist(here, (25.0, 0.0)) <= 2.0 * CONFIG.control.wanted_distance_m
    assert math.dist(here, (25.0, 0.0)) >= CONFIG.control.min_distance_m


def test_when_she_is_not_there_it_looks_all_around_along_the_streets():
    way = hunted(CONFIG, (0.0, 0.0), hero(25.0, 0.0), 45.0)
    assert way[-1][1]
    corners = [(60.0, 0.0), (0.0, 0.0)]
    for corner in corners:
        reach_m = CONFIG.search.spot_radius_m + 0.5
        assert min(math.dist(here, corner) for here, _ in way) <= reach_m


def test_the_streets_near_to_her_come_first():
    far_away = hunted(CONFIG, (0.0, 0.0), hero(58.0, 3.0), 40.0)
    visited = [here for here, is_wide in far_away if is_wide]
    first = next(here for here in visited if math.dist(here, (0.0, 0.0)) > 40.0)
    assert math.dist(first, (60.0, 0.0)) < 25.0


def test_a_place_behind_a_block_counts_as_looked_at_only_with_a_view_of_it():
    """From the other side of the house one cannot see whether she is there."""
    search = Search(CONFIG)
    search.begin(0.0)
    here, place = (-30.0, 0.0), (-60.0, -30.0)
    assert not is_free(STREETS, here, place)
    for step in range(round(10 * CONFIG.search.look_s) + 5):
        goal = search.goal(0.1 * step, here, hero(*place))
    assert goal.look is Look.THERE


def test_without_a_map_the_round_of_the_patrol_is_searched():
    simulator = CONFIG.simulator.model_copy(update={"flyable_m": ()})
    config = CONFIG.model_copy(update={"simulator": simulator})
    way = hunted(config, (0.0, 0.0), hero(20.0, 10.0), 60.0)
    assert max(math.dist(here, (20.0, 10.0)) for here, _ in way) > 25.0


@pytest.mark.parametrize("seconds", [600.0])
def test_a_long_search_stays_in_the_city(seconds):
    for here, _ in hunted(CONFIG, (0.0, 0.0), hero(25.0, 0.0), seconds)[::10]:
        assert max(abs(x) for x in here) <= 110.0
