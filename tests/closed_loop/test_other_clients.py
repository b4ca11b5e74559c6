"""Tests with a second client in the same simulator that resets, disarms, moves or takes over.

Vision is not under test, so the flights use true masks; they fly in lockstep, so that the result
does not depend on the speed of the machine.
"""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from followme_uav.config import load_config
from followme_uav.errors import ControlLostError
from followme_uav.flight.embedded import simulator_for
from followme_uav.flight.fly import FlightPlan, fly
from followme_uav.log.reader import read_log
from followme_uav.messages import MissionState
from followme_uav.rpc.session import RpcSession
from followme_uav.sim.names import VEHICLE_NAME as NAME
from followme_uav.sim.vehicle.vehicle_spec import load_vehicle

ROOT = Path(__file__).resolve().parents[2]
SEED = 8
INTERFERENCE_S = 7.0
AWAY = {
    "position": {"x_val": 0.0, "y_val": 30.0, "z_val": -5.0},
    "orientation": {"w_val": 1.0, "x_val": 0.0, "y_val": 0.0, "z_val": 0.0},
}
TAKE_CONTROL = ["enableApiControl", False, NAME]
DISARM = ["armDisarm", False, NAME]
FALLS = "the vehicle falls"
INTERFERENCES = {
    "reset": (["reset"], "was reset: its clock went back"),
    "api control": (TAKE_CONTROL, FALLS),
    "teleport": (["simSetVehiclePose", AWAY, True, NAME], "moved the vehicle"),
}
NIMBLE_INTERFERENCES = {
    "api control": (TAKE_CONTROL, "took API control away"),
    "disarm": (DISARM, FALLS),
}
"""Without API control `nimble` hovers; AirSim's vehicle falls."""

pytestmark = pytest.mark.slow


class Scene:
    """A running simulator, and the connection of the other client."""

    def __init__(self, simulator, log):
        self.simulator, self.log = simulator, log
        self.other = RpcSession(simulator.host, simulator.port)
        self.other.connect()
        self.other.call("simPause", True)
        self.other.call("reset")

    def fly(self, *overrides, watch=lambda entry: None, at_s=INTERFERENCE_S, interference=None):
        """Return the summary of a flight in which the other client interferes at that time."""
        config = self.simulator.found_by(load_config(overrides=["duration_s=14", *overrides]))
        pending = [] if interference is None else [interference]

        def watch_both(entry, metrics):
            watch(entry)
            if pending and entry.step.time_s > at_s:
                self.other.call(*pending.pop())

        plan = FlightPlan(
            config, weights=None, seed=SEED, log=self.log, embedded=False, lockstep=True
        )
        return fly(plan, watch_both)

    def entries(self):
        log = read_log(self.log)
        assert not log.truncated
        return list(log.entries())

    def has_control(self):
        return self.other.call("isApiControlEnabled", NAME)

    def height_m(self):
        return -self.other.call("simGetVehiclePose", NAME)["position"]["z_val"]

    def thrust_n(self):
        return sum(r["thrust"] for r in self.other.call("getRotorStates", NAME)["rotors"])


@pytest.fixture(scope="module")
def simulator():
    with simulator_for(load_config(), SEED, paused=True) as started:
        yield started


@pytest.fixture(scope="module")
def nimble_simulator():
    with simulator_for(load_config(), SEED, paused=True, vehicle="nimble") as started:
        yield started


@pytest.fixture
def nimble_scene(nimble_simulator, tmp_path):
    made = Scene(nimble_simulator, tmp_path / "flight.mcap")
    yield made
    made.other.close()


@pytest.fixture
def scene(simulator, tmp_path):
    made = Scene(simulator, tmp_path / "flight.mcap")
    yield made
    made.other.close()


@pytest.mark.parametrize("name", INTERFERENCES)
def test_interference_is_detected_and_the_flight_goes_on(scene, name):
    check_that_it_is_detected_and_the_flight_goes_on(scene, *INTERFERENCES[name])


@pytest.mark.parametrize("name", NIMBLE_INTERFERENCES)
def test_interference_with_nimble_is_detected_and_the_flight_goes_on(nimble_scene, name):
    check_that_it_is_detected_and_the_flight_goes_on(nimble_scene, *NIMBLE_INTERFERENCES[name])


def test_disarming_does_not_disturb_a_flight_of_airsims_vehicle_which_obeys_all_the_same(scene):
    summary = scene.fly(interference=DISARM)
    assert not any(e.frame.control_loss for e in scene.entries())
    assert summary.metrics.landed
    assert summary.metrics.collisions == 0


def check_that_it_is_detected_and_the_flight_goes_on(scene, interference, words):
    summary = scene.fly(interference=interference)
    entries = scene.entries()
    changes = [e.step.transition for e in entries if e.step.transition]
    (fault,) = (c for c in changes if c.target is MissionState.FAILSAFE)
    assert words in fault.reason
    detected_s = next(e.step.time_s for e in entries if e.frame.control_loss)
    assert detected_s - INTERFERENCE_S < 2.5
    later = [e for e in entries if e.step.time_s > detected_s + 6.0]
    assert max(-e.frame.vehicle.position_m[2] for e in later) > 3.5  # in the air again
    assert summary.metrics.landed
    assert not scene.has_control()


def test_flight_ends_and_leaves_the_vehicle_when_control_may_not_be_retaken(scene):
    def watch(entry):
        if entry.frame.control_loss:
            scene.other.call("enableApiControl", True, NAME)  # the other client has control now

    with pytest.raises(ControlLostError, match=f"{FALLS} .*; gave up control"):
        scene.fly(
            "mission.control_take_backs=0",
            watch=watch,
            interference=TAKE_CONTROL,
        )
    assert scene.entries()[-1].frame.control_loss
    assert scene.has_control()


def test_lost_control_is_an_error_of_one_line_with_exit_code_2(scene, tmp_path):
    log = tmp_path / "process.mcap"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "followme_uav.cli", "fly", "--oracle", "--lockstep"),
            *("--sim", f"{scene.simulator.host}:{scene.simulator.port}", "--log", str(log)),
            *("--set", "mission.control_take_backs=0"),
        ],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"},
    )
    try:
        lines = []
        for line in process.stderr:
            lines.append(line.rstrip("\n"))
            if "takeoff → patrol" in line:
                scene.other.call("reset")
        assert process.wait(60) == 2
    finally:
        process.kill()
    assert [line for line in lines if line.startswith("followme-uav: ")] == lines[-1:]
    assert "was reset" in lines[-1] and "control_take_backs" in lines[-1]
    assert not any("Traceback" in line for line in lines)
    assert not read_log(log).truncated


# The end of a flight


def test_vehicle_is_disarmed_and_released_and_time_runs_after_landing(scene):
    assert scene.fly("duration_s=4").metrics.landed
    assert not scene.has_control()
    assert scene.other.call("simIsPaused") is False
    scene.other.call("simPause", True)
    scene.other.call("simContinueForTime", 1.0)
    assert scene.height_m() < 0.3
    spec = load_vehicle()
    idle_n = 4.0 * spec.airframe.throttle_thrust_n * spec.controller.idle_throttle
    assert scene.thrust_n() == pytest.approx(idle_n, rel=0.01)


def test_control_is_kept_after_landing_when_configured(scene):
    scene.fly("duration_s=4", "mission.release_control=false")
    assert scene.has_control()


def test_interrupted_flight_leaves_the_vehicle_hovering_under_control(scene):
    def watch(entry):
        if entry.step.time_s > 6.0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scene.fly(watch=watch)
    scene.other.call("simPause", True)
    scene.other.call("simContinueForTime", 12.0)  # AirSim's vehicle comes back slowly
    assert scene.has_control()
    assert scene.height_m() > 2.5
    speed = scene.other.call("getMultirotorState", NAME)["kinematics_estimated"]["linear_velocity"]
    assert math.hypot(*speed.values()) < 0.3


def test_flight_that_fails_before_take_off_releases_vehicle_and_clock(scene):
    def watch(entry):
        raise RuntimeError("failed")

    with pytest.raises(RuntimeError):
        scene.fly(watch=watch)
    assert not scene.has_control()
    assert scene.other.call("simIsPaused") is False


# Images that are not square


@pytest.mark.parametrize("size_px", [(320, 240), (160, 240)])
def test_hero_is_followed_in_images_that_are_not_square(tmp_path, size_px):
    overrides = [
        "duration_s=13",
        f"camera.width_px={size_px[0]}",
        f"camera.height_px={size_px[1]}",
    ]
    plan = FlightPlan(
        load_config(overrides=overrides),
        weights=None,
        seed=SEED,
        log=tmp_path / "flight.mcap",
        embedded=True,
        lockstep=True,
    )
    summary = fly(plan)
    assert summary.success
    assert summary.metrics.in_view == 1.0
    following = [
        entry
        for entry in read_log(plan.log).entries()
        if entry.step.state is MissionState.FOLLOW and entry.step.detection is not None
    ]
    errors_m = sorted(
        math.dist(entry.step.track.position_m[:2], entry.truth.hero_position_m[:2])
        for entry in following
    )
    assert errors_m[len(errors_m) // 2] < 0.35
