"""Runs a `Simulation` in time, and lets other threads use it.

One thread owns the simulation, physics and rendering alike (OpenGL insists on it). Others hand it
functions with `call` and get a Future; it runs them in order of arrival. In between it lets
time pass: at real time, or, while paused, only when `continue_for` asks for some.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from followme_uav.sim.simulation import Simulation
from followme_uav.sim.vehicle import TIME_STEP_S

T = TypeVar("T")

_CHUNK_STEPS = 20
_MAX_DEBT_S = 0.25
"""Real time that could not be simulated; more than this is given up, not caught up with."""
_MAX_JOBS = 32
"""Jobs between two looks at the clock, so that a flood of calls cannot stop the time."""
_SHOW_PERIOD_S = 0.05


class Simulator:
    """The thread-safe face of a simulation.

    Args:
        simulation: made on the thread that will call `run`.
        paused: begin with time standing still (lockstep).
        show: called again and again in between, to draw a window.
    """

    def __init__(
        self,
        simulation: Simulation,
        *,
        paused: bool = False,
        show: Callable[[Simulation], None] | None = None,
    ) -> None:
        self._simulation = simulation
        self._show = show
        self._idle_s = None if show is None else _SHOW_PERIOD_S
        self._paused = paused
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._anchor_s = time.monotonic()
        self._steps_since_anchor = 0

    def call(self, job: Callable[[Simulation], T | Future[T]]) -> Future[T]:
        """Run `job` on the simulation's thread. A Future it returns is waited for."""
        outer: Future[T] = Future()

        def run() -> None:
            try:
                result = job(self._simulation)
            except Exception as error:
                outer.set_exception(error)
                return
            if isinstance(result, Future):
                result.add_done_callback(lambda inner: _hand_over(inner, outer))
            else:
                outer.set_result(result)

        self._jobs.put(run)
        return outer

    def pause(self, paused: bool) -> Future[None]:
        """Stop the time, or let it run at real time."""

        def set_paused(_: Simulation) -> None:
            self._paused = paused
            self._anchor()

        return self.call(set_paused)

    def is_paused(self) -> Future[bool]:
        """Whether time stands still."""
        return self.call(lambda _: self._paused)

    def continue_for(self, steps: int, *, answer_first: bool = False) -> Future[None]:
        """Advance by exactly so many time steps, as fast as possible, then stand still.

        Calls that arrive meanwhile wait: they see the world as it is afterwards. With
        `answer_first` the Future completes before the advance instead of after it.
        """
        answer: Future[None] = Future()

        def advance() -> None:
            if answer_first:
                answer.set_result(None)
            self._paused = True
            try:
                self._advance(steps)
            except Exception as error:
                if answer_first:
                    raise
                answer.set_exception(error)
            else:
                if not answer_first:
                    answer.set_result(None)

        self._jobs.put(advance)
        return answer

    def run(self) -> None:
        """Serve calls and let time pass, until `stop`."""
        self._anchor()
        while not self._stopping.is_set():
            self._serve()
            if not self._paused:
                self._keep_pace()
            if self._show is not None:
                self._show(self._simulation)

    def stop(self) -> None:
        """Make `run` return soon; from any thread, or from a signal handler."""
        self._stopping.set()
        self._jobs.put(lambda: None)

    def _serve(self) -> None:
        """Wait for calls until the next step is due, and run those that came."""
        wait_s = self._idle_s
        if not self._paused:
            wait_s = max(0.0, self._next_step_s() - time.monotonic())
        try:
            job = self._jobs.get(timeout=wait_s)
            for _ in range(_MAX_JOBS):
                job()
                job = self._jobs.get_nowait()
            job()
        except queue.Empty:
            pass

    def _advance(self, steps: int) -> None:
        while steps > 0 and not self._stopping.is_set():
            chunk = min(_CHUNK_STEPS, steps)
            self._simulation.step(chunk)
            steps -= chunk

    def _keep_pace(self) -> None:
        elapsed_s = time.monotonic() - self._anchor_s
        due = int(elapsed_s / TIME_STEP_S) - self._steps_since_anchor
        if due * TIME_STEP_S > _MAX_DEBT_S:
            self._anchor()
            due = _CHUNK_STEPS
        steps = min(due, _CHUNK_STEPS)
        if steps > 0:
            self._simulation.step(steps)
            self._steps_since_anchor += steps

    def _next_step_s(self) -> float:
        return self._anchor_s + (self._steps_since_anchor + 1) * TIME_STEP_S

    def _anchor(self) -> None:
        self._anchor_s = time.monotonic()
        self._steps_since_anchor = 0


def _hand_over(inner: Future[Any], outer: Future[Any]) -> None:
    error = inner.exception()
    if error is not None:
        outer.set_exception(error)
    else:
        outer.set_result(inner.result())
