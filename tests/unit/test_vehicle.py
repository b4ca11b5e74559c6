"""The rigid body: gravity, thrust, drag, and which contacts are collisions."""

import math

import pytest

from followme_uav.sim.city.obstacles import ClearanceField, person_name
from followme_uav.sim.city.world import Collider, make_city
from followme_uav.sim.vehicle.vehicle import GRAVITY_MPS2, TIME_STEP_S, Vehicle
from followme_uav.sim.vehicle.vehicle_spec import load_vehicle

NIMBLE = load_vehicle("nimble").airframe

OFF = (0.0, 0.0, 0.0, 0.0)
HOVER = (0.25 * NIMBLE.mass_kg * GRAVITY_MPS2,) * 4
WALL = Collider("wall", "box", (5.0, 0.0, -5.0), (0.5, 10.0, 5.0))


def run(vehicle, thrusts, duration_s):
    for _ in range(round(duration_s / TIME_STEP_S)):
        vehicle.step(thrusts, 7)


def test_vehicle_rests_on_the_ground_at_the_origin():
    """Otherwise a flight would start with a collision or at another position."""
    vehicle = Vehicle(airframe=NIMBLE)
    run(vehicle, OFF, 2.0)
    north, east, down = vehicle.position_m
    assert math.hypot(north, east) < 1e-3
    assert down == pytest.approx(-NIMBLE.half_size_m[2], abs=0.01)
    assert vehicle.collision is None
    assert vehicle.in_contact


def test_gravity_pulls_down_and_down_is_positive():
    vehicle = Vehicle(airframe=NIMBLE)
    vehicle.place((0.0, 0.0, -50.0), 0.0, hovering=False)
    run(vehicle, OFF, 1.0)
    assert vehicle.velocity_mps[2] == pytest.approx(GRAVITY_MPS2, rel=0.1)


def test_wind_accelerates_a_hovering_vehicle_by_its_drag():
    vehicle = Vehicle(airframe=NIMBLE)
    vehicle.place((0.0, 0.0, -50.0), 0.0)
    vehicle.wind_mps = (0.0, 8.0, 0.0)
    run(vehicle, HOVER, 1.0)
    drag = NIMBLE.linear_drag_ns_per_m / NIMBLE.mass_kg
    assert vehicle.velocity_mps[1] == pytest.approx(8.0 * (1.0 - math.exp(-drag)), rel=0.05)
    assert abs(vehicle.velocity_mps[0]) < 1e-3


@pytest.mark.parametrize("direction", [(1.0, 0.0), (0.0, -1.0)])
def test_drag_of_a_box_grows_with_the_square_of_the_airspeed_across_each_side(direction):
    frame = load_vehicle("simpleflight").airframe
    vehicle = Vehicle(airframe=frame)
    vehicle.place((0.0, 0.0, -50.0), math.pi / 2)  # forward is east
    vehicle.wind_mps = (20.0 * direction[0], 20.0 * direction[1], 0.0)
    run(vehicle, vehicle.thrusts_n, TIME_STEP_S)
    side = frame.quadratic_drag_ns2_per_m2[1 if direction[0] else 0]
    expected = [side * 20.0**2 / frame.mass_kg * TIME_STEP_S * share for share in direction]
    assert vehicle.velocity_mps[:2] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("stronger", "axis"),
    [((1, 2), 0), ((0, 2), 1), ((0, 1), 2)],
    ids=["left rotors roll right", "front rotors pitch up", "counter-clockwise rotors yaw right"],
)
def test_rotor_thrusts_turn_the_body_about_the_right_axis(stronger, axis):
    """With a wrong sign the vehicle flips on take-off."""
    vehicle = Vehicle(airframe=NIMBLE)
    vehicle.place((0.0, 0.0, -50.0), 0.0)
    thrusts = [t * (1.2 if i in stronger else 0.8) for i, t in enumerate(HOVER)]
    run(vehicle, thrusts, 0.1)
    assert vehicle.rates_radps[axis] > 0.05
    assert all(abs(r) < 0.02 for i, r in enumerate(vehicle.rates_radps) if i != axis)


def test_collision_with_a_wall_reports_its_name():
    """Otherwise a flight through a house would count as free of collisions."""
    vehicle = Vehicle([WALL], airframe=NIMBLE)
    vehicle.place((3.5, 0.0, -5.0), 0.0)
    vehicle.wind_mps = (15.0, 0.0, 0.0)
    run(vehicle, HOVER, 3.0)
    assert vehicle.collision is not None
    assert vehicle.collision.object_name == "wall"
    assert vehicle.collision.time_ns == 7
    assert vehicle.collision.normal[0] == pytest.approx(-1.0, abs=0.01)
    assert vehicle.position_m[0] < 4.5 - 0.2
    vehicle.clear_collision()
    assert vehicle.collision is None


def test_contact_with_a_person_is_a_collision():
    vehicle = Vehicle(people=2, airframe=NIMBLE)
    vehicle.place((0.0, 0.0, -1.0), 0.0)
    vehicle.move_people([(20.0, 0.0, 0.0), (0.4, 0.0, 0.0)])
    run(vehicle, HOVER, 0.1)
    assert vehicle.collision is not None
    assert vehicle.collision.object_name == person_name(1)


def test_contact_with_a_driving_car_is_a_collision():
    """The solid of a car must be where images show the car."""
    car = Collider("car_7", "box", (0.0, 0.0, -0.75), (2.15, 0.89, 0.75))
    vehicle = Vehicle(people=1, cars=[car], airframe=NIMBLE)
    vehicle.move_people([(50.0, 0.0, 0.0)])
    vehicle.move_cars([(30.0, 0.0, 0.0)])
    vehicle.place((0.0, 1.8, -1.0), 0.0)
    run(vehicle, HOVER, 0.1)
    assert vehicle.collision is None
    vehicle.move_cars([(0.0, 0.0, 0.0)])
    run(vehicle, HOVER, 0.1)
    assert vehicle.collision is None
    vehicle.move_cars([(0.0, 0.0, math.pi / 2)])  # turned across, it reaches the vehicle
    run(vehicle, HOVER, 0.1)
    assert vehicle.collision is not None
    assert vehicle.collision.object_name == "car_7"


def test_fall_is_a_collision_and_landing_is_none():
    """Otherwise the summary would count every landing, or no crash."""
    vehicle = Vehicle(airframe=NIMBLE)
    vehicle.place((0.0, 0.0, -0.14), 0.0, hovering=False)
    run(vehicle, OFF, 1.0)
    assert vehicle.collision is None
    vehicle.place((0.0, 0.0, -2.0), 0.0, hovering=False)
    run(vehicle, OFF, 1.0)
    assert vehicle.collision is not None
    assert vehicle.collision.object_name == "ground"


def test_motion_after_a_reset_is_bit_identical():
    vehicle = Vehicle([WALL], airframe=NIMBLE)
    states = []
    for _ in range(2):
        vehicle.reset()
        vehicle.wind_mps = (15.0, 1.0, 0.0)
        run(vehicle, [t * 1.3 for t in HOVER], 2.0)
        states.append(vehicle.kinematics())
    assert states[0] == states[1]


def test_solids_of_a_whole_city_give_collisions():
    city = make_city(3)
    vehicle = Vehicle(city.colliders, people=31, airframe=NIMBLE)
    box = next(c for c in city.colliders if c.name.startswith("building"))
    vehicle.place((box.centre_m[0], box.centre_m[1], box.centre_m[2] - box.half_size_m[2]), 0.0)
    vehicle.step(OFF)
    run(vehicle, OFF, 0.2)
    assert vehicle.collision is not None
    assert vehicle.collision.object_name == box.name


@pytest.mark.parametrize(
    ("point", "distance"),
    [
        ((0.0, 0.0, -1.0), 9.0),  # the pole; the ground does not count
        ((14.0, 0.0, -5.0), 3.0),  # side of the box, turned by 90 degrees
        ((10.0, 5.0, -5.0), 3.0),
        ((13.0, 6.0, -10.0), math.sqrt(2**2 + 4**2 + 2**2)),  # its corner
        ((10.0, 0.0, -5.0), 0.0),  # inside
        ((-10.0, 3.0, -20.0), math.hypot(2.0, 5.0)),  # rim of the cylinder
        ((-10.0, 4.0, -10.0), 3.0),
        ((40.0, 0.0, -2.75), 1.0),  # above a head
        ((40.0, 1.0, -1.0), 0.7),
    ],
)
def test_clearance_is_exact(point, distance):
    """The safety metrics of every flight depend on the clearance."""
    field = ClearanceField(
        [
            Collider("box", "box", (10.0, 0.0, -5.0), (2.0, 1.0, 3.0), math.pi / 2),
            Collider("pole", "cylinder", (-10.0, 0.0, -7.5), (1.0, 1.0, 7.5)),
        ]
    )
    assert field.clearance_m(point, [(40.0, 0.0, 0.0)]) == pytest.approx(distance, abs=1e-6)
