"""Fly the jobs of a run: distribute them, write each result at once, repeat what crashed."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from pathlib import Path

from followme_uav.errors import EnvironmentSetupError
from followme_uav.files import make_folder, write_whole
from followme_uav.program_log import PRINTED
from followme_uav.scenario.execution.fleet import Fleet, Fly
from followme_uav.scenario.execution.flight import (
    FlightSettings,
    Flown,
    code_digest,
    fly_job,
    log_name,
    result_of,
)
from followme_uav.scenario.execution.jobs import Job
from followme_uav.scenario.execution.results import Result, Row, RowFile
from followme_uav.statistics.stopping import Stopping

logger = logging.getLogger(__name__)

OnResult = Callable[[Result, bool], None]
"""Called with each result, and whether the flight was finished before this run."""
OnBegin = Callable[[Job], None]
"""Called when a flight is given to a process, also for a repetition."""
RETRIES = 2
"""How often a crashed flight is repeated."""
HOPELESS = 5
"""So many flights crash for good before any other has ended: the run is given up."""
_POLL_S = 1.0
_GRACE_S = 120.0
"""Longer than the limit of a flight: the worker itself, or its cluster, does not answer."""


@dataclass(frozen=True)
class RunSettings:
    """How a run treats its flights."""

    folder: Path
    flight: FlightSettings
    retries: int = RETRIES
    half_width: float | None = None
    """Stop when the interval of the success of each variant is as narrow as this."""
    fly: Fly = fly_job
    plan: str = ""
    """Digest of the plan, as in `Row`."""


def fly_jobs(
    jobs: Sequence[Job],
    fleet: Fleet,
    settings: RunSettings,
    on_result: OnResult,
    on_begin: OnBegin = lambda job: None,
) -> list[Result]:
    """Fly all jobs that have no result yet; the results are in the order of the jobs.

    A result is written before the next flight of its worker begins, so that an interrupted run can
    be resumed: a flight is not flown again while its id and the program are the same. Flights that
    were begun before a run stopped by `half_width` are written, too, but not returned.

    Raises:
        OutputError: The run's folder cannot be written.
        EnvironmentSetupError: All flights crash, or no worker answers.
    """
    return _Distribution(jobs, fleet, settings, on_result, on_begin).run()


class _Distribution:
    """The state of a run."""

    def __init__(
        self,
        jobs: Sequence[Job],
        fleet: Fleet,
        settings: RunSettings,
        on_result: OnResult,
        on_begin: OnBegin,
    ) -> None:
        self._jobs, self._fleet, self._settings = jobs, fleet, settings
        self._on_result, self._on_begin = on_result, on_begin
        self._rows = RowFile(settings.folder)
        self._code = code_digest()
        self._done: dict[str, Result] = {}
        self._attempts: dict[str, int] = {}
        self._running: dict[Future[Flown], tuple[Job, float]] = {}
        self._order = list(jobs)
        self._stopping: Stopping | None = None
        if settings.half_width is not None:
            # By pair: all variants of a scenario and seed count together.
            self._order.sort(key=lambda job: (job.pair, job.variant.label))
            variants = [job.variant.label for job in self._order]
            self._stopping = Stopping(variants, settings.half_width)
        self._numbers = {job.id: number for number, job in enumerate(self._order)}
        self._outcomes: dict[int, bool | None] = {}
        self._last_end_s = time.monotonic()

    def run(self) -> list[Result]:
        make_folder(self._settings.folder / "logs")
        self._take_finished()
        left = deque(job for job in self._order if job.id not in self._done)
        try:
            while (left and not self._stopped) or self._running:
                while left and not self._stopped and len(self._running) < self._fleet.capacity():
                    self._begin(left.popleft())
                left.extendleft(self._end_some())
        except BaseException:
            self._keep_what_is_done()
            raise
        last = None if self._stopping is None else self._stopping.stopped_after
        counted = {job.id for job in self._order[:last]}
        return [self._done[job.id] for job in self._jobs if job.id in counted]

    @property
    def _stopped(self) -> bool:
        return self._stopping is not None and self._stopping.stopped_after is not None

    def _take_finished(self) -> None:
        """Take the results of an earlier run; crashed flights are flown again."""
        rows = {row.result.id: row for row in self._rows.read() if row.code == self._code}
        of_other_plans = []
        for job in self._order:
            row = rows.get(job.id)
            if row is None or row.result.crashed or not self._has_log(row.result):
                continue
            logger.debug("Flight %s was flown before.", job.key)
            if row.plan != self._settings.plan:
                of_other_plans.append(replace(row, plan=self._settings.plan))
            self._count(job, row.result)
            self._on_result(row.result, True)
            if self._stopped:
                break
        if of_other_plans:
            self._rows.append(*of_other_plans)

    def _has_log(self, result: Result) -> bool:
        """Whether the log is there, if the run is to have it."""
        if not self._settings.flight.keeps(success=result.success):
            return True
        return result.log is not None and (self._settings.folder / result.log).exists()

    def _begin(self, job: Job) -> None:
        self._attempts[job.id] = self._attempts.get(job.id, 0) + 1
        future = self._fleet.submit(self._settings.fly, job, self._settings.flight)
        self._running[future] = (job, time.monotonic())
        self._on_begin(job)

    def _end_some(self) -> list[Job]:
        """Wait for some flights; return those to be flown again."""
        ended = wait(self._running, timeout=_POLL_S, return_when=FIRST_COMPLETED).done
        if not ended:
            self._check_progress()
        again = []
        for future in ended:
            self._last_end_s = time.monotonic()
            job, begun_s = self._running.pop(future)
            try:
                crashed = self._end(job, future, begun_s)
            except KeyboardInterrupt:  # raised only once, see `interrupts`
                if job.id not in self._done:
                    self._end(job, future, begun_s)
                raise
            if crashed:
                again.append(job)
        return again

    def _end(self, job: Job, future: Future[Flown], begun_s: float) -> bool:
        """Write the result of a flight; return whether it is to be flown again."""
        flown = self._flown(job, future, begun_s)
        result = replace(flown.result, attempts=self._attempts[job.id])
        if result.crashed and result.attempts <= self._settings.retries:
            logger.warning(
                "Flight %s crashed in attempt %d and is flown again: %s.",
                *(job.key, result.attempts, result.reason),
            )
            return True
        if flown.log is not None:
            write_whole(self._settings.folder / log_name(job), flown.log)
        self._rows.append(Row(self._code, result, self._settings.plan))
        self._count(job, result)
        logger.info(
            "Flight %s %s after %.1f s of real time: %s.",
            *(job.key, result.outcome, result.wall_s, result.reason),
            extra={"topic": PRINTED},
        )
        self._on_result(result, False)
        self._check_hope(result)
        return False

    def _flown(self, job: Job, future: Future[Flown], begun_s: float) -> Flown:
        error = future.exception()
        if error is None:
            return future.result()
        if not self._fleet.is_loss(error):
            raise error
        wall_s, limit_s = time.monotonic() - begun_s, self._settings.flight.limit_of(job)
        reason = f"broke: the process that flew it died, or reached the limit of {limit_s:.0f} s"
        return Flown(result_of(job, reason=reason, crashed=True, wall_s=wall_s))

    def _count(self, job: Job, result: Result) -> None:
        self._done[job.id] = result
        if self._stopping is not None:
            success = None if result.crashed else result.success
            self._outcomes[self._numbers[job.id]] = success
            self._stopping.update(self._outcomes)

    def _check_hope(self, result: Result) -> None:
        if len(self._done) >= HOPELESS and all(r.crashed for r in self._done.values()):
            raise EnvironmentSetupError(
                f"the first {len(self._done)} flights crashed ({result.reason}); "
                "run 'followme-uav doctor'"
            )

    def _check_progress(self) -> None:
        longest_s = max(self._settings.flight.limit_of(job) for job, _ in self._running.values())
        waited_s = time.monotonic() - self._last_end_s
        if waited_s > 2.0 * longest_s + _GRACE_S:
            raise EnvironmentSetupError(
                f"no worker has answered for {waited_s:.0f} s; look at the machines, then run the "
                "same command again: finished flights are not repeated"
            )

    def _keep_what_is_done(self) -> None:
        """Write the results of flights that have ended; the others end with the run."""
        for future, (job, begun_s) in list(self._running.items()):
            if future.done() and not future.cancelled() and future.exception() is None:
                self._end(job, future, begun_s)
