"""Motion commands as AirSim runs them: one task per vehicle; a new one supersedes the old.

Each manoeuvre is a generator. It yields a set point every 20 ms of simulated time and returns
True at its end; a superseded one answers False. When a task ends, the autopilot holds the
position, so a command's duration is also its dead-man time. Without API control a task runs as
usual, but its set points do not reach the autopilot and it answers False.

AirSim's own rules differ in two points (`TaskRules`). Without API control the answer is that of the
task. In a burst, calls between which neither time nor another request passes, the second call
supersedes the first, and each further one waits for the end of the one before.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future
from dataclasses import dataclass

from followme_uav.sim.vehicle.flight_controller import FlightController
from followme_uav.sim.vehicle.remote_control import NO_REMOTE_CONTROL, RemoteControl
from followme_uav.sim.vehicle.setpoints import SetPoint, Velocity
from followme_uav.sim.vehicle.vehicle import TIME_STEP_NS, Vehicle

PERIOD_NS = 20_000_000
MOVING_MPS = 0.05
"""Slower counts as standing still."""

Manoeuvre = Generator[SetPoint | None, None, bool]
"""Yields None for no set point; the autopilot then holds the position."""


class TaskError(Exception):
    """A manoeuvre cannot start; the client receives the text."""


@dataclass(frozen=True)
class Heading:
    """Heading during a manoeuvre: AirSim's drivetrain and yaw mode in one.

    With `forward_only` the heading is the course plus `angle_rad`; otherwise it is `angle_rad`, or
    it turns at `rate_radps` if given.
    """

    rate_radps: float | None = 0.0
    angle_rad: float = 0.0
    forward_only: bool = False

    def set_point(
        self, north_mps: float, east_mps: float, down_mps: float | None, z_m: float | None = None
    ) -> Velocity:
        """A set point of a velocity (or of a velocity and an altitude) with this heading."""
        rate, angle = self.rate_radps, None
        if rate is None:
            angle = self.angle_rad
            if self.forward_only:
                if math.hypot(north_mps, east_mps) < MOVING_MPS:
                    rate, angle = 0.0, None
                else:
                    angle += math.atan2(east_mps, north_mps)
        return Velocity(north_mps, east_mps, down_mps, z_m, rate, angle)


class TaskRunner:
    """Runs the vehicle's only task, or flies it by the remote control.

    Args:
        vehicle: the vehicle.
        autopilot: its flight controller.
        like_airsim: bursts and answers follow AirSim's rules.

    Attributes:
        time_ns: simulated time.
        remote: the latest sticks.
    """

    def __init__(
        self, vehicle: Vehicle, autopilot: FlightController, *, like_airsim: bool = False
    ) -> None:
        self.vehicle = vehicle
        self.autopilot = autopilot
        self._like_airsim = like_airsim
        self._task: Manoeuvre | None = None
        self._future: Future[bool] | None = None
        self._waiting: deque[tuple[Manoeuvre, Future[bool]]] = deque()
        self._is_burst = False
        self.reset()

    def reset(self) -> None:
        """Return to the initial state; all tasks answer False."""
        while self._waiting:
            self._waiting.popleft()[1].set_result(False)
        self._is_burst = False
        self.cancel()
        self.time_ns = 0
        self.api_control = False
        self.remote = NO_REMOTE_CONTROL
        self._remote_ns = 0
        self._next_ns = 0

    @property
    def api_control(self) -> bool:
        """Set points of tasks reach the autopilot."""
        return self.autopilot.api_control

    @api_control.setter
    def api_control(self, enabled: bool) -> None:
        self.autopilot.api_control = enabled

    def start(self, task: Manoeuvre) -> Future[bool]:
        """Supersede the running task. The Future completes when the new one ends.

        Raises:
            TaskError: It cannot start now; the running task has ended nevertheless.
        """
        future: Future[bool] = Future()
        if self._task is not None:
            if self._is_burst:
                self._waiting.append((task, future))
                return future
            self._is_burst = self._like_airsim
            self.cancel()
        self._task, self._future = task, future
        try:
            self._advance()
        except TaskError:
            self._task = self._future = None
            raise
        return future

    def end_burst(self) -> None:
        """Take note that time or another request has passed: the next call supersedes at once."""
        self._is_burst = False

    def cancel(self) -> None:
        """End the running task, if any; it answers False."""
        self._finish(False)

    def move_sticks(self, remote: RemoteControl) -> None:
        """Set the sticks of the remote control."""
        self.remote, self._remote_ns = remote, self.time_ns

    def sticks(self) -> RemoteControl | None:
        """The remote control if it is valid and recent, else None."""
        return self.remote if self.remote.counts(self.time_ns - self._remote_ns) else None

    def step(self) -> None:
        """Advance the task every 20 ms, and time by one step. Call before each physics step."""
        self._is_burst = False
        self.take_turn()
        if self.remote.is_valid and not self.api_control:
            self._fly_by_sticks()
        self.time_ns += TIME_STEP_NS

    def take_turn(self) -> None:
        """Advance the task if that is due now; time does not pass.

        Call it before simulated time stops: a command at the end of its duration answers then and
        not one step later, because a client in lockstep waits for the answer before the next step.
        """
        if self._waiting and self._task is None:
            self._start_waiting()
        elif self._task is not None and self.time_ns >= self._next_ns:
            self._advance()

    def _advance(self) -> None:
        assert self._task is not None and self._future is not None  # noqa: S101 - see callers
        self._next_ns = self.time_ns + PERIOD_NS
        try:
            set_point = next(self._task)
        except StopIteration as end:
            self._finish(bool(end.value) and (self.api_control or self._like_airsim))
        else:
            if self.api_control and set_point is not None:
                self.autopilot.command(set_point)

    def _start_waiting(self) -> None:
        """Start the first waiting task that does not end at once."""
        while self._waiting and self._task is None:
            task, future = self._waiting.popleft()
            self._task, self._future = task, future
            try:
                self._advance()
            except TaskError as error:
                self._task = self._future = None
                future.set_exception(error)

    def _fly_by_sticks(self) -> None:
        sticks = self.sticks()
        if sticks is not None:
            self.autopilot.command(sticks.set_point())

    def _finish(self, result: bool) -> None:
        future, self._task, self._future = self._future, None, None
        if future is not None and not future.done():
            future.set_result(result)


def until(runner: TaskRunner, duration_s: float) -> Generator[None, None, None]:
    """Yield once per 20 ms until a duration has passed; not at all for zero or less."""
    end_ns = runner.time_ns + round(duration_s * 1e9)
    while runner.time_ns < end_ns:
        yield
