"""Faults that may last: one line in the program log when they begin, one when they end."""

from __future__ import annotations

import logging

QUIET_S = 1.0
"""A fault that has not occurred for so long is over."""


class RecurringFault:
    """A fault of one kind, such as frames without an image.

    Lines in between have the level DEBUG, so that a fault of every frame does not fill the log.

    Args:
        log: The logger of the module that detects the fault.
        count: The thing that is counted, for the last line: "frames without an image".
        level: Level of the first and the last line.
        quiet_s: The fault is over when it has not occurred for so long.
    """

    def __init__(
        self,
        log: logging.Logger,
        count: str,
        level: int = logging.WARNING,
        quiet_s: float = QUIET_S,
    ) -> None:
        self._log, self._level = log, level
        self._name, self._quiet_s = count, quiet_s
        self._count = 0
        self._first_s = self._last_s = 0.0

    def occurs(self, now_s: float, text: str, *details: object) -> None:
        """Report the fault at a time of any clock; `details` are inserted as `logging` does."""
        level = logging.DEBUG if self._count else self._level
        if not self._count:
            self._first_s = now_s
        self._last_s = now_s
        self._count += 1
        self._log.log(level, text, *details)

    def passes(self, now_s: float) -> None:
        """Report that the fault does not occur now."""
        if self._count and now_s - self._last_s >= self._quiet_s:
            self._end("none since")

    def close(self) -> None:
        """Report the number of a fault that lasts until the end of the work."""
        if self._count > 1:  # the first line says all about a single one
            self._end("until the end")
        self._count = 0

    def _end(self, when: str) -> None:
        lasted_s = self._last_s - self._first_s
        self._log.log(self._level, "%s: %d in %.1f s, %s", self._name, self._count, lasted_s, when)
        self._count = 0
