"""Durations as whole time steps, without losing what is left over."""

from __future__ import annotations

from fractions import Fraction


class WholeSteps:
    """Turns one duration after the other into steps; the remainder counts towards the next one.

    Durations are added up exactly, as fractions, because an error of rounding in each of them
    would add up to a step sooner or later.

    Args:
        step_ns: length of a step in nanoseconds.
    """

    def __init__(self, step_ns: int) -> None:
        self._steps_per_s = Fraction(1_000_000_000, step_ns)
        self._left_steps = Fraction(0)

    def take(self, duration_s: float) -> int:
        """Steps to make for a duration of 0 or more seconds.

        However often it is called, all steps together differ from all durations together by half a
        step at most.

        Args:
            duration_s: finite.
        """
        wanted_steps = self._left_steps + Fraction(duration_s) * self._steps_per_s
        steps = round(wanted_steps)
        self._left_steps = wanted_steps - steps
        return steps

    def clear(self) -> None:
        """Forget the remainder."""
        self._left_steps = Fraction(0)
