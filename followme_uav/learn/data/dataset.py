"""Labelled frames on disk, checked and loaded into memory.

A set of frames is a folder with `images/` (JPEG or PNG, RGB) and `masks/` (red = background,
green = people, blue = hero, exactly one of them 255 at each pixel). Images and masks are paired by
their names, see `pairing`. A data folder is one such set, or holds one set for each kind of frames:
`following_images`, `patrol_non_targ`, `patrol_with_targ`.
"""

from __future__ import annotations

import hashlib
import math
import stat
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from followme_uav.decoding import MAX_FILE_BYTES, ImageDecodeError, decode_image, is_jpeg
from followme_uav.errors import DataError
from followme_uav.labelled_frames import KINDS
from followme_uav.learn.data.pairing import SKIP_INCOMPLETE, Pairing, image_files, listed, pair
from followme_uav.messages import MaskClass

_BLURRED_SHARE = 0.1
"""Largest share of pixels of a JPEG mask that may lie between two classes."""


@dataclass(frozen=True)
class FrameSet:
    """Paired files of one set, before they are read."""

    source: str
    """Base name of the data folder."""
    kind: str
    """One of `KINDS`, or empty for a data folder that is one set."""
    images: tuple[Path, ...]
    masks: tuple[Path, ...]
    note: str = ""
    """Text for the user: how images and masks were paired, and the files left out."""

    @property
    def name(self) -> str:
        """Source and kind, for tables and model cards."""
        return f"{self.source}/{self.kind}" if self.kind else self.source


@dataclass(frozen=True)
class LabelledFrames:
    """One set in memory."""

    source: str
    name: str
    images: NDArray[np.uint8]
    """(frames, size, size, 3) RGB."""
    labels: NDArray[np.uint8]
    """(frames, size, size) class index, as in `MaskClass`."""
    image_hashes: tuple[str, ...]
    """SHA-256 of each image file."""
    image_files: tuple[Path, ...]
    """Path of each image file."""
    note: str = ""
    """Note of the `FrameSet`, and how its masks were read."""

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of all pixels and labels, in order."""
        digest = hashlib.sha256()
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()

    def without(self, image_hashes: Collection[str]) -> LabelledFrames:
        """Return the frames whose image is not among `image_hashes`."""
        keep = [i for i, h in enumerate(self.image_hashes) if h not in image_hashes]
        return self if len(keep) == len(self) else self._only(keep)

    def split(self) -> tuple[LabelledFrames, LabelledFrames]:
        """Return the first nine tenths and the last tenth.

        The tenth is contiguous: neighbouring frames are similar and must not be in both parts.
        """
        held_out = math.ceil(len(self) / 10)
        everything = range(len(self))
        return self._only(everything[:-held_out]), self._only(everything[-held_out:])

    def _only(self, keep: Sequence[int]) -> LabelledFrames:
        return LabelledFrames(
            self.source,
            self.name,
            self.images[keep],
            self.labels[keep],
            tuple(self.image_hashes[i] for i in keep),
            tuple(self.image_files[i] for i in keep),
            self.note,
        )

    def files_of(self, image_hashes: Collection[str]) -> list[Path]:
        """Return the image files whose hash is among `image_hashes`."""
        pairs = zip(self.image_files, self.image_hashes, strict=True)
        return [file for file, h in pairs if h in image_hashes]


def find_sets(folder: Path, skip_incomplete: bool = False) -> list[FrameSet]:
    """Find the sets of one data folder and pair their files.

    Args:
        folder: The data folder.
        skip_incomplete: Leave out images without a mask and masks without an image.

    Raises:
        DataError: The folder is missing, holds no set, or images and masks do not pair.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such data folder; pass a folder made by collect or prepare")
    source = folder.absolute().name
    if (folder / "images").is_dir():
        return [_paired(folder, source, "", skip_incomplete)]
    sets = [
        _paired(folder / kind, source, kind, skip_incomplete)
        for kind in KINDS
        if (folder / kind).is_dir()
    ]
    if not sets:
        raise DataError(
            f"{folder}: holds neither images/ and masks/ nor any of {', '.join(KINDS)}; "
            "pass a folder with labelled frames"
        )
    return sets


def load(frame_set: FrameSet) -> LabelledFrames:
    """Read and check every frame of a set, at its recorded size.

    Raises:
        DataError: A file cannot be read, sizes differ, or a mask is not one-hot.
    """
    images: list[NDArray[np.uint8]] = []
    labels: list[NDArray[np.uint8]] = []
    hashes: list[str] = []
    blurred = 0
    for image_path, mask_path in zip(frame_set.images, frame_set.masks, strict=True):
        raw = read_bytes(image_path)
        hashes.append(hashlib.sha256(raw).hexdigest())
        image = read_pixels(image_path, raw)
        label, is_blurred = _labels(mask_path)
        blurred += is_blurred
        if image.shape[0] != image.shape[1]:
            raise DataError(f"{image_path}: {image.shape[1]}x{image.shape[0]}, must be square")
        if label.shape != image.shape[:2]:
            raise DataError(f"{mask_path}: size differs from its image {image_path.name}")
        if images and image.shape != images[0].shape:
            raise DataError(
                f"{image_path}: {image.shape[0]} px, others of its set have {images[0].shape[0]} px"
            )
        images.append(image)
        labels.append(label)
    note = frame_set.note
    if blurred:
        note += f"; {blurred} masks are JPEG, their pixels take the strongest channel's class"
    return LabelledFrames(
        frame_set.source,
        frame_set.name,
        np.stack(images),
        np.stack(labels),
        tuple(hashes),
        frame_set.images,
        note,
    )


def load_folders(folders: Sequence[Path], skip_incomplete: bool = False) -> list[LabelledFrames]:
    """Load all sets of several data folders.

    Args:
        folders: The data folders.
        skip_incomplete: As in `find_sets`.

    Raises:
        DataError: As `find_sets` and `load`, or two folders have the same base name, which
            identifies a folder in configurations and model cards.
    """
    names = [folder.absolute().name for folder in folders]
    for folder, name in zip(folders, names, strict=True):
        if names.count(name) > 1:
            raise DataError(
                f"{folder}: another data folder is named '{name}' too; rename one, or link to it "
                "under another name"
            )
    found = [one for folder in folders for one in find_sets(folder, skip_incomplete)]
    return [load(frame_set) for frame_set in found]


def resize_truth(label: NDArray[np.uint8], size_px: int) -> NDArray[np.bool_]:
    """Resize the truth for scores: each class as 0/1 bytes, with Pillow's bilinear filter.

    The filter rounds back to 0/1 for each class separately, so a pixel may end up in no class.

    Args:
        label: (height, width) class index.
        size_px: Side of the result.

    Returns:
        (size_px, size_px, 3) one plane per class.
    """
    planes = [
        np.asarray(
            Image.fromarray((label == c).astype(np.uint8)).resize(
                (size_px, size_px), Image.Resampling.BILINEAR
            )
        )
        for c in (MaskClass.BACKGROUND, MaskClass.PEOPLE, MaskClass.HERO)
    ]
    return np.stack(planes, axis=-1) > 0


def read_bytes(path: Path) -> bytes:
    """Read the content of an image file.

    Raises:
        DataError: The file cannot be read, is not a regular file (a pipe would block), or is larger
            than any image.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"{path}: not a readable image (no ordinary file)")
        if status.st_size > MAX_FILE_BYTES:
            raise DataError(
                f"{path}: not a readable image ({status.st_size >> 20} MiB; at most "
                f"{MAX_FILE_BYTES >> 20} are read)"
            )
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def read_pixels(path: Path, raw: bytes) -> NDArray[np.uint8]:
    """Decode the content of an image file as (height, width, 3) RGB.

    Raises:
        DataError: The content is not a usable image; the message names `path`.
    """
    try:
        return decode_image(raw)
    except ImageDecodeError as error:
        raise DataError(f"{path}: {error}") from error


def _paired(folder: Path, source: str, kind: str, skip_incomplete: bool) -> FrameSet:
    for part in ("images", "masks"):
        if not (folder / part).is_dir():
            raise DataError(f"{folder}: has no {part}/ folder; a set needs images/ and masks/")
    images, masks = image_files(folder / "images"), image_files(folder / "masks")
    if not images:
        raise DataError(f"{folder / 'images'}: no JPEG or PNG images")
    if not masks:
        raise DataError(f"{folder / 'masks'}: no JPEG or PNG masks")
    pairing = pair(images, masks)
    if not pairing.pairs:
        raise DataError(
            f"{folder}: no image shares its name or number with a mask (the first: "
            f"{images[0].name}, {masks[0].name}); rename them so that each pair does"
        )
    alone = _alone(pairing, len(images), len(masks))
    if alone and not skip_incomplete:
        raise DataError(
            f"{folder}: {alone}; add what is missing, or leave them out with {SKIP_INCOMPLETE}"
        )
    note = f"{len(pairing.pairs)} images and masks paired by {pairing.rule}"
    if alone:
        note += f"; left out: {alone}"
    own_images, own_masks = zip(*pairing.pairs, strict=True)
    return FrameSet(source, kind, own_images, own_masks, note)


def _alone(pairing: Pairing, images: int, masks: int) -> str:
    """Text for the user that lists the files without a partner; empty when there are none."""
    parts = [
        f"{len(files)} of {total} {what} without its {partner} ({listed(p.name for p in files)})"
        for files, total, what, partner in (
            (pairing.images_alone, images, "images", "mask"),
            (pairing.masks_alone, masks, "masks", "image"),
        )
        if files
    ]
    return ", ".join(parts)


def _labels(path: Path) -> tuple[NDArray[np.uint8], bool]:
    """(height, width) class index of a mask file, and whether it is a JPEG (blurred edges)."""
    raw = read_bytes(path)
    mask = read_pixels(path, raw)
    blurred = is_jpeg(raw)
    if blurred:
        is_one_hot = ((mask > 127).sum(axis=-1) == 1).mean() >= 1.0 - _BLURRED_SHARE
    else:
        exact = np.isin(mask, (0, 255)).all()
        is_one_hot = exact and (mask.sum(axis=-1, dtype=np.int32) == 255).all()
    if not is_one_hot:
        raise DataError(
            f"{path}: not one-hot; each pixel must be 255 in exactly one of red, green, blue"
        )
    return mask.argmax(axis=-1).astype(np.uint8), blurred
