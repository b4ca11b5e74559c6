"""`followme-uav scenario ...`: fly scripts, show and compare their results."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from followme_uav.commands.options import (
    Json,
    Pilot,
    Vehicle,
    Weights,
    free_name,
    seed_range,
    with_option_groups,
)
from followme_uav.commands.watching import WebOption
from followme_uav.errors import ConfigError
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.resources import find

if TYPE_CHECKING:
    from followme_uav.scenario.run import CampaignRun
    from followme_uav.scenario.script.plan import Campaign
    from followme_uav.scenario.script.script import Scenario

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


CameraOption = Annotated[
    Literal["given", "drawn"],
    typer.Option(help="Camera of the configuration, or one that is drawn for each flight."),
]
LogChoice = Annotated[
    Literal["all", "failures", "none"] | None, typer.Option(help="Flights whose logs are kept.")
]


_MOST_DIGITS = 40
"""Of K/N: `int` raises for thousands of digits."""
MAX_LIMIT_S = 1e6
"""More than the longest flight needs without the option."""


def limit_checked(given: float | None) -> float | None:
    """Return the limit of a flight; raises `ConfigError` where no timer could wait for it."""
    if given is not None and not given <= MAX_LIMIT_S:
        raise ConfigError(f"--flight-limit {given:g}: at most {MAX_LIMIT_S:g} s; or leave it out")
    return given


@dataclass(frozen=True)
class RunOptions:
    """The options of all commands that fly many flights."""

    workers: Workers = None
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for results, report and logs; a run in it is resumed."),
    ] = None
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="auto|HOST:PORT", help="Fly on a Ray cluster instead of on this machine."
        ),
    ] = None
    retries: Annotated[
        int, typer.Option(min=0, help="Repetitions of a flight after a crash of the machine.")
    ] = 2
    limit_s: Annotated[
        float | None,
        typer.Option(
            "--flight-limit",
            min=1.0,
            callback=limit_checked,
            help="Seconds of wall-clock time for one flight.",
            show_default="120 + 10 for each second of flight",
        ),
    ] = None

    def run(self, name: str, **settings: Any) -> CampaignRun:
        """Return the settings of the run; the folder has a name of its own without --out."""
        from followme_uav.scenario.run import CampaignRun

        default = Path("runs") / f"{time.strftime('%Y%m%d-%H%M%S')}-{name}"
        return CampaignRun(
            folder=self.out or free_name(default),
            workers=self.workers or os.cpu_count() or 1,
            ray=self.ray,
            retries=self.retries,
            limit_s=self.limit_s,
            **settings,
        )


@dataclass(frozen=True)
class PilotOptions:
    """The options that a plan has in its file."""

    overrides: Annotated[
        list[str],
        typer.Option("--set", metavar="KEY=VALUE", help="Override one key of the configuration."),
    ] = field(default_factory=list)
    config: Annotated[
        Path | None, typer.Option(help="YAML file with changes to configs/default.yaml.")
    ] = None
    pilot: Pilot = "network"
    weights: Weights = DEFAULT_WEIGHTS
    vehicle: Vehicle = None
    camera: CameraOption = "given"
    world: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Place to fly in: a generator, or a world file.",
            show_default="grid, or as in the scripts",
        ),
    ] = None

    def campaign(
        self,
        scenarios: Sequence[Scenario],
        seeds: Sequence[int] | None = None,
        random_seeds: Sequence[int] = (),
    ) -> Campaign:
        """Return the plan of a run with one variant."""
        from followme_uav.scenario.script.plan import Variant, one_variant
        from followme_uav.scenario.script.vehicle_draws import chosen_vehicle
        from followme_uav.sim.places import check_place, place_file

        world: dict[str, Any] = {}
        if self.vehicle is not None:
            world["vehicle"] = chosen_vehicle(self.vehicle)
        if self.world is not None:
            check_place(self.world)
            file = place_file(self.world)
            world["place"] = self.world if file is None else str(file.resolve())
        variant = Variant(
            pilot=self.pilot,
            weights=self.weights,
            overrides=tuple(self.overrides),
            camera=self.camera,
            world=world,
        )
        return one_variant(
            scenarios, variant, seeds=seeds, random_seeds=random_seeds, config=self.config
        )


@dataclass(frozen=True)
class OutputOptions:
    """The options for the part that is flown, and for its output."""

    logs: LogChoice = None
    report: Annotated[
        bool, typer.Option("--report/--no-report", help="Draw flights and write report.html.")
    ] = True
    as_json: Json = False
    shard: Annotated[
        str, typer.Option(metavar="K/N", help="Fly the part K of N parts of the flights.")
    ] = "1/1"
    until: Annotated[
        str | None,
        typer.Option(
            metavar="half-width=SHARE",
            help="Stop when the interval of the flights as expected is as narrow.",
        ),
    ] = None

    web: WebOption = False
    web_port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Port of the page; implies --web.", show_default="any free port"
        ),
    ] = None

    def settings(self, logs: Literal["all", "failures", "none"]) -> dict[str, Any]:
        """Return the settings of a run; `logs` is the default of the command."""
        shard, half_width = shard_of(self.shard), half_width_of(self.until)
        if half_width is not None and shard[1] > 1:
            raise ConfigError("--until: looks at all flights; leave --shard out")
        return {
            "logs": self.logs or logs,
            "report": self.report,
            "shard": shard,
            "half_width": half_width,
            "web_port": self.web_port or (0 if self.web else None),
        }


def flight_seeds(text: str, option: str = "--seeds") -> range:
    """Read A:B as seeds of flights; raises `ConfigError`, also for more than memory holds."""
    from followme_uav.scenario.script.plan import MAX_FLIGHTS
    from followme_uav.scenario.script.script import MAX_SEED

    seeds = seed_range(text, option)
    if seeds[-1] - seeds[0] >= MAX_FLIGHTS:  # too many for `len`, even
        raise ConfigError(f"{option}: at most {MAX_FLIGHTS} at a time; fly a part of them")
    if seeds[-1] > MAX_SEED:
        raise ConfigError(f"{option} {text}: the largest seed is {MAX_SEED}")
    return seeds


def shard_of(text: str) -> tuple[int, int]:
    """Read K/N; raises `ConfigError`."""
    number, _, count = text.partition("/")
    is_number = number.isdecimal() and count.isdecimal() and len(text) <= _MOST_DIGITS
    if not (is_number and 1 <= int(number) <= int(count)):
        raise ConfigError(f"--shard {text:.60}: write it as K/N, for example 1/4 to 4/4")
    return int(number), int(count)


def half_width_of(text: str | None) -> float | None:
    """Read half-width=SHARE; raises `ConfigError`."""
    if text is None:
        return None
    name, _, value = text.partition("=")
    try:
        share = float(value)
    except ValueError:
        share = 0.0
    if name != "half-width" or not 0.0 < share < 0.5:
        raise ConfigError(f"--until {text}: write it as half-width=0.01 (0 to 0.5)")
    return share


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
    pilot: PilotOptions,
    output: OutputOptions,
) -> None:
    """Fly scenarios; exit code 1 if a flight does not go as expected."""
    from followme_uav.scenario.run import fly_campaign
    from followme_uav.scenario.script.script import read_scenarios

    scenarios = read_scenarios([Path(path) for path in paths])
    chosen = None if seeds is None else flight_seeds(seeds)
    settings = options.run(pilot.pilot.rpartition(":")[2], **output.settings("all"))
    passed = fly_campaign(pilot.campaign(scenarios, chosen), settings, output.as_json)
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
    from followme_uav.scenario.execution.results import has_stopped_early, read_results
    from followme_uav.scenario.report.compare import print_comparison

    passed = print_comparison(
        *(read_results(before), read_results(after), as_json),
        stopped_early=has_stopped_early(before) or has_stopped_early(after),
    )
    raise typer.Exit(0 if passed else 1)


@app.command("random")
@with_option_groups
def fly_random(
    seeds: Annotated[str, typer.Option(metavar="A:B", help="One flight for each seed A to B-1.")],
    options: RunOptions,
    pilot: PilotOptions,
    output: OutputOptions,
) -> None:
    """Fly random scenarios: city, people, route, weather and faults are drawn from each seed."""
    from followme_uav.scenario.run import fly_campaign

    campaign = pilot.campaign([], random_seeds=flight_seeds(seeds))
    settings = options.run(pilot.pilot.rpartition(":")[2], **output.settings("failures"))
    passed = fly_campaign(campaign, settings, output.as_json)
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
    pilot: PilotOptions,
) -> None:
    """Search for better configuration values by flying scenarios; the worst flight counts."""
    from followme_uav.scenario.script.script import read_scenarios
    from followme_uav.scenario.tune import TUNED, read_space
    from followme_uav.scenario.tune import tune as search

    scenarios = read_scenarios([Path(path) for path in paths])
    settings = options.run("tune", logs="none", report=False)
    found = search(
        pilot.campaign(scenarios),
        trials,
        settings,
        tuple(flight_seeds(confirm, "--confirm")),
        read_space(space or find("tuning.yaml")),
        seed,
    )
    print(
        f"worst flight {found.worst:.3f}; on held-out seeds {found.confirmed:.3f}, with the "
        f"former values {found.confirmed_before:.3f}; wrote {settings.folder / TUNED}"
    )
    raise typer.Exit(0 if found.is_better or not found.values else 1)
