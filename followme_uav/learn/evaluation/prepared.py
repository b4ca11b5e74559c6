"""Frame sets, resized for a network and for its scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.labelled_frames import DETECTION_PX, KINDS
from followme_uav.learn.data import dataset
from followme_uav.learn.data.dataset import LabelledFrames
from followme_uav.learn.evaluation import scores
from followme_uav.learn.evaluation.scores import FrameScores, SetScore
from followme_uav.messages import MaskClass
from followme_uav.perception.models import INPUT_SIZE_PX
from followme_uav.perception.segmenter import at_size, resize_images
from followme_uav.resizing import resized_image

SCORED_SIZE_PX = (INPUT_SIZE_PX, INPUT_SIZE_PX)
"""Height and width at which masks are compared for the score."""
FAR_HERO_PX = 40
"""Largest hero, in pixels at 160 px, that `--by-kind` sorts into the patrol frames."""

_BATCH = 16

Infer = Callable[[NDArray[np.uint8]], Any]
"""(batch, height, width, 3) RGB bytes -> probabilities in 1/255, same shape."""


@dataclass(frozen=True)
class PreparedSet:
    """One set of frames, resized for scoring."""

    source: str
    name: str
    images: NDArray[np.uint8]
    """(frames, 160, 160, 3) RGB."""
    truth: NDArray[np.bool_]
    """(frames, 160, 160, 3), one plane per class."""
    frame_names: tuple[str, ...]
    """Base name of each frame's image file."""
    network_images: NDArray[np.uint8] | None = None
    """(frames, height, width, 3) RGB at the size that the network was trained for; None: `images`.
    """
    labels: NDArray[np.uint8] | None = None
    """(frames, size, size) class index at the frames' own size; None if that is 160 px."""

    def __len__(self) -> int:
        return len(self.images)

    def part(self, kind: str, chosen: NDArray[np.bool_]) -> PreparedSet:
        """Return the chosen frames as a set named after their kind."""
        return PreparedSet(
            self.source,
            f"{self.source}/{kind}",
            self.images[chosen],
            self.truth[chosen],
            tuple(n for n, wanted in zip(self.frame_names, chosen, strict=True) if wanted),
            None if self.network_images is None else self.network_images[chosen],
            None if self.labels is None else self.labels[chosen],
        )

    def masks(self, infer: Infer, frames: slice) -> NDArray[np.uint8]:
        """Run the network on some frames: (frames, height, width, 3) at its size, in 1/255."""
        images = self.images if self.network_images is None else self.network_images
        return np.asarray(infer(images[frames]))

    def probabilities(self, infer: Infer, frames: slice) -> NDArray[np.uint8]:
        """Run the network on some frames: (frames, 160, 160, 3), in 1/255."""
        return at_size(self.masks(infer, frames), SCORED_SIZE_PX)


def prepare(frames: LabelledFrames, network_size_px: tuple[int, int] | None = None) -> PreparedSet:
    """Resize images and truth of a set to 160 px, the size at which masks are compared.

    Args:
        frames: The set.
        network_size_px: Image (height, width) that the network was trained for. If it is not 160
            px, the network gets the frames at that size, and its masks are resized to 160 px.
    """
    is_other = network_size_px not in (None, SCORED_SIZE_PX)
    return PreparedSet(
        frames.source,
        frames.name,
        np.stack([resized_image(image, SCORED_SIZE_PX) for image in frames.images]),
        np.stack([dataset.resize_truth(label, INPUT_SIZE_PX) for label in frames.labels]),
        tuple(path.name for path in frames.image_files),
        np.concatenate([resize_images(image[None], network_size_px) for image in frames.images])
        if is_other and network_size_px is not None
        else None,
        None if frames.labels.shape[1] == INPUT_SIZE_PX else frames.labels,
    )


def split_by_kind(whole: PreparedSet) -> list[PreparedSet]:
    """Split a set into the three kinds of frames; a kind without frames is left out.

    A proxy for recordings of each kind: frames with a near hero count as following the hero, frames
    with a distant hero or none as patrol.
    """
    size = whole.truth[..., MaskClass.HERO].sum(axis=(1, 2))
    there = size > DETECTION_PX
    far = size <= FAR_HERO_PX
    parts = zip(KINDS, (~far, ~there, there & far), strict=True)
    return [whole.part(kind, chosen) for kind, chosen in parts if chosen.any()]


def score_sets(infer: Infer, prepared: Sequence[PreparedSet]) -> list[SetScore]:
    """Run the network on sets and score each.

    Args:
        infer: The network.
        prepared: The sets.
    """
    return [scores.summarise(s.name, measure_set(infer, s)) for s in prepared]


def measure_set(infer: Infer, prepared: PreparedSet) -> FrameScores:
    """Run the network on a set and measure each frame.

    Args:
        infer: The network.
        prepared: The set.
    """
    parts = []
    for batch, masks in batches(infer, prepared):
        parts.append(scores.measure(prepared.truth[batch], at_size(masks, SCORED_SIZE_PX)))
    return FrameScores.join(parts)


def batches(infer: Infer, prepared: PreparedSet) -> Iterator[tuple[slice, NDArray[np.uint8]]]:
    """Run the network on a set: yield some frames, and their masks at the network's size."""
    for start in range(0, len(prepared), _BATCH):
        batch = slice(start, start + _BATCH)
        yield batch, prepared.masks(infer, batch)


def selection_score(prepared: Sequence[PreparedSet], results: Sequence[SetScore]) -> float:
    """Score to choose weights by: mean over the data folders of hero IoU times detection weight.

    The sets of a folder are taken as one set. Each folder has the same weight, regardless of its
    number of frames.
    """
    values = []
    for source in sorted({s.source for s in prepared}):
        own = [r for s, r in zip(prepared, results, strict=True) if s.source == source]
        positive = sum(r.true_positive for r in own)
        wrong = sum(r.false_positive + r.false_negative for r in own)
        hero_frames = sum(r.hero_frames for r in own)
        iou = sum(r.hero_iou * r.hero_frames for r in own) / max(1, hero_frames)
        values.append(iou * positive / max(1, positive + wrong))
    return float(np.mean(values))
