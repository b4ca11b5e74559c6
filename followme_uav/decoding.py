"""Decoding of untrusted images: sizes are limited, and every failure is one kind of error.

Decoders raise errors of many types: `OSError` for a truncated file, `SyntaxError` for a broken PNG,
`ValueError` for a text chunk that would fill the memory, `MemoryError` for a header that claims too
many pixels. Callers add the source of the image to the message.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from followme_uav.messages import RgbImage

MAX_PIXELS = 4096 * 4096
"""Camera images have fewer; a header that claims more would fill the memory."""
MAX_FILE_BYTES = 64 << 20
"""Larger than an uncompressed image of `MAX_PIXELS`."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_START = b"\xff\xd8"
_PNG_SIZE = struct.Struct(">II")
_PNG_SIZE_AT = 16  # after signature, length and name of the header


class ImageDecodeError(ValueError):
    """Bytes that are not a usable image; the message is one line, without a file name."""


def decode_image(data: bytes, formats: Collection[str] = ("PNG", "JPEG")) -> RgbImage:
    """Decode an image with Pillow as (height, width, 3) uint8 RGB.

    Raises:
        ImageDecodeError: The image is in none of the formats, damaged or too large.
    """
    kind = "JPEG" if is_jpeg(data) else "PNG" if data.startswith(_PNG_SIGNATURE) else None
    if kind is None or kind not in formats:
        start = data[:4].hex(" ") or "none, it is empty"
        raise ImageDecodeError(
            f"not a readable image (not {' or '.join(formats)}; first bytes: {start})"
        )
    with decoder_errors():
        # Check the size first: Pillow itself warns about large images.
        check_size(*(jpeg_size if kind == "JPEG" else _png_size)(data))
        with Image.open(io.BytesIO(data), formats=[kind]) as image:
            check_size(*image.size)
            if image.mode.startswith(("I", "F")):  # Pillow would cut off all above 255
                raise ImageDecodeError("not a readable image (grey, with more than 8 bits)")
            return np.array(image.convert("RGB"))


def decode_jpeg(data: bytes, least_px: tuple[int, int] = (0, 0)) -> RgbImage:
    """Decode a JPEG faster than `decode_image`; pixels may differ by one grey level.

    Args:
        data: The file.
        least_px: (height, width). A larger image is reduced while it is decoded: to the smallest
            size that is a multiple of an eighth of its own, and that is no smaller than this. (0,
            0) leaves it as it is.
    """
    height_px, width_px = least_px
    with decoder_errors():
        check_size(*jpeg_size(data))
        rgb: RgbImage = simplejpeg.decode_jpeg(data, min_height=height_px, min_width=width_px)
        return rgb


def decode_grey_jpeg(data: bytes) -> NDArray[np.uint8]:
    """Decode the brightness of a JPEG: (height, width) uint8."""
    with decoder_errors():
        check_size(*jpeg_size(data))
        grey: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, colorspace="GRAY")[..., 0]
        return grey


def is_jpeg(data: bytes) -> bool:
    """Whether the data begin like a JPEG file, whose compression blurs edges."""
    return data.startswith(_JPEG_START)


def check_size(width_px: int, height_px: int) -> None:
    """Raise `ImageDecodeError` for a size that no camera image has."""
    if width_px <= 0 or height_px <= 0:
        raise ImageDecodeError(f"not a readable image ({width_px}x{height_px} pixels)")
    if width_px * height_px > MAX_PIXELS:
        raise ImageDecodeError(
            f"image of {width_px}x{height_px} pixels is too large; at most {MAX_PIXELS} are read"
        )


@contextmanager
def decoder_errors() -> Iterator[None]:
    """Turn every error of a decoder into an `ImageDecodeError`."""
    try:
        yield
    except ImageDecodeError:
        raise
    except Exception as error:  # decoders do not document the types of their errors
        raise ImageDecodeError(f"not a readable image ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    """Cause in one line; some errors have no text, and one of Pillow's holds an object address."""
    if isinstance(error, UnidentifiedImageError):
        return "its header is damaged"
    if isinstance(error, MemoryError):
        return "it does not fit into the memory"
    return " ".join(str(error).split())[:200] or type(error).__name__


def _png_size(data: bytes) -> tuple[int, int]:
    width, height = _PNG_SIZE.unpack_from(data, _PNG_SIZE_AT)
    return width, height


def jpeg_size(data: bytes) -> tuple[int, int]:
    """(width, height) by the header of a JPEG; the errors are those of the decoder."""
    height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    return int(width), int(height)
