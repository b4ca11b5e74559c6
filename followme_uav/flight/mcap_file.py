"""The file under a flight log: writes that reach the disk at once, reads that trust nothing.

MCAP records are walked here, not by `mcap.reader`, which refuses a file that was cut off, nor by
`mcap.stream_reader.StreamReader`, which believes the lengths and sizes that a file claims.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Chunk, Metadata
from mcap.stream_reader import breakup_chunk

from followme_uav.errors import LogError

_MAX_RECORD_BYTES = 64 << 20
"""No record of a log is larger, before or after decompression: a bigger one is damage."""

_MAGIC = b"\x89MCAP0\r\n"
_RECORD_HEADER = struct.Struct("<BQ")  # opcode, length of the body


class DirectFile:
    """A file whose every write reaches the operating system whole, or raises `OSError`."""

    def __init__(self, path: Path) -> None:
        self._raw = path.open("wb", buffering=0)
        self._position = 0

    def write(self, data: bytes) -> int:
        """Write all of `data`; returns its length."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._raw.write(rest) :]
        self._position += len(data)
        return len(data)

    def tell(self) -> int:
        """Bytes written so far."""
        return self._position

    def close(self) -> None:
        """Give the file back."""
        self._raw.close()


def is_truncated(path: Path) -> bool:
    """Whether an MCAP file lacks its end mark; raises `LogError` when it is no MCAP file."""
    with _open(path) as file:
        start = file.read(len(_MAGIC))
        if start != _MAGIC:
            raise LogError(f"{path}: not an MCAP file (it starts with {start!r})")
        size = file.seek(0, io.SEEK_END)
        file.seek(max(len(_MAGIC), size - len(_MAGIC)))
        return file.read() != _MAGIC


def read_records(path: Path, truncated: bool) -> Iterator[Any]:
    """`Metadata`, `Schema`, `Channel` and `Message` records in the order of the file.

    Raises `LogError` where the file is damaged; in a truncated file that place counts as the end.
    """
    with _open(path) as file:
        file.seek(len(_MAGIC))
        while True:
            position = file.tell()
            try:
                opcode, body = _read_record(file)
                if opcode in (Opcode.DATA_END, Opcode.FOOTER):
                    return
                records = _parse_record(opcode, body)
            except (McapError, zstandard.ZstdError, struct.error, ValueError) as error:
                if truncated:
                    return
                raise LogError(
                    f"{path}: the flight log is damaged: {error} at byte {position}"
                ) from error
            yield from records


def _read_record(file: BinaryIO) -> tuple[int, bytes]:
    header = file.read(_RECORD_HEADER.size)
    if len(header) < _RECORD_HEADER.size:
        raise ValueError("no end mark")
    opcode, length = _RECORD_HEADER.unpack(header)
    if length > _MAX_RECORD_BYTES:
        raise ValueError(f"record of {length} bytes is too long")
    body = file.read(length)
    if len(body) < length:
        raise ValueError("record cut off")
    return opcode, body


def _parse_record(opcode: int, body: bytes) -> list[Any]:
    stream = ReadDataStream(io.BytesIO(body))
    if opcode == Opcode.METADATA:
        return [Metadata.read(stream)]
    if opcode == Opcode.CHUNK:
        chunk = Chunk.read(stream)
        _check_size(chunk)
        return breakup_chunk(chunk, validate_crc=True)
    return []  # indexes and the like, which other readers want


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
