"""A MessagePack-RPC server that answers as rpclib, the library inside AirSim, does.

It runs an asyncio loop in a thread of its own.

    server = RpcServer({"ping": lambda: True}, port=41451)
    server.start()
    ...
    server.stop()
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Mapping

from followme_uav.errors import EnvironmentSetupError
from followme_uav.rpc.connections import Connection, Connections, ServerLimits
from followme_uav.rpc.handlers import BadCastError, Dispatcher, Handler, HandlerError
from followme_uav.rpc.listen_address import check_listen_address, listen
from followme_uav.rpc.wire import SERVER_LIMITS, WireLimits

__all__ = [
    "BadCastError",
    "Handler",
    "HandlerError",
    "RpcServer",
    "check_listen_address",
]

START_DEADLINE_S = 10.0
STOP_DEADLINE_S = 1.0


class RpcServer:
    """Serves the given methods, and no others, to any number of clients up to a limit.

    Args:
        handlers: method name to function. Parameters are positional and their number must match.
        host: address to listen on; see `check_listen_address`.
        port: 0 for any free port, see `address`.
        limits: limits of one incoming message; a connection that exceeds them is closed.
        max_connections: further connections are closed at once.
        max_in_flight: unanswered requests of one connection; beyond it the connection is closed.
        max_outgoing_bytes: unread answers of all connections; beyond it the connection with most
            of them is closed.
        array_structs: send maps as arrays of their values, as Colosseum does.

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
        self._dispatcher = Dispatcher(handlers)
        self._limits = ServerLimits(limits, max_connections, max_in_flight, max_outgoing_bytes)
        self._array_structs = array_structs
        self._requested = (host, port)
        self._address = self._requested
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._connections: Connections | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port; the actual port once started."""
        return self._address

    @property
    def connections(self) -> set[Connection]:
        """The open connections."""
        return set() if self._connections is None else set(self._connections.open)

    def start(self) -> None:
        """Listen and serve, without blocking.

        Raises:
            ConfigError: The address is invalid or refused, see `check_listen_address`.
            EnvironmentSetupError: The address cannot be used, for example the port is in use.
        """
        if self._thread is not None:
            raise RuntimeError("the server is already running")
        listener = listen(*self._requested)
        self._address = listener.getsockname()[:2]
        self._loop = asyncio.new_event_loop()
        self._connections = Connections(
            self._dispatcher, self._loop, self._limits, array_structs=self._array_structs
        )
        ready = threading.Event()
        self._thread = threading.Thread(
            target=_run,
            args=(self._loop, listener, self._connections, ready),
            name="rpc-server",
            daemon=True,
        )
        self._thread.start()
        if not ready.wait(START_DEADLINE_S):
            raise EnvironmentSetupError(f"the server thread did not start in {START_DEADLINE_S} s")

    def hold_answers(self, holding: bool) -> None:
        """Keep the answers of completed calls until this is called with False; on any thread.

        A thread that completes several Futures one after the other wakes the server's thread once.
        """
        if self._connections is not None:
            self._connections.hold(holding)

    def stop(self) -> None:
        """Close all connections and end the thread; no effect when not running."""
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        self._thread = None
        loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(STOP_DEADLINE_S)


def _run(
    loop: asyncio.AbstractEventLoop,
    listener: socket.socket,
    connections: Connections,
    ready: threading.Event,
) -> None:
    """Serve until the loop is stopped; the body of the server's thread."""
    asyncio.set_event_loop(loop)
    server = loop.run_until_complete(loop.create_server(connections.make, sock=listener))
    loop.call_soon(ready.set)
    try:
        loop.run_forever()
    finally:
        server.close()
        connections.abort_all()
        loop.run_until_complete(asyncio.sleep(0))  # lets the transports close their sockets
        loop.close()
