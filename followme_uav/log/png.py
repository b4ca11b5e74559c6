"""Lossless images for the log, encoded fast enough for the loop.

A general PNG encoder tries all five row filters on each row. Camera images and masks do nearly as
well with one fixed filter, and NumPy applies that to the whole image at once: half the time, 2 %
more bytes (measured in `docs/flight_log.md`). Any PNG reader opens the result.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from followme_uav.decoding import ImageDecodeError, check_size, decode_image, decoder_errors

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SUB_FILTER = 1  # each byte minus the same channel of the pixel to its left (PNG, section 9)
_RGB, _INDEXED = 2, 3  # colour types
_PALETTE_AT = 33  # after signature and header


def encode_png(rgb: NDArray[np.uint8]) -> bytes:
    """PNG of a (height, width, 3) uint8 image; equal images give equal bytes."""
    height, width, _ = rgb.shape
    pixels = rgb.reshape(height, width * 3)
    rows = np.empty((height, 1 + width * 3), np.uint8)
    rows[:, 0] = _SUB_FILTER
    rows[:, 1:4] = pixels[:, :3]
    np.subtract(pixels[:, 3:], pixels[:, :-3], out=rows[:, 4:])
    return _png(width, height, _RGB, b"", zlib.compress(rows.data, 1))


def encode_indexed_png(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """PNG of the image `palette[indices]`, (height, width) into (256, 3), both uint8.

    Neighbours are mostly equal: run lengths say it all, and are found faster than repetitions.
    """
    height, width = indices.shape
    used = np.flatnonzero(np.bincount(indices.ravel(), minlength=256))
    number = np.zeros(256, np.uint8)
    number[used] = np.arange(used.size)
    rows = np.zeros((height, 1 + width), np.uint8)  # filter 0: as they are
    packed = indices.tobytes().translate(number.tobytes())
    rows[:, 1:] = np.frombuffer(packed, np.uint8).reshape(height, width)
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    colours = _section(b"PLTE", palette[used].tobytes())
    return _png(width, height, _INDEXED, colours, packer.compress(rows.data) + packer.flush())


def decode_png(data: bytes) -> NDArray[np.uint8]:
    """The (height, width, 3) uint8 image in `data`; raises `ImageDecodeError` if there is none."""
    with decoder_errors():
        image = _own_indexed(data)
    return decode_image(data, ("PNG",)) if image is None else image


def _own_indexed(data: bytes) -> NDArray[np.uint8] | None:
    """What `encode_indexed_png` made, without Pillow: replays read masks above all. Else None."""
    start = len(_SIGNATURE)
    if len(data) < _PALETTE_AT + 8 or data[:start] != _SIGNATURE:
        return None
    width, height, depth, kind = struct.unpack_from(">IIBB", data, start + 8)
    colours = struct.unpack_from(">I", data, _PALETTE_AT)[0]
    pixels_at = _PALETTE_AT + 12 + colours
    if (depth, kind) != (8, _INDEXED) or data[pixels_at + 4 : pixels_at + 8] != b"IDAT":
        return None
    check_size(width, height)
    (length,) = struct.unpack_from(">I", data, pixels_at)
    size = height * (width + 1)
    raw = zlib.decompressobj().decompress(data[pixels_at + 8 : pixels_at + 8 + length], size)
    if len(raw) != size:
        raise ImageDecodeError("not a readable image (it is too short)")
    rows = np.frombuffer(raw, np.uint8).reshape(height, width + 1)
    if rows[:, 0].any():
        return None
    palette = np.frombuffer(data, np.uint8, colours, _PALETTE_AT + 8).reshape(-1, 3)
    return coloured(rows[:, 1:], table_of(palette))


def table_of(palette: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """(256,) for `coloured`, of up to so many colours (n, 3)."""
    table = np.zeros((256, 4), np.uint8)
    table[: len(palette), :3] = palette
    return table.view(np.uint32)[:, 0]


def coloured(indices: NDArray[np.uint8], table: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The image (height, width, 3) of indices (height, width) into a table of colours.

    Looks four bytes up at once, the last of which is left out of the image: NumPy and
    `bytes.translate` take twice as long or more for the three single ones.
    """
    pixels = table.take(np.ascontiguousarray(indices))
    return pixels.view(np.uint8).reshape(*indices.shape, 4)[..., :3]


def _png(width: int, height: int, kind: int, colours: bytes, data: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    end = _section(b"IDAT", data) + _section(b"IEND", b"")
    return _SIGNATURE + _section(b"IHDR", header) + colours + end


def _section(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
