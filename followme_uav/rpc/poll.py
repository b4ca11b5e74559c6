"""A question asked about once a second and never waited for, so that no frame is later for it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from followme_uav.errors import RpcError

PERIOD_NS = 1_000_000_000
"""Between two questions, by the simulator's clock."""


class Poll:
    """Asks one question again and again.

    Args:
        ask: Sends the question.
    """

    def __init__(self, ask: Callable[[], Future[Any]]) -> None:
        self._ask = ask
        self._call: Future[Any] | None = None
        self._asked_ns: int | None = None

    def begin(self) -> None:
        """Forget what was asked; the next question comes a period after the next frame."""
        self._call = self._asked_ns = None

    def answer(self, now_ns: int) -> Any:
        """The newest answer, None without one; asks again when it is time.

        A simulator that does not know the question is asked in vain; a broken connection is
        noticed elsewhere.
        """
        if self._asked_ns is None:
            self._asked_ns = now_ns
        call, result = self._call, None
        if call is not None and call.done():
            self._call = None
            try:
                result = call.result()
            except RpcError:
                result = None
        if self._call is None and abs(now_ns - self._asked_ns) >= PERIOD_NS:
            self._asked_ns = now_ns
            self._call = self._ask()
        return result
