"""API control of the vehicle: taking it, detecting its loss, giving it back."""

from __future__ import annotations

import logging
import time

from followme_uav.errors import SimulatorError
from followme_uav.rpc.command_sender import CommandSender
from followme_uav.rpc.connection import SimulatorConnection
from followme_uav.rpc.frame_reader import FrameReading
from followme_uav.rpc.ground_contact import GroundContact
from followme_uav.rpc.poll import Poll

logger = logging.getLogger(__name__)

FOV_TOLERANCE_DEG = 0.01
"""More than the error of a field of view in single precision."""


class VehicleControl:
    """Whether this client controls the vehicle.

    Args:
        connection: To the simulator.
        commands: Sends camera settings again that another client has changed.
    """

    def __init__(self, connection: SimulatorConnection, commands: CommandSender) -> None:
        self._connection, self._commands = connection, commands
        self._has_control = False
        self._ground = GroundContact()
        name, camera = connection.profile.vehicle_name, connection.profile.camera_name
        self._control_poll = Poll(lambda: connection.query_async("isApiControlEnabled", name))
        self._camera_poll = Poll(
            lambda: connection.query_async(
                "simGetCameraInfo", *connection.dialect.camera_params(camera, name)
            )
        )

    def take(self) -> None:
        """Enable control through the API and arm the motors; raises where this is refused."""
        connection = self._connection
        name = connection.profile.vehicle_name
        connection.command("enableApiControl", True, name)
        armed = connection.command("armDisarm", True, name)
        if not armed or not connection.command("isApiControlEnabled", name):
            raise SimulatorError(
                f"{connection.address} did not give control of vehicle '{name}'; "
                "is another client or a remote control in charge?"
            )
        logger.info("Control of vehicle '%s' is taken, its motors are armed.", name)
        self._has_control = True
        self._control_poll.restart()
        self._camera_poll.restart()
        self._commands.forget()

    def release(self, timeout_s: float) -> bool:
        """Disarm the vehicle and give API control back, if it certainly stands on the ground.

        Returns:
            Whether that was done.
        """
        if not (self._has_control and self._ground.is_certain):
            if self._has_control:
                logger.info("The vehicle stays armed: it does not certainly stand on the ground.")
            return False
        self._has_control = False
        name, deadline_s = self._connection.profile.vehicle_name, time.monotonic() + timeout_s
        for method in ("armDisarm", "enableApiControl"):
            left_s = max(deadline_s - time.monotonic(), 0.0)
            self._connection.command(method, False, name, deadline_s=left_s)
        return True

    def forgo(self) -> None:
        """Another client has the vehicle: do not release it."""
        self._has_control = False

    def restart(self) -> None:
        """Begin anew after a reset, without control."""
        self._has_control = False
        self._ground = GroundContact()

    def update(self, reading: FrameReading) -> str:
        """Take the next frame; return why control may be lost, or an empty string.

        Camera settings that another client has changed are restored.
        """
        self._ground.update(reading.frame.vehicle, reading.landed_state)
        if not self._has_control:
            return ""
        self._check_camera(reading.stamp_ns)
        is_taken = self._control_poll.reply(reading.stamp_ns) is False
        return "another client took API control away" if is_taken else ""

    def _check_camera(self, now_ns: int) -> None:
        info = self._camera_poll.reply(now_ns)
        if info is None:
            return
        with self._connection.parsing("simGetCameraInfo"):
            fov_deg = float(self._connection.dialect.read("CameraInfo", info)["fov"])
        self._commands.forget_camera_pose()
        if abs(fov_deg - self._connection.profile.camera_fov_deg) > FOV_TOLERANCE_DEG:
            logger.info(
                "Another client has set the camera's field of view to %.1f degrees; it is set "
                "back to %.1f.",
                *(fov_deg, self._connection.profile.camera_fov_deg),
            )
            self._commands.restore_fov()
