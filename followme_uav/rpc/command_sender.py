"""Sends motion commands and camera poses without waiting until they are carried out."""

from __future__ import annotations

import math
import time
from concurrent.futures import Future
from typing import Any

from followme_uav.errors import SimulatorError
from followme_uav.messages import Command, Manoeuvre, VehicleState
from followme_uav.rpc import convert
from followme_uav.rpc.connection import SimulatorConnection
from followme_uav.rpc.simulation_time import SimulationTime

MAX_DEGREE_OF_FREEDOM = 0
"""AirSim's DrivetrainType: yaw is independent of the direction of travel."""
TAKEOFF_TIMEOUT_S, LAND_TIMEOUT_S = 20.0, 60.0
"""The defaults of AirSim's own client."""
MIN_COMMAND_SPACING_S = 0.02
"""AirSim can lose the cancellation of a motion call when the next one follows sooner."""
MAX_UNANSWERED_COMMANDS = 64


class CommandSender:
    """Sends the commands of one vehicle.

    Args:
        connection: To the simulator.
        simulation_time: Tells whether time stands still: commands need no spacing then.
    """

    def __init__(self, connection: SimulatorConnection, simulation_time: SimulationTime) -> None:
        self._connection, self._time = connection, simulation_time
        self._last_manoeuvre: Manoeuvre | None = None
        self._last_motion_s = -math.inf
        self._unanswered: list[Future[Any]] = []
        self._landing: Future[Any] | None = None
        self._camera_pose: dict[str, Any] | None = None

    def forget(self) -> None:
        """Forget what was sent: the next command is sent in full."""
        self._last_manoeuvre = None
        self._last_motion_s = -math.inf
        self._unanswered = []
        self._camera_pose = None

    def forget_camera_pose(self) -> None:
        """Send the camera's pose with the next command, changed or not."""
        self._camera_pose = None

    def restore_fov(self) -> None:
        """Set the camera's field of view to that of the profile."""
        self._send("simSetCameraFov", *self._connection.fov_params())

    def send(self, command: Command, vehicle: VehicleState | None) -> None:
        """Send a command; see `AirSimClient.send`.

        Args:
            command: To be sent.
            vehicle: The last known state: the reference of camera poses in the world frame.
        """
        convert.refuse_not_finite(command)
        self._raise_refusals()
        self._point_camera(command, vehicle)
        name = self._connection.profile.vehicle_name
        is_repeated = command.manoeuvre is self._last_manoeuvre
        self._last_manoeuvre = command.manoeuvre
        match command.manoeuvre:
            case Manoeuvre.VELOCITY:
                yaw_mode = {"is_rate": True, "yaw_or_rate": math.degrees(command.yaw_rate_radps)}
                self._move(
                    "moveByVelocity",
                    *(float(part) for part in command.velocity_mps),
                    self._connection.rpc.command_duration_s,
                    MAX_DEGREE_OF_FREEDOM,
                    self._connection.dialect.write(yaw_mode),
                    name,
                )
            case Manoeuvre.TAKEOFF if not is_repeated:
                self._move("takeoff", TAKEOFF_TIMEOUT_S, name)
            case Manoeuvre.HOVER if not is_repeated:
                self._move("hover", name)
            case Manoeuvre.LAND if not is_repeated or self._has_landing_ended():
                self._landing = self._move("land", LAND_TIMEOUT_S, name)

    def _has_landing_ended(self) -> bool:
        """Whether `land` is over: AirSim's ends in the air if the vehicle still climbs then."""
        return self._landing is not None and self._landing.done()

    def _raise_refusals(self) -> None:
        """Raise the error of an earlier command."""
        answered = [future for future in self._unanswered if future.done()]
        self._unanswered = [future for future in self._unanswered if future not in answered]
        for future in answered:
            future.result()
        if len(self._unanswered) > MAX_UNANSWERED_COMMANDS:
            raise SimulatorError(
                f"{self._connection.address} has not answered the last "
                f"{MAX_UNANSWERED_COMMANDS} commands; is the simulator paused or hung?"
            )

    def _point_camera(self, command: Command, vehicle: VehicleState | None) -> None:
        profile, dialect = self._connection.profile, self._connection.dialect
        pose = convert.camera_target(
            command.camera_pan_rad, command.camera_tilt_rad, profile, vehicle
        )
        if pose is None or pose == self._camera_pose:
            return
        self._camera_pose = pose
        params = dialect.camera_params(
            profile.camera_name, dialect.write(pose), profile.vehicle_name
        )
        self._send("simSetCameraPose", *params)

    def _move(self, method: str, *params: Any) -> Future[Any]:
        if not self._time.is_paused:
            wait_s = self._last_motion_s + MIN_COMMAND_SPACING_S - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
        future = self._send(method, *params)
        self._last_motion_s = time.monotonic()
        return future

    def _send(self, method: str, *params: Any) -> Future[Any]:
        future = self._connection.command_async(method, *params)
        self._unanswered.append(future)
        return future
