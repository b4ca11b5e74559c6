"""SimpleFlight and AirSim's tasks: control without lean compensation, arming, answers, bursts."""

import hashlib
import json
import math

import pytest

from followme_uav.sim.vehicle import manoeuvres, paths
from followme_uav.sim.vehicle.gains import Gains
from followme_uav.sim.vehicle.manoeuvre_sets import manoeuvres_by
from followme_uav.sim.vehicle.setpoints import Attitude, BodyRates, Rotors, Velocity
from followme_uav.sim.vehicle.simple_flight_loops import Pid
from followme_uav.sim.vehicle.tasks import Heading, TaskError
from followme_uav.sim.vehicle.vehicle import RotorDelay
from followme_uav.sim.vehicle.vehicle_spec import TaskRules
from tests.direct_session import DirectSession
from tests.open_air import OpenAir

STILL = Heading()
YAW = {"is_rate": True, "yaw_or_rate": 0.0}
NIMBLE_DIGEST = "17d67e450a4a78e1a9597acc1a3e0f4aa37b98485a80b31d3b9a413adfeb20f5"


def real(**options):
    return OpenAir(vehicle="simpleflight", **options)


def hovering(**options):
    world = real(**options)
    world.run(1.0)
    return world


def moving(world, speed_mps=5.0, duration_s=60.0):
    return world.start(world.manoeuvres.move_by_velocity, (speed_mps, 0.0, 0.0), duration_s, STILL)


class Calls:
    """Calls methods of a hovering vehicle by name."""

    def __init__(self):
        self._session = DirectSession("simpleflight")
        self.simulation = self._session.simulation
        self.simulation.place_vehicle((0.0, 0.0, -20.0), 0.0)
        self("enableApiControl", True)

    def __call__(self, method, *params):
        return self.start(method, *params).result(0)

    def start(self, method, *params):
        return self._session.call_async(method, *params, "")

    def move(self, duration_s=2.0):
        return self.start("moveByVelocity", 1.0, 0.0, 0.0, duration_s, 0, YAW)

    def run(self, duration_s):
        self._session.call("simContinueForTime", duration_s)


@pytest.fixture
def call():
    return Calls()


def test_nimble_vehicle_flies_as_it_did_before_vehicles_were_files():
    """A flight through all set points and most manoeuvres, to a micrometre."""
    world, states = OpenAir(flying=False, vehicle="nimble"), []

    def fly(task, *args, for_s):
        world.start(task, *args)
        for _ in range(round(for_s / 0.05)):
            world.run(0.05)
            v = world.vehicle
            motion = (*v.position_m, *v.orientation, *v.velocity_mps, *v.rates_radps, *v.thrusts_n)
            states.append([round(value, 6) + 0.0 for value in motion])

    fly(paths.takeoff, 20.0, for_s=4)
    fly(manoeuvres.move_by_velocity, (5.0, 1.0, -0.5), 3.0, STILL, for_s=2)
    world.vehicle.wind_mps = (2.0, -3.0, 0.0)
    fly(manoeuvres.move_by_velocity_z, (-3.0, 2.0), -6.0, 2.0, Heading(0.7), for_s=2.5)
    fly(manoeuvres.rotate_to_yaw, 1.5, 10.0, 0.05, for_s=2)
    corner = [(5.0, 5.0, -6.0), (0.0, 5.0, -4.0)]
    fly(paths.move_on_path, corner, 3.0, 20.0, Heading(None, 0.0, True), for_s=4)
    lean = Attitude(0.2, -0.1, yaw_rate_radps=0.5, throttle=0.6)
    fly(manoeuvres.steadily, lean, 1.0, for_s=1.5)
    fly(manoeuvres.steadily, BodyRates(0.5, -0.3, 0.2, z_m=-5.0), 0.6, for_s=1)
    fly(manoeuvres.steadily, Rotors(0.6, 0.6, 0.61, 0.6), 0.4, for_s=2)
    fly(paths.go_home, 60.0, for_s=20)
    fly(manoeuvres.land, 60.0, for_s=12)
    assert hashlib.sha256(json.dumps(states).encode()).hexdigest() == NIMBLE_DIGEST


def test_vehicle_climbs_while_it_leans_and_keeps_a_lean_of_its_limit():
    """The pilot has to expect this: thrust is not compensated for the lean."""
    world = hovering()
    start_m = world.vehicle.position_m[2]
    moving(world, 15.0)
    pitches = world.run(3.0, lambda vehicle: vehicle.euler_rad()[1])
    assert start_m - world.vehicle.position_m[2] > 2.0
    assert min(pitches) == pytest.approx(-math.pi / 5.5, abs=0.03)


def test_speed_of_a_velocity_command_has_no_limit_of_6_mps():
    world = hovering()
    moving(world, 20.0)
    world.run(10.0)
    assert world.vehicle.velocity_mps[0] > 15.0


def test_altitude_goal_disturbs_the_horizontal_speed_while_the_vehicle_leans():
    """The altitude stands in place of a vertical speed in the goal that is turned into the body."""
    world = hovering(height_m=100.0)
    at = world.manoeuvres.move_by_velocity_z
    world.start(at, (3.0, 0.0), -100.0, 60.0, STILL)
    world.run(1.5)
    slow = world.vehicle.velocity_mps[0]
    level = hovering(height_m=100.0)
    moving(level, 3.0)
    level.run(1.5)
    assert slow < 0.5 * level.vehicle.velocity_mps[0]


def test_hover_returns_to_the_place_of_the_call_and_answers_false_at_once():
    world = hovering()
    moving(world)
    world.run(5.0)
    place = world.vehicle.position_m
    hover = world.start(world.manoeuvres.hover)
    assert hover.result(0) is False
    distances = world.run(20.0, lambda vehicle: math.dist(vehicle.position_m[:2], place[:2]))
    assert max(distances) > 2.0
    assert distances[-1] < 0.35  # three cycles of 20 ms at 5 m/s


def test_end_of_a_move_holds_the_position_of_that_moment():
    world = hovering()
    move = moving(world, 5.0, 3.0)
    world.run(3.0)
    world.runner.take_turn()
    assert move.result(0) is True
    place = world.vehicle.position_m
    world.run(20.0)
    assert math.dist(world.vehicle.position_m[:2], place[:2]) < 0.35


def test_hold_corrects_no_position_at_a_right_angle_to_north():
    """Each axis turns only its own part of the goal, so the corrections vanish with the cosine."""
    world = hovering(yaw_rad=math.pi / 2)
    world.vehicle.wind_mps = (5.0, 0.0, 0.0)
    world.run(10.0)
    north = hovering()
    north.vehicle.wind_mps = (5.0, 0.0, 0.0)
    north.run(10.0)
    assert north.vehicle.position_m[0] < 0.3 < 0.6 < world.vehicle.position_m[0]


def test_vehicle_starts_armed_also_after_reset(call):
    assert call.simulation.autopilot.armed
    call("armDisarm", False)
    call.simulation.reset()
    assert call.simulation.autopilot.armed


def test_disarmed_vehicle_flies_when_it_is_commanded(call):
    assert call("armDisarm", False) is True
    assert call("armDisarm", False) is False  # there is nothing to disarm
    call.move(3.0)
    call.run(3.0)
    assert call.simulation.vehicle.velocity_mps[0] > 0.8
    assert call.simulation.vehicle.position_m[2] < -19.0


def test_disarming_stops_the_rotors_until_the_vehicle_holds_after_the_last_set_point(call):
    call.move(0.1)
    call.run(0.3)  # the vehicle holds by now, so nothing comes after the order to stop
    call("armDisarm", False)
    call.run(0.5)
    assert sum(call.simulation.vehicle.thrusts_n) < 0.01


def test_arming_without_api_control_is_refused(call):
    call("enableApiControl", False)
    assert call("armDisarm", False) is False
    assert call.simulation.autopilot.armed


def test_vehicle_falls_when_api_control_is_taken_away(call):
    call.run(1.0)
    call("enableApiControl", False)
    call.run(1.0)
    assert call.simulation.vehicle.velocity_mps[2] > 4.0


def test_motion_call_without_api_control_lasts_and_answers_true(call):
    call("enableApiControl", False)
    move = call.move(0.5)
    call.run(0.4)
    assert not move.done()
    call.run(0.2)
    assert move.result(0) is True
    assert abs(call.simulation.vehicle.velocity_mps[0]) < 0.01


def test_five_moves_sent_at_once_run_one_after_the_other_but_the_first(call):
    moves = [call.move() for _ in range(5)]
    assert moves[0].result(0) is False
    call.run(1.0)
    for move in moves[1:]:
        assert not move.done()
        call.run(2.0)
        assert move.result(0) is True


def test_move_after_another_request_supersedes_at_once(call):
    """A client that asks for the state in between is not caught in a burst."""
    first = call.move()
    call.run(0.5)
    second = call.move()
    call("simGetGroundTruthKinematics")
    third = call.move()
    assert first.result(0) is False
    assert second.result(0) is False
    call.run(2.1)
    assert third.result(0) is True


def test_cancel_ends_the_running_task_and_the_next_of_the_burst_begins(call):
    first, second, third = call.move(), call.move(), call.move()
    call("cancelLastTask")
    assert (first.result(0), second.result(0), third.done()) == (False, False, False)
    call.run(2.1)
    assert third.result(0) is True


def test_reset_answers_false_for_all_tasks_of_a_burst(call):
    moves = [call.move() for _ in range(4)]
    call.simulation.reset()
    assert [move.result(0) for move in moves] == [False] * 4


def test_takeoff_in_a_burst_that_cannot_start_fails_without_ending_the_others():
    world = hovering()
    moving(world, 5.0, 1.0)
    moving(world, 5.0, 1.0)
    takeoff = world.start(world.manoeuvres.takeoff, 20.0)
    last = moving(world, 1.0, 0.5)
    world.run(2.0)
    assert isinstance(takeoff.exception(0), TaskError)
    assert last.result(0) is True


def test_landing_ends_in_the_air_while_something_lifts_the_vehicle():
    world = hovering()
    world.vehicle.set_motion((0.0, 0.0, -10.0), (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, -20.0))
    land = world.start(world.manoeuvres.land, 60.0)
    world.run(0.3)
    assert land.result(0) is True
    assert world.vehicle.position_m[2] < -10.0


def test_safe_landing_goes_on_until_the_vehicle_stands():
    world = hovering(height_m=1.0)
    task = manoeuvres_by(TaskRules(rules="airsim", safe_landing=True)).land
    world.vehicle.set_motion((0.0, 0.0, -1.0), (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, -5.0))
    land = world.start(task, 60.0)
    world.run(0.5)
    assert not land.done()
    world.run(25.0)
    assert land.result(0) is True
    assert world.vehicle.in_contact


def test_go_home_flies_straight_and_the_safe_variant_level():
    heights_m = {}
    for safe in (False, True):
        world = hovering()
        world.vehicle.set_motion((6.0, 0.0, -8.0), (1.0, 0.0, 0.0, 0.0))
        rules = TaskRules(rules="airsim", safe_return=safe)
        world.start(manoeuvres_by(rules).go_home, 3e38)
        place = world.run(60.0, lambda vehicle: vehicle.position_m)
        heights_m[safe] = next(-down for north, _, down in place if north < 3.0)
    assert heights_m[False] < 5.5
    assert heights_m[True] > 7.0


def test_turn_to_a_yaw_overshoots_and_answers_once_the_vehicle_has_stopped():
    world = hovering()
    turn = world.start(world.manoeuvres.rotate_to_yaw, math.pi / 2, 30.0, math.radians(5.0))
    yaws = world.run(4.0, lambda vehicle: math.degrees(vehicle.euler_rad()[2]))
    assert turn.result(0) is True
    assert 97.0 < max(yaws) < 106.0


def test_rules_of_airsim_serve_other_flight_controllers_too():
    world = OpenAir(vehicle={"extends": "nimble", "tasks": {"rules": "airsim"}})
    turn = world.start(world.manoeuvres.rotate_to_yaw, 1.0, 30.0, 0.05)
    world.run(6.0)
    assert turn.result(0) is True
    assert world.vehicle.euler_rad()[2] == pytest.approx(1.0, abs=0.06)
    assert math.dist(world.vehicle.position_m, (0.0, 0.0, -10.0)) < 0.1


def test_forward_only_heading_is_the_course_and_a_slow_course_is_none():
    east = Heading(None, 0.0, forward_only=True)
    for speed, expected in ((2.0, 90.0), (0.4, 0.0)):
        world = hovering()
        world.start(world.manoeuvres.move_by_velocity, (0.0, speed, 0.0), 5.0, east)
        world.run(5.0)
        assert math.degrees(world.vehicle.euler_rad()[2]) == pytest.approx(expected, abs=1.0)


def test_path_with_a_long_lookahead_ends_false_where_the_vehicle_comes_no_nearer():
    world = hovering()
    z = -10.0
    corners = [(20.0, 0.0, z), (20.0, 20.0, z), (0.0, 20.0, z), (0.0, 0.0, z)]
    task = world.manoeuvres.move_on_path
    ahead = paths.Lookahead(20.0, 1.0)
    path = world.start(task, corners, 5.0, 120.0, Heading(None, 0.0, True), ahead)
    world.run(5.0)
    assert path.result(0) is False


def test_path_without_points_answers_true_and_one_past_its_limit_false():
    world = hovering()
    task = world.manoeuvres.move_on_path
    assert world.start(task, [], 2.0, 60.0, STILL).result(0) is True
    late = world.start(task, [(50.0, 0.0, -10.0)], 2.0, 0.5, STILL)
    world.run(0.6)
    assert late.result(0) is False


def test_gains_of_a_client_change_the_response_until_the_reset():
    def turn_rate(gain):
        world = hovering()
        if gain is not None:
            world.autopilot.loops.rate.set_gains(Gains((0.25, 0.25, gain)))
        world.start(manoeuvres.steadily, Attitude(0.0, 0.0, yaw_rate_radps=1.0, z_m=-10.0), 5.0)
        world.run(0.2)
        rate = world.vehicle.rates_radps[2]
        world.autopilot.reset(landed=False)
        return rate, world.autopilot.loops.rate.axes[2].act(1.0)

    (usual, restored), (soft, restored_too) = turn_rate(None), turn_rate(0.1)
    assert soft < 0.6 * usual
    assert restored == restored_too == 0.25


def test_rotors_push_with_85_percent_of_the_weight_after_a_landing():
    world = real(flying=False)
    world.start(world.manoeuvres.takeoff, 20.0)
    world.run(6.0)
    world.start(world.manoeuvres.land, 60.0)
    world.run(15.0)
    assert world.vehicle.in_contact
    assert not world.autopilot.landed  # as AirSim on Unreal
    assert sum(world.vehicle.thrusts_n) / world.vehicle.airframe.weight_n == pytest.approx(
        0.85, abs=0.1
    )


def test_vehicle_idles_on_the_ground_until_it_is_commanded():
    world = real(flying=False)
    world.run(2.0)
    assert world.autopilot.landed
    assert sum(world.vehicle.thrusts_n) < 0.15 * world.vehicle.airframe.weight_n
    world.runner.autopilot.command(Velocity(0.0, 0.0, -2.0, yaw_rate_radps=0.0))
    world.run(0.06)
    assert not world.autopilot.landed


def test_integral_leaks_and_is_clipped():
    pid = Pid(0.0, 2.0, 0.0, keep=0.9)
    answers = [pid.act(1.0) for _ in range(200)]
    assert answers[0] == 0.0  # the first error has lasted for no time yet
    assert answers[-1] == pytest.approx(0.1)  # 2 * 5 ms / (1 - 0.9)
    eager = Pid(0.0, 1e3)
    assert [eager.act(1.0) for _ in range(5)][-1] == 1.0


@pytest.mark.parametrize("steps", [0.5, 1.0, 1.3])
def test_rotor_delay_passes_commands_on_after_its_time(steps):
    delay = RotorDelay(steps)
    delay.fill((0.0,) * 4)
    arrived = [delay.pass_on((float(t),) * 4)[0] for t in range(10)]
    assert arrived[5:] == pytest.approx([t - steps for t in range(5, 10)])
