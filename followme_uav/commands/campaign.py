"""`followme-uav campaign ...`: fly a plan of many flights, and ask for its results."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer

from followme_uav.commands.options import Json, with_option_groups
from followme_uav.commands.scenario import OutputOptions, RunOptions
from followme_uav.errors import ConfigError

app = typer.Typer(help="Many flights from one plan, and questions to them.", no_args_is_help=True)

Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")]


@app.command()
@with_option_groups
def run(
    plan: Annotated[Path, typer.Argument(help="A plan (YAML), or the folder of a run with one.")],
    only: Annotated[str | None, typer.Option(metavar="ID", help="Fly this flight alone.")] = None,
    pilots: Annotated[
        list[str],
        typer.Option(
            "--pilot",
            metavar="PILOT",
            help="A pilot of the plan that is code of your own, as written there; may be repeated.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    *,
    options: RunOptions,
    output: OutputOptions,
) -> None:
    """Fly a plan; exit code 1 if a flight does not go as expected."""
    from followme_uav.scenario.report.flight_table import require_table_packages
    from followme_uav.scenario.run import fly_campaign
    from followme_uav.scenario.script.plan import read_plan

    campaign = read_plan(plan, pilots)
    require_table_packages("campaign run")
    name = plan.name if plan.is_dir() else plan.stem
    settings = options.run(name, only=only, **output.settings("failures"))
    passed = fly_campaign(campaign, settings, output.as_json)
    raise typer.Exit(0 if passed else 1)


@app.command()
def query(
    folder: Run,
    sql: Annotated[str, typer.Argument(help="A query on the table 'flights'.")],
    as_json: Json = False,
) -> None:
    """Ask for results of a run in SQL; docs/campaigns.md lists the columns."""
    from rich.markup import escape
    from rich.table import Table

    from followme_uav.scenario.execution.results import read_results
    from followme_uav.scenario.report.flight_table import query as ask
    from followme_uav.terminal import print_table

    names, rows = ask(read_results(folder), folder, sql)
    if as_json:
        plain = [dict(zip(names, map(_plain, row), strict=True)) for row in rows]
        print(json.dumps(plain, default=str, allow_nan=False))
        return
    table = Table(*map(escape, names))
    for row in rows:
        table.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    print_table(table)


def _plain(value: Any) -> Any:
    """Return a cell for JSON, which has neither NaN nor infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


@app.command()
def command(
    folder: Run,
    flight: Annotated[str, typer.Argument(help="Id of the flight, or its name.")],
) -> None:
    """Print the command that flies a flight of a run again, with a log."""
    from followme_uav.scenario.execution.results import read_results
    from followme_uav.scenario.report.flight_table import command_of

    results = read_results(folder)
    found = [r for r in results if r.key == flight or (r.id and r.id.startswith(flight))]
    if len(found) != 1:
        raise ConfigError(f"{folder}: {len(found)} flights are called '{flight}'; give its id")
    print(command_of(found[0], folder))


@app.command()
def merge(
    out: Annotated[Path, typer.Argument(help="Folder of the whole run, to be written.")],
    runs: Annotated[list[Path], typer.Argument(help="Folders of the parts (--shard).")],
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Draw flights and write report.html.")
    ] = True,
) -> None:
    """Put the parts of a run together."""
    from followme_uav.scenario.run import merge as put_together

    put_together(out, runs, report=report)
