"""Compare two runs flight by flight: flights are paired by scenario, seed and variant."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.markup import escape
from rich.table import Table

from followme_uav.errors import DataError
from followme_uav.scenario.execution.results import Result, totals
from followme_uav.scenario.report.axes import axes_of, value_of
from followme_uav.scenario.report.tables import MOST_ROWS, number, with_error
from followme_uav.statistics.intervals import Interval
from followme_uav.statistics.paired import McNemar, difference, mcnemar
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


@dataclass(frozen=True)
class Effect:
    """The change of one figure over all pairs of flights, or over those of one axis."""

    figure: str
    """A metric, or `success` and the value of an axis."""
    pairs: int
    change: Interval
    """Mean of after minus before, with its paired bootstrap interval."""


@dataclass(frozen=True)
class Comparison:
    """Two runs of the same flights."""

    changes: list[MetricChange]
    success: McNemar
    metrics: list[Effect]
    axes: list[Effect]


def compare(before: Sequence[Result], after: Sequence[Result]) -> Comparison:
    """Compare the flights that both runs have, without crashed ones.

    Raises:
        DataError: The runs have no flight in common.
    """
    both = pairs(before, after)
    axes = [
        (f"success, {axis} {value}", [p for p in both if value_of(p[1], axis) == value])
        for axis in axes_of([after for _, after in both])
        for value in sorted({str(value_of(after, axis)) for _, after in both})
    ]
    return Comparison(
        changes(before, after),
        mcnemar([a.success for a, _ in both], [b.success for _, b in both]),
        [e for name in ("success", *NOTABLE_STEPS) if (e := _effect(name, name, both))],
        [e for name, some in axes if (e := _effect(name, "success", some))],
    )


def pairs(before: Sequence[Result], after: Sequence[Result]) -> list[tuple[Result, Result]]:
    """Return each flight of both runs, before and after; crashed ones are left out.

    Raises:
        DataError: The runs have no flight in common.
    """
    old = {result.key: result for result in before if not result.crashed}
    both = [(old[r.key], r) for r in after if r.key in old and not r.crashed]
    if not both:
        raise DataError("the two runs have no flight in common; compare runs of the same scenarios")
    return both


def _effect(figure: str, metric: str, both: Sequence[tuple[Result, Result]]) -> Effect | None:
    values = [(_value(a, metric), _value(b, metric)) for a, b in both]
    known = [(a, b) for a, b in values if a is not None and b is not None]
    change = difference([a for a, _ in known], [b for _, b in known])
    return None if change is None else Effect(figure, len(known), change)


def _value(result: Result, metric: str) -> float | None:
    value = result.success if metric == "success" else result.metrics.get(metric)
    return None if value is None else float(value)


def changes(before: Sequence[Result], after: Sequence[Result]) -> list[MetricChange]:
    """Return the notable changes in the flights that both runs have.

    Raises:
        DataError: The runs have no flight in common.
    """
    found = []
    for a, b in pairs(before, after):
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


def print_comparison(
    before: Sequence[Result],
    after: Sequence[Result],
    as_json: bool,
    *,
    stopped_early: bool = False,
) -> bool:
    """Print the changes; return whether no flight went from passed to failed.

    Args:
        before: The results of one run.
        after: The results of another run.
        as_json: Print JSON.
        stopped_early: As in `totals`, of either run: both then have the flights that it has.
    """
    found = compare(before, after)
    newly_failed = [c for c in found.changes if c.metric == "success" and not c.is_better]
    if as_json:
        print(json.dumps(asdict(found), indent=2))
        return not newly_failed
    console = make_console()
    reasons = {result.key: result.reason for result in (*before, *after) if not result.success}
    table = Table(title="What changed")
    for title in ("flight", "metric", "before", "after", ""):
        table.add_column(title, justify="right" if title in ("before", "after") else "left")
    shown = sorted(found.changes, key=lambda c: c.metric != "success")[:MOST_ROWS]
    for c in shown:
        mark = "[green]better[/]" if c.is_better else "[bold red]worse[/]"
        if c.metric == "success":
            mark += f": {escape(reasons.get(c.flight, ''))}"
        table.add_row(escape(c.flight), c.metric, _cell(c.before), _cell(c.after), mark)
    print_table(table, console)
    if len(found.changes) > len(shown):
        console.print(f"... and {len(found.changes) - len(shown)} more changes", highlight=False)
    print_table(_effects(found), console)
    common = {a.key for a, _ in pairs(before, after)}
    for name, run in (("before", before), ("after", after)):
        t = totals([r for r in run if r.key in common], stopped_early=stopped_early)
        console.print(
            f"{name}: {t.passed} of {t.flights} as expected, {with_error(t.success)}, tracked "
            f"{with_error(t.tracked)}, in view {with_error(t.in_view)}, {t.losses} losses, in "
            f"{with_error(t.with_loss)} of the flights",
            highlight=False,
        )
    s = found.success
    console.print(
        f"{s.better} flights pass only after, {s.worse} only before: p = {s.p_value:.3g} "
        "(McNemar's exact test). Intervals are of 95 %, paired by flight",
        highlight=False,
    )
    return not newly_failed


def _effects(found: Comparison) -> Table:
    table = Table(title="Mean change")
    for title in ("figure", "flights", "after minus before"):
        table.add_column(title, justify="left" if title == "figure" else "right")
    for e in (*found.metrics, *found.axes):
        table.add_row(escape(e.figure), str(e.pairs), _signed(e.change))
    return table


def _signed(change: Interval) -> str:
    if change.low == change.high:
        return f"{change.value:+.3f} (no spread)"
    return f"{change.value:+.3f} ({change.low:+.3f} to {change.high:+.3f})"


def _cell(value: float | bool | None) -> str:
    if isinstance(value, bool):
        return "passed" if value else "failed"
    return number(value)
