"""Listens for QuadSim on a websocket, and keeps the newest of its frames.

A thread reads each connection; the caller takes the frames from the main thread. A frame that
arrives while another one is processed replaces the one that waits, so that the answer is never
older than necessary. The latest connection counts: a simulator that crashed and was started again
need not wait until the old connection times out.
"""

from __future__ import annotations

import logging
import secrets
import socket
import struct
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from followme_uav.program_log import PRINTED
from followme_uav.quadsim.socketio import (
    Event,
    PacketError,
    Revision,
    SocketIoSession,
    acknowledgement_text,
)
from followme_uav.recurring import RecurringFault
from followme_uav.rpc.listen_address import listen

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.sync.server import Server, ServerConnection

logger = logging.getLogger(__name__)

PATH = "/socket.io/"
SENSOR_FRAME = "sensor_frame"
MAX_MESSAGE_BYTES = 2 << 20
"""Largest message accepted: two uncompressed images of 256x256 in base64 are smaller."""
TICK_S = 0.5
"""Interval at which a silent connection is looked after."""
OPEN_TIMEOUT_S, CLOSE_TIMEOUT_S, SEND_TIMEOUT_S = 5.0, 1.0, 1.0
STOP_DEADLINE_S = 3.0


@dataclass(frozen=True)
class Arrival:
    """A frame as it came."""

    client: Client
    data: Any
    """The argument of the event."""
    number: int | None
    """To be acknowledged; None: not wanted."""
    received_s: float
    """Of `time.perf_counter`, when the whole message was there."""


class Client:
    """One connection of the simulator."""

    def __init__(self, connection: ServerConnection, session: SocketIoSession) -> None:
        self.session = session
        self._connection = connection

    @property
    def revision(self) -> Revision:
        """The protocol that the client speaks, as far as it is known."""
        return self.session.revision

    def send(self, texts: Iterable[str]) -> bool:
        """Send messages; returns whether the client took them. A client that does not is left."""
        from websockets.exceptions import ConnectionClosed

        try:
            for text in texts:
                self._connection.send(text)
        except (ConnectionClosed, OSError):
            return False
        return True

    def close(self) -> None:
        """End the connection, within `CLOSE_TIMEOUT_S`."""
        with suppress(OSError):
            self._connection.close()


class QuadSimServer:
    """The server; a context manager, which listens from the beginning and answers from `start` on.

    Args:
        host: Address to listen on.
        port: 0 takes any free one.

    Raises:
        ConfigError: The address is invalid or refused.
        EnvironmentSetupError: The port is in use.
    """

    def __init__(self, host: str, port: int) -> None:
        self._socket = listen(host, port)
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()
        self._client: Client | None = None
        self._waiting: Arrival | None = None
        self._skipped = 0
        self._malformed = RecurringFault(logger, "messages that are not understood")

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._socket.getsockname()[1])

    @property
    def client(self) -> Client | None:
        """The present connection; None without one."""
        return self._client

    @property
    def skipped(self) -> int:
        """Number of frames that a newer one replaced."""
        return self._skipped

    def start(self) -> None:
        """Answer from now on."""
        from websockets.sync.server import serve

        self._server = serve(
            self._handle,
            sock=self._socket,
            process_request=_refusal,
            compression=None,
            server_header=None,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,  # Engine.IO has pings of its own
            max_size=MAX_MESSAGE_BYTES,
            logger=_quiet_logger(),
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="QuadSim server", daemon=True
        )
        self._thread.start()

    def next(self, timeout_s: float) -> Arrival | None:
        """Wait for a frame and take it; None when none came in time."""
        with self._changed:
            if self._waiting is None:
                self._changed.wait(timeout_s)
            arrival, self._waiting = self._waiting, None
            return arrival

    def __enter__(self) -> QuadSimServer:
        return self

    def __exit__(self, *_: object) -> None:
        """End all connections and free the port."""
        client = self._client
        if self._server is not None:
            self._server.shutdown()
        else:
            self._socket.close()
        if client is not None:
            client.close()
        if self._thread is not None:
            self._thread.join(STOP_DEADLINE_S)
        self._malformed.close()

    def _handle(self, connection: ServerConnection) -> None:
        """Body of a connection's thread."""
        from websockets.exceptions import ConnectionClosed

        connection.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", int(SEND_TIMEOUT_S), 0)
        )
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = connection.request
        query = parse_qs(urlsplit("" if request is None else request.path).query)
        engine = query.get("EIO", [""])[0]
        session = SocketIoSession(secrets.token_hex(10), engine, time.monotonic())
        client = Client(connection, session)
        self._adopt(client)
        try:
            client.send(session.opening(MAX_MESSAGE_BYTES))
            while self._serve_one(connection, client):
                pass
        except (ConnectionClosed, OSError) as error:
            logger.info("The connection of the simulator ends: %s", error)
        finally:
            self._leave(client)

    def _serve_one(self, connection: ServerConnection, client: Client) -> bool:
        """Take one message, or wait for one tick; returns whether the client stays."""
        if not client.send(client.session.tick(time.monotonic())):
            return False
        try:
            text = connection.recv(timeout=TICK_S)
        except TimeoutError:
            return self._client is client
        received_s = time.perf_counter()
        try:
            if isinstance(text, bytes):
                raise PacketError("a binary message")
            received = client.session.receive(text)
        except PacketError as error:
            self._malformed.occurs(
                received_s, "A message of the simulator is ignored: it is %s.", error
            )
            return True
        self._malformed.passes(received_s)
        if received.event is not None:
            self._put(client, received.event, received_s)
        return client.send(received.replies) and not received.is_end

    def _put(self, client: Client, event: Event, received_s: float) -> None:
        """Let a frame wait to be taken; any other event is acknowledged at once."""
        if event.name != SENSOR_FRAME:
            logger.debug("Event %s of the simulator is ignored.", ascii(event.name[:40]))
            _acknowledge(client, event.number)
            return
        data = event.arguments[0] if event.arguments else None
        with self._changed:
            before = self._waiting
            self._waiting = Arrival(client, data, event.number, received_s)
            self._skipped += before is not None
            self._changed.notify()
        if before is not None:
            _acknowledge(before.client, before.number)

    def _adopt(self, client: Client) -> None:
        with self._changed:
            before, self._client = self._client, client
            self._changed.notify()
        logger.info("A simulator has connected.", extra={"topic": PRINTED})
        if before is not None:
            logger.warning("A new connection replaces that of the simulator.")
            before.close()

    def _leave(self, client: Client) -> None:
        with self._changed:
            if self._client is client:
                self._client = None
            if self._waiting is not None and self._waiting.client is client:
                self._waiting = None
            self._changed.notify()


def _acknowledge(client: Client, number: int | None) -> None:
    if number is not None:
        client.send([acknowledgement_text(number)])


def acknowledge(arrival: Arrival) -> None:
    """Tell the client that its frame is processed, if it wants to know."""
    _acknowledge(arrival.client, arrival.number)


def _refusal(connection: ServerConnection, request: Request) -> Response | None:
    """The answer to a request that is not QuadSim's; None for one that is served.

    A page of a website that the user visits can reach this address, too; browsers say whose page
    it is.
    """
    parts = urlsplit(request.path)
    if not f"{parts.path.lower()}/".startswith(PATH):
        return _answer(connection, HTTPStatus.NOT_FOUND, f"the path is {PATH}")
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
        return _answer(connection, HTTPStatus.FORBIDDEN, "pages of other hosts are not served")
    if parse_qs(parts.query).get("transport") != ["websocket"]:
        return _answer(
            connection, HTTPStatus.BAD_REQUEST, "the only transport is websocket, without polling"
        )
    return None


def _answer(connection: ServerConnection, status: HTTPStatus, text: str) -> Response:
    logger.info("A request is refused: %s.", text)
    return connection.respond(status, f"followme-uav: {text}\n")


def _quiet_logger() -> logging.Logger:
    """The library's logger: a line for each broken handshake is for -vv only."""
    library = logging.getLogger("websockets.server")
    library.setLevel(logging.CRITICAL)
    return library
