"""Motion commands as AirSim runs them: one task per vehicle, a new one supersedes the old.

Each manoeuvre is a generator. It yields a set point every 20 ms of simulated time and returns
True when it ran to its end; a superseded one answers False. When a task ends, the autopilot holds
the position, so a command's duration is also its dead-man time. Without API control a task runs
just the same, but its set points go nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from concurrent.futures import Future
from dataclasses import dataclass

from followme_uav.messages import Vec3
from followme_uav.sim.autopilot import Autopilot, SetPoint
from followme_uav.sim.vehicle import TIME_STEP_NS, Vehicle

PERIOD_NS = 20_000_000
TAKEOFF_CLIMB_M = 2.0
TAKEOFF_SPEED_MPS = 0.5
LAND_SPEED_MPS = 0.2

_TAKEOFF_ARRIVAL_M = 0.5
_ARRIVAL_M = 0.2
_APPROACH_GAIN = 1.0  # 1/s; slows down over the last metres
_MOVING_MPS = 0.05
_LANDED_CYCLES = 10

Manoeuvre = Generator[SetPoint, None, bool]


class TaskError(Exception):
    """A manoeuvre that cannot be started; the text is for the client."""


@dataclass(frozen=True)
class Heading:
    """What the nose does meanwhile: AirSim's drivetrain and yaw mode in one.

    With `forward_only` the nose points where the vehicle goes, plus `angle_rad`; otherwise it
    points to `angle_rad`, or turns at `rate_radps` when that is given.
    """

    rate_radps: float | None = 0.0
    angle_rad: float = 0.0
    forward_only: bool = False

    def set_point(
        self, north_mps: float, east_mps: float, down_mps: float | None, z_m: float | None = None
    ) -> SetPoint:
        """A set point of this velocity (or velocity and altitude) under this heading."""
        rate, angle = self.rate_radps, None
        if rate is None:
            angle = self.angle_rad
            if self.forward_only:
                if math.hypot(north_mps, east_mps) < _MOVING_MPS:
                    rate, angle = 0.0, None
                else:
                    angle += math.atan2(east_mps, north_mps)
        return SetPoint(north_mps, east_mps, down_mps, z_m, rate, angle)


class TaskRunner:
    """Runs the one task of the vehicle.

    Attributes:
        time_ns: simulated time.
        api_control: whether set points reach the autopilot.
    """

    def __init__(self, vehicle: Vehicle, autopilot: Autopilot) -> None:
        self.vehicle = vehicle
        self.autopilot = autopilot
        self.time_ns = 0
        self.api_control = False
        self._task: Manoeuvre | None = None
        self._future: Future[bool] | None = None
        self._next_ns = 0

    def start(self, task: Manoeuvre) -> Future[bool]:
        """Supersede the running task. The Future completes when the new one ends.

        Raises:
            TaskError: It cannot be started now; the running task is gone all the same.
        """
        self.cancel()
        future: Future[bool] = Future()
        self._task, self._future = task, future
        try:
            self._advance()
        except TaskError:
            self._task = self._future = None
            raise
        return future

    def cancel(self) -> None:
        """End the running task, if any; it answers False."""
        self._finish(False)

    def step(self) -> None:
        """Give the task its turn when 20 ms have passed. Call before each physics step."""
        if self._task is not None and self.time_ns >= self._next_ns:
            self._advance()
        self.time_ns += TIME_STEP_NS

    def _advance(self) -> None:
        assert self._task is not None and self._future is not None  # noqa: S101 - see callers
        self._next_ns = self.time_ns + PERIOD_NS
        try:
            set_point = next(self._task)
        except StopIteration as end:
            self._finish(bool(end.value))
        else:
            if self.api_control:
                self.autopilot.command(set_point)

    def _finish(self, result: bool) -> None:
        future, self._task, self._future = self._future, None, None
        if future is not None and not future.done():
            future.set_result(result)


def move_by_velocity(
    runner: TaskRunner, velocity_mps: Vec3, duration_s: float, heading: Heading
) -> Manoeuvre:
    """Fly with this world velocity."""
    set_point = heading.set_point(*velocity_mps)
    for _ in _until(runner, duration_s):
        yield set_point
    return True


def move_by_velocity_z(
    runner: TaskRunner,
    velocity_mps: tuple[float, float],
    z_m: float,
    duration_s: float,
    heading: Heading,
) -> Manoeuvre:
    """Fly with this horizontal world velocity at this altitude."""
    if duration_s <= 0.0:
        return False
    set_point = heading.set_point(*velocity_mps, None, z_m)
    for _ in _until(runner, duration_s):
        yield set_point
    return True


def from_body(runner: TaskRunner, forward_mps: float, right_mps: float) -> tuple[float, float]:
    """A velocity of the body turned into the world by the present yaw (not roll or pitch)."""
    yaw = runner.vehicle.euler_rad()[2]
    cos, sin = math.cos(yaw), math.sin(yaw)
    return cos * forward_mps - sin * right_mps, sin * forward_mps + cos * right_mps


def move_to_position(
    runner: TaskRunner,
    goal_m: Vec3,
    speed_mps: float,
    timeout_s: float,
    heading: Heading,
    arrival_m: float = _ARRIVAL_M,
) -> Manoeuvre:
    """Fly straight to a place, slowing down near it."""
    for _ in _until(runner, timeout_s):
        offset = tuple(g - p for g, p in zip(goal_m, runner.vehicle.position_m, strict=True))
        distance_m = math.hypot(*offset)
        if distance_m < arrival_m:
            return True
        scale = min(speed_mps / distance_m, _APPROACH_GAIN)
        yield heading.set_point(*(scale * o for o in offset))
    return False


def takeoff(runner: TaskRunner, timeout_s: float) -> Manoeuvre:
    """Climb 2 m, less the half metre within which a place counts as reached."""
    vehicle = runner.vehicle
    if math.hypot(*vehicle.velocity_mps) > _MOVING_MPS:
        raise TaskError("Cannot perform takeoff because vehicle is already moving")
    north, east, down = vehicle.position_m
    goal = (north, east, down - TAKEOFF_CLIMB_M)
    return (
        yield from move_to_position(
            runner, goal, TAKEOFF_SPEED_MPS, timeout_s, Heading(), _TAKEOFF_ARRIVAL_M
        )
    )


def land(runner: TaskRunner, timeout_s: float) -> Manoeuvre:
    """Sink until something stops the fall."""
    still = 0
    for _ in _until(runner, timeout_s):
        standing = runner.vehicle.in_contact and abs(runner.vehicle.velocity_mps[2]) <= _MOVING_MPS
        still = still + 1 if standing else 0
        if still > _LANDED_CYCLES:
            runner.autopilot.landed = True
            return True
        yield SetPoint(0.0, 0.0, LAND_SPEED_MPS, yaw_rate_radps=0.0)
    return False


def hover(runner: TaskRunner) -> Manoeuvre:
    """Stop and stay; answers at once, braking goes on."""
    if runner.api_control:
        runner.autopilot.hold()
    return True
    yield  # makes this a generator like its siblings


def rotate_to_yaw(
    runner: TaskRunner, yaw_rad: float, timeout_s: float, margin_rad: float
) -> Manoeuvre:
    """Turn the nose to a heading on the spot."""
    stay = _stay(runner)
    heading = Heading(None, yaw_rad)
    for _ in _until(runner, timeout_s):
        error = math.remainder(runner.vehicle.euler_rad()[2] - yaw_rad, 2.0 * math.pi)
        if abs(error) <= margin_rad:
            return True
        yield stay(heading)
    return False


def rotate_by_yaw_rate(runner: TaskRunner, rate_radps: float, duration_s: float) -> Manoeuvre:
    """Turn on the spot at this rate."""
    stay = _stay(runner)
    heading = Heading(rate_radps)
    for _ in _until(runner, duration_s):
        yield stay(heading)
    return True


def _stay(runner: TaskRunner) -> Callable[[Heading], SetPoint]:
    """Set points that keep the vehicle where it is now."""
    north, east, down = runner.vehicle.position_m

    def set_point(heading: Heading) -> SetPoint:
        n, e, _ = runner.vehicle.position_m
        return heading.set_point(
            _APPROACH_GAIN * (north - n), _APPROACH_GAIN * (east - e), None, down
        )

    return set_point


def _until(runner: TaskRunner, duration_s: float) -> Generator[None, None, None]:
    """Turns of a loop until so much simulated time has passed; none for zero or less."""
    end_ns = runner.time_ns + round(duration_s * 1e9)
    while runner.time_ns < end_ns:
        yield
