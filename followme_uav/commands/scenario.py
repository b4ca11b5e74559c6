"""`followme-uav scenario ...`: fly scripts, and look at what came of it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from followme_uav.commands.options import Json, Weights, free_name, seed_range
from followme_uav.perception import DEFAULT_WEIGHTS

if TYPE_CHECKING:
    from followme_uav.scenario.run import Run

app = typer.Typer(help="Scripted flights that say how well the pilot flies.", no_args_is_help=True)

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="[PATH]...", help="Scripts, folders of them, or names; default: all that come along"
    ),
]
Seeds = Annotated[
    str | None, typer.Option(metavar="A:B", help="Fly seeds A to B-1 instead of the scripts'.")
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Flights at once.", show_default="processors")
]
Out = Annotated[
    Path | None, typer.Option(help="Folder for results, report and logs; an old one is gone on.")
]
Overrides = Annotated[
    list[str], typer.Option("--set", metavar="KEY=VALUE", help="Override one key of the flight.")
]
Config = Annotated[
    Path | None, typer.Option(help="YAML file with what differs from configs/default.yaml.")
]
Who = Annotated[str, typer.Option("--pilot", help="network, oracle, original or proportional.")]

Logs = Annotated[bool, typer.Option("--logs/--no-logs", help="Keep a log of each flight.")]
Report = Annotated[
    bool, typer.Option("--report/--no-report", help="Draw each flight and write report.html.")
]


@app.command()
def run(
    paths: Paths = [],  # noqa: B006 - typer copies it
    seeds: Seeds = None,
    workers: Workers = None,
    out: Out = None,
    overrides: Overrides = [],  # noqa: B006
    config: Config = None,
    pilot: Who = "network",
    weights: Weights = DEFAULT_WEIGHTS,
    keep_logs: Logs = True,
    report: Report = True,
    as_json: Json = False,
) -> None:
    """Fly scenarios; exit code 1 when one does not go as expected."""
    from followme_uav.scenario.run import fly_scenarios
    from followme_uav.scenario.script.script import read_scenarios

    scenarios = read_scenarios([Path(path) for path in paths])
    order = _order(out, pilot, weights, config, overrides, workers, keep_logs, report)
    chosen = None if seeds is None else tuple(seed_range(seeds))
    everything_passed = fly_scenarios(scenarios, chosen, order, as_json)
    raise typer.Exit(0 if everything_passed else 1)


@app.command("list")
def list_scenarios(
    paths: Paths = [],  # noqa: B006
    as_json: Json = False,
) -> None:
    """Name the scripts, with the reason for each."""
    from followme_uav.scenario.report.tables import print_list
    from followme_uav.scenario.script.script import read_scenarios

    print_list(read_scenarios([Path(path) for path in paths]), as_json)


@app.command()
def show(
    path: Annotated[str, typer.Argument(help="A script, or the name of one.")],
) -> None:
    """Print one script with everything that it leaves to defaults filled in."""
    from followme_uav.scenario.report.tables import print_script
    from followme_uav.scenario.script.script import read_scenarios

    for scenario in read_scenarios([Path(path)]):
        print_script(scenario)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Folder of a run.")],
    workers: Workers = None,
) -> None:
    """Write a run's report.html again, drawing what is not drawn yet."""
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
    """Say what got better and worse; exit code 1 when something that passed fails now."""
    from followme_uav.scenario.execution.results import read_results
    from followme_uav.scenario.report.compare import print_comparison

    still = print_comparison(read_results(before), read_results(after), as_json)
    raise typer.Exit(0 if still else 1)


@app.command("random")
def fly_random(
    seeds: Annotated[str, typer.Option(metavar="A:B", help="One flight for each seed A to B-1.")],
    workers: Workers = None,
    out: Out = None,
    overrides: Overrides = [],  # noqa: B006
    config: Config = None,
    pilot: Who = "network",
    weights: Weights = DEFAULT_WEIGHTS,
    keep_logs: Logs = True,
    report: Report = True,
    as_json: Json = False,
) -> None:
    """Fly what nobody chose: city, people, route, weather and faults drawn from each seed."""
    from followme_uav.scenario.run import fly_scenarios
    from followme_uav.scenario.script.draws import draw_scenario

    scenarios = [draw_scenario(seed) for seed in seed_range(seeds)]
    order = _order(out, pilot, weights, config, overrides, workers, keep_logs, report)
    raise typer.Exit(0 if fly_scenarios(scenarios, None, order, as_json) else 1)


def tune(
    paths: Paths = [],  # noqa: B006
    trials: Annotated[int, typer.Option(min=1, help="How often to try.")] = 30,
    confirm: Annotated[
        str, typer.Option(metavar="A:B", help="Seeds that the search does not see.")
    ] = "401:404",
    space: Annotated[
        Path | None, typer.Option(help="What may change.", show_default="configs/tuning.yaml")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the search.")] = 0,
    workers: Workers = None,
    out: Out = None,
    overrides: Overrides = [],  # noqa: B006
    config: Config = None,
    pilot: Who = "network",
    weights: Weights = DEFAULT_WEIGHTS,
) -> None:
    """Search for better numbers by flying scenarios; the worst flight counts."""
    from followme_uav.scenario.script.script import read_scenarios
    from followme_uav.scenario.tune import SPACE, TUNED, read_space
    from followme_uav.scenario.tune import tune as search

    scenarios = read_scenarios([Path(path) for path in paths])
    order = _order(out, pilot, weights, config, overrides, workers, False, False)
    found = search(
        scenarios, trials, order, tuple(seed_range(confirm)), read_space(space or SPACE), seed
    )
    print(
        f"worst flight {found.worst:.3f}; on held-out cities {found.confirmed:.3f}, with the "
        f"numbers as they were {found.confirmed_before:.3f}; wrote {order.folder / TUNED}"
    )
    raise typer.Exit(0 if found.is_better or not found.values else 1)


def _order(
    out: Path | None,
    pilot: str,
    weights: Path,
    config: Path | None,
    overrides: list[str],
    workers: int | None,
    keep_logs: bool,
    report: bool,
) -> Run:
    from followme_uav.scenario.run import Run

    return Run(
        folder=out or free_name(Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{pilot}"),
        pilot=pilot,
        weights=weights,
        config=config,
        overrides=tuple(overrides),
        workers=workers or os.cpu_count() or 1,
        keep_logs=keep_logs,
        report=report and keep_logs,
    )
