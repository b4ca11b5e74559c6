"""Flights that take no time, for tests of what a run does with them."""

import os
import signal
import time
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Timer

from followme_uav.config import load_config
from followme_uav.flight.metrics import metrics_of
from followme_uav.perception.network_files import sha256
from followme_uav.scenario.execution.flight import (
    FlightSettings,
    Flown,
    fly_job,
    result_of,
    watchdog,
)
from followme_uav.scenario.execution.runner import RunSettings
from followme_uav.scenario.script.plan import Campaign, Variant
from followme_uav.scenario.script.random_draws import draws_of
from tests.unit.scenario_parts import scenario

SECONDS = 0.1


@cache
def _nothing():
    """Metrics of a flight without frames."""
    return metrics_of([], load_config()).to_dict()


def stub_flight(job, settings):
    """Every seventh seed fails; the figures follow from the seed."""
    metrics = _nothing() | {"tracked": (job.seed % 10) / 10.0, "in_view": 1.0, "judged_s": 60.0}
    draws = draws_of(job.scenario(), job.seed, job.flight_config())
    reason = "tracked 0.5 < 0.9" if job.seed % 7 == 0 else ""
    return Flown(
        result_of(job, reason=reason, metrics=metrics, draws=draws, wall_s=time.monotonic())
    )


def short_flight(job, settings):
    """Lasts long enough that some are under way at any time."""
    time.sleep(SECONDS)
    if settings.folder is not None:
        with (settings.folder / "begun.txt").open("a") as file:
            file.write(f"{job.seed}\n")
    return stub_flight(job, settings)


def environment_at_start(job, settings):
    """Return the environment in which this process was started."""
    return Path("/proc/self/environ").read_text().split("\0")


def flight_with_limited_threads(job, settings):
    """Fails in a process that was started without limits of its threads."""
    limited = "OPENBLAS_NUM_THREADS=1" in environment_at_start(job, settings)
    return Flown(result_of(job, reason="" if limited else "threads are not limited"))


def deadly_flight(job, settings):
    """The process dies in the flights of seed 3."""
    if job.seed == 3:
        os._exit(7)
    return stub_flight(job, settings)


def once_deadly_flight(job, settings):
    """The process dies in the first flight of seed 3."""
    marker = settings.folder / "died"
    if job.seed == 3 and not marker.exists():
        marker.touch()
        os._exit(7)
    return stub_flight(job, settings)


def hanging_flight(job, settings):
    """The flight of seed 3 never ends; the watchdog is that of all flights."""
    with watchdog(settings.limit_of(job)):
        if job.seed == 3:
            time.sleep(600)
    return stub_flight(job, settings)


SHARED, IS_LOST_NODE = "TEST_SHARED_FOLDER", "TEST_IS_LOST_NODE"
"""Variables of a cluster's processes: a folder, and whether this node will be lost."""
BEGUN_ON_LOST_NODE, ORIGINALS = "begun_on_lost_node", "originals"
"""In that folder: a file, and the folder of a pilot and a network of the user."""
WAIT_S = 240.0
"""Generous: other work may hold the machine up."""


def _wait_until(condition, what):
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s, what
        time.sleep(SECONDS)


def flight_on_cluster(job, settings):
    """Needs the weights file on its machine, and returns a log of failures.

    A flight on the node that will be lost never ends; from seed 20 on, the others wait for it.
    """
    assert sha256(job.variant.weights) == job.weights_sha256
    begun = Path(os.environ[SHARED]) / BEGUN_ON_LOST_NODE
    if os.environ.get(IS_LOST_NODE):
        begun.touch()
        time.sleep(600)
    if job.seed >= 20:
        _wait_until(begun.exists, "no flight was given to the third node")
    flown = stub_flight(job, settings)
    if not settings.keeps(success=flown.result.success):
        return flown
    return Flown(replace(flown.result, log=f"logs/{job.key}.mcap"), b"log")


def real_flight_on_cluster(job, settings):
    """Flies when the user's files are gone; on the node that will be lost, tells when it flies."""
    shared = Path(os.environ[SHARED])
    if os.environ.get(IS_LOST_NODE):
        Timer(1.0, (shared / BEGUN_ON_LOST_NODE).touch).start()
    else:
        _wait_until(lambda: not (shared / ORIGINALS).exists(), "the files are still there")
    return fly_job(job, settings)


def killed_flight(job, settings):
    """The process is killed in the first flight of seed 3, and in each one of seed 5."""
    marker = Path(os.environ[SHARED]) / "killed"
    if job.seed == 5 or (job.seed == 3 and not marker.exists()):
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return stub_flight(job, settings)


def campaign(folder, seeds=range(1, 13), **changes):
    """One scenario that a pilot on exact masks flies with each seed."""
    return Campaign(
        scenarios=(scenario(folder),),
        variants=(Variant(pilot="oracle", axes={"pilot": "oracle"}),),
        seeds=tuple(seeds),
        **changes,
    )


class InlineFleet:
    """Flies in this process when a flight is submitted.

    `lost` maps a seed to the number of its first flights that end with their process.
    """

    def __init__(self, lost=None, capacity=1):
        self.lost, self._capacity = dict(lost or {}), capacity
        self.begun = []

    def capacity(self):
        return self._capacity

    def submit(self, fly, job, settings):
        self.begun.append(job.seed)
        future = Future()
        if self.lost.get(job.seed, 0):
            self.lost[job.seed] -= 1
            future.set_exception(BrokenProcessPool("killed"))
        else:
            future.set_result(fly(job, settings))
        return future

    def is_loss(self, error):
        return isinstance(error, BrokenProcessPool)


def run_settings(folder, **changes):
    """Settings for stubs in this process."""
    settings = RunSettings(folder, FlightSettings(folder, "none"), fly=stub_flight)
    return replace(settings, **changes)
