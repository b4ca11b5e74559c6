"""The AirSim client: converts between AirSim's RPC and the program's messages.

AirSim uses NED floats, degrees, BGR or RGB rows from either end, and two kinds of time stamps; the
program uses `Frame`, `Command` and `GroundTruth`. Differences between simulators stand in the
`SimulatorProfile`, or are detected.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from followme_uav.config import (
    CameraConfig,
    DepthConfig,
    FlightConfig,
    RpcConfig,
    SimulatorProfile,
)
from followme_uav.messages import Command, Frame, GroundTruth, RgbImage, Solid, VehicleState
from followme_uav.rpc import convert
from followme_uav.rpc.command_sender import CommandSender
from followme_uav.rpc.connection import SimulatorConnection
from followme_uav.rpc.depth import nearest_points
from followme_uav.rpc.frame_reader import DEPTH_VIS, SCENE, FrameReader
from followme_uav.rpc.range_scan import range_scan
from followme_uav.rpc.session import UnknownMethodError
from followme_uav.rpc.simulation_time import SimulationTime
from followme_uav.rpc.vehicle_control import VehicleControl

logger = logging.getLogger(__name__)

SOLIDS_METHOD = "simFollowMeSolids"
TIMINGS_METHOD = "simFollowMeTimings"


@contextmanager
def connect(config: FlightConfig) -> Iterator[AirSimClient]:
    """Connect to the simulator of a configuration; disconnect at the end of the block.

    The vehicle is not commanded yet: `AirSimClient.take_control` does that.

    Args:
        config: Address and conventions of the simulator (`simulator.host`, `simulator.port`, or a
            profile), image size, deadlines.

    Raises:
        SimulatorError: The simulator is missing, or lacks a vehicle or method that is needed.

    Example:
        >>> from followme_uav import Command, Manoeuvre, connect, embedded_simulator, load_config
        >>> with embedded_simulator(load_config(), seed=8) as config, connect(config) as client:
        ...     client.take_control()
        ...     client.send(Command(Manoeuvre.TAKEOFF))
        ...     client.advance(2.0)
        ...     client.read_frame().vehicle.position_m[2] < -0.5  # NED: up is negative
        True
    """
    client = AirSimClient(config.simulator, config.rpc, config.camera, config.depth)
    try:
        client.connect()
        yield client
    finally:
        client.close()


class AirSimClient:
    """One vehicle of one simulator, as a flight uses it. Not thread-safe. Made by `connect`.

    Every method raises a `SimulatorError` (or its subclasses `RpcTimeoutError`,
    `RpcConnectionError`, `RemoteError`) of one line when the simulator is gone, does not answer,
    refuses, or answers with malformed data.

    Args:
        profile: The simulator: address, names, conventions.
        rpc: Backend and deadlines.
        camera: The image size that the simulator must deliver.
        depth: How to reduce a depth image to obstacle points; None requests no depth image, and
            neither does a profile without metric depth.

    Example:
        >>> from followme_uav import AirSimClient, load_config
        >>> config = load_config(overrides=["simulator.port=41452"])
        >>> client = AirSimClient(config.simulator, config.rpc, config.camera)
        >>> client.close()  # without effect: nothing is connected
    """

    def __init__(
        self,
        profile: SimulatorProfile,
        rpc: RpcConfig,
        camera: CameraConfig,
        depth: DepthConfig | None = None,
    ) -> None:
        self._connection = SimulatorConnection(profile, rpc)
        self._depth = depth if profile.metric_depth else None
        self._has_map = profile.has_map
        if depth is not None and self._depth is None:
            logger.info(
                "Profile %s has no metric depth image: the vehicle avoids no obstacles.",
                profile.name,
            )
        self._image_types = (SCENE,) if self._depth is None else (SCENE, DEPTH_VIS)
        self._frames = FrameReader(self._connection, camera)
        self._time = SimulationTime(self._connection)
        self._commands = CommandSender(self._connection, self._time)
        self._control = VehicleControl(self._connection, self._commands)
        self._vehicle: VehicleState | None = None

    def connect(self) -> None:
        """Connect, detect the dialect, check the vehicle, set the camera's field of view."""
        self.close()
        self._connection.open()
        self._connection.command("simSetCameraFov", *self._connection.fov_params())

    def close(self) -> None:
        """Disconnect; without effect when not connected. The vehicle keeps its last command."""
        self._connection.close()
        self._time.forget_advance()
        self._control.forgo()
        self._commands.forget()

    def reconnect(self) -> None:
        """Disconnect and connect again; frame numbers and time continue."""
        self.connect()

    def reset(self) -> None:
        """Reset the simulation. Time starts at 0; control must be taken again."""
        self._connection.command("reset")
        self._commands.forget()
        self._frames.restart()
        self._control.restart()
        self._vehicle = None

    def take_control(self) -> None:
        """Enable control through the API, arm the motors, and check both.

        From then on `Frame.control_loss` reports when another client takes control away.
        """
        self._control.take()

    def release_control(self, deadline_s: float) -> bool:
        """Disarm the vehicle and give API control back, if it certainly stands on the ground.

        Returns:
            Whether that was done. In the air it is not: a disarmed vehicle falls.
        """
        return self._control.release(deadline_s)

    def forgo_control(self) -> None:
        """Leave the vehicle to another client: `release_control` does nothing from now on."""
        self._control.forgo()

    def pause(self, paused: bool, deadline_s: float | None = None) -> None:
        """Stop or release the simulation's clock; without a deadline `rpc.deadline_s` applies."""
        self._time.pause(paused, deadline_s)

    def advance(self, duration_s: float, while_held: Callable[[], None] = lambda: None) -> None:
        """Let a paused simulation run for `duration_s` and pause again; raises as `end_advance`."""
        self.begin_advance(duration_s)
        self.end_advance(while_held)

    def begin_advance(self, duration_s: float, *, prefetch: bool = False) -> None:
        """Let a paused simulation run for `duration_s`; `end_advance` waits for the end.

        With `prefetch` the embedded simulator renders the next frame right behind the advance, so
        that `read_frame` waits less.
        """
        self._connection.hold_commands()
        try:
            self._time.begin_advance(duration_s)
            if prefetch:
                self._frames.prefetch(self._image_types, duration_s)
        finally:
            self._connection.release_commands()

    def end_advance(self, while_held: Callable[[], None] = lambda: None) -> None:
        """Wait until the simulation is paused again.

        Args:
            while_held: Called now and then while a person holds the clock, which extends the
                deadline; may raise to cancel the wait.

        Raises:
            SimulatorError: The simulation still runs `rpc.deadline_s` after its end was due.
        """
        self._time.end_advance(while_held)

    def is_held(self) -> bool:
        """Whether a person holds the clock at the embedded simulator's window."""
        return self._time.is_held()

    def read_frame(self) -> Frame:
        """Read the newest image with the camera's pose, and the vehicle's state.

        Returns:
            The frame; its `rgb` is None when the simulator has no image.

        Raises:
            SimulatorError: The image has another size than configured, or is not raw RGB.
        """
        frame, further_images = self._read(self._image_types)
        shades = further_images[0] if further_images else None
        if shades is None or self._depth is None:
            return frame
        points_m = nearest_points(
            shades[:, :, 0], frame.camera, frame.vehicle.position_m, self._depth
        )
        if self._has_map:
            return replace(frame, obstacles_m=points_m)
        scan = range_scan(shades[:, :, 0], frame.camera, frame.vehicle.position_m, self._depth)
        return replace(frame, obstacles_m=points_m, scan=scan)

    def ground_truth(self) -> GroundTruth | None:
        """Return the ground truth at the last image.

        None where the simulator offers none, or has rendered no image since a reset.
        """
        return self._frames.ground_truth()

    def solids(self) -> tuple[Solid, ...]:
        """Return the solids of the city, for maps; empty where the simulator offers none."""
        try:
            reply = self._connection.query(SOLIDS_METHOD)
        except UnknownMethodError:
            logger.info("The simulator offers no map of the city's solids.")
            return ()
        with self._connection.parsing(SOLIDS_METHOD):
            read = self._connection.dialect.read
            return tuple(convert.solid(read("FollowMeSolid", one)) for one in reply)

    def simulator_seconds(self) -> dict[str, float]:
        """Return the wall-clock seconds of each part of the embedded simulator since its start."""
        reply = self._connection.query(TIMINGS_METHOD)
        with self._connection.parsing(TIMINGS_METHOD):
            return {str(part): float(seconds) for part, seconds in reply.items()}

    def send(self, command: Command) -> None:
        """Send a command without waiting until it is carried out.

        A velocity is sent each time, with a short duration: if this process dies, the vehicle
        stops. The other manoeuvres are sent once, when they begin. While this client has paused the
        embedded simulator, the bytes leave together with those of the next method called.

        Raises:
            SimulatorError: The command holds NaN or infinity, and nothing was sent; or an earlier
                command was refused meanwhile.
        """
        if self._time.is_paused and self._connection.profile.continue_blocks:
            # In lockstep it acts in the next advance, and goes out with that in one write.
            self._connection.hold_commands()
        self._commands.send(command, self._vehicle)

    def _read(self, image_types: tuple[int, ...]) -> tuple[Frame, tuple[RgbImage | None, ...]]:
        """Read one frame, and the pixels of the images after the first."""
        reading = self._frames.read(image_types)
        self._vehicle = reading.frame.vehicle
        loss = self._control.update(reading)
        frame = replace(reading.frame, control_loss=loss) if loss else reading.frame
        return frame, reading.further_images
