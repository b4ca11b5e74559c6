"""Images that come from outside, decoded with care: sizes are capped, any failure is one error.

Decoders raise whatever their authors liked: `OSError` for a file that was cut off, `SyntaxError`
for a broken PNG, `ValueError` for a text in it that would fill the memory, `MemoryError` for a
header that claims too much. Callers add where the image came from.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import numpy as np
import simplejpeg
from PIL import Image, UnidentifiedImageError

from followme_uav.messages import RgbImage

MAX_PIXELS = 4096 * 4096
"""A camera's image has fewer; a header that claims more is an attempt to fill the memory."""
MAX_FILE_BYTES = 64 << 20
"""More than an image of that many pixels takes without compression."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_START = b"\xff\xd8"
_PNG_SIZE = struct.Struct(">II")
_PNG_SIZE_AT = 16  # after signature, length and name of the header


class ImageDecodeError(ValueError):
    """Bytes that are no usable image; the message is one line, without the file's name."""


def decode_image(data: bytes, formats: Collection[str] = ("PNG", "JPEG")) -> RgbImage:
    """The image in `data`, decoded by Pillow, (height, width, 3) uint8 RGB.

    Raises:
        ImageDecodeError: There is none of these formats, it is damaged or too large.
    """
    kind = "JPEG" if is_jpeg(data) else "PNG" if data.startswith(_PNG_SIGNATURE) else None
    if kind is None or kind not in formats:
        start = data[:4].hex(" ") or "none, it is empty"
        raise ImageDecodeError(
            f"not a readable image (not {' or '.join(formats)}; first bytes: {start})"
        )
    with decoder_errors():
        # Pillow warns of large images on its own, so the size is known before it sees them.
        check_size(*(_jpeg_size if kind == "JPEG" else _png_size)(data))
        with Image.open(io.BytesIO(data), formats=[kind]) as image:
            check_size(*image.size)
            return np.array(image.convert("RGB"))


def decode_jpeg(data: bytes) -> RgbImage:
    """As `decode_image`, faster, for JPEG only; pixels may differ by a grey level."""
    with decoder_errors():
        check_size(*_jpeg_size(data))
        rgb: RgbImage = simplejpeg.decode_jpeg(data)
        return rgb


def is_jpeg(data: bytes) -> bool:
    """Whether the data claim to be JPEG, which blurs."""
    return data.startswith(_JPEG_START)


def check_size(width_px: int, height_px: int) -> None:
    """Raises `ImageDecodeError` for what is no camera image."""
    if width_px <= 0 or height_px <= 0:
        raise ImageDecodeError(f"not a readable image ({width_px}x{height_px} pixels)")
    if width_px * height_px > MAX_PIXELS:
        raise ImageDecodeError(
            f"image of {width_px}x{height_px} pixels is too large; at most {MAX_PIXELS} are read"
        )


@contextmanager
def decoder_errors() -> Iterator[None]:
    """Turns whatever a decoder raises into `ImageDecodeError`."""
    try:
        yield
    except ImageDecodeError:
        raise
    except Exception as error:  # their kinds are no part of any decoder's contract
        raise ImageDecodeError(f"not a readable image ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    """In one line; some errors have no text, and Pillow's names an object's address."""
    if isinstance(error, UnidentifiedImageError):
        return "its header is damaged"
    if isinstance(error, MemoryError):
        return "it does not fit into the memory"
    return " ".join(str(error).split())[:200] or type(error).__name__


def _png_size(data: bytes) -> tuple[int, int]:
    width, height = _PNG_SIZE.unpack_from(data, _PNG_SIZE_AT)
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int]:
    height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    return int(width), int(height)
