"""Scores by the hero's size, and precision and recall by the threshold of the hero probability.

Everything here is computed from the `FrameScores` of `scores.measure`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.learn.evaluation.scores import FrameScores
from followme_uav.messages import MaskClass
from followme_uav.statistics.intervals import Interval, wilson

_SIZES_PX = (4, 8, 16, 32, 64, 128, 256, 512)
"""Lower ends of the size classes, in hero pixels at 160 px; the last class has no upper end."""


@dataclass(frozen=True)
class SizeClass:
    """Heroes of about the same size, in pixels at 160 px."""

    from_px: int
    """Smallest hero."""
    to_px: int | None
    """Largest hero; None: no limit."""

    @property
    def label(self) -> str:
        """Range of the class in words."""
        return (
            f"{self.from_px} or more" if self.to_px is None else f"{self.from_px} to {self.to_px}"
        )


@dataclass(frozen=True)
class SizeScore(SizeClass):
    """Result on the frames with the hero in one size class."""

    frames: int
    detected: float
    """Share of the frames in which the hero is detected."""
    detected_interval: Interval
    """The same with Wilson's interval."""
    hero_iou: float
    """Mean over these frames."""
    centroid_error_median_px: float | None
    """Over the frames in which the hero is detected; None if there are none."""

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON."""
        return asdict(self)


def size_classes(frames: FrameScores) -> Iterator[tuple[SizeClass, NDArray[np.bool_]]]:
    """Yield each size class that occurs, and which frames are in it."""
    size = frames.truth_px[:, MaskClass.HERO]
    for from_px, next_px in zip(_SIZES_PX, (*_SIZES_PX[1:], None), strict=True):
        inside = (size >= from_px) & (size < (next_px or np.inf))
        if inside.any():
            yield SizeClass(from_px, next_px and next_px - 1), inside


def by_size(frames: FrameScores) -> list[SizeScore]:
    """Score each size class; classes without frames are left out."""
    hero_iou = frames.iou[:, MaskClass.HERO]
    result = []
    for size, inside in size_classes(frames):
        errors = frames.centroid_error_px[inside & frames.detected]
        result.append(
            SizeScore(
                from_px=size.from_px,
                to_px=size.to_px,
                frames=int(inside.sum()),
                detected=float(frames.detected[inside].mean()),
                detected_interval=wilson(int(frames.detected[inside].sum()), int(inside.sum())),
                hero_iou=float(hero_iou[inside].mean()),
                centroid_error_median_px=float(np.median(errors)) if len(errors) else None,
            )
        )
    return result


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision and recall for each threshold of the hero probability."""

    threshold: NDArray[np.float64]
    """(255,) rising. Each lies halfway between two byte probabilities."""
    precision: NDArray[np.float64]
    """(255,) true positives / all positives; NaN where nothing is predicted."""
    recall: NDArray[np.float64]
    """(255,) true positives / all of the hero; NaN if the hero is in no frame."""

    def at(self, threshold: float) -> tuple[float, float]:
        """Return precision and recall at the stored threshold nearest to the given one."""
        i = int(np.abs(self.threshold - threshold).argmin())
        return float(self.precision[i]), float(self.recall[i])


def detection_curve(frames: FrameScores) -> PrecisionRecall:
    """Curve over frames: the hero is detected with more than three pixels above the threshold."""
    levels = frames.hero_level
    return _curve(
        np.bincount(levels[~frames.there], minlength=256),
        np.bincount(levels[frames.there], minlength=256),
    )


def pixel_curve(frames: FrameScores) -> PrecisionRecall:
    """Curve over pixels: a pixel is predicted as the hero above the threshold."""
    without_hero, with_hero = frames.hero_histogram
    return _curve(without_hero, with_hero)


def _curve(without_hero: NDArray[np.int64], with_hero: NDArray[np.int64]) -> PrecisionRecall:
    """A curve from two histograms (256,) of byte probabilities: without and with the hero there."""
    false_positive = without_hero[::-1].cumsum()[::-1][1:]
    true_positive = with_hero[::-1].cumsum()[::-1][1:]
    with np.errstate(invalid="ignore"):
        precision = true_positive / (true_positive + false_positive)
        recall = true_positive / np.float64(with_hero.sum())
    return PrecisionRecall((np.arange(1, 256) - 0.5) / 255, precision, recall)
