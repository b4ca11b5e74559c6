"""Tables of an evaluation as rows of text, for the terminal and for the HTML report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from followme_uav.labelled_frames import KINDS
from followme_uav.learn.evaluation.scores import UDACITY_FRAMES, SetScore
from followme_uav.terminal import print_table

if TYPE_CHECKING:
    from followme_uav.learn.evaluation.confidence import NetworkComparison
    from followme_uav.learn.evaluation.evaluate import Scores

_NOTHING = "–"
"""Text of a number that does not exist."""


@dataclass(frozen=True)
class ScoreTable:
    """One table, in text."""

    title: str
    note: str
    """Meaning of its numbers."""
    header: tuple[str, ...]
    """The first column is left-aligned text, the others are numbers; with line breaks."""
    rows: tuple[tuple[str, ...], ...]


def tables(result: Scores) -> list[ScoreTable]:
    """Tables of overlap, of detection, of both by the hero's size, and of another network."""
    sets = list(result.sets)
    if len(sets) > 1:
        sets.append(result.total)
    found = [_overlap(sets, "with the truth (IoU at 160 px)"), _detection(sets)]
    if result.sizes:
        found.append(_sizes(result))
    if result.native_sets:
        words = f"at the frames' own size ({result.native_px} px)"
        found.append(_overlap(result.native_sets, words))
    if result.comparison is not None:
        found += _compared(result.comparison)
    return found


def final_scores(result: Scores) -> list[tuple[str, str]]:
    """Final scores, each with a description; empty for a plain set that is not split by kind."""
    if result.final_score is None:
        if not result.by_kind:
            return []
        present = {_kind(s.name) for s in result.sets}
        missing = ", ".join(kind for kind in KINDS if kind not in present)
        return [(_NOTHING, f"no final score: no frame is of the kind {missing}")]
    description = f"final score{_within(result, 'final_score')}"
    if result.by_kind:
        description += ", a proxy: kinds told apart by the hero's size"
    frames = ", ".join(map(str, UDACITY_FRAMES))
    return [
        (f"{result.final_score:.3f}", description),
        (
            f"{result.final_score_udacity_frames:.3f}",
            f"the same with as many frames of each kind as the Udacity sets have ({frames})"
            f"{_within(result, 'final_score_udacity_frames')}",
        ),
    ]


def show(result: Scores, console: Console) -> None:
    """Print the tables."""
    for table in tables(result):
        grid = Table(
            title=table.title,
            caption=table.note,
            title_justify="left",
            caption_justify="left",
            box=box.SIMPLE_HEAD,
            padding=0,
            pad_edge=False,
        )
        for i, column in enumerate(table.header):
            grid.add_column(column, justify="right" if i else "left", no_wrap=i == 0)
        for row in table.rows:
            grid.add_row(*(Text(cell) for cell in row))
        print_table(grid, console)
        console.print()
    for number, words in final_scores(result):
        console.print(f"{number}  {words}", highlight=False)


def _within(result: Scores, name: str) -> str:
    interval = result.intervals[name]
    return f", 95 % interval {interval.low:.3f} to {interval.high:.3f}"


def _overlap(sets: Sequence[SetScore], where: str) -> ScoreTable:
    return ScoreTable(
        f"Overlap {where}",
        "Mean over frames. 'Every frame': IoU of the final score, 0 in frames where the hero is "
        "neither there nor predicted. 'Hero there': over frames with more than 3 px of the hero. "
        "Classes: over frames where the class is there or predicted.",
        (
            *("set", "frames", "with\nhero", "hero,\nevery\nframe", "hero,\nhero\nthere"),
            *("hero", "people", "background"),
        ),
        tuple(
            (
                _kind(s.name),
                str(s.frames),
                str(s.hero_frames),
                f"{s.hero_iou_all:.3f}",
                f"{s.hero_iou:.3f}" if s.hero_frames else _NOTHING,
                *(_number(s.class_iou[c], 3) for c in ("hero", "people", "background")),
            )
            for s in sets
        ),
    )


def _detection(sets: Sequence[SetScore]) -> ScoreTable:
    return ScoreTable(
        "Detection of the hero (more than 3 px)",
        "Precision = TP / (TP + FP), recall = TP / (TP + FN), weight = TP / (TP + FP + FN). "
        "Centroid error: distance between the centroids of true and predicted hero, over the true "
        "positives.",
        (
            *("set", "TP", "FP", "FN", "precision", "recall", "weight"),
            *("centroid\nerror px,\nmedian", "\n\n95 %"),
        ),
        tuple(
            (
                _kind(s.name),
                str(s.true_positive),
                str(s.false_positive),
                str(s.false_negative),
                _number(s.precision, 3),
                _number(s.recall, 3),
                f"{s.weight:.3f}",
                _number(s.centroid_error_median_px, 2),
                _number(s.centroid_error_p95_px, 2),
            )
            for s in sets
        ),
    )


def _sizes(result: Scores) -> ScoreTable:
    return ScoreTable(
        "By the hero's size",
        "All frames with the hero. IoU: mean, 0 in frames where the hero is missed. Centroid "
        "error: median over the frames where the hero is detected.",
        (
            *("hero pixels at 160 px", "frames", "detected", "95 %\ninterval"),
            *("hero IoU", "centroid error px"),
        ),
        tuple(
            (
                s.label,
                str(s.frames),
                f"{s.detected:.1%}",
                f"{s.detected_interval.low:.1%} to {s.detected_interval.high:.1%}",
                f"{s.hero_iou:.3f}",
                _number(s.centroid_error_median_px, 2),
            )
            for s in result.sizes
        ),
    )


def _compared(other: NetworkComparison) -> list[ScoreTable]:
    differences = [("final score", other.final_score), ("hero IoU, hero there", other.hero_iou)]
    differences += [(f"hero IoU, {s.label} px", s.hero_iou) for s in other.sizes]
    outcomes = [("hero detected", other.detected)]
    outcomes += [(f"hero detected, {s.label} px", s.detected) for s in other.sizes]
    outcomes.append(("no false alarm", other.silent))
    return [
        ScoreTable(
            f"{other.weights} compared with this network",
            "Mean difference on the same frames; positive: the other network is better. Bootstrap.",
            ("figure", "difference", "95 % interval"),
            tuple(
                (name, f"{change.value:+.3f}", f"{change.low:+.3f} to {change.high:+.3f}")
                for name, change in differences
                if change is not None
            ),
        ),
        ScoreTable(
            "Frames in which only one of the networks is right",
            "p: McNemar's exact test; the probability of such a difference between networks that "
            "are equally good.",
            ("frames with", f"only\n{other.weights}", "only\nthis", "p"),
            tuple(
                (name, str(test.better), str(test.worse), f"{test.p_value:.2g}")
                for name, test in outcomes
            ),
        ),
    ]


def _kind(name: str) -> str:
    return name.rpartition("/")[2]


def _number(value: float | None, digits: int) -> str:
    return _NOTHING if value is None else f"{value:.{digits}f}"
