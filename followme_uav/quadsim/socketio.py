"""The part of Socket.IO that QuadSim speaks, over a websocket, in both revisions.

A message is one text: a digit of Engine.IO, and, in its messages, a digit of Socket.IO, a
namespace, a number that asks for an acknowledgement, and JSON. The revisions differ in two points:

| | old: Engine.IO 3, Socket.IO 2 | new: Engine.IO 4, Socket.IO 5 |
|---|---|---|
| ping | by the client | by the server |
| connection to a namespace | announced by the server | asked for by the client |

The query `EIO=` alone does not tell the revision: the Unity asset of 2017 says 4 and speaks the old
one. So the first message decides: a new client begins with a request to connect.

Nothing here reads or writes a socket.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

PING_INTERVAL_S, PING_TIMEOUT_S = 25.0, 60.0
"""As the opening message tells the client."""
DECIDE_S = 1.0
"""A client that has said nothing for so long waits for the server: it is an old one."""
_MAX_NUMBER_DIGITS = 15

_OPEN, _CLOSE, _PING, _PONG, _MESSAGE, _UPGRADE, _NOOP = "0123456"
_CONNECT, _DISCONNECT, _EVENT, _ACK, _ERROR, _BINARY_EVENT, _BINARY_ACK = "0123456"


class PacketError(ValueError):
    """A message that is not of this protocol; the text is a part of a line."""


class Revision(Enum):
    """Revision of the protocol that the client speaks."""

    UNKNOWN = "not known yet"
    OLD = "Socket.IO 2 (Engine.IO 3)"
    NEW = "Socket.IO 5 (Engine.IO 4)"


@dataclass(frozen=True)
class Event:
    """An event of the client."""

    name: str
    arguments: tuple[Any, ...]
    number: int | None
    """To be acknowledged; None: not wanted."""


@dataclass(frozen=True)
class Received:
    """The consequences of one message."""

    replies: tuple[str, ...] = ()
    """Messages to send back."""
    event: Event | None = None
    is_end: bool = False
    """The client leaves."""


class SocketIoSession:
    """The state of one connection.

    Attributes:
        revision: The revision of the client, as far as it is known.

    Args:
        sid: Name of the session.
        engine: The value of `EIO` in the query.
        now_s: Any clock.
    """

    def __init__(self, sid: str, engine: str, now_s: float) -> None:
        self.revision = Revision.OLD if engine == "3" else Revision.UNKNOWN
        self._sid = sid
        self._opened_s = self._pinged_s = now_s

    def opening(self, max_bytes: int) -> tuple[str, ...]:
        """The first messages; `max_bytes` is the largest message that is accepted."""
        settings = {
            "sid": self._sid,
            "upgrades": [],
            "pingInterval": round(1e3 * PING_INTERVAL_S),
            "pingTimeout": round(1e3 * PING_TIMEOUT_S),
            "maxPayload": max_bytes,
        }
        first = _OPEN + _json(settings)
        return (first, self._connected()) if self.revision is Revision.OLD else (first,)

    def tick(self, now_s: float) -> tuple[str, ...]:
        """Messages that are due, whether or not the client says something."""
        if self.revision is Revision.UNKNOWN and now_s - self._opened_s > DECIDE_S:
            return self._decide(Revision.OLD)
        if self.revision is Revision.NEW and now_s - self._pinged_s >= PING_INTERVAL_S:
            self._pinged_s = now_s
            return (_PING,)
        return ()

    def receive(self, text: str) -> Received:
        """Take the next message of the client.

        Raises:
            PacketError: It is malformed; the session can go on.
        """
        kind, rest = text[:1], text[1:]
        if kind == _MESSAGE:
            return self._message(rest)
        if kind == _PING:  # a new client never does that
            return Received((*self._decide(Revision.OLD), _PONG + rest))
        if kind == _CLOSE:
            return Received(is_end=True)
        if kind in (_PONG, _UPGRADE, _NOOP):
            return Received()
        raise PacketError(f"not a message of Engine.IO ({_shown(text)})")

    def _message(self, text: str) -> Received:
        kind, namespace, number, body = _split(text)
        if kind == _CONNECT:
            return Received(self._connect(namespace))
        if namespace != "/":
            raise PacketError(f"for the namespace {_shown(namespace)}, which is not served")
        if kind == _DISCONNECT:
            return Received(is_end=True)
        if kind == _EVENT:
            name, arguments = _event_of(body)
            return Received(self._decide(Revision.OLD), Event(name, arguments, number))
        if kind == _ACK:
            return Received()
        if kind in (_BINARY_EVENT, _BINARY_ACK):
            raise PacketError("a binary event, which QuadSim does not use")
        raise PacketError(f"not a packet of Socket.IO ({_shown(text)})")

    def _connect(self, namespace: str) -> tuple[str, ...]:
        if self.revision is Revision.UNKNOWN:
            self.revision = Revision.NEW
        is_new = self.revision is Revision.NEW
        if namespace == "/":
            return (self._connected(),)
        refusal: Any = {"message": "Invalid namespace"} if is_new else "Invalid namespace"
        return (f"{_MESSAGE}{_ERROR}{namespace},{_json(refusal)}",)

    def _connected(self) -> str:
        answer = _json({"sid": self._sid}) if self.revision is Revision.NEW else ""
        return f"{_MESSAGE}{_CONNECT}{answer}"

    def _decide(self, revision: Revision) -> tuple[str, ...]:
        """The messages that a client of this revision waits for, if that was open."""
        if self.revision is not Revision.UNKNOWN:
            return ()
        self.revision = revision
        return (self._connected(),)


def event_text(name: str, data: Mapping[str, Any]) -> str:
    """The message of an event with one argument."""
    return f"{_MESSAGE}{_EVENT}{_json([name, data])}"


def acknowledgement_text(number: int) -> str:
    """The message that acknowledges an event."""
    return f"{_MESSAGE}{_ACK}{number}[]"


def _split(text: str) -> tuple[str, str, int | None, str]:
    """(kind, namespace, number, JSON) of a packet of Socket.IO."""
    kind, rest, namespace = text[:1], text[1:], "/"
    if kind in (_BINARY_EVENT, _BINARY_ACK):
        return kind, namespace, None, rest
    if rest.startswith("/"):
        namespace, _, rest = rest.partition(",")
        namespace = namespace.partition("?")[0]
    digits = len(rest) - len(rest.lstrip("0123456789"))
    if digits > _MAX_NUMBER_DIGITS:
        raise PacketError(f"a number of {digits} digits")
    return kind, namespace, int(rest[:digits]) if digits else None, rest[digits:]


def _event_of(body: str) -> tuple[str, tuple[Any, ...]]:
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        raise PacketError(f"an event that is not JSON ({_shown(body)})") from None
    if not isinstance(values, list) or not values or not isinstance(values[0], str):
        raise PacketError(f"an event without a name ({_shown(body)})")
    return values[0], tuple(values[1:])


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _shown(text: str) -> str:
    """The beginning of a text of the client, printable."""
    return ascii(text[:40])
