"""The client side of MessagePack-RPC: one connection, many calls in flight, each with a deadline.

    with RpcSession("127.0.0.1", 41451) as session:
        session.call("ping")
        landing = session.call_async("land", 60.0, "")   # a Future; more calls may follow

Thread-safe. Replies are matched by message id, so a call that blocks in the simulator (a take-off)
delays no other. When the connection breaks, every call in flight fails at once.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import socket
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from followme_uav.errors import (
    RemoteError,
    RpcConnectionError,
    RpcTimeoutError,
)
from followme_uav.rpc.wire import (
    CLIENT_LIMITS,
    MAX_MSGID,
    Decoder,
    Response,
    WireError,
    encode_request,
)

logger = logging.getLogger(__name__)

RECEIVE_BYTES = 256 * 1024


class UnknownMethodError(RemoteError):
    """The server does not offer the method."""


class Link(Protocol):
    """An open connection of either backend."""

    broken: str | None
    """Why the connection is broken, or None."""

    def send(self, method: str, params: tuple[Any, ...]) -> Future[Any]: ...  # noqa: D102

    def hold(self) -> None: ...  # noqa: D102

    def release(self) -> None: ...  # noqa: D102

    def shut(self, reason: str) -> None: ...  # noqa: D102


class RpcSession:
    """One connection to a MessagePack-RPC server.

    Args:
        host: Name or address of the server.
        port: Its port, 41451 for AirSim.
        deadline_s: Time limit of a call without one of its own.
        connect_deadline_s: Time limit of connecting.
        max_message_bytes: A longer reply breaks the connection.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        deadline_s: float = 5.0,
        connect_deadline_s: float = 5.0,
        max_message_bytes: int = CLIENT_LIMITS.message_bytes,
    ) -> None:
        self._host, self._port = host, port
        self._deadline_s = deadline_s
        self._connect_deadline_s = connect_deadline_s
        self._max_message_bytes = max_message_bytes
        self._link: Link | None = None

    def __enter__(self) -> RpcSession:
        self.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        """HOST:PORT, for messages."""
        return f"{self._host}:{self._port}"

    def connect(self) -> None:
        """Connect; without effect when connected.

        Raises:
            RpcConnectionError: No server accepts the connection before the deadline.
        """
        if self._link is None or self._link.broken is not None:
            self.close()
            self._link = self._open_link()
            logger.debug("A connection to %s is open.", self.address)

    def call(self, method: str, *params: Any, deadline_s: float | None = None) -> Any:
        """Call a method and wait for its result.

        Raises:
            RpcTimeoutError: No reply before the deadline. A late one is dropped.
            RpcConnectionError: The connection is closed or broke.
            RemoteError: The server replied with an error.
        """
        future = self.call_async(method, *params)
        self.release()
        limit_s = self._deadline_s if deadline_s is None else deadline_s
        return await_result(future, method, self.address, limit_s)

    def call_async(self, method: str, *params: Any) -> Future[Any]:
        """Send a call without waiting; the Future fails as `call` does, but has no deadline.

        Raises:
            RpcConnectionError: The connection is closed or broke.
            WireError: A parameter cannot be sent.
        """
        link = self._link
        if link is None:
            raise RpcConnectionError(f"{method} at {self.address}: not connected; connect first")
        return link.send(method, params)

    def hold(self) -> None:
        """Keep the bytes of calls from now on until `release`, which sends them together.

        Each write wakes the threads of both sides; one write of several calls wakes them once.
        `call` releases; before waiting for a Future of `call_async`, call `release`.
        """
        if self._link is not None:
            self._link.hold()

    def release(self) -> None:
        """Send what `hold` has kept; without effect when nothing is held."""
        if self._link is not None:
            self._link.release()

    def close(self) -> None:
        """Close the connection; calls in flight fail. Without effect when closed."""
        link, self._link = self._link, None
        if link is not None:
            link.release()
            link.shut("closed by this side")

    def reconnect(self) -> None:
        """Close and connect again. Raises as `connect` does."""
        self.close()
        self.connect()

    def _open_link(self) -> Link:
        try:
            sock = socket.create_connection((self._host, self._port), self._connect_deadline_s)
        except (OSError, OverflowError, UnicodeError) as error:
            raise cannot_connect(self.address, error) from None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(self._deadline_s)  # of one send; the reader repeats after a timeout
        limits = replace(CLIENT_LIMITS, message_bytes=self._max_message_bytes)
        return _SocketLink(self.address, sock, Decoder(limits))


@dataclass
class _SocketLink:
    """An open socket, the calls in flight on it, and the thread that reads it."""

    address: str
    sock: socket.socket
    decoder: Decoder
    broken: str | None = None
    pending: dict[int, tuple[str, Future[Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ids = itertools.count()
        self.state_lock = threading.Lock()
        self.send_lock = threading.Lock()
        self.held: list[bytes] | None = None
        """Bytes of calls that wait for `release`; None: calls are sent at once."""
        self.reader = threading.Thread(target=self._read, name=f"rpc {self.address}", daemon=True)
        self.reader.start()

    def send(self, method: str, params: tuple[Any, ...]) -> Future[Any]:
        future: Future[Any] = Future()
        msgid = next(self.ids) & MAX_MSGID
        try:
            data = encode_request(msgid, method, params)
        except WireError as error:
            raise WireError(f"{method} at {self.address}: {error}") from None
        with self.state_lock:
            if self.broken is not None:
                raise connection_lost(method, self.address, self.broken)
            self.pending[msgid] = method, future
        future.add_done_callback(lambda _: self.pending.pop(msgid, None))
        self._write(data)
        return future

    def hold(self) -> None:
        with self.send_lock:
            if self.held is None:
                self.held = []

    def release(self) -> None:
        self._write(None)

    def _write(self, data: bytes | None) -> None:
        """Send or hold the bytes of a call; None: send those that are held."""
        try:
            with self.send_lock:
                if data is None:
                    held, self.held = self.held, None
                    data = b"".join(held or ())
                elif self.held is not None:
                    self.held.append(data)
                    return
                if data:
                    self.sock.sendall(data)
        except OSError as error:
            # A part of the message may be sent: the stream cannot be continued.
            self._fail(f"sending failed: {error.strerror or error}")

    def shut(self, reason: str) -> None:
        self._fail(reason)
        if self.reader is not threading.current_thread():
            self.reader.join(timeout=1.0)

    def _read(self) -> None:
        try:
            while data := self._receive():
                for message in self.decoder.feed(data):
                    if isinstance(message, Response):
                        self._settle(message)
            self._fail("the simulator closed the connection")
        except WireError as error:
            self._fail(str(error))
        except OSError as error:
            self._fail(error.strerror or str(error))
        finally:
            with self.send_lock:
                self.sock.close()

    def _receive(self) -> bytes:
        while True:
            try:
                return self.sock.recv(RECEIVE_BYTES)
            except TimeoutError:
                continue  # no message in a while is no error

    def _settle(self, response: Response) -> None:
        with self.state_lock:
            method, future = self.pending.pop(response.msgid, ("", None))
        if future is None or not future.set_running_or_notify_cancel():
            logger.debug("A reply of %s came after the deadline of its call.", self.address)
            return
        if response.error is not None:
            future.set_exception(remote_error(method, self.address, response.error))
        else:
            future.set_result(response.result)

    def _fail(self, reason: str) -> None:
        with self.state_lock:
            is_news, self.broken = self.broken is None, self.broken or reason
            orphans = list(self.pending.values())
            self.pending.clear()
        if is_news:
            logger.debug(
                "The connection to %s has ended with %d calls in flight: %s.",
                *(self.address, len(orphans), reason),
            )
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)  # ends the reader, which closes the socket
        for method, future in orphans:
            if future.set_running_or_notify_cancel():
                future.set_exception(connection_lost(method, self.address, self.broken))


def await_result(future: Future[Any], method: str, address: str, deadline_s: float) -> Any:
    """Return the Future's result; cancel it and raise `RpcTimeoutError` after the deadline."""
    try:
        return future.result(deadline_s)
    except FutureTimeoutError:
        if not future.cancel() and future.done():  # the result arrived at the same moment
            return future.result(0)
        logger.debug("%s at %s: no answer within %g s.", method, address, deadline_s)
        raise no_answer(method, address, deadline_s) from None


def no_answer(method: str, address: str, deadline_s: float) -> RpcTimeoutError:
    """Return the error of a call whose deadline has passed."""
    return RpcTimeoutError(
        f"{method} at {address}: no answer within {deadline_s:g} s; is the simulator paused, "
        "overloaded or hung? (rpc.deadline_s sets how long to wait)"
    )


def cannot_connect(
    address: str, error: OSError | OverflowError | UnicodeError
) -> RpcConnectionError:
    """Return the error of a connection that could not be made."""
    if isinstance(error, ConnectionRefusedError):
        cause = f"no server listens on {address}"
    elif isinstance(error, TimeoutError):
        cause = f"no connection to {address} before the deadline"
    else:
        cause = f"cannot connect to {address}: {getattr(error, 'strerror', None) or error}"
    return RpcConnectionError(
        f"{cause}; start the simulator ('followme-uav sim') or pass its address with --sim"
    )


def connection_lost(method: str, address: str, reason: str) -> RpcConnectionError:
    """Return the error of a call in flight when its connection broke."""
    return RpcConnectionError(f"{method} at {address}: connection lost ({reason})")


def remote_error(method: str, address: str, error: Any) -> RemoteError:
    """Return the error of a call that the server answered with an error."""
    kind = UnknownMethodError if "could not find function" in str(error) else RemoteError
    return kind(f"{method} at {address}: the simulator answered: {error}")
