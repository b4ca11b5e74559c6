"""Scores of predicted masks: overlap (IoU) of the classes, and detection of the hero.

The rules are those of the score that came with the labelled frames of the Unity city. Truth and
prediction are compared at 160x160. A class is predicted where its probability exceeds 1/2,
independently of the other classes. The hero counts as there (truth) or detected (prediction) with
more than three pixels. `measure` works on frames, `summarise` on the frames of a set, and
`final_score` on the three kinds of sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from followme_uav.labelled_frames import DETECTION_PX
from followme_uav.messages import MaskClass

UDACITY_FRAMES = (542, 270, 322)
"""Number of frames in the sets that the score was made for: following, without hero, with hero."""


@dataclass(frozen=True)
class FrameScores:
    """Measures of each frame of a set; the first axis is the frame."""

    truth_px: NDArray[np.int64]
    """(frames, 3) pixels of each class."""
    predicted_px: NDArray[np.int64]
    """(frames, 3) pixels predicted for each class."""
    intersection_px: NDArray[np.int64]
    """(frames, 3) pixels where prediction and truth agree on a class."""
    centroid_error_px: NDArray[np.float64]
    """(frames,) between the centroids of true and predicted hero pixels; NaN without either."""
    hero_level: NDArray[np.uint8]
    """(frames,) largest hero probability in 1/255 that more than `DETECTION_PX` pixels reach."""
    hero_histogram: NDArray[np.int64]
    """(2, 256) pixels of all frames by hero probability in 1/255: without, with the hero there."""

    @classmethod
    def join(cls, parts: Sequence[FrameScores]) -> FrameScores:
        """Concatenate the measures of several sets or batches."""
        columns = {
            f.name: np.concatenate([getattr(part, f.name) for part in parts])
            for f in fields(cls)
            if f.name != "hero_histogram"
        }
        histogram = np.sum([part.hero_histogram for part in parts], axis=0)
        return cls(**columns, hero_histogram=histogram)

    def __len__(self) -> int:
        return len(self.truth_px)

    @property
    def union_px(self) -> NDArray[np.int64]:
        """(frames, 3) pixels in truth or prediction of a class."""
        return self.truth_px + self.predicted_px - self.intersection_px

    @property
    def iou(self) -> NDArray[np.float64]:
        """(frames, 3) intersection over union of each class; 0 where the union is empty."""
        return self.intersection_px / np.maximum(self.union_px, 1)

    @property
    def there(self) -> NDArray[np.bool_]:
        """(frames,) whether the hero is there."""
        return self.truth_px[:, MaskClass.HERO] > DETECTION_PX

    @property
    def detected(self) -> NDArray[np.bool_]:
        """(frames,) whether the hero is predicted."""
        return self.predicted_px[:, MaskClass.HERO] > DETECTION_PX


@dataclass(frozen=True)
class SetScore:
    """Result on one set of frames."""

    name: str
    frames: int
    hero_frames: int
    """Frames with the hero there."""
    hero_iou: float
    """Mean hero IoU over the frames with the hero there; 0 if there is none."""
    hero_iou_all: float
    """Mean hero IoU over all frames, 0 where the union is empty: the IoU of the final score."""
    class_iou: dict[str, float | None]
    """Mean IoU of each class over the frames with it in truth or prediction; None if in none."""
    true_positive: int
    """Frames with the hero there and detected."""
    false_positive: int
    false_negative: int
    centroid_error_median_px: float | None
    """Over the true positives, at 160 px; None if there are none."""
    centroid_error_p95_px: float | None
    """95th percentile of the same."""

    @property
    def detection_accuracy(self) -> float:
        """Share of all frames that are true positives or true negatives."""
        return 1 - (self.false_positive + self.false_negative) / max(1, self.frames)

    @property
    def weight(self) -> float:
        """TP / (TP + FP + FN), the detection factor of the final score; 0 if all are 0."""
        total = self.true_positive + self.false_positive + self.false_negative
        return self.true_positive / total if total else 0.0

    @property
    def precision(self) -> float | None:
        """TP / (TP + FP); None without a detection."""
        return _share(self.true_positive, self.true_positive + self.false_positive)

    @property
    def recall(self) -> float | None:
        """TP / (TP + FN); None without a frame with the hero."""
        return _share(self.true_positive, self.true_positive + self.false_negative)

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers, ready for JSON."""
        return asdict(self) | {
            "detection_accuracy": self.detection_accuracy,
            "weight": self.weight,
            "precision": self.precision,
            "recall": self.recall,
        }


def measure(truth: NDArray[np.bool_], probabilities: NDArray[np.uint8]) -> FrameScores:
    """Compare predictions with the truth, frame by frame.

    Args:
        truth: (frames, height, width, 3), one plane per class as in `MaskClass`.
        probabilities: Same shape, in 1/255.
    """
    predicted = predicted_classes(probabilities)
    hero_truth, hero = truth[..., MaskClass.HERO], probabilities[..., MaskClass.HERO]
    flat = hero.reshape(len(hero), -1)
    return FrameScores(
        truth_px=truth.sum(axis=(1, 2)),
        predicted_px=predicted.sum(axis=(1, 2)),
        intersection_px=(truth & predicted).sum(axis=(1, 2)),
        centroid_error_px=np.linalg.norm(
            _centroids(hero_truth) - _centroids(predicted[..., MaskClass.HERO]), axis=1
        ),
        hero_level=np.partition(flat, -DETECTION_PX - 1, axis=1)[:, -DETECTION_PX - 1],
        hero_histogram=np.stack(
            [
                np.bincount(hero[~hero_truth], minlength=256),
                np.bincount(hero[hero_truth], minlength=256),
            ]
        ),
    )


def summarise(name: str, frames: FrameScores) -> SetScore:
    """Summarise the measures of one set.

    Args:
        name: Name of the set.
        frames: Measures of its frames.
    """
    iou, there, detected = frames.iou, frames.there, frames.detected
    hero_iou = iou[:, MaskClass.HERO]
    occurs = frames.union_px > 0
    errors = frames.centroid_error_px[there & detected]
    return SetScore(
        name=name,
        frames=len(frames),
        hero_frames=int(there.sum()),
        hero_iou=float(hero_iou[there].mean()) if there.any() else 0.0,
        hero_iou_all=float(hero_iou.mean()) if len(hero_iou) else 0.0,
        class_iou={
            label: float(iou[occurs[:, c], c].mean()) if occurs[:, c].any() else None
            for label, c in (
                ("hero", MaskClass.HERO),
                ("people", MaskClass.PEOPLE),
                ("background", MaskClass.BACKGROUND),
            )
        },
        true_positive=int((there & detected).sum()),
        false_positive=int((~there & detected).sum()),
        false_negative=int((there & ~detected).sum()),
        centroid_error_median_px=float(np.median(errors)) if len(errors) else None,
        centroid_error_p95_px=float(np.percentile(errors, 95)) if len(errors) else None,
    )


def final_score(
    following: SetScore,
    without_hero: SetScore,
    with_hero: SetScore,
    frames: tuple[int, int, int] | None = None,
) -> float:
    """Compute the final score: mean IoU of the two sets with the hero, times detection weight.

    Args:
        following: Set `following_images`.
        without_hero: Set `patrol_non_targ`.
        with_hero: Set `patrol_with_targ`.
        frames: Scale the detection counts to these numbers of frames; None keeps the counts.
    """
    sets = (following, without_hero, with_hero)
    wanted = frames or tuple(s.frames for s in sets)
    scale = [n / max(1, s.frames) for n, s in zip(wanted, sets, strict=True)]
    true_positive = sum(k * s.true_positive for k, s in zip(scale, sets, strict=True))
    errors = sum(
        k * (s.false_positive + s.false_negative) for k, s in zip(scale, sets, strict=True)
    )
    iou = (following.hero_iou_all, with_hero.hero_iou_all)
    return float(combined_score(*iou, true_positive, errors))


def combined_score(
    following_iou: ArrayLike, with_hero_iou: ArrayLike, true_positive: ArrayLike, errors: ArrayLike
) -> NDArray[np.float64]:
    """Return mean IoU times detection weight, (n,) each; 0 without a true positive."""
    iou = (np.asarray(following_iou, float) + np.asarray(with_hero_iou, float)) / 2
    hits = np.asarray(true_positive, float)
    counted = hits + np.asarray(errors, float)
    score: NDArray[np.float64] = iou * hits / np.where(counted > 0.0, counted, 1.0)
    return score


def predicted_classes(probabilities: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether each probability (any shape, in 1/255) exceeds 1/2 and so predicts its class."""
    return probabilities > 127


def hero_of(probabilities: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether each pixel of probabilities (..., 3), in 1/255, is predicted as the hero."""
    return predicted_classes(probabilities[..., MaskClass.HERO])


def _centroids(planes: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(frames, 2) mean row and column of planes (frames, height, width); NaN where empty."""
    pixels = planes.sum(axis=(1, 2)).astype(np.float64)
    pixels[pixels == 0] = np.nan
    rows = planes.sum(axis=2) @ np.arange(planes.shape[1])
    columns = planes.sum(axis=1) @ np.arange(planes.shape[2])
    centroids: NDArray[np.float64] = np.stack([rows, columns], axis=1) / pixels[:, None]
    return centroids


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
