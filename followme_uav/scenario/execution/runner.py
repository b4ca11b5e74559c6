"""Many flights at once, each in a simulator of its own; what is done already is not done again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, closing
from pathlib import Path

from followme_uav.files import make_folder, write_json
from followme_uav.scenario.execution.flight import Job, code_digest, fingerprint, fly_job
from followme_uav.scenario.execution.results import Result
from followme_uav.workers import WorkerPool, worker_pool

Report = Callable[[Result, bool], None]
"""Called with each result as it comes, and whether it was there before."""
_ONE_EACH = ("LP_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def run_jobs(jobs: Sequence[Job], workers: int, report: Report) -> list[Result]:
    """Fly all jobs, at most `workers` at a time; the results are in the order of the jobs.

    Each finished flight is written down at once, so that a run that was interrupted goes on where
    it was: flights are not flown again as long as scenario, configuration, weights and program are
    the same.

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
            report(before, True)

    def keep(job: Job, result: Result) -> None:
        write_json(_file(job), {"inputs": fingerprint(job, code), "result": result.to_dict()})
        done[job.key] = result
        report(result, False)

    with closing(_fly_all(to_fly, max(1, min(workers, len(jobs))))) as flown:
        for job, result in flown:
            try:
                keep(job, result)
            except KeyboardInterrupt:  # it comes once, see `interrupts`
                keep(job, result)
                raise
    return [done[job.key] for job in jobs]


def _fly_all(jobs: Sequence[Job], workers: int) -> Generator[tuple[Job, Result]]:
    """A worker that dies takes its flight with it, and is replaced."""
    left = list(jobs)
    while left:
        under_way: dict[Future[Result], Job] = {}
        try:
            with _pool(min(workers, len(left)), workers) as pool:
                while left or under_way:
                    while left and len(under_way) < workers:
                        future = pool.submit(fly_job, left[0])  # may fail, then it is still left
                        under_way[future] = left.pop(0)
                    for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                        job = under_way.pop(future)
                        try:
                            yield job, future.result()
                        except BrokenProcessPool:
                            yield job, _died(job)
                            raise
        except BrokenProcessPool:
            # Nobody knows whose fault it was: those that flew beside it get another chance.
            left = [*under_way.values(), *left]
        except KeyboardInterrupt:
            for future, job in under_way.items():  # some have ended while it came
                if future.done() and not future.cancelled() and future.exception() is None:
                    yield job, future.result()
            raise


def _pool(processes: int, workers: int) -> AbstractContextManager[WorkerPool]:
    return worker_pool(processes, _use_threads, max(1, (os.cpu_count() or 1) // workers))


def _use_threads(count: int) -> None:
    """Renderer and number crunching of all workers together fit the machine."""
    for name in _ONE_EACH:
        os.environ[name] = str(count)


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
    """The flight's result, if it was flown with these inputs; one that broke is flown again."""
    try:
        content = json.loads(_file(job).read_text(encoding="utf-8"))
        result = Result(**content["result"])
        same = content["inputs"] == inputs
    except (OSError, ValueError, KeyError, TypeError):
        return None
    has_log = result.log is None or (job.folder / result.log).exists()
    return result if same and has_log and result.metrics else None
