"""Sessions with a server in the same process: calls without sockets and threads.

Answers pass through the wire format all the same, so that a client cannot tell the difference: maps
have text keys, sequences are lists, numbers have the precision of AirSim's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from followme_uav.errors import RpcConnectionError
from followme_uav.rpc.handlers import Dispatcher, Handler, HandlerError
from followme_uav.rpc.session import Link, RpcSession, connection_lost, remote_error
from followme_uav.rpc.wire import (
    CLIENT_LIMITS,
    Decoder,
    Response,
    encode_response,
    structs_as_arrays,
)

IN_PROCESS = "in-process"
"""The host of these servers; their port numbers are of this process."""

_servers: dict[int, _Server] = {}
_numbers = itertools.count(1)


@dataclass(frozen=True)
class _Server:
    """The handlers, and the form of their answers."""

    dispatcher: Dispatcher
    array_structs: bool

    def sent(self, result: Any) -> Any:
        """A result as it arrives at a client."""
        value = structs_as_arrays(result) if self.array_structs else result
        for message in Decoder(CLIENT_LIMITS).feed(encode_response(0, None, value)):
            if isinstance(message, Response):
                return message.result
        raise AssertionError("a response is one message")


@contextmanager
def served_in_process(
    handlers: Mapping[str, Handler], *, array_structs: bool = False
) -> Iterator[int]:
    """Serve methods to `DirectSession` until the end of the block; yields the port.

    Args:
        handlers: As of `RpcServer`. They run on the caller's thread.
        array_structs: As of `RpcServer`.
    """
    port = next(_numbers)
    _servers[port] = _Server(Dispatcher(handlers), array_structs)
    try:
        yield port
    finally:
        del _servers[port]


class DirectSession(RpcSession):
    """A session with `served_in_process`. A call is complete, or fails, before it returns."""

    def _open_link(self) -> Link:
        server = _servers.get(self._port)
        if server is None:
            raise RpcConnectionError(f"no simulator {self.address} in this process")
        return _DirectLink(self.address, server)


class _DirectLink:
    """The calls of one session."""

    def __init__(self, address: str, server: _Server) -> None:
        self._address, self._server = address, server
        self.broken: str | None = None

    def send(self, method: str, params: tuple[Any, ...]) -> Future[Any]:
        if self.broken is not None:
            raise connection_lost(method, self._address, self.broken)
        call: Future[Any] = Future()
        try:
            found = self._server.dispatcher.dispatch(method, list(params))
        except HandlerError as error:
            call.set_exception(remote_error(method, self._address, str(error)))
            return call
        if isinstance(found, Future):
            found.add_done_callback(lambda inner: self._settle(method, inner, call))
        else:
            call.set_result(self._server.sent(found))
        return call

    def _settle(self, method: str, inner: Future[Any], call: Future[Any]) -> None:
        """Complete a call as the Future of its handler has completed."""
        if not call.set_running_or_notify_cancel():
            return  # its deadline has passed
        error = inner.exception()
        if error is not None:
            failure = self._server.dispatcher.failure(method, error)
            call.set_exception(remote_error(method, self._address, str(failure)))
        elif self.broken is not None:
            call.set_exception(connection_lost(method, self._address, self.broken))
        else:
            call.set_result(self._server.sent(inner.result()))

    def hold(self) -> None:
        """Nothing is gained by sending calls together."""

    def release(self) -> None:
        """Nothing is held."""

    def shut(self, reason: str) -> None:
        self.broken = self.broken or reason
