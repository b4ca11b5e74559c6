"""Scores of trained weights on labelled frames: the `evaluate` command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from followme_uav.errors import DataError
from followme_uav.extras import require
from followme_uav.files import write_json
from followme_uav.labelled_frames import DETECTION_PX, KINDS
from followme_uav.learn.data import dataset
from followme_uav.learn.data.dataset import LabelledFrames
from followme_uav.learn.evaluation import curves, score_tables, scores
from followme_uav.learn.evaluation.curves import SizeScore
from followme_uav.learn.evaluation.scores import FrameScores, SetScore
from followme_uav.messages import MaskClass
from followme_uav.perception.models import INPUT_SIZE_PX
from followme_uav.perception.segmenter import Segmenter, resize_images
from followme_uav.terminal import make_console

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
        )

    def probabilities(self, infer: Infer, frames: slice) -> NDArray[np.uint8]:
        """Run the network on some frames: (frames, 160, 160, 3), in 1/255."""
        if self.network_images is None:
            return np.asarray(infer(self.images[frames]))
        masks = np.asarray(infer(self.network_images[frames]))
        return resize_images(masks, (INPUT_SIZE_PX, INPUT_SIZE_PX))


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
            "hero_size": [s.to_dict() for s in self.sizes],
        }


def evaluate(
    weights: Path,
    data_dir: Path,
    json_path: Path | None = None,
    *,
    by_kind: bool = False,
    report_dir: Path | None = None,
    skip_incomplete: bool = False,
) -> Scores:
    """Score weights on a data folder and print tables.

    Args:
        weights: Weights file.
        data_dir: Folder with one set, or with one set for each kind of frames.
        json_path: File for the result; None writes none.
        by_kind: Split the one set into the three kinds of frames, by the hero's size.
        report_dir: Folder for an HTML report; None writes none.
        skip_incomplete: Leave out images without a mask and masks without an image.

    Raises:
        WeightsError: The weights cannot be used.
        DataError: The data folder cannot be used.
        EnvironmentSetupError: A report is asked for, and Matplotlib or Jinja2 is missing.
    """
    if report_dir is not None:
        for package in ("matplotlib", "jinja2"):
            require(package, "report", "--report")
    segmenter = Segmenter(weights)
    found = dataset.find_sets(data_dir, skip_incomplete)
    if by_kind and found[0].kind:
        raise DataError(
            f"{data_dir}: holds the kinds of flight as folders already; leave out --by-kind"
        )
    console = make_console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        reading = progress.add_task("reading", total=len(found))
        prepared, notes = [], []
        for frame_set in found:
            frames = dataset.load(frame_set)
            notes.append(f"{frames.name}: {frames.note}")
            prepared.append(prepare(frames, segmenter.input_size_px))
            progress.advance(reading)
        if by_kind:
            prepared = split_by_kind(prepared[0])
        scoring = progress.add_task("scoring", total=sum(len(s) for s in prepared))
        measured = [
            measure_set(segmenter.segment_batch, s, lambda n: progress.advance(scoring, n))
            for s in prepared
        ]
    all_frames = FrameScores.join(measured)
    sets = tuple(scores.summarise(s.name, m) for s, m in zip(prepared, measured, strict=True))
    result = Scores(
        weights=weights.name,
        weights_sha256=segmenter.sha256,
        data=prepared[0].source,
        by_kind=by_kind,
        sets=sets,
        total=scores.summarise("all", all_frames),
        sizes=tuple(curves.by_size(all_frames)),
        final_score=_final(sets),
        final_score_udacity_frames=_final(sets, scores.UDACITY_FRAMES),
    )
    if json_path is not None:
        write_json(json_path, result.to_dict())
    page = None
    if report_dir is not None:
        from followme_uav.learn.evaluation import report  # SciPy takes a second to import

        page = report.write(report_dir, result, prepared, measured, segmenter.segment_batch)
    score_tables.show(result, make_console())
    for note in notes:
        print(note)
    if page is not None:
        print(f"report: {page}")
    return result


def prepare(frames: LabelledFrames, network_size_px: tuple[int, int] | None = None) -> PreparedSet:
    """Resize images and truth of a set to 160 px, the size at which masks are compared.

    Args:
        frames: The set.
        network_size_px: Image (height, width) that the network was trained for. If it is not 160
            px, the network gets the frames at that size, and its masks are resized to 160 px.
    """
    is_other = network_size_px not in (None, (INPUT_SIZE_PX, INPUT_SIZE_PX))
    return PreparedSet(
        frames.source,
        frames.name,
        np.stack([dataset.resize_image(image, INPUT_SIZE_PX) for image in frames.images]),
        np.stack([dataset.resize_truth(label, INPUT_SIZE_PX) for label in frames.labels]),
        tuple(path.name for path in frames.image_files),
        np.concatenate([resize_images(image[None], network_size_px) for image in frames.images])
        if is_other and network_size_px is not None
        else None,
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


def measure_set(
    infer: Infer, prepared: PreparedSet, advance: Callable[[int], object] | None = None
) -> FrameScores:
    """Run the network on a set and measure each frame.

    Args:
        infer: The network.
        prepared: The set.
        advance: Called with the number of further frames done.
    """
    parts = []
    for start in range(0, len(prepared), _BATCH):
        batch = slice(start, start + _BATCH)
        probabilities = prepared.probabilities(infer, batch)
        parts.append(scores.measure(prepared.truth[batch], probabilities))
        if advance is not None:
            advance(len(probabilities))
    return FrameScores.join(parts)


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


def _final(results: Sequence[SetScore], frames: tuple[int, int, int] | None = None) -> float | None:
    by_kind = {r.name.rpartition("/")[2]: r for r in results}
    if not all(kind in by_kind for kind in KINDS):
        return None
    following, without_hero, with_hero = (by_kind[kind] for kind in KINDS)
    return scores.final_score(following, without_hero, with_hero, frames)
