"""Pausing and advancing the simulator's clock."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any

from followme_uav.errors import SimulatorError
from followme_uav.rpc.connection import SimulatorConnection
from followme_uav.rpc.deadline import SimulationDeadline
from followme_uav.rpc.session import UnknownMethodError, no_answer

logger = logging.getLogger(__name__)

CONTINUE_METHOD = "simContinueForTime"
HELD_METHOD = "simFollowMeIsHeld"
PAUSE_POLL_S = 0.001
REPLY_POLL_S = 0.1


@dataclass(frozen=True)
class _PendingAdvance:
    """An advance of the simulation that has not ended yet."""

    duration_s: float
    reply: Future[Any]


class SimulationTime:
    """Stops, advances and releases the simulator's clock.

    Attributes:
        is_paused: The clock was stopped by this client.
    """

    def __init__(self, connection: SimulatorConnection) -> None:
        self.is_paused = False
        self._connection = connection
        self._advance: _PendingAdvance | None = None
        self._offers_hold = True

    def forget_advance(self) -> None:
        """Do not wait for an advance whose connection is gone."""
        self._advance = None

    def pause(self, paused: bool, deadline_s: float | None = None) -> None:
        """Stop or release the clock; without a deadline `rpc.deadline_s` applies."""
        self._connection.command("simPause", paused, deadline_s=deadline_s)
        self.is_paused = paused

    def begin_advance(self, duration_s: float) -> None:
        """Let a paused simulation run for `duration_s`; `end_advance` waits for the end."""
        reply = self._connection.advance_async(CONTINUE_METHOD, duration_s)
        self._advance = _PendingAdvance(duration_s, reply)

    def end_advance(self, while_held: Callable[[], None]) -> None:
        """Wait until the simulation is paused again; see `AirSimClient.end_advance`."""
        advance, self._advance = self._advance, None
        if advance is None:
            return
        connection, duration_s = self._connection, advance.duration_s
        deadline = SimulationDeadline(
            duration_s + connection.rpc.deadline_s, self.is_held, while_held
        )
        while not wait([advance.reply], REPLY_POLL_S).done:
            if deadline.is_over():
                advance.reply.cancel()
                raise no_answer(CONTINUE_METHOD, connection.address, deadline.timeout_s)
        advance.reply.result()
        self.is_paused = True
        if connection.profile.continue_blocks:
            return
        while not connection.query("simIsPaused"):
            if deadline.is_over():
                raise SimulatorError(
                    f"{connection.address} still runs {deadline.timeout_s:g} s after it was told "
                    f"to run for {duration_s:g} s; fly with --realtime or restart the simulator"
                )
            time.sleep(PAUSE_POLL_S)

    def is_held(self) -> bool:
        """Whether a person holds the clock at the embedded simulator's window."""
        if not self._offers_hold:
            return False
        try:
            return bool(self._connection.query(HELD_METHOD))
        except UnknownMethodError:
            logger.debug("The simulator has no window that could hold its clock.")
            self._offers_hold = False
            return False
