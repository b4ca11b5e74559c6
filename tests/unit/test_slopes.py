"""The vehicle on slopes. If these fail, flights in hills end before their take-off."""

import math

import numpy as np
import pytest

from followme_uav.sim.city.world_place import WorldPlace
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.vehicle.vehicle import TIME_STEP_S, Vehicle
from followme_uav.sim.vehicle.vehicle_spec import load_vehicle
from followme_uav.worlds import world as w
from followme_uav.worlds.terrain import ground_height_m

VEHICLES = ["simpleflight", "nimble"]
STEEPNESSES = [(0.0, 0.0), (0.012, 0.063), (-0.07, 0.07), (0.07, 0.07), (0.15, 0.0)]
"""Rise over run to the north and to the east; the second is that on which a flight failed once."""


def terrain_of(steepness):
    north, east = np.mgrid[-50:51:10, -50:51:10]
    heights = steepness[0] * north + steepness[1] * east
    return w.Terrain(-50.0, -50.0, 10.0, tuple(tuple(map(float, row)) for row in heights))


def simulation_on(steepness, vehicle, start_m=(3.0, 7.0)):
    world = w.World(
        name="hill",
        bounds=w.Bounds(-50.0, -50.0, 50.0, 50.0),
        terrain=terrain_of(steepness),
        start_m=start_m,
        streets=(w.Street("footpath", 3.0, ((-40.0, -20.0), (40.0, -20.0))),),
    )
    simulation = Simulation(
        1, people=0, cars=0, place=WorldPlace(world, 1), vehicle=load_vehicle(vehicle)
    )
    simulation.autopilot.api_control = True
    return simulation


@pytest.mark.parametrize("steepness", STEEPNESSES, ids=str)
@pytest.mark.parametrize("vehicle", VEHICLES)
def test_vehicle_stands_still_and_parallel_to_the_ground(vehicle, steepness):
    simulation = simulation_on(steepness, vehicle)
    simulation.step(200)
    for _ in range(20):
        simulation.step(10)
        assert math.hypot(*simulation.vehicle.velocity_mps) < 0.01
        assert math.hypot(*simulation.vehicle.rates_radps) < 0.02
    down = simulation.vehicle.down_axis()
    length = math.hypot(*steepness, 1.0)
    assert down == pytest.approx(
        (steepness[0] / length, steepness[1] / length, 1.0 / length), abs=0.005
    )
    north, east, z = simulation.vehicle.position_m
    half_m = simulation.vehicle.airframe.half_size_m[2]
    assert -z - ground_height_m(terrain_of(steepness), north, east) == pytest.approx(
        half_m, abs=0.02
    )


@pytest.mark.parametrize("steepness", [*STEEPNESSES[:2], (0.08, 0.0), (-0.03, 0.03)], ids=str)
@pytest.mark.parametrize("vehicle", VEHICLES)
def test_vehicle_takes_off_and_lands_on_a_slope(vehicle, steepness):
    simulation = simulation_on(steepness, vehicle)
    simulation.step(100)
    start_m = simulation.vehicle.position_m
    simulation.tasks.start(simulation.manoeuvres.takeoff(simulation.tasks, 20.0))
    simulation.step(1000)
    assert start_m[2] - simulation.vehicle.position_m[2] > 1.0
    simulation.tasks.start(simulation.manoeuvres.land(simulation.tasks, 60.0))
    simulation.step(3000)
    assert simulation.vehicle.in_contact
    assert math.dist(simulation.vehicle.position_m, start_m) < 0.5
    assert simulation.vehicle.collision is None


@pytest.mark.parametrize("steepness", STEEPNESSES, ids=str)
@pytest.mark.parametrize("vehicle", VEHICLES)
def test_vehicle_is_at_rest_from_the_first_step_on_and_after_a_reset(vehicle, steepness):
    """A take-off is refused while the vehicle moves, and a pilot commands it at once."""
    simulation = simulation_on(steepness, vehicle)
    start_m = simulation.vehicle.position_m
    for _ in range(2):
        for _ in range(60):
            simulation.step()
            assert math.hypot(*simulation.vehicle.velocity_mps) < 0.01
        assert math.dist(simulation.vehicle.position_m, start_m) < 0.01
        simulation.tasks.start(simulation.manoeuvres.takeoff(simulation.tasks, 20.0))
        simulation.step(600)
        simulation.reset()
        simulation.autopilot.api_control = True
        assert simulation.vehicle.position_m == start_m


@pytest.mark.parametrize("side", ["level", "upside down", "on an edge"])
def test_vehicle_that_falls_is_stopped_by_the_hill_in_any_attitude(side):
    half_turn = {"level": (1.0, 0.0, 0.0, 0.0), "upside down": (0.0, 1.0, 0.0, 0.0)}
    attitude = half_turn.get(side, (math.sqrt(0.5), math.sqrt(0.5), 0.0, 0.0))
    terrain = terrain_of((0.1, 0.0))
    vehicle = Vehicle(terrain=terrain)
    vehicle.set_motion((3.0, 7.0, -8.0), attitude)
    for _ in range(round(4.0 / TIME_STEP_S)):
        vehicle.step((0.0, 0.0, 0.0, 0.0))
        north, east, z = vehicle.position_m
        assert -z - ground_height_m(terrain, north, east) > -0.1
    assert vehicle.collision is not None
    assert vehicle.collision.object_name == "ground"
    assert -vehicle.collision.normal[2] > 0.9
