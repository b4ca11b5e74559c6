"""Fly many jobs in parallel, each with its own simulator; skip those that are finished."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, closing
from pathlib import Path

from followme_uav.files import make_folder, write_json
from followme_uav.program_log import PRINTED, quieten
from followme_uav.scenario.execution.flight import Job, code_digest, fingerprint, fly_job
from followme_uav.scenario.execution.results import Result
from followme_uav.workers import WorkerPool, worker_pool

logger = logging.getLogger(__name__)

OnResult = Callable[[Result, bool], None]
"""Called with each result, and whether the flight was finished before this run."""
_THREAD_VARIABLES = ("LP_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def run_jobs(jobs: Sequence[Job], workers: int, on_result: OnResult) -> list[Result]:
    """Fly all jobs, at most `workers` at a time; the results are in the order of the jobs.

    Each result is written at once, so that an interrupted run can be resumed: a flight is not flown
    again while scenario, configuration, weights and program are the same.

    Raises:
        OutputError: The run's folder cannot be written.
    """
    code = code_digest()
    done: dict[str, Result] = {}
    to_fly = []
    for job in jobs:
        make_folder(job.folder / "flights")
        make_folder(job.folder / "logs")
        before = _read(job, fingerprint(job, code))
        if before is None:
            to_fly.append(job)
        else:
            done[job.key] = before
            logger.debug("Flight %s was flown before.", job.key)
            on_result(before, True)

    def keep(job: Job, result: Result) -> None:
        write_json(_file(job), {"inputs": fingerprint(job, code), "result": result.to_dict()})
        done[job.key] = result
        logger.info(
            "Flight %s %s after %.1f s of real time: %s.",
            *(job.key, "passed" if result.success else "failed", result.wall_s, result.reason),
            extra={"topic": PRINTED},
        )
        on_result(result, False)

    with closing(_fly_all(to_fly, max(1, min(workers, len(jobs))))) as flown:
        for job, result in flown:
            try:
                keep(job, result)
            except KeyboardInterrupt:  # raised only once, see `interrupts`
                keep(job, result)
                raise
    return [done[job.key] for job in jobs]


def _fly_all(jobs: Sequence[Job], workers: int) -> Generator[tuple[Job, Result]]:
    """Yield results as they are ready; a process that is killed costs its own flight only."""
    left = list(jobs)
    while left:
        running: dict[Future[Result], Job] = {}
        try:
            with _pool(min(workers, len(left)), workers) as pool:
                while left or running:
                    while left and len(running) < workers:
                        future = pool.submit(fly_job, left[0])
                        running[future] = left.pop(0)
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        job = running.pop(future)
                        try:
                            yield job, future.result()
                        except BrokenProcessPool:
                            logger.warning(
                                "The worker process of %s was killed or crashed.",
                                job.key,
                                extra={"topic": PRINTED},
                            )
                            yield job, _died(job)
                            raise
        except BrokenProcessPool:
            # The other flights of the broken pool ended with it: fly them again.
            left = [*running.values(), *left]
            logger.info("%d flights of its pool are flown again.", len(running))
        except KeyboardInterrupt:
            for future, job in running.items():
                if future.done() and not future.cancelled() and future.exception() is None:
                    yield job, future.result()
            raise


def _pool(processes: int, workers: int) -> AbstractContextManager[WorkerPool]:
    return worker_pool(processes, _prepare_worker, max(1, (os.cpu_count() or 1) // workers))


def _prepare_worker(count: int) -> None:
    """Limit the threads of renderer and numerical libraries in a worker; show errors only."""
    for name in _THREAD_VARIABLES:
        os.environ[name] = str(count)
    quieten()  # scripts cause faults, and each would be a warning


def _died(job: Job) -> Result:
    return Result(
        name=job.scenario.name,
        seed=job.seed,
        success=False,
        reason="broke: the process that flew it was killed",
        metrics={},
        log=None,
        wall_s=0.0,
        pilot=job.pilot,
    )


def _file(job: Job) -> Path:
    return job.folder / "flights" / f"{job.key}.json"


def _read(job: Job, inputs: str) -> Result | None:
    """Return the result of a flight with the same inputs; None where it ended with an error."""
    try:
        content = json.loads(_file(job).read_text(encoding="utf-8"))
        result = Result(**content["result"])
        same = content["inputs"] == inputs
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("%s: damaged result (%s); the flight is flown again.", _file(job), error)
        return None
    has_log = result.log is None or (job.folder / result.log).exists()
    if same and has_log and result.metrics:
        return result
    logger.info("%s: the inputs have changed or the flight broke; it is flown again.", job.key)
    return None
