"""An RPC session on msgpack-rpc-python 0.4.1, the library of AirSim's own client.

The library is not thread-safe, waits without limit when a peer dies, and runs a tornado loop of its
own. One thread therefore owns the loop and all objects of the library; other threads post work to
it and wait, with a deadline, on Futures. The library needs Python before 3.12 and an environment of
its own, because it installs msgpack 0.5.6 under the name of the current one (see
`tools/legacy_env.sh`).
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from followme_uav.errors import EnvironmentSetupError, RpcConnectionError
from followme_uav.rpc.session import (
    Link,
    RpcSession,
    cannot_connect,
    connection_lost,
    remote_error,
)

logger = logging.getLogger(__name__)

try:
    import msgpack  # type: ignore[import-untyped]
    import msgpackrpc
    from msgpackrpc.transport import tcp
    from tornado.iostream import IOStream  # type: ignore[import-not-found]
except (ImportError, AttributeError, SyntaxError) as error:  # tornado 4 raises any of these on 3.12
    raise EnvironmentSetupError(
        f"rpc.backend msgpack-rpc-python cannot be used here ({error}); it needs Python before "
        "3.12 and an environment of its own with 'followme-uav[msgpack-rpc]', as a checkout's "
        "tools/legacy_env.sh makes it; or set rpc.backend to builtin"
    ) from None


class LegacySession(RpcSession):
    """An `RpcSession` through msgpack-rpc-python."""

    def _open_link(self) -> Link:
        link = _LibraryLink(self.address, self._host, self._port, self._max_message_bytes)
        try:
            link.connected.result(self._connect_deadline_s)
        except FutureTimeoutError:
            link.shut("no connection before the deadline")
            raise cannot_connect(self.address, TimeoutError()) from None
        except RpcConnectionError:
            link.shut("no connection")
            raise
        return link


class _LibraryLink:
    """A client of the library, its loop, and the only thread that may use them."""

    def __init__(self, address: str, host: str, port: int, max_message_bytes: int) -> None:
        self.address = address
        self.broken: str | None = None
        self.connected: Future[None] = Future()
        self._host, self._port = host, port
        self._max_message_bytes = max_message_bytes
        self._pending: dict[Any, tuple[str, Future[Any]]] = {}
        self._loop: Any = None
        self._client: Any = None
        self._running = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"rpc {address}", daemon=True)
        self._thread.start()
        self._running.wait(10.0)

    def send(self, method: str, params: tuple[Any, ...]) -> Future[Any]:
        if self.broken is not None:
            raise connection_lost(method, self.address, self.broken)
        future: Future[Any] = Future()
        self._post(lambda: self._send(method, params, future))
        return future

    def hold(self) -> None:
        """Do nothing: the library writes each call by itself."""

    def release(self) -> None:
        """Do nothing, see `hold`."""

    def shut(self, reason: str) -> None:
        self._post(lambda: self._break(reason))
        self._thread.join(timeout=1.0)

    def lost(self, error: BaseException | None) -> None:
        """Handle a lost socket, on the loop's thread."""
        if not self.connected.done():
            cause = error if isinstance(error, OSError) else ConnectionRefusedError()
            self.connected.set_exception(cannot_connect(self.address, cause))
        self._break("the simulator closed the connection")

    def _post(self, work: Callable[[], None]) -> None:
        self._loop._ioloop.add_callback(work)

    def _run(self) -> None:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._loop = msgpackrpc.Loop()
        self._client = msgpackrpc.Client(
            msgpackrpc.Address(self._host, self._port, family),
            timeout=None,  # the waiting thread applies the deadline
            loop=self._loop,
            builder=_builder(self),
            unpack_encoding="utf-8",
        )
        self._post(self._client._transport.connect)
        self._running.set()
        while self.broken is None:
            self._loop.start()  # the library stops its loop after every reply
        self._client.close()
        self._loop._ioloop.close(all_fds=True)

    def _send(self, method: str, params: tuple[Any, ...], future: Future[Any]) -> None:
        if self.broken is not None:
            future.set_exception(connection_lost(method, self.address, self.broken))
            return
        answer = self._client.call_async(method, *params)
        self._pending[answer] = method, future
        answer.attach_callback(self._settle)

    def _settle(self, answer: Any) -> None:
        method, future = self._pending.pop(answer, ("", None))
        if future is None or not future.set_running_or_notify_cancel():
            logger.debug("A reply of %s came after the deadline of its call.", self.address)
            return
        if answer.error is not None:
            future.set_exception(remote_error(method, self.address, answer.error))
        else:
            future.set_result(answer.result)

    def _break(self, reason: str) -> None:
        if self.broken is None:
            logger.debug("The connection to %s has ended: %s.", self.address, reason)
            self.broken = reason
        orphans, self._pending = self._pending, {}
        for method, future in orphans.values():
            if future.set_running_or_notify_cancel():
                future.set_exception(connection_lost(method, self.address, self.broken))
        self._loop.stop()


def _builder(link: _LibraryLink) -> Any:
    """Return a builder of transports that report errors, and do not reconnect."""

    class ReportingTransport(tcp.ClientTransport):  # type: ignore[misc]
        def connect(self) -> None:
            self._connecting = 1
            try:
                stream = IOStream(self._address.socket(), io_loop=link._loop._ioloop)
                sock = tcp.ClientSocket(stream, self, self._encodings)
                sock._unpacker = msgpack.Unpacker(  # the library's own has no size limit
                    encoding="utf-8", max_buffer_size=link._max_message_bytes
                )
                sock.connect()
            except OSError as error:
                link.lost(error)

        def on_connect(self, sock: Any) -> None:
            sock._stream.set_nodelay(True)
            super().on_connect(sock)
            link.connected.set_result(None)

        def on_close(self, sock: Any) -> None:
            link.lost(sock._stream.error)

    class Builder:
        ClientTransport = ReportingTransport

    return Builder
