"""Tests of faults in flight: the simulator dies, hangs or restarts; the flight is interrupted.

Each flight is a process, whose output shows its progress. Vision is not under test, so the flights
use true masks.
"""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from followme_uav.log.reader import read_log
from followme_uav.messages import MissionState
from tests.conftest import NO_BYTE_CODE

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 200
SEED = 1
SIMULATOR_OPTIONS = ["--seed", SEED, "--image-size", "160x160"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **NO_BYTE_CODE}
# Calls to a dead process fail at once; shorter deadlines would make slow machines a fault.
SHORT_FAILSAFE = [
    *("--set", "mission.failsafe_land_s=2", "--set", "rpc.connect_deadline_s=2"),
]
LONG_FAILSAFE = [
    *("--set", "mission.failsafe_land_s=100", "--set", "rpc.connect_deadline_s=2"),
]

pytestmark = pytest.mark.slow


class Running:
    """A `followme-uav` command; collects its output and ends with the test."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "followme_uav.cli", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=ENVIRONMENT,
        )
        self.pid = self.process.pid
        self.lines = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, text):
        """Wait until a line contains `text`, and return the line."""

        def found():
            return next((line for line in self.lines if text in line), None)

        with self._news:
            self._news.wait_for(lambda: found() or self.process.poll() is not None, DEADLINE_S)
            assert found(), "\n".join(self.lines)
            return found()

    def end(self):
        """Wait for the end of the process, and return the exit code."""
        code = self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return code

    def _read(self):
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()


@pytest.fixture
def run():
    """Starts commands, and kills those that still run at the end."""
    commands = []

    def start(*arguments):
        commands.append(Running(*arguments))
        return commands[-1]

    yield start
    for command in commands:
        for pid in (*children(command.pid), command.pid):
            kill(pid)
        command.process.wait()


@pytest.fixture
def flight(run, tmp_path):
    """Starts a flight; returns it and its log after the take-off."""

    def start(*arguments):
        log = tmp_path / "flight.mcap"
        command = run("fly", "--oracle", "--seed", SEED, "--log", log, *arguments)
        command.wait_for("takeoff → patrol")
        return command, log

    return start


def children(pid):
    """Return the process ids of the children of a process."""
    found = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = [map(int, line.split()) for line in found.stdout.splitlines()]
    return [child for child, parent in pairs if parent == pid]


def is_running(pid):
    """Whether the process runs; a zombie does not."""
    state = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True)
    return state.stdout.strip()[:1] not in ("", "Z")


def kill(pid, number=signal.SIGKILL):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_until(condition, complaint):
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, complaint
        time.sleep(0.2)


def wait_until_gone(pid):
    wait_until(lambda: not is_running(pid), f"process {pid} was left behind")


def after_last_missing_image(entries):
    last = max(i for i, entry in enumerate(entries) if entry.frame.rgb is None)
    return entries[last + 1 :]


def climbed_again(path):
    """Whether the vehicle has climbed since; reads the log of a flight in progress."""
    after = after_last_missing_image(list(read_log(path).entries()))
    return any(-entry.frame.vehicle.position_m[2] > 2.5 for entry in after)


def states_of(log):
    return [entry.step.state for entry in log.entries()]


def test_dead_simulator_is_an_error_of_one_line_and_the_log_is_kept(flight):
    command, path = flight(*SHORT_FAILSAFE)
    (simulator,) = children(command.pid)
    kill(simulator)
    assert command.end() == 2
    own = [line for line in command.lines if line.startswith("followme-uav: ")]
    warnings = [line for line in own if line.startswith("followme-uav: warning: ")]
    errors = [line for line in own if line not in warnings]
    assert errors == command.lines[-1:]
    assert any("ended by itself with exit code -9" in line for line in warnings)
    assert any("the simulator sends no frame: " in line for line in warnings)
    assert len(warnings) < 10, "a fault that lasts is no line per frame"
    assert "no new frame for " in errors[0]
    assert "no server listens on 127.0.0.1:" in errors[0]
    assert not any("Traceback" in line for line in command.lines)
    log = read_log(path)
    states = states_of(log)
    assert not log.truncated
    assert states[0] is MissionState.TAKEOFF
    assert MissionState.PATROL in states
    assert MissionState.FAILSAFE in states


def test_flight_goes_on_after_the_simulator_is_restarted(run, flight):
    """After a restart of the scene in Unity's editor, the flight need not be restarted."""
    first = run("sim", "--port", 0, *SIMULATOR_OPTIONS)
    address = first.wait_for("listening on ").removeprefix("listening on ")
    command, path = flight(
        *("--sim", address, "--lockstep", "--duration", 1000, *LONG_FAILSAFE, "-v")
    )
    kill(first.pid)
    command.wait_for("→ failsafe")
    run("sim", "--port", address.rpartition(":")[2], *SIMULATOR_OPTIONS).wait_for("listening on ")
    command.wait_for("failsafe → patrol")
    assert command.wait_for("the simulator sends no frame: ").startswith("followme-uav: warning: ")
    command.wait_for("failed attempts to read a frame: ")
    assert sum(f"Connected to the simulator at {address}" in line for line in command.lines) >= 2
    wait_until(lambda: climbed_again(path), "the flight did not go on")
    command.process.send_signal(signal.SIGINT)
    assert command.end() in (0, 1)

    log = read_log(path)
    entries = list(log.entries())
    assert not log.truncated
    assert len(after_last_missing_image(entries)) > 20
    assert entries[-1].step.state is MissionState.DONE
    times_s = [entry.frame.time_s for entry in entries]
    assert all(before < after for before, after in pairwise(times_s))
    indices = [entry.frame.index for entry in entries]
    assert indices == sorted(set(indices))


def test_flight_waits_for_a_simulator_that_hangs_and_then_goes_on(flight):
    command, _ = flight(*LONG_FAILSAFE)
    (simulator,) = children(command.pid)
    kill(simulator, signal.SIGSTOP)
    assert "no camera image" in command.wait_for("→ failsafe")
    kill(simulator, signal.SIGCONT)
    assert "the fault is over" in command.wait_for("failsafe → patrol")


def test_vehicle_lands_and_the_log_is_kept_when_the_disk_is_full(flight):
    """Else the vehicle would stay in the air, or the log would be lost."""
    command, path = flight()
    full_bytes = path.stat().st_size + 50_000
    resource.prlimit(command.pid, resource.RLIMIT_FSIZE, (full_bytes, full_bytes))
    command.wait_for("→ land")
    command.wait_for("land → done")
    assert command.end() == 2
    assert "cannot write the flight log after " in command.lines[-1]
    assert not any("Traceback" in line for line in command.lines)
    assert MissionState.PATROL in states_of(read_log(path))


def test_ctrl_c_lands_and_closes_the_log(flight):
    command, path = flight()
    (simulator,) = children(command.pid)
    command.process.send_signal(signal.SIGINT)
    assert "landing requested" in command.wait_for("→ land")
    assert command.end() in (0, 1)
    log = read_log(path)
    entries = list(log.entries())
    assert not log.truncated
    assert entries[-1].step.state is MissionState.DONE
    assert -entries[-1].frame.vehicle.position_m[2] < 0.3
    assert any("Flight summary" in line for line in command.lines)
    wait_until_gone(simulator)


def test_second_ctrl_c_stops_at_once(flight):
    command, path = flight("--realtime")
    (simulator,) = children(command.pid)
    command.process.send_signal(signal.SIGINT)
    command.wait_for("→ land")
    command.process.send_signal(signal.SIGINT)
    assert command.end() == 130
    log = read_log(path)
    assert not log.truncated
    assert states_of(log)[-1] is MissionState.LAND
    wait_until_gone(simulator)


def test_killed_flight_leaves_no_simulator_process(flight):
    """A simulator that is left would keep a core busy."""
    command, path = flight()
    (simulator,) = children(command.pid)
    wait_until(lambda: MissionState.PATROL in states_of(read_log(path)), "the chunk is not saved")
    kill(command.pid)
    wait_until_gone(simulator)
    assert MissionState.PATROL in states_of(read_log(path))
