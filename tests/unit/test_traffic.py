"""Driving cars: deterministic, on their lanes, without collisions."""

import math
from itertools import combinations

import numpy as np
import pytest

from followme_uav.errors import ConfigError
from followme_uav.sim.agents.driver import LENGTH_M
from followme_uav.sim.agents.ground_contact import car_circle, push_out_one
from followme_uav.sim.agents.lanes import LANES
from followme_uav.sim.agents.people import Crowd
from followme_uav.sim.agents.traffic import MAX_CARS, Traffic
from followme_uav.sim.airsim_api.bodies import find_body, names_of
from followme_uav.sim.city.layout import STREET_CENTRES_M, Car
from followme_uav.sim.city.world import make_city
from followme_uav.sim.simulation import Simulation

pytestmark = pytest.mark.slow

DT_S = 0.05


def _drive(traffic: Traffic, seconds: float, **what) -> list[tuple[Car, ...]]:
    history = []
    for _ in range(round(seconds / DT_S)):
        traffic.advance(DT_S, **what)
        history.append(traffic.cars)
    return history


def _outside_m(car: Car, north_m: float, east_m: float) -> float:
    """From a point to the nearest side of a car; 0 within."""
    n, e = north_m - car.north_m, east_m - car.east_m
    c, s = math.cos(car.yaw_rad), math.sin(car.yaw_rad)
    ahead, aside = abs(n * c + e * s) - car.length_m / 2, abs(e * c - n * s) - car.width_m / 2
    return math.hypot(max(ahead, 0.0), max(aside, 0.0))


def _corners(car: Car) -> list[tuple[float, float]]:
    c, s = math.cos(car.yaw_rad), math.sin(car.yaw_rad)
    return [
        (car.north_m + a * c - b * s, car.east_m + a * s + b * c)
        for a in (-car.length_m / 2, 0.0, car.length_m / 2)
        for b in (-car.width_m / 2, car.width_m / 2)
    ]


def test_equal_seeds_give_equal_drives_and_reset_returns_to_the_start():
    """A replayed or reset flight needs the same cars in the same places."""
    first, second = Traffic(9, 8), Traffic(9, 8)
    start = first.cars
    drive = _drive(first, 20.0)
    assert drive == _drive(second, 20.0)
    first.reset()
    assert first.cars == start
    assert _drive(first, 20.0) == drive
    assert Traffic(10, 8).cars != start


@pytest.mark.parametrize(("seed", "cars"), [(0, 8), (3, MAX_CARS)])
def test_cars_keep_right_turn_and_never_touch(seed: int, cars: int):
    """Overlapping cars, and cars on pavements or on the wrong side, are unrealistic."""
    parked = make_city(seed).cars
    traffic = Traffic(seed, cars)
    turned = set()
    for now in _drive(traffic, 120.0)[::4]:
        for one, other in combinations((*now, *parked), 2):
            apart_m = math.hypot(one.north_m - other.north_m, one.east_m - other.east_m)
            if apart_m < 6.0 and (one in now or other in now):
                assert all(_outside_m(one, *corner) > 0.1 for corner in _corners(other))
        for i, car in enumerate(now):
            corners = np.array(_corners(car))
            gaps = np.abs(corners[:, :, None] - np.array(STREET_CENTRES_M)).min(axis=2)
            assert (gaps.min(axis=1) < 5.0).all()  # nowhere on a pavement
            assert np.abs(corners).max() < 75.0
            quarter = car.yaw_rad / (math.pi / 2)
            if abs(quarter - round(quarter)) < 1e-6:
                turned.add((i, round(quarter) % 4))
                along_north = round(quarter) % 2 == 0
                across = car.east_m if along_north else car.north_m
                side = min((across - c for c in STREET_CENTRES_M), key=abs)
                right = 1.0 if round(quarter) % 4 in (0, 3) else -1.0
                assert side * right == pytest.approx(1.6, abs=1e-6)
    assert len(turned) > 2 * cars  # cars turn, too


def test_no_car_stands_for_a_minute():
    """Cars that block each other are no traffic."""
    traffic = Traffic(2, 16)
    way_m = np.zeros(16)
    standing_s, longest_s = np.zeros(16), 0.0
    for _ in range(round(300.0 / DT_S)):
        traffic.advance(DT_S)
        speeds = np.array(traffic.speeds_mps)
        assert speeds.max() <= 9.0
        way_m += speeds * DT_S
        standing_s = np.where(speeds < 0.05, standing_s + DT_S, 0.0)
        longest_s = max(longest_s, float(standing_s.max()))
    assert way_m.min() > 400.0
    assert longest_s < 60.0


@pytest.mark.parametrize("seed", [1, 4])
def test_cars_stop_near_people_and_never_touch_them(seed: int):
    """A person inside a car has a wrong mask."""
    crowd, traffic = Crowd(make_city(seed), seed), Traffic(seed, 12)
    nearest_m = math.inf
    for _ in range(round(120.0 / DT_S)):
        crowd.advance(DT_S, traffic)
        traffic.advance(DT_S, crowd.in_the_road_m, crowd.crosswalks_in_use)
        for car in traffic.cars:
            for place in crowd.in_the_road_m:
                nearest_m = min(nearest_m, _outside_m(car, *place[:2]))
    assert 0.3 < nearest_m < 3.0


def test_cars_wait_for_a_person_on_their_lane():
    """A hero on a route along a street, and a vehicle that has landed there, must be safe."""
    lane = LANES[5].segment
    traffic = Traffic(3, MAX_CARS)
    for along_m in (12.0, 40.0):
        place = lane.pose(along_m)[:2]
        traffic.reset([place])
        for cars in _drive(traffic, 60.0, in_the_road_m=[place]):
            assert all(_outside_m(car, *place) > 0.3 for car in cars)
        behind = [c for c in traffic.cars if _outside_m(c, *place) < 3.0]
        assert behind


def test_cars_avoid_a_landed_vehicle_and_reset_repeats_the_traffic():
    """Cars that hit a waiting vehicle would end missions before take-off."""
    simulation = Simulation(1, 0, cars=16)
    start = simulation.traffic.cars
    nearest_m = math.inf
    for _ in range(60):
        simulation.step(100)
        nearest_m = min(nearest_m, simulation.clearance_m())
    assert simulation.vehicle.collision is None
    assert nearest_m > 2.0
    there = simulation.traffic.cars, simulation.crowd.people
    assert there[0] != start
    names = names_of(simulation)
    parked = len(simulation.city.cars)
    body = find_body(simulation, f"car_{parked + 3}")
    assert f"car_{parked + 15}" in names
    assert body is not None
    assert body.centre_m[:2] == (there[0][3].north_m, there[0][3].east_m)
    simulation.reset()
    assert simulation.traffic.cars == start
    simulation.step(30 * 200)
    assert (simulation.traffic.cars, simulation.crowd.people) == there


def test_cars_wait_at_a_crosswalk_in_use():
    """People have the right of way at a crosswalk in use."""
    everywhere = range(36)
    traffic = Traffic(3, 8)
    _drive(traffic, 40.0, crosswalks_in_use=everywhere)
    assert not traffic.claimed
    assert max(traffic.speeds_mps) < 0.05
    _drive(traffic, 10.0)
    assert max(traffic.speeds_mps) > 3.0


@pytest.mark.parametrize("along_m", [-2.0, -0.8, 0.0, 0.7, 1.0, 2.4])
def test_person_gets_around_a_car_that_stands_in_the_way(along_m: float):
    """Between two of three circles a person stood for good, and the car waited for the person."""
    car_m, heading_rad = (10.0, 5.0), 0.7
    ahead = np.array([math.cos(heading_rad), math.sin(heading_rad)])
    aside = np.array([-ahead[1], ahead[0]])
    position = np.array([car_m + along_m * ahead + 4.0 * aside])
    target = np.array(car_m) + 0.4 * ahead - 4.0 * aside
    for _ in range(400):
        to_target = target - position[0]
        if math.hypot(*to_target) < 0.2:
            break
        position[0] += 0.05 * to_target / math.hypot(*to_target)
        here = float(position[0, 0]), float(position[0, 1])
        push_out_one(position, 0, car_circle(car_m, heading_rad, LENGTH_M, here))
        off_m = position[0] - car_m
        is_along, is_beside = abs(off_m @ ahead) < 0.5 * LENGTH_M, abs(off_m @ aside) < 0.89
        assert not (is_along and is_beside), "inside the car"
    assert math.hypot(*(target - position[0])) < 0.2


def test_no_driving_car_is_red():
    """A network with a small field of view takes a near red car for the hero."""
    for seed in range(6):
        for car in Traffic(seed, MAX_CARS).cars:
            red, green, blue = car.colour
            assert red < 1.5 * max(green, blue)


def test_more_cars_than_lanes_are_a_config_error():
    with pytest.raises(ConfigError, match="0 to 24"):
        Traffic(1, MAX_CARS + 1)
