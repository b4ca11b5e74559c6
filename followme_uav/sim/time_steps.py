"""Conversion of durations to whole time steps, without loss of the remainders."""

from __future__ import annotations

from fractions import Fraction


class WholeSteps:
    """Converts successive durations to steps; each remainder counts towards the next duration.

    Durations are added exactly, as fractions, because their rounding errors would add up to a step.

    Args:
        step_ns: length of a step in nanoseconds.
    """

    def __init__(self, step_ns: int) -> None:
        self._steps_per_s = Fraction(1_000_000_000, step_ns)
        self._left_steps = Fraction(0)

    def take(self, duration_s: float) -> int:
        """Convert a duration to a number of steps.

        The sum of all steps differs from the sum of all durations by half a step at most, after any
        number of calls.

        Args:
            duration_s: finite, 0 or more.
        """
        wanted_steps = self._left_steps + Fraction(duration_s) * self._steps_per_s
        steps = round(wanted_steps)
        self._left_steps = wanted_steps - steps
        return steps

    def clear(self) -> None:
        """Drop the remainder."""
        self._left_steps = Fraction(0)
