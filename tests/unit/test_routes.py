"""A hero with a route, or absent, as scenarios need it."""

import math
from itertools import pairwise

import numpy as np
import pytest

from followme_uav.errors import ConfigError
from followme_uav.sim.agents.people import Crowd
from followme_uav.sim.agents.routes import HeroMode, Route
from followme_uav.sim.agents.traffic import Traffic
from followme_uav.sim.airsim_api.bodies import find_body, names_of, person_index
from followme_uav.sim.city.world import make_city
from followme_uav.sim.simulation import Simulation

pytestmark = pytest.mark.slow

CITY = make_city(4)
DT_S = 0.05
ROUND = ((7.5, -20.0), (7.5, 7.5), (-7.5, 7.5), (-1.6, 30.0), (1.6, 50.0), (7.5, 52.5), (7.5, 7.5))
"""Over crosswalks, and down a lane."""


def _walk(crowd: Crowd, seconds: float, traffic: Traffic | None = None) -> np.ndarray:
    """(steps, 3): north, east, speed of the hero."""
    rows = []
    for _ in range(round(seconds / DT_S)):
        crowd.advance(DT_S, traffic)
        if traffic is not None:
            traffic.advance(DT_S, crowd.in_the_road_m, crowd.crosswalks_in_use)
        rows.append((*crowd.feet_m[0, :2], crowd.people[0].speed_mps))
    return np.array(rows)


def _off_route_m(points: np.ndarray, route: Route) -> np.ndarray:
    ends = np.array([*route.waypoints_m, route.waypoints_m[0]])
    gaps = []
    for a, b in pairwise(ends):
        share = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0.0, 1.0)
        gaps.append(np.hypot(*(a + share[:, None] * (b - a) - points).T))
    return np.min(gaps, axis=0)


@pytest.mark.parametrize("speed_mps", [1.4, 5.0])
def test_hero_follows_the_route_at_its_speeds_and_stops(speed_mps: float):
    """Scenarios prescribe positions and speeds, stops included."""
    route = Route(ROUND, ((0.0, speed_mps), (20.0, 0.0), (25.0, speed_mps)), loop=True)
    crowd = Crowd(CITY, 4, 0, route)
    assert crowd.people[0].position_m[:2] == ROUND[0]
    walk = _walk(crowd, 60.0)
    assert _off_route_m(walk[:, :2], route).max() < 0.5
    assert np.median(walk[:, 2]) == pytest.approx(speed_mps, rel=0.02)
    assert walk[:, 2].max() <= speed_mps + 1e-9
    stopped = walk[round(23.0 / DT_S) : round(25.0 / DT_S)]
    assert stopped[:, 2].max() < 0.01
    length_m = np.hypot(*np.diff(walk[:, :2], axis=0).T).sum()
    assert length_m == pytest.approx(55.0 * speed_mps, rel=0.05)


def test_hero_makes_progress_through_people_and_traffic():
    """People and cars may delay the hero, but the route must be completed."""
    route = Route(ROUND, ((0.0, 3.0),), loop=True)
    crowd, traffic = Crowd(CITY, 4, 30, route), Traffic(4, 20)
    traffic.reset(crowd.in_the_road_m)
    walk = _walk(crowd, 60.0, traffic)
    assert _off_route_m(walk[:, :2], route).max() < 3.0
    assert np.hypot(*np.diff(walk[:, :2], axis=0).T).sum() > 0.7 * 60.0 * 3.0
    again = Crowd(CITY, 4, 30, route)
    cars = Traffic(4, 20)
    cars.reset(again.in_the_road_m)
    assert np.array_equal(_walk(again, 60.0, cars), walk)


def test_hero_without_a_loop_stays_at_the_last_waypoint():
    """Scenarios wait there for the follower to settle."""
    crowd = Crowd(CITY, 4, 0, Route(((7.5, -7.5), (7.5, 7.5)), ((1.0, 1.5),)))
    walk = _walk(crowd, 20.0)
    assert (walk[: round(0.9 / DT_S), 2] == 0.0).all()
    assert walk[-1, :2] == pytest.approx((7.5, 7.5), abs=0.2)
    assert walk[-1, 2] < 0.01
    stands = Crowd(CITY, 4, 0, Route(((7.5, -7.5),)))
    assert _walk(stands, 5.0)[:, 2].max() == 0.0


def test_a_moved_hero_continues_from_the_nearest_point_of_the_route():
    """A hero moved by a client must not walk back."""
    crowd = Crowd(CITY, 4, 0, Route(((7.5, -40.0), (7.5, 40.0))))
    _walk(crowd, 2.0)
    crowd.place(0, 7.5, 20.0, 0.0)
    assert _walk(crowd, 5.0)[-1, 1] > 25.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((),), "no waypoint"),
        ((((0.0, 6000.0),),), "outside the city"),
        ((((math.nan, 0.0),),), "outside the city"),
        ((((0.0, 0.0),), ((0.0, 5.1),)), "use 0 to 5"),
        ((((0.0, 0.0),), ((0.0, 1.0), (0.0, 2.0))), "rising times"),
        ((((0.0, 0.0),), ((-1.0, 1.0),)), "rising times"),
    ],
)
def test_an_invalid_route_is_a_config_error(arguments, message):
    """A typing error in a scenario must be reported before the flight."""
    with pytest.raises(ConfigError, match=message):
        Route(*arguments)


def test_a_route_through_a_house_is_a_config_error_that_names_it():
    """A hero inside a house is invisible, and the flight fails."""
    house = CITY.buildings[0]
    route = Route(((7.5, 7.5), (house.north_m, house.east_m)))
    with pytest.raises(ConfigError, match=r"leg 1 comes within .* of \w+_\d+"):
        Crowd(CITY, 4, 0, route)


def test_an_absent_hero_has_no_body_and_no_name():
    """Flights without a hero need the same city and people as others."""
    simulation = Simulation(4, 8, hero=HeroMode.ABSENT)
    simulation.step(200)
    assert not simulation.crowd.people[0].present
    assert all(person.present for person in simulation.crowd.people[1:])
    assert "hero" not in names_of(simulation)
    assert person_index(simulation, "hero") is None
    assert find_body(simulation, "hero") is None
    assert math.isfinite(simulation.clearance_m())
    assert simulation.vehicle.collision is None
    simulation.reset()
    assert not simulation.crowd.people[0].present
