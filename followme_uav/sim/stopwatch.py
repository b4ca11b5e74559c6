"""Counts how long the parts of the simulation take, for `fly --timings`."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Wall-clock seconds of each part; a part within another one does not count for the outer one.

    Attributes:
        seconds: By name of the part, since the start.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._running: list[str] = []
        self._since_s = 0.0

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        """Count the time of the block; on one thread only."""
        self._count()
        self._running.append(part)
        try:
            yield
        finally:
            self._count()
            self._running.pop()

    def _count(self) -> None:
        now_s = time.perf_counter()
        if self._running:
            self.seconds[self._running[-1]] += now_s - self._since_s
        self._since_s = now_s
