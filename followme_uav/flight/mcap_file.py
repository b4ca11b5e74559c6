"""The file under a flight log: writes that reach the disk at once, reads that trust nothing.

MCAP records are walked here, not by `mcap.reader`, which refuses a file that was cut off, nor by
`mcap.stream_reader.StreamReader`, which believes the lengths and sizes that a file claims.
"""

from __future__ import annotations

import errno
import io
import os
import struct
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Message, Metadata, Schema

from followme_uav.errors import LogError

_MAX_RECORD_BYTES = 64 << 20
"""No record of a log is larger, before or after decompression: a bigger one is damage."""

_PATIENCE_S = 20.0
"""A disk that takes longer will not take it at all."""

_MAGIC = b"\x89MCAP0\r\n"
_RECORD_HEADER = struct.Struct("<BQ")  # opcode, length of the body
_MESSAGE_HEADER = struct.Struct("<HIQQ")  # channel, sequence, log time, publish time
_DESCRIPTIONS: dict[int, Any] = {Opcode.SCHEMA: Schema, Opcode.CHANNEL: Channel}
_CANNOT_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EROFS)  # a device or pipe, not a disk's file
_sync = getattr(os, "fdatasync", os.fsync)  # not on every system
_DAMAGE = (McapError, zstandard.ZstdError, struct.error, ValueError, OverflowError, MemoryError)


class DirectFile:
    """A file whose every write reaches the operating system whole, or raises `OSError`.

    Every `sync_s` seconds a thread has the system put what it has on the disk. That may take long,
    and nobody waits for it; when the disk refuses, the next write raises.
    """

    def __init__(self, path: Path, sync_s: float) -> None:
        self._raw = path.open("wb", buffering=0)
        self._position = 0
        self._error: OSError | None = None
        self._closed = threading.Event()
        self._syncer = threading.Thread(
            target=self._keep_safe, args=(sync_s,), name="log to disk", daemon=True
        )
        _sync_folder(path.parent)
        self._syncer.start()

    def write(self, data: bytes) -> int:
        """Write all of `data`; returns its length."""
        if self._error is not None:
            raise self._error
        rest = memoryview(data)
        while rest:
            rest = rest[self._raw.write(rest) :]
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._position

    def flush(self) -> None:
        """There is no buffer."""

    def close(self) -> None:
        """Put everything on the disk and give the file back."""
        self._closed.set()
        self._syncer.join(_PATIENCE_S)
        self._raw.close()

    def _keep_safe(self, sync_s: float) -> None:
        is_last = False
        while not is_last:
            is_last = self._closed.wait(sync_s)
            try:
                _sync(self._raw.fileno())
            except OSError as error:
                if error.errno not in _CANNOT_SYNC:
                    self._error = error
                return


def _sync_folder(folder: Path) -> None:
    """Make sure that after a power cut the file is there at all."""
    try:
        number = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # a folder that may be written to, but not read
    try:
        os.fsync(number)
    except OSError:
        pass
    finally:
        os.close(number)


def is_truncated(path: Path) -> bool:
    """Whether an MCAP file lacks its end mark; raises `LogError` when it is no MCAP file."""
    with _open(path) as file:
        start = file.read(len(_MAGIC))
        if start != _MAGIC:
            raise LogError(f"{path}: not an MCAP file (it starts with {start!r})")
        size = file.seek(0, io.SEEK_END)
        file.seek(max(len(_MAGIC), size - len(_MAGIC)))
        return file.read() != _MAGIC


class Records:
    """`Metadata`, `Schema`, `Channel` and `Message` records of a file, in its order.

    Iterating raises `LogError` where the file is damaged; in a truncated file that place counts as
    the end. Afterwards `end_byte` tells how far the file could be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.truncated = is_truncated(path)
        self.end_byte = 0

    def __iter__(self) -> Iterator[Any]:
        with _open(self._path) as file:
            crc = zlib.crc32(file.read(len(_MAGIC)))
            while True:
                self.end_byte = file.tell()
                try:
                    opcode, header, body = _read_record(file)
                    if opcode == Opcode.DATA_END:
                        _check_all(body, crc)
                        return
                    records = _parse_record(opcode, body)
                except _DAMAGE as error:
                    if self.truncated:
                        return
                    raise LogError(
                        f"{self._path}: the flight log is damaged: {error} at byte {self.end_byte}"
                    ) from error
                crc = zlib.crc32(body, zlib.crc32(header, crc))
                yield from records


def _read_record(file: BinaryIO) -> tuple[int, bytes, bytes]:
    header = file.read(_RECORD_HEADER.size)
    if len(header) < _RECORD_HEADER.size:
        raise ValueError("no end mark")
    opcode, length = _RECORD_HEADER.unpack(header)
    if length > _MAX_RECORD_BYTES:
        raise ValueError(f"record of {length} bytes is too long")
    body = file.read(length)
    if len(body) < length:
        raise ValueError("record cut off")
    return opcode, header, body


def _check_all(data_end: bytes, crc: int) -> None:
    """Chunks have checksums of their own; this one covers everything between and around them."""
    (written,) = struct.unpack("<I", data_end)
    if written not in (0, crc):  # 0: whoever wrote it made none
        raise ValueError("the checksum of the whole is wrong")


def _parse_record(opcode: int, body: bytes) -> list[Any]:
    stream = ReadDataStream(io.BytesIO(body))
    if opcode == Opcode.METADATA:
        return [Metadata.read(stream)]
    if opcode == Opcode.CHUNK:
        return _parse_chunk(Chunk.read(stream))
    if opcode == Opcode.FOOTER:
        raise ValueError("the end of the data is missing")
    return []  # indexes and the like, which other readers want


def _parse_chunk(chunk: Chunk) -> list[Any]:
    """Its records. Messages are taken apart here: the library's way costs as much as the pilot."""
    _check_size(chunk)
    data = chunk.data if not chunk.compression else zstandard.decompress(chunk.data)
    if chunk.uncompressed_crc not in (0, zlib.crc32(data)):
        raise ValueError("the checksum of a chunk is wrong")
    records: list[Any] = []
    place = 0
    while place < len(data):
        opcode, length = _RECORD_HEADER.unpack_from(data, place)
        place += _RECORD_HEADER.size
        if place + length > len(data):
            raise ValueError("record longer than its chunk")
        if opcode == Opcode.MESSAGE:
            channel_id, sequence, log_ns, publish_ns = _MESSAGE_HEADER.unpack_from(data, place)
            content = data[place + _MESSAGE_HEADER.size : place + length]
            records.append(Message(channel_id, log_ns, content, publish_ns, sequence))
        elif opcode in _DESCRIPTIONS:
            stream = ReadDataStream(io.BytesIO(data[place : place + length]))
            records.append(_DESCRIPTIONS[opcode].read(stream))
        place += length
    return records


def _check_size(chunk: Chunk) -> None:
    """Refuse a chunk that would grow beyond the cap, before it is decompressed."""
    size = len(chunk.data)
    if chunk.compression == "zstd":
        size = zstandard.frame_content_size(chunk.data)
    elif chunk.compression:
        raise ValueError(f"chunk compression '{chunk.compression}' is not supported")
    if size > _MAX_RECORD_BYTES or size != chunk.uncompressed_size:
        raise ValueError(f"chunk of {size} bytes is too long or not what it claims")


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise LogError(f"{path}: cannot read the flight log ({error.strerror or error})") from error
