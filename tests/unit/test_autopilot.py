"""The flight controller: response, damping, SimpleFlight's limits, and wind rejection."""

import math

import pytest

from followme_uav.sim.vehicle.autopilot import Autopilot
from followme_uav.sim.vehicle.control_loops import MAX_LEAN_RAD, MAX_RATE_RADPS
from followme_uav.sim.vehicle.setpoints import Velocity
from followme_uav.sim.vehicle.vehicle import TIME_STEP_S, Vehicle
from followme_uav.sim.vehicle.vehicle_spec import load_vehicle

NIMBLE = load_vehicle("nimble")
START = (0.0, 0.0, -20.0)


@pytest.fixture
def hovering():
    vehicle = Vehicle(airframe=NIMBLE.airframe)
    vehicle.place(START, 0.0)
    autopilot = Autopilot(vehicle, NIMBLE.controller)
    autopilot.reset(landed=False)
    return vehicle, autopilot


def fly(vehicle, autopilot, duration_s, set_point=None):
    """Fly with a set point renewed every 20 ms; yields after every step."""
    for i in range(round(duration_s / TIME_STEP_S)):
        if set_point is not None and i % 4 == 0:
            autopilot.command(set_point)
        vehicle.step(autopilot.update())
        yield


def velocity(north=0.0, east=0.0, down=0.0, **heading):
    return Velocity(north, east, down, **(heading or {"yaw_rate_radps": 0.0}))


@pytest.mark.parametrize("yaw_rad", [0.0, 2.0])
@pytest.mark.parametrize("direction", [(3.0, 0.0, 0.0), (0.0, -3.0, 0.0), (0.0, 0.0, -2.0)])
def test_velocity_step_settles_without_overshoot(hovering, direction, yaw_rad):
    """The pilot assumes that a commanded velocity is reached within about 1.5 s."""
    vehicle, autopilot = hovering
    vehicle.place(START, yaw_rad)
    speed = math.hypot(*direction)
    along = []
    for _ in fly(vehicle, autopilot, 4.0, velocity(*direction)):
        along.append(
            sum(v * d for v, d in zip(vehicle.velocity_mps, direction, strict=True)) / speed
        )
    assert max(along) < 1.05 * speed
    assert along[round(1.5 / TIME_STEP_S)] > 0.9 * speed
    assert along[-1] == pytest.approx(speed, abs=0.03)


def test_lean_and_rates_stay_within_simple_flights_limits(hovering):
    vehicle, autopilot = hovering
    leans, rates = [], []
    for north in (6.0, -6.0):
        for _ in fly(vehicle, autopilot, 2.0, velocity(north, 6.0, yaw_rate_radps=9.0)):
            leans.append(math.acos(min(1.0, vehicle.down_axis()[2])))
            rates.append(max(map(abs, vehicle.rates_radps)))
    assert max(leans) < MAX_LEAN_RAD + math.radians(6.0)
    assert max(rates) < 1.2 * MAX_RATE_RADPS


def test_commanded_speed_is_limited_by_drag_and_lean_alone(hovering):
    """AirSim's SimpleFlight reaches 28 m/s of 50 commanded; 6 m/s limit only the position loop."""
    vehicle, autopilot = hovering
    for _ in fly(vehicle, autopilot, 15.0, velocity(50.0)):
        assert abs(vehicle.position_m[2] - START[2]) < 1.0
    assert 22.0 < vehicle.velocity_mps[0] < 35.0


def test_vehicle_returns_to_its_hold_position_at_six_metres_per_second(hovering):
    vehicle, autopilot = hovering
    for _ in fly(vehicle, autopilot, 1.0):
        pass
    vehicle.place((START[0] + 60.0, *START[1:]), 0.0)
    speeds = [-vehicle.velocity_mps[0] for _ in fly(vehicle, autopilot, 6.0)]
    assert max(speeds) == pytest.approx(6.0, abs=0.3)


def test_hover_does_not_drift(hovering):
    vehicle, autopilot = hovering
    for _ in fly(vehicle, autopilot, 3.0):
        pass
    start = vehicle.position_m
    for _ in fly(vehicle, autopilot, 20.0):
        assert math.dist(vehicle.position_m, start) < 0.05


def test_hovering_vehicle_returns_to_its_position_in_a_gale(hovering):
    vehicle, autopilot = hovering
    for _ in fly(vehicle, autopilot, 1.0):
        pass
    start = vehicle.position_m
    vehicle.wind_mps = (5.0, -6.2, 0.0)
    for _ in fly(vehicle, autopilot, 8.0):
        assert math.dist(vehicle.position_m, start) < 0.5
    assert math.dist(vehicle.position_m, start) < 0.05


def test_velocity_is_over_ground_in_wind(hovering):
    vehicle, autopilot = hovering
    vehicle.wind_mps = (0.0, 8.0, 0.0)
    for _ in fly(vehicle, autopilot, 5.0, velocity(2.0, -1.0)):
        pass
    assert vehicle.velocity_mps == pytest.approx((2.0, -1.0, 0.0), abs=0.05)


def test_altitude_is_held_at_high_speed(hovering):
    vehicle, autopilot = hovering
    for _ in fly(vehicle, autopilot, 5.0, Velocity(5.0, 0.0, z_m=-20.0, yaw_rate_radps=1.0)):
        assert vehicle.position_m[2] == pytest.approx(-20.0, abs=0.15)


def test_without_set_points_the_vehicle_stops_and_holds_position(hovering):
    """This protects the vehicle when the controlling process dies."""
    vehicle, autopilot = hovering
    for _ in fly(vehicle, autopilot, 2.0, velocity(3.0)):
        pass
    at_release = vehicle.position_m
    for _ in fly(vehicle, autopilot, 6.0):
        pass
    assert math.hypot(*vehicle.velocity_mps) < 0.02
    assert 0.5 < vehicle.position_m[0] - at_release[0] < 2.5


def test_commanded_yaw_rate_and_yaw_are_reached(hovering):
    vehicle, autopilot = hovering
    for _ in fly(vehicle, autopilot, 2.0, velocity(yaw_rate_radps=-0.5)):
        pass
    assert vehicle.rates_radps[2] == pytest.approx(-0.5, abs=0.02)
    for _ in fly(vehicle, autopilot, 6.0, velocity(yaw_rad=3.0)):
        pass
    assert vehicle.euler_rad()[2] == pytest.approx(3.0, abs=0.02)


def test_disarmed_rotors_stop():
    vehicle = Vehicle(airframe=NIMBLE.airframe)
    autopilot = Autopilot(vehicle, NIMBLE.controller)
    autopilot.armed = False
    for _ in fly(vehicle, autopilot, 1.0, velocity(down=-2.0)):
        pass
    assert vehicle.position_m[2] > -0.2
    assert autopilot.landed


def test_vehicle_is_armed_at_the_start_and_after_a_reset():
    """As on SimpleFlight; scripts that arm once and reset often rely on it."""
    vehicle = Vehicle(airframe=NIMBLE.airframe)
    autopilot = Autopilot(vehicle, NIMBLE.controller)
    for _ in range(2):
        assert autopilot.armed
        assert autopilot.update() == (0.0, 0.0, 0.0, 0.0)  # the rotors idle until a command
        for _ in fly(vehicle, autopilot, 2.0, velocity(down=-2.0)):
            pass
        assert vehicle.position_m[2] < -2.0
        autopilot.armed = False
        vehicle.reset()
        autopilot.reset(landed=True)


def test_landed_is_reported_after_landing_and_cleared_by_take_off():
    """A mission disarms by `landed_state`."""
    vehicle = Vehicle(airframe=NIMBLE.airframe)
    autopilot = Autopilot(vehicle, NIMBLE.controller)
    for _ in fly(vehicle, autopilot, 2.0, velocity(down=-1.0)):
        pass
    assert not autopilot.landed
    for _ in fly(vehicle, autopilot, 8.0, velocity(down=0.4)):
        pass
    assert autopilot.landed
    assert vehicle.collision is None
    for _ in fly(vehicle, autopilot, 1.0, velocity(down=-1.0)):
        pass
    assert not autopilot.landed
    assert vehicle.position_m[2] < -0.5


def test_vehicle_recovers_after_a_frontal_collision():
    """The failsafe after a collision needs a vehicle that can hover."""
    from followme_uav.sim.city.world import Collider

    vehicle = Vehicle(
        [Collider("wall", "box", (8.0, 0.0, -20.0), (0.5, 20.0, 20.0))], airframe=NIMBLE.airframe
    )
    vehicle.place(START, 0.0)
    autopilot = Autopilot(vehicle, NIMBLE.controller)
    autopilot.reset(landed=False)
    for _ in fly(vehicle, autopilot, 3.0, velocity(3.0)):
        pass
    assert vehicle.collision is not None
    for _ in fly(vehicle, autopilot, 3.0, velocity(-1.0)):
        pass
    for _ in fly(vehicle, autopilot, 4.0):
        pass
    assert math.hypot(*vehicle.velocity_mps) < 0.05
    assert vehicle.down_axis()[2] > 0.99
