"""How good predicted masks are: overlap of the hero, and whether she was detected at all.

The rules are those of the score that the labelled frames of the Unity city came with: truth and
prediction are compared at 160x160, a class is predicted where its probability exceeds 1/2, and
the hero counts as there (truth) or detected (prediction) with more than three pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import MaskClass

DETECTION_PX = 3
"""The hero is there, or detected, with more pixels than this."""


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
    """Mean hero IoU over all frames, 0 where the union is empty."""
    true_positive: int
    false_positive: int
    false_negative: int

    @property
    def detection_accuracy(self) -> float:
        """Share of all frames in which the hero was rightly detected or rightly not."""
        return 1 - (self.false_positive + self.false_negative) / max(1, self.frames)

    @property
    def weight(self) -> float:
        """TP / (TP + FP + FN), the factor that detection errors take from the score; 0 if empty."""
        total = self.true_positive + self.false_positive + self.false_negative
        return self.true_positive / total if total else 0.0


def score(name: str, truth_hero: NDArray[np.bool_], predicted_hero: NDArray[np.bool_]) -> SetScore:
    """Scores one set.

    Args:
        name: Of the set.
        truth_hero: (frames, height, width), where the hero is.
        predicted_hero: Same shape, where the network sees her.
    """
    truth_px = truth_hero.sum(axis=(1, 2))
    predicted_px = predicted_hero.sum(axis=(1, 2))
    intersection = (truth_hero & predicted_hero).sum(axis=(1, 2))
    union = truth_px + predicted_px - intersection
    iou = intersection / np.maximum(union, 1)
    there = truth_px > DETECTION_PX
    detected = predicted_px > DETECTION_PX
    return SetScore(
        name=name,
        frames=len(truth_px),
        hero_frames=int(there.sum()),
        hero_iou=float(iou[there].mean()) if there.any() else 0.0,
        hero_iou_all=float(iou.mean()) if len(iou) else 0.0,
        true_positive=int((there & detected).sum()),
        false_positive=int((~there & detected).sum()),
        false_negative=int((there & ~detected).sum()),
    )


def final_score(following: SetScore, without_hero: SetScore, with_hero: SetScore) -> float:
    """The final score: mean IoU of the two sets with the hero, times the detection weight.

    Args:
        following: Set `following_images`.
        without_hero: Set `patrol_non_targ`.
        with_hero: Set `patrol_with_targ`.
    """
    sets = (following, without_hero, with_hero)
    true_positive = sum(s.true_positive for s in sets)
    errors = sum(s.false_positive + s.false_negative for s in sets)
    if not true_positive:
        return 0.0
    iou = (following.hero_iou_all + with_hero.hero_iou_all) / 2
    return iou * true_positive / (true_positive + errors)


def hero_of(probabilities: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where byte probabilities (..., 3) in 1/255 call a pixel the hero: more than 1/2."""
    return probabilities[..., MaskClass.HERO] > 127
