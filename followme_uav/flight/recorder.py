"""Records the entries of a flight: metrics, log, and the person who watches."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

from followme_uav.config import FlightConfig
from followme_uav.errors import LogError
from followme_uav.flight.metrics import MetricsAccumulator
from followme_uav.flight.turn_times import TurnClock
from followme_uav.log.entry import FlightEntry
from followme_uav.log.writer import FlightLogWriter

logger = logging.getLogger(__name__)

Watch = Callable[[FlightEntry, MetricsAccumulator], None]
"""Called after every iteration of the loop: a status line, a viewer."""


class FlightRecorder:
    """Passes each entry to metrics, log and watcher.

    Attributes:
        metrics: Of the flight so far.
        turns: Sums of the loop's timings.
        log_error: Why the log is incomplete; None while it is complete.

    Args:
        config: The flight's configuration.
        log: The writer of the log; None logs nothing.
        watch: Called with each entry.
        end_after_following_s: The flight is to end so long after the hero was first followed.
    """

    def __init__(
        self,
        config: FlightConfig,
        log: FlightLogWriter | None,
        watch: Watch | None,
        end_after_following_s: float | None,
    ) -> None:
        self.metrics = MetricsAccumulator(config)
        self.turns = TurnClock()
        self.log_error: LogError | None = None
        self._log, self._watch = log, watch
        self._end_after_s = end_after_following_s or math.inf

    def record(self, entry: FlightEntry) -> None:
        """Take the next entry."""
        self.metrics.add(entry)
        self.turns.add(entry.timings)
        if self._log is not None and self.log_error is None:
            try:
                self._log.write(entry)
            except LogError as error:  # the vehicle must land first
                logger.warning("The vehicle lands, because its log cannot be written: %s", error)
                self.log_error = error
        if self._watch is not None:
            self._watch(entry, self.metrics)

    @property
    def wants_landing(self) -> bool:
        """The log cannot be written, or the hero was followed long enough."""
        has_followed = self.metrics.since_acquired_s >= self._end_after_s
        return self.log_error is not None or has_followed

    def close_log(self) -> None:
        """Finish the log after the flight; an error is kept, as the summary is still of use."""
        if self._log is not None and self.log_error is None:
            try:
                self._log.close()
            except LogError as error:
                self.log_error = error
