"""How images travel to the log and back: the camera's picture, and masks.

A flight sees what its log holds: the camera's picture is coded once, before the network sees it,
and the network gets what the code decodes to; masks are rounded before the pilot sees them. So a
small log still replays exactly, from its masks and from its pictures.

A mask whose probabilities are multiples of 1/15 is a palette image: one byte for a pixel instead of
three. Any viewer shows its colours.
"""

from __future__ import annotations

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from followme_uav.config import LogConfig
from followme_uav.decoding import decode_jpeg
from followme_uav.log.entry import EncodedImage
from followme_uav.log.png import (
    coloured,
    decode_png,
    encode_indexed_png,
    encode_png,
    table_of,
)
from followme_uav.messages import Mask, MaskClass, RgbImage

_STEPS = 15
_STEP = 255 // _STEPS
"""Of a rounded probability, in 1/255."""
_NEAREST = (np.arange(256) + _STEP // 2) // _STEP


def _palette() -> NDArray[np.uint8]:
    """(256, 3) colour of the index 16 * people + hero, both in fifteenths; hero counts first."""
    people, hero = np.divmod(np.arange(256), _STEPS + 1)
    people = np.minimum(people, _STEPS - hero)
    colours = np.empty((256, 3), np.uint8)
    colours[:, MaskClass.BACKGROUND] = _STEP * (_STEPS - people - hero)
    colours[:, MaskClass.PEOPLE] = _STEP * people
    colours[:, MaskClass.HERO] = _STEP * hero
    return colours


_PALETTE = _palette()
_COLOURS = table_of(_PALETTE)
# Tables for `bytes.translate`, which is many times faster than NumPy's indexing.
_HERO_INDEX = _NEAREST.astype(np.uint8).tobytes()
_PEOPLE_INDEX = ((_STEPS + 1) * _NEAREST).astype(np.uint8).tobytes()


def as_logged(rgb: RgbImage, config: LogConfig) -> tuple[RgbImage, EncodedImage | None]:
    """The image that the log will hold, for the flight to see; None: as it is, lossless."""
    if config.image == "png":
        return rgb, None
    pixels = np.ascontiguousarray(rgb)
    # Full colour resolution: a far hero is a few red pixels.
    data = simplejpeg.encode_jpeg(pixels, config.jpeg_quality, colorsubsampling="444")
    picture = EncodedImage(data, "jpeg")
    return decode_camera_image(picture), picture


def encode_lossless(rgb: RgbImage | None) -> EncodedImage | None:
    """An image without loss."""
    return None if rgb is None else EncodedImage(encode_png(rgb), "png")


def decode_camera_image(picture: EncodedImage) -> RgbImage:
    """(height, width, 3) uint8 RGB; raises `ImageError` for what is no such image."""
    return decode_png(picture.data) if picture.format == "png" else decode_jpeg(picture.data)


def rounded_mask(mask: Mask) -> Mask:
    """The nearest mask in steps of 1/15; which pixels are more likely hero than not stays."""
    return coloured(_indices(mask), _COLOURS)


def encode_mask(mask: Mask) -> bytes:
    """PNG of a mask without loss; small for one that `rounded_mask` made, or an exact one."""
    indices = _indices(mask)
    shown = coloured(indices, _COLOURS)
    # Plane by plane: of a view of four bytes a pixel, all at once takes five times as long.
    if all(np.array_equal(shown[..., kind], mask[..., kind]) for kind in range(3)):
        return encode_indexed_png(indices, _PALETTE)
    return encode_png(mask)


def _indices(mask: Mask) -> NDArray[np.uint8]:
    """(height, width) index of each pixel's colour in the palette, or of the nearest one."""
    people = mask[..., MaskClass.PEOPLE].tobytes().translate(_PEOPLE_INDEX)
    hero = mask[..., MaskClass.HERO].tobytes().translate(_HERO_INDEX)
    indices = np.frombuffer(people, np.uint8) + np.frombuffer(hero, np.uint8)
    return indices.reshape(mask.shape[:2])
