"""A query that is sent about once a second and never waited for, so that it delays no frame."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from followme_uav.errors import RpcError
from followme_uav.recurring import RecurringFault

logger = logging.getLogger(__name__)

PERIOD_NS = 1_000_000_000
"""Between two queries, by the simulator's clock."""


class Poll:
    """Sends one query periodically.

    Args:
        query: Sends the query.
    """

    def __init__(self, query: Callable[[], Future[Any]]) -> None:
        self._query = query
        self._call: Future[Any] | None = None
        self._sent_ns: int | None = None
        self._failures = RecurringFault(logger, "regular queries without an answer", logging.INFO)

    def restart(self) -> None:
        """Drop a pending reply; the next query is sent one period after the next frame."""
        self._call = self._sent_ns = None

    def reply(self, now_ns: int) -> Any:
        """Return the newest reply, None without one; send the next query when it is due.

        Errors are only logged: a simulator may not offer the method, and other calls report a
        broken connection.
        """
        if self._sent_ns is None:
            self._sent_ns = now_ns
        call, result = self._call, None
        if call is not None and call.done():
            self._call = None
            try:
                result = call.result()
            except RpcError as error:
                self._failures.occurs(now_ns / 1e9, "A regular query is not answered: %s", error)
                result = None
            else:
                self._failures.passes(now_ns / 1e9)
        if self._call is None and abs(now_ns - self._sent_ns) >= PERIOD_NS:
            self._sent_ns = now_ns
            self._call = self._query()
        return result
