"""The flight loop: frame in, command out, at the camera's rate, until the mission is done.

In lockstep the simulation is paused while the pilot computes, and then advances by one frame time.
In real time it runs on, and the loop keeps pace with the wall clock. When the simulator does not
answer in time, the pilot gets a frame without an image and decides what to do.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

from followme_uav.config import FlightConfig
from followme_uav.errors import ControlLostError, PilotError, RpcError, SimulatorError
from followme_uav.flight.control_watch import ControlWatch
from followme_uav.flight.journal import FlightJournal
from followme_uav.flight.mask_sources import TimedMasks
from followme_uav.log.entry import EncodedImage, FlightEntry, LoopTimings
from followme_uav.log.images import as_logged
from followme_uav.messages import Command, Frame, GroundTruth, MissionState, Step
from followme_uav.pilot.guarded import GuardedPilot
from followme_uav.pilot.interface import AnyPilot, MaskSource, PilotMaker
from followme_uav.pilot.pilot import Pilot

logger = logging.getLogger(__name__)


class Simulator(Protocol):
    """A simulator, as the flight loop uses it; `AirSimClient` is one.

    A simulator of your own needs these methods; then `FlightLoop` flies in it. An error of the
    simulator is a `SimulatorError`; after an `RpcError` the loop calls `reconnect`.

    Example:
        >>> from followme_uav import CameraPose, Frame, Simulator, VehicleState
        >>> class Hovering:
        ...     time_s = 0.0
        ...     def read_frame(self):
        ...         place, level = (0.0, 0.0, -5.0), (1.0, 0.0, 0.0, 0.0)
        ...         still = (0.0, 0.0, 0.0)
        ...         vehicle = VehicleState(self.time_s, place, still, level, still)
        ...         camera = CameraPose(place, level, 1.05)
        ...         return Frame(round(10 * self.time_s), self.time_s, None, camera, vehicle)
        ...     def ground_truth(self): return None
        ...     def send(self, command): pass
        ...     def begin_advance(self, duration_s, *, prefetch): self.time_s += duration_s
        ...     def end_advance(self, while_held): pass
        ...     def is_held(self): return False
        ...     def reconnect(self): pass
        ...     def take_control(self): pass
        >>> simulator: Simulator = Hovering()
        >>> simulator.read_frame().vehicle.position_m
        (0.0, 0.0, -5.0)
    """

    def read_frame(self) -> Frame:
        """Return the present frame; its time goes on with the simulation."""
        ...

    def ground_truth(self) -> GroundTruth | None:
        """Return the true state of the world at the last frame; None if it is not known."""
        ...

    def send(self, command: Command) -> None:
        """Let the vehicle obey a command until the next one."""
        ...

    def begin_advance(self, duration_s: float, *, prefetch: bool) -> None:
        """In lockstep: let the simulation run for `duration_s`, then stop it."""
        ...

    def end_advance(self, while_held: Callable[[], None]) -> None:
        """Wait for the end of `begin_advance`; call `while_held` while a person holds the time."""
        ...

    def is_held(self) -> bool:
        """Whether a person holds the simulation's time."""
        ...

    def reconnect(self) -> None:
        """Connect again after a lost connection."""
        ...

    def take_control(self) -> None:
        """Take control of the vehicle."""
        ...


class FlightLoop:
    """Flies one mission; `request_landing` may be called from a signal handler.

    Attributes:
        closed: The flight ended because a person closed the simulator's window.

    Args:
        config: How to fly.
        simulator: The simulator, with control of the vehicle taken.
        mask_source: Computes masks.
        lockstep: The simulation is paused while the pilot computes.
        record: Called with the entry of every frame.
        was_closed: Asked when the connection is lost: did a person close the simulator's window?
        make_pilot: Makes the pilot.

    Example:
        >>> from followme_uav import Command, FlightLoop, Manoeuvre, MissionState, Step, load_config
        >>> from followme_uav import CameraPose, Frame, VehicleState
        >>> class Empty:  # a simulator without images; see `Simulator`
        ...     time_s = 0.0
        ...     def read_frame(self):
        ...         zero, level = (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)
        ...         vehicle = VehicleState(self.time_s, zero, zero, level, zero)
        ...         return Frame(0, self.time_s, None, CameraPose(zero, level, 1.0), vehicle)
        ...     def ground_truth(self): return None
        ...     def send(self, command): pass
        ...     def begin_advance(self, duration_s, *, prefetch): self.time_s += duration_s
        ...     def end_advance(self, while_held): pass
        ...     def is_held(self): return False
        ...     def reconnect(self): pass
        ...     def take_control(self): pass
        >>> class Waiting:  # a pilot; see `AnyPilot`
        ...     def __init__(self, config, masks): self.state = MissionState.TAKEOFF
        ...     def step(self, frame):
        ...         self.state = MissionState.DONE if frame.time_s > 1.0 else self.state
        ...         return Step.of(frame, self.state, Command(Manoeuvre.HOVER))
        >>> entries = []
        >>> loop = FlightLoop(
        ...     load_config(), Empty(), lambda frame: None, lockstep=True, record=entries.append,
        ...     make_pilot=Waiting,
        ... )
        >>> loop.run(), len(entries)
        (<MissionState.DONE: 'done'>, 12)
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
        self._masks = TimedMasks(mask_source, config.log.round_masks)
        self._pilot = make_pilot(config, self._masks)
        self._lockstep = lockstep
        self._record = record
        self._frame_s = 1.0 / config.camera.rate_hz
        self._last_frame: Frame | None = None
        self._last_simulator_s: float | None = None
        """Time of the last frame by the simulator's clock."""
        self._last_progress_s = 0.0
        """Wall-clock time at which the simulator's clock last advanced."""
        self._time_shift_s = 0.0
        """Added to the simulator's time, so that time goes on after a restart."""
        self._control_watch = ControlWatch(config)
        self._last_command: Command | None = None
        self._retake_count = 0
        self._journal = FlightJournal(config, lockstep=lockstep)
        self._landing_requested = False
        self._aborted = False

    @property
    def pilot(self) -> AnyPilot:
        """The pilot that flies, for those who watch it."""
        return self._pilot

    @property
    def landing_requested(self) -> bool:
        """Whether `request_landing` was called."""
        return self._landing_requested

    @property
    def abort_requested(self) -> bool:
        """Whether `request_landing` was called twice."""
        return self._aborted

    @property
    def pilot_failure(self) -> PilotError | None:
        """The failure of a user's pilot, in whose place the own pilot landed."""
        return self._pilot.failure if isinstance(self._pilot, GuardedPilot) else None

    def request_landing(self) -> None:
        """Land; a second request ends the flight at once."""
        self._aborted = self._landing_requested
        self._landing_requested = True

    def run(self) -> MissionState:
        """Fly until the mission is done or the simulator's window was closed.

        Raises:
            KeyboardInterrupt: Landing was requested twice.
            SimulatorError: No new frame for `mission.failsafe_land_s`, in spite of new connections;
                or the simulator cannot do what a flight needs.
            ControlLostError: Another client has the vehicle, and control was already retaken
                `mission.control_take_backs` times, or is refused.
        """
        try:
            return self._run()
        finally:
            self._journal.close()

    def _run(self) -> MissionState:
        record_ms = 0.0
        next_frame_s = self._last_progress_s = time.monotonic()
        while self._pilot.state is not MissionState.DONE and not self.closed:
            self._check_abort()
            requested_s = time.perf_counter()
            frame = self._next_frame()
            if self.closed:
                break
            received_s = time.perf_counter()
            frame, picture = self._as_logged(frame)
            coded_s = time.perf_counter()
            step = self._pilot.step(frame)
            decided_s = time.perf_counter()
            control_error = self._obey(frame, step)
            sent_s = time.perf_counter()
            timings = self._timings(
                requested_s, received_s, coded_s, decided_s, sent_s, record_ms=record_ms
            )
            truth = self._truth(frame)
            if self._lockstep:
                # The next frame is rendered while this one is recorded.
                self._try(partial(self._simulator.begin_advance, self._frame_s, prefetch=True))
            record_from_s = time.perf_counter()
            self._record(FlightEntry(frame, step, truth, timings, picture))
            recorded_s = time.perf_counter()
            record_ms = 1e3 * (recorded_s - record_from_s)
            self._journal.note(frame, step, timings, recorded_s - requested_s)
            if control_error is not None:
                raise control_error
            if self._lockstep:
                self._try(partial(self._simulator.end_advance, self._check_abort))
            else:
                # After a late frame the next ones keep their distance: no burst of commands.
                next_frame_s = max(next_frame_s + self._frame_s, time.monotonic())
                time.sleep(max(0.0, next_frame_s - time.monotonic()))
        return self._pilot.state

    def _timings(
        self,
        requested_s: float,
        received_s: float,
        coded_s: float,
        decided_s: float,
        sent_s: float,
        *,
        record_ms: float,
    ) -> LoopTimings:
        """Durations between the times of one iteration; `record_ms` is that of the last entry."""
        masks = self._masks
        return LoopTimings(
            receive_ms=1e3 * (received_s - requested_s),
            segment_ms=masks.source_ms,
            decide_ms=1e3 * (decided_s - coded_s) - masks.source_ms - masks.rounding_ms,
            send_ms=1e3 * (sent_s - decided_s),
            log_ms=record_ms + 1e3 * (coded_s - received_s) + masks.rounding_ms,
            total_ms=1e3 * (sent_s - received_s),
        )

    def _obey(self, frame: Frame, step: Step) -> SimulatorError | None:
        """Send the command, with control retaken where it was lost.

        Returns:
            The error that ends the flight once the frame has been recorded, where control stays
            lost; nothing is sent then.
        """
        control_error = self._retake_control(frame.control_loss)
        if control_error is None:
            self._last_command = step.command
            if self._try(partial(self._simulator.send, step.command)):
                self._recover()
        return control_error

    def _retake_control(self, loss: str) -> SimulatorError | None:
        """Take control again where it was lost; return the error where it stays lost."""
        if not loss:
            return None
        if self._retake_count >= self._config.mission.control_take_backs:
            before = f"after taking control back {self._retake_count} times"
            return ControlLostError(
                f"{loss}; gave up {before if self._retake_count else 'control'} "
                "(mission.control_take_backs sets how often it is taken back)"
            )
        self._retake_count += 1
        logger.warning(
            "Control of the vehicle is lost (%s); it is taken back, time %d of %d.",
            *(loss, self._retake_count, self._config.mission.control_take_backs),
        )
        self._control_watch.restart()
        try:
            self._simulator.take_control()
        except RpcError as error:
            self._journal.failed_call(error)
            self._recover()
        except SimulatorError as error:
            return ControlLostError(f"{loss}, and {error}")
        else:
            logger.warning("Control of the vehicle is taken back.")
        return None

    def _as_logged(self, frame: Frame) -> tuple[Frame, EncodedImage | None]:
        """The frame with the image that its log will hold, so that a replay has the same input."""
        if frame.rgb is None:
            return frame, None
        rgb, picture = as_logged(frame.rgb, self._config.log)
        return replace(frame, rgb=rgb), picture

    def _next_frame(self) -> Frame:
        """The simulator's frame, or one without an image when it does not answer."""
        cause = "its clock stands still; is it paused?"
        last = self._last_frame
        try:
            frame = self._continue_time(self._read_frame())
        except RpcError as error:
            if last is None:
                raise
            self._journal.outage(last.time_s + self._frame_s, error)
            cause = str(self._recover() or error)
            frame = self._frame_without_image(last)
        else:
            if last is None or frame.time_s > last.time_s:
                self._last_progress_s = time.monotonic()
        stalled_s = time.monotonic() - self._last_progress_s
        if stalled_s > self._config.mission.failsafe_land_s:
            raise SimulatorError(f"no new frame for {stalled_s:.0f} s, gave up: {cause}")
        self._last_frame = frame
        return replace(frame, land_requested=self._landing_requested)

    def _read_frame(self) -> Frame:
        """The simulator's frame; waits while a person holds the simulator's clock."""
        frame, last_s = self._simulator.read_frame(), self._last_simulator_s
        while frame.time_s == last_s and self._simulator.is_held():
            self._check_abort()
            time.sleep(self._frame_s)
            self._last_progress_s = time.monotonic()
            frame = self._simulator.read_frame()
        self._last_simulator_s = frame.time_s
        return self._control_watch.check(frame, self._pilot.state, self._last_command)

    def _check_abort(self) -> None:
        if self._aborted:
            raise KeyboardInterrupt

    def _continue_time(self, frame: Frame) -> Frame:
        """The frame with number and time that continue the last ones, also after a restart."""
        last = self._last_frame
        if last is None:
            return frame
        if frame.time_s + self._time_shift_s < last.time_s:
            self._time_shift_s = last.time_s + self._frame_s - frame.time_s
            logger.info(
                "The simulator's clock went back to %.1f s; the flight's time goes on from %.1f s.",
                *(frame.time_s, last.time_s),
            )
        shift_s = self._time_shift_s
        vehicle = replace(frame.vehicle, time_s=frame.vehicle.time_s + shift_s)
        return replace(frame, index=last.index + 1, time_s=frame.time_s + shift_s, vehicle=vehicle)

    def _frame_without_image(self, last: Frame) -> Frame:
        return replace(
            last,
            index=last.index + 1,
            time_s=last.time_s + self._frame_s,
            rgb=None,
            vehicle=replace(last.vehicle, has_collided=False, contact=None),
            control_loss="",
        )

    def _recover(self) -> RpcError | None:
        """Reconnect and take control of the vehicle; return the error where that fails."""
        self.closed = self._was_closed()
        if self.closed:
            logger.info("The simulator's window was closed; the flight ends.")
            return None

        def reconnect() -> None:
            self._simulator.reconnect()
            try:
                self._simulator.take_control()
            except RpcError:
                raise
            except SimulatorError as refused:
                raise ControlLostError(str(refused)) from refused
            self._control_watch.restart()

        error = _error_of(reconnect)
        if error is not None:
            logger.debug("The new connection fails: %s", error)
            time.sleep(self._frame_s)
        return error

    def _try(self, action: Callable[[], None]) -> RpcError | None:
        """Run the action; report and return its RPC error, if any."""
        error = _error_of(action)
        if error is not None:
            self._journal.failed_call(error)
        return error

    def _truth(self, frame: Frame) -> GroundTruth | None:
        if frame.rgb is None:
            return None
        try:
            truth = self._simulator.ground_truth()
        except RpcError as error:
            self._journal.failed_call(error)
            return None
        return truth and replace(truth, time_s=truth.time_s + self._time_shift_s)


def _error_of(action: Callable[[], None]) -> RpcError | None:
    """Run the action and return its RPC error, if any.

    The loop goes on: when the connection is lost, the next frame has no image, and the pilot acts.
    """
    try:
        action()
    except RpcError as error:
        return error
    return None
