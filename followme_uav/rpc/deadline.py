"""A deadline that is extended while a person holds the simulator's clock."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_S = 0.5


class SimulationDeadline:
    """The deadline of something that takes simulated time.

    Args:
        timeout_s: Wall-clock time, from now on or from the last time that the clock was held.
        is_held: Asks the simulator whether its clock is held; called every `POLL_S`.
        while_held: Called when the clock is held; may raise to cancel the wait.
    """

    def __init__(
        self, timeout_s: float, is_held: Callable[[], bool], while_held: Callable[[], None]
    ) -> None:
        self.timeout_s = timeout_s
        self._is_held, self._while_held = is_held, while_held
        self._deadline_s = self._next_poll_s = 0.0
        self._restart()

    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        now_s = time.monotonic()
        if now_s >= self._next_poll_s:
            self._next_poll_s = now_s + POLL_S
            if self._is_held():
                self._while_held()
                self._restart()
        return now_s >= self._deadline_s

    def _restart(self) -> None:
        now_s = time.monotonic()
        self._next_poll_s = now_s + min(POLL_S, self.timeout_s)
        self._deadline_s = now_s + self.timeout_s
