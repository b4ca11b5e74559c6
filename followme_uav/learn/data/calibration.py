"""Images with which a network is quantised: they show the values that its layers take in flight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from followme_uav.errors import DataError
from followme_uav.labelled_frames import KINDS
from followme_uav.learn.data.dataset import read_bytes, read_pixels
from followme_uav.learn.data.pairing import image_files
from followme_uav.resizing import resized_image

MAX_IMAGES = 300
"""More change the measured ranges little."""


def calibration_images(
    folders: Sequence[Path], size_px: tuple[int, int], count: int = MAX_IMAGES
) -> list[NDArray[np.uint8]]:
    """Read images that are evenly spaced in the sorted list of all: any call reads the same.

    Args:
        folders: Folders with labelled frames, whose masks are not read, or with images.
        size_px: Height and width of the results.
        count: Largest number of images.

    Returns:
        (height, width, 3) RGB each.

    Raises:
        DataError: A folder is missing or holds no image, or a file is no readable image.
    """
    files = [file for folder in folders for file in _files_of(folder)]
    chosen = np.linspace(0, len(files) - 1, min(count, len(files))).round().astype(int)
    return [_image(files[index], size_px) for index in chosen]


def _files_of(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; pass labelled frames, or images")
    files = [file for part in _parts(folder) for file in image_files(part)]
    if not files:
        raise DataError(f"{folder}: holds no JPEG or PNG images; pass labelled frames, or images")
    return files


def _parts(folder: Path) -> Iterator[Path]:
    """The folders that hold the images."""
    parts = [folder / "images", *(folder / kind / "images" for kind in KINDS)]
    found = [part for part in parts if part.is_dir()]
    yield from found or [folder]


def _image(path: Path, size_px: tuple[int, int]) -> NDArray[np.uint8]:
    image = read_pixels(path, read_bytes(path))
    return image if image.shape[:2] == size_px else resized_image(image, size_px)
