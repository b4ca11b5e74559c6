"""RPC methods that fly the vehicle somewhere. Each answers when its task ends.

Those that set its attitude, its rates or its rotors are in `attitude_methods`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from followme_uav.messages import Vec3
from followme_uav.rpc.server import BadCastError, HandlerError
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import (
    read_bool,
    read_int,
    read_number,
    read_place,
    read_struct,
    read_vector,
)
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.vehicle import manoeuvres, paths, tasks
from followme_uav.sim.vehicle.earth import MAX_POSITION_M
from followme_uav.sim.vehicle.paths import Lookahead
from followme_uav.sim.vehicle.tasks import Heading, Manoeuvre, TaskRunner

MAX_SPEED_MPS = 100.0
MAX_YAW_DEG = 36_000.0
MAX_DURATION_S = 3.5e38
"""AirSim's clients say "no time limit" with the largest float32."""
MAX_PATH_POINTS = 10_000

FORWARD_ONLY = 1


class TaskService(Service):
    """Methods that start a task."""

    def vehicle_first(self, handlers: Handlers) -> Handlers:
        """The same methods; an unknown vehicle is refused before anything else, as on AirSim.

        Args:
            handlers: with the vehicle's name as their last parameter.
        """

        def checked(handler: Callable[..., Any]) -> Callable[..., Any]:
            @functools.wraps(handler)  # keeps the number of parameters visible to the server
            def method(*params: Any) -> Any:
                self.check_vehicle(params[-1])
                return handler(*params)

            return method

        return {name: checked(handler) for name, handler in handlers.items()}

    def start(self, vehicle: Any, task: Callable[[TaskRunner], Manoeuvre]) -> Future[bool]:
        """Supersede the running task; completes when the new one ends."""
        self.check_vehicle(vehicle)

        def job(simulation: Simulation) -> Future[bool]:
            try:
                return simulation.tasks.start(task(simulation.tasks))
            except tasks.TaskError as error:
                raise HandlerError(str(error)) from None

        return self.call(job)


class MotionMethods(TaskService):
    """takeoff, land, hover, goHome, move... by velocity or along paths, rotate..."""

    def handlers(self) -> Handlers:
        """Method name to function."""
        methods: Handlers = {
            "takeoff": self._takeoff,
            "land": self._land,
            "goHome": self._go_home,
            "hover": self._hover,
            "moveByVelocity": self._move_by_velocity,
            "moveByVelocityZ": self._move_by_velocity_z,
            "moveByVelocityBodyFrame": self._move_by_velocity_body,
            "moveByVelocityZBodyFrame": self._move_by_velocity_z_body,
            "moveToPosition": self._move_to_position,
            "moveToGPS": self._move_to_gps,
            "moveToZ": self._move_to_z,
            "moveOnPath": self._move_on_path,
            "rotateToYaw": self._rotate_to_yaw,
            "rotateByYawRate": self._rotate_by_yaw_rate,
            "cancelLastTask": self._cancel_last_task,
        }
        return self.vehicle_first(methods)

    def _takeoff(self, timeout_sec: Any, v: Any) -> Future[bool]:
        timeout_s = read_duration(timeout_sec, "timeout_sec")
        return self.start(v, lambda runner: paths.takeoff(runner, timeout_s))

    def _land(self, timeout_sec: Any, v: Any) -> Future[bool]:
        timeout_s = read_duration(timeout_sec, "timeout_sec")
        return self.start(v, lambda runner: manoeuvres.land(runner, timeout_s))

    def _go_home(self, timeout_sec: Any, v: Any) -> Future[bool]:
        timeout_s = read_duration(timeout_sec, "timeout_sec")
        return self.start(v, lambda runner: paths.go_home(runner, timeout_s))

    def _hover(self, v: Any) -> Future[bool]:
        return self.start(v, manoeuvres.hover)

    def _move_by_velocity(
        self, vx: Any, vy: Any, vz: Any, duration: Any, drivetrain: Any, yaw_mode: Any, v: Any
    ) -> Future[bool]:
        velocity, duration_s = _velocity(vx, vy, vz), read_duration(duration)
        heading = read_heading(drivetrain, yaw_mode)
        return self.start(
            v, lambda runner: manoeuvres.move_by_velocity(runner, velocity, duration_s, heading)
        )

    def _move_by_velocity_z(
        self, vx: Any, vy: Any, z: Any, duration: Any, drivetrain: Any, yaw_mode: Any, v: Any
    ) -> Future[bool]:
        velocity, z_m = (_speed(vx, "vx"), _speed(vy, "vy")), read_z(z)
        duration_s, heading = read_duration(duration), read_heading(drivetrain, yaw_mode)

        def task(runner: TaskRunner) -> Manoeuvre:
            return manoeuvres.move_by_velocity_z(runner, velocity, z_m, duration_s, heading)

        return self.start(v, task)

    def _move_by_velocity_body(
        self, vx: Any, vy: Any, vz: Any, duration: Any, drivetrain: Any, yaw_mode: Any, v: Any
    ) -> Future[bool]:
        (forward, right, down), duration_s = _velocity(vx, vy, vz), read_duration(duration)
        heading = read_heading(drivetrain, yaw_mode)

        def task(runner: TaskRunner) -> Manoeuvre:
            velocity = (*manoeuvres.from_body(runner, forward, right), down)
            return manoeuvres.move_by_velocity(runner, velocity, duration_s, heading)

        return self.start(v, task)

    def _move_by_velocity_z_body(
        self, vx: Any, vy: Any, z: Any, duration: Any, drivetrain: Any, yaw_mode: Any, v: Any
    ) -> Future[bool]:
        forward, right, z_m = _speed(vx, "vx"), _speed(vy, "vy"), read_z(z)
        duration_s, heading = read_duration(duration), read_heading(drivetrain, yaw_mode)

        def task(runner: TaskRunner) -> Manoeuvre:
            velocity = manoeuvres.from_body(runner, forward, right)
            return manoeuvres.move_by_velocity_z(runner, velocity, z_m, duration_s, heading)

        return self.start(v, task)

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
        goal = read_number(x, "x", -limit, limit), read_number(y, "y", -limit, limit), read_z(z)
        return self._follow(
            [goal], velocity, timeout_sec, drivetrain, yaw_mode, lookahead, adaptive_lookahead, v
        )

    def _move_to_gps(
        self,
        latitude: Any,
        longitude: Any,
        altitude: Any,
        velocity: Any,
        timeout_sec: Any,
        drivetrain: Any,
        yaw_mode: Any,
        lookahead: Any,
        adaptive_lookahead: Any,
        v: Any,
    ) -> Future[bool]:
        goal = read_place(latitude, longitude, altitude, home=self.equipment.home)
        return self._follow(
            [goal], velocity, timeout_sec, drivetrain, yaw_mode, lookahead, adaptive_lookahead, v
        )

    def _move_on_path(
        self,
        path: Any,
        velocity: Any,
        timeout_sec: Any,
        drivetrain: Any,
        yaw_mode: Any,
        lookahead: Any,
        adaptive_lookahead: Any,
        v: Any,
    ) -> Future[bool]:
        if not isinstance(path, list | tuple):
            raise BadCastError("path must be a list of points")
        if len(path) > MAX_PATH_POINTS:
            raise HandlerError(f"path has {len(path)} points, at most {MAX_PATH_POINTS} are taken")
        points = [read_vector(p, f"path[{i}]", MAX_POSITION_M) for i, p in enumerate(path)]
        return self._follow(
            points, velocity, timeout_sec, drivetrain, yaw_mode, lookahead, adaptive_lookahead, v
        )

    def _move_to_z(
        self,
        z: Any,
        velocity: Any,
        timeout_sec: Any,
        yaw_mode: Any,
        lookahead: Any,
        adaptive_lookahead: Any,
        v: Any,
    ) -> Future[bool]:
        z_m, timeout_s = read_z(z), read_duration(timeout_sec, "timeout_sec")
        speed_mps, ahead = _path_speed(velocity, lookahead, adaptive_lookahead)
        heading = read_heading(0, yaw_mode)
        return self.start(
            v,
            lambda runner: paths.move_to_z(runner, z_m, speed_mps, timeout_s, heading, ahead),
        )

    def _follow(
        self,
        points_m: list[Vec3],
        velocity: Any,
        timeout_sec: Any,
        drivetrain: Any,
        yaw_mode: Any,
        lookahead: Any,
        adaptive_lookahead: Any,
        v: Any,
    ) -> Future[bool]:
        timeout_s = read_duration(timeout_sec, "timeout_sec")
        speed_mps, ahead = _path_speed(velocity, lookahead, adaptive_lookahead)
        heading = read_heading(drivetrain, yaw_mode)
        if drivetrain == FORWARD_ONLY and heading.rate_radps is not None:
            raise HandlerError("drivetrain ForwardOnly needs yaw_mode.is_rate = false")

        def task(runner: TaskRunner) -> Manoeuvre:
            return paths.move_on_path(runner, points_m, speed_mps, timeout_s, heading, ahead)

        return self.start(v, task)

    def _rotate_to_yaw(self, yaw: Any, timeout_sec: Any, margin: Any, v: Any) -> Future[bool]:
        yaw_rad = math.radians(read_number(yaw, "yaw", -MAX_YAW_DEG, MAX_YAW_DEG))
        timeout_s = read_duration(timeout_sec, "timeout_sec")
        margin_rad = math.radians(read_number(margin, "margin", 0.0, 360.0))
        return self.start(
            v, lambda runner: manoeuvres.rotate_to_yaw(runner, yaw_rad, timeout_s, margin_rad)
        )

    def _rotate_by_yaw_rate(self, yaw_rate: Any, duration: Any, v: Any) -> Future[bool]:
        rate_radps = math.radians(read_number(yaw_rate, "yaw_rate", -MAX_YAW_DEG, MAX_YAW_DEG))
        duration_s = read_duration(duration)
        return self.start(
            v, lambda runner: manoeuvres.rotate_by_yaw_rate(runner, rate_radps, duration_s)
        )

    def _cancel_last_task(self, v: Any) -> Future[None]:
        self.check_vehicle(v)
        return self.call(lambda simulation: simulation.tasks.cancel())


def read_heading(drivetrain: Any, yaw_mode: Any) -> Heading:
    """DrivetrainType and YawMode."""
    forward_only = read_int(drivetrain, "drivetrain", 0, 1) == FORWARD_ONLY
    fields = read_struct(yaw_mode, "yaw_mode")
    angle_deg = fields.get("yaw_or_rate", 0.0)
    angle = math.radians(read_number(angle_deg, "yaw_mode.yaw_or_rate", -MAX_YAW_DEG, MAX_YAW_DEG))
    if read_bool(fields.get("is_rate", True), "yaw_mode.is_rate"):
        return Heading(rate_radps=angle)
    return Heading(None, angle, forward_only)


def read_z(value: Any) -> float:
    """An altitude, world NED."""
    return read_number(value, "z", -MAX_POSITION_M, MAX_POSITION_M)


def read_duration(value: Any, name: str = "duration") -> float:
    """Seconds, as many as a float32 can hold."""
    return read_number(value, name, 0.0, MAX_DURATION_S)


def _path_speed(velocity: Any, lookahead: Any, adaptive_lookahead: Any) -> tuple[float, Lookahead]:
    """Speed in m/s, and the lookahead for it; a negative one is chosen here."""
    speed_mps = read_number(velocity, "velocity", 0.0, MAX_SPEED_MPS)
    distance_m = read_number(lookahead, "lookahead", -1e6, 1e6)
    adaptive = read_number(adaptive_lookahead, "adaptive_lookahead", 0.0, 100.0)
    if distance_m < 0.0:
        return speed_mps, Lookahead(None, adaptive)
    least_m = paths.least_lookahead_m(speed_mps)
    if distance_m < least_m:
        raise HandlerError(
            f"lookahead is {distance_m:g} m, must be at least {least_m:g} m at {speed_mps:g} m/s, "
            "or negative to be chosen for you"
        )
    return speed_mps, Lookahead(distance_m, adaptive)


def _velocity(vx: Any, vy: Any, vz: Any) -> Vec3:
    return _speed(vx, "vx"), _speed(vy, "vy"), _speed(vz, "vz")


def _speed(value: Any, name: str) -> float:
    return read_number(value, name, -MAX_SPEED_MPS, MAX_SPEED_MPS)
