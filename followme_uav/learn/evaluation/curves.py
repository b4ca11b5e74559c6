"""What a score hides: how it depends on the hero's size, and on the threshold that calls her seen.

Everything here is computed from what `scores.measure` found in each frame.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.learn.evaluation.scores import FrameScores
from followme_uav.messages import MaskClass

_SIZES_PX = (4, 8, 16, 32, 64, 128, 256, 512)
"""Lower ends of the size classes, hero pixels at 160 px; the last one is open."""


@dataclass(frozen=True)
class SizeScore:
    """Result on the frames that show the hero in one class of sizes."""

    from_px: int
    """Smallest hero."""
    to_px: int | None
    """Largest hero; None without limit."""
    frames: int
    detected: float
    """Share of the frames in which she is detected."""
    hero_iou: float
    """Mean over these frames."""
    centroid_error_median_px: float | None
    """Over the frames in which she is detected; None if there are none."""

    @property
    def label(self) -> str:
        """The class in words."""
        return (
            f"{self.from_px} or more" if self.to_px is None else f"{self.from_px} to {self.to_px}"
        )

    def to_dict(self) -> dict[str, Any]:
        """All numbers, ready for JSON."""
        return asdict(self)


def by_size(frames: FrameScores) -> list[SizeScore]:
    """Results by the hero's size; classes without frames are left out."""
    size = frames.truth_px[:, MaskClass.HERO]
    hero_iou = frames.iou[:, MaskClass.HERO]
    result = []
    for from_px, next_px in zip(_SIZES_PX, (*_SIZES_PX[1:], None), strict=True):
        inside = (size >= from_px) & (size < (next_px or np.inf))
        if not inside.any():
            continue
        errors = frames.centroid_error_px[inside & frames.detected]
        result.append(
            SizeScore(
                from_px=from_px,
                to_px=next_px and next_px - 1,
                frames=int(inside.sum()),
                detected=float(frames.detected[inside].mean()),
                hero_iou=float(hero_iou[inside].mean()),
                centroid_error_median_px=float(np.median(errors)) if len(errors) else None,
            )
        )
    return result


@dataclass(frozen=True)
class PrecisionRecall:
    """Precision and recall for every threshold, above which a probability means the hero."""

    threshold: NDArray[np.float64]
    """(255,) rising. Each lies halfway between two byte probabilities."""
    precision: NDArray[np.float64]
    """(255,) share of what was called the hero that is; NaN where nothing was."""
    recall: NDArray[np.float64]
    """(255,) share of the hero that was called so; NaN if she is nowhere."""

    def at(self, threshold: float) -> tuple[float, float]:
        """Precision and recall at the stored threshold next to the given one."""
        i = int(np.abs(self.threshold - threshold).argmin())
        return float(self.precision[i]), float(self.recall[i])


def detection_curve(frames: FrameScores) -> PrecisionRecall:
    """Of frames: the hero is called detected with more than three pixels above the threshold."""
    levels = frames.hero_level
    return _curve(
        np.bincount(levels[~frames.there], minlength=256),
        np.bincount(levels[frames.there], minlength=256),
    )


def pixel_curve(frames: FrameScores) -> PrecisionRecall:
    """Of pixels: each is called the hero above the threshold."""
    wrong, right = frames.hero_histogram
    return _curve(wrong, right)


def _curve(wrong: NDArray[np.int64], right: NDArray[np.int64]) -> PrecisionRecall:
    """From how often each byte probability stands where the hero is not, and where she is."""
    false_positive = wrong[::-1].cumsum()[::-1][1:]
    true_positive = right[::-1].cumsum()[::-1][1:]
    with np.errstate(invalid="ignore"):
        precision = true_positive / (true_positive + false_positive)
        recall = true_positive / np.float64(right.sum())
    return PrecisionRecall((np.arange(1, 256) - 0.5) / 255, precision, recall)
