"""A MessagePack-RPC server that answers as rpclib, the library inside AirSim, does.

It runs an asyncio loop in a thread of its own. Each connection's requests are handed to their
handlers in order of arrival, on that thread. A handler answers at once or returns a
`concurrent.futures.Future`; until that completes, every other request goes on.

    server = RpcServer({"ping": lambda: True}, port=41451)
    server.start()
    ...
    server.stop()
"""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from typing import Any

from followme_uav.errors import ConfigError, EnvironmentSetupError
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

log = logging.getLogger(__name__)

Handler = Callable[..., Any]
"""Takes the call's positional parameters; returns the result or a concurrent Future of it."""

MAX_TURN = 32
"""Messages of one connection before the others have their turn."""
MAX_UNFINISHED_BYTES = 2 * 2**20
"""Of all connections' messages that are not complete; they take many times that as objects."""
COMPLAINT_PERIOD_S = 1.0

_MAX_PORT = 65535

START_DEADLINE_S = 10.0
STOP_DEADLINE_S = 1.0


class HandlerError(Exception):
    """Raise in a handler to refuse a call; the text is what the client gets to read."""


class BadCastError(HandlerError):
    """A parameter has the wrong type. Worded as rpclib words it, and then what was expected."""

    def __init__(self, expected: str = "") -> None:
        super().__init__(f"std::bad_cast: {expected}" if expected else "std::bad_cast")


class RpcServer:
    """Serves the given methods, and no others, to any number of clients up to a limit.

    Args:
        handlers: Method name to function. Parameters are positional and their number must match.
        host: Address to listen on; loopback unless the caller insists by writing another out.
        port: 0 picks a free one, see `address`.
        limits: Of one incoming message; a connection that exceeds them is closed.
        max_connections: Further connections are closed as they come.
        max_in_flight: Unanswered requests one connection may have before it is closed.
        max_outgoing_bytes: Waiting for clients that do not read; beyond, the worst is disconnected.
        array_structs: Send maps as arrays of their values, as Colosseum does.

    Raises:
        ValueError: A handler takes a variable number of parameters.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        limits: WireLimits = SERVER_LIMITS,
        max_connections: int = 256,
        max_in_flight: int = 256,
        max_outgoing_bytes: int = 64 * 2**20,
        array_structs: bool = False,
    ) -> None:
        self._handlers = {
            name: (handler, _arity(name, handler)) for name, handler in handlers.items()
        }
        self._wanted = (host, port)
        self.limits = limits
        self.max_connections = max_connections
        self.max_in_flight = max_in_flight
        self.max_outgoing_bytes = max_outgoing_bytes
        self.array_structs = array_structs
        self.connections: set[_Connection] = set()
        self._quiet_until_s = 0.0
        self._unsaid = 0
        self.loop: asyncio.AbstractEventLoop | None = None
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._address = self._wanted

    @property
    def address(self) -> tuple[str, int]:
        """Host and port; the real port once started."""
        return self._address

    def start(self) -> None:
        """Listen and serve, without blocking.

        Raises:
            ConfigError: The address is none that may be listened on, see `check_listen_address`.
            EnvironmentSetupError: The address cannot be used, for example the port is taken.
        """
        if self._thread is not None:
            raise RuntimeError("the server runs already")
        self._listener = _listen(*self._wanted)
        self._address = self._listener.getsockname()[:2]
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(ready,), name="rpc-server", daemon=True
        )
        self._thread.start()
        if not ready.wait(START_DEADLINE_S):
            raise EnvironmentSetupError(f"the server thread did not start in {START_DEADLINE_S} s")

    def stop(self) -> None:
        """Disconnect everybody and end the thread; harmless when not running."""
        thread, loop = self._thread, self.loop
        if thread is None or loop is None:
            return
        self._thread = None
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(STOP_DEADLINE_S)

    def dispatch(self, method: str, params: list[Any]) -> Any:
        """Call a handler: its result or Future.

        Raises:
            HandlerError: No such method, a wrong number of parameters, or the handler failed;
                worded as rpclib words it.
        """
        if method not in self._handlers:
            raise HandlerError(
                f"rpclib: server could not find function '{method}' "
                f"with argument count {len(params)}."
            )
        handler, arity = self._handlers[method]
        if len(params) != arity:
            # rpclib prints the two numbers swapped, and clients may have learnt to read that.
            raise HandlerError(
                f"rpclib: client error C0002: Function '{method}' was called with an invalid "
                f"number of arguments. Expected: {len(params)}, got: {arity}"
            )
        try:
            return handler(*params)
        except Exception as error:
            raise _worded(method, arity, error) from error

    def complain(self, text: str, *details: object) -> None:
        """Log that a client misbehaves; seldom enough that none can fill a disk with it."""
        now_s = time.monotonic()
        if now_s < self._quiet_until_s:
            self._unsaid += 1
            return
        more = f" (and {self._unsaid} more times something like it)" if self._unsaid else ""
        log.warning(text + more, *details)
        self._quiet_until_s, self._unsaid = now_s + COMPLAINT_PERIOD_S, 0

    def relieve(self) -> None:
        """Hang up on whoever takes most of the memory, where all together take too much."""
        for size, limit, what in (
            (_Connection.unread_bytes, self.max_outgoing_bytes, "its replies are not read"),
            (_Connection.unfinished_bytes, MAX_UNFINISHED_BYTES, "its message does not end"),
        ):
            if sum(map(size, self.connections)) > limit:
                self.complain("connection closed: %s", what)
                max(self.connections, key=size).abort()

    def failure(self, method: str, error: BaseException) -> HandlerError:
        """The error to send when the Future of a call to `method` failed."""
        return _worded(method, self._handlers[method][1], error)

    def _run(self, ready: threading.Event) -> None:
        loop = self.loop
        assert loop is not None and self._listener is not None  # noqa: S101 - set by start()
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(
            loop.create_server(lambda: _Connection(self), sock=self._listener)
        )
        loop.call_soon(ready.set)
        try:
            loop.run_forever()
        finally:
            server.close()
            for connection in list(self.connections):
                connection.abort()
            loop.run_until_complete(asyncio.sleep(0))  # lets the transports close their sockets
            loop.close()


class _Connection(asyncio.Protocol):
    """One client. All its methods run on the server's thread, except `_on_done`."""

    def __init__(self, server: RpcServer) -> None:
        self._server = server
        self._decoder = Decoder(server.limits)
        self._transport: asyncio.Transport | None = None
        self._in_flight = 0
        self._messages: Iterator[Message] = iter(())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        # asyncio does so only for sockets that name their protocol; without it, the last of several
        # answers waits 40 ms for the acknowledgement of the others.
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self._server.connections) >= self._server.max_connections:
            self._server.complain("connection refused: %d are open", len(self._server.connections))
            self.abort()
            return
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._messages = self._decoder.feed(data)
        self._go_on()

    def unread_bytes(self) -> int:
        """Answers that wait for the client to read."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def unfinished_bytes(self) -> int:
        """Of the message that has not come to its end yet."""
        return 0 if self._transport is None else self._decoder.pending_bytes

    def _go_on(self) -> None:
        """Take some of the messages that are there; the rest after everybody else's turn."""
        if self._transport is None:
            return
        try:
            for taken, message in enumerate(self._messages, start=1):
                self._take(message)
                if self._transport is None:
                    return
                if taken == MAX_TURN:
                    self._transport.pause_reading()
                    asyncio.get_running_loop().call_soon(self._go_on)
                    return
        except WireError as error:
            self._server.complain("connection closed: %s", error)
            self.abort()
            return
        self._transport.resume_reading()
        if self._decoder.pending_bytes:
            self._server.relieve()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def _take(self, message: Request | Response | Notification) -> None:
        match message:
            case Request(msgid, method, params):
                self._answer_call(msgid, method, params)
            case Notification(method, params):
                try:
                    self._server.dispatch(method, params)
                except HandlerError as error:
                    log.info("notification failed: %s", error)
            case Response():
                raise WireError("a client sent a response")

    def _answer_call(self, msgid: int, method: str, params: list[Any]) -> None:
        try:
            result = self._server.dispatch(method, params)
        except HandlerError as error:
            self._reply(msgid, method, str(error), None)
            return
        if not isinstance(result, Future):
            self._reply(msgid, method, None, result)
            return
        if self._in_flight >= self._server.max_in_flight:
            raise WireError(f"more than {self._server.max_in_flight} unanswered requests")
        self._in_flight += 1
        result.add_done_callback(lambda future: self._on_done(msgid, method, future))

    def _on_done(self, msgid: int, method: str, future: Future[Any]) -> None:
        loop = self._server.loop
        try:
            if loop is not None:
                loop.call_soon_threadsafe(self._finish, msgid, method, future)
        except RuntimeError:
            log.debug("%s finished after the server had stopped", method)

    def _finish(self, msgid: int, method: str, future: Future[Any]) -> None:
        self._in_flight -= 1
        try:
            error = future.exception()
        except CancelledError as cancelled:
            error = cancelled
        if error is not None:
            self._reply(msgid, method, str(self._server.failure(method, error)), None)
        else:
            self._reply(msgid, method, None, future.result())

    def _reply(self, msgid: int, method: str, error: str | None, result: Any) -> None:
        if self._transport is None:
            return
        if self._server.array_structs:
            result = structs_as_arrays(result)
        try:
            data = encode_response(msgid, error, result)
        except WireError as problem:
            data = encode_response(msgid, str(self._server.failure(method, problem)), None)
        self._transport.write(data)
        if self._transport.get_write_buffer_size():
            self._server.relieve()


def _arity(name: str, handler: Handler) -> int:
    parameters = inspect.signature(handler).parameters.values()
    fixed = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if any(parameter.kind not in fixed for parameter in parameters):
        raise ValueError(f"handler of {name!r} must take positional parameters only")
    return len(parameters)


def _worded(method: str, arity: int, error: BaseException) -> HandlerError:
    if not isinstance(error, HandlerError):
        log.error("%s failed", method, exc_info=error)
    what = str(error) or type(error).__name__
    return HandlerError(
        f"rpclib: function '{method}' (called with {arity} arg(s)) threw an exception. "
        f"The exception contained this information: {what}."
    )


def check_listen_address(host: str, port: int) -> None:
    """Refuse an address that listens on all interfaces without saying so.

    Only 0.0.0.0 and ::, written out, do that: an empty host, "0" or a name must not.

    Raises:
        ConfigError: The address is none that may be listened on.
    """
    remedy = "use 127.0.0.1 for this machine alone, or 0.0.0.0 or :: for every network it is in"
    if not host or host != host.strip():
        raise ConfigError(f"--host '{host}': not an address to listen on; {remedy}")
    if not 0 <= port <= _MAX_PORT:
        raise ConfigError(f"cannot listen on port {port}: use 0 to {_MAX_PORT}")
    try:
        found = socket.getaddrinfo(host, port, _family(host), socket.SOCK_STREAM)
    except (OSError, UnicodeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a name"
        raise ConfigError(f"--host '{host}': unknown ({reason}); {remedy}") from None
    is_everywhere = any(_is_unspecified(str(address[0])) for *_, address in found)
    if is_everywhere and not _is_unspecified(host):
        raise ConfigError(f"--host '{host}': would listen on every network; {remedy}")


def _is_unspecified(text: str) -> bool:
    """Whether it is 0.0.0.0 or ::, in any of the ways in which these are written."""
    try:
        return ipaddress.ip_address(text).is_unspecified
    except ValueError:
        return False


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _listen(host: str, port: int) -> socket.socket:
    check_listen_address(host, port)
    try:
        return socket.create_server((host, port), family=_family(host))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error
        raise EnvironmentSetupError(
            f"cannot listen on {host}:{port}: {reason}; "
            "stop what uses it or choose another address with --host and --port (0: any free one)"
        ) from None
