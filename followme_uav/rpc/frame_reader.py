"""Reads frames and their ground truth, with the next frame requested ahead of time.

The embedded simulator serves a connection in order. A frame that is requested right behind an
advance is therefore rendered at the end of that advance, while the loop still records the previous
frame.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from followme_uav.config import CameraConfig
from followme_uav.messages import Contact, Frame, GroundTruth, RgbImage
from followme_uav.recurring import RecurringFault
from followme_uav.rpc import convert
from followme_uav.rpc.connection import SimulatorConnection
from followme_uav.rpc.session import RpcSession, UnknownMethodError

logger = logging.getLogger(__name__)

SCENE, DEPTH_VIS, SEGMENTATION = 0, 3, 5
"""AirSim's image types."""
GROUND_TRUTH_METHOD = "simFollowMeGroundTruth"
STAMP_TOLERANCE_NS = 5_000_000
"""An advance of the embedded simulator ends on a physics step of 5 ms, and may end one step early.
Frames are farther apart than that, so the frame before is never taken for the next one."""


@dataclass(frozen=True)
class _PendingFrame:
    """The calls of one requested frame."""

    image_types: tuple[int, ...]
    state: Future[Any]
    images: Future[Any]
    collision: Future[Any]
    truth: Future[Any] | None
    not_before_ns: int
    """A frame with an earlier time stamp is requested again."""
    command_count: int
    """Commands that had been sent before the request."""


@dataclass(frozen=True)
class _PendingTruth:
    """The ground truth of the last frame, requested together with it."""

    reply: Future[Any]
    blocking_command_count: int
    """Commands that had been sent before."""


@dataclass(frozen=True)
class FrameReading:
    """A frame and what else the simulator reported with it."""

    frame: Frame
    further_images: tuple[RgbImage | None, ...]
    """Pixels of the images after the first."""
    landed_state: object
    """AirSim's `landed_state`."""
    stamp_ns: int
    """Time stamp of the state by the simulator's clock."""


class FrameReader:
    """Requests state, images, collision and ground truth, and converts them to messages.

    Args:
        connection: To the simulator.
        camera: The image size that the simulator must deliver, and that of the frames.
    """

    def __init__(self, connection: SimulatorConnection, camera: CameraConfig) -> None:
        self._connection, self._camera = connection, camera
        self._next_index = 0
        self._clock, self._contacts = convert.SimulationClock(), convert.ContactFilter()
        self._last_stamp_ns = 0
        self._offers_truth = True
        self._requests_truth = False
        """Ground truth is requested with each frame, because it has been asked for before."""
        self._pending_frame: _PendingFrame | None = None
        self._pending_truth: _PendingTruth | None = None
        self._other_times = RecurringFault(
            logger, "images of another time than the vehicle's state", logging.INFO
        )

    def restart(self) -> None:
        """Begin anew with frame 0 at time 0, after the simulator was reset."""
        self._next_index = self._last_stamp_ns = 0
        self._clock, self._contacts = convert.SimulationClock(), convert.ContactFilter()

    @property
    def offers_truth(self) -> bool:
        """Whether the simulator offers ground truth, as far as is known."""
        return self._offers_truth

    def prefetch(self, image_types: tuple[int, ...], advance_s: float) -> None:
        """Request the frame at the end of an advance that has begun.

        Does nothing unless ground truth is requested with each frame and the simulator answers
        in order: only the embedded simulator does both.
        """
        if self._requests_truth and self._connection.profile.continue_blocks:
            not_before_ns = self._last_stamp_ns + round(advance_s * 1e9) - STAMP_TOLERANCE_NS
            session = self._connection.command_session
            self._pending_frame = self._request(session, image_types, not_before_ns)

    def read(self, image_types: tuple[int, ...]) -> FrameReading:
        """Read one frame; its image is the first of the image types.

        Raises:
            SimulatorError: A reply is malformed, or an image has another size than configured.
        """
        index = self._next_index
        self._next_index += 1  # a frame that cannot be read has a number too
        pending = self._prefetched(image_types) or self._request_now(image_types)
        state, stamp_ns = self._state(pending)
        earlier_contact = None
        if stamp_ns < pending.not_before_ns:
            logger.debug("A prefetched frame is too old; the frame is requested again.")
            # With a window, calls are served during an advance, and reading a collision clears it.
            earlier_contact = self._contact(pending, stamp_ns)
            pending = self._request_now(image_types)
            state, stamp_ns = self._state(pending)
        self._last_stamp_ns = stamp_ns
        self._pending_truth = None
        if pending.truth is not None:
            commands = self._connection.blocking_command_count
            self._pending_truth = _PendingTruth(pending.truth, commands)
        replies = self._connection.reply(pending.images, "simGetImages")
        contact = self._contact(pending, stamp_ns) or earlier_contact
        with self._connection.parsing("simGetImages"):
            scene, images = self._images(replies, image_types)
            time_s = self._time_s(scene, images[0], stamp_ns)
            if images[0] is not None:
                self._check_image_time(int(scene["time_stamp"]), stamp_ns)
            camera = convert.camera_pose(scene, self._connection.profile.camera_fov_deg)
        with self._connection.parsing("getMultirotorState"):
            vehicle = convert.vehicle_state(state, contact, self._clock)
        frame = Frame(index, time_s, images[0], camera, vehicle)
        return FrameReading(frame, images[1:], state["landed_state"], stamp_ns)

    def ground_truth(self) -> GroundTruth | None:
        """Return the ground truth at the last image.

        None where the simulator offers none, or has rendered no image since a reset.
        """
        if not self._offers_truth:
            return None
        pending, self._pending_truth = self._pending_truth, None
        commands = self._connection.blocking_command_count
        if pending is not None and pending.blocking_command_count == commands:
            call = pending.reply
        else:
            call = self._request_truth(self._connection.query_session)
        try:
            reply = self._connection.reply(call, GROUND_TRUTH_METHOD)
        except UnknownMethodError:
            logger.info("The simulator offers no ground truth: metrics that need it are missing.")
            self._offers_truth = False
            return None
        self._requests_truth = True
        with self._connection.parsing(GROUND_TRUTH_METHOD):
            truth = self._connection.dialect.read("FollowMeGroundTruth", reply)
            return convert.ground_truth(truth, self._clock, self._camera.size_px)

    def _prefetched(self, image_types: tuple[int, ...]) -> _PendingFrame | None:
        """The prefetched frame, if it has these images and no command was sent after it."""
        pending, self._pending_frame = self._pending_frame, None
        if pending is None or pending.image_types != image_types:
            return None
        return pending if pending.command_count == self._connection.command_count else None

    def _request_now(self, image_types: tuple[int, ...]) -> _PendingFrame:
        return self._request(self._connection.query_session, image_types, 0)

    def _request(
        self, session: RpcSession, image_types: tuple[int, ...], not_before_ns: int
    ) -> _PendingFrame:
        """Send all calls of a frame together: one round trip, as close in time as possible."""
        dialect, profile = self._connection.dialect, self._connection.profile
        camera, name = profile.camera_name, profile.vehicle_name
        requests = [dialect.image_request(camera, kind) for kind in image_types]
        images = dialect.camera_params(dialect.write(requests), name)
        return _PendingFrame(
            image_types,
            state=session.call_async("getMultirotorState", name),
            images=session.call_async("simGetImages", *images),
            collision=session.call_async("simGetCollisionInfo", name),
            # The reply arrives while the frame is processed.
            truth=self._request_truth(session) if self._requests_truth else None,
            not_before_ns=not_before_ns,
            command_count=self._connection.command_count,
        )

    def _request_truth(self, session: RpcSession) -> Future[Any]:
        return session.call_async(GROUND_TRUTH_METHOD, self._connection.profile.vehicle_name)

    def _state(self, pending: _PendingFrame) -> tuple[dict[str, Any], int]:
        """The vehicle's state, and its time stamp in ns."""
        reply = self._connection.reply(pending.state, "getMultirotorState")
        with self._connection.parsing("getMultirotorState"):
            state = self._connection.dialect.read("MultirotorState", reply)
            return state, int(state["timestamp"])

    def _contact(self, pending: _PendingFrame, stamp_ns: int) -> Contact | None:
        reply = self._connection.reply(pending.collision, "simGetCollisionInfo")
        with self._connection.parsing("simGetCollisionInfo"):
            info = self._connection.dialect.read("CollisionInfo", reply)
            return self._contacts.new_contact(info, stamp_ns)

    def _images(
        self, replies: Any, image_types: tuple[int, ...]
    ) -> tuple[dict[str, Any], tuple[RgbImage | None, ...]]:
        """The first ImageResponse, and the pixels of all."""
        connection = self._connection
        responses = [connection.dialect.read("ImageResponse", reply) for reply in replies]
        images = tuple(
            convert.pixels(
                response,
                connection.profile,
                None if kind == DEPTH_VIS else self._camera,
                connection.address,
                has_classes=kind == SEGMENTATION,
            )
            for response, kind in zip(responses, image_types, strict=True)
        )
        return responses[0], images

    def _check_image_time(self, image_ns: int, state_ns: int) -> None:
        """Report an image that was taken at another time than the state, by the same clock."""
        now_s = state_ns / 1e9
        if (image_ns > convert.EPOCH_NS) != (state_ns > convert.EPOCH_NS):
            return
        gap_s = (state_ns - image_ns) / 1e9
        if abs(gap_s) > 1.0 / self._camera.rate_hz:
            self._other_times.occurs(
                now_s,
                "An image is %.0f ms %s than the vehicle's state that came with it.",
                *(1e3 * abs(gap_s), "older" if gap_s > 0.0 else "newer"),
            )
        else:
            self._other_times.passes(now_s)

    def _time_s(self, scene: dict[str, Any], rgb: RgbImage | None, stamp_ns: int) -> float:
        if self._connection.profile.frame_time == "image" and rgb is not None:
            return self._clock.image_seconds(int(scene["time_stamp"]), stamp_ns)
        return self._clock.seconds(stamp_ns)
