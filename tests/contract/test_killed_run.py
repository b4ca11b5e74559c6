"""A campaign with real processes is killed, interrupted, or loses a worker, and is completed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from followme_uav.scenario.execution.results import content_hash, read_results

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 120.0
"""Generous: other work may hold the machine up."""

RUN = """
import sys
from pathlib import Path
from followme_uav.cli import main
from followme_uav.scenario.run import CampaignRun, fly_campaign
from tests.unit import campaign_parts as parts

def run():
    folder, flight = Path(sys.argv[1]), getattr(parts, sys.argv[2])
    settings = CampaignRun(
        folder / "run", workers=2, logs="none", report=False, fly=flight, limit_s=5.0
    )
    fly_campaign(parts.campaign(folder, seeds=range(24)), settings, as_json=True)

if __name__ == "__main__":
    import followme_uav.cli
    followme_uav.cli.app = run  # with the handling of errors and Ctrl-C of a command
    main()
"""


@pytest.fixture
def start(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(RUN)
    running = []

    def begin(flight="short_flight"):
        running.append(
            subprocess.Popen(
                [sys.executable, script, tmp_path, flight],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
        return running[-1]

    yield begin
    for process in running:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()


def rows(folder):
    file = folder / "run" / "flights.jsonl"
    return file.read_text().count("\n") if file.exists() else 0


def wait_until(condition, what):
    end_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < end_s, what
        time.sleep(0.02)


def children(pid):
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(entry.name))
    return found


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_run_that_is_ended_leaves_no_process_and_is_completed_without_repetition(
    start, tmp_path, end
):
    process = start()
    wait_until(lambda: rows(tmp_path) >= 4, "it does not begin")
    workers = children(process.pid)
    process.send_signal(end)
    out, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == (130 if end == signal.SIGINT else -end), errors
    assert "Traceback" not in errors
    wait_until(lambda: not any(map(is_alive, workers)), "a worker lives on")
    before = rows(tmp_path)
    assert 4 <= before < 24
    finished = start()
    out, errors = finished.communicate(timeout=DEADLINE_S)
    assert finished.returncode == 0, errors
    assert {r["seed"] for r in json.loads(out)["results"]} == set(range(24))
    assert rows(tmp_path) == 24, "a flight has two rows"
    flown = (tmp_path / "run" / "begun.txt").read_text().split()
    assert len(flown) <= 24 + 2, "more was repeated than the two flights under way"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flight", "outcome"),
    [
        ("once_deadly_flight", "passed"),
        ("deadly_flight", "crashed"),
        ("hanging_flight", "crashed"),
    ],
)
def test_worker_that_dies_or_hangs_costs_its_own_flight_at_most(start, tmp_path, flight, outcome):
    process = start(flight)
    _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == (2 if outcome == "crashed" else 0), errors
    assert "Traceback" not in errors
    results = {r.seed: r for r in read_results(tmp_path / "run")}
    assert set(results) == set(range(24))
    assert results[3].outcome == outcome
    assert ("died, or reached the limit of 5 s" in results[3].reason) == (outcome == "crashed")
    others = [r for seed, r in results.items() if seed != 3]
    assert {r.attempts for r in others} == {1} and not any(r.crashed for r in others)
    assert len(content_hash(others)) == 64
