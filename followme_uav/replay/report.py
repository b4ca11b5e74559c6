"""Text output of a replay: a verdict, the first divergence, tables of differences."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from followme_uav.replay.comparison import (
    TOLERATED_COMMAND,
    TOLERATED_SHARE,
    Comparison,
    Divergence,
)
from followme_uav.replay.differences import readable
from followme_uav.terminal import print_table

NO_REACTION = (
    "The world does not react in a replay: it shows other decisions in the situations of that "
    "flight, not another flight."
)


def verdict(found: Comparison, from_images: bool) -> str:
    """One line: identical, identical but for rounding, within tolerance, or not identical."""
    extent = f"{found.frames} frames, {found.flight_s:.1f} s"
    if found.is_identical:
        return f"identical: {extent}"
    if found.is_rounding and found.largest is not None:
        return (
            f"identical but for rounding: {extent}; no number differs by more than "
            f"{found.largest.largest:.1g}"
        )
    if from_images and found.is_tolerable:
        return (
            f"within tolerance: {extent}; same states, and at least {1 - TOLERATED_SHARE:.0%} of "
            f"the detections and commands (to {TOLERATED_COMMAND:g} m/s and rad) the same"
        )
    return f"not identical: {extent}"


def first_divergence(first: Divergence) -> str:
    """One line: step, time, field and both values."""
    text = (
        f"first divergence: step {first.index}, {first.time_s:.1f} s: {first.field} was "
        f"{readable(first.logged)}, is {readable(first.replayed)}"
    )
    return text if first.size is None else f"{text} (off by {first.size:.3g})"


def show(found: Comparison, console: Console) -> None:
    """Print the tables of a replay that is not identical."""
    counts = found.detections
    table = Table(title="Flight and replay", show_header=False)
    table.add_row("frames with a detection in the flight", str(counts.logged))
    table.add_row("frames with a detection in the replay", str(counts.replayed))
    table.add_row("frames with a detection in both", str(counts.both))
    table.add_row("frames in the same mission state", f"{found.same_state} of {found.frames}")
    table.add_row(
        f"commands that differ by more than {TOLERATED_COMMAND:g}",
        f"{found.off_course} of {found.frames}",
    )
    print_table(table, console)
    table = Table("field", "steps", "first", "mean", "largest", "at step", title="Drift")
    for drift in found.drift.values():
        table.add_row(
            drift.field,
            str(drift.steps),
            str(drift.first_index),
            _number(drift.mean),
            _number(drift.largest),
            "" if drift.largest is None else str(drift.largest_index),
        )
    print_table(table, console)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"
