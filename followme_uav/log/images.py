"""Encodes the camera's images and the masks for the log, and decodes them.

A flight uses what its log holds: the camera's image is encoded with loss once, and the network gets
the decoded result; masks are rounded before the pilot gets them. So a small log still replays
exactly, from its masks and from its images.

A mask whose probabilities are multiples of 1/15 is stored as a palette image: one byte a pixel
instead of three. Any image viewer shows its colours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from followme_uav.channels import with_fourth_byte, without_fourth_byte
from followme_uav.config import LogConfig
from followme_uav.decoding import decode_jpeg
from followme_uav.log.entry import EncodedImage
from followme_uav.log.png import decode_png, encode_indexed_png, encode_png, table_of
from followme_uav.messages import Mask, MaskClass, RgbImage

_STEPS = 15
_STEP = 255 // _STEPS
"""Resolution of a rounded probability, in 1/255."""
_NEAREST = (np.arange(256) + _STEP // 2) // _STEP
"""Fifteenths nearest to a probability in 1/255."""
_ROUNDED_OFF = _STEP // 2
"""The largest probability in 1/255 that becomes 0."""


def _palette() -> NDArray[np.uint8]:
    """(256, 3) colour of index 16 * people + hero, in fifteenths; hero takes precedence."""
    people, hero = np.divmod(np.arange(256), _STEPS + 1)
    people = np.minimum(people, _STEPS - hero)
    colours = np.empty((256, 3), np.uint8)
    colours[:, MaskClass.BACKGROUND] = _STEP * (_STEPS - people - hero)
    colours[:, MaskClass.PEOPLE] = _STEP * people
    colours[:, MaskClass.HERO] = _STEP * hero
    return colours


_PALETTE = _palette()
_COLOURS = table_of(_PALETTE)
_BACKGROUND = _COLOURS[0]
_HERO_INDEX = _NEAREST.astype(np.uint8)
_PEOPLE_INDEX = ((_STEPS + 1) * _NEAREST).astype(np.uint8)


def as_logged(rgb: RgbImage, config: LogConfig) -> tuple[RgbImage, EncodedImage | None]:
    """The image as the log will hold it, decoded and encoded; None: lossless, not encoded yet."""
    if config.image == "png":
        return rgb, None
    pixels = np.ascontiguousarray(rgb)
    # Full colour resolution: a far hero is a few red pixels.
    data = simplejpeg.encode_jpeg(pixels, config.jpeg_quality, colorsubsampling="444")
    image = EncodedImage(data, "jpeg")
    return decode_camera_image(image), image


def encode_lossless(rgb: RgbImage | None) -> EncodedImage | None:
    """The image as a PNG; None without an image."""
    return None if rgb is None else EncodedImage(encode_png(rgb), "png")


def decode_camera_image(image: EncodedImage, size_px: tuple[int, int] = (0, 0)) -> RgbImage:
    """(height, width, 3) uint8 RGB; `ImageDecodeError` if the data is of no such format.

    `size_px` is the pilot's (height, width): a larger JPEG is reduced to it, see `decode_jpeg`.
    """
    return decode_png(image.data) if image.format == "png" else decode_jpeg(image.data, size_px)


def rounded_mask(mask: Mask) -> Mask:
    """The nearest mask in steps of 1/15; pixels with P(hero) > 1/2 stay the same."""
    people = np.ascontiguousarray(mask[..., MaskClass.PEOPLE])
    hero = np.ascontiguousarray(mask[..., MaskClass.HERO])
    # All other pixels become background: no work for them.
    places = np.flatnonzero((people > _ROUNDED_OFF) | (hero > _ROUNDED_OFF))
    indices = _PEOPLE_INDEX[people.take(places)] + _HERO_INDEX[hero.take(places)]
    pixels = np.full(mask.shape[:2], _BACKGROUND)
    pixels.put(places, _COLOURS[indices])
    return without_fourth_byte(pixels)


def encode_mask(mask: Mask) -> bytes:
    """Lossless PNG of a mask; small for a mask of `rounded_mask`, or with probabilities 0 and 1."""
    others = _other_pixels(mask)
    if np.array_equal(_COLOURS[others.indices], others.pixels):
        indices = np.zeros(mask.shape[:2], np.uint8)
        indices.put(others.places, others.indices)
        return encode_indexed_png(indices, _PALETTE)
    return encode_png(mask)


@dataclass(frozen=True)
class _OtherPixels:
    """The pixels of a mask that are not certainly background: few, so work on all is saved."""

    places: NDArray[np.intp]
    """(n,) positions in the image, row by row."""
    pixels: NDArray[np.uint32]
    """(n,) the three channels, and a byte of 0."""
    indices: NDArray[np.uint8]
    """(n,) palette index of the colour, or of the nearest one."""


def _other_pixels(mask: Mask) -> _OtherPixels:
    image = with_fourth_byte(mask).ravel()
    places = np.flatnonzero(image != _BACKGROUND)
    pixels = image[places]
    channels = pixels.view(np.uint8).reshape(-1, 4)
    channels[:, 3] = 0
    indices = (
        _PEOPLE_INDEX[channels[:, MaskClass.PEOPLE]] + _HERO_INDEX[channels[:, MaskClass.HERO]]
    )
    return _OtherPixels(places, pixels, indices)
