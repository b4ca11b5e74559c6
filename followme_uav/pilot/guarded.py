"""Flies a pilot of a user, and lands the vehicle when that pilot fails.

An exception in a user's pilot must neither leave a vehicle in the air nor damage the log. After a
failure the project's own pilot lands; the flight ends as usual, and then with the error.
"""

from __future__ import annotations

import logging
import math
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from followme_uav.config import FlightConfig
from followme_uav.errors import FollowMeError, PilotError
from followme_uav.messages import Command, Frame, MissionState, Step, Transition
from followme_uav.pilot.interface import AnyPilot, MaskSource, PilotMaker, background_mask
from followme_uav.pilot.pilot import Pilot

STEP_DEADLINE_S = 60.0
"""Wall-clock limit of one step; for the first, a pilot may load a network."""
LANDING_MARGIN_S = 10.0
"""A pilot has failed that is in the air so long after the time in which it should have landed."""

logger = logging.getLogger(__name__)


class GuardedPilot:
    """A pilot of a user, checked at every step.

    Attributes:
        failure: The error of the pilot, once the own pilot lands in its place; else None.

    Args:
        name: The pilot's name, for messages.
        make: Makes it.
        config: The flight's configuration.
        masks: Its mask source.

    Raises:
        PilotError: It cannot be made, or lacks `state` or `step`.
    """

    def __init__(
        self, name: str, make: PilotMaker, config: FlightConfig, masks: MaskSource
    ) -> None:
        self.failure: PilotError | None = None
        self._name = name
        self._config = config
        self._first: Frame | None = None
        self._landing_s = math.inf
        self._pilot = self._made(make, masks)
        self._state = _state_of(self._pilot, name)

    @property
    def state(self) -> MissionState:
        """The present mission state."""
        return self._state

    @property
    def pilot(self) -> AnyPilot:
        """The pilot that flies: the user's, or the own one after its failure."""
        return self._pilot

    def step(self, frame: Frame) -> Step:
        """The pilot's step, or that of the landing after its failure.

        Raises:
            FollowMeError: The mask source or the simulator failed, not the pilot.
        """
        if self._first is None:
            self._first, self._landing_s = frame, frame.time_s + self._config.duration_s
        if frame.land_requested:
            self._landing_s = min(self._landing_s, frame.time_s)
        if self.failure is None:
            try:
                with _deadline(STEP_DEADLINE_S):
                    step = self._pilot.step(frame)
                self._state = self._checked(step, frame)
                return step
            except FollowMeError as error:
                if not isinstance(error, PilotError):
                    raise
                self.failure = error
            except (Exception, SystemExit) as error:
                logger.debug("pilot %s failed", self._name, exc_info=True)
                text = f"pilot {self._name}: failed at {frame.time_s:.1f} s: {described(error)}"
                self.failure = PilotError(text)
                self.failure.__cause__ = error
            return self._begin_landing(frame, str(self.failure), self._first)
        return self._landing_step(frame)

    def _made(self, make: PilotMaker, masks: MaskSource) -> AnyPilot:
        try:
            pilot = make(self._config, masks)
        except FollowMeError:
            raise
        except (Exception, SystemExit) as error:
            logger.debug("pilot %s cannot be made", self._name, exc_info=True)
            raise PilotError(
                f"pilot {self._name}: cannot be made with (config, masks): {described(error)}"
            ) from error
        if not callable(getattr(pilot, "step", None)):
            raise PilotError(
                f"pilot {self._name}: gave {_kind(pilot)}, which has no method step(frame); "
                "see AnyPilot in docs/extending.md"
            )
        return pilot

    def _checked(self, step: Any, frame: Frame) -> MissionState:
        """The state after a step; raises `PilotError` for a step that is none."""
        said = f"pilot {self._name}: step at {frame.time_s:.1f} s"
        if not isinstance(step, Step):
            raise PilotError(f"{said} returned {_kind(step)}; return a Step, see Step.of")
        if not isinstance(step.command, Command) or not isinstance(step.state, MissionState):
            raise PilotError(f"{said} has no valid command and state; pass a Command, MissionState")
        command = step.command
        numbers = (
            *command.velocity_mps,
            command.yaw_rate_radps,
            command.camera_pan_rad,
            command.camera_tilt_rad,
        )
        if len(command.velocity_mps) != 3 or not all(map(math.isfinite, numbers)):
            raise PilotError(f"{said} has a command that is not finite: {command}")
        state = _state_of(self._pilot, self._name)
        late_s = frame.time_s - self._landing_s - self._config.mission.land_timeout_s
        if late_s > LANDING_MARGIN_S and state is not MissionState.DONE:
            raise PilotError(
                f"pilot {self._name}: still flies {late_s:.0f} s after it should have landed; let "
                "it end with DONE after duration_s, and when frame.land_requested is true"
            )
        return state

    def _begin_landing(self, frame: Frame, reason: str, first: Frame) -> Step:
        """The first step of the landing, which tells the log why."""
        before = self._state
        self._pilot = Pilot(self._config, background_mask)  # a landing needs no detection
        self._pilot.step(first)  # tells the altitude of the start
        step = self._landing_step(frame)
        return replace(step, transition=Transition(before, step.state, reason))

    def _landing_step(self, frame: Frame) -> Step:
        step = self._pilot.step(replace(frame, land_requested=True))
        self._state = step.state
        return replace(step, mask=None)


def described(error: BaseException) -> str:
    """Kind, text and place of an exception, in one line."""
    text = " ".join(str(error).split())
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename != __file__]
    where = "".join(f" ({Path(f.filename).name}, line {f.lineno})" for f in inside[-1:])
    return f"{type(error).__name__}{': ' if text else ''}{text:.300}{where}"


def _state_of(pilot: AnyPilot, name: str) -> MissionState:
    state = getattr(pilot, "state", None)
    if not isinstance(state, MissionState):
        raise PilotError(
            f"pilot {name}: its state is {_kind(state)}; give it an attribute state, a MissionState"
        )
    return state


def _kind(value: Any) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"


@contextmanager
def _deadline(limit_s: float) -> Iterator[None]:
    """Raise `TimeoutError` in a block that takes too long; works in the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def on_alarm(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"the step took longer than {limit_s:g} s")

    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
