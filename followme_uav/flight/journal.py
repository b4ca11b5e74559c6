"""Lines of the program log about a flight in progress; the flight log has every frame.

A fault that lasts gives one line when it begins and one when it ends. Nothing here changes the
flight.
"""

from __future__ import annotations

import logging

from followme_uav.config import FlightConfig
from followme_uav.log.entry import LoopTimings
from followme_uav.messages import Frame, MissionState, Step, Transition
from followme_uav.program_log import TRANSITION
from followme_uav.recurring import RecurringFault

LATE_FRAMES = 1.5
"""A frame is late when so many frame times have passed since the last one."""

logger = logging.getLogger(__name__)


class FlightJournal:
    """Reports transitions, missing images, late frames, outages and slow turns of one flight.

    Args:
        config: The flight's configuration.
        lockstep: The simulation is paused while the pilot computes: no turn is too slow.
    """

    def __init__(self, config: FlightConfig, *, lockstep: bool) -> None:
        self._frame_s = 1.0 / config.camera.rate_hz
        self._lockstep = lockstep
        self._last_s: float | None = None
        self._had_outage = False
        self._failsafe_s = 0.0
        self._outages = RecurringFault(logger, "failed attempts to read a frame")
        self._commands = RecurringFault(logger, "failed calls beside the frames")
        self._images = RecurringFault(logger, "frames without an image")
        self._late = RecurringFault(logger, "late frames", logging.INFO)
        self._old = RecurringFault(logger, "frames that are no newer than the last", logging.INFO)
        self._slow = RecurringFault(logger, "turns slower than the camera", logging.INFO)

    def outage(self, now_s: float, error: Exception) -> None:
        """The simulator has not sent a frame."""
        self._had_outage = True
        self._outages.occurs(now_s, "At %.1f s the simulator sends no frame: %s", now_s, error)

    def failed_call(self, error: Exception) -> None:
        """A command, an advance or a query of ground truth has failed; the flight goes on."""
        now_s = self._last_s or 0.0
        self._commands.occurs(now_s, "At %.1f s a call to the simulator fails: %s", now_s, error)

    def note(self, frame: Frame, step: Step, timings: LoopTimings, turn_s: float) -> None:
        """Take one turn of the loop, which lasted `turn_s` of real time."""
        now_s = frame.time_s
        self._note_image(frame)
        self._note_time(frame.index, now_s)
        if turn_s > self._frame_s and not self._lockstep:
            self._slow.occurs(
                now_s,
                "At %.1f s a turn of the loop takes %.0f ms, longer than the %.0f ms of a frame: "
                "receive %.0f, segment %.0f, decide %.0f, send %.0f, log %.0f ms.",
                *(now_s, 1e3 * turn_s, 1e3 * self._frame_s, timings.receive_ms),
                *(timings.segment_ms, timings.decide_ms, timings.send_ms, timings.log_ms),
            )
        for fault in (self._outages, self._commands, self._slow):
            fault.passes(now_s)
        if step.transition is not None:
            self._note_transition(now_s, step.transition)
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "Frame %d at %.2f s: %s, turn of %.1f ms (receive %.1f, segment %.1f, decide %.1f, "
                "send %.1f, log %.1f ms).",
                *(frame.index, now_s, step.state.value, 1e3 * turn_s, timings.receive_ms),
                *(timings.segment_ms, timings.decide_ms, timings.send_ms, timings.log_ms),
            )

    def close(self) -> None:
        """Report the faults that last until the end of the flight."""
        for fault in (
            *(self._outages, self._commands, self._images, self._late, self._old, self._slow),
        ):
            fault.close()

    def _note_image(self, frame: Frame) -> None:
        had_outage, self._had_outage = self._had_outage, False
        if frame.rgb is not None:
            self._images.passes(frame.time_s)
        elif not had_outage:
            self._images.occurs(
                frame.time_s,
                "Frame %d at %.1f s is dropped: it came without an image.",
                *(frame.index, frame.time_s),
            )

    def _note_time(self, index: int, now_s: float) -> None:
        last_s, self._last_s = self._last_s, now_s
        gap_s = self._frame_s if last_s is None else now_s - last_s
        if gap_s > LATE_FRAMES * self._frame_s:
            self._late.occurs(
                now_s,
                "Frame %d at %.1f s is late: %.2f s after the last one instead of %.2f s.",
                *(index, now_s, gap_s, self._frame_s),
            )
        elif gap_s <= 0.0:
            self._old.occurs(now_s, "Frame %d at %.1f s is no newer than the last.", index, now_s)
        self._late.passes(now_s)
        self._old.passes(now_s)

    def _note_transition(self, now_s: float, change: Transition) -> None:
        level = logging.WARNING if change.target is MissionState.FAILSAFE else logging.INFO
        lasted = ""
        if change.target is MissionState.FAILSAFE:
            self._failsafe_s = now_s
        elif change.source is MissionState.FAILSAFE:
            lasted = f" The fail-safe has lasted {now_s - self._failsafe_s:.1f} s."
        logger.log(
            level,
            "At %.1f s the mission goes from %s to %s: %s.%s",
            *(now_s, change.source.value, change.target.value, change.reason, lasted),
            extra={"topic": TRANSITION},
        )
