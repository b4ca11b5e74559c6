"""Where the network is wrong about the hero, so that training can look there again.

Most frames hold nothing to learn. What costs detections is rare: red leaves and red kerbs taken for
the hero, and the hero overlooked far away. Before each epoch a share of the training frames is
searched for such places, and crops around them enter the batches.
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

_PER_FRAME = 3
_OUTLINE_PX = 3
_BATCH = 16


@dataclass(frozen=True)
class Mistake:
    """A place where the network was wrong about the hero."""

    set_index: int
    """Which set of frames."""
    frame: int
    row: float
    """0..1 from the top."""
    column: float
    """0..1 from the left."""


def find_mistakes(
    infer: Callable[[NDArray[np.uint8]], Any],
    sets: Sequence[LabelledFrames],
    frames: Sequence[tuple[int, int]],
    seed: Sequence[int],
) -> list[Mistake]:
    """A few places in each of the given frames where the network is wrong about the hero.

    Imprecise outlines don't count: they are the rule, and would crowd out what matters.

    Args:
        infer: (batch, 160, 160, 3) RGB bytes -> probabilities in 1/255, same shape.
        sets: Labelled frames.
        frames: (set, frame) to search.
        seed: Determines which places are kept where there are many.
    """
    rng = np.random.default_rng(seed)
    mistakes: list[Mistake] = []
    for start in range(0, len(frames), _BATCH):
        batch = frames[start : start + _BATCH]
        images = [dataset.resize_image(sets[s].images[f], INPUT_SIZE_PX) for s, f in batch]
        heroes = hero_of(np.asarray(infer(np.stack(images))))
        for (index, frame), hero in zip(batch, heroes, strict=True):
            label = sets[index].labels[frame]
            truth = dataset.resize_truth(label, INPUT_SIZE_PX)[..., MaskClass.HERO]
            wrong = np.argwhere((hero & ~_widened(truth)) | (truth & ~_widened(hero)))
            for i in rng.permutation(len(wrong))[:_PER_FRAME]:
                row, column = (wrong[i] + 0.5) / INPUT_SIZE_PX
                mistakes.append(Mistake(index, frame, float(row), float(column)))
    return mistakes


def _widened(plane: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A plane (height, width) grown by the tolerance of outlines."""
    if not plane.any():
        return plane
    grown = Image.fromarray(plane.astype(np.uint8)).filter(
        ImageFilter.MaxFilter(2 * _OUTLINE_PX + 1)
    )
    return np.asarray(grown) > 0
