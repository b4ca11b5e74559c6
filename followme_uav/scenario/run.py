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
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.perception.network_files import check_network, sha256
from followme_uav.scenario.execution.flight import Job
from followme_uav.scenario.execution.results import Result, write_results
from followme_uav.scenario.execution.runner import OnResult, run_jobs
from followme_uav.scenario.report.report import require_packages, write_report
from followme_uav.scenario.report.tables import print_json, print_results
from followme_uav.scenario.script.script import Scenario
from followme_uav.terminal import make_console


@dataclass(frozen=True)
class ScenarioRun:
    """Settings of a run, and the folder of its results.

    Example:
        >>> from pathlib import Path
        >>> from followme_uav import ScenarioRun
        >>> ScenarioRun(Path("runs/mine"), pilot="my_pilot.py:MyPilot", workers=2).keep_logs
        True
    """

    folder: Path
    """For results, logs and report; a run in it is resumed."""
    pilot: str = "network"
    """A name as for `--pilot`."""
    weights: Path = DEFAULT_WEIGHTS
    """Of the network: a weights file, or an ONNX network with its description."""
    config: Path | None = None
    """File with changes to `configs/default.yaml`."""
    overrides: tuple[str, ...] = ()
    workers: int = 1
    """Flights at a time."""
    keep_logs: bool = True
    report: bool = False
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
        check_network(run.weights)
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


def run_scenarios(
    scenarios: Sequence[Scenario],
    run: ScenarioRun,
    seeds: Sequence[int] | None = None,
    on_result: OnResult = lambda result, was_there: None,
) -> list[Result]:
    """Fly scenarios, each flight in a process of its own, and write results and report.

    A program that calls this needs `if __name__ == "__main__":`, because the processes import it.

    Args:
        scenarios: The scenarios.
        run: Folder, pilot, network and other settings.
        seeds: Replace those of the scenarios.
        on_result: Called with each result, and whether the flight was finished before this run.

    Returns:
        Results in the order of the scenarios, with `success`, `reason`, `metrics` and `log`.

    Raises:
        ConfigError: A scenario contradicts the configuration, or there is no such pilot.
        PilotError: The code of the pilot cannot be imported.
        WeightsError: The network cannot be used.
        EnvironmentSetupError: A package for the report is missing.
        InUseError: Another run writes to the folder.
        OutputError: The folder cannot be written.

    Example:
        >>> from pathlib import Path
        >>> from followme_uav import Scenario, ScenarioRun, run_scenarios
        >>> short = Scenario.model_validate({
        ...     "name": "short", "why": "Two seconds are enough for an example.", "duration_s": 2,
        ...     "seeds": [8], "expect": {"collisions": 0},
        ... })
        >>> [result] = run_scenarios([short], ScenarioRun(Path("run"), pilot="oracle"))
        >>> result.success, result.reason
        (True, 'as expected')
    """
    jobs = jobs_of(scenarios, seeds, run)
    if run.report:
        require_packages("the report")
    results = _fly(jobs, run, on_result)
    if run.report:
        with sole_folder(run.folder):
            make_report(run.folder, results, run.workers)
    return results


def _fly(jobs: Sequence[Job], run: ScenarioRun, on_result: OnResult) -> list[Result]:
    """Fly the jobs of a run and write their results."""
    with sole_folder(run.folder):
        results = run_jobs(jobs, run.workers, on_result)
        on_true_masks = pilot_kind(run.pilot).on_true_masks
        about = {
            "pilot": run.pilot,
            "weights_sha256": "" if on_true_masks else sha256(run.weights),
            "overrides": list(run.overrides),
        }
        write_results(run.folder, results, about)
    return results


def fly_scenarios(
    scenarios: Sequence[Scenario], seeds: Sequence[int] | None, run: ScenarioRun, as_json: bool
) -> bool:
    """Run scenarios with a progress bar, and print a table; raises as `run_scenarios`.

    Returns:
        Whether all flights went as expected.
    """
    jobs = jobs_of(scenarios, seeds, run)
    if run.report:
        require_packages("the report (left out with --no-report)")
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

        results = _fly(jobs, run, show)
    if run.report:
        with sole_folder(run.folder):
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
