"""RPC methods that fly by velocity or yaw, take off and land; each answers when its task ends.

Flights to a position are in `path_methods`; set points of attitude, body rates and rotors are in
`attitude_methods`.
"""

from __future__ import annotations

import math
from concurrent.futures import Future
from typing import Any

from followme_uav.sim.airsim_api.motion_parameters import (
    read_duration,
    read_heading,
    read_speed,
    read_velocity,
    read_yaw,
    read_z,
)
from followme_uav.sim.airsim_api.service import Handlers
from followme_uav.sim.airsim_api.structs import read_number
from followme_uav.sim.airsim_api.task_service import TaskService
from followme_uav.sim.vehicle import manoeuvres
from followme_uav.sim.vehicle.tasks import Manoeuvre, TaskRunner


class MotionMethods(TaskService):
    """takeoff, land, goHome, hover, moveByVelocity..., rotate... and cancelLastTask."""

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
            "rotateToYaw": self._rotate_to_yaw,
            "rotateByYawRate": self._rotate_by_yaw_rate,
            "cancelLastTask": self._cancel_last_task,
        }
        return self.vehicle_first(methods)

    def _takeoff(self, timeout_sec: Any, v: Any) -> Future[bool]:
        timeout_s = read_duration(timeout_sec, "timeout_sec")
        return self.start(v, lambda runner: self.manoeuvres.takeoff(runner, timeout_s))

    def _land(self, timeout_sec: Any, v: Any) -> Future[bool]:
        timeout_s = read_duration(timeout_sec, "timeout_sec")
        return self.start(v, lambda runner: self.manoeuvres.land(runner, timeout_s))

    def _go_home(self, timeout_sec: Any, v: Any) -> Future[bool]:
        timeout_s = read_duration(timeout_sec, "timeout_sec")
        return self.start(v, lambda runner: self.manoeuvres.go_home(runner, timeout_s))

    def _hover(self, v: Any) -> Future[bool]:
        return self.start(v, self.manoeuvres.hover)

    def _move_by_velocity(
        self, vx: Any, vy: Any, vz: Any, duration: Any, drivetrain: Any, yaw_mode: Any, v: Any
    ) -> Future[bool]:
        velocity, duration_s = read_velocity(vx, vy, vz), read_duration(duration)
        heading = read_heading(drivetrain, yaw_mode)
        return self.start(
            v,
            lambda runner: self.manoeuvres.move_by_velocity(runner, velocity, duration_s, heading),
        )

    def _move_by_velocity_z(
        self, vx: Any, vy: Any, z: Any, duration: Any, drivetrain: Any, yaw_mode: Any, v: Any
    ) -> Future[bool]:
        velocity, z_m = (read_speed(vx, "vx"), read_speed(vy, "vy")), read_z(z)
        duration_s, heading = read_duration(duration), read_heading(drivetrain, yaw_mode)

        def task(runner: TaskRunner) -> Manoeuvre:
            return self.manoeuvres.move_by_velocity_z(runner, velocity, z_m, duration_s, heading)

        return self.start(v, task)

    def _move_by_velocity_body(
        self, vx: Any, vy: Any, vz: Any, duration: Any, drivetrain: Any, yaw_mode: Any, v: Any
    ) -> Future[bool]:
        (forward, right, down), duration_s = read_velocity(vx, vy, vz), read_duration(duration)
        heading = read_heading(drivetrain, yaw_mode)

        def task(runner: TaskRunner) -> Manoeuvre:
            velocity = (*manoeuvres.from_body(runner, forward, right), down)
            return self.manoeuvres.move_by_velocity(runner, velocity, duration_s, heading)

        return self.start(v, task)

    def _move_by_velocity_z_body(
        self, vx: Any, vy: Any, z: Any, duration: Any, drivetrain: Any, yaw_mode: Any, v: Any
    ) -> Future[bool]:
        forward, right, z_m = read_speed(vx, "vx"), read_speed(vy, "vy"), read_z(z)
        duration_s, heading = read_duration(duration), read_heading(drivetrain, yaw_mode)

        def task(runner: TaskRunner) -> Manoeuvre:
            velocity = manoeuvres.from_body(runner, forward, right)
            return self.manoeuvres.move_by_velocity_z(runner, velocity, z_m, duration_s, heading)

        return self.start(v, task)

    def _rotate_to_yaw(self, yaw: Any, timeout_sec: Any, margin: Any, v: Any) -> Future[bool]:
        yaw_rad = read_yaw(yaw, "yaw")
        timeout_s = read_duration(timeout_sec, "timeout_sec")
        margin_rad = math.radians(read_number(margin, "margin", 0.0, 360.0))
        return self.start(
            v, lambda runner: self.manoeuvres.rotate_to_yaw(runner, yaw_rad, timeout_s, margin_rad)
        )

    def _rotate_by_yaw_rate(self, yaw_rate: Any, duration: Any, v: Any) -> Future[bool]:
        rate_radps, duration_s = read_yaw(yaw_rate, "yaw_rate"), read_duration(duration)
        return self.start(
            v, lambda runner: self.manoeuvres.rotate_by_yaw_rate(runner, rate_radps, duration_s)
        )

    def _cancel_last_task(self, v: Any) -> Future[None]:
        self.check_vehicle(v)
        return self.call(lambda simulation: simulation.tasks.cancel())
