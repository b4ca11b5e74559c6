"""Images from their channels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def stacked(*channels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image (height, width, n) of n channels (height, width).

    One channel after the other is several times as fast as NumPy's way, pixel by pixel.
    """
    image = np.empty((*channels[0].shape, len(channels)), dtype=np.uint8)
    for number, channel in enumerate(channels):
        image[..., number] = channel
    return image
