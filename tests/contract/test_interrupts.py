"""Ctrl-C as people press it: whatever runs ends in time, and leaves no process behind.

If these fail, a terminal hangs, or a simulator holds a processor for ever.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 60.0
"""Generous: other work may hold the machine up."""

FLYING = 0
"""In place of a number of processes: when the first flight is under way."""
SCENARIO = ("scenario", "run", "straight-walk", "--seeds", "1:5", "--workers", "2")
COMMANDS = {
    "scenario run": (*SCENARIO, "--pilot", "oracle", "--no-report", "--out", "run"),
    "tune": ("tune", "straight-walk", "--pilot", "oracle", "--workers", "2", "--out", "run"),
    "collect": ("collect", "--out", "frames"),
    "doctor": ("doctor",),
}


def start(arguments, folder):
    return subprocess.Popen(
        [sys.executable, "-m", "followme_uav.cli", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def stat_of(pid):
    """(state, parent, session) of a process; None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], int(fields[1]), int(fields[3])


def family(pid):
    """The living processes of a command: its session's, and simulators, which have their own."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    stats = {p: s for p in pids if (s := stat_of(p)) is not None and s[0] != "Z"}
    found = {p for p, s in stats.items() if s[2] == pid}
    return found | {p for p, s in stats.items() if s[1] in found}


def wait_until(condition, what):
    end_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end_s, what
        time.sleep(0.05)


def interrupt(process, presses, gap_s, to_group, number=signal.SIGINT):
    for _ in range(presses):
        try:
            (os.killpg if to_group else os.kill)(process.pid, number)
        except ProcessLookupError:
            return
        time.sleep(gap_s)


def end_of(process):
    """Its output; fails when it does not end."""
    try:
        return process.communicate(timeout=DEADLINE_S)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        pytest.fail("it never ends")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "processes", "presses", "gap_s", "to_group", "number"),
    [
        ("scenario run", FLYING, 3, 0.0, True, signal.SIGINT),
        ("scenario run", FLYING, 2, 1.0, False, signal.SIGINT),
        ("scenario run", 2, 2, 0.05, True, signal.SIGINT),
        ("scenario run", FLYING, 1, 0.0, False, signal.SIGTERM),
        ("tune", 4, 2, 0.3, True, signal.SIGINT),
        ("collect", 2, 2, 0.3, True, signal.SIGINT),
        ("doctor", 3, 2, 0.3, False, signal.SIGINT),
    ],
)
def test_ctrl_c_or_sigterm_ends_every_command_and_all_its_processes(
    tmp_path, command, processes, presses, gap_s, to_group, number
):
    """`processes`: when so many run, it is interrupted; few are while it starts.

    Simulators run in their workers' processes, or beside them, by the number of processors.
    """
    process = start(COMMANDS[command], tmp_path)
    seen = set()

    def is_under_way():
        seen.update(family(process.pid))
        if processes == FLYING:
            return any((tmp_path / "run" / "logs").glob("*.mcap"))
        return len(family(process.pid)) >= processes

    wait_until(is_under_way, "it does not begin")
    interrupt(process, presses, gap_s, to_group, number)
    seen |= family(process.pid)
    said = end_of(process)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "resource_tracker" not in said
    assert "interrupted" in said
    alive = {pid for pid in seen if (s := stat_of(pid)) is not None and s[0] != "Z"}
    wait_until(lambda: not {p for p in alive if (s := stat_of(p)) and s[0] != "Z"}, "it lives on")


@pytest.mark.parametrize("delay_s", [0.1, 0.3, 1.0])
def test_ctrl_c_while_the_program_starts_is_no_traceback(tmp_path, delay_s):
    process = start(COMMANDS["scenario run"], tmp_path)
    time.sleep(delay_s)
    interrupt(process, 2, 0.05, True)
    said = end_of(process)
    # Before the program has begun, the interpreter itself ends, in its own way.
    assert process.returncode in (130, -signal.SIGINT, 1)
    if process.returncode == 130:
        assert "Traceback" not in said
    wait_until(lambda: not family(process.pid), "it lives on")


POOL = """
import json, os, signal, sys, time
from pathlib import Path
from followme_uav.errors import FollowMeError
from followme_uav.interrupts import Interrupts
from followme_uav.workers import worker_pool

def work(seconds):
    print("works", flush=True)
    time.sleep(seconds)
    return seconds

if __name__ == "__main__":
    interrupts = Interrupts()
    interrupts.install()
    try:
        with worker_pool(2) as pool:
            futures = [pool.submit(work, seconds) for seconds in (0, 600, 600, 600)]
            Path("done.json").write_text(json.dumps(futures[0].result()))
            futures[1].result()
    except KeyboardInterrupt:
        interrupts.end()
        print("ended", flush=True)
        interrupts.over()
        sys.exit(130)
"""


@pytest.mark.parametrize("gap_s", [0.0, 0.05, 0.3])
def test_pool_ends_with_its_command_and_keeps_what_is_done(tmp_path, gap_s):
    (tmp_path / "pool.py").write_text(POOL)
    process = subprocess.Popen(
        [sys.executable, "pool.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    wait_until((tmp_path / "done.json").exists, "it does not begin")
    interrupt(process, 3, gap_s, True)
    said = end_of(process)
    assert process.returncode == 130, said
    assert "ended" in said
    assert "Traceback" not in said
    assert json.loads((tmp_path / "done.json").read_text()) == 0
    wait_until(lambda: not family(process.pid), "a worker lives on")
