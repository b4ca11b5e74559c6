"""Builds images from their channels, and gives access to whole pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def stacked(*channels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the image (height, width, n) of n channels (height, width).

    Copying channel by channel is several times as fast as `numpy.stack`, which copies by pixel.
    """
    image = np.empty((*channels[0].shape, len(channels)), dtype=np.uint8)
    for number, channel in enumerate(channels):
        image[..., number] = channel
    return image


def without_fourth_byte(pixels: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Return the image (height, width, 3) of pixels (height, width), each of four bytes.

    It is a view: looking up or comparing four bytes at once takes a fraction of the time.
    """
    return pixels.view(np.uint8).reshape(*pixels.shape, 4)[..., :3]


def with_fourth_byte(image: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return the pixels (height, width) of an image (height, width, 3).

    The fourth byte is 0, or that of the pixels of which `image` is a view by `without_fourth_byte`.
    """
    base = image.base
    if (
        isinstance(base, np.ndarray)
        and base.dtype == np.uint32
        and base.shape == image.shape[:2]
        and image.strides == (*base.strides, 1)
        and image.__array_interface__["data"] == base.__array_interface__["data"]
    ):
        return base
    pixels = np.zeros(image.shape[:2], np.uint32)
    target = without_fourth_byte(pixels)
    for channel in range(3):  # a fifth of the time of copying pixel by pixel
        target[..., channel] = image[..., channel]
    return pixels
