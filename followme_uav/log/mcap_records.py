"""The records of a valid MCAP file (https://mcap.dev/spec), and those left of a truncated one.

The package `mcap` has two readers, and neither suits: `mcap.reader` rejects a truncated file, and
`mcap.stream_reader` trusts the lengths and sizes that a file declares and decodes indexes that are
not needed. So the file is walked here; the library decodes the single records, except messages,
for which it takes as much time as the pilot.
"""

from __future__ import annotations

import io
import logging
import os
import struct
import zlib
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Footer, Message, Metadata

from followme_uav.errors import LogError
from followme_uav.log.mcap_chunk import MAX_BYTES, Chunk

logger = logging.getLogger(__name__)

_PIECE_BYTES = 1 << 20
_MAGIC = b"\x89MCAP0\r\n"
_RECORD_HEADER = struct.Struct("<BQ")  # opcode, length of the body
_MESSAGE_HEADER = struct.Struct("<HIQQ")  # channel, sequence, log time, publish time
_FOOTER_BYTES = _RECORD_HEADER.size + struct.calcsize("<QQI")
_CONTENT = (Opcode.CHANNEL, Opcode.MESSAGE, Opcode.METADATA, Opcode.CHUNK)
_DAMAGE = (McapError, struct.error, ValueError, OverflowError, MemoryError)


class Records:
    """Iterates over `Metadata`, `Channel` and `Message` records of a file's data section.

    Iterating raises `LogError` where the file is damaged; in a truncated file that place counts as
    the end.

    Attributes:
        truncated: Whether the file lacks its end mark.
        end_byte: Position after the last whole record, once iterated.
        has_all: Whether the end of the data section was reached, once iterated.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.truncated = is_truncated(path)
        self.end_byte = 0
        self.has_all = False

    def __iter__(self) -> Iterator[Any]:
        return self._walk(_CONTENT, check=True)

    def metadata(self) -> Iterator[Metadata]:
        """Only the `Metadata` records; chunks are skipped without a check."""
        return self._walk((Opcode.METADATA,), check=False)

    def summary_channels(self) -> list[Channel]:
        """The channels of the summary section: repeated there, or declared only there."""
        if self.truncated:
            return []
        try:
            return list(self._summary_channels())
        except (*_DAMAGE, OSError) as error:
            raise self._damaged(error) from error

    def _walk(self, wanted: Container[int], check: bool) -> Iterator[Any]:
        """Records of the wanted opcodes; `check` verifies the checksum of the data section.

        A chunk that is cut by the end of a truncated file gives the records before the cut.
        """
        with _open(self._path) as file:
            crc = zlib.crc32(file.read(len(_MAGIC)))
            self.end_byte = len(_MAGIC)
            try:
                while True:
                    header, opcode, length = _read_header(file)
                    if opcode == Opcode.FOOTER:
                        raise ValueError("the end of the data is missing")
                    if opcode in wanted or opcode == Opcode.DATA_END:
                        body = _read_body(file, length)
                        if opcode == Opcode.DATA_END:
                            if check:
                                _check_data_crc(body, crc)
                            self.has_all = True
                            return
                        is_whole = len(body) == length
                        if not is_whole and not (self.truncated and opcode == Opcode.CHUNK):
                            raise ValueError("record cut off")
                        crc = zlib.crc32(body, zlib.crc32(header, crc))
                        yield from _parse(opcode, body, is_whole)
                    elif check:
                        crc = _crc_of_body(file, length, zlib.crc32(header, crc))
                    else:
                        _skip(file, length)
                    self.end_byte += len(header) + length
            except _DAMAGE as error:
                if not self.truncated:
                    raise self._damaged(error) from error
                logger.debug("%s ends at byte %d: %s.", self._path, self.end_byte, error)
            except OSError as error:
                raise _cannot_read(self._path, error) from error

    def _summary_channels(self) -> Iterator[Channel]:
        with _open(self._path) as file:
            end = file.seek(-len(_MAGIC) - _FOOTER_BYTES, io.SEEK_END)
            _, opcode, length = _read_header(file)
            if opcode != Opcode.FOOTER:
                return
            start = Footer.read(_stream(_read_body(file, length))).summary_start
            if not start:
                return
            file.seek(start)
            while file.tell() < end:
                _, opcode, length = _read_header(file)
                if opcode == Opcode.CHANNEL:
                    yield Channel.read(_stream(_read_body(file, length)))
                else:
                    _skip(file, length)

    def _damaged(self, error: Exception) -> LogError:
        return LogError(f"{self._path}: the flight log is damaged: {error} at byte {self.end_byte}")


def is_truncated(path: Path) -> bool:
    """Whether an MCAP file lacks its end mark; raises `LogError` when it is no MCAP file."""
    with _open(path) as file:
        start = file.read(len(_MAGIC))
        if start != _MAGIC:
            raise LogError(f"{path}: not an MCAP file (it starts with {start!r})")
        size = file.seek(0, io.SEEK_END)
        file.seek(max(len(_MAGIC), size - len(_MAGIC)))
        return file.read() != _MAGIC


def _read_header(file: BinaryIO) -> tuple[bytes, int, int]:
    """(bytes of the header, opcode, length of the body) of the next record."""
    header = file.read(_RECORD_HEADER.size)
    if len(header) < _RECORD_HEADER.size:
        raise ValueError("no end mark")
    return (header, *_RECORD_HEADER.unpack(header))


def _read_body(file: BinaryIO, length: int) -> bytes:
    """The body, or its part before the end of the file; raises `ValueError` beyond the limit."""
    if length > _PIECE_BYTES:
        length = min(length, _left(file))
    if length > MAX_BYTES:
        raise ValueError(f"record of {length} bytes is too long; {MAX_BYTES} are read at once")
    return file.read(length)


def _skip(file: BinaryIO, length: int) -> None:
    if length > _left(file):
        raise ValueError("record cut off")
    file.seek(length, io.SEEK_CUR)


def _left(file: BinaryIO) -> int:
    """Bytes from here to the end of the file."""
    return os.fstat(file.fileno()).st_size - file.tell()


def _crc_of_body(file: BinaryIO, length: int, crc: int) -> int:
    """Read a body of any length in pieces; returns the continued checksum."""
    while length:
        piece = file.read(min(length, _PIECE_BYTES))
        if not piece:
            raise ValueError("record cut off")
        crc = zlib.crc32(piece, crc)
        length -= len(piece)
    return crc


def _check_data_crc(data_end: bytes, crc: int) -> None:
    """Verify the checksum of the data section, which covers the bytes outside of chunks too."""
    (stored,) = struct.unpack_from("<I", data_end)
    if stored not in (0, crc):  # 0: the writer stored none
        raise ValueError("the checksum of the data section is wrong")


def _parse(opcode: int, body: bytes, is_whole: bool) -> Iterator[Any]:
    if opcode == Opcode.CHUNK:
        chunk = Chunk.read(body)
        yield from _records_of(chunk.content(is_whole), is_whole)
    elif opcode == Opcode.MESSAGE:
        yield _message(body, 0, len(body))
    else:
        yield (Metadata if opcode == Opcode.METADATA else Channel).read(_stream(body))


def _records_of(data: bytes, is_whole: bool) -> Iterator[Any]:
    """The records in a chunk's content; those before the cut if it is not whole."""
    place, size = 0, len(data)
    while place < size:
        start = place + _RECORD_HEADER.size
        opcode, length = _RECORD_HEADER.unpack_from(data, place) if start <= size else (0, size + 1)
        place = start + length
        if place > size:
            if is_whole:
                raise ValueError("record longer than its chunk")
            return
        if opcode == Opcode.MESSAGE:
            yield _message(data, start, place)
        elif opcode == Opcode.CHANNEL:
            yield Channel.read(_stream(data[start:place]))


def _message(data: bytes, start: int, end: int) -> Message:
    channel_id, sequence, log_ns, publish_ns = _MESSAGE_HEADER.unpack_from(data, start)
    content = start + _MESSAGE_HEADER.size
    if content > end:
        raise ValueError("message without its header")
    return Message(channel_id, log_ns, data[content:end], publish_ns, sequence)


def _stream(body: bytes) -> ReadDataStream:
    return ReadDataStream(io.BytesIO(body))


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise _cannot_read(path, error) from error


def _cannot_read(path: Path, error: OSError) -> LogError:
    return LogError(f"{path}: cannot read the flight log ({error.strerror or error})")
