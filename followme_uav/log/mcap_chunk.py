"""A chunk of an MCAP file: decompressed within limits, whatever sizes it declares."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

import lz4.frame
import zstandard

MAX_BYTES = 256 << 20
"""Upper limit of a record, before and after decompression. Most writers make chunks of about a
megabyte; some put a whole recording into one."""

_HEAD = struct.Struct("<QQQII")  # first and last time, uncompressed size, CRC, length of a name
_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True)
class Chunk:
    """A chunk record as the file declares it."""

    compression: str
    uncompressed_size: int
    uncompressed_crc: int
    """0: the writer stored none."""
    data: memoryview

    @staticmethod
    def read(body: bytes) -> Chunk:
        """Parse a record's body, which may end within the data.

        Raises `struct.error` or `ValueError` when it ends before the data.
        """
        _, _, size, crc, name_length = _HEAD.unpack_from(body)
        end = _HEAD.size + name_length
        (length,) = _LENGTH.unpack_from(body, end)
        start = end + _LENGTH.size
        compression = body[_HEAD.size : end].decode()
        return Chunk(compression, size, crc, memoryview(body)[start : start + length])

    def content(self, is_whole: bool) -> bytes:
        """Decompress; as much as possible of a chunk that is not whole.

        Raises `ValueError` when the data does not match what the chunk declares, or exceeds the
        limit.
        """
        if self.uncompressed_size > MAX_BYTES:
            raise ValueError(
                f"chunk of {self.uncompressed_size} bytes is too long; {MAX_BYTES} are read at once"
            )
        if self.compression not in _DECOMPRESS:
            raise ValueError(f"chunk compression '{self.compression}' is not supported")
        try:
            data = _DECOMPRESS[self.compression](self.data, self.uncompressed_size)
        except (zstandard.ZstdError, RuntimeError) as error:
            raise ValueError(f"chunk cannot be decompressed ({error})") from error
        if is_whole:
            if len(data) != self.uncompressed_size:
                raise ValueError(f"chunk is not of the declared {self.uncompressed_size} bytes")
            if self.uncompressed_crc not in (0, zlib.crc32(data)):
                raise ValueError("the checksum of a chunk is wrong")
        return data


def _uncompressed(data: memoryview, size: int) -> bytes:
    return bytes(data)


def _zstd(data: memoryview, size: int) -> bytes:
    """One or several Zstandard frames, with or without a declared size; up to `size` + 1 bytes."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_BYTES)
    with decompressor.stream_reader(io.BytesIO(data), read_across_frames=True) as stream:
        return stream.read(size + 1)


def _lz4(data: memoryview, size: int) -> bytes:
    """One or several LZ4 frames; up to `size` + 1 bytes."""
    content, rest = b"", bytes(data)
    while rest and len(content) <= size:
        frame = lz4.frame.LZ4FrameDecompressor()
        content += frame.decompress(rest, max_length=size + 1 - len(content))
        if not frame.eof:
            break
        rest = frame.unused_data or b""
    return content


_DECOMPRESS = {"": _uncompressed, "zstd": _zstd, "lz4": _lz4}
