"""Confidence intervals of scores, and the comparison of two networks frame by frame.

The bootstrap draws frames with replacement, within each set. Consecutive frames of a recording
resemble each other, so the true intervals are wider.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.learn.evaluation.curves import size_classes
from followme_uav.learn.evaluation.scores import FrameScores, combined_score
from followme_uav.messages import MaskClass
from followme_uav.statistics.intervals import Interval, bootstrap_interval, grouped_interval
from followme_uav.statistics.paired import McNemar, difference, mcnemar

Kinds = Sequence[FrameScores]
"""Measures of the frames of the three kinds, in the order of `labelled_frames.KINDS`."""


@dataclass(frozen=True)
class SizeComparison:
    """Two networks on the frames with the hero in one size class."""

    label: str
    """Hero pixels at 160 px."""
    frames: int
    hero_iou: Interval | None
    """Difference of the means."""
    detected: McNemar
    """Frames in which only one network detects the hero."""


@dataclass(frozen=True)
class NetworkComparison:
    """Another network on the same frames; differences are its figure minus that of this one."""

    weights: str
    """Base name of the other weights file."""
    weights_sha256: str
    final_score: Interval | None
    """None unless all three kinds of frames are there."""
    hero_iou: Interval | None
    """Over the frames with the hero; None if there are none."""
    detected: McNemar
    """Frames with the hero."""
    silent: McNemar
    """Frames without the hero: without a false alarm."""
    sizes: tuple[SizeComparison, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers, ready for JSON."""
        return asdict(self)


def final_score_interval(kinds: Kinds, frames: Sequence[int] | None = None) -> Interval:
    """Return the final score with its interval.

    Args:
        kinds: Measures of the three kinds of frames.
        frames: Scale the detection counts to these numbers of frames; None keeps the counts.
    """
    return grouped_interval([len(kind) for kind in kinds], _FinalScore(kinds, frames))


def hero_iou_interval(frames: FrameScores) -> Interval | None:
    """Return the mean hero IoU over the frames with the hero, and its interval."""
    return bootstrap_interval(frames.iou[frames.there, MaskClass.HERO])


def compare(
    name: str, sha256: str, own: Sequence[FrameScores], other: Sequence[FrameScores], final: bool
) -> NetworkComparison:
    """Compare two networks on the same frames.

    Args:
        name: Base name of the other network's weights file.
        sha256: Digest of that file.
        own: Measures of each set by the one network.
        other: The same by the other network, in the same order.
        final: Whether the sets are the three kinds of frames, so that there is a final score.
    """
    one, two = FrameScores.join(own), FrameScores.join(other)
    change = None
    if final:
        before, after = _FinalScore(own), _FinalScore(other)

        def gain(*drawn: NDArray[np.int64], axis: int = -1) -> NDArray[np.float64]:
            return after(*drawn, axis=axis) - before(*drawn, axis=axis)

        change = grouped_interval([len(kind) for kind in own], gain)
    there = one.there
    return NetworkComparison(
        weights=name,
        weights_sha256=sha256,
        final_score=change,
        hero_iou=_iou_change(one, two, there),
        detected=mcnemar(one.detected[there], two.detected[there]),
        silent=mcnemar(~one.detected[~there], ~two.detected[~there]),
        sizes=tuple(
            SizeComparison(
                size.label,
                int(inside.sum()),
                _iou_change(one, two, inside),
                mcnemar(one.detected[inside], two.detected[inside]),
            )
            for size, inside in size_classes(one)
        ),
    )


def _iou_change(one: FrameScores, two: FrameScores, chosen: NDArray[np.bool_]) -> Interval | None:
    return difference(one.iou[chosen, MaskClass.HERO], two.iou[chosen, MaskClass.HERO])


class _FinalScore:
    """The final score as a function of the frames that are drawn of each kind."""

    def __init__(self, kinds: Kinds, frames: Sequence[int] | None = None) -> None:
        self._iou = [kind.iou[:, MaskClass.HERO] for kind in kinds]
        self._hits = [kind.there & kind.detected for kind in kinds]
        self._errors = [kind.there != kind.detected for kind in kinds]
        counts = frames or [len(kind) for kind in kinds]
        self._scale = [n / len(kind) for n, kind in zip(counts, kinds, strict=True)]

    def __call__(self, *drawn: NDArray[np.int64], axis: int = -1) -> NDArray[np.float64]:
        def mean_iou(kind: int) -> NDArray[np.float64]:
            return np.asarray(self._iou[kind][drawn[kind]].mean(axis=axis))

        def count(outcomes: Sequence[NDArray[np.bool_]]) -> Any:
            return sum(
                scale * outcome[indices].sum(axis=axis)
                for scale, outcome, indices in zip(self._scale, outcomes, drawn, strict=True)
            )

        following, _, with_hero = range(3)
        return combined_score(
            mean_iou(following), mean_iou(with_hero), count(self._hits), count(self._errors)
        )
