"""A deadline that does not count while a person holds the simulator's time."""

from __future__ import annotations

import time
from collections.abc import Callable

POLL_S = 0.5


class Patience:
    """How long to wait for something that takes simulated time.

    Args:
        limit_s: in our time, from now on or from when the time was last seen held.
        is_held: asks the simulator, now and then.
        while_held: called whenever it says so; may raise to give up.
    """

    def __init__(
        self, limit_s: float, is_held: Callable[[], bool], while_held: Callable[[], None]
    ) -> None:
        self.limit_s = limit_s
        self._is_held, self._while_held = is_held, while_held
        self._give_up_s = self._ask_s = 0.0
        self._renew()

    def is_spent(self) -> bool:
        """Whether it is time to give up."""
        now_s = time.monotonic()
        if now_s >= self._ask_s:
            self._ask_s = now_s + POLL_S
            if self._is_held():
                self._while_held()
                self._renew()
        return now_s >= self._give_up_s

    def _renew(self) -> None:
        now_s = time.monotonic()
        self._ask_s = now_s + min(POLL_S, self.limit_s)
        self._give_up_s = now_s + self.limit_s
