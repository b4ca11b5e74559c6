"""Stands between the flight loop and the simulator and lets a script's events happen.

All of it goes by simulated time and by the seed, so a flight is the same every time. Delays split
an `advance` where a frame is taken or a command falls due; the physics step is the grain.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

import numpy as np

from followme_uav.config import FlightConfig
from followme_uav.errors import RpcTimeoutError
from followme_uav.flight.fly import SimulatorWrapper
from followme_uav.flight.loop import Simulator
from followme_uav.messages import Command, Frame, GroundTruth
from followme_uav.rpc.world import WorldConnection
from followme_uav.scenario.script.events import Delays, Event

GRAIN_S = 0.005
"""Simulated time passes in steps of this."""


@dataclass(frozen=True)
class Late:
    """A frame on its way to the pilot."""

    comes_s: float
    frame: Frame
    truth: GroundTruth | None


class World(Protocol):
    """What events need of `rpc.world.WorldConnection`."""

    def set_wind(self, north_mps: float, east_mps: float) -> None: ...  # noqa: D102

    def move(  # noqa: D102
        self, who: str, north_m: float, east_m: float, heading_rad: float
    ) -> None: ...

    def set_hour(self, hour_h: float) -> None: ...  # noqa: D102

    def set_weather(self, **amounts: float) -> None: ...  # noqa: D102


def stage_for(events: Sequence[Event], seed: int) -> SimulatorWrapper:
    """For `FlightPlan.wrap_simulator`."""

    @contextmanager
    def make(simulator: Simulator, config: FlightConfig) -> Iterator[Simulator]:
        world = WorldConnection(config.simulator, config.rpc)
        try:
            yield Stage(simulator, world, events, seed, 1.0 / config.camera.rate_hz)
        finally:
            world.close()

    return make


class Stage:
    """A simulator in which the events happen; behind the protocol of the loop.

    Args:
        simulator: the one it stands before.
        world: where wind, light and people are changed.
        events: what happens.
        seed: of losses and jitter.
        frame_s: time between two frames.
    """

    def __init__(
        self,
        simulator: Simulator,
        world: World,
        events: Sequence[Event],
        seed: int,
        frame_s: float,
    ) -> None:
        self._simulator, self._world, self._events = simulator, world, events
        self._frame_s = frame_s
        self._drop_rng, self._frame_rng, self._command_rng = (
            np.random.default_rng([seed, purpose]) for purpose in (11, 12, 13)
        )
        self._now_s = self._end_s = 0.0
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._wind_mps = (0.0, 0.0)
        self._planned_to_s = 0.0
        """Frames that are delivered until then are planned, or are taken as they are asked for."""
        self._under_way: list[Late] = []
        """In the order in which they were taken."""
        self._shown: Late | None = None
        """The frame that came last, if it came late."""
        self._last_due_s = 0.0
        self._to_come = sorted(
            (e for e in events if e.move or e.light), key=lambda event: event.at_s
        )

    def read_frame(self) -> Frame:
        """The newest frame that has come; without its image when that was lost."""
        self._answer("getMultirotorState")
        self._shown = self._newest()
        frame = self._simulator.read_frame() if self._shown is None else self._shown.frame
        share = 1.0 - math.prod(1.0 - e.drop_frames.share for e in self._on() if e.drop_frames)
        is_lost = share > 0.0 and self._drop_rng.random() < share
        return replace(frame, rgb=None) if is_lost else frame

    def ground_truth(self) -> GroundTruth | None:
        """What really was at that frame."""
        self._answer("simFollowMeGroundTruth")
        return self._simulator.ground_truth() if self._shown is None else self._shown.truth

    def send(self, command: Command) -> None:
        """At once, or when the delay is over; never before an earlier one."""
        self._answer("moveByVelocity")
        late_s = self._late_s(self._command_rng, lambda delay: delay.commands_ms)
        if late_s == 0.0 and self._last_due_s <= self._now_s:
            self._simulator.send(command)
            return
        self._last_due_s = max(self._last_due_s, self._now_s + late_s)
        self._plan(self._last_due_s, lambda: self._simulator.send(command))

    def begin_advance(self, duration_s: float, *, prefetch: bool) -> None:
        """Let time pass, at once unless something is to happen on the way."""
        self._happen()
        self._end_s = self._now_s + duration_s
        self._plan_frames(self._end_s)
        if not self._agenda and self._delay is None:
            self._begin_pass(self._end_s, prefetch=prefetch)

    def end_advance(self, while_held: Callable[[], None]) -> None:
        """Until the end of it; what is due happens at its time."""
        while self._agenda and self._agenda[0][0] < self._end_s - GRAIN_S / 2:
            due_s, _, action = heapq.heappop(self._agenda)
            self._begin_pass(due_s)
            self._simulator.end_advance(while_held)
            action()
        self._begin_pass(self._end_s)
        self._simulator.end_advance(while_held)

    def is_held(self) -> bool:
        """Whether a person holds the time."""
        return self._simulator.is_held()

    def reconnect(self) -> None:
        """A stalled simulator takes the connection and answers nothing on it."""
        if not self._is_stalled:
            self._simulator.reconnect()

    def take_control(self) -> None:
        """Of the vehicle."""
        if not self._is_stalled:
            self._simulator.take_control()

    def _on(self) -> list[Event]:
        # Half a grain on: what begins at the very time of a frame is on, whatever floats say.
        return [event for event in self._events if event.is_on(self._now_s + GRAIN_S / 2)]

    @property
    def _is_stalled(self) -> bool:
        return any(event.stall for event in self._on())

    @property
    def _delay(self) -> Delays | None:
        return next((event.delay for event in self._on() if event.delay), None)

    def _answer(self, method: str) -> None:
        if self._is_stalled:
            raise RpcTimeoutError(f"{method}: no answer, the script has stalled the simulator")

    def _late_s(self, rng: np.random.Generator, which: Callable[[Delays], float]) -> float:
        delay = self._delay
        if delay is None or which(delay) == 0.0:
            return 0.0
        return max(0.0, which(delay) + delay.jitter_ms * rng.uniform(-1.0, 1.0)) / 1e3

    def _plan(self, due_s: float, action: Callable[[], None]) -> None:
        due_s = round(due_s / GRAIN_S) * GRAIN_S
        heapq.heappush(self._agenda, (due_s, next(self._numbers), action))

    def _plan_frames(self, end_s: float) -> None:
        """Find out when the frames that come from now on are taken; some of them before `end_s`."""
        if self._delay is None:
            return
        longest_s = (self._delay.frames_ms + self._delay.jitter_ms) / 1e3
        self._planned_to_s = max(self._planned_to_s, end_s - self._frame_s)
        while self._planned_to_s < end_s + longest_s:
            self._planned_to_s += self._frame_s
            late_s = max(self._late_s(self._frame_rng, lambda d: d.frames_ms), GRAIN_S)
            taken_s = max(self._planned_to_s - late_s, self._now_s)
            self._plan(taken_s, partial(self._take, self._planned_to_s))

    def _take(self, comes_s: float) -> None:
        """Keep the frame of this very moment until it comes."""
        if not self._is_stalled:
            frame = self._simulator.read_frame()
            self._under_way.append(Late(comes_s, frame, self._simulator.ground_truth()))

    def _newest(self) -> Late | None:
        """The newest late frame that is here by now; None where frames come without delay."""
        if self._delay is None:
            return None
        come = [late for late in self._under_way if late.comes_s <= self._now_s + GRAIN_S / 2]
        if not come:
            return self._shown
        # An older one that comes after a newer one is of no use.
        self._under_way = self._under_way[self._under_way.index(come[-1]) + 1 :]
        return come[-1]

    def _begin_pass(self, until_s: float, *, prefetch: bool = False) -> None:
        if until_s - self._now_s > GRAIN_S / 2:
            duration_s = until_s - self._now_s
            self._now_s = round(until_s, 6)  # else tenths would not add up
            self._simulator.begin_advance(duration_s, prefetch=prefetch)

    def _happen(self) -> None:
        """What changes in the world now."""
        while self._to_come and self._to_come[0].at_s <= self._now_s + GRAIN_S / 2:
            event = self._to_come.pop(0)
            if event.move is not None:
                move = event.move
                self._world.move(move.who, *move.to_m, math.radians(move.heading_deg))
            if event.light is not None:
                amounts = event.light.model_dump(exclude_none=True)
                hour_h = amounts.pop("hour_h", None)
                if hour_h is not None:
                    self._world.set_hour(hour_h)
                if amounts:
                    self._world.set_weather(**amounts)
        shares = [event.wind_mps(self._now_s) for event in self._events if event.gust]
        wind_mps = (sum(north for north, _ in shares), sum(east for _, east in shares))
        if wind_mps != self._wind_mps:
            self._wind_mps = wind_mps
            self._world.set_wind(*wind_mps)
