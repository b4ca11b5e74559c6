"""Pilots of users: found by name, checked, and landed when they fail."""

import importlib.metadata
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from followme_uav.errors import ConfigError, LogError, PilotError, SimulatorError
from followme_uav.flight import pilots
from followme_uav.flight.mask_sources import CheckedMasks
from followme_uav.flight.pilots import PILOTS, name_of, pilot_kind
from followme_uav.log.reader import read_log
from followme_uav.messages import Command, Frame, Manoeuvre, MissionState, Step
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.pilot import guarded
from followme_uav.pilot.guarded import GuardedPilot
from followme_uav.pilot.pilot import Pilot
from followme_uav.replay.setup import ReplaySetup, compare_log, is_same_pilot
from followme_uav.scenario.execution.jobs import jobs_of
from followme_uav.scenario.run import ScenarioRun, run_scenarios
from followme_uav.scenario.script.script import Scenario
from followme_uav.workers import worker_pool
from tests.toy_flight import fly_toy

SLOW = '''
from dataclasses import replace
from followme_uav import Pilot

class Slow:
    """The pilot at half the speed, which also counts the images that are not black."""
    images = 0
    def __init__(self, config, masks):
        self._pilot = Pilot(config, masks)
    @property
    def state(self):
        return self._pilot.state
    def step(self, frame):
        Slow.images += frame.rgb is not None and bool(frame.rgb.any())
        step = self._pilot.step(frame)
        north, east, down = step.command.velocity_mps
        slow = replace(step.command, velocity_mps=(north / 2, east / 2, down))
        return replace(step, command=slow)

def make(config, masks):
    return Slow(config, masks)

number = 3
'''


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The current folder, with `slow_pilot.py`; imports do not outlast the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    (tmp_path / "slow_pilot.py").write_text(SLOW)
    yield tmp_path
    for name in set(sys.modules) - before:
        if "pilot" in name and not name.startswith("followme_uav."):
            del sys.modules[name]


# Names


@pytest.mark.parametrize(
    "name", ["slow_pilot:Slow", "slow_pilot.py:Slow", "./slow_pilot.py:Slow", "slow_pilot:make"]
)
def test_class_or_function_of_the_current_folder_is_found(name, config):
    kind = pilot_kind(name)
    assert kind.make(config, lambda frame: None).state is MissionState.TAKEOFF
    assert kind.source == Path.cwd() / "slow_pilot.py"
    assert kind.is_foreign
    assert kind.name == name.removeprefix("./")


def test_name_of_a_file_is_logged_without_its_folder(folder):
    assert pilot_kind(f"{folder}/slow_pilot.py:Slow").name == "slow_pilot.py:Slow"


def test_file_finds_modules_beside_it(tmp_path, config):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "helper_pilot.py").write_text(SLOW)
    (tmp_path / "sub" / "main_pilot.py").write_text("from helper_pilot import Slow\n")
    assert pilot_kind("sub/main_pilot.py:Slow").make(config, None).state is MissionState.TAKEOFF


def test_file_in_the_current_folder_does_not_replace_an_installed_package(tmp_path):
    (tmp_path / "numpy.py").write_text("raise SystemExit('run in place of NumPy')\n")
    pilot_kind("slow_pilot:Slow")
    code = (
        "from followme_uav.flight.pilots import pilot_kind\n"
        "pilot_kind('slow_pilot:Slow'); import numpy; print(numpy.__version__)"
    )
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-P" if sys.version_info >= (3, 11) else "-B", "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": root},
    )
    if sys.version_info >= (3, 11):  # earlier ones search the current folder first with -c
        assert done.stdout.strip() == np.__version__, done.stderr


def test_entry_point_of_an_installed_package_is_a_name(monkeypatch, config, tmp_path):
    point = importlib.metadata.EntryPoint("slow", "slow_pilot:Slow", pilots.GROUP)
    monkeypatch.setattr(pilots, "entry_points", lambda group: [point] if "pilots" in group else [])
    assert pilot_kind("slow").make(config, None).state is MissionState.TAKEOFF
    with pytest.raises(ConfigError, match="proportional, slow, or give a class"):
        pilot_kind("slwo")
    log = read_log(
        fly_toy(config, tmp_path / "toy.mcap", 2.0, make_pilot=guard("slow"), pilot="slow")
    )
    assert compare_log(log, ReplaySetup(log.metadata.config)).is_identical


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("nosuchpilot:P", "", "no module 'nosuchpilot'.*path/to/file.py:Class"),
        ("a_pilot:P", "", "a_pilot has no 'P'"),
        ("a_pilot:P", "class Q: pass", "has no 'P'; it has Q"),
        ("a_pilot:P", "P = 3", "'P' is no class"),
        (
            "a_pilot:P",
            "import nosuchpackage",
            r"No module named 'nosuchpackage' \(a_pilot.py, line 1",
        ),
        (
            "a_pilot:P",
            "x = 1\n1 / 0",
            r"ZeroDivisionError: division by zero \(a_pilot.py, line 2\)",
        ),
        ("a_pilot:P", "def f(:\n", r"SyntaxError: .*a_pilot.py, line 1\)"),
        ("a_pilot:P", "raise SystemExit(0)", "SystemExit"),
        ("a_pilot.py:P", "1 / 0", r"ZeroDivisionError: division by zero \(a_pilot.py, line 1\)"),
        ("gone_pilot.py:P", "", "there is no file gone_pilot.py"),
        (":P", "", "write it as module:Class"),
        ("a_pilot:", "", "write it as module:Class"),
        ("a_pilot:P.Q", "", "write it as module:Class"),
    ],
)
def test_name_that_cannot_be_imported_is_an_error_of_one_line(tmp_path, name, text, message):
    (tmp_path / "a_pilot.py").write_text(text)
    with pytest.raises(PilotError, match=message) as caught:
        pilot_kind(name)
    assert str(caught.value).startswith(f"--pilot {name}: ")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_worker_processes_import_the_pilot_of_the_current_folder():
    kind = pilot_kind("slow_pilot:Slow")  # as a run checks it before it starts workers
    with worker_pool(1) as pool:
        assert pool.submit(name_in_worker, "slow_pilot:Slow").result(timeout=60) == kind.name


def name_in_worker(name):
    return pilot_kind(name).name


def test_class_has_the_name_that_the_command_line_takes():
    assert name_of(Pilot) == "followme_uav.pilot.pilot:Pilot"
    assert pilot_kind(Pilot).name == name_of(Pilot)


def test_finished_flight_is_flown_again_after_a_change_of_the_pilot(tmp_path):
    scenario = Scenario.model_validate(
        {"name": "one", "why": "x", "duration_s": 5, "seeds": [1], "expect": {"collisions": 0}}
    )
    run = ScenarioRun(tmp_path / "run", "slow_pilot.py:Slow", DEFAULT_WEIGHTS)
    [before] = jobs_of(run.campaign([scenario], None))
    [again] = jobs_of(run.campaign([scenario], None))
    assert again.id == before.id
    (tmp_path / "slow_pilot.py").write_text(SLOW.replace("/ 2", "/ 3"))
    [after] = jobs_of(run.campaign([scenario], None))
    assert after.id != before.id


def test_scenario_with_an_unknown_pilot_is_refused_before_the_first_flight(tmp_path):
    scenario = Scenario.model_validate(
        {"name": "one", "why": "x", "duration_s": 5, "expect": {"collisions": 0}}
    )
    with pytest.raises(PilotError, match="no module 'gone'"):
        run_scenarios([scenario], ScenarioRun(tmp_path / "run", "gone:P"))


# Failures in flight


class Faulty:
    """The own pilot until some time, then something else."""

    def __init__(self, config, masks, *, from_s=5.0, then):
        self._pilot, self._from_s, self._then = Pilot(config, masks), from_s, then

    @property
    def state(self):
        return self._pilot.state

    def step(self, frame):
        step = self._pilot.step(frame)
        return step if frame.time_s < self._from_s else self._then(step)


def raises(error):
    def then(step):
        raise error

    return then


def hangs(step):
    while True:
        time.sleep(0.01)


def guard(name):
    return lambda config, masks, world: pilot_kind(name).make(config, masks)


def fly_faulty(config, path, then, seconds=20.0):
    """Fly a faulty pilot; return it and the log."""
    made = []

    def make(config, masks, world):
        made.append(GuardedPilot("mine:P", lambda c, m: Faulty(c, m, then=then), config, masks))
        return made[0]

    return made, read_log(fly_toy(config, path, seconds, make_pilot=make, pilot="mine:P"))


@pytest.mark.parametrize(
    ("then", "message"),
    [
        (raises(KeyError("speed")), "failed at 5.0 s: KeyError: 'speed' "),
        (raises(SystemExit(3)), "failed at 5.0 s: SystemExit: 3 "),
        (lambda step: None, "step at 5.0 s returned None; return a Step"),
        (lambda step: step.command, "returned a value of type Command"),
        (lambda step: replace(step, state="follow"), "no valid command and state"),
        (
            lambda step: replace(step, command=Command(Manoeuvre.VELOCITY, (np.nan, 0.0, 0.0))),
            "a command that is not finite",
        ),
        (hangs, "TimeoutError: the step took longer than 0.3 s"),
    ],
)
def test_vehicle_lands_after_a_failure_of_the_pilot_and_the_log_tells_why(
    config, tmp_path, monkeypatch, then, message
):
    monkeypatch.setattr(guarded, "STEP_DEADLINE_S", 0.3)
    (pilot,), log = fly_faulty(config, tmp_path / "toy.mcap", then)
    assert message in str(pilot.failure)
    assert str(pilot.failure).startswith("pilot mine:P: ")
    assert "\n" not in str(pilot.failure)
    entries = list(log.entries(()))
    assert pilot.state is entries[-1].step.state is MissionState.DONE
    assert -entries[-1].frame.vehicle.position_m[2] < config.mission.landed_altitude_m
    reasons = [e.step.transition.reason for e in entries if e.step.transition]
    assert str(pilot.failure) in reasons
    assert reasons[-1] == "landed"


def test_pilot_that_does_not_land_in_time_is_landed(config, tmp_path):
    class Endless:
        state = MissionState.PATROL

        def step(self, frame):
            climb = Command(Manoeuvre.VELOCITY, (0.0, 0.0, -0.5 if frame.time_s < 4 else 0.0))
            return Step.of(frame, self.state, climb)

    mission = config.mission.model_copy(update={"land_timeout_s": 5.0})
    short = config.model_copy(update={"duration_s": 1.0, "mission": mission})
    landing_s = 1.0 + 5.0 + guarded.LANDING_MARGIN_S
    made = []

    def make(config, masks, world):
        made.append(GuardedPilot("mine:P", lambda c, m: Endless(), config, masks))
        return made[-1]

    fly_toy(short, tmp_path / "toy.mcap", landing_s - 1.0, make_pilot=make)
    assert made[0].failure is None
    fly_toy(short, tmp_path / "toy.mcap", landing_s + 8.0, make_pilot=make)
    assert "still flies 10 s after it should have landed" in str(made[1].failure)
    assert made[1].state is MissionState.DONE


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda config, masks: None, "gave None, which has no method step"),
        (lambda config, masks: object(), "type object, which has no method step"),
        (lambda config, masks: type("P", (), {"step": print})(), "its state is None"),
        (lambda config: None, "cannot be made with .config, masks.: TypeError"),
        (lambda config, masks: 1 / 0, r"ZeroDivisionError: division by zero \(test_own_pilots.py"),
    ],
)
def test_object_that_is_no_pilot_is_refused_before_the_flight(config, make, message):
    with pytest.raises(PilotError, match=message) as caught:
        GuardedPilot("mine:P", make, config, lambda frame: None)
    assert "\n" not in str(caught.value)


def test_failure_of_the_simulator_is_not_taken_for_one_of_the_pilot(config):
    def gone(frame):
        raise SimulatorError("the simulator is gone")

    pilot = GuardedPilot("mine:P", lambda c, m: Pilot(c, m), config, gone)
    frame = blank_frame()
    with pytest.raises(SimulatorError, match="gone"):
        pilot.step(frame)
    assert pilot.failure is None


def blank_frame():
    from tests.toy_world import ToyWorld

    frame = ToyWorld(lambda time_s: None).frame()
    assert isinstance(frame, Frame)
    return frame


@pytest.mark.parametrize(
    "mask",
    [None, np.zeros((160, 160), np.uint8), np.zeros((160, 160, 3)), np.zeros((8, 8, 3), np.uint8)],
)
def test_mask_of_another_shape_or_type_is_refused(mask):
    with pytest.raises(
        PilotError, match=r"mask source mine: returned .*; return uint8 \(160, 160, 3"
    ):
        CheckedMasks(lambda frame: mask, "mine")(blank_frame())


# Replay


def fly_slow(config, path):
    return read_log(
        fly_toy(
            config, path, 20.0, make_pilot=guard("slow_pilot.py:Slow"), pilot="slow_pilot.py:Slow"
        )
    )


def test_replay_of_a_users_pilot_is_identical_and_has_the_images(config, tmp_path):
    log = fly_slow(config, tmp_path / "toy.mcap")
    kind = sys.modules["followme_user_slow_pilot"].Slow
    seen, kind.images = kind.images, 0
    setup = ReplaySetup(log.metadata.config, pilot="slow_pilot.py:Slow")
    assert compare_log(log, setup).is_identical
    assert kind.images == seen > 0
    other = compare_log(log, ReplaySetup(log.metadata.config, pilot="network"))
    assert not other.is_identical


def test_log_cannot_name_code_that_a_replay_runs(config, tmp_path):
    """A log may come from anybody; only --pilot runs code."""
    (tmp_path / "evil_pilot.py").write_text("open('was_run', 'w')\n")
    for name in ("evil_pilot:P", "evil_pilot.py:P"):
        log = read_log(fly_toy(config, tmp_path / "toy.mcap", 1.0, pilot=name))
        with pytest.raises(
            LogError, match=f"toy.mcap: flown by a pilot '{name}'.*pass it as --pilot"
        ):
            compare_log(log, ReplaySetup(log.metadata.config))
    assert not (tmp_path / "was_run").exists()


def test_replay_ends_with_the_failure_of_the_pilot(config, tmp_path):
    (tmp_path / "bad_pilot.py").write_text(
        SLOW.replace("Slow", "Bad").replace("step = self", "1 / (frame.time_s < 3); step = self")
    )
    path = fly_toy(config, tmp_path / "toy.mcap", 20.0, make_pilot=guard("bad_pilot:Bad"))
    log = read_log(path)
    with pytest.raises(PilotError, match=r"pilot bad_pilot:Bad: failed at 3\.0 s"):
        compare_log(log, ReplaySetup(log.metadata.config, pilot="bad_pilot:Bad"))


def test_same_file_in_another_folder_is_the_same_pilot():
    assert is_same_pilot("mine.py:P", "examples/mine.py:P")
    assert not is_same_pilot("mine.py:P", "mine.py:Q")
    assert not is_same_pilot("mine:P", "yours:P")
    assert is_same_pilot("network", "network")


def test_own_pilots_are_not_guarded(config):
    """An error in them is an error of the program, and shows its traceback."""
    for kind in PILOTS.values():
        assert not kind.is_foreign
        assert not isinstance(kind.make(config, lambda frame: None), GuardedPilot)
