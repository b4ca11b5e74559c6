"""Somebody else in the same simulator: a second client that resets, disarms, moves or takes over.

Vision plays no part, so the flights use true masks; in lockstep, so that no machine is too slow.
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

ROOT = Path(__file__).resolve().parents[2]
SEED = 8
MEDDLE_S = 7.0
AWAY = {
    "position": {"x_val": 0.0, "y_val": 30.0, "z_val": -5.0},
    "orientation": {"w_val": 1.0, "x_val": 0.0, "y_val": 0.0, "z_val": 0.0},
}
DEEDS = {
    "reset": (["reset"], "was reset: its clock went back"),
    "api control": (["enableApiControl", False, NAME], "took API control away"),
    "disarm": (["armDisarm", False, NAME], "the vehicle falls"),
    "teleport": (["simSetVehiclePose", AWAY, True, NAME], "moved the vehicle"),
}

pytestmark = pytest.mark.slow


class Scene:
    """A running simulator, and the other client's connection to it."""

    def __init__(self, simulator, log):
        self.simulator, self.log = simulator, log
        self.other = RpcSession(simulator.host, simulator.port)
        self.other.connect()

    def fly(self, *overrides, watch=lambda entry: None, at_s=MEDDLE_S, deed=None):
        """Summary of a flight in which the other client does its deed at that time."""
        config = self.simulator.found_by(load_config(overrides=["duration_s=14", *overrides]))
        todo = [] if deed is None else [deed]

        def watch_both(entry, metrics):
            watch(entry)
            if todo and entry.step.time_s > at_s:
                self.other.call(*todo.pop())

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


@pytest.fixture
def scene(tmp_path):
    with simulator_for(load_config(), SEED, paused=True) as simulator:
        made = Scene(simulator, tmp_path / "flight.mcap")
        yield made
        made.other.close()


@pytest.mark.parametrize("name", DEEDS)
def test_what_another_client_does_is_noticed_and_the_flight_goes_on(scene, name):
    deed, words = DEEDS[name]
    summary = scene.fly(deed=deed)
    entries = scene.entries()
    changes = [e.step.transition for e in entries if e.step.transition]
    (fault,) = (c for c in changes if c.target is MissionState.FAILSAFE)
    assert words in fault.reason
    noticed_s = next(e.step.time_s for e in entries if e.frame.control_loss)
    assert noticed_s - MEDDLE_S < 2.5
    later = [e for e in entries if e.step.time_s > noticed_s + 6.0]
    assert max(-e.frame.vehicle.position_m[2] for e in later) > 3.5  # in the air again
    assert summary.metrics.landed
    assert not scene.has_control()


def test_control_that_is_not_to_be_taken_back_ends_the_flight_and_leaves_the_vehicle_alone(scene):
    def watch(entry):
        if entry.frame.control_loss:
            scene.other.call("enableApiControl", True, NAME)  # it is the other client's now

    with pytest.raises(ControlLostError, match="took API control away; gave up control"):
        scene.fly("mission.control_take_backs=0", watch=watch, deed=DEEDS["api control"][0])
    assert scene.entries()[-1].frame.control_loss
    assert scene.has_control()


def test_one_line_and_exit_code_2_when_control_is_gone_for_good(scene, tmp_path):
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


def test_after_landing_the_vehicle_is_disarmed_and_free_and_time_runs_on(scene):
    assert scene.fly("duration_s=4").metrics.landed
    assert not scene.has_control()
    assert scene.other.call("simIsPaused") is False
    scene.other.call("simPause", True)
    scene.other.call("simContinueForTime", 1.0)
    assert scene.height_m() < 0.3
    assert scene.thrust_n() < 0.1


def test_the_vehicle_is_kept_when_that_is_asked_for(scene):
    scene.fly("duration_s=4", "mission.release_control=false")
    assert scene.has_control()


def test_a_flight_that_is_cut_short_in_the_air_leaves_it_hovering_under_control(scene):
    def watch(entry):
        if entry.step.time_s > 6.0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scene.fly(watch=watch)
    scene.other.call("simPause", True)
    scene.other.call("simContinueForTime", 4.0)
    assert scene.has_control()
    assert scene.height_m() > 2.5
    speed = scene.other.call("getMultirotorState", NAME)["kinematics_estimated"]["linear_velocity"]
    assert math.hypot(*speed.values()) < 0.3


def test_a_flight_that_fails_before_it_takes_off_gives_everything_back(scene):
    def watch(entry):
        raise RuntimeError("no disk, no network, no luck")

    with pytest.raises(RuntimeError):
        scene.fly(watch=watch)
    assert not scene.has_control()
    assert scene.other.call("simIsPaused") is False


# Images that are not square


@pytest.mark.parametrize("size_px", [(640, 480), (160, 240)])
def test_images_that_are_not_square_are_followed_in(tmp_path, size_px):
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
