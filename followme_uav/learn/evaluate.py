"""Scores of trained weights on labelled frames: the `evaluate` command."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from followme_uav.learn import dataset, scores
from followme_uav.learn.dataset import LabelledFrames
from followme_uav.learn.scores import SetScore
from followme_uav.messages import MaskClass
from followme_uav.perception.models import INPUT_SIZE_PX
from followme_uav.perception.segmenter import Segmenter

_BATCH = 16

Infer = Callable[[NDArray[np.uint8]], Any]
"""(batch, 160, 160, 3) RGB bytes -> probabilities in 1/255, same shape."""


@dataclass(frozen=True)
class PreparedSet:
    """One set at the network's resolution, as scores compare it."""

    source: str
    name: str
    images: NDArray[np.uint8]
    """(frames, 160, 160, 3) RGB."""
    hero: NDArray[np.bool_]
    """(frames, 160, 160), where the hero is."""


@dataclass(frozen=True)
class Scores:
    """Result of an evaluation."""

    sets: tuple[SetScore, ...]
    final_score: float | None
    """Present when the three kinds of flight are."""


def evaluate(weights: Path, data_dir: Path, json_path: Path | None = None) -> Scores:
    """Scores weights on a data folder and prints a table.

    Args:
        weights: Weights file.
        data_dir: Folder with one set, or with the three kinds of flight.
        json_path: File for the result, if wanted.

    Raises:
        WeightsError: The weights cannot be used.
        DataError: The data folder cannot be used.
    """
    segmenter = Segmenter(weights)
    prepared = [prepare(dataset.load(s)) for s in dataset.find_sets(data_dir)]
    results = score_sets(segmenter.segment_batch, prepared)
    result = Scores(tuple(results), _final(results))
    _print(result)
    if json_path is not None:
        content = {
            "weights_sha256": segmenter.sha256,
            "final_score": result.final_score,
            "sets": [
                asdict(s) | {"detection_accuracy": s.detection_accuracy, "weight": s.weight}
                for s in results
            ],
        }
        json_path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return result


def prepare(frames: LabelledFrames) -> PreparedSet:
    """Resizes images and truth of a set to the network's resolution, as the score demands."""
    images = [dataset.resize_image(image, INPUT_SIZE_PX) for image in frames.images]
    hero = [
        dataset.resize_truth(label, INPUT_SIZE_PX)[..., MaskClass.HERO] for label in frames.labels
    ]
    return PreparedSet(frames.source, frames.name, np.stack(images), np.stack(hero))


def score_sets(infer: Infer, prepared: Sequence[PreparedSet]) -> list[SetScore]:
    """Runs the network over sets and scores each.

    Args:
        infer: The network.
        prepared: Sets to run it on.
    """
    return [scores.score(s.name, s.hero, predict_hero(infer, s.images)) for s in prepared]


def predict_hero(infer: Infer, images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the network sees the hero: (frames, height, width)."""
    parts = [
        scores.hero_of(np.asarray(infer(images[i : i + _BATCH])))
        for i in range(0, len(images), _BATCH)
    ]
    return np.concatenate(parts)


def selection_score(prepared: Sequence[PreparedSet], results: Sequence[SetScore]) -> float:
    """One number to choose weights by: mean over the data folders of IoU times detection weight.

    The sets of one folder count as one, and every folder the same, however many frames it has.
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


def _final(results: Sequence[SetScore]) -> float | None:
    by_kind = {r.name.rpartition("/")[2]: r for r in results}
    if not all(kind in by_kind for kind in dataset.KINDS):
        return None
    following, without_hero, with_hero = (by_kind[kind] for kind in dataset.KINDS)
    return scores.final_score(following, without_hero, with_hero)


def _print(result: Scores) -> None:
    table = Table(title="hero found in labelled frames (160 px)")
    for column in ("set", "frames", "with hero", "hero IoU", "right", "TP", "FP", "FN"):
        table.add_column(column, justify="left" if column == "set" else "right")
    for s in result.sets:
        table.add_row(
            s.name,
            str(s.frames),
            str(s.hero_frames),
            f"{s.hero_iou:.3f}",
            f"{s.detection_accuracy:.1%}",
            str(s.true_positive),
            str(s.false_positive),
            str(s.false_negative),
        )
    console = Console()
    console.print(table)
    if result.final_score is not None:
        console.print(f"final score {result.final_score:.3f}")
