"""Shows a flight in progress without delaying it.

A process of its own takes entries from a short queue and sends them to the viewer. When a slow or
closed viewer lets the queue fill up, entries are dropped; the flight never waits.
"""

from __future__ import annotations

import logging
import math
import multiprocessing
import os
import queue
import time
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing.queues import Queue
from typing import Any

from followme_uav.config import FlightConfig
from followme_uav.log.entry import FlightEntry
from followme_uav.messages import Solid
from followme_uav.pilot.interface import AnyPilot
from followme_uav.pilot.map_snapshot import MapSnapshot, snapshot_of
from followme_uav.program_log import set_up_child
from followme_uav.recurring import RecurringFault
from followme_uav.view.map_colours import VIEWER_MAP_S
from followme_uav.view.viewer import Kind, Viewer

logger = logging.getLogger(__name__)

QUEUE_ENTRIES = 32
"""About 8 MB of entries at 160x160; three seconds of flight."""
FLUSH_S = 5.0
PARENT_CHECK_S = 1.0
"""Interval at which the process that waits for entries checks that the flight still runs."""
NICENESS = 5
"""Lower priority than the flight, for machines with few cores."""


class LiveView:
    """A viewer that shows entries as they come; a context manager.

    Attributes:
        viewer: The process with the window or the page.
        dropped: Number of entries that the viewer did not get.

    Args:
        kind: A window, or a page for the browser.
        name: Of the flight.
    """

    def __init__(self, kind: Kind, name: str) -> None:
        self.viewer = Viewer(kind)
        self._name = name
        self._pilot: AnyPilot | None = None
        self._map_s = -math.inf
        self.dropped = 0
        self._full = RecurringFault(logger, "entries that the viewer did not get", logging.INFO)
        context = multiprocessing.get_context("spawn")
        self._entries: Queue[Any] = context.Queue(QUEUE_ENTRIES)
        self._process = context.Process(
            target=_send_to_viewer, args=(self._entries, self.viewer.url), daemon=True
        )
        self._process.start()

    def begin(self, config: FlightConfig, solids: Iterable[Solid]) -> None:
        """Pass the flight's configuration and the solids, before the first entry."""
        self._put((config, tuple(solids), self._name))

    def read_maps_of(self, pilot: AnyPilot) -> None:
        """Show the maps that this pilot makes, if it makes any."""
        self._pilot = pilot

    def show(self, entry: FlightEntry) -> None:
        """Put one entry into the queue, or drop it; never waits."""
        self._put((entry, self._next_map(entry.frame.time_s)))

    def finish(self) -> None:
        """Wait until the viewer has the queued entries, three times `FLUSH_S` at most."""
        if not self.viewer.is_open():
            return
        try:
            self._entries.put(None, timeout=FLUSH_S)
        except queue.Full:
            logger.info("The viewer takes no entries; it may lack the end of the flight.")
        self._process.join(2 * FLUSH_S)
        if self._process.is_alive():
            logger.info("The viewer has not taken all entries within %g s.", 2 * FLUSH_S)

    def __enter__(self) -> LiveView:
        return self

    def __exit__(self, *error: object) -> None:
        self._full.close()
        self._entries.cancel_join_thread()
        self._process.terminate()
        self._process.join(FLUSH_S)
        self.viewer.__exit__(*error)

    def _next_map(self, time_s: float) -> MapSnapshot | None:
        """The pilot's map, if the last one is old, and if the viewer will get it."""
        if self._pilot is None or time_s - self._map_s < VIEWER_MAP_S or self._entries.full():
            return None
        self._map_s = time_s
        return snapshot_of(self._pilot)

    def _put(self, item: Any) -> None:
        try:
            self._entries.put_nowait(item)
        except queue.Full:
            self.dropped += 1
            self._full.occurs(time.monotonic(), "The viewer is too slow: an entry is dropped.")
        else:
            self._full.passes(time.monotonic())


def _send_to_viewer(entries: Queue[Any], url: str) -> None:
    """Body of the process: send queued entries to the viewer."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # after Ctrl-C the flight lands and ends this
    set_up_child("viewer")
    os.nice(NICENESS)
    from followme_uav.view.recording import FlightRecording

    queued = iter(lambda: _next(entries), None)
    first = next(queued, None)
    if first is None:
        return
    recording = FlightRecording(*first)
    recording.connect(url)
    for entry, own_map in queued:
        recording.log(entry, own_map)
    recording.finish(FLUSH_S)


def _next(entries: Queue[Any]) -> Any:
    """The next item of the queue; None at the end of the flight, also if it was killed."""
    flight = multiprocessing.parent_process()
    while True:
        with suppress(queue.Empty):
            return entries.get(timeout=PARENT_CHECK_S)
        if flight is None or not flight.is_alive():
            return None
