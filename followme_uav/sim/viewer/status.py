"""The line of status: simulated time, speed and the state of the vehicle."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

SLOW_SHARE = 0.85
"""Below this share of the requested speed, the reached speed is shown, too."""
STANDSTILL_S = 1.0
_RATE_WINDOW_S = 3.0


@dataclass(frozen=True)
class Status:
    """Content of the line of status."""

    flown_s: float
    """Simulated time since the start."""
    speed: float
    """Requested simulated seconds per second."""
    rate: float | None
    """Measured simulated seconds per second; None while unknown."""
    held: bool
    """The window holds time."""
    standing: bool
    """Time stands still although the window does not hold it: the simulator waits for a client."""
    armed: bool
    landed: bool
    height_m: float
    speed_mps: float
    api_control: bool

    @property
    def is_slow(self) -> bool:
        """The machine does not reach the requested speed."""
        is_passing = not self.held and not self.standing
        return is_passing and self.rate is not None and self.rate < SLOW_SHARE * self.speed


class RateMeter:
    """Measures how fast simulated time passes."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque()
        self._moved_s = -math.inf

    def update(self, wall_s: float, simulated_s: float) -> tuple[float | None, bool]:
        """Add a sample.

        Args:
            wall_s: Wall-clock time.
            simulated_s: Simulated time; may jump back at a reset.

        Returns:
            The rate over the last seconds, None while they are too few, and whether simulated time
            has stood still for `STANDSTILL_S`.
        """
        samples = self._samples
        if not samples or simulated_s != samples[-1][1]:
            self._moved_s = wall_s
        if samples and simulated_s < samples[-1][1]:
            samples.clear()
        samples.append((wall_s, simulated_s))
        while wall_s - samples[0][0] > _RATE_WINDOW_S:
            samples.popleft()
        span_s = wall_s - samples[0][0]
        rate = (simulated_s - samples[0][1]) / span_s if span_s >= 0.5 * _RATE_WINDOW_S else None
        return rate, wall_s - self._moved_s >= STANDSTILL_S

    def clear(self) -> None:
        """Drop all samples, because the requested speed has changed."""
        self._samples.clear()
