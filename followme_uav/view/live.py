"""Watching a flight while it flies, without the flight noticing.

Entries go through a short queue to a process of its own, which talks to the viewer. A slow or
closed viewer makes the queue full, and then entries are left out; nothing waits for it.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing.queues import Queue
from types import TracebackType
from typing import Any

from followme_uav.config import FlightConfig
from followme_uav.log.entry import FlightEntry
from followme_uav.messages import Solid
from followme_uav.view.viewer import Kind, Viewer

QUEUE_ENTRIES = 32
"""About 8 MB of entries at 160x160; three seconds of flight."""
FLUSH_S = 5.0
LOOK_UP_S = 1.0
"""How often the process that waits for entries looks whether the flight still runs."""
NICENESS = 5
"""The flight goes first where cores are few."""


class LiveView:
    """A viewer that shows entries as they come; a context manager.

    Attributes:
        viewer: the process that a person looks at.
        left_out: how many entries it has not been shown.

    Args:
        kind: a window, or a page for the browser.
        name: of the flight.
    """

    def __init__(self, kind: Kind, name: str) -> None:
        self.viewer = Viewer(kind)
        self._name = name
        self.left_out = 0
        context = multiprocessing.get_context("spawn")
        self._entries: Queue[Any] = context.Queue(QUEUE_ENTRIES)
        self._process = context.Process(
            target=_feed, args=(self._entries, self.viewer.url), daemon=True
        )
        self._process.start()

    def begin(self, config: FlightConfig, solids: Iterable[Solid]) -> None:
        """Tell what flight it is; before the first entry."""
        self._put((config, tuple(solids), self._name))

    def show(self, entry: FlightEntry) -> None:
        """Hand one entry over; never waits."""
        self._put(entry)

    def finish(self) -> None:
        """Wait, for some seconds at most, until the viewer has what was handed over, if it can."""
        if not self.viewer.is_open():
            return
        with suppress(queue.Full):
            self._entries.put(None, timeout=FLUSH_S)
        self._process.join(2 * FLUSH_S)

    def __enter__(self) -> LiveView:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._entries.cancel_join_thread()
        self._process.terminate()
        self._process.join(FLUSH_S)
        self.viewer.__exit__(kind, error, trace)

    def _put(self, item: Any) -> None:
        try:
            self._entries.put_nowait(item)
        except queue.Full:
            self.left_out += 1


def _feed(entries: Queue[Any], url: str) -> None:
    """The process: from the queue to the viewer."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the flight lands first, and then ends us
    os.nice(NICENESS)
    from followme_uav.view.recording import FlightRecording

    handed_over = iter(lambda: _next(entries), None)
    first = next(handed_over, None)
    if first is None:
        return
    recording = FlightRecording(*first)
    recording.connect(url)
    for entry in handed_over:
        recording.log(entry)
    recording.finish(FLUSH_S)


def _next(entries: Queue[Any]) -> Any:
    """What is handed over next; None when no more will be, also because the flight was killed."""
    flight = multiprocessing.parent_process()
    while True:
        with suppress(queue.Empty):
            return entries.get(timeout=LOOK_UP_S)
        if flight is None or not flight.is_alive():
            return None
