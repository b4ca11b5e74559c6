"""Tables and texts that the scenario commands print."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from rich.markup import escape
from rich.table import Table

from followme_uav.scenario.execution.results import RESULTS, Result, totals
from followme_uav.scenario.report.axes import by_axis
from followme_uav.scenario.report.extremes import DrawsOfRun
from followme_uav.scenario.script.script import Scenario
from followme_uav.statistics.intervals import Interval
from followme_uav.terminal import make_console, print_table

COLUMNS = {
    "acquire_s": "found s",
    "in_view": "in view",
    "tracked": "tracked",
    "losses": "losses",
    "wrong_target_s": "wrong s",
    "collisions": "hits",
    "min_clearance_m": "clear m",
}


MOST_ROWS = 100
"""Of the printed table and the printed list of failures; files have all."""


def print_results(results: Sequence[Result], *, stopped_early: bool = False) -> None:
    """Print a table of the flights, or of success by axis if they are many, and the totals."""
    console = make_console()
    print_table(_flights(results) if len(results) <= MOST_ROWS else _axes(results), console)
    not_passed = [result for result in results if not result.success]
    draws = DrawsOfRun(results)
    for r in not_passed[:MOST_ROWS]:
        colour = "yellow" if r.crashed else "bold red"
        variant = f" {escape(r.variant)}" if r.variant else ""
        console.print(
            f"[{colour}]{escape(r.name)} seed {r.seed}{variant}[/]: {escape(r.reason)}"
            f"{_extremes(draws.extremes_of(r))}",
            highlight=False,
        )
    if len(not_passed) > MOST_ROWS:
        console.print(f"... and {len(not_passed) - MOST_ROWS} more", highlight=False)
    t = totals(results, stopped_early=stopped_early)
    crashed = f"; {t.crashed} crashed and are not counted" if t.crashed else ""
    console.print(
        f"{t.passed} of {t.flights} flights as expected, {with_error(t.success)}{crashed}; tracked "
        f"{with_error(t.tracked)}, in view {with_error(t.in_view)} of the time after the hero was "
        f"found; {t.losses} losses, in {with_error(t.with_loss)} of the flights, found again "
        f"{with_error(t.reacquire_visible_s)} s (median) after being visible; another person "
        f"followed for {t.wrong_target_s:.1f} s, in {with_error(t.with_wrong_target)} of the "
        f"flights; {t.collisions} collisions, in {with_error(t.with_collision)} of the flights. "
        "Intervals are of 95 %",
        highlight=False,
    )


def _extremes(draws: Mapping[str, float]) -> str:
    listed = ", ".join(f"{name} {value:g}" for name, value in draws.items())
    return f" (extreme in this run: {listed})" if listed else ""


def _flights(results: Sequence[Result]) -> Table:
    table = Table(title="Scenarios")
    variants = ("variant",) if any(result.variant for result in results) else ()
    for title in ("scenario", "seed", *variants, "", *COLUMNS.values()):
        table.add_column(title, justify="left" if title == "scenario" else "right", no_wrap=True)
    marks = {
        "passed": "[green]pass[/]",
        "failed": "[bold red]FAIL[/]",
        "crashed": "[yellow]crash[/]",
    }
    for r in results:
        numbers = [number(r.metrics.get(name)) for name in COLUMNS]
        variant = (escape(r.variant),) if variants else ()
        table.add_row(escape(r.name), str(r.seed), *variant, marks[r.outcome], *numbers)
    return table


def _axes(results: Sequence[Result]) -> Table:
    table = Table(title="Flights as expected")
    for title in ("axis", "value", "flights", "passed", "share and interval"):
        table.add_column(title, justify="left" if title in ("axis", "value") else "right")
    for row in by_axis(results):
        counts = (str(row.flights), str(row.passed), with_error(row.success))
        table.add_row(escape(row.axis), escape(row.value), *counts)
    return table


def print_json(folder: Path) -> None:
    """Print the file of results."""
    print((folder / RESULTS).read_text(encoding="utf-8"), end="")


def print_list(scenarios: Sequence[Scenario], as_json: bool) -> None:
    """Print name, duration and purpose of each scenario."""
    if as_json:
        rows = [{"name": s.name, "duration_s": s.duration_s, "why": s.why} for s in scenarios]
        print(json.dumps(rows, indent=2))
        return
    table = Table("scenario", "seconds", "why")
    for s in scenarios:
        table.add_row(escape(s.name), f"{s.duration_s:g}", escape(s.why))
    print_table(table)


def print_script(scenario: Scenario) -> None:
    """Print a scenario as YAML."""
    print(yaml.safe_dump(scenario.model_dump(mode="json"), sort_keys=False), end="")


def with_error(interval: Interval | None) -> str:
    """Format an estimate and its interval.

    "No spread": one flight, or the same value in all, which tells nothing about the error.
    """
    if interval is None:
        return "–"
    digits = 3 if max(abs(interval.low), abs(interval.high)) <= 1.0 else 1
    if interval.low == interval.high:
        return f"{interval.value:.{digits}f} (no spread)"
    if interval.high - interval.low < 0.002:
        digits = 4
    value, low, high = (f"{v:.{digits}f}" for v in (interval.value, interval.low, interval.high))
    return f"{value} ({low} to {high})"


def number(value: float | None) -> str:
    """Format a number for a table."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return str(value)
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
