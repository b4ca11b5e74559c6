"""Tiny labelled data sets drawn on the spot: a red hero and blue people on grey."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_frames(folder: Path, *, count: int, size: int = 64, seed: int = 0, hero: bool = True):
    """A set with `count` frames; every second one shows the hero, if wanted."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    for i in range(count):
        image = rng.integers(100, 140, (size, size, 3)).astype(np.uint8)
        mask = np.zeros((size, size, 3), np.uint8)
        mask[..., 0] = 255
        place(rng, image, mask, (40, 60, 160), (0, 255, 0))
        if hero and i % 2 == 0:
            place(rng, image, mask, (200, 20, 20), (0, 0, 255))
        Image.fromarray(image).save(folder / "images" / f"run1_cam1_{i:05d}.png")
        Image.fromarray(mask).save(folder / "masks" / f"run1_mask_{i:05d}.png")
    return folder


def place(rng, image, mask, colour, mask_colour):
    size = image.shape[0]
    top, left = rng.integers(0, size - 16, 2)
    body = np.s_[top : top + 14, left : left + 7]
    image[body], mask[body] = colour, mask_colour
