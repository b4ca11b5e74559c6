"""Tables and texts that the scenario commands print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import yaml
from rich.markup import escape
from rich.table import Table

from followme_uav.scenario.execution.results import RESULTS, Result, totals
from followme_uav.scenario.script.script import Scenario
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


def print_results(results: Sequence[Result]) -> None:
    """Print a table with a row for each flight, and the totals."""
    console = make_console()
    table = Table(title="Scenarios")
    for title in ("scenario", "seed", "", *COLUMNS.values()):
        table.add_column(title, justify="left" if title == "scenario" else "right", no_wrap=True)
    for r in results:
        mark = "[green]pass[/]" if r.success else "[bold red]FAIL[/]"
        numbers = [number(r.metrics.get(name)) for name in COLUMNS]
        table.add_row(escape(r.name), str(r.seed), mark, *numbers)
    print_table(table, console)
    for r in results:
        if not r.success:
            console.print(
                f"[bold red]{escape(r.name)} seed {r.seed}[/]: {escape(r.reason)}", highlight=False
            )
    t = totals(results)
    console.print(
        f"{t.passed} of {t.flights} flights as expected; tracked {number(t.tracked)}, in view "
        f"{number(t.in_view)} of the time after the hero was found; {t.losses} losses, found again "
        f"{number(t.reacquire_visible_s)} s (median) after being visible; another person followed "
        f"for {t.wrong_target_s:.1f} s; {t.collisions} collisions",
        highlight=False,
    )


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


def number(value: float | None) -> str:
    """Format a number for a table."""
    if value is None:
        return "–"
    if isinstance(value, int):
        return str(value)
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
