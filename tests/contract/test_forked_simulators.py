"""Simulators that are forked from a prepared process, as the workers of a run start them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from followme_uav import connect, load_config
from followme_uav.errors import SimulatorError
from followme_uav.flight import simulator_process
from followme_uav.flight.embedded import EmbeddedSimulator, simulator_for
from followme_uav.worlds.world_file import save_world
from tests.unit.world_parts import crossing

DEADLINE_S = 60.0  # only a hang takes as long, on any machine

ORPHAN = """
import sys, time
from followme_uav import load_config
from followme_uav.flight.embedded import simulator_for
from followme_uav.flight.simulator_process import keep_prepared
keep_prepared()
with simulator_for(load_config(), 3, paused=True) as simulator:
    print(simulator._process.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def prepared(monkeypatch):
    """The process from which simulators are forked during a test."""
    monkeypatch.setattr(simulator_process, "_kept", kept := [])
    simulator_process.keep_prepared()
    if not kept:
        pytest.skip("simulators are not forked on this system")
    process = simulator_process.prepared_simulator()._process
    yield process
    process.kill()


def seen_by(simulator: EmbeddedSimulator):
    """The first picture, and the picture and state after a second of simulated time."""
    config = simulator.found_by(load_config())
    with connect(config) as client:
        first = client.read_frame()
        client.advance(1.0)
        last = client.read_frame()
    return first.rgb.tobytes(), last.rgb.tobytes(), last.vehicle


def test_a_forked_simulator_gives_the_same_bytes_as_one_that_is_started_anew(prepared):
    """Else flights of a run would differ from the same flights alone."""
    forked = []
    for _ in range(2):
        with simulator_for(load_config(), 3, paused=True) as simulator:
            process = simulator._process
            assert isinstance(process, simulator_process.ForkedProcess)
            forked.append(seen_by(simulator))
        assert process.returncode == 0
    simulator_process._kept.clear()
    with simulator_for(load_config(), 3, paused=True) as simulator:
        assert isinstance(simulator._process, subprocess.Popen)
        assert forked == [seen_by(simulator)] * 2


def test_each_forked_simulator_builds_the_world_of_its_flight(prepared, tmp_path, monkeypatch):
    save_world(crossing(start_m=(-30.0, 0.0)), tmp_path / "town.yaml")
    monkeypatch.chdir(tmp_path)

    def seen(world):
        with simulator_for(load_config(), 3, paused=True, world=world) as simulator:
            is_forked = isinstance(simulator._process, simulator_process.ForkedProcess)
            return is_forked, seen_by(simulator)

    (town_forked, town), (_, grid) = seen("town.yaml"), seen(None)
    assert town_forked
    assert town[2].position_m[:2] == pytest.approx((-30.0, 0.0), abs=0.1)
    assert town[0] != grid[0]
    simulator_process._kept.clear()
    assert seen("town.yaml") == (False, town)


def test_simulators_end_with_the_prepared_process_and_the_next_is_started_anew(prepared):
    with simulator_for(load_config(), 3, paused=True) as simulator:
        process = simulator._process
        prepared.kill()
        assert process.wait(DEADLINE_S) == -signal.SIGKILL
    with simulator_for(load_config(), 3, paused=True) as simulator:
        assert isinstance(simulator._process, subprocess.Popen)


def test_a_forked_simulator_that_cannot_start_is_an_error_with_its_last_line(prepared):
    with (
        pytest.raises(SimulatorError, match="did not start: image size '1x1'"),
        EmbeddedSimulator(3, "--image-size", "1x1"),
    ):
        pass


def test_a_forked_simulator_ends_with_the_process_that_uses_it():
    """A worker that is killed cannot stop its simulator."""
    worker = subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, text=True)
    simulator = int(worker.stdout.readline())
    worker.kill()
    worker.wait(DEADLINE_S)
    deadline_s = time.monotonic() + DEADLINE_S
    while is_running(simulator) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert not is_running(simulator)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_prepared_process_says_nothing_when_its_user_has_ended_meanwhile(tmp_path):
    """As on Ctrl-C while the first simulator of a worker starts."""
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", simulator_process.PREPARED_MODULE, str(theirs.fileno())],
            stderr=subprocess.PIPE,
            pass_fds=(theirs.fileno(),),
            text=True,
        )
    with ours, (tmp_path / "output.txt").open("w") as output:
        request = {
            "id": 0,
            "arguments": ["--style", "none"],
            "environment": dict(os.environ),
            "folder": str(tmp_path),
        }
        socket.send_fds(ours, [json.dumps(request).encode() + b"\n"], [output.fileno()])
    assert process.communicate(timeout=DEADLINE_S)[1] == ""
    assert process.returncode == 0
