"""Motion commands: durations, superseding, frames and results as on AirSim."""

import math

import pytest

from followme_uav.sim.vehicle import manoeuvres, paths
from followme_uav.sim.vehicle.tasks import Heading, TaskError
from tests.open_air import OpenAir

STILL = Heading()


def test_velocity_command_lasts_its_duration_of_simulated_time():
    """It is the dead-man time: with a longer one, a vehicle without its controller flies on."""
    world = OpenAir()
    future = world.start(manoeuvres.move_by_velocity, (2.0, 0.0, 0.0), 0.4, STILL)
    world.run(0.395)
    assert not future.done()
    world.run(0.025)
    assert future.result(0) is True
    world.run(5.0)
    assert math.hypot(*world.vehicle.velocity_mps) < 0.05


def test_new_command_supersedes_the_running_one():
    world = OpenAir()
    first = world.start(manoeuvres.move_by_velocity, (2.0, 0.0, 0.0), 60.0, STILL)
    world.run(0.5)
    second = world.start(manoeuvres.move_by_velocity, (0.0, 2.0, 0.0), 60.0, STILL)
    assert first.result(0) is False
    world.run(4.0)
    assert not second.done()
    assert world.vehicle.velocity_mps == pytest.approx((0.0, 2.0, 0.0), abs=0.05)


def test_cancel_answers_false_and_the_vehicle_stays():
    world = OpenAir()
    future = world.start(manoeuvres.move_by_velocity, (2.0, 0.0, 0.0), 60.0, STILL)
    world.run(1.0)
    world.runner.cancel()
    assert future.result(0) is False
    world.run(4.0)
    assert math.hypot(*world.vehicle.velocity_mps) < 0.05


@pytest.mark.parametrize("duration", [0.0, -3.0])
def test_zero_or_negative_duration_means_no_motion(duration):
    world = OpenAir()
    assert (
        world.start(manoeuvres.move_by_velocity, (2.0, 0.0, 0.0), duration, STILL).result(0) is True
    )
    z_task = world.start(manoeuvres.move_by_velocity_z, (2.0, 0.0), -5.0, duration, STILL)
    assert z_task.result(0) is False
    assert world.start(manoeuvres.rotate_by_yaw_rate, 1.0, duration).result(0) is True
    world.run(1.0)
    assert math.dist(world.vehicle.position_m, (0.0, 0.0, -10.0)) < 0.02


def test_without_api_control_tasks_run_but_the_vehicle_does_not_move():
    """Answering true, as AirSim does, would hide the missing API control."""
    world = OpenAir()
    world.runner.api_control = False
    future = world.start(manoeuvres.move_by_velocity, (2.0, 0.0, 0.0), 1.0, STILL)
    world.run(0.9)
    assert not future.done()
    world.run(0.2)
    assert future.result(0) is False
    assert math.dist(world.vehicle.position_m, (0.0, 0.0, -10.0)) < 0.02


def test_body_velocity_is_rotated_by_the_yaw_at_the_start():
    """If it followed the yaw, the vehicle would fly a circle instead of a line."""
    world = OpenAir(yaw_rad=math.pi / 2)
    forward = manoeuvres.from_body(world.runner, 2.0, 0.0)
    assert forward == pytest.approx((0.0, 2.0), abs=1e-9)
    world.start(manoeuvres.move_by_velocity, (*forward, 0.0), 60.0, Heading(0.5))
    world.run(4.0)
    assert world.vehicle.velocity_mps == pytest.approx((0.0, 2.0, 0.0), abs=0.1)
    assert abs(world.vehicle.euler_rad()[2] - math.pi / 2) > 1.5


def test_forward_only_heads_along_the_course():
    world = OpenAir()
    heading = Heading(None, math.radians(10.0), forward_only=True)
    world.start(manoeuvres.move_by_velocity, (0.0, 2.0, 0.0), 60.0, heading)
    world.run(6.0)
    assert world.vehicle.euler_rad()[2] == pytest.approx(math.radians(100.0), abs=0.02)


def test_takeoff_climbs_about_a_metre_and_a_half():
    world = OpenAir(flying=False)
    future = world.start(paths.takeoff, 20.0)
    world.run(10.0)
    assert future.result(0) is True
    assert -2.1 < world.vehicle.position_m[2] < -1.4
    assert not world.autopilot.landed


def test_takeoff_while_moving_is_refused_and_frees_the_runner():
    world = OpenAir()
    world.start(manoeuvres.move_by_velocity, (2.0, 0.0, 0.0), 60.0, STILL)
    world.run(1.0)
    with pytest.raises(TaskError, match="already moving"):
        world.start(paths.takeoff, 20.0)
    assert world.start(manoeuvres.hover).result(0) is True


def test_takeoff_ends_at_its_timeout():
    world = OpenAir(flying=False)
    world.autopilot.armed = False
    future = world.start(paths.takeoff, 2.0)
    world.run(2.1)
    assert future.result(0) is False


def test_landing_ends_on_the_ground_as_landed():
    world = OpenAir()
    world.vehicle.place((0.0, 0.0, -1.0), 0.0)
    future = world.start(manoeuvres.land, 60.0)
    world.run(3.0)
    assert not future.done()
    world.run(4.0)
    assert future.result(0) is True
    assert world.autopilot.landed
    assert world.vehicle.collision is None


def test_move_to_position_arrives_and_stays():
    world = OpenAir()
    future = world.start(paths.move_to_position, (6.0, -4.0, -7.0), 3.0, 60.0, STILL)
    world.run(8.0)
    assert future.result(0) is True
    world.run(4.0)
    assert math.dist(world.vehicle.position_m, (6.0, -4.0, -7.0)) < 0.3


@pytest.mark.parametrize("degrees", [90.0, -170.0, 350.0])
def test_rotate_to_yaw_turns_on_the_spot(degrees):
    world = OpenAir()
    yaw_rad = math.radians(degrees)
    future = world.start(manoeuvres.rotate_to_yaw, yaw_rad, 60.0, math.radians(2.0))
    world.run(6.0)
    assert future.result(0) is True
    error = math.remainder(world.vehicle.euler_rad()[2] - yaw_rad, 2.0 * math.pi)
    assert abs(error) < math.radians(4.0)
    assert math.dist(world.vehicle.position_m, (0.0, 0.0, -10.0)) < 0.1


def test_rotate_by_yaw_rate_turns_by_rate_times_duration():
    world = OpenAir()
    world.start(manoeuvres.rotate_by_yaw_rate, 0.5, 2.0)
    world.run(4.0)
    assert world.vehicle.euler_rad()[2] == pytest.approx(1.0, abs=0.1)
