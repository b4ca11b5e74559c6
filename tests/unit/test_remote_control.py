"""Sticks of a remote control: validity, control modes and directions."""

import math

import pytest

from followme_uav.sim.vehicle import manoeuvres
from followme_uav.sim.vehicle.control_loops import MAX_LEAN_RAD
from followme_uav.sim.vehicle.remote_control import NO_REMOTE_CONTROL, RemoteControl
from followme_uav.sim.vehicle.tasks import Heading
from followme_uav.sim.vehicle.vehicle_spec import load_vehicle
from tests.open_air import OpenAir

HOVER = load_vehicle("nimble").airframe.hover_throttle
STILL = Heading()


def sticks(**values):
    return RemoteControl(**{"is_valid": True, "is_initialized": True, **values})


def manual(world, heading=STILL, speed_mps=3.0, min_z_m=-1e6):
    return world.start(manoeuvres.move_by_manual, speed_mps, speed_mps, min_z_m, 1e9, heading)


def test_without_api_control_the_sticks_set_the_attitude():
    world = OpenAir()
    world.runner.api_control = False
    world.runner.move_sticks(sticks(pitch=0.5, roll=-0.25, throttle=HOVER))
    world.run(0.6)
    roll, pitch, _ = world.vehicle.euler_rad()
    assert pitch == pytest.approx(-0.5 * MAX_LEAN_RAD, abs=0.03)
    assert roll == pytest.approx(-0.25 * MAX_LEAN_RAD, abs=0.03)
    assert world.vehicle.velocity_mps[0] > 0.5


def test_first_switch_makes_the_sticks_set_body_rates():
    world = OpenAir(height_m=100.0)
    world.runner.api_control = False
    world.runner.move_sticks(sticks(roll=0.4, yaw=0.2, throttle=HOVER, switches=1))
    world.run(1.0)
    assert world.vehicle.rates_radps == pytest.approx((1.0, 0.0, 0.2 * math.pi), abs=0.1)


def test_under_api_control_the_sticks_have_no_effect_by_themselves():
    world = OpenAir()
    world.runner.move_sticks(sticks(pitch=1.0, throttle=0.0))
    world.run(1.0)
    assert math.dist(world.vehicle.position_m, (0.0, 0.0, -10.0)) < 0.05


def test_invalid_sticks_have_no_effect():
    world = OpenAir()
    world.runner.api_control = False
    world.runner.move_sticks(sticks(pitch=1.0, throttle=0.0, is_valid=False))
    world.run(1.0)
    assert math.dist(world.vehicle.position_m, (0.0, 0.0, -10.0)) < 0.05


def test_vehicle_holds_position_once_stamped_sticks_expire():
    """A remote control that stops sending must not fly the vehicle on."""
    world = OpenAir()
    world.runner.api_control = False
    world.runner.move_sticks(sticks(timestamp_ns=5, pitch=1.0, throttle=HOVER))
    world.run(0.1)
    assert world.vehicle.euler_rad()[1] < -0.1
    world.run(5.0)
    assert math.hypot(*world.vehicle.velocity_mps) < 0.05


def test_manual_flight_takes_velocity_climb_and_yaw_from_the_sticks():
    world = OpenAir(yaw_rad=math.pi / 2)
    manual(world)
    world.runner.move_sticks(sticks(pitch=0.5, roll=0.25, throttle=0.5))
    world.run(3.0)
    # Forward is east, right is south.
    assert world.vehicle.velocity_mps == pytest.approx((-0.75, 1.5, -1.0), abs=0.1)
    world.runner.move_sticks(sticks(yaw=0.5))
    world.run(2.0)
    assert world.vehicle.rates_radps[2] == pytest.approx(math.radians(50.0), abs=0.05)
    assert math.hypot(*world.vehicle.velocity_mps) < 0.1


def test_manual_flight_adds_the_yaw_stick_to_the_yaw_mode():
    world = OpenAir()
    manual(world, Heading(None, 1.0))
    world.runner.move_sticks(sticks(yaw=0.1))
    world.run(4.0)
    assert world.vehicle.euler_rad()[2] == pytest.approx(1.0 + math.radians(10.0), abs=0.05)


def test_manual_flight_does_not_climb_above_its_limit():
    world = OpenAir()
    manual(world, min_z_m=-12.0)
    world.runner.move_sticks(sticks(throttle=1.0))
    heights = world.run(8.0, lambda vehicle: -vehicle.position_m[2])
    assert 11.8 < max(heights) < 12.1


def test_manual_flight_without_sticks_holds_position():
    world = OpenAir()
    future = manual(world)
    world.run(2.0)
    assert not future.done()
    assert math.dist(world.vehicle.position_m, (0.0, 0.0, -10.0)) < 0.05
    world.runner.cancel()
    assert future.result(0) is False


def test_reset_switches_the_remote_control_off():
    world = OpenAir()
    world.runner.move_sticks(sticks(pitch=1.0))
    world.runner.reset()
    assert world.runner.remote == NO_REMOTE_CONTROL
    assert world.runner.sticks() is None
