"""Runs a `Simulation` in time, and gives other threads access to it.

One thread owns the simulation, physics and rendering alike, because OpenGL requires one thread.
Other threads pass functions to `call` and get a Future; the runner executes them in order of
arrival. Between them it advances the time: in real time, or, while paused, only by the steps that
`continue_for` requests.

A viewer window may slow the time down, speed it up or hold it. Calls are answered nevertheless;
only `continue_for` takes longer. Without a window, `continue_for` runs as fast as the machine
permits.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from followme_uav.recurring import RecurringFault
from followme_uav.sim.pace import Pace
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.vehicle.camera_rig import CameraRig
from followme_uav.sim.vehicle.equipment import Equipment
from followme_uav.sim.vehicle.manoeuvre_sets import ManoeuvreSet
from followme_uav.sim.vehicle.vehicle import TIME_STEP_S

logger = logging.getLogger(__name__)

T = TypeVar("T")

_CHUNK_STEPS = 20
_MAX_LAG_S = 0.25
"""A lag behind real time that exceeds this is dropped, not caught up with."""
_MAX_JOBS = 32
"""Jobs between two time steps, so that many calls cannot stop the time."""
_SHOW_PERIOD_S = 0.02
_MAX_HOLD_S = 0.05
"""The answer of a job waits at most this long, and one job more, for those of the next jobs."""


@dataclass
class _RequestedSteps:
    """Time steps that a client has requested."""

    steps: int
    answer: Future[None] | None
    """Completed after the last step; None if completed before the first."""


class SimulationRunner:
    """Runs a simulation on one thread; all methods but `run` may be called on any thread.

    Attributes:
        hold_answers: called with True before several jobs, and with False when their answers are to
            be sent: together they cost less than one by one.

    Args:
        simulation: made on the thread that will call `run`.
        paused: start with the time paused (lockstep).
        clock_speed: simulated seconds per second of real time.
        show: called repeatedly to draw a window; returns the pace that the window asks for.
    """

    def __init__(
        self,
        simulation: Simulation,
        *,
        paused: bool = False,
        clock_speed: float = 1.0,
        show: Callable[[Simulation], Pace] | None = None,
    ) -> None:
        self.hold_answers: Callable[[bool], None] = lambda holding: None
        self._simulation = simulation
        self._show = show
        self._clock_speed = clock_speed
        self._pace = Pace()
        self._paused = paused
        self._requests: deque[_RequestedSteps] = deque()
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._anchor_s = time.monotonic()
        self._steps_since_anchor = 0
        self._lags = RecurringFault(logger, "dropped lags behind real time", logging.INFO)

    @property
    def equipment(self) -> Equipment:
        """Name and sensors of the vehicle; they never change, so any thread may read them."""
        return self._simulation.equipment

    @property
    def manoeuvres(self) -> ManoeuvreSet:
        """The manoeuvres of the vehicle; they never change, so any thread may read them."""
        return self._simulation.manoeuvres

    @property
    def rig(self) -> CameraRig:
        """The cameras; their image sizes never change, so any thread may read those."""
        return self._simulation.rig

    @property
    def _speed(self) -> float:
        """Simulated seconds per second of real time: clock speed times the window's speed."""
        return self._clock_speed * self._pace.speed

    def call(self, job: Callable[[Simulation], T | Future[T]]) -> Future[T]:
        """Run `job` on the simulation's thread. If it returns a Future, wait for that one."""
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
        """Pause the time, or let it run in real time."""

        def set_paused(_: Simulation) -> None:
            self._paused = paused
            self._anchor()

        return self.call(set_paused)

    def is_paused(self) -> Future[bool]:
        """Whether the time is paused."""
        return self.call(lambda _: not self._requests and (self._paused or self._pace.held))

    def is_held(self) -> bool:
        """Whether the window holds the time; answered at once, on any thread."""
        return self._pace.held

    def continue_for(self, steps: int, *, answer_first: bool = False) -> Future[None]:
        """Advance by exactly so many time steps, then pause.

        Without a window, the steps run as fast as possible, and calls that arrive meanwhile wait:
        they see the world after the last step. With a window, the steps run at its pace, and calls
        are served between them.

        Args:
            steps: number of time steps.
            answer_first: complete the Future before the first step, not after the last one.
        """
        return self._continue(lambda _: steps, answer_first)

    def continue_for_time(self, duration_s: float, *, answer_first: bool = False) -> Future[None]:
        """As `continue_for`, for 0 or more seconds; a rest shorter than a step is carried over."""
        return self._continue(lambda world: world.asked_time.take(duration_s), answer_first)

    def _continue(self, steps_in: Callable[[Simulation], int], answer_first: bool) -> Future[None]:
        answer: Future[None] = Future()

        def advance() -> None:
            steps = steps_in(self._simulation)
            if answer_first:
                answer.set_result(None)
            self._paused = True
            self._requests.append(_RequestedSteps(steps, None if answer_first else answer))
            if self._show is None:
                if steps > _CHUNK_STEPS:
                    self.hold_answers(False)
                self._advance_request(steps)

        self._jobs.put(advance)
        return answer

    def run(self) -> None:
        """Serve calls and advance the time, until `stop` or until the window is closed."""
        self._anchor()
        while not self._stopping.is_set():
            self._serve()
            self._advance_time()
            self._show_window()

    def stop(self) -> None:
        """Make `run` return soon; callable from any thread and from a signal handler."""
        self._stopping.set()
        self._jobs.put(lambda: None)

    @property
    def _time_runs(self) -> bool:
        """Whether steps are due without a further call."""
        return (not self._paused or bool(self._requests)) and not self._pace.held

    def _serve(self) -> None:
        """Wait for calls until the next step is due, and run those that arrived."""
        wait_s = None if self._show is None else _SHOW_PERIOD_S
        if self._time_runs:
            wait_s = max(0.0, self._next_step_s() - time.monotonic())
        try:
            job = self._jobs.get(timeout=wait_s)
            hold_until_s = time.monotonic() + _MAX_HOLD_S
            for _ in range(_MAX_JOBS):
                self.hold_answers(time.monotonic() < hold_until_s)
                job()
                job = self._jobs.get_nowait()
            job()
        except queue.Empty:
            pass
        finally:
            self.hold_answers(False)

    def _advance_time(self) -> None:
        """Make the steps that are due by now: requested ones, or those of real time."""
        if not self._time_runs:
            return
        elapsed_s = (time.monotonic() - self._anchor_s) * self._speed
        due = int(elapsed_s / TIME_STEP_S) - self._steps_since_anchor
        if due * TIME_STEP_S > _MAX_LAG_S * self._speed:
            self._lags.occurs(
                time.monotonic(),
                "The simulation is %.0f ms behind real time; the lag is dropped.",
                1e3 * due * TIME_STEP_S / self._speed,
            )
            self._anchor()
            due = _CHUNK_STEPS
        else:
            self._lags.passes(time.monotonic())
        steps = min(due, _CHUNK_STEPS)
        if self._requests:
            steps = self._advance_request(steps)
        elif steps > 0:
            self._simulation.step(steps)
        self._steps_since_anchor += steps

    def _advance_request(self, steps: int) -> int:
        """Make at most `steps` of the oldest request; return the number made."""
        request = self._requests[0]
        steps = left = min(steps, request.steps)
        try:
            while left > 0 and not self._stopping.is_set():
                chunk = min(_CHUNK_STEPS, left)
                self._simulation.step(chunk)
                left -= chunk
        except Exception as error:
            self._requests.popleft()
            if request.answer is None:
                raise
            request.answer.set_exception(error)
            return steps - left
        request.steps -= steps - left
        if request.steps == 0:
            self._requests.popleft()
            if request.answer is not None:
                request.answer.set_result(None)
        return steps - left

    def _show_window(self) -> None:
        """Draw the window, and take over the pace that it asks for."""
        if self._show is None:
            return
        pace = self._show(self._simulation)
        if pace != self._pace:
            self._pace = pace
            self._anchor()
        if pace.quit:
            self._stopping.set()

    def _next_step_s(self) -> float:
        """Real time at which the next step is due."""
        steps = self._steps_since_anchor + 1
        return self._anchor_s + steps * TIME_STEP_S / self._speed

    def _anchor(self) -> None:
        """Count the steps that are due from now on."""
        self._anchor_s = time.monotonic()
        self._steps_since_anchor = 0


def _hand_over(inner: Future[Any], outer: Future[Any]) -> None:
    """Complete one Future as another one has completed."""
    error = inner.exception()
    if error is not None:
        outer.set_exception(error)
    else:
        outer.set_result(inner.result())
