"""The processes that fly the jobs of a run: those of this machine. `ray_fleet` has the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Protocol

from followme_uav.flight.simulator_process import keep_prepared
from followme_uav.program_log import quieten
from followme_uav.scenario.execution.flight import FlightSettings, Flown
from followme_uav.scenario.execution.jobs import Job
from followme_uav.workers import WorkerPool, worker_pool

Fly = Callable[[Job, FlightSettings], Flown]
"""Flies a job; a function of a module, so that other processes can import it."""


class Fleet(Protocol):
    """Flies jobs in other processes, which keep their imports and their network between flights."""

    def capacity(self) -> int:
        """Return the number of flights at a time; it may change when machines come and go."""
        ...

    def submit(self, fly: Fly, job: Job, settings: FlightSettings) -> Future[Flown]:
        """Fly a job in any of the processes."""
        ...

    def is_loss(self, error: BaseException) -> bool:
        """Whether a future's error means that the process or the machine is gone."""
        ...


class LocalFleet:
    """Processes of this machine."""

    def __init__(self, pool: WorkerPool, workers: int) -> None:
        self._pool, self._workers = pool, workers

    def capacity(self) -> int:
        """Return the number of processes."""
        return self._workers

    def submit(self, fly: Fly, job: Job, settings: FlightSettings) -> Future[Flown]:
        """Fly a job in an idle process."""
        return self._pool.submit(fly, job, settings)

    def is_loss(self, error: BaseException) -> bool:
        """Whether the process ended."""
        return isinstance(error, BrokenProcessPool)


@contextmanager
def local_fleet(workers: int) -> Iterator[LocalFleet]:
    """Start processes, which share the processors of this machine."""
    threads = threads_of(workers)
    environment = thread_variables(threads)
    with worker_pool(workers, prepare_worker, threads, environment=environment) as pool:
        yield LocalFleet(pool, workers)


def threads_of(workers: int) -> int:
    """Return the threads for each of so many flights: more would slow each other down."""
    return max(1, (os.cpu_count() or 1) // max(workers, 1))


def thread_variables(threads: int) -> dict[str, str]:
    """Return the limits of the threads of renderer and numerical libraries."""
    return {
        "LP_NUM_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
        # The same for any number of workers: the rounding of large products depends on it.
        "OPENBLAS_NUM_THREADS": "1",
    }


def prepare_worker(threads: int) -> None:
    """Limit the threads of libraries that are not imported yet in a worker; show errors only.

    Its simulators are forked from a process that has done their imports.
    """
    os.environ.update(thread_variables(threads))
    keep_prepared()
    quieten()  # scripts cause faults, and each would be a warning
