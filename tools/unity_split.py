"""Splits the real Unity frames into frames to train on, to choose weights by, and to report.

The frames of the final score are not published. Most of their far heroes are cut off by the edge of
the image or behind leaves. So are those of the validation frames, but they are few, so far heroes
at the edge of the image from other recordings join them. The far heroes of the training frames are
easier to see.

    python tools/unity_split.py train validation extra OUT

writes

- OUT/unity_train, OUT/unity_far: for training, `train` and most recordings of `extra`,
- OUT/unity_choice: every fifth recording of `extra`, to choose weights by,
- OUT/unity_proxy: frames of `validation` and of those recordings, to predict the final score.

No frame is in two of them. Files are linked, not copied.
"""

import argparse
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from followme_uav.labelled_frames import DETECTION_PX, FOLLOWING, WITH_HERO, WITHOUT_HERO
from followme_uav.learn.data.dataset import find_sets, read_bytes, read_pixels, resize_truth
from followme_uav.learn.evaluation.prepared import SCORED_SIZE_PX
from followme_uav.messages import MaskClass

HELD_OUT_EVERY = 5
"""Recordings of `extra` with a number that this divides are held out."""
PATROL_FRAMES = {(0, 3): 21, (4, 7): 35, (8, 15): 77, (16, 31): 63, (32, 63): 54, (64, 25600): 71}
"""Frames of the final score's `patrol_with_targ` by the smallest and largest size of the hero, in
pixels at 160 px. The frames of all kinds were counted by size; a near hero counts as
`following_images` as long as that has room."""


@dataclass(frozen=True)
class LabelledFile:
    """A frame on disk, and what its mask shows of the hero at the size of the score."""

    image: Path
    mask: Path
    hero_px: int
    at_edge: bool
    """The hero touches the edge of the image."""
    image_sha256: str
    """Two frames of `train` are in `validation`, too."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("train", "validation", "extra", "out"):
        parser.add_argument(name, type=Path)
    args = parser.parse_args()

    validation = labelled_files(args.validation)
    extra = labelled_files(args.extra)
    held_out = [frame for frame in extra if recording(frame.image) % HELD_OUT_EVERY == 0]
    proxy = proxy_frames(validation, [frame for frame in held_out if frame.at_edge])
    reported = {frame for frames in proxy.values() for frame in frames}
    known = {frame.image_sha256 for frame in validation}
    train = [frame for frame in labelled_files(args.train) if frame.image_sha256 not in known]
    link(args.out / "unity_train", train)
    link(args.out / "unity_far", [frame for frame in extra if frame not in held_out])
    link(args.out / "unity_choice", [frame for frame in held_out if frame not in reported])
    for kind, frames in proxy.items():
        link(args.out / "unity_proxy" / kind, frames)


def proxy_frames(
    validation: Sequence[LabelledFile], at_edge: Sequence[LabelledFile]
) -> dict[str, list[LabelledFile]]:
    """Sort frames into the three kinds of the score.

    `patrol_with_targ` is as large as the frames allow with the shares of `PATROL_FRAMES`. The other
    validation frames are `patrol_non_targ` without the hero, and `following_images` with a near
    one.
    """
    candidates = {
        sizes: [f for f in (*validation, *at_edge) if sizes[0] <= f.hero_px <= sizes[1]]
        for sizes in PATROL_FRAMES
    }
    scale = min(len(candidates[sizes]) / wanted for sizes, wanted in PATROL_FRAMES.items())
    patrol = [
        frame
        for sizes, wanted in PATROL_FRAMES.items()
        for frame in evenly(candidates[sizes], round(scale * wanted))
    ]
    near_px = max(PATROL_FRAMES)[0]
    left = [frame for frame in validation if frame not in patrol]
    return {
        FOLLOWING: [frame for frame in left if frame.hero_px >= near_px],
        WITHOUT_HERO: [frame for frame in left if frame.hero_px <= DETECTION_PX],
        WITH_HERO: patrol,
    }


def evenly(frames: Sequence[LabelledFile], count: int) -> list[LabelledFile]:
    """As many frames, evenly spread over the given ones."""
    return [frames[i * len(frames) // count] for i in range(count)]


def recording(image: Path) -> int:
    """Number of the recording: 7 for `s07_cam1_00012.jpeg`."""
    found = re.match(r"s(\d+)_", image.name)
    if found is None:
        raise SystemExit(f"unity_split: {image}: its name does not begin with a recording's number")
    return int(found[1])


def labelled_files(folder: Path) -> list[LabelledFile]:
    """The frames of a folder, in the order of their names."""
    found = []
    (frames,) = find_sets(folder)
    for image, mask in zip(frames.images, frames.masks, strict=True):
        label = read_pixels(mask, read_bytes(mask)).argmax(axis=-1).astype(np.uint8)
        hero = resize_truth(label, SCORED_SIZE_PX[0])[..., MaskClass.HERO]
        sides = (hero[0], hero[-1], hero[:, 0], hero[:, -1])
        at_edge = any(side.any() for side in sides)
        digest = hashlib.sha256(image.read_bytes()).hexdigest()
        found.append(LabelledFile(image, mask, int(hero.sum()), at_edge, digest))
    return found


def link(folder: Path, frames: Sequence[LabelledFile]) -> None:
    """Link images and masks into a folder."""
    for part, files in (("images", [f.image for f in frames]), ("masks", [f.mask for f in frames])):
        (folder / part).mkdir(parents=True, exist_ok=True)
        for file in files:
            target = folder / part / file.name
            if not target.is_symlink():
                os.symlink(file.resolve(), target)
    print(f"{folder}: {len(frames)} frames")


if __name__ == "__main__":
    main()
