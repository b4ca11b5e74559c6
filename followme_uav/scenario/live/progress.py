"""The progress of a run: counts, throughput, time left, flights under way and latest failures.

The runner tells it of each begin and end of a flight; terminal and page read it, from other
threads, too. Its size depends on the number of scenarios and variants, not on that of flights.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from followme_uav.scenario.execution.jobs import Job
from followme_uav.scenario.execution.results import Result
from followme_uav.scenario.report.axes import value_of
from followme_uav.scenario.script.random_draws import AXES

Stage = Literal["flying", "writing", "ended"]
"""Flights are under way; results and report are being written; all is done."""
LATEST = 20
"""Failures, and crashed flights, that are kept."""
VARIANT = "variant"


@dataclass(frozen=True)
class Figures:
    """The numbers of a run so far."""

    flights: int
    """Of the whole run."""
    before: int
    """Flights that were finished before this run; they are among the following, too."""
    passed: int
    failed: int
    crashed: int
    elapsed_s: float

    @property
    def done(self) -> int:
        """Number of flights that have ended."""
        return self.passed + self.failed + self.crashed

    @property
    def per_hour(self) -> float | None:
        """Flights per hour of this run; None before its first end of a flight."""
        flown = self.done - self.before
        return 3600.0 * flown / self.elapsed_s if flown and self.elapsed_s > 0.0 else None

    @property
    def left_s(self) -> float | None:
        """Time until the last flight has ended at this throughput; None if it is unknown."""
        left = self.flights - self.done
        if not left:
            return 0.0
        return None if self.per_hour is None else 3600.0 * left / self.per_hour


@dataclass(frozen=True)
class Begun:
    """A flight under way."""

    name: str
    seed: int
    variant: str
    since_s: float
    """Time of the clock."""
    attempt: int


@dataclass(frozen=True)
class Ended:
    """A flight that failed or crashed."""

    name: str
    seed: int
    variant: str
    reason: str
    at_s: float
    """Time of the clock."""


@dataclass(frozen=True)
class Snapshot:
    """All that is known of a run at one time."""

    now_s: float
    """Time of the clock."""
    stage: Stage
    stops_early: bool
    has_report: bool
    """The report of this run is written."""
    figures: Figures
    counts: dict[str, dict[str, tuple[int, int]]]
    """For each axis and value the flights, without crashed ones, and those that passed."""
    running: tuple[Begun, ...]
    failures: tuple[Ended, ...]
    """The latest ones, the last first."""
    crashes: tuple[Ended, ...]


class Progress:
    """Counts the flights of a run; may be used by several threads.

    Args:
        flights: Of the whole run.
        stops_early: The run may end before (`--until`).
        clock: Seconds of a clock that never goes back.
    """

    def __init__(
        self,
        flights: int,
        *,
        stops_early: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._flights, self._stops_early, self._clock = flights, stops_early, clock
        self._lock = Lock()
        self._began_s = clock()
        self._ended_s: float | None = None
        self._stage: Stage = "flying"
        self._has_report = False
        self._before = 0
        self._outcomes = {"passed": 0, "failed": 0, "crashed": 0}
        self._counts: dict[str, dict[str, tuple[int, int]]] = {}
        self._running: dict[str, Begun] = {}
        self._failures: deque[Ended] = deque(maxlen=LATEST)
        self._crashes: deque[Ended] = deque(maxlen=LATEST)

    def begin(self, job: Job) -> None:
        """Note that a flight begins; one that is under way begins again after a crash."""
        with self._lock:
            former = self._running.get(job.id)
            attempt = 1 if former is None else former.attempt + 1
            label, now_s = job.variant.label, self._clock()
            self._running[job.id] = Begun(job.name, job.seed, label, now_s, attempt)

    def end(self, result: Result, was_there: bool) -> None:
        """Note the result of a flight, and whether it was finished before this run."""
        with self._lock:
            now_s = self._clock()
            self._running.pop(result.id, None)
            self._before += was_there
            self._outcomes[result.outcome] += 1
            if not result.success:
                kept = self._crashes if result.crashed else self._failures
                why = result.reason
                kept.appendleft(Ended(result.name, result.seed, result.variant, why, now_s))
            if not result.crashed:
                self._count(result)

    def _count(self, result: Result) -> None:
        for axis in (*result.axes, VARIANT, *AXES):
            value = result.variant if axis == VARIANT else value_of(result, axis)
            if value:
                values = self._counts.setdefault(axis, {})
                flights, passed = values.get(value, (0, 0))
                values[value] = (flights + 1, passed + result.success)

    def enter(self, stage: Stage, *, has_report: bool = False) -> None:
        """Note that the flights have ended, or that all is written; the time stops."""
        with self._lock:
            self._stage, self._has_report = stage, has_report
            self._running.clear()
            if self._ended_s is None:
                self._ended_s = self._clock()

    def figures(self) -> Figures:
        """Return the numbers so far."""
        with self._lock:
            return self._figures()

    def snapshot(self) -> Snapshot:
        """Return all that is known now."""
        with self._lock:
            return Snapshot(
                now_s=self._clock(),
                stage=self._stage,
                stops_early=self._stops_early,
                has_report=self._has_report,
                figures=self._figures(),
                counts={axis: dict(values) for axis, values in self._counts.items()},
                running=tuple(self._running.values()),
                failures=tuple(self._failures),
                crashes=tuple(self._crashes),
            )

    def _figures(self) -> Figures:
        end_s = self._clock() if self._ended_s is None else self._ended_s
        elapsed_s = end_s - self._began_s
        return Figures(self._flights, self._before, **self._outcomes, elapsed_s=elapsed_s)
