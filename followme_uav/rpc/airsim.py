"""The AirSim client: the one place where wire meets messages.

In front of it are NED floats, degrees, BGR or RGB rows from either end and two kinds of time
stamps; behind it are `Frame`, `Command` and `GroundTruth`. What a simulator does differently is
told by its `SimulatorProfile`, or asked where it can be.

Two connections: motion, camera and clock go on one, in order, so that a command sent before
`advance` acts before time passes; state and images go on the other, so that no blocking motion
call delays a frame. Not for use from several threads.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from followme_uav.config import CameraConfig, DepthConfig, RpcConfig, SimulatorProfile
from followme_uav.errors import RemoteError, RpcConnectionError, SimulatorError
from followme_uav.messages import (
    Command,
    Contact,
    Frame,
    GroundTruth,
    Manoeuvre,
    RgbImage,
    Solid,
    VehicleState,
)
from followme_uav.rpc import convert
from followme_uav.rpc.backends import open_session
from followme_uav.rpc.depth import nearest_things
from followme_uav.rpc.dialect import COSYS_VERSION, Dialect
from followme_uav.rpc.footing import Footing
from followme_uav.rpc.labels import LabelReader
from followme_uav.rpc.patience import Patience
from followme_uav.rpc.poll import Poll
from followme_uav.rpc.session import RpcSession, await_result, no_answer

SCENE, DEPTH_VIS, SEGMENTATION = 0, 3, 5
MAX_DEGREE_OF_FREEDOM = 0  # drivetrain: yaw independent of the direction of travel
TAKEOFF_TIMEOUT_S, LAND_TIMEOUT_S = 20.0, 60.0  # the defaults of AirSim's own client
MIN_COMMAND_SPACING_S = 0.02  # closer motion calls can lose a cancellation in AirSim
MAX_UNFINISHED_MOTIONS = 64
PAUSE_POLL_S = 0.001
WEATHER_RAIN, WEATHER_FOG = 0, 7  # of AirSim's WeatherParameter
GROUND_TRUTH_METHOD = "simFollowMeGroundTruth"
CONTINUE_METHOD = "simContinueForTime"
SOLIDS_METHOD = "simFollowMeSolids"
PLACE_METHOD = "simFollowMePlaceVehicle"
HELD_METHOD = "simFollowMeIsHeld"
ANSWER_POLL_S = 0.1
STAMP_ERROR_NS = 1_000_000  # more than stamps are rounded, less than a step of any simulation
FOV_ERROR_DEG = 0.01
"""More than a field of view changes on its way through the simulator's single precision."""
HERO_MESHES, PEOPLE_MESHES = "hero.*", "(person|people|pedestrian).*"


@dataclass(frozen=True)
class _Advance:
    """Time that the simulation was told to let pass."""

    duration_s: float
    answer: Future[Any]


@dataclass(frozen=True)
class _Asked:
    """Calls for one frame, under way."""

    image_types: tuple[int, ...]
    state: Future[Any]
    images: Future[Any]
    collision: Future[Any]
    truth: Future[Any] | None
    from_ns: int
    """Something of an earlier time is not wanted."""


class AirSimClient:
    """One vehicle of one simulator.

    Every method raises a `SimulatorError` (or its kin `RpcTimeoutError`, `RpcConnectionError`,
    `RemoteError`) of one line when the simulator is gone, silent, refuses or answers nonsense.

    Args:
        profile: The simulator: address, names, conventions.
        rpc: Backend and deadlines.
        camera: The image size that the simulator must deliver.
        depth: What to keep of a depth image with each frame; None asks for none, and so does a
            simulator without metric depth.
    """

    def __init__(
        self,
        profile: SimulatorProfile,
        rpc: RpcConfig,
        camera: CameraConfig,
        depth: DepthConfig | None = None,
    ) -> None:
        self._profile, self._rpc, self._camera = profile, rpc, camera
        self._depth = depth if profile.metric_depth else None
        self._frame_images = (SCENE,) if self._depth is None else (SCENE, DEPTH_VIS)
        self._address = f"{profile.host}:{profile.port}"
        self._dialect = Dialect("maps")
        self._commands: RpcSession | None = None
        self._senses: RpcSession | None = None
        self._clock = convert.Clock()
        self._next_index = 0
        self._stamp_ns = 0
        """Of the last state, as the simulator counts."""
        self._offers_truth = True
        self._truth_wanted = False
        """It was asked for, and told: it is now asked for with each frame."""
        self._truth_call: Future[Any] | None = None
        """Of the last frame, while nothing has happened since."""
        self._advance: _Advance | None = None
        """Under way."""
        self._asked: _Asked | None = None
        """The next frame, asked for behind that advance, while nothing has happened since."""
        self._can_be_held = True
        self._labels: LabelReader | None = None
        self._paused = False
        self._vehicle: VehicleState | None = None
        self._contacts, self._footing = convert.ContactMemory(), Footing()
        self._in_control = False
        name = profile.vehicle_name
        self._control = Poll(lambda: self._ask_async("isApiControlEnabled", name))
        self._lens = Poll(
            lambda: self._ask_async(
                "simGetCameraInfo", *self._dialect.camera_params(profile.camera_name, name)
            )
        )
        self._last_manoeuvre: Manoeuvre | None = None
        self._last_sent_s = -math.inf
        self._unfinished: list[Future[Any]] = []
        self._camera_pose: dict[str, Any] | None = None

    # -- connection ---------------------------------------------------------------------------

    def connect(self) -> None:
        """Connect, find out the dialect, check the vehicle, set the camera's field of view."""
        self.close()
        self._commands = self._open()
        self._senses = self._open()
        self._ask("ping")
        self._check_vehicle()
        self._dialect = self._detect_dialect()
        self._order_and_wait("simSetCameraFov", *self._fov_params())

    def close(self) -> None:
        """Hang up; harmless when not connected. The vehicle keeps its last command."""
        for session in (self._commands, self._senses):
            if session is not None:
                session.close()
        self._commands = self._senses = self._advance = None
        self._in_control = False
        self._outdate()
        self._forget_commands()

    def reconnect(self) -> None:
        """Hang up and connect anew; frame numbers and time go on."""
        self.connect()

    def reset(self) -> None:
        """Put the vehicle back to its start; control must be taken again. Time starts anew."""
        self._order_and_wait("reset")
        self._forget_commands()
        self._clock, self._next_index, self._vehicle = convert.Clock(), 0, None
        self._contacts, self._footing = convert.ContactMemory(), Footing()
        self._stamp_ns = 0
        self._in_control = False

    def take_control(self) -> None:
        """Enable control through the API and arm the motors, and make sure of it.

        From then on frames tell when another client takes it away (`Frame.control_loss`).
        """
        name = self._profile.vehicle_name
        self._order_and_wait("enableApiControl", True, name)
        armed = self._order_and_wait("armDisarm", True, name)
        if not armed or not self._order_and_wait("isApiControlEnabled", name):
            raise SimulatorError(
                f"{self._address} did not give control of vehicle '{name}'; "
                "is another client or a remote control in charge?"
            )
        self._in_control = True
        self._control.begin()
        self._lens.begin()
        self._forget_commands()

    def release_control(self, deadline_s: float) -> bool:
        """Disarm the vehicle and give API control back, if it surely stands on the ground.

        Returns:
            Whether that was done. In the air it is not: disarmed the vehicle would fall.
        """
        if not (self._in_control and self._footing.is_sure):
            return False
        self._in_control = False
        name, give_up_s = self._profile.vehicle_name, time.monotonic() + deadline_s
        for method in ("armDisarm", "enableApiControl"):
            left_s = max(give_up_s - time.monotonic(), 0.0)
            self._order_and_wait(method, False, name, deadline_s=left_s)
        return True

    def forgo_control(self) -> None:
        """Somebody else has the vehicle: do not release it for them."""
        self._in_control = False

    # -- time ---------------------------------------------------------------------------------

    def pause(self, paused: bool, deadline_s: float | None = None) -> None:
        """Stop or release the simulation's clock; without a deadline `rpc.deadline_s` holds."""
        self._order_and_wait("simPause", paused, deadline_s=deadline_s)
        self._paused = paused

    def advance(self, duration_s: float, while_held: Callable[[], None] = lambda: None) -> None:
        """Let a paused simulation run for `duration_s` and pause again; raises as `end_advance`."""
        self.begin_advance(duration_s)
        self.end_advance(while_held)

    def begin_advance(self, duration_s: float, *, prefetch: bool = False) -> None:
        """Let a paused simulation run for `duration_s`; `end_advance` waits until it has.

        With `prefetch` the embedded simulator, which serves a connection in order, draws the next
        frame right behind that, so that `read_frame` waits less.
        """
        commands = self._session(self._commands)
        self._outdate()
        self._advance = _Advance(duration_s, commands.call_async(CONTINUE_METHOD, duration_s))
        if prefetch and self._truth_wanted and self._profile.continue_blocks:
            from_ns = self._stamp_ns + round(duration_s * 1e9) - STAMP_ERROR_NS
            self._asked = self._ask_for_frame(commands, self._frame_images, from_ns)

    def end_advance(self, while_held: Callable[[], None] = lambda: None) -> None:
        """Wait until the simulation stands still again.

        Args:
            while_held: called now and then while a person holds the time, which no deadline
                ends; may raise to give up.

        Raises:
            SimulatorError: It was still running `rpc.deadline_s` later than it should.
        """
        advance, self._advance = self._advance, None
        if advance is None:
            return
        duration_s = advance.duration_s
        patience = Patience(duration_s + self._rpc.deadline_s, self.is_held, while_held)
        while not wait([advance.answer], ANSWER_POLL_S).done:
            if patience.is_spent():
                advance.answer.cancel()
                raise no_answer(CONTINUE_METHOD, self._address, patience.limit_s)
        advance.answer.result()
        self._paused = True
        if self._profile.continue_blocks:
            return
        while not self._ask("simIsPaused"):
            if patience.is_spent():
                raise SimulatorError(
                    f"{self._address} still runs {patience.limit_s:g} s after it was told to run "
                    f"for {duration_s:g} s; fly with --realtime or restart the simulator"
                )
            time.sleep(PAUSE_POLL_S)

    def is_held(self) -> bool:
        """Whether a person at the embedded simulator's window holds the time."""
        if not self._can_be_held:
            return False
        try:
            return bool(self._ask(HELD_METHOD))
        except RemoteError as error:
            if "could not find function" not in str(error):
                raise
            self._can_be_held = False
            return False

    # -- senses -------------------------------------------------------------------------------

    def read_frame(self) -> Frame:
        """The newest image with the camera's pose, and the vehicle's state.

        Returns:
            The frame; its `rgb` is None when the simulator has no image.

        Raises:
            SimulatorError: The image has another size than configured, or is not raw RGB.
        """
        frame, others = self._read(self._frame_images)
        shades = others[0] if others else None
        if shades is None or self._depth is None:
            return frame
        place_m = frame.vehicle.position_m
        things_m = nearest_things(shades[:, :, 0], frame.camera, place_m, self._depth)
        return replace(frame, obstacles_m=things_m)

    def ground_truth(self) -> GroundTruth | None:
        """What really was at the last image.

        None from a simulator that does not tell, or that has forgotten its last image.
        """
        if not self._offers_truth:
            return None
        call = self._truth_call or self._ask_truth(self._session(self._senses))
        self._truth_call = None
        try:
            reply = self._answer(call, GROUND_TRUTH_METHOD)
            self._truth_wanted = True
        except RemoteError as error:
            if "could not find function" not in str(error):
                raise
            self._offers_truth = False
            return None
        with self._understanding(GROUND_TRUTH_METHOD):
            truth = self._dialect.read("FollowMeGroundTruth", reply)
            return convert.ground_truth(truth, self._clock)

    def solids(self) -> tuple[Solid, ...]:
        """What stands in the city, for maps to look at; empty where the simulator does not tell."""
        try:
            reply = self._ask(SOLIDS_METHOD)
        except RemoteError as error:
            if "could not find function" not in str(error):
                raise
            return ()
        with self._understanding(SOLIDS_METHOD):
            return tuple(convert.solid(self._dialect.read("FollowMeSolid", one)) for one in reply)

    # -- commands -----------------------------------------------------------------------------

    def send(self, command: Command) -> None:
        """Send a command without waiting for it to be carried out.

        A velocity goes out each time, with a short duration: if this process dies, the vehicle
        stops by itself. The other manoeuvres go out once, when they begin.

        Raises:
            SimulatorError: The command holds NaN or infinity, and nothing was sent; or an earlier
                command was refused meanwhile.
        """
        convert.refuse_not_finite(command)
        self._raise_refusals()
        self._aim_camera(command.camera_pan_rad, command.camera_tilt_rad)
        name = self._profile.vehicle_name
        repeated = command.manoeuvre is self._last_manoeuvre
        self._last_manoeuvre = command.manoeuvre
        match command.manoeuvre:
            case Manoeuvre.VELOCITY:
                yaw_mode = {
                    "is_rate": True,
                    "yaw_or_rate": math.degrees(command.yaw_rate_radps),
                }
                self._move(
                    "moveByVelocity",
                    *(float(part) for part in command.velocity_mps),
                    self._rpc.command_duration_s,
                    MAX_DEGREE_OF_FREEDOM,
                    self._dialect.write(yaw_mode),
                    name,
                )
            case Manoeuvre.TAKEOFF if not repeated:
                self._move("takeoff", TAKEOFF_TIMEOUT_S, name)
            case Manoeuvre.HOVER if not repeated:
                self._move("hover", name)
            case Manoeuvre.LAND if not repeated:
                self._move("land", LAND_TIMEOUT_S, name)

    # -- below: how it is done ----------------------------------------------------------------

    def _open(self) -> RpcSession:
        return open_session(
            self._rpc.backend,
            self._profile.host,
            self._profile.port,
            deadline_s=self._rpc.deadline_s,
            connect_deadline_s=self._rpc.connect_deadline_s,
            max_message_bytes=self._rpc.max_message_bytes,
        )

    def _ask(self, method: str, *params: Any) -> Any:
        return self._session(self._senses).call(method, *params)

    def _ask_async(self, method: str, *params: Any) -> Future[Any]:
        return self._session(self._senses).call_async(method, *params)

    def _ask_truth(self, session: RpcSession) -> Future[Any]:
        return session.call_async(GROUND_TRUTH_METHOD, self._profile.vehicle_name)

    def _order_and_wait(self, method: str, *params: Any, deadline_s: float | None = None) -> Any:
        self._outdate()
        return self._session(self._commands).call(method, *params, deadline_s=deadline_s)

    def _session(self, session: RpcSession | None) -> RpcSession:
        if session is None:
            raise RpcConnectionError(f"not connected to {self._address}; connect first")
        return session

    def _forget_commands(self) -> None:
        self._last_manoeuvre = None
        self._last_sent_s = -math.inf
        self._unfinished = []
        self._camera_pose = None

    def _check_vehicle(self) -> None:
        wanted = self._profile.vehicle_name
        names = self._ask("listVehicles")
        if wanted and wanted not in names:
            listed = ", ".join(f"'{name}'" for name in names) or "none"
            raise SimulatorError(
                f"{self._address} has no vehicle '{wanted}', but {listed}; "
                "set simulator.vehicle_name"
            )

    def _detect_dialect(self) -> Dialect:
        if self._profile.dialect != "auto":
            return Dialect(self._profile.dialect)
        if self._ask("getServerVersion") == COSYS_VERSION:
            return Dialect("cosys")
        state = self._ask("getMultirotorState", self._profile.vehicle_name)
        return Dialect("arrays" if isinstance(state, list) else "maps")

    def _ask_for_frame(
        self, session: RpcSession, image_types: tuple[int, ...], from_ns: int = 0
    ) -> _Asked:
        """Sent together: one round trip, and as close in time as the simulator allows."""
        camera, name = self._profile.camera_name, self._profile.vehicle_name
        requests = [self._dialect.image_request(camera, kind) for kind in image_types]
        images = self._dialect.camera_params(self._dialect.write(requests), name)
        return _Asked(
            image_types,
            state=session.call_async("getMultirotorState", name),
            images=session.call_async("simGetImages", *images),
            collision=session.call_async("simGetCollisionInfo", name),
            # Answered while the frame is being looked at.
            truth=self._ask_truth(session) if self._truth_wanted else None,
            from_ns=from_ns,
        )

    def _contact(self, asked: _Asked, stamp_ns: int) -> Contact | None:
        collision = self._answer(asked.collision, "simGetCollisionInfo")
        with self._understanding("simGetCollisionInfo"):
            return self._contacts.news(self._dialect.read("CollisionInfo", collision), stamp_ns)

    def _outdate(self) -> None:
        """Something happens: what was asked for before is not what will be."""
        self._truth_call = self._asked = None

    def _read(self, image_types: tuple[int, ...]) -> tuple[Frame, list[RgbImage | None]]:
        """One frame from the first image (Scene), and the pixels of the further ones."""
        index, profile = self._next_index, self._profile
        self._next_index += 1  # also when reading fails: a number is never given twice
        asked, self._asked = self._asked, None
        if asked is None or asked.image_types != image_types:
            asked = self._ask_for_frame(self._session(self._senses), image_types)
        state, stamp_ns = self._state(asked)
        earlier_contact = None
        if stamp_ns < asked.from_ns:  # at a window time passes slowly, and calls come in between
            earlier_contact = self._contact(asked, stamp_ns)  # reading a collision clears it
            asked = self._ask_for_frame(self._session(self._senses), image_types)
            state, stamp_ns = self._state(asked)
        self._stamp_ns, self._truth_call = stamp_ns, asked.truth
        images = self._answer(asked.images, "simGetImages")
        contact = self._contact(asked, stamp_ns) or earlier_contact
        with self._understanding("simGetImages"):
            scene, *others = (self._dialect.read("ImageResponse", image) for image in images)
            sizes = (None if kind == DEPTH_VIS else self._camera for kind in image_types)
            rgb, *pixels = (
                convert.pixels(image, profile, size, self._address)
                for image, size in zip((scene, *others), sizes, strict=True)
            )
            by_image = profile.frame_time == "image" and rgb is not None
            time_s = (
                self._clock.image_seconds(int(scene["time_stamp"]), stamp_ns)
                if by_image
                else self._clock.seconds(stamp_ns)
            )
            camera = convert.camera_pose(scene, profile.camera_fov_deg)
        with self._understanding("getMultirotorState"):
            self._vehicle = convert.vehicle_state(state, contact, self._clock)
        self._footing.feel(self._vehicle, state["landed_state"])
        loss = self._control_loss(stamp_ns) if self._in_control else ""
        return Frame(index, time_s, rgb, camera, self._vehicle, control_loss=loss), pixels

    def _control_loss(self, now_ns: int) -> str:
        """Why control may be lost; a camera that another client has changed is set right."""
        info = self._lens.answer(now_ns)
        if info is not None:
            with self._understanding("simGetCameraInfo"):
                fov_deg = float(self._dialect.read("CameraInfo", info)["fov"])
            self._camera_pose = None  # is sent again, whatever it is now
            if abs(fov_deg - self._profile.camera_fov_deg) > FOV_ERROR_DEG:
                self._order("simSetCameraFov", *self._fov_params())
        is_taken = self._control.answer(now_ns) is False
        return "another client took API control away" if is_taken else ""

    def _fov_params(self) -> Sequence[Any]:
        profile = self._profile
        return self._dialect.camera_params(
            profile.camera_name, profile.camera_fov_deg, profile.vehicle_name
        )

    def _state(self, asked: _Asked) -> tuple[dict[str, Any], int]:
        """The vehicle's, and its time stamp in ns."""
        reply = self._answer(asked.state, "getMultirotorState")
        with self._understanding("getMultirotorState"):
            state = self._dialect.read("MultirotorState", reply)
            return state, int(state["timestamp"])

    def _answer(self, call: Future[Any], method: str) -> Any:
        return await_result(call, method, self._address, self._rpc.deadline_s)

    @contextmanager
    def _understanding(self, method: str) -> Iterator[None]:
        """Nonsense in a reply becomes one line that names the method."""
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            cause = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise SimulatorError(
                f"{method} at {self._address}: the reply is not what AirSim sends ({cause}); "
                "is simulator.dialect right?"
            ) from error

    def _aim_camera(self, pan_rad: float, tilt_rad: float) -> None:
        profile = self._profile
        pose = convert.camera_target(pan_rad, tilt_rad, profile, self._vehicle)
        if pose is None or pose == self._camera_pose:
            return
        self._camera_pose = pose
        self._order(
            "simSetCameraPose",
            *self._dialect.camera_params(
                profile.camera_name, self._dialect.write(pose), profile.vehicle_name
            ),
        )

    def _move(self, method: str, *params: Any) -> None:
        if not self._paused:
            wait_s = self._last_sent_s + MIN_COMMAND_SPACING_S - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
        self._order(method, *params)
        self._last_sent_s = time.monotonic()

    def _order(self, method: str, *params: Any) -> None:
        self._asked = None
        self._unfinished.append(self._session(self._commands).call_async(method, *params))

    def _raise_refusals(self) -> None:
        done = [future for future in self._unfinished if future.done()]
        self._unfinished = [future for future in self._unfinished if future not in done]
        for future in done:
            future.result()
        if len(self._unfinished) > MAX_UNFINISHED_MOTIONS:
            raise SimulatorError(
                f"{self._address} has not answered the last {MAX_UNFINISHED_MOTIONS} commands; "
                "is the simulator paused or hung?"
            )
