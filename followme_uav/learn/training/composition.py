"""Compose training crops: people of one crop in another one, and people behind background.

Far heroes are rare in recordings, always before the same walls and trees, and seldom half hidden.
Pasting is Simple Copy-Paste (Ghiasi et al., 2021) within a batch. All people of a crop are pasted,
the hero and others alike, so that an outline which does not fit says nothing about the class.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from followme_uav.messages import MaskClass

_LEAF_PX = (2, 7)
"""Smallest and largest grain of what hides somebody."""
_HIDDEN_SHARE = (0.15, 0.6)
"""Smallest and largest part of the place that is hidden."""


def pasted(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    sources: Sequence[str],
    share: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The crops, a share of them with the people of another crop of the same source in front.

    Args:
        images: (batch, height, width, 3) RGB.
        labels: (batch, height, width) class index.
        sources: data folder of each crop.
        share: probability that a crop gets the people of another one.
        rng: source of the random numbers.

    Returns:
        Changed images and labels.
    """
    images_then, labels_then = images.copy(), labels.copy()
    for i in map(int, np.flatnonzero(rng.random(len(images)) < share)):
        others = [j for j in range(len(images)) if j != i and sources[j] == sources[i]]
        if others:
            other = others[int(rng.integers(len(others)))]
            person = labels[other] != MaskClass.BACKGROUND
            images_then[i][person] = images[other][person]
            labels_then[i][person] = labels[other][person]
    return images_then, labels_then


def hidden(
    images: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    share: float,
    rng: np.random.Generator,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The crops, a share of them with somebody half hidden, as behind leaves.

    Irregular spots around a person show the background of another place of the crop.

    Args:
        images: (batch, height, width, 3) RGB.
        labels: (batch, height, width) class index.
        share: probability that somebody in a crop is half hidden.
        rng: source of the random numbers.

    Returns:
        Changed images and labels.
    """
    images, labels = images.copy(), labels.copy()
    for i in np.flatnonzero(rng.random(len(images)) < share):
        _hide_somebody(images[i], labels[i], rng)
    return images, labels


def _hide_somebody(
    image: NDArray[np.uint8], label: NDArray[np.uint8], rng: np.random.Generator
) -> None:
    """Hide parts of the square around a random pixel of a person, in place."""
    pixels = np.flatnonzero(label == MaskClass.HERO)
    if not len(pixels):
        pixels = np.flatnonzero(label == MaskClass.PEOPLE)
    if not len(pixels):
        return
    height, width = label.shape
    row, column = divmod(int(pixels[rng.integers(len(pixels))]), width)
    side = min(2 + 2 * round(float(np.sqrt(len(pixels)))), height, width)
    top, left = (
        int(np.clip(at - rng.integers(side), 0, limit - side))
        for at, limit in ((row, height), (column, width))
    )
    y, x = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    there, here = np.s_[y : y + side, x : x + side], np.s_[top : top + side, left : left + side]
    spots = _spots(side, rng) & (label[there] == MaskClass.BACKGROUND)
    image[here][spots] = image[there][spots]
    label[here][spots] = MaskClass.BACKGROUND


def _spots(side_px: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Irregular spots in a square: random values, interpolated between, above a threshold."""
    grain_px = rng.uniform(*_LEAF_PX)
    cells = max(2, round(side_px / grain_px))
    coarse = Image.fromarray(rng.random((cells, cells), dtype=np.float32))
    field = np.asarray(coarse.resize((side_px, side_px), Image.Resampling.BICUBIC))
    return np.asarray(field < np.quantile(field, rng.uniform(*_HIDDEN_SHARE)), np.bool_)
