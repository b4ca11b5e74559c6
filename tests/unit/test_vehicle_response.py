"""If these fail, the altitude changes with each acceleration, and landings swing back."""

import math
import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followme_uav.messages import Manoeuvre, MissionState, VehicleState
from followme_uav.pilot.guidance.behaviours import Behaviours
from followme_uav.pilot.vehicle_response import ResponseModel
from tests.unit.flight_parts import ALTITUDE_M, CONFIG, VEHICLES, Flight

LAG_S = CONFIG.control.response_lag_s


@pytest.mark.parametrize("delay_frames", [0, 1])
@pytest.mark.parametrize("vehicle", VEHICLES)
def test_altitude_is_kept_through_accelerations_and_reversals(vehicle, delay_frames):
    flight = Flight(vehicle, delay_frames=delay_frames).fly(1.0)
    flight.fly(4.0, 8.0).fly(6.0, -8.0).fly(4.0, 0.0, 8.0).fly(3.0)
    assert max(flight.speeds_mps) > 7.0
    assert max(abs(h - ALTITUDE_M) for h in flight.altitudes_m) < 0.3


HEAVY = {
    "extends": "simpleflight",
    "airframe": {"mass_kg": 1.25},
    "controller": {
        "kind": "simple_flight",
        "velocity": {"kp": [0.14, 0.14, 1.4], "ki": [0.0, 0.0, 2.0]},
        "angle": {"kp": [1.75, 1.75, 1.75]},
    },
}
"""A quarter heavier, with loops that are a third weaker."""


@pytest.mark.parametrize(("vehicle", "rate_hz"), [(HEAVY, 5), (HEAVY, 20), ("nimble", 5)], ids=str)
def test_altitude_is_kept_by_other_vehicles_and_at_other_image_rates(vehicle, rate_hz):
    flight = Flight(vehicle, rate_hz=rate_hz).fly(1.0)
    flight.fly(4.0, 8.0).fly(6.0, -8.0).fly(3.0)
    assert max(abs(h - ALTITUDE_M) for h in flight.altitudes_m) < 0.3


@pytest.mark.parametrize("vehicle", VEHICLES)
def test_vehicle_lands_at_rest_near_the_place_aimed_for_without_climbing(vehicle):
    flight = Flight(vehicle, CONFIG).fly(2.0).fly(4.0, 4.9)
    begin, behaviours = len(flight.altitudes_m), Behaviours(CONFIG)
    behaviours.enter(MissionState.LAND, 0.0)
    for _ in range(200):
        guidance, _ = behaviours.guide(MissionState.LAND, flight.inputs())
        flight.turn(guidance)
        if guidance.manoeuvre is Manoeuvre.LAND:
            break
    assert guidance.manoeuvre is Manoeuvre.LAND
    altitudes_m, norths_m = (
        flight.altitudes_m[begin:],
        [north for north, _ in flight.places_m][begin:],
    )
    lowest_m = math.inf
    for altitude_m in altitudes_m:
        lowest_m = min(lowest_m, altitude_m)
        assert altitude_m - lowest_m < 0.3
    assert flight.speeds_mps[-1] < CONFIG.mission.descent_mps + 0.2
    assert max(norths_m) - norths_m[-1] < 0.5, "swings back"


@pytest.mark.parametrize("vehicle", VEHICLES)
def test_yaw_does_not_oscillate(vehicle):
    flight = Flight(vehicle, delay_frames=1).fly(1.0).fly(6.0, heading_rad=1.5)
    assert max(flight.yaws_rad) < 1.5 + math.radians(8.0)
    assert max(abs(yaw - 1.5) for yaw in flight.yaws_rad[-20:]) < math.radians(1.0)


def test_slow_vehicle_that_leans_freely_is_told_from_one_that_compensates():
    responses = {}
    for vehicle in VEHICLES:
        flight = Flight(vehicle).fly(1.0).fly(4.0, 5.0).fly(4.0, -5.0)
        responses[vehicle] = flight.control.response
    assert responses["nimble"].lag_s == pytest.approx(LAG_S, abs=0.05)
    assert responses["simpleflight"].lag_s > 1.5 * LAG_S
    assert responses["nimble"].lean_share < 0.1
    assert responses["simpleflight"].lean_share > 0.9


def test_slow_vehicle_reaches_a_velocity_as_fast_as_a_quick_one():
    times_s = []
    for vehicle in VEHICLES:
        flight = Flight(vehicle).fly(1.0).fly(4.0, 5.0).fly(4.0)
        begin = len(flight.speeds_mps)
        flight.fly(4.0, 5.0)
        reached = next(i for i, speed in enumerate(flight.speeds_mps[begin:]) if speed > 4.5)
        times_s.append(0.1 * reached)
    assert times_s[1] == pytest.approx(times_s[0], abs=0.3)


def state_of(velocity_mps, roll_pitch=(0.0, 0.0)):
    half = 0.5 * roll_pitch[1]
    level = (math.cos(half), 0.0, math.sin(half), 0.0)
    return VehicleState(0.0, (0.0, 0.0, -5.0), velocity_mps, level, (0.0, 0.0, 0.0))


def test_nothing_is_learned_across_a_gap_without_frames():
    model, first = ResponseModel(CONFIG), ResponseModel(CONFIG).response
    model.command((5.0, 0.0, 0.0), state_of((0.0, 0.0, 0.0)), 0.1)
    model.observe(state_of((0.0, 0.0, -3.0), (0.0, -0.3)), 3.0)
    assert model.response == first
    model.observe(state_of((0.0, 0.0, -3.0), (0.0, -0.3)), 0.1)
    assert model.response == first, "no command was given"


speeds = st.floats(-20.0, 20.0)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(speeds, speeds, speeds, st.floats(-1.4, 1.4)), max_size=30))
def test_response_and_change_of_velocity_stay_within_limits_on_any_motion(motions):
    model = ResponseModel(CONFIG)
    for north, east, down, pitch in motions:
        vehicle = state_of((north, east, down), (0.0, pitch))
        model.observe(vehicle, 0.1)
        command = model.command((east, north, -down), vehicle, 0.1)
        change_mps = math.hypot(command[0] - north, command[1] - east)
        assert change_mps <= CONFIG.limits.velocity_error_mps + 1e-6
        assert LAG_S - 1e-9 <= model.response.lag_s <= 2.0 * LAG_S + 1e-9
        assert 0.0 <= model.response.lean_share <= 1.0
        assert all(map(math.isfinite, command))


def unrest_mps(vehicle, delay_s, rate_hz=18):
    """Deviation of the speed of a flight that keeps 7 m from somebody whose speed is noisy."""
    flight = Flight(vehicle, rate_hz=rate_hz, delay_frames=round(delay_s * rate_hz))
    flight.fly(2.0).fly(2.0, 5.0).fly(2.0)
    chance, noise_mps = random.Random(1), 0.0
    hero_m = flight.places_m[-1][0] + 9.0
    for _ in range(60 * rate_hz):
        hero_m += 1.0 / rate_hz
        noise_mps += 0.05 * chance.gauss(0.0, 1.0) - 2.0 * noise_mps / rate_hz
        approach_mps = 0.7 * (hero_m - 7.0 - flight.places_m[-1][0])
        flight.fly(1.0 / rate_hz, 1.0 + approach_mps + noise_mps)
    return statistics.pstdev(flight.speeds_mps[-30 * rate_hz :])


@pytest.mark.parametrize("vehicle", VEHICLES)
def test_vehicle_behind_a_slow_link_does_not_rock(vehicle):
    at_once_mps = unrest_mps(vehicle, 0.0)
    for delay_s in (0.15, 0.22, 0.33):
        assert unrest_mps(vehicle, delay_s) < 1.2 * at_once_mps


@pytest.mark.parametrize(("delay_frames", "delay_s"), [(0, (0.0, 0.0)), (2, (0.3, 0.5))])
@pytest.mark.parametrize("vehicle", VEHICLES)
def test_delay_of_a_slow_link_is_found_and_none_where_there_is_none(vehicle, delay_frames, delay_s):
    flight = Flight(vehicle, delay_frames=delay_frames)
    flight.fly(2.0).fly(3.0, 5.0).fly(3.0, 0.0, 4.0).fly(3.0, -5.0).fly(3.0)
    assert delay_s[0] <= flight.control.response.delay_s <= delay_s[1]
