"""The command line with flights that end when a test says so, and take no time otherwise.

    python -m tests.gated_campaign GATES scenario run ...

A flight ends when the folder GATES has a file with the name of its seed.
"""

import sys
import threading
import time
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from followme_uav import cli
from followme_uav.scenario import run as scenario_run
from tests.unit.campaign_parts import stub_flight

DEADLINE_S = 120.0
_POLL_S = 0.02


class ThreadFleet:
    """Flies in threads of this process, which end with it."""

    def __init__(self, workers):
        self._workers = workers

    def capacity(self):
        return self._workers

    def submit(self, fly, job, settings):
        future = Future()
        work = threading.Thread(
            target=lambda: future.set_result(fly(job, settings)), daemon=True, name=job.key
        )
        work.start()
        return future

    def is_loss(self, error):
        return False


def gated_flight(gates):
    def fly(job, settings):
        end_s = time.monotonic() + DEADLINE_S
        while not (gates / str(job.seed)).exists():
            assert time.monotonic() < end_s, "the test did not end the flight"
            time.sleep(_POLL_S)
        return stub_flight(job, settings)

    return fly


def open_gates(gates, seeds):
    """End the flights of these seeds."""
    gates.mkdir(exist_ok=True)
    for seed in seeds:
        (gates / str(seed)).touch()


def main():
    """Run a command; its flights are gated."""
    gates = Path(sys.argv.pop(1))
    settings_of = scenario_run.settings_of
    scenario_run.settings_of = lambda run: replace(settings_of(run), fly=gated_flight(gates))
    scenario_run.open_fleet = lambda run: nullcontext(ThreadFleet(run.workers))
    cli.main()


if __name__ == "__main__":
    main()
