"""Builds images from their channels."""

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
