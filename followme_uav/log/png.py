"""PNG encoder and decoder for the log, fast enough for the flight loop.

A general PNG encoder tries all five row filters on each row. This one applies one fixed filter to
the whole image with NumPy: half the time, 2 % more bytes for camera images and masks (measured in
`docs/flight_log.md`). Any PNG reader opens the result.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from followme_uav.channels import without_fourth_byte
from followme_uav.decoding import ImageDecodeError, check_size, decode_image, decoder_errors

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SUB_FILTER = 1  # each byte minus the same channel of the pixel to its left (PNG, section 9)
_RGB, _INDEXED = 2, 3  # colour types
_PALETTE_AT = 33  # byte offset of the palette: after signature and header


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

    Neighbouring indices are mostly equal, so run-length encoding compresses them as well as a
    search for repeated strings, in less time.
    """
    height, width = indices.shape
    flat = indices.ravel()
    places = np.flatnonzero(flat != 0)
    others = flat[places]  # a few, in a mask that is mostly background
    counts = np.bincount(others, minlength=256)
    counts[0] = flat.size - places.size
    used = np.flatnonzero(counts)
    new_index = np.zeros(256, np.uint8)
    new_index[used] = np.arange(used.size)
    rows = np.zeros((height, 1 + width), np.uint8)  # filter 0: none
    rows.put(places + places // width + 1, new_index[others])
    deflate = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_RLE)
    colours = _png_chunk(b"PLTE", palette[used].tobytes())
    return _png(width, height, _INDEXED, colours, deflate.compress(rows.data) + deflate.flush())


def decode_png(data: bytes) -> NDArray[np.uint8]:
    """(height, width, 3) uint8 image of a PNG; raises `ImageDecodeError` when `data` is not one."""
    with decoder_errors():
        image = _decode_indexed_png(data)
    return decode_image(data, ("PNG",)) if image is None else image


def _decode_indexed_png(data: bytes) -> NDArray[np.uint8] | None:
    """Decode a PNG of `encode_indexed_png`; None for others.

    Replays spend most of their reading time on masks, and Pillow takes longer for them.
    """
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
    """Lookup table (256,) for `coloured` from a palette (n, 3), n up to 256."""
    table = np.zeros((256, 4), np.uint8)
    table[: len(palette), :3] = palette
    return table.view(np.uint32)[:, 0]


def coloured(indices: NDArray[np.uint8], table: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The image (height, width, 3) of indices (height, width) into a table of colours.

    Looks up four bytes of a pixel at once and leaves the last one out of the image. Looking up the
    three bytes separately takes at least twice as long, with NumPy and with `bytes.translate`.
    """
    return without_fourth_byte(table.take(np.ascontiguousarray(indices)))


def _png(width: int, height: int, kind: int, colours: bytes, data: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    end = _png_chunk(b"IDAT", data) + _png_chunk(b"IEND", b"")
    return _SIGNATURE + _png_chunk(b"IHDR", header) + colours + end


def _png_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
