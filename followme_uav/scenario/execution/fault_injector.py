"""Inject a script's events between the flight loop and the simulator.

Events follow simulated time and the seed, so that a flight is the same every time. A delay splits
an `advance` where a frame is taken or a command is due, at multiples of the physics step.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from followme_uav.config import FlightConfig
from followme_uav.errors import RpcTimeoutError
from followme_uav.flight.loop import Simulator
from followme_uav.messages import Command, Frame, GroundTruth
from followme_uav.rpc.command_sender import MIN_COMMAND_SPACING_S
from followme_uav.rpc.world import WorldConnection
from followme_uav.scenario.execution.world_events import (
    STEP_S,
    TOLERANCE_S,
    WorldControl,
    WorldEvents,
)
from followme_uav.scenario.script.events import Delays, Event

logger = logging.getLogger(__name__)

_DROP, _FRAME_JITTER, _COMMAND_JITTER = 11, 12, 13
"""Random streams: with the seed, each gives the same numbers in every flight."""


def fault_injector_for(
    events: Sequence[Event], seed: int, made: Callable[[FaultInjector], None] = lambda _: None
) -> Callable[[Simulator, FlightConfig], AbstractContextManager[Simulator]]:
    """Return the function for `FlightPlan.wrap_simulator` that injects these events.

    Args:
        events: The events of the script.
        seed: Seed of lost frames and of jitter.
        made: Called with the fault injector of the flight.
    """

    @contextmanager
    def make(simulator: Simulator, config: FlightConfig) -> Iterator[Simulator]:
        world = WorldConnection(config.simulator, config.rpc)
        try:
            injector = FaultInjector(simulator, world, events, seed, 1.0 / config.camera.rate_hz)
            made(injector)
            yield injector
        finally:
            world.close()

    return make


class FaultInjector:
    """A simulator, as the flight loop sees it, in which the events happen.

    Args:
        simulator: The simulator that it forwards to.
        world: Changes wind, light and people.
        events: The events of the script.
        seed: Seed of lost frames and of jitter.
        frame_s: Time between two frames.
    """

    def __init__(
        self,
        simulator: Simulator,
        world: WorldControl,
        events: Sequence[Event],
        seed: int,
        frame_s: float,
    ) -> None:
        self._simulator, self._events = simulator, events
        self._world_events = WorldEvents(world, events)
        self._drop_rng, jitter_rng, self._command_rng = (
            np.random.default_rng([seed, stream])
            for stream in (_DROP, _FRAME_JITTER, _COMMAND_JITTER)
        )
        self._delayed_frames = DelayedFrames(jitter_rng, frame_s)
        self._agenda = Agenda()
        self._now_s = self._end_s = 0.0
        self._last_due_s = -math.inf
        self._reported: list[Event] = []

    def read_frame(self) -> Frame:
        """Return the newest frame that has arrived; without its image if that was lost."""
        self._check_answering("getMultirotorState")
        late = self._delayed_frames.arrive(self._now_s, self._delay)
        frame = self._simulator.read_frame() if late is None else late.frame
        active = self._active_events()
        share = 1.0 - math.prod(1.0 - e.drop_frames.share for e in active if e.drop_frames)
        is_lost = share > 0.0 and self._drop_rng.random() < share
        if is_lost:
            logger.debug("The image of frame %d is dropped, as the script says.", frame.index)
        return replace(frame, rgb=None) if is_lost else frame

    def ground_truth(self) -> GroundTruth | None:
        """Return the ground truth at the time of the frame that was read last."""
        self._check_answering("simFollowMeGroundTruth")
        late = self._delayed_frames.latest
        return self._simulator.ground_truth() if late is None else late.truth

    def send(self, command: Command) -> None:
        """Send a command now or after its delay, and at least 20 ms after the last command.

        If motion calls follow each other too closely, AirSim makes them wait for each other. The
        waiting calls would become more and more.
        """
        self._check_answering("moveByVelocity")
        delay = self._delay
        delay_s = 0.0 if delay is None else _drawn_s(delay.commands_ms, delay, self._command_rng)
        next_s = self._last_due_s + MIN_COMMAND_SPACING_S
        if delay_s == 0.0 and next_s <= self._now_s:
            self._simulator.send(command)
            return
        self._last_due_s = max(next_s, self._now_s + delay_s)
        self._agenda.add(self._last_due_s, lambda: self._simulator.send(command))

    def begin_advance(self, duration_s: float, *, prefetch: bool) -> None:
        """Begin to let time pass, unless something is due on the way."""
        self._report_events()
        self._world_events.apply(self._now_s)
        self._end_s = self._now_s + duration_s
        delay = self._delay
        if delay is not None:
            for arrival_s, taken_s in self._delayed_frames.plan(self._now_s, self._end_s, delay):
                self._agenda.add(taken_s, partial(self._take, arrival_s))
        if not self._agenda and delay is None:
            self._begin_pass(self._end_s, prefetch=prefetch)

    def end_advance(self, while_held: Callable[[], None]) -> None:
        """Wait until the time has passed, and do what is due on the way."""
        while (due := self._agenda.pop_before(self._end_s - TOLERANCE_S)) is not None:
            due_s, action = due
            self._begin_pass(due_s)
            self._simulator.end_advance(while_held)
            action()
        self._begin_pass(self._end_s)
        self._simulator.end_advance(while_held)

    def is_held(self) -> bool:
        """Whether a person holds the time."""
        return self._simulator.is_held()

    def reconnect(self) -> None:
        """Reconnect; a stalled simulator accepts the connection and answers nothing on it."""
        if not self.is_stalled:
            self._simulator.reconnect()

    def take_control(self) -> None:
        """Take control of the vehicle, unless the simulator is stalled."""
        if not self.is_stalled:
            self._simulator.take_control()

    def _report_events(self) -> None:
        """Log the events that begin or end at this time."""
        active = self._active_events()
        if len(active) == len(self._reported) and all(map(operator.is_, active, self._reported)):
            return
        for events, others, verb in (
            (active, self._reported, "begins"),
            (self._reported, active, "ends"),
        ):
            for event in events:
                if not any(event is other for other in others):
                    text = event.model_dump(exclude_none=True, exclude={"at_s", "lasts_s"})
                    logger.info("At %.1f s an event of the script %s: %s.", self._now_s, verb, text)
        self._reported = active

    def _active_events(self) -> list[Event]:
        # An event that begins at the time of a frame is active, whatever the rounding error.
        return [event for event in self._events if event.is_on(self._now_s + TOLERANCE_S)]

    @property
    def is_stalled(self) -> bool:
        """Whether a fault keeps the simulator from answering now."""
        return any(event.stall for event in self._active_events())

    @property
    def _delay(self) -> Delays | None:
        return next((event.delay for event in self._active_events() if event.delay), None)

    def _check_answering(self, method: str) -> None:
        if self.is_stalled:
            raise RpcTimeoutError(f"{method}: no answer, the script has stalled the simulator")

    def _take(self, arrival_s: float) -> None:
        """Take the frame of this moment, which arrives later."""
        if not self.is_stalled:
            frame = self._simulator.read_frame()
            truth = self._simulator.ground_truth()
            self._delayed_frames.add(DelayedFrame(arrival_s, frame, truth))

    def _begin_pass(self, until_s: float, *, prefetch: bool = False) -> None:
        if until_s - self._now_s > TOLERANCE_S:
            duration_s = until_s - self._now_s
            self._now_s = round(until_s, 6)  # sums of tenths would drift
            self._simulator.begin_advance(duration_s, prefetch=prefetch)


class Agenda:
    """Actions by the time at which they are due; of the same time, in the order added."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, due_s: float, action: Callable[[], None]) -> None:
        """Add an action, due at the nearest physics step."""
        due_s = round(due_s / STEP_S) * STEP_S
        heapq.heappush(self._entries, (due_s, next(self._numbers), action))

    def pop_before(self, end_s: float) -> tuple[float, Callable[[], None]] | None:
        """Remove and return time and action of the first entry, if it is due before `end_s`."""
        if not self._entries or self._entries[0][0] >= end_s:
            return None
        due_s, _, action = heapq.heappop(self._entries)
        return due_s, action


@dataclass(frozen=True)
class DelayedFrame:
    """A frame on its way to the pilot."""

    arrival_s: float
    frame: Frame
    truth: GroundTruth | None


class DelayedFrames:
    """The frames on their way to the pilot, in the order in which they were taken.

    Attributes:
        latest: The frame that arrived last; None where frames arrive without delay.
    """

    def __init__(self, rng: np.random.Generator, frame_s: float) -> None:
        self.latest: DelayedFrame | None = None
        self._rng, self._frame_s = rng, frame_s
        self._frames: list[DelayedFrame] = []
        self._planned_to_s = 0.0
        """Up to this arrival time, frames are planned, or arrived without delay."""

    def plan(self, now_s: float, end_s: float, delay: Delays) -> Iterator[tuple[float, float]]:
        """Yield arrival time and time of exposure of the frames that may be taken before `end_s`.

        Frames that arrive later are planned, too: their delay decides when they are taken.
        """
        longest_s = (delay.frames_ms + delay.jitter_ms) / 1e3
        self._planned_to_s = max(self._planned_to_s, end_s - self._frame_s)
        while self._planned_to_s < end_s + longest_s:
            self._planned_to_s += self._frame_s
            delay_s = max(_drawn_s(delay.frames_ms, delay, self._rng), STEP_S)
            yield self._planned_to_s, max(self._planned_to_s - delay_s, now_s)

    def add(self, frame: DelayedFrame) -> None:
        """Add a frame that was just taken."""
        self._frames.append(frame)

    def arrive(self, now_s: float, delay: Delays | None) -> DelayedFrame | None:
        """Return the newest frame that has arrived by now; None where there is no delay."""
        if delay is None:
            self.latest = None
            return None
        arrived = [frame for frame in self._frames if frame.arrival_s <= now_s + TOLERANCE_S]
        if arrived:
            # Drop older frames: they would arrive after a newer one.
            self._frames = self._frames[self._frames.index(arrived[-1]) + 1 :]
            self.latest = arrived[-1]
        return self.latest


def _drawn_s(mean_ms: float, delay: Delays, rng: np.random.Generator) -> float:
    """Draw a delay; a mean of 0 is no delay and draws no number."""
    if mean_ms == 0.0:
        return 0.0
    return max(0.0, mean_ms + delay.jitter_ms * rng.uniform(-1.0, 1.0)) / 1e3
