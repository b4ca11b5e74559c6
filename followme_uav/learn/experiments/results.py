"""Results of an experiment: mean and range of each measure over the seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from followme_uav.learn.experiments.runs import RunOutcome
from followme_uav.terminal import print_table

MEASURES = ("training_loss", "validation_loss", "hero_iou", "score")


def summarise(outcomes: Sequence[RunOutcome]) -> list[dict[str, Any]]:
    """Compute mean, minimum and maximum of each measure over the seeds, for each value.

    Runs that diverged count in `broken` only.
    """
    rows: list[dict[str, Any]] = []
    for value in sorted({outcome.value for outcome in outcomes}):
        own = [outcome for outcome in outcomes if outcome.value == value]
        row: dict[str, Any] = {
            "value": value,
            "seeds": len(own),
            "broken": sum(outcome.training_loss is None for outcome in own),
        }
        for measure in MEASURES:
            numbers = [n for o in own if (n := getattr(o, measure)) is not None]
            row[measure] = (
                {"mean": float(np.mean(numbers)), "min": min(numbers), "max": max(numbers)}
                if numbers
                else None
            )
        rows.append(row)
    return rows


def print_experiment(results: dict[str, Any], console: Console) -> None:
    """Print a table with a row for each value of the setting.

    Args:
        results: content of `results.json`.
        console: to print on.
    """
    name = results["experiment"]
    table = Table(title=f"{name}: mean over the seeds, smallest..largest", show_lines=True)
    for column in (name, *(measure.replace("_", " ") for measure in MEASURES)):
        table.add_column(column, justify="right")
    for row in results["values"]:
        cells = [
            "-" if s is None else f"{s['mean']:.3g}\n{s['min']:.3g}..{s['max']:.3g}"
            for s in (row[measure] for measure in MEASURES)
        ]
        failed = f"\n{row['broken']} of {row['seeds']} failed" if row.get("broken") else ""
        table.add_row(f"{row['value']:g}{failed}", *cells)
    print_table(table, console)
