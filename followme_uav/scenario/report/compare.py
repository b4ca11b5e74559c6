"""Compare two runs flight by flight."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table

from followme_uav.errors import DataError
from followme_uav.scenario.execution.results import Result, totals
from followme_uav.scenario.report.tables import number
from followme_uav.terminal import make_console, print_table

NOTABLE_STEPS = {
    "in_view": 0.02,
    "tracked": 0.02,
    "acquire_s": -1.0,
    "losses": -1.0,
    "wrong_target_s": -0.1,
    "collisions": -1.0,
    "min_clearance_m": 0.2,
}
"""Smallest change of each metric that is reported; negative where less is better."""


@dataclass(frozen=True)
class MetricChange:
    """One metric of one flight, before and after; `success` is a metric, too."""

    flight: str
    metric: str
    before: float | bool | None
    after: float | bool | None
    is_better: bool


def changes(before: Sequence[Result], after: Sequence[Result]) -> list[MetricChange]:
    """Return the notable changes in the flights that both runs have.

    Raises:
        DataError: The runs have no flight in common.
    """
    old = {result.key: result for result in before}
    both = [(old[result.key], result) for result in after if result.key in old]
    if not both:
        raise DataError("the two runs have no flight in common; compare runs of the same scenarios")
    found = []
    for a, b in both:
        if a.success != b.success:
            found.append(MetricChange(a.key, "success", a.success, b.success, b.success))
        for metric, step in NOTABLE_STEPS.items():
            old_value, new_value = a.metrics.get(metric), b.metrics.get(metric)
            is_better = _is_better(old_value, new_value, step)
            if is_better is not None:
                found.append(MetricChange(a.key, metric, old_value, new_value, is_better))
    return found


def _is_better(before: float | None, after: float | None, step: float) -> bool | None:
    """Whether a metric improved; None when it changed by less than `step`."""
    if before is None or after is None:
        return None
    gain = (after - before) / step
    return None if abs(gain) < 1.0 - 1e-9 else gain > 0


def print_comparison(before: Sequence[Result], after: Sequence[Result], as_json: bool) -> bool:
    """Print the changes; return whether no flight went from passed to failed."""
    found = changes(before, after)
    newly_failed = [c for c in found if c.metric == "success" and not c.is_better]
    if as_json:
        print(json.dumps([vars(c) for c in found], indent=2))
        return not newly_failed
    table = Table(title="What changed")
    for title in ("flight", "metric", "before", "after", ""):
        table.add_column(title, justify="right" if title in ("before", "after") else "left")
    for c in found:
        mark = "[green]better[/]" if c.is_better else "[bold red]worse[/]"
        table.add_row(escape(c.flight), c.metric, _cell(c.before), _cell(c.after), mark)
    console = make_console()
    print_table(table, console)
    common = {result.key for result in before} & {result.key for result in after}
    for name, run in (("before", before), ("after", after)):
        t = totals([result for result in run if result.key in common])
        console.print(
            f"{name}: {t.passed} of {t.flights} as expected, tracked {number(t.tracked)}, "
            f"in view {number(t.in_view)}, {t.losses} losses",
            highlight=False,
        )
    return not newly_failed


def _cell(value: float | bool | None) -> str:
    if isinstance(value, bool):
        return "passed" if value else "failed"
    return number(value)
