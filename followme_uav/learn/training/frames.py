"""Frames of a training: read from data folders, and kept apart from the validation frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from followme_uav.learn.data import dataset
from followme_uav.learn.data.dataset import LabelledFrames


def read_frames(
    data: Sequence[Path],
    validation: Sequence[Path],
    console: Console,
    skip_incomplete: bool = False,
) -> tuple[list[LabelledFrames], list[LabelledFrames]]:
    """Read training and validation frames; no image is in both.

    Args:
        data: folders with training frames.
        validation: folders with validation frames. Without any folder, the last tenth of each
            training set is held out. Training images that are also held out are left out.
        console: shows how images and masks are paired, and which images are left out.
        skip_incomplete: leave out images without a mask and masks without an image.

    Raises:
        DataError: A data folder cannot be used.
    """
    console.print("reading frames ...")

    if validation:
        held_out = _load(validation, console, skip_incomplete)
        trained = _load(data, console, skip_incomplete)
    else:
        parts = [frames.split() for frames in _load(data, console, skip_incomplete)]
        held_out = [last for _, last in parts]
        trained = [most for most, _ in parts if len(most)]
    known = {h for frames in held_out for h in frames.image_hashes}
    frames = []
    for found in trained:
        twice = found.files_of(known)
        if twice:
            console.print(
                f"  {found.name}: {len(twice)} of {len(found)} images are in the validation data "
                f"too and are not trained on (the first: {twice[0]})",
                soft_wrap=True,
            )
        if len(twice) < len(found):
            frames.append(found.without(known))
    return frames, held_out


def _load(folders: Sequence[Path], console: Console, skip_incomplete: bool) -> list[LabelledFrames]:
    sets = dataset.load_folders(folders, skip_incomplete)
    for one in sets:
        console.print(f"  {one.name}: {one.note}", soft_wrap=True, highlight=False, markup=False)
    return sets
