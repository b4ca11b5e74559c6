"""Runs a `Simulation` in time, and lets other threads use it.

One thread owns the simulation, physics and rendering alike (OpenGL insists on it). Others hand it
functions with `call` and get a Future; it runs them in order of arrival. In between it lets
time pass: at real time, or, while paused, only when `continue_for` asks for some.

A person at a window may slow time down, speed it up or hold it. Calls are answered all the while;
only what was asked of the time, `continue_for`, takes longer. Nobody watching, it takes no longer
than the machine needs.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from followme_uav.sim.pace import Pace
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.vehicle.camera_rig import CameraRig
from followme_uav.sim.vehicle.equipment import Equipment
from followme_uav.sim.vehicle.vehicle import TIME_STEP_S

T = TypeVar("T")

_CHUNK_STEPS = 20
_MAX_DEBT_S = 0.25
"""Real time that could not be simulated; more than this is given up, not caught up with."""
_MAX_JOBS = 32
"""Jobs between two looks at the clock, so that a flood of calls cannot stop the time."""
_SHOW_PERIOD_S = 0.02


@dataclass
class _Advance:
    """Time that a client has asked for."""

    steps: int
    answer: Future[None] | None
    """Who waits for the end."""


class SimulationRunner:
    """The thread-safe face of a simulation.

    Args:
        simulation: made on the thread that will call `run`.
        paused: begin with time standing still (lockstep).
        clock_speed: simulated seconds per second of real time.
        show: called again and again in between, to draw a window; returns the wished pace.
    """

    def __init__(
        self,
        simulation: Simulation,
        *,
        paused: bool = False,
        clock_speed: float = 1.0,
        show: Callable[[Simulation], Pace] | None = None,
    ) -> None:
        self._simulation = simulation
        self._show = show
        self._clock_speed = clock_speed
        self._pace = Pace()
        self._paused = paused
        self._owed: deque[_Advance] = deque()
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._anchor_s = time.monotonic()
        self._steps_since_anchor = 0

    @property
    def equipment(self) -> Equipment:
        """What the vehicle is called and carries; never changes, so any thread may ask."""
        return self._simulation.equipment

    @property
    def rig(self) -> CameraRig:
        """The cameras; how large their images are never changes, so any thread may ask that."""
        return self._simulation.rig

    @property
    def _speed(self) -> float:
        """Simulated seconds per second of real time, as the settings and the window want it."""
        return self._clock_speed * self._pace.speed

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
        return self.call(lambda _: not self._owed and (self._paused or self._pace.held))

    def is_held(self) -> bool:
        """Whether a person holds the time; answered at once, on any thread."""
        return self._pace.held

    def continue_for(self, steps: int, *, answer_first: bool = False) -> Future[None]:
        """Advance by exactly so many time steps, then stand still.

        Unwatched, that goes as fast as possible, and calls that arrive meanwhile wait: they see the
        world as it is afterwards. Watched, it goes at the pace of who watches, and they are served.
        With `answer_first` the Future completes before the advance instead of after it.
        """
        return self._continue(lambda _: steps, answer_first)

    def continue_for_time(self, duration_s: float, *, answer_first: bool = False) -> Future[None]:
        """As `continue_for`, for 0 or more seconds; less than a step counts the next time."""
        return self._continue(lambda world: world.asked_time.take(duration_s), answer_first)

    def _continue(self, steps_in: Callable[[Simulation], int], answer_first: bool) -> Future[None]:
        answer: Future[None] = Future()

        def advance() -> None:
            steps = steps_in(self._simulation)
            if answer_first:
                answer.set_result(None)
            self._paused = True
            self._owed.append(_Advance(steps, None if answer_first else answer))
            if self._show is None:
                self._pay(steps)

        self._jobs.put(advance)
        return answer

    def run(self) -> None:
        """Serve calls and let time pass, until `stop` or until the person who watches quits."""
        self._anchor()
        while not self._stopping.is_set():
            self._serve()
            self._pass_time()
            self._look()

    def stop(self) -> None:
        """Make `run` return soon; from any thread, or from a signal handler."""
        self._stopping.set()
        self._jobs.put(lambda: None)

    @property
    def _flows(self) -> bool:
        """Whether time has to pass by itself."""
        return (not self._paused or bool(self._owed)) and not self._pace.held

    def _serve(self) -> None:
        """Wait for calls until the next step is due, and run those that came."""
        wait_s = None if self._show is None else _SHOW_PERIOD_S
        if self._flows:
            wait_s = max(0.0, self._next_step_s() - time.monotonic())
        try:
            job = self._jobs.get(timeout=wait_s)
            for _ in range(_MAX_JOBS):
                job()
                job = self._jobs.get_nowait()
            job()
        except queue.Empty:
            pass

    def _pass_time(self) -> None:
        """The steps that are due by now: those that were asked for, or simply the next ones."""
        if not self._flows:
            return
        elapsed_s = (time.monotonic() - self._anchor_s) * self._speed
        due = int(elapsed_s / TIME_STEP_S) - self._steps_since_anchor
        if due * TIME_STEP_S > _MAX_DEBT_S * self._speed:
            self._anchor()
            due = _CHUNK_STEPS
        steps = min(due, _CHUNK_STEPS)
        if self._owed:
            steps = self._pay(steps)
        elif steps > 0:
            self._simulation.step(steps)
        self._steps_since_anchor += steps

    def _pay(self, steps: int) -> int:
        """Make the oldest advance that is owed, or a part of it; returns the steps made."""
        advance = self._owed[0]
        steps = left = min(steps, advance.steps)
        try:
            while left > 0 and not self._stopping.is_set():
                chunk = min(_CHUNK_STEPS, left)
                self._simulation.step(chunk)
                left -= chunk
        except Exception as error:
            self._owed.popleft()
            if advance.answer is None:
                raise
            advance.answer.set_exception(error)
            return steps - left
        advance.steps -= steps - left
        if advance.steps == 0:
            self._owed.popleft()
            if advance.answer is not None:
                advance.answer.set_result(None)
        return steps - left

    def _look(self) -> None:
        """Show the world, and go by the pace that the person who sees it wants."""
        if self._show is None:
            return
        pace = self._show(self._simulation)
        if pace != self._pace:
            self._pace = pace
            self._anchor()
        if pace.quit:
            self._stopping.set()

    def _next_step_s(self) -> float:
        steps = self._steps_since_anchor + 1
        return self._anchor_s + steps * TIME_STEP_S / self._speed

    def _anchor(self) -> None:
        self._anchor_s = time.monotonic()
        self._steps_since_anchor = 0


def _hand_over(inner: Future[Any], outer: Future[Any]) -> None:
    error = inner.exception()
    if error is not None:
        outer.set_exception(error)
    else:
        outer.set_result(inner.result())
