"""If these fail, a vehicle at full speed hits what it sees, or leaves the streets."""

import math

import pytest

from followme_uav.messages import MissionState
from followme_uav.pilot.guidance.behaviours import Behaviours
from tests.unit.flight_parts import ANYWHERE, CONFIG, VEHICLES, Flight

LIMITS = CONFIG.limits
DELAYS = [0, 3]
"""Frames of 0.1 s."""


@pytest.mark.parametrize("delay_frames", DELAYS)
@pytest.mark.parametrize("vehicle", VEHICLES)
def test_vehicle_stops_in_front_of_a_post(vehicle, delay_frames):
    post_m = (60.0, 0.0)
    flight = Flight(vehicle, delay_frames=delay_frames, obstacles_m=[post_m])
    flight.fly(14.0, LIMITS.speed_mps)
    assert max(flight.speeds_mps) > 0.9 * LIMITS.speed_mps
    assert min(math.dist(place, post_m) for place in flight.places_m) > 1.2


@pytest.mark.parametrize("delay_frames", DELAYS)
@pytest.mark.parametrize("vehicle", VEHICLES)
def test_patrol_stays_in_the_streets_where_it_turns(vehicle, delay_frames):
    flight = Flight(vehicle, CONFIG, delay_frames=delay_frames)
    behaviours = Behaviours(CONFIG)
    behaviours.enter(MissionState.PATROL, 0.0)
    for _ in range(250):
        flight.turn(behaviours.guide(MissionState.PATROL, flight.inputs())[0])
    assert max(flight.speeds_mps) > 0.9 * CONFIG.patrol.speed_mps
    assert max(north for north, _ in flight.places_m) < 64.0  # turns at 60, the street ends at 67.5
    assert flight.places_m[-1][1] > 40.0


@pytest.mark.parametrize("vehicle", VEHICLES)
def test_landing_from_low_over_a_junction_climbs_first(vehicle):
    """Cars and people would be in the way to the landing place."""
    flight = Flight(vehicle, CONFIG)
    flight.simulation.place_vehicle((0.0, 0.0, -1.2), 0.0)
    behaviours = Behaviours(CONFIG)
    behaviours.enter(MissionState.LAND, 0.0)
    for _ in range(250):
        flight.turn(behaviours.guide(MissionState.LAND, flight.inputs())[0])
    flown = list(zip(flight.places_m, flight.altitudes_m, strict=True))
    place_m = flown[-1][0]
    far = [altitude_m for at_m, altitude_m in flown if 3.0 < math.dist(at_m, place_m) < 14.0]
    assert min(far) > LIMITS.min_altitude_m - LIMITS.sink_m
    assert flown[-1][1] < 0.3


def test_camera_looks_ahead_again_before_the_vehicle_comes_where_it_did_not_look():
    """Half a sweep passes in between; then the vehicle must be able to stop."""
    half_sweep_m = CONFIG.patrol.speed_mps * CONFIG.patrol.sweep_period_s / 2.0
    assert CONFIG.depth.range_m - half_sweep_m > LIMITS.speed_mps**2 / LIMITS.acceleration_mps2


def test_way_back_into_the_geofence_is_no_faster_than_the_vehicle():
    """A scene may begin hundreds of metres from the origin."""
    limits = LIMITS.model_copy(update={"geofence_m": 10.0})
    flight = Flight("nimble", ANYWHERE.model_copy(update={"limits": limits}))
    flight.simulation.place_vehicle((300.0, 0.0, -4.5), 0.0)
    flight.fly(8.0)
    assert flight.places_m[-1][0] < 290.0
    assert max(flight.speeds_mps) < 1.25 * LIMITS.speed_mps
