"""Set points of attitude, body rates and rotors, and gains: the vehicle's state follows them."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from followme_uav.sim.vehicle import gains, manoeuvres
from followme_uav.sim.vehicle.control_loops import MAX_LEAN_RAD, MAX_RATE_RADPS
from followme_uav.sim.vehicle.gains import Gains, Loop
from followme_uav.sim.vehicle.setpoints import Attitude, BodyRates, Rotors
from followme_uav.sim.vehicle.tasks import Heading
from followme_uav.sim.vehicle.vehicle_spec import load_vehicle
from tests.open_air import OpenAir

pytestmark = pytest.mark.slow

HOVER = load_vehicle("nimble").airframe.hover_throttle


def fly(set_point, duration_s, world=None):
    world = world or OpenAir(height_m=300.0)
    world.start(manoeuvres.steadily, set_point, 1e9)
    world.run(duration_s)
    return world


@settings(max_examples=25, deadline=None)
@given(st.floats(-0.4, 0.4), st.floats(-0.4, 0.4), st.floats(-3.0, 3.0))
def test_commanded_attitude_is_held_at_the_altitude(roll, pitch, yaw):
    world = fly(Attitude(roll, pitch, yaw_rad=yaw, z_m=-300.0), 5.0)
    now_roll, now_pitch, now_yaw = world.vehicle.euler_rad()
    assert (now_roll, now_pitch) == pytest.approx((roll, pitch), abs=0.03)
    assert abs(math.remainder(now_yaw - yaw, 2.0 * math.pi)) < 0.1
    assert world.vehicle.position_m[2] == pytest.approx(-300.0, abs=0.3)


@settings(max_examples=25, deadline=None)
@given(*[st.floats(-1.5, 1.5)] * 2, st.floats(-0.5, 0.5))
def test_commanded_body_rates_are_reached(roll, pitch, yaw):
    world = fly(BodyRates(roll, pitch, yaw, throttle=HOVER), 0.6)
    assert world.vehicle.rates_radps == pytest.approx((roll, pitch, yaw), abs=0.08)


@pytest.mark.parametrize("yaw_rate", [0.8, -1.2])
def test_yaw_rate_with_a_lean_turns_at_that_rate(yaw_rate):
    world = fly(Attitude(0.1, -0.1, yaw_rate_radps=yaw_rate, z_m=-300.0), 2.0)
    before = world.vehicle.euler_rad()[2]
    world.run(1.0)
    turned = math.remainder(world.vehicle.euler_rad()[2] - before, 2.0 * math.pi)
    assert turned == pytest.approx(yaw_rate, abs=0.05)
    assert world.vehicle.euler_rad()[:2] == pytest.approx((0.1, -0.1), abs=0.05)


def test_axes_are_forward_right_down():
    """With a wrong sign a client's script flies in the opposite direction."""
    right = fly(Attitude(0.2, 0.0, yaw_rate_radps=0.0, z_m=-300.0), 2.0).vehicle.velocity_mps
    assert right[1] > 1.0
    forward = fly(Attitude(0.0, -0.2, yaw_rate_radps=0.0, z_m=-300.0), 2.0).vehicle.velocity_mps
    assert forward[0] > 1.0
    assert fly(BodyRates(0.0, 0.0, 0.5, z_m=-300.0), 1.0).vehicle.euler_rad()[2] > 0.2


def test_lean_and_rates_are_clipped_to_simple_flights_limits():
    world = fly(Attitude(3.0, 0.0, yaw_rate_radps=0.0, z_m=-300.0), 2.0)
    assert world.vehicle.euler_rad()[0] == pytest.approx(MAX_LEAN_RAD, abs=0.02)
    world = fly(BodyRates(0.0, -50.0, 0.0, throttle=HOVER), 0.5)
    assert world.vehicle.rates_radps[1] == pytest.approx(-MAX_RATE_RADPS, abs=0.15)


@pytest.mark.parametrize(("throttle", "sign"), [(HOVER, 0), (0.7, 1), (0.5, -1)])
def test_hover_throttle_is_that_of_airsim(throttle, sign):
    """Scripts contain AirSim's 0.594, as a throttle and as a PWM."""
    for set_point in (
        Attitude(0.0, 0.0, yaw_rate_radps=0.0, throttle=throttle),
        BodyRates(0.0, 0.0, 0.0, throttle=throttle),
        Rotors(throttle, throttle, throttle, throttle),
    ):
        climb = -fly(set_point, 2.0).vehicle.velocity_mps[2]
        assert climb == pytest.approx(0.0, abs=0.05) if sign == 0 else sign * climb > 1.0


@pytest.mark.parametrize(
    ("stronger", "axis"),
    [((1, 2), 0), ((0, 2), 1), ((0, 1), 2)],
    ids=["left: roll right", "front: pitch up", "counter-clockwise: yaw right"],
)
def test_each_rotor_follows_its_own_throttle(stronger, axis):
    shares = [HOVER + (0.05 if i in stronger else -0.05) for i in range(4)]
    rates = fly(Rotors(*shares), 0.3).vehicle.rates_radps
    assert rates[axis] > 0.02
    assert all(abs(rate) < 0.02 for i, rate in enumerate(rates) if i != axis)


def test_landed_vehicle_stays_down_until_the_throttle_carries_its_weight():
    world = OpenAir(flying=False)
    fly(Attitude(0.2, 0.0, yaw_rate_radps=0.0, throttle=0.3), 1.0, world)
    assert world.autopilot.landed
    assert math.hypot(*world.vehicle.position_m[:2]) < 0.01
    fly(Attitude(0.0, 0.0, yaw_rate_radps=0.0, throttle=0.8), 2.0, world)
    assert not world.autopilot.landed
    assert world.vehicle.position_m[2] < -1.0


def test_rotor_set_points_lift_a_landed_vehicle_and_land_it():
    world = OpenAir(flying=False)
    fly(Rotors(0.7, 0.7, 0.7, 0.7), 1.5, world)
    assert not world.autopilot.landed
    assert world.vehicle.position_m[2] < -0.5
    fly(Rotors(0.5, 0.5, 0.5, 0.5), 6.0, world)
    assert world.autopilot.landed


@settings(max_examples=20, deadline=None)
@given(st.tuples(*[st.sampled_from([0.0, 0.3, 0.6, 1.0])] * 4), st.floats(0.2, 3.0))
def test_vehicle_recovers_from_any_attitude_after_rotor_set_points(shares, duration_s):
    """Rotor set points can flip the vehicle; the next command must find it able to fly."""
    world = fly(Rotors(*shares), duration_s)
    world.runner.cancel()
    world.run(9.0)
    assert math.hypot(*world.vehicle.velocity_mps) < 0.5
    assert world.vehicle.down_axis()[2] > 0.97
    assert all(math.isfinite(x) for x in world.vehicle.position_m)


# -- gains -----------------------------------------------------------------------------------


def rise_after(duration_s, **changes):
    """Forward speed a while after a set point of 3 m/s, with changed gains in some loops."""
    world = OpenAir()
    for name, value in changes.items():
        getattr(world.autopilot.loops, name).set_gains(value)
    world.start(manoeuvres.move_by_velocity, (3.0, 0.0, 0.0), 1e9, Heading())
    world.run(duration_s)
    return world.vehicle.velocity_mps[0]


def test_airsims_default_gains_change_nothing():
    """Clients pass them to ask for the default response."""
    tuned = rise_after(0.7)
    defaults = {
        "position": gains.POSITION,
        "velocity": gains.VELOCITY,
        "angle": gains.ANGLE_LEVEL,
        "rate": gains.ANGLE_RATE,
    }
    assert rise_after(0.7, **defaults) == tuned


def test_lower_velocity_gain_responds_slower_and_zero_gain_not_at_all():
    tuned = rise_after(1.0)
    weaker = rise_after(1.0, velocity=Gains((0.05, 0.05, 2.0)))
    assert weaker < 0.6 * tuned
    assert abs(rise_after(1.0, velocity=Gains((0.0, 0.0, 2.0)))) < 0.05


def test_each_set_of_gains_changes_its_own_loop():
    tuned = rise_after(0.5)
    for loop in ("angle", "rate"):
        assert rise_after(0.5, **{loop: Gains((0.02, 0.02, 0.02))}) < 0.9 * tuned
    world = OpenAir()
    world.autopilot.loops.position.set_gains(Gains((0.25, 0.25, 0.05)))
    world.start(manoeuvres.move_by_velocity_z, (0.0, 0.0), -13.0, 1e9, Heading())
    world.run(2.0)
    assert -11.5 < world.vehicle.position_m[2] < -10.1


def test_integral_and_differential_terms_act():
    loop = Loop((2.0, 2.0, 2.0), Gains((1.0, 1.0, 1.0), (0.0, 0.0, 5.0)))
    assert loop.act(0, 3.0) == 6.0
    loop.set_gains(Gains((1.0, 1.0, 1.0), (1.0, 0.0, 5.0), (0.0, 0.1, 0.0)))
    assert loop.act(0, 3.0) < loop.act(0, 3.0)  # grows with time
    loop.act(1, 1.0)
    assert loop.act(1, 2.0) == pytest.approx(2.0 * (2.0 + 0.1 * 1.0 / 0.005))
    assert loop.act(2, 3.0) == loop.act(2, 3.0) == 6.0  # up to the default it adds nothing
    loop.restart()
    assert loop.act(1, 2.0) == 4.0


def test_integral_is_bounded():
    loop = Loop((1.0, 1.0, 1.0), Gains((1.0, 1.0, 1.0)))
    loop.set_gains(Gains((1.0, 1.0, 1.0), (1.0, 1.0, 1.0)))
    answers = [loop.act(0, 100.0) for _ in range(10_000)]
    assert answers[-1] == answers[-2] < 200.0


def test_reset_restores_the_default_gains():
    world = OpenAir()
    world.autopilot.loops.rate.set_gains(Gains((0.0, 0.0, 0.0)))
    world.autopilot.reset(landed=False)
    world.start(manoeuvres.move_by_velocity, (3.0, 0.0, 0.0), 1e9, Heading())
    world.run(0.7)
    assert world.vehicle.velocity_mps[0] == pytest.approx(rise_after(0.7), abs=1e-9)
