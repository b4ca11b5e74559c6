"""`followme-uav scenario ...`: fly scripts, show and compare their results."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from followme_uav.commands.options import (
    Json,
    Pilot,
    Weights,
    free_name,
    seed_range,
    with_option_groups,
)
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.resources import find

if TYPE_CHECKING:
    from followme_uav.scenario.run import ScenarioRun

app = typer.Typer(help="Scripted flights that test how well the pilot flies.", no_args_is_help=True)

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="[PATH]...", help="Scripts, folders of scripts, or names; default: all that exist"
    ),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Flights at a time.", show_default="processors")
]


@dataclass(frozen=True)
class RunOptions:
    """The options of commands that fly scenarios."""

    workers: Workers = None
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for results, report and logs; a run in it is resumed."),
    ] = None
    overrides: Annotated[
        list[str],
        typer.Option("--set", metavar="KEY=VALUE", help="Override one key of the configuration."),
    ] = field(default_factory=list)
    config: Annotated[
        Path | None, typer.Option(help="YAML file with changes to configs/default.yaml.")
    ] = None
    pilot: Pilot = "network"
    weights: Weights = DEFAULT_WEIGHTS

    def run(self, *, keep_logs: bool = False, report: bool = False) -> ScenarioRun:
        """Return the settings of the run; the folder has a name of its own without --out."""
        from followme_uav.scenario.run import ScenarioRun

        pilot = self.pilot.rpartition(":")[2]
        default = Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{pilot}"
        return ScenarioRun(
            folder=self.out or free_name(default),
            pilot=self.pilot,
            weights=self.weights,
            config=self.config,
            overrides=tuple(self.overrides),
            workers=self.workers or os.cpu_count() or 1,
            keep_logs=keep_logs,
            report=report and keep_logs,
        )


@dataclass(frozen=True)
class OutputOptions:
    """The options for what a run writes and prints."""

    keep_logs: Annotated[
        bool, typer.Option("--logs/--no-logs", help="Keep the log of each flight.")
    ] = True
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Draw each flight and write report.html.")
    ] = True
    as_json: Json = False


@app.command()
@with_option_groups
def run(
    paths: Paths = [],  # noqa: B006 - typer copies it
    seeds: Annotated[
        str | None,
        typer.Option(metavar="A:B", help="Fly the seeds A to B-1 instead of the scripts' own."),
    ] = None,
    *,
    options: RunOptions,
    output: OutputOptions,
) -> None:
    """Fly scenarios; exit code 1 if a flight does not go as expected."""
    from followme_uav.scenario.run import fly_scenarios
    from followme_uav.scenario.script.script import read_scenarios

    scenarios = read_scenarios([Path(path) for path in paths])
    settings = options.run(keep_logs=output.keep_logs, report=output.report)
    chosen = None if seeds is None else tuple(seed_range(seeds))
    passed = fly_scenarios(scenarios, chosen, settings, output.as_json)
    raise typer.Exit(0 if passed else 1)


@app.command("list")
def list_scenarios(
    paths: Paths = [],  # noqa: B006 - typer copies it
    as_json: Json = False,
) -> None:
    """List the scripts, and what each of them tests."""
    from followme_uav.scenario.report.tables import print_list
    from followme_uav.scenario.script.script import read_scenarios

    print_list(read_scenarios([Path(path) for path in paths]), as_json)


@app.command()
def show(
    path: Annotated[str, typer.Argument(help="A script, or the name of one.")],
) -> None:
    """Print a script with all defaults filled in."""
    from followme_uav.scenario.report.tables import print_script
    from followme_uav.scenario.script.script import read_scenarios

    for scenario in read_scenarios([Path(path)]):
        print_script(scenario)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a run.")],
    workers: Workers = None,
) -> None:
    """Write the report.html of a run again, and draw missing pictures."""
    from followme_uav.files import sole_folder
    from followme_uav.scenario.execution.results import read_results
    from followme_uav.scenario.run import make_report

    results = read_results(folder)
    with sole_folder(folder):
        print(make_report(folder, results, workers or os.cpu_count() or 1))


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="Folder of a run.")],
    after: Annotated[Path, typer.Argument(help="Folder of another run of the same scenarios.")],
    as_json: Json = False,
) -> None:
    """Show what changed between two runs; exit code 1 if a flight that passed fails now."""
    from followme_uav.scenario.execution.results import read_results
    from followme_uav.scenario.report.compare import print_comparison

    passed = print_comparison(read_results(before), read_results(after), as_json)
    raise typer.Exit(0 if passed else 1)


@app.command("random")
@with_option_groups
def fly_random(
    seeds: Annotated[str, typer.Option(metavar="A:B", help="One flight for each seed A to B-1.")],
    options: RunOptions,
    output: OutputOptions,
) -> None:
    """Fly random scenarios: city, people, route, weather and faults are drawn from each seed."""
    from followme_uav.scenario.run import fly_scenarios
    from followme_uav.scenario.script.draws import draw_scenario

    scenarios = [draw_scenario(seed) for seed in seed_range(seeds)]
    settings = options.run(keep_logs=output.keep_logs, report=output.report)
    passed = fly_scenarios(scenarios, None, settings, output.as_json)
    raise typer.Exit(0 if passed else 1)


@with_option_groups
def tune(
    paths: Paths = [],  # noqa: B006 - typer copies it
    trials: Annotated[int, typer.Option(min=1, help="Number of trials.")] = 30,
    confirm: Annotated[
        str, typer.Option(metavar="A:B", help="Held-out seeds, which the search does not use.")
    ] = "401:404",
    space: Annotated[
        Path | None,
        typer.Option(help="Keys and ranges to search.", show_default="configs/tuning.yaml"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the search.")] = 0,
    *,
    options: RunOptions,
) -> None:
    """Search for better configuration values by flying scenarios; the worst flight counts."""
    from followme_uav.scenario.script.script import read_scenarios
    from followme_uav.scenario.tune import TUNED, read_space
    from followme_uav.scenario.tune import tune as search

    scenarios = read_scenarios([Path(path) for path in paths])
    settings = options.run()
    spans = read_space(space or find("tuning.yaml"))
    found = search(scenarios, trials, settings, tuple(seed_range(confirm)), spans, seed)
    print(
        f"worst flight {found.worst:.3f}; on held-out seeds {found.confirmed:.3f}, with the "
        f"former values {found.confirmed_before:.3f}; wrote {settings.folder / TUNED}"
    )
    raise typer.Exit(0 if found.is_better or not found.values else 1)
