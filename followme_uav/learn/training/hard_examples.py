"""Hard-example mining: find the places where the network is wrong about the hero.

Errors about the hero are rare: most frames have none. The errors that cost detections are false
positives (red leaves, red kerbstones) and a distant hero that is not detected. Before each epoch a
share of the training frames is searched for such places, and crops around them enter the batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from followme_uav.learn.data import dataset
from followme_uav.learn.data.dataset import LabelledFrames
from followme_uav.learn.evaluation.scores import hero_of
from followme_uav.messages import MaskClass
from followme_uav.perception.models import INPUT_SIZE_PX
from followme_uav.resizing import resized_image

_PER_FRAME = 3
_OUTLINE_PX = 3
_BATCH = 16


@dataclass(frozen=True)
class HardExample:
    """A place where the network was wrong about the hero."""

    set_index: int
    """Index of the set of frames."""
    frame: int
    """Index within the set."""
    row: float
    """0..1 from the top."""
    column: float
    """0..1 from the left."""


def find_hard_examples(
    infer: Callable[[NDArray[np.uint8]], Any],
    sets: Sequence[LabelledFrames],
    frames: Sequence[tuple[int, int]],
    seed: Sequence[int],
    side_px: int = INPUT_SIZE_PX,
) -> list[HardExample]:
    """Find up to three places in each given frame where the network is wrong about the hero.

    Errors within three pixels of an outline do not count: almost every frame has some, and they
    would displace the errors that cost detections.

    Args:
        infer: (batch, side, side, 3) RGB bytes -> probabilities in 1/255, same shape.
        sets: Labelled frames.
        frames: (set, frame) to search.
        seed: Decides which places are kept in a frame with more than three.
        side_px: Side of the images that the network gets.
    """
    rng = np.random.default_rng(seed)
    found: list[HardExample] = []
    for start in range(0, len(frames), _BATCH):
        batch = frames[start : start + _BATCH]
        images = [resized_image(sets[s].images[f], (side_px, side_px)) for s, f in batch]
        heroes = hero_of(np.asarray(infer(np.stack(images))))
        for (index, frame), hero in zip(batch, heroes, strict=True):
            label = sets[index].labels[frame]
            truth = dataset.resize_truth(label, side_px)[..., MaskClass.HERO]
            wrong = np.argwhere((hero & ~_dilated(truth)) | (truth & ~_dilated(hero)))
            for i in rng.permutation(len(wrong))[:_PER_FRAME]:
                row, column = (wrong[i] + 0.5) / side_px
                found.append(HardExample(index, frame, float(row), float(column)))
    return found


def _dilated(plane: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A plane (height, width), dilated by the tolerance of outlines."""
    if not plane.any():
        return plane
    dilated = Image.fromarray(plane.astype(np.uint8)).filter(
        ImageFilter.MaxFilter(2 * _OUTLINE_PX + 1)
    )
    return np.asarray(dilated) > 0
