"""Adds up where the time of a flight's turns goes: one turn is one frame of the loop."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from followme_uav.log.entry import LoopTimings


@dataclass(frozen=True)
class TurnTimes:
    """Mean wall-clock milliseconds of a turn, by part."""

    loop_ms: Mapping[str, float] = field(default_factory=dict)
    """Of the flight loop; the parts add up to the whole turn."""
    simulator_ms: Mapping[str, float] = field(default_factory=dict)
    """Of the embedded simulator, which works while the loop waits; empty for other simulators."""


class TurnClock:
    """Sums of the loop's timings."""

    def __init__(self) -> None:
        self._sums_ms: defaultdict[str, float] = defaultdict(float)
        self._turns = 0

    def add(self, timings: LoopTimings) -> None:
        """Take the next turn."""
        self._turns += 1
        self._sums_ms["wait for state and images"] += timings.receive_ms
        self._sums_ms["network"] += timings.segment_ms
        self._sums_ms["pilot"] += timings.decide_ms
        self._sums_ms["send the command"] += timings.send_ms
        self._sums_ms["log"] += timings.log_ms

    def result(self, wall_s: float, simulator_s: Mapping[str, float]) -> TurnTimes:
        """The means.

        Args:
            wall_s: Duration of all turns.
            simulator_s: Seconds of each part of the simulator.
        """
        turns = max(self._turns, 1)
        loop_ms = {part: total / turns for part, total in self._sums_ms.items()}
        rest_ms = 1e3 * wall_s / turns - sum(loop_ms.values())
        loop_ms["advance the world, ground truth, metrics"] = max(rest_ms, 0.0)
        parts = sorted(simulator_s.items(), key=lambda part: -part[1])
        return TurnTimes(loop_ms, {part: 1e3 * seconds / turns for part, seconds in parts})
