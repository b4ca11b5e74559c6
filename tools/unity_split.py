"""Splits the real Unity frames into training and evaluation sets with far heroes in both.

The validation frames of the Udacity project rarely show the hero from afar, which half of the score
measures. Of the training frames, the recordings of "data_pack2" do: they are a patrol with the hero
in view. The last part of these recordings is held out and sorted, together with the validation
frames, into the three kinds of the score. Files are linked, not copied.

    python tools/unity_split.py train validation OUT

writes OUT/unity_train (for training) and OUT/unity_proxy (for evaluation).
"""

import argparse
import os
from pathlib import Path

import numpy as np

from followme_uav.learn.data.dataset import find_sets, read_bytes, read_pixels, resize_truth
from followme_uav.learn.evaluation.scores import DETECTION_PX
from followme_uav.messages import MaskClass

HELD_OUT = 0.15
"""Share of each patrol recording."""
FAR_PX = 40
"""A hero of up to this many pixels, at 160 px, is far."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("train", "validation", "out"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()

    training, evaluation = [], []
    (train,), (validation,) = find_sets(args.train), find_sets(args.validation)
    everything = list(zip(train.images, train.masks, strict=True))
    recordings = {recording(image) for image, _ in everything}
    for name in sorted(recordings):
        frames = [pair for pair in everything if recording(pair[0]) == name]
        count = len(frames) - round(HELD_OUT * len(frames)) * name.endswith("data_pack2")
        training += frames[:count]
        evaluation += [(kind(mask), image, mask) for image, mask in frames[count:]]
    for image, mask in zip(validation.images, validation.masks, strict=True):
        evaluation.append((kind(mask), image, mask))

    link(args.out / "unity_train", training)
    for name in ("following_images", "patrol_non_targ", "patrol_with_targ"):
        # Far heroes of validation frames are mostly truncated or occluded, so they are left out.
        frames = [
            (image, mask)
            for k, image, mask in evaluation
            if k == name and not (k == "patrol_with_targ" and image in validation.images)
        ]
        link(args.out / "unity_proxy" / name, frames)


def recording(image: Path) -> str:
    """Name of the recording: `1_run1_cam1_00012_data_pack2` belongs to `1_run1 data_pack2`."""
    parts = image.stem.split("_cam1_")
    return f"{parts[0]} {parts[1].partition('_')[2]}" if len(parts) == 2 else image.stem


def kind(mask: Path) -> str:
    """Kind of a frame, one of the three of the score."""
    label = read_pixels(mask, read_bytes(mask)).argmax(axis=-1).astype(np.uint8)
    hero_px = int(resize_truth(label, 160)[..., MaskClass.HERO].sum())
    if hero_px <= DETECTION_PX:
        return "patrol_non_targ"
    return "patrol_with_targ" if hero_px <= FAR_PX else "following_images"


def link(folder: Path, frames: list[tuple[Path, Path]]) -> None:
    for part, files in (("images", [f[0] for f in frames]), ("masks", [f[1] for f in frames])):
        (folder / part).mkdir(parents=True, exist_ok=True)
        for file in files:
            target = folder / part / file.name
            if not target.is_symlink():
                os.symlink(file.resolve(), target)
    print(f"{folder}: {len(frames)} frames")


if __name__ == "__main__":
    main()
