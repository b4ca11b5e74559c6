"""Tests of detecting from the vehicle's motion that another client has it."""

from dataclasses import replace

import pytest

from followme_uav.config import load_config
from followme_uav.flight.control_watch import ControlWatch
from followme_uav.messages import CameraPose, Command, Frame, Manoeuvre, MissionState, VehicleState

CONFIG = load_config()
LEVEL, STILL = (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
CAMERA = CameraPose(STILL, LEVEL, 1.0)
CLIMB = Command(Manoeuvre.VELOCITY, (0.0, 0.0, -1.0), 0.0, 0.0, 0.0)
LEVEL_FLIGHT = replace(CLIMB, velocity_mps=(3.0, 0.0, 0.0))
FOLLOW = MissionState.FOLLOW


class Flight:
    """A flight that starts on the ground."""

    def __init__(self):
        self.watch = ControlWatch(CONFIG)
        assert self.at(0.0, 0.0, state=MissionState.TAKEOFF) == ""

    def at(self, time_s, altitude_m, north_m=0.0, *, mps=STILL, state=FOLLOW, command=LEVEL_FLIGHT):
        vehicle = VehicleState(time_s, (north_m, 0.0, -altitude_m), mps, LEVEL, STILL)
        frame = Frame(0, time_s, None, CAMERA, vehicle)
        return self.watch.check(frame, state, command).control_loss


def test_fast_flight_with_late_frames_is_no_loss_of_control():
    flight = Flight()
    north_m = 0.0
    flight.watch.restart()
    for i in range(1, 60):
        dt_s = 1.0 if i % 20 == 0 else 0.1
        north_m += 8.0 * dt_s
        assert flight.at(north_m / 8.0, 4.5, north_m, mps=(8.0, 0.0, 0.0)) == ""


def test_clock_that_goes_back_is_a_reset():
    flight = Flight()
    assert flight.at(5.0, 4.5) == ""
    assert "clock went back by 4.9 s" in flight.at(0.1, 4.5)


def test_jump_of_the_position_is_a_move_by_another_client():
    flight = Flight()
    flight.at(5.0, 4.5, 20.0)
    assert "20.5 m away at once" in flight.at(5.1, 0.0, 0.0)


def test_fall_is_a_loss_of_control():
    flight = Flight()
    sink_mps = CONFIG.mission.fall_mps
    assert flight.at(5.0, 4.5, mps=(0.0, 0.0, sink_mps - 0.1)) == ""
    assert "falls" in flight.at(5.1, 4.2, mps=(0.0, 0.0, sink_mps + 0.1))


def test_fastest_commanded_descent_is_half_the_limit_of_a_fall():
    control, mission = CONFIG.control, CONFIG.mission
    assert mission.fall_mps >= 2.0 * max(control.altitude.limit, mission.descent_mps)


@pytest.mark.parametrize("altitude_m", [0.0, 1.6])
def test_vehicle_that_rests_low_although_commanded_to_climb_is_a_loss_of_control(altitude_m):
    flight = Flight()
    lost = [flight.at(5.0 + 0.1 * i, altitude_m, command=CLIMB) for i in range(20)]
    first = next(i for i, loss in enumerate(lost) if loss)
    assert 0.1 * first == pytest.approx(CONFIG.mission.disobeyed_s, abs=0.11)
    assert "does not climb" in lost[first]


@pytest.mark.parametrize(
    "how",
    [
        {"state": MissionState.TAKEOFF},
        {"state": MissionState.LAND},
        {"state": MissionState.FAILSAFE},
        {"command": None},
        {"command": LEVEL_FLIGHT},
        {"mps": (0.0, 0.0, -0.5)},
    ],
)
def test_rest_at_low_altitude_is_no_loss_unless_commanded_to_climb(how):
    flight = Flight()
    how = {"command": CLIMB, **how}
    assert not any(flight.at(5.0 + 0.1 * i, 0.1, **how) for i in range(40))


def test_jump_is_no_loss_after_control_was_retaken():
    flight = Flight()
    flight.at(5.0, 4.5, 20.0)
    flight.watch.restart()
    assert flight.at(0.1, 0.0, 0.0) == ""


def test_fall_is_no_loss_at_first_after_control_was_retaken():
    """Else control would be retaken in each frame of one fall."""
    flight = Flight()
    flight.watch.restart()
    falls = [flight.at(5.0 + 0.1 * i, 3.0, mps=(0.0, 0.0, 6.0)) for i in range(30)]
    first = next(i for i, loss in enumerate(falls) if loss)
    assert 0.1 * first == pytest.approx(CONFIG.mission.disobeyed_s, abs=0.15)


def test_loss_reported_by_the_client_comes_first():
    vehicle = VehicleState(0.0, STILL, STILL, LEVEL, STILL)
    frame = Frame(0, 0.0, None, CAMERA, vehicle, control_loss="API control is gone")
    assert ControlWatch(CONFIG).check(frame, FOLLOW, None).control_loss == "API control is gone"
