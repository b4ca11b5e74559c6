"""RPC methods that fly to a position or along a path; each answers when its task ends."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from followme_uav.messages import Vec3
from followme_uav.rpc.server import BadCastError, HandlerError
from followme_uav.sim.airsim_api.motion_parameters import (
    PathFlight,
    read_path_flight,
    read_z,
)
from followme_uav.sim.airsim_api.service import Handlers
from followme_uav.sim.airsim_api.structs import read_number, read_place, read_vector
from followme_uav.sim.airsim_api.task_service import TaskService
from followme_uav.sim.vehicle.earth import MAX_POSITION_M
from followme_uav.sim.vehicle.tasks import Manoeuvre, TaskRunner

MAX_PATH_POINTS = 10_000


class PathMethods(TaskService):
    """moveToPosition, moveToGPS, moveToZ and moveOnPath."""

    def handlers(self) -> Handlers:
        """Method name to function."""
        methods: Handlers = {
            "moveToPosition": self._move_to_position,
            "moveToGPS": self._move_to_gps,
            "moveToZ": self._move_to_z,
            "moveOnPath": self._move_on_path,
        }
        return self.vehicle_first(methods)

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
        flight = read_path_flight(
            velocity, timeout_sec, drivetrain, yaw_mode, lookahead, adaptive_lookahead
        )
        return self._follow([goal], flight, v)

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
        flight = read_path_flight(
            velocity, timeout_sec, drivetrain, yaw_mode, lookahead, adaptive_lookahead
        )
        return self._follow([goal], flight, v)

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
        flight = read_path_flight(
            velocity, timeout_sec, drivetrain, yaw_mode, lookahead, adaptive_lookahead
        )
        return self._follow(points, flight, v)

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
        z_m = read_z(z)
        flight = read_path_flight(velocity, timeout_sec, 0, yaw_mode, lookahead, adaptive_lookahead)

        def task(runner: TaskRunner) -> Manoeuvre:
            return self.manoeuvres.move_to_z(
                runner, z_m, flight.speed_mps, flight.timeout_s, flight.heading, flight.lookahead
            )

        return self.start(v, task)

    def _follow(self, points_m: list[Vec3], flight: PathFlight, v: Any) -> Future[bool]:
        def task(runner: TaskRunner) -> Manoeuvre:
            return self.manoeuvres.move_on_path(
                runner,
                points_m,
                flight.speed_mps,
                flight.timeout_s,
                flight.heading,
                flight.lookahead,
            )

        return self.start(v, task)
