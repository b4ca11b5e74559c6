"""The flight loop: frame in, command out, at the camera's rate, until the mission is done.

In lockstep the simulation stands still while the pilot thinks and then advances by exactly one
frame time; in real time it runs on and the loop keeps pace with the wall clock. A simulator that
does not answer in time becomes a frame without an image, so that the pilot decides what to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

import numpy as np

from followme_uav.config import FlightConfig
from followme_uav.errors import ControlLostError, RpcError, SimulatorError
from followme_uav.flight.control_watch import ControlWatch
from followme_uav.log.entry import EncodedImage, FlightEntry, LoopTimings
from followme_uav.log.images import as_logged, rounded_mask
from followme_uav.messages import (
    Command,
    Frame,
    GroundTruth,
    Mask,
    MaskClass,
    MissionState,
    RgbImage,
)
from followme_uav.pilot.interface import MaskSource, PilotMaker
from followme_uav.pilot.pilot import Pilot


class Simulator(Protocol):
    """What the loop needs of `rpc.airsim.AirSimClient`."""

    def read_frame(self) -> Frame: ...  # noqa: D102

    def ground_truth(self) -> GroundTruth | None: ...  # noqa: D102

    def send(self, command: Command) -> None: ...  # noqa: D102

    def begin_advance(self, duration_s: float, *, then_look: bool) -> None: ...  # noqa: D102

    def end_advance(self, while_held: Callable[[], None]) -> None: ...  # noqa: D102

    def is_held(self) -> bool: ...  # noqa: D102

    def reconnect(self) -> None: ...  # noqa: D102

    def take_control(self) -> None: ...  # noqa: D102


class FlightLoop:
    """Flies one mission; `request_landing` may be called from a signal handler.

    Attributes:
        closed: the flight ended because somebody closed the simulator.

    Args:
        config: how to fly.
        simulator: where.
        mask_source: what sees the hero.
        lockstep: the simulation stands still while the pilot thinks.
        record: called after every turn.
        was_closed: asked when the simulator is gone, whether somebody wanted that.
        make_pilot: who flies.
    """

    def __init__(
        self,
        config: FlightConfig,
        simulator: Simulator,
        mask_source: MaskSource,
        *,
        lockstep: bool,
        record: Callable[[FlightEntry], None],
        was_closed: Callable[[], bool] | None = None,
        make_pilot: PilotMaker = Pilot,
    ) -> None:
        self.closed = False
        self._was_closed = was_closed or (lambda: False)
        self._config = config
        self._simulator = simulator
        self._mask_source = _Seen(mask_source, config.log.round_masks)
        self._pilot = make_pilot(config, self._mask_source)
        self._lockstep = lockstep
        self._record = record
        self._frame_s = 1.0 / config.camera.rate_hz
        self._last_frame: Frame | None = None
        self._last_raw_s: float | None = None
        """Its time as the simulator told it."""
        self._progress_s = 0.0
        """When, by the wall clock, simulation time last went on."""
        self._time_shift_s = 0.0
        self._watch = ControlWatch(config)
        self._last_command: Command | None = None
        self._take_backs = 0
        self._landing_requested = False
        self._aborted = False

    @property
    def landing_requested(self) -> bool:
        """Whether somebody has asked for the end of the flight."""
        return self._landing_requested

    def request_landing(self) -> None:
        """End the flight in good order; asked again, at once."""
        self._aborted = self._landing_requested
        self._landing_requested = True

    def run(self) -> MissionState:
        """Fly until the mission is done or the simulator was closed.

        Raises:
            KeyboardInterrupt: The landing was requested twice.
            SimulatorError: No new frame for `mission.failsafe_land_s`, reconnecting included; or
                the simulator cannot do what a flight needs.
            ControlLostError: Another client has the vehicle, and control was taken back
                `mission.control_take_backs` times before or is refused.
        """
        record_ms = 0.0
        next_tick_s = self._progress_s = time.monotonic()
        while self._pilot.state is not MissionState.DONE and not self.closed:
            self._check_abort()
            asked_s = time.perf_counter()
            frame = self._next_frame()
            if self.closed:
                break
            received_s = time.perf_counter()
            frame, picture = self._as_logged(frame)
            coded_s = time.perf_counter()
            step = self._pilot.step(frame)
            decided_s = time.perf_counter()
            given_up = self._take_back(frame.control_loss)
            if given_up is None:
                self._last_command = step.command
                if _trouble(partial(self._simulator.send, step.command)):
                    self._recover()
            sent_s = time.perf_counter()
            timings = LoopTimings(
                receive_ms=1e3 * (received_s - asked_s),
                segment_ms=self._mask_source.last_ms,
                decide_ms=1e3 * (decided_s - coded_s)
                - self._mask_source.last_ms
                - self._mask_source.last_rounding_ms,
                send_ms=1e3 * (sent_s - decided_s),
                log_ms=record_ms
                + 1e3 * (coded_s - received_s)
                + self._mask_source.last_rounding_ms,
                total_ms=1e3 * (sent_s - received_s),
            )
            truth = self._truth(frame)
            if self._lockstep:
                # Time passes, and the next frame is drawn, while this one is recorded.
                _trouble(partial(self._simulator.begin_advance, self._frame_s, then_look=True))
            record_from_s = time.perf_counter()
            self._record(FlightEntry(frame, step, truth, timings, picture))
            record_ms = 1e3 * (time.perf_counter() - record_from_s)
            if given_up is not None:
                raise given_up
            if self._lockstep:
                _trouble(partial(self._simulator.end_advance, self._check_abort))
            else:
                # A late frame is not made up for: the next ones keep their distance.
                next_tick_s = max(next_tick_s + self._frame_s, time.monotonic())
                time.sleep(max(0.0, next_tick_s - time.monotonic()))
        return self._pilot.state

    def _take_back(self, loss: str) -> SimulatorError | None:
        """Take control again where it was lost; the error that ends the flight where it stays so.

        That error is raised when the frame has been recorded.
        """
        if not loss:
            return None
        if self._take_backs >= self._config.mission.control_take_backs:
            before = f"after taking control back {self._take_backs} times"
            return ControlLostError(
                f"{loss}; gave up {before if self._take_backs else 'control'} "
                "(mission.control_take_backs sets how often it is taken back)"
            )
        self._take_backs += 1
        self._watch.forget()
        try:
            self._simulator.take_control()
        except RpcError:
            self._recover()
        except SimulatorError as error:
            return ControlLostError(f"{loss}, and {error}")
        return None

    def _as_logged(self, frame: Frame) -> tuple[Frame, EncodedImage | None]:
        """The flight sees what its log will hold, so that a replay sees the same."""
        if frame.rgb is None:
            return frame, None
        rgb, picture = as_logged(frame.rgb, self._config.log)
        return replace(frame, rgb=rgb), picture

    def _next_frame(self) -> Frame:
        """The simulator's frame, or one without an image when it does not answer."""
        cause = "its clock stands still; is it paused?"
        last = self._last_frame
        try:
            frame = self._in_order(self._fresh_frame())
        except RpcError as error:
            if last is None:
                raise
            cause = str(self._recover() or error)
            frame = self._blind_frame(last)
        else:
            if last is None or frame.time_s > last.time_s:
                self._progress_s = time.monotonic()
        stalled_s = time.monotonic() - self._progress_s
        if stalled_s > self._config.mission.failsafe_land_s:
            raise SimulatorError(f"no new frame for {stalled_s:.0f} s, gave up: {cause}")
        self._last_frame = frame
        return replace(frame, land_requested=self._landing_requested)

    def _fresh_frame(self) -> Frame:
        """What the simulator shows; while a person holds its time, the flight waits with it."""
        frame, last = self._simulator.read_frame(), self._last_raw_s
        while frame.time_s == last and self._simulator.is_held():
            self._check_abort()
            time.sleep(self._frame_s)
            self._progress_s = time.monotonic()
            frame = self._simulator.read_frame()
        self._last_raw_s = frame.time_s
        return self._watch.look(frame, self._pilot.state, self._last_command)

    def _check_abort(self) -> None:
        if self._aborted:
            raise KeyboardInterrupt

    def _in_order(self, frame: Frame) -> Frame:
        """Number and time go on from the last frame, even when the simulator started anew."""
        last = self._last_frame
        if last is None:
            return frame
        if frame.time_s + self._time_shift_s < last.time_s:
            self._time_shift_s = last.time_s + self._frame_s - frame.time_s
        shift_s = self._time_shift_s
        vehicle = replace(frame.vehicle, time_s=frame.vehicle.time_s + shift_s)
        return replace(frame, index=last.index + 1, time_s=frame.time_s + shift_s, vehicle=vehicle)

    def _blind_frame(self, last: Frame) -> Frame:
        return replace(
            last,
            index=last.index + 1,
            time_s=last.time_s + self._frame_s,
            rgb=None,
            vehicle=replace(last.vehicle, has_collided=False, contact=None),
            control_loss="",
        )

    def _recover(self) -> RpcError | None:
        """A new connection, and control of the vehicle, if the simulator is there again."""
        self.closed = self._was_closed()
        if self.closed:
            return None

        def reconnect() -> None:
            self._simulator.reconnect()
            self._simulator.take_control()
            self._watch.forget()

        trouble = _trouble(reconnect)
        if trouble is not None:
            time.sleep(self._frame_s)
        return trouble

    def _truth(self, frame: Frame) -> GroundTruth | None:
        if frame.rgb is None:
            return None
        try:
            truth = self._simulator.ground_truth()
        except RpcError:
            return None
        return truth and replace(truth, time_s=truth.time_s + self._time_shift_s)


def _trouble(action: Callable[[], None]) -> RpcError | None:
    """What went wrong; the next frame will not come either then, and so tells the pilot."""
    try:
        action()
    except RpcError as error:
        return error
    return None


class _Seen:
    """Masks as the log holds them, and how long they took."""

    def __init__(self, source: MaskSource, rounded: bool) -> None:
        self._source = source
        self._rounded = rounded
        self.last_ms = 0.0
        self.last_rounding_ms = 0.0

    def __call__(self, frame: Frame) -> Mask:
        start_s = time.perf_counter()
        mask = self._source(frame)
        seen_s = time.perf_counter()
        if self._rounded:
            mask = rounded_mask(mask)
        self.last_ms = 1e3 * (seen_s - start_s)
        self.last_rounding_ms = 1e3 * (time.perf_counter() - seen_s)
        return mask


class NetworkMasks:
    """Mask source of a flight: the segmentation network."""

    def __init__(self, segment: Callable[[RgbImage], Mask]) -> None:
        self._segment = segment

    def __call__(self, frame: Frame) -> Mask:
        """The network's class probabilities."""
        if frame.rgb is None:
            raise ValueError("a frame without an image has no mask")
        return self._segment(frame.rgb)


class TrueMasks:
    """Mask source that isolates control from vision: what the simulator knows to be there."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._was_told = False

    def __call__(self, frame: Frame) -> Mask:
        """The exact mask, or nobody when none comes or it is of another image.

        Raises:
            SimulatorError: This simulator never tells.
        """
        try:
            truth = self._simulator.ground_truth()
        except RpcError:
            return _nobody(frame)
        if truth is None and not self._was_told:
            raise SimulatorError("this simulator offers no ground truth; fly with --weights")
        self._was_told = True
        if truth is None or frame.rgb is None or truth.mask.shape != frame.rgb.shape:
            return _nobody(frame)
        return truth.mask


def _nobody(frame: Frame) -> Mask:
    """A mask of background alone."""
    mask = np.zeros_like(frame.rgb)
    mask[..., MaskClass.BACKGROUND] = 255
    return mask
