"""A run of scenarios: its flights, table, results and report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from followme_uav.config import read_yaml
from followme_uav.files import sole_folder
from followme_uav.flight.pilots import pilot_kind
from followme_uav.perception.weights import read_weights, sha256
from followme_uav.scenario.execution.flight import Job
from followme_uav.scenario.execution.results import Result, write_results
from followme_uav.scenario.execution.runner import run_jobs
from followme_uav.scenario.report.report import require_packages, write_report
from followme_uav.scenario.report.tables import print_json, print_results
from followme_uav.scenario.script.script import Scenario
from followme_uav.terminal import make_console


@dataclass(frozen=True)
class ScenarioRun:
    """Settings of a run, and the folder of its results."""

    folder: Path
    pilot: str
    weights: Path
    config: Path | None = None
    """File with changes to `configs/default.yaml`."""
    overrides: tuple[str, ...] = ()
    workers: int = 1
    keep_logs: bool = True
    report: bool = True
    """Whether to write the report; it needs the logs."""


def jobs_of(
    scenarios: Sequence[Scenario], seeds: Sequence[int] | None, run: ScenarioRun
) -> list[Job]:
    """Return all flights of a run; `seeds` replace those of the scenarios.

    Raises:
        ConfigError: A scenario contradicts the configuration.
        WeightsError: The weights cannot be used.
    """
    if not pilot_kind(run.pilot).on_true_masks:
        read_weights(run.weights)
    changes = {} if run.config is None else read_yaml(run.config)
    # Share the processors among the flights at a time: more threads would slow each other down.
    at_once = min(run.workers, sum(len(seeds or scenario.seeds) for scenario in scenarios))
    threads = max(1, (os.cpu_count() or 1) // max(at_once, 1))
    own = [f"perception.threads={threads}"]
    return [
        Job(
            scenario=scenario,
            seed=seed,
            config=scenario.config(changes, [*own, *run.overrides]),
            pilot=run.pilot,
            weights=run.weights.resolve(),
            folder=run.folder.resolve(),
            keep_log=run.keep_logs,
        )
        for scenario in scenarios
        for seed in seeds or scenario.seeds
    ]


def fly_scenarios(
    scenarios: Sequence[Scenario], seeds: Sequence[int] | None, run: ScenarioRun, as_json: bool
) -> bool:
    """Fly, print a table, and write results and report.

    Returns:
        Whether all flights went as expected.

    Raises:
        EnvironmentSetupError: A package for the report is missing.
        InUseError: Another run writes to the folder.
        OutputError: The folder cannot be written.
    """
    jobs = jobs_of(scenarios, seeds, run)
    if run.report:
        require_packages("the report (left out with --no-report)")
    with sole_folder(run.folder):
        return _fly_and_report(jobs, run, as_json)


def _fly_and_report(jobs: Sequence[Job], run: ScenarioRun, as_json: bool) -> bool:
    console = make_console(stderr=True)
    with _progress(console) as progress:
        task = progress.add_task("flying", total=len(jobs))

        def show(result: Result, was_there: bool) -> None:
            progress.advance(task)
            mark = "[green]passed[/]" if result.success else "[bold red]failed[/]"
            when = "before" if was_there else f"{result.wall_s:5.1f} s"
            flight = f"{escape(result.name)} seed {result.seed} ({when})"
            progress.console.print(
                f"{mark} {flight}: {escape(result.reason)}",
                highlight=False,
                soft_wrap=True,
            )

        results = run_jobs(jobs, run.workers, show)
    about = {
        "pilot": run.pilot,
        "weights_sha256": "" if pilot_kind(run.pilot).on_true_masks else sha256(run.weights),
        "overrides": list(run.overrides),
    }
    write_results(run.folder, results, about)
    if run.report:
        make_report(run.folder, results, run.workers)
    if as_json:
        print_json(run.folder)
    else:
        print_results(results)
        console.print(f"wrote {run.folder}", highlight=False, markup=False, soft_wrap=True)
    return all(result.success for result in results)


def make_report(folder: Path, results: Sequence[Result], workers: int) -> Path:
    """Write the report of a run, with a progress bar."""
    with _progress(make_console(stderr=True)) as progress:
        task = progress.add_task("drawing", total=None)
        return write_report(
            folder, results, workers, lambda n, of: progress.update(task, completed=n, total=of)
        )


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
