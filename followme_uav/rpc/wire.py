"""MessagePack-RPC on the wire: bytes to messages and back, without sockets.

A request is `[0, msgid, method, params]`, a response `[1, msgid, error, result]`, a notification
`[2, method, params]`; they follow each other on the stream without further framing
(https://github.com/msgpack-rpc/msgpack-rpc/blob/master/spec.md).

Floats: a client sends float64, which every AirSim server converts. A server sends the precision of
AirSim's C++ types: float32 for most values (`real_T`), float64 for latitude and longitude, because
the steps of float32 would be metres. Handlers wrap these in `Float64`. A state therefore has the
same precision on every simulator.
"""

from __future__ import annotations

import reprlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgpack  # type: ignore[import-untyped]

from followme_uav.errors import EnvironmentSetupError, RpcError

REQUEST, RESPONSE, NOTIFICATION = 0, 1, 2
MAX_MSGID = 2**32 - 1


class WireError(RpcError):
    """Malformed MessagePack-RPC, a message over the limits, or a value that cannot be sent."""


@dataclass(frozen=True)
class Request:
    """A call with an answer."""

    msgid: int
    method: str
    params: list[Any]


@dataclass(frozen=True)
class Response:
    """The answer to the request with the same `msgid`; `error` is None on success."""

    msgid: int
    error: Any
    result: Any


@dataclass(frozen=True)
class Notification:
    """A call without an answer."""

    method: str
    params: list[Any]


Message = Request | Response | Notification


@dataclass(frozen=True)
class WireLimits:
    """Limits of one message; a larger one is malformed."""

    message_bytes: int
    array_items: int
    """It also bounds the memory that a few bytes of nested array headers can claim."""


CLIENT_LIMITS = WireLimits(message_bytes=64 * 2**20, array_items=2**20)
"""Float images arrive as arrays."""
SERVER_LIMITS = WireLimits(message_bytes=2**20, array_items=4096)
"""The longest array is the path of moveOnPath."""


@dataclass(frozen=True)
class Float64:
    """A number that a server sends in double precision."""

    value: float


class Decoder:
    """Decodes a stream of bytes, in chunks of any size, into messages.

    Attributes:
        pending_bytes: size of the received part of an incomplete message. It is kept as objects,
            which can take seventy times the memory.
    """

    def __init__(self, limits: WireLimits) -> None:
        if msgpack.version < (1, 0):
            raise EnvironmentSetupError(
                "msgpack-rpc-python has put its own old msgpack in place of the current one; "
                "run 'pip install --force-reinstall msgpack', and use that library only in an "
                "environment made by tools/legacy_env.sh"
            )
        self._size = size = limits.message_bytes
        self._fed_bytes = 0
        self.pending_bytes = 0
        self._unpacker = msgpack.Unpacker(
            raw=False,
            strict_map_key=False,
            max_buffer_size=size,
            max_str_len=size,
            max_bin_len=size,
            max_ext_len=256,
            max_array_len=limits.array_items,
            max_map_len=limits.array_items,
        )

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield the messages that `data` completes; consume the iterator before feeding again.

        Raises:
            WireError: The stream is malformed or over the limits; the decoder cannot be used again.
        """
        try:
            self._unpacker.feed(data)
            self._fed_bytes += len(data)
            done_bytes = self._fed_bytes - self.pending_bytes - len(data)
            for item in self._unpacker:
                done_bytes = self._unpacker.tell()
                yield _to_message(item)
            # The library's own limit leaves out the bytes that it has already decoded.
            self.pending_bytes = self._fed_bytes - done_bytes
            if self.pending_bytes > self._size:
                raise msgpack.BufferFull
        except msgpack.BufferFull:
            raise WireError("message longer than the limit") from None
        except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
            cause = str(error) or type(error).__name__
            raise WireError(f"malformed MessagePack ({cause})") from None


def encode_request(msgid: int, method: str, params: Sequence[Any]) -> bytes:
    """Bytes of a request. Raises `WireError` when a parameter cannot be packed."""
    return _pack([REQUEST, msgid, method, params], single_float=False)


def encode_notification(method: str, params: Sequence[Any]) -> bytes:
    """Bytes of a notification. Raises `WireError` when a parameter cannot be packed."""
    return _pack([NOTIFICATION, method, params], single_float=False)


def encode_response(msgid: int, error: Any, result: Any) -> bytes:
    """Bytes of a response, floats in AirSim's precision (see the module's docstring).

    Raises:
        WireError: The result contains a value without a MessagePack form.
    """
    return _pack([RESPONSE, msgid, error, result], single_float=True)


def structs_as_arrays(value: Any) -> Any:
    """The value with each map replaced by the array of its values, as Colosseum sends them."""
    if isinstance(value, dict):
        return [structs_as_arrays(item) for item in value.values()]
    if isinstance(value, list | tuple):
        return [structs_as_arrays(item) for item in value]
    return value


def _to_message(item: Any) -> Message:
    match item:
        case [int(kind), int(msgid), str(method), list(params)] if kind == REQUEST:
            message: Message = Request(_msgid(msgid), method, params)
        case [int(kind), int(msgid), error, result] if kind == RESPONSE:
            message = Response(_msgid(msgid), error, result)
        case [int(kind), str(method), list(params)] if kind == NOTIFICATION:
            message = Notification(method, params)
        case _:
            raise WireError(f"not a MessagePack-RPC message: {reprlib.repr(item)[:60]}")
    if isinstance(item[0], bool):
        raise WireError("not a MessagePack-RPC message: its type is a boolean")
    return message


def _msgid(value: int) -> int:
    if isinstance(value, bool) or not 0 <= value <= MAX_MSGID:
        raise WireError(f"message id {value!r} is no unsigned 32-bit integer")
    return value


class _MixedPrecisionError(Exception):
    """The value contains a `Float64`: it must be packed piece by piece."""


def _pack(message: list[Any], *, single_float: bool) -> bytes:
    # One packer for the whole message: each packer allocates a buffer of its own.
    packer = msgpack.Packer(use_bin_type=True, use_single_float=single_float, default=_refuse)
    try:
        return b"".join(_packed(message, packer))
    except (TypeError, ValueError, OverflowError) as error:
        raise WireError(f"cannot be sent as MessagePack: {error}") from None


def _refuse(value: Any) -> Any:
    if isinstance(value, Float64):
        raise _MixedPrecisionError
    raise TypeError(f"a {type(value).__name__} has no MessagePack form")


def _packed(value: Any, packer: Any) -> Iterator[bytes]:
    """Yield the bytes of a value: in one piece, unless it holds a `Float64`."""
    try:
        yield packer.pack(value)
        return
    except _MixedPrecisionError:
        pass
    match value:
        case Float64(number):
            yield struct.pack(">Bd", 0xCB, number)
        case dict():
            yield packer.pack_map_header(len(value))
            for pair in value.items():
                for part in pair:
                    yield from _packed(part, packer)
        case _:
            yield packer.pack_array_header(len(value))
            for part in value:
                yield from _packed(part, packer)
