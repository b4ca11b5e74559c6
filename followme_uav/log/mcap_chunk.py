"""A chunk of an MCAP file, decompressed without believing what it says about itself."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

import lz4.frame
import zstandard

MAX_BYTES = 256 << 20
"""No record is larger, before or after decompression. Writers make chunks of about a megabyte; some
put a whole recording into one."""

_HEAD = struct.Struct("<QQQII")  # first and last time, uncompressed size, CRC, length of a name
_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True)
class Chunk:
    """A chunk record, in the words of the file."""

    compression: str
    uncompressed_size: int
    uncompressed_crc: int
    """0: the writer made none."""
    data: memoryview

    @staticmethod
    def read(body: bytes) -> Chunk:
        """The chunk in a record's body, which may be cut off within the data.

        Raises `struct.error` or `ValueError` when even what precedes the data is not there.
        """
        _, _, size, crc, name_length = _HEAD.unpack_from(body)
        end = _HEAD.size + name_length
        (length,) = _LENGTH.unpack_from(body, end)
        start = end + _LENGTH.size
        compression = body[_HEAD.size : end].decode()
        return Chunk(compression, size, crc, memoryview(body)[start : start + length])

    def content(self, is_whole: bool) -> bytes:
        """Decompress; of a chunk that is not whole, as much as can be.

        Raises `ValueError` when the data is not what the chunk claims, or too much.
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
                raise ValueError(f"chunk is not of the {self.uncompressed_size} bytes it claims")
            if self.uncompressed_crc not in (0, zlib.crc32(data)):
                raise ValueError("the checksum of a chunk is wrong")
        return data


def _as_it_is(data: memoryview, size: int) -> bytes:
    return bytes(data)


def _zstd(data: memoryview, size: int) -> bytes:
    """Frames tell their size or not, and may be several; at most one byte more than `size`."""
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_BYTES)
    with decompressor.stream_reader(io.BytesIO(data), read_across_frames=True) as stream:
        return stream.read(size + 1)


def _lz4(data: memoryview, size: int) -> bytes:
    """The same for LZ4 frames."""
    content, rest = b"", bytes(data)
    while rest and len(content) <= size:
        frame = lz4.frame.LZ4FrameDecompressor()
        content += frame.decompress(rest, max_length=size + 1 - len(content))
        if not frame.eof:
            break
        rest = frame.unused_data or b""
    return content


_DECOMPRESS = {"": _as_it_is, "zstd": _zstd, "lz4": _lz4}
