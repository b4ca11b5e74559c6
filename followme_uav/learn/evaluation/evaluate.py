"""Scores of trained weights on labelled frames: the `evaluate` command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import Progress

from followme_uav.errors import DataError
from followme_uav.extras import require
from followme_uav.files import write_json
from followme_uav.labelled_frames import KINDS
from followme_uav.learn.data import dataset
from followme_uav.learn.data.dataset import LabelledFrames
from followme_uav.learn.evaluation import confidence, curves, score_tables, scores
from followme_uav.learn.evaluation.confidence import NetworkComparison
from followme_uav.learn.evaluation.curves import SizeScore
from followme_uav.learn.evaluation.prepared import (
    SCORED_SIZE_PX,
    PreparedSet,
    batches,
    prepare,
    split_by_kind,
)
from followme_uav.learn.evaluation.scores import FrameScores, SetScore
from followme_uav.perception.models import CLASSES, INPUT_SIZE_PX
from followme_uav.perception.segmenter import Segmenter, at_size
from followme_uav.statistics.intervals import Interval
from followme_uav.terminal import make_console


@dataclass(frozen=True)
class Scores:
    """Result of an evaluation."""

    weights: str
    """Base name of the weights file."""
    weights_sha256: str
    data: str
    """Base name of the data folder."""
    by_kind: bool
    """Whether one set was split into the kinds by the hero's size."""
    sets: tuple[SetScore, ...]
    total: SetScore
    """All frames as one set."""
    sizes: tuple[SizeScore, ...]
    """All frames with the hero, by size class."""
    final_score: float | None
    """None unless all three kinds of frames are there."""
    final_score_udacity_frames: float | None
    """The same, as if each kind had as many frames as in `scores.UDACITY_FRAMES`."""
    intervals: dict[str, Interval]
    """Intervals of `hero_iou` (over the frames with the hero) and of the final scores."""
    native_px: int
    """Side of the frames as they were recorded; 0 if they differ in size."""
    native_sets: tuple[SetScore, ...]
    """The sets, compared at the frames' own size."""
    comparison: NetworkComparison | None = None
    """With another network."""

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers of the tables, ready for JSON."""
        return {
            "weights": self.weights,
            "weights_sha256": self.weights_sha256,
            "data": self.data,
            "by_kind": self.by_kind,
            "final_score": self.final_score,
            "final_score_udacity_frames": self.final_score_udacity_frames,
            "sets": [s.to_dict() for s in self.sets],
            "total": self.total.to_dict(),
            "intervals": {name: asdict(interval) for name, interval in self.intervals.items()},
            "native_px": self.native_px,
            "native_sets": [s.to_dict() for s in self.native_sets],
            "hero_size": [s.to_dict() for s in self.sizes],
            "comparison": self.comparison and self.comparison.to_dict(),
        }


def evaluate(
    weights: Path,
    data_dir: Path,
    json_path: Path | None = None,
    *,
    by_kind: bool = False,
    report_dir: Path | None = None,
    skip_incomplete: bool = False,
    against: Path | None = None,
) -> Scores:
    """Score weights on a data folder and print tables.

    Args:
        weights: Weights file.
        data_dir: Folder with one set, or with one set for each kind of frames.
        json_path: File for the result; None writes none.
        by_kind: Split the one set into the three kinds of frames, by the hero's size.
        report_dir: Folder for an HTML report; None writes none.
        skip_incomplete: Leave out images without a mask and masks without an image.
        against: Weights of another network, which is compared frame by frame; None: no other.

    Raises:
        WeightsError: The weights cannot be used.
        DataError: The data folder cannot be used.
        EnvironmentSetupError: A report is asked for, and Matplotlib or Jinja2 is missing.
    """
    if report_dir is not None:
        for package in ("matplotlib", "jinja2"):
            require(package, "report", "--report")
    segmenter = Segmenter(weights)
    other = None if against is None else (against, Segmenter(against))
    found = dataset.find_sets(data_dir, skip_incomplete)
    if by_kind and found[0].kind:
        raise DataError(
            f"{data_dir}: holds the kinds of flight as folders already; leave out --by-kind"
        )
    console = make_console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        loaded = list(progress.track(map(dataset.load, found), len(found), description="reading"))
        own = _predict(segmenter, loaded, by_kind, progress)
        comparison = None
        if other is not None:
            comparison = _comparison(own, *other, _predict(other[1], loaded, by_kind, progress))
    result = _scores(weights.name, segmenter.sha256, own, by_kind, comparison)
    if json_path is not None:
        write_json(json_path, result.to_dict())
    page = None
    if report_dir is not None:
        from followme_uav.learn.evaluation import report  # SciPy takes a second to import

        page = report.write(report_dir, result, own.sets, own.measured, segmenter.segment_batch)
    score_tables.show(result, make_console())
    for frames in loaded:
        print(f"{frames.name}: {frames.note}")
    if page is not None:
        print(f"report: {page}")
    return result


@dataclass(frozen=True)
class _Predicted:
    """Predictions of a network on the sets, measured."""

    sets: Sequence[PreparedSet]
    measured: Sequence[FrameScores]
    """Of each set, at 160 px."""
    native: Sequence[FrameScores]
    """Of each set, at the frames' own size; empty if that is 160 px."""

    @property
    def are_all_kinds(self) -> bool:
        """Whether the sets are the three kinds of frames."""
        return tuple(_kind_of(s.name) for s in self.sets) == KINDS

    @property
    def native_px(self) -> int:
        """Side of the frames; 0 if they differ in size."""
        sides = {INPUT_SIZE_PX if s.labels is None else s.labels.shape[1] for s in self.sets}
        return sides.pop() if len(sides) == 1 else 0


def _predict(
    segmenter: Segmenter, loaded: Sequence[LabelledFrames], by_kind: bool, progress: Progress
) -> _Predicted:
    sets = [prepare(frames, segmenter.trained_size_px) for frames in loaded]
    if by_kind:
        sets = split_by_kind(sets[0])
    task = progress.add_task("scoring", total=sum(len(s) for s in sets))
    measured, native = [], []
    for own_set in sets:
        at_160, at_own_size = [], []
        for batch, masks in batches(segmenter.segment_batch, own_set):
            at_160.append(scores.measure(own_set.truth[batch], at_size(masks, SCORED_SIZE_PX)))
            if own_set.labels is not None:
                truth = own_set.labels[batch, ..., None] == np.arange(len(CLASSES))
                at_own_size.append(scores.measure(truth, at_size(masks, truth.shape[1:3])))
            progress.advance(task, len(masks))
        measured.append(FrameScores.join(at_160))
        if at_own_size:
            native.append(FrameScores.join(at_own_size))
    return _Predicted(sets, measured, native)


def _scores(
    weights: str, sha256: str, own: _Predicted, by_kind: bool, comparison: NetworkComparison | None
) -> Scores:
    all_frames = FrameScores.join(own.measured)
    sets = _summaries(own.sets, own.measured)
    intervals = {"hero_iou": confidence.hero_iou_interval(all_frames)}
    if own.are_all_kinds:
        kinds, frames = own.measured, scores.UDACITY_FRAMES
        intervals["final_score"] = confidence.final_score_interval(kinds)
        intervals["final_score_udacity_frames"] = confidence.final_score_interval(kinds, frames)
    return Scores(
        weights=weights,
        weights_sha256=sha256,
        data=own.sets[0].source,
        by_kind=by_kind,
        sets=sets,
        total=scores.summarise("all", all_frames),
        sizes=tuple(curves.by_size(all_frames)),
        final_score=_final(sets),
        final_score_udacity_frames=_final(sets, scores.UDACITY_FRAMES),
        intervals={name: found for name, found in intervals.items() if found is not None},
        native_px=own.native_px,
        native_sets=_summaries(own.sets, own.native) if own.native_px and own.native else (),
        comparison=comparison,
    )


def _comparison(
    own: _Predicted, path: Path, segmenter: Segmenter, other: _Predicted
) -> NetworkComparison:
    return confidence.compare(
        path.name, segmenter.sha256, own.measured, other.measured, own.are_all_kinds
    )


def _summaries(
    sets: Sequence[PreparedSet], measured: Sequence[FrameScores]
) -> tuple[SetScore, ...]:
    return tuple(scores.summarise(s.name, m) for s, m in zip(sets, measured, strict=True))


def _final(results: Sequence[SetScore], frames: tuple[int, int, int] | None = None) -> float | None:
    by_kind = {_kind_of(r.name): r for r in results}
    if not all(kind in by_kind for kind in KINDS):
        return None
    following, without_hero, with_hero = (by_kind[kind] for kind in KINDS)
    return scores.final_score(following, without_hero, with_hero, frames)


def _kind_of(name: str) -> str:
    return name.rpartition("/")[2]
