"""RPC methods that move the vehicle. Each answers when its task ends."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from followme_uav.messages import Vec3
from followme_uav.rpc.server import HandlerError
from followme_uav.sim import tasks
from followme_uav.sim.service import Handlers, Service
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.structs import read_bool, read_int, read_number, read_struct
from followme_uav.sim.tasks import Heading, Manoeuvre, TaskRunner

MAX_SPEED_MPS = 100.0
MAX_POSITION_M = 1e5
MAX_YAW_DEG = 36_000.0
MAX_DURATION_S = 3.5e38
"""AirSim's clients say "no time limit" with the largest float32."""

FORWARD_ONLY = 1


class MotionMethods(Service):
    """takeoff, land, hover, move..., rotate..."""

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "takeoff": self._takeoff,
            "land": self._land,
            "hover": self._hover,
            "moveByVelocity": self._move_by_velocity,
            "moveByVelocityZ": self._move_by_velocity_z,
            "moveByVelocityBodyFrame": self._move_by_velocity_body,
            "moveByVelocityZBodyFrame": self._move_by_velocity_z_body,
            "moveToPosition": self._move_to_position,
            "rotateToYaw": self._rotate_to_yaw,
            "rotateByYawRate": self._rotate_by_yaw_rate,
            "cancelLastTask": self._cancel_last_task,
        }

    def _takeoff(self, timeout_sec: Any, v: Any) -> Future[bool]:
        timeout_s = _duration(timeout_sec, "timeout_sec")
        return self._start(v, lambda runner: tasks.takeoff(runner, timeout_s))

    def _land(self, timeout_sec: Any, v: Any) -> Future[bool]:
        timeout_s = _duration(timeout_sec, "timeout_sec")
        return self._start(v, lambda runner: tasks.land(runner, timeout_s))

    def _hover(self, v: Any) -> Future[bool]:
        return self._start(v, tasks.hover)

    def _move_by_velocity(
        self, vx: Any, vy: Any, vz: Any, duration: Any, drivetrain: Any, yaw_mode: Any, v: Any
    ) -> Future[bool]:
        velocity, duration_s = _velocity(vx, vy, vz), _duration(duration)
        heading = _heading(drivetrain, yaw_mode)
        return self._start(
            v, lambda runner: tasks.move_by_velocity(runner, velocity, duration_s, heading)
        )

    def _move_by_velocity_z(
        self, vx: Any, vy: Any, z: Any, duration: Any, drivetrain: Any, yaw_mode: Any, v: Any
    ) -> Future[bool]:
        velocity, z_m, duration_s = (_speed(vx, "vx"), _speed(vy, "vy")), _z(z), _duration(duration)
        heading = _heading(drivetrain, yaw_mode)
        return self._start(
            v, lambda runner: tasks.move_by_velocity_z(runner, velocity, z_m, duration_s, heading)
        )

    def _move_by_velocity_body(
        self, vx: Any, vy: Any, vz: Any, duration: Any, drivetrain: Any, yaw_mode: Any, v: Any
    ) -> Future[bool]:
        (forward, right, down), duration_s = _velocity(vx, vy, vz), _duration(duration)
        heading = _heading(drivetrain, yaw_mode)

        def task(runner: TaskRunner) -> Manoeuvre:
            velocity = (*tasks.from_body(runner, forward, right), down)
            return tasks.move_by_velocity(runner, velocity, duration_s, heading)

        return self._start(v, task)

    def _move_by_velocity_z_body(
        self, vx: Any, vy: Any, z: Any, duration: Any, drivetrain: Any, yaw_mode: Any, v: Any
    ) -> Future[bool]:
        forward, right = _speed(vx, "vx"), _speed(vy, "vy")
        z_m, duration_s, heading = _z(z), _duration(duration), _heading(drivetrain, yaw_mode)

        def task(runner: TaskRunner) -> Manoeuvre:
            velocity = tasks.from_body(runner, forward, right)
            return tasks.move_by_velocity_z(runner, velocity, z_m, duration_s, heading)

        return self._start(v, task)

    def _move_to_position(
        self,
        x: Any,
        y: Any,
        z: Any,
        velocity: Any,
        timeout_sec: Any,
        drivetrain: Any,
        yaw_mode: Any,
        lookahead: Any,
        adaptive_lookahead: Any,
        v: Any,
    ) -> Future[bool]:
        limit = MAX_POSITION_M
        goal = (
            read_number(x, "x", -limit, limit),
            read_number(y, "y", -limit, limit),
            _z(z),
        )
        speed_mps = read_number(velocity, "velocity", 0.0, MAX_SPEED_MPS)
        timeout_s = _duration(timeout_sec, "timeout_sec")
        heading = _heading(drivetrain, yaw_mode)
        if drivetrain == FORWARD_ONLY and heading.rate_radps is not None:
            raise HandlerError("drivetrain ForwardOnly needs yaw_mode.is_rate = false")
        read_number(lookahead, "lookahead", -1e6, 1e6)
        read_number(adaptive_lookahead, "adaptive_lookahead", -1e6, 1e6)
        return self._start(
            v,
            lambda runner: tasks.move_to_position(runner, goal, speed_mps, timeout_s, heading),
        )

    def _rotate_to_yaw(self, yaw: Any, timeout_sec: Any, margin: Any, v: Any) -> Future[bool]:
        yaw_rad = math.radians(read_number(yaw, "yaw", -MAX_YAW_DEG, MAX_YAW_DEG))
        timeout_s = _duration(timeout_sec, "timeout_sec")
        margin_rad = math.radians(read_number(margin, "margin", 0.0, 360.0))
        return self._start(
            v, lambda runner: tasks.rotate_to_yaw(runner, yaw_rad, timeout_s, margin_rad)
        )

    def _rotate_by_yaw_rate(self, yaw_rate: Any, duration: Any, v: Any) -> Future[bool]:
        rate_radps = math.radians(read_number(yaw_rate, "yaw_rate", -MAX_YAW_DEG, MAX_YAW_DEG))
        duration_s = _duration(duration)
        return self._start(
            v, lambda runner: tasks.rotate_by_yaw_rate(runner, rate_radps, duration_s)
        )

    def _cancel_last_task(self, v: Any) -> Future[None]:
        self.check_vehicle(v)
        return self.call(lambda simulation: simulation.tasks.cancel())

    def _start(self, vehicle: Any, task: Callable[[TaskRunner], Manoeuvre]) -> Future[bool]:
        self.check_vehicle(vehicle)

        def job(simulation: Simulation) -> Future[bool]:
            try:
                return simulation.tasks.start(task(simulation.tasks))
            except tasks.TaskError as error:
                raise HandlerError(str(error)) from None

        return self.call(job)


def _heading(drivetrain: Any, yaw_mode: Any) -> Heading:
    forward_only = read_int(drivetrain, "drivetrain", 0, 1) == FORWARD_ONLY
    fields = read_struct(yaw_mode)
    angle_deg = fields.get("yaw_or_rate", 0.0)
    angle = math.radians(read_number(angle_deg, "yaw_or_rate", -MAX_YAW_DEG, MAX_YAW_DEG))
    if read_bool(fields.get("is_rate", True)):
        return Heading(rate_radps=angle)
    return Heading(None, angle, forward_only)


def _velocity(vx: Any, vy: Any, vz: Any) -> Vec3:
    return _speed(vx, "vx"), _speed(vy, "vy"), _speed(vz, "vz")


def _speed(value: Any, name: str) -> float:
    return read_number(value, name, -MAX_SPEED_MPS, MAX_SPEED_MPS)


def _z(value: Any) -> float:
    return read_number(value, "z", -MAX_POSITION_M, MAX_POSITION_M)


def _duration(value: Any, name: str = "duration") -> float:
    return read_number(value, name, -MAX_DURATION_S, MAX_DURATION_S)
