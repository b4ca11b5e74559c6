"""Spawned objects: solid to the vehicle and to rays, without effects once they are removed."""

import math

import numpy as np
import pytest

from followme_uav.geometry import quaternion_from_euler
from followme_uav.sim.city.spawned import ASSETS, MAX_OBJECTS, SLOT_NAMES, SpawnedObject, find_asset
from followme_uav.sim.simulation import Simulation
from tests.painted_sky import PaintedSky

LEVEL = (1.0, 0.0, 0.0, 0.0)
NORTH = (1.0, 0.0, 0.0)
EYE_M = (0.0, 0.0, -3.0)


@pytest.fixture
def simulation():
    return Simulation(1, 4)


def solid(asset="Cube", place=(5.0, 0.0, -3.0), scale=(1.0, 1.0, 1.0), name="it", turn=LEVEL):
    return SpawnedObject(name, find_asset(asset), place, turn, scale)


@pytest.mark.parametrize(
    ("asset", "place", "scale", "reach_m"),
    [
        ("Cube", (5.0, 0.0, -3.0), (1.0, 1.0, 1.0), 4.5),
        ("Cube", (5.0, 0.0, -3.0), (4.0, 1.0, 1.0), 3.0),
        ("Sphere", (5.0, 0.0, -3.0), (2.0, 2.0, 2.0), 4.0),
        ("Sphere", (5.0, 0.0, -3.0), (2.0, 1.0, 1.0), 4.0),
        ("Cylinder", (5.0, 0.0, -3.0), (2.0, 2.0, 1.0), 4.0),
        ("Cylinder", (5.0, 0.0, -3.4), (2.0, 2.0, 1.0), 4.0),
        ("Cylinder", (5.0, 0.0, -3.6), (2.0, 2.0, 1.0), math.inf),
        ("Cone", (5.0, 0.0, -3.0), (2.0, 2.0, 2.0), 4.5),  # half its width at half its height
        ("Cone", (5.0, 0.0, -3.5), (2.0, 2.0, 2.0), 4.25),  # wider near its base
        ("PointLightBP", (5.0, 0.0, -3.0), (9.0, 9.0, 9.0), 4.9),
    ],
)
def test_rays_hit_each_shape_at_its_surface(simulation, asset, place, scale, reach_m):
    simulation.objects.add(solid(asset, place, scale))
    start_m = (0.0, 0.0, -3.0)
    met_m = simulation.ray_m(start_m, NORTH)
    if math.isinf(reach_m):
        assert met_m > 10.0
    else:
        assert met_m == pytest.approx(reach_m, abs=0.02)
    assert simulation.sees(start_m, (8.0, 0.0, -3.0)) is math.isinf(reach_m)
    assert simulation.sees(start_m, (2.0, 0.0, -3.0)) is True


def test_rays_hit_a_rotated_object_at_its_surface(simulation):
    turn = quaternion_from_euler(0.0, 0.0, math.pi / 4)
    simulation.objects.add(solid(turn=turn))
    assert simulation.ray_m(EYE_M, NORTH) == pytest.approx(5.0 - math.sqrt(0.5), abs=1e-3)
    assert simulation.clearance_m((4.0, 0.0, -3.0)) == pytest.approx(1.0 - math.sqrt(0.5))


@pytest.mark.parametrize("asset", [a.name for a in ASSETS if not a.is_light])
def test_collision_with_an_object_reports_its_name(simulation, asset):
    simulation.objects.add(solid(asset, (4.0, 0.0, -3.0), (2.0, 2.0, 2.0)))
    simulation.vehicle.set_motion((1.5, 0.0, -3.0), LEVEL, (6.0, 0.0, 0.0))
    for _ in range(100):
        simulation.vehicle.step([3.25] * 4)
    collision = simulation.vehicle.collision
    assert collision is not None
    assert collision.object_name == "it"
    assert collision.normal[0] < -0.5


def test_rays_hit_a_moved_and_resized_object_at_its_new_surface(simulation):
    simulation.objects.add(solid())
    assert simulation.objects.move("it", (8.0, 0.0, -3.0), LEVEL) is True
    assert simulation.ray_m(EYE_M, NORTH) == pytest.approx(7.5)
    assert simulation.objects.resize("it", (4.0, 4.0, 4.0)) is True
    assert simulation.ray_m(EYE_M, NORTH) == pytest.approx(6.0)
    assert simulation.objects.move("other", EYE_M, LEVEL) is False
    assert simulation.objects.resize("other", (1.0, 1.0, 1.0)) is False


def test_rays_miss_a_removed_object(simulation):
    before_m = simulation.ray_m(EYE_M, NORTH), simulation.clearance_m((5.0, 0.0, -3.0))
    simulation.objects.add(solid())
    assert simulation.clearance_m((5.0, 0.0, -3.0)) == 0.0
    assert simulation.objects.remove("it") is True
    assert simulation.objects.remove("it") is False
    assert (simulation.ray_m(EYE_M, NORTH), simulation.clearance_m((5.0, 0.0, -3.0))) == before_m


def test_objects_survive_a_reset_as_on_airsim(simulation):
    simulation.objects.add(solid())
    simulation.step(20)
    simulation.reset()
    assert simulation.ray_m(EYE_M, NORTH) == pytest.approx(4.5)


def test_spawning_and_removing_objects_does_not_change_the_flight():
    """MuJoCo's model is compiled anew; position, motion and people must stay the same."""
    flights = []
    for spawns in (False, True):
        simulation = Simulation(3, 5)
        simulation.place_vehicle((0.0, 0.0, -6.0), 0.0)
        simulation.vehicle.wind_mps = (3.0, 1.0, 0.0)
        for _ in range(10):
            simulation.step(7)
            if spawns:
                simulation.objects.add(solid(place=(0.0, 60.0, -30.0)))
                simulation.objects.remove("it")
        flights.append((simulation.vehicle.kinematics(), simulation.crowd.people))
    assert flights[0][1] == flights[1][1]
    for name in ("position_m", "velocity_mps", "acceleration_mps2"):
        one, other = (getattr(flight[0], name) for flight in flights)
        assert one == pytest.approx(other, abs=1e-9)


def test_people_and_cars_move_on_while_objects_exist(simulation):
    simulation.objects.add(solid())
    simulation.step(200)
    mocap = simulation.vehicle._world._mocap_pos
    people = np.array(simulation.crowd.feet_m)
    assert mocap[: len(people), :2] == pytest.approx(people[:, :2])
    assert mocap[-1] == pytest.approx((5.0, 0.0, -3.0))


def test_object_ids_of_removed_objects_are_reused():
    simulation = Simulation(1, 2, PaintedSky, (32, 24))
    first = simulation.renderer.object_names.index(SLOT_NAMES[0])
    for name in "abc":
        simulation.objects.add(solid(name=name))
    assert [one.number for one in simulation.renderer.objects] == [first, first + 1, first + 2]
    assert simulation.objects.room == 0
    simulation.objects.remove("b")
    simulation.objects.add(solid(name="d"))
    assert simulation.objects.find("d").number == first + 1
    names = simulation.objects.with_names(simulation.renderer.object_names)
    assert names[first:] == ["a", "d", "c"]


def test_every_change_of_an_object_renders_a_new_image():
    simulation = Simulation(1, 2, PaintedSky, (32, 24))
    simulation.objects.add(solid())
    simulation.shot()
    for change in (
        lambda: simulation.objects.move("it", (1.0, 1.0, -1.0), LEVEL),
        lambda: simulation.objects.resize("it", (2.0, 1.0, 1.0)),
        lambda: simulation.objects.paint("it", (1.0, 0.0, 0.0)),
        lambda: simulation.objects.remove("it"),
    ):
        taken = simulation.renderer.renderings
        assert change() is True
        simulation.shot()
        assert simulation.renderer.renderings == taken + 1


def test_number_of_objects_is_limited():
    assert Simulation(1, 2).objects.room == MAX_OBJECTS
