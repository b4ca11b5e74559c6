"""The connections of an RPC server. All of it runs on the server's asyncio loop.

Each connection hands its requests to their handlers in order of arrival. A handler answers at once
or returns a `concurrent.futures.Future`; until that completes, all other requests go on.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any

from followme_uav.rpc.handlers import Dispatcher, HandlerError
from followme_uav.rpc.wire import (
    SERVER_LIMITS,
    Decoder,
    Message,
    Notification,
    Request,
    Response,
    WireError,
    WireLimits,
    encode_response,
    structs_as_arrays,
)

logger = logging.getLogger(__name__)

MAX_MESSAGES_PER_TURN = 32
"""Messages of one connection that are handled before the other connections are served."""
MAX_UNFINISHED_BYTES = 2 * 2**20
"""Incomplete messages of all connections; decoded objects take a multiple of that in memory."""
WRITE_BYTES = 2**20
"""Answers that are ready together go out in one write, up to about this size."""
WARNING_PERIOD_S = 1.0
MAX_LOGGED = 200
"""Characters of a client's text in the log."""


@dataclass(frozen=True)
class ServerLimits:
    """Limits of a server; see `RpcServer` for each."""

    message: WireLimits = SERVER_LIMITS
    max_connections: int = 256
    max_in_flight: int = 256
    max_outgoing_bytes: int = 64 * 2**20


class Connections:
    """The open connections of one server, and their shared limits.

    Attributes:
        open: the open connections.

    Args:
        dispatcher: calls the handlers.
        loop: the server's loop.
        limits: limits of each connection and of all together.
        array_structs: send maps as arrays of their values, as Colosseum does.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        loop: asyncio.AbstractEventLoop,
        limits: ServerLimits,
        *,
        array_structs: bool,
    ) -> None:
        self.dispatcher = dispatcher
        self.loop = loop
        self.limits = limits
        self.array_structs = array_structs
        self.open: set[Connection] = set()
        self._finished: deque[tuple[Connection, int, str, Future[Any]]] = deque()
        self._holding = self._woken = False
        self._next_warning_s = 0.0
        self._suppressed = 0

    def make(self) -> asyncio.Protocol:
        """The protocol of a new connection."""
        return Connection(self)

    def finished(self, connection: Connection, msgid: int, method: str, call: Future[Any]) -> None:
        """Take a call whose Future is complete; callable on any thread."""
        self._finished.append((connection, msgid, method, call))
        if not self._holding:
            self._wake()

    def hold(self, holding: bool) -> None:
        """Keep the answers of completed calls until this is called with False; on any thread."""
        self._holding = holding
        if self._finished and not holding:
            self._wake()

    def _wake(self) -> None:
        """Let the loop send the answers of completed calls, unless it is about to."""
        if self._woken:
            return
        self._woken = True
        try:
            self.loop.call_soon_threadsafe(self._answer_finished)
        except RuntimeError:
            logger.debug("%d calls finished after the server had stopped", len(self._finished))

    def _answer_finished(self) -> None:
        self._woken = False  # first: a call that is appended from now on wakes the loop again
        answered: dict[Connection, None] = {}
        while self._finished:
            connection, msgid, method, call = self._finished.popleft()
            connection.finish(msgid, method, call)
            answered[connection] = None
        for connection in answered:
            connection.flush()

    def warn(self, text: str, *details: object) -> None:
        """Log a client's misbehaviour, at most once a second: no client can fill the disk."""
        now_s = time.monotonic()
        if now_s < self._next_warning_s:
            self._suppressed += 1
            return
        more = f" (and {self._suppressed} similar warnings)" if self._suppressed else ""
        logger.warning(text + more, *details)
        self._next_warning_s, self._suppressed = now_s + WARNING_PERIOD_S, 0

    def enforce_memory_limits(self) -> None:
        """Close the connection that takes most memory if all together exceed a limit."""
        for size, limit, what in (
            (Connection.unread_bytes, self.limits.max_outgoing_bytes, "its replies are not read"),
            (Connection.unfinished_bytes, MAX_UNFINISHED_BYTES, "its message does not end"),
        ):
            if sum(map(size, self.open)) > limit:
                self.warn("connection closed: %s", what)
                max(self.open, key=size).abort()

    def abort_all(self) -> None:
        """Close every connection."""
        for connection in list(self.open):
            connection.abort()


class Connection(asyncio.Protocol):
    """The connection of one client.

    All methods run on the server's thread.
    """

    def __init__(self, all_connections: Connections) -> None:
        self._all = all_connections
        self._decoder = Decoder(all_connections.limits.message)
        self._transport: asyncio.Transport | None = None
        self._in_flight = 0
        self._messages: Iterator[Message] = iter(())
        self._answers: list[bytes] = []
        """Answers that `flush` sends together."""
        self._answers_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Add the connection, or close it if too many are open."""
        self._transport = transport  # type: ignore[assignment]
        # asyncio sets it only for sockets that name their protocol; without it, the last of several
        # answers waits 40 ms for the acknowledgement of the others.
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self._all.open) >= self._all.limits.max_connections:
            self._all.warn("connection refused: %d are open", len(self._all.open))
            self.abort()
            return
        self._all.open.add(self)
        logger.debug("A client has connected; %d connections are open.", len(self._all.open))

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the connection."""
        self._transport = None
        self._all.open.discard(self)
        cause = "" if exc is None else f" ({exc})"
        logger.debug("A connection has ended%s; %d are open.", cause, len(self._all.open))

    def data_received(self, data: bytes) -> None:
        """Decode and handle messages."""
        self._messages = self._decoder.feed(data)
        self._handle_messages()

    def unread_bytes(self) -> int:
        """Size of the answers that the client has not read yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def unfinished_bytes(self) -> int:
        """Size of the received part of an incomplete message."""
        return 0 if self._transport is None else self._decoder.pending_bytes

    def abort(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def _handle_messages(self) -> None:
        """Handle some of the received messages; the others after those of other connections."""
        if self._transport is None:
            return
        try:
            for count, message in enumerate(self._messages, start=1):
                self._handle(message)
                if self._transport is None:
                    return
                if count == MAX_MESSAGES_PER_TURN:
                    self.flush()
                    if self._transport is None:
                        return
                    self._transport.pause_reading()
                    asyncio.get_running_loop().call_soon(self._handle_messages)
                    return
        except WireError as error:
            self._all.warn("connection closed: %s", error)
            self.flush()
            self.abort()
            return
        self.flush()
        if self._transport is None:
            return
        self._transport.resume_reading()
        if self._decoder.pending_bytes:
            self._all.enforce_memory_limits()

    def _handle(self, message: Request | Response | Notification) -> None:
        match message:
            case Request(msgid, method, params):
                self._answer_call(msgid, method, params)
            case Notification(method, params):
                try:
                    self._all.dispatcher.dispatch(method, params)
                except HandlerError as error:
                    self._all.warn("notification failed: %s", ascii(str(error)[:MAX_LOGGED]))
            case Response():
                raise WireError("a client sent a response")

    def _answer_call(self, msgid: int, method: str, params: list[Any]) -> None:
        try:
            result = self._all.dispatcher.dispatch(method, params)
        except HandlerError as error:
            self._reply(msgid, method, str(error), None)
            return
        if not isinstance(result, Future):
            self._reply(msgid, method, None, result)
            return
        max_in_flight = self._all.limits.max_in_flight
        if self._in_flight >= max_in_flight:
            raise WireError(f"more than {max_in_flight} unanswered requests")
        self._in_flight += 1
        result.add_done_callback(lambda future: self._all.finished(self, msgid, method, future))

    def finish(self, msgid: int, method: str, call: Future[Any]) -> None:
        """Answer a call whose Future is complete; `flush` sends it."""
        self._in_flight -= 1
        try:
            error = call.exception()
        except CancelledError as cancelled:
            error = cancelled
        if error is not None:
            self._reply(msgid, method, str(self._all.dispatcher.failure(method, error)), None)
        else:
            self._reply(msgid, method, None, call.result())

    def _reply(self, msgid: int, method: str, error: str | None, result: Any) -> None:
        if self._transport is None:
            return
        if self._all.array_structs:
            result = structs_as_arrays(result)
        try:
            data = encode_response(msgid, error, result)
        except WireError as problem:
            data = encode_response(msgid, str(self._all.dispatcher.failure(method, problem)), None)
        self._answers.append(data)
        self._answers_bytes += len(data)
        if self._answers_bytes > WRITE_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send the answers that are ready."""
        answers, self._answers, self._answers_bytes = self._answers, [], 0
        if self._transport is None or not answers:
            return
        self._transport.write(b"".join(answers) if len(answers) > 1 else answers[0])
        if self._transport.get_write_buffer_size():
            self._all.enforce_memory_limits()
