"""Resizes images and masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def resized_image(image: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize an image with Pillow's bilinear filter, which averages when it shrinks.

    Args:
        image: (height, width, 3).
        size_px: Height and width of the result.
    """
    from PIL import Image  # the RPC client needs it for images of another size only

    height, width = size_px
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def resized_classes(mask: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize a mask of exact classes: the nearest pixel for each, so that classes do not mix.

    Args:
        mask: (height, width) or (height, width, 3).
        size_px: Height and width of the result.
    """
    rows, columns = (
        (2 * np.arange(new) + 1) * old // (2 * new)
        for new, old in zip(size_px, mask.shape[:2], strict=True)
    )
    result: NDArray[np.uint8] = mask[np.ix_(rows, columns)]
    return result
