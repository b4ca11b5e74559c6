"""A run of flights: its plan, flights, table, results and report.

The commands `scenario run`, `scenario random`, `campaign run` and `tune` differ in the origin of
their plan only.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from rich.progress import Progress as DrawingProgress

from followme_uav.config import read_yaml, safe_data
from followme_uav.errors import ConfigError, SimulatorError
from followme_uav.files import remove_file, sole_folder, write_text
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.scenario.execution.fleet import Fleet, Fly, local_fleet, threads_of
from followme_uav.scenario.execution.flight import FlightSettings, Logs, fly_job
from followme_uav.scenario.execution.jobs import Job, chosen_by, jobs_of, shard_of
from followme_uav.scenario.execution.results import (
    JUNIT,
    RESULTS,
    Result,
    has_stopped_early,
    read_results,
    write_results,
)
from followme_uav.scenario.execution.runner import (
    RETRIES,
    OnBegin,
    OnResult,
    RunSettings,
    fly_jobs,
)
from followme_uav.scenario.live.progress import Progress
from followme_uav.scenario.live.terminal import shown
from followme_uav.scenario.report.flight_table import TABLE, write_table
from followme_uav.scenario.report.report import REPORT, require_packages, write_report
from followme_uav.scenario.report.tables import print_json, print_results
from followme_uav.scenario.script.plan import (
    PLAN,
    Campaign,
    Variant,
    digest_in,
    one_variant,
    plan_digest,
    plan_of,
)
from followme_uav.scenario.script.script import Scenario
from followme_uav.terminal import make_console

if TYPE_CHECKING:
    from followme_uav.scenario.live.server import LivePage

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScenarioRun:
    """Settings of a run, and the folder of its results.

    Example:
        >>> from pathlib import Path
        >>> from followme_uav import ScenarioRun
        >>> ScenarioRun(Path("runs/mine"), pilot="my_pilot.py:MyPilot", workers=2).logs
        'all'
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
    logs: Logs = "all"
    """Flights whose logs are kept: "all", "failures" or "none"."""
    report: bool = False
    """Whether to write the report; its pictures need the logs."""
    ray: str | None = None
    """Address of a Ray cluster, or `auto`; None: processes of this machine."""

    def campaign(self, scenarios: Sequence[Scenario], seeds: Sequence[int] | None) -> Campaign:
        """Return the plan of the run."""
        variant = Variant(pilot=self.pilot, weights=self.weights, overrides=self.overrides)
        return one_variant(scenarios, variant, seeds=seeds, config=self.config)


@dataclass(frozen=True)
class CampaignRun:
    """How a plan is flown, and the folder of its results."""

    folder: Path
    workers: int = 1
    logs: Logs = "all"
    report: bool = False
    ray: str | None = None
    """Address of a Ray cluster, or `auto`; None: processes of this machine."""
    shard: tuple[int, int] = (1, 1)
    """Number of the part (from 1), and the number of parts."""
    only: str | None = None
    """Id of the only flight to fly."""
    half_width: float | None = None
    """Stop when the interval of each variant's success is as narrow as this."""
    retries: int = RETRIES
    limit_s: float | None = None
    """Wall-clock limit of a flight; None: by its flight time."""
    web_port: int | None = None
    """Port of the page that shows the run (0: any free one); None: no page."""
    fly: Fly = fly_job


def run_scenarios(
    scenarios: Sequence[Scenario],
    run: ScenarioRun,
    seeds: Sequence[int] | None = None,
    on_result: OnResult = lambda result, was_there: None,
) -> list[Result]:
    """Fly scenarios, each flight in another process, and write results and report.

    A program that calls this needs `if __name__ == "__main__":`, because the processes import it.
    A result with `crashed` says nothing about the pilot: the machine failed. A second call with the
    same folder flies these flights again.

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
        EnvironmentSetupError: A package for the report is missing, or no flight can be flown.
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
    settings = CampaignRun(run.folder, run.workers, run.logs, run.report, run.ray)
    campaign = run.campaign(scenarios, seeds)
    jobs = planned(campaign, settings)
    with sole_folder(run.folder):
        results = _fly(campaign, jobs, settings, on_result)
        write_outputs(settings, results)
    return results


def fly_campaign(campaign: Campaign, run: CampaignRun, as_json: bool = False) -> bool:
    """Fly a plan with its progress, print a table, and write results and report.

    With a page, it is served until Ctrl-C.

    Returns:
        Whether all flights went as expected.

    Raises:
        EnvironmentSetupError: A package is missing, the port of the page is in use, or no flight
            can be flown.
        InUseError: Another run writes to the folder.
        OutputError: The folder cannot be written.
        SimulatorError: Some flights crashed; all the others are written.
    """
    jobs, stops_early = planned(campaign, run), run.half_width is not None
    progress = Progress(len(jobs), stops_early=stops_early)
    with _page(progress, run) as page:
        with sole_folder(run.folder):
            with shown(progress, stops_early=stops_early) as show:
                results = _fly(campaign, jobs, run, show, progress.begin)
            progress.enter("writing")
            finish(run, results, as_json, stopped_early=stops_early)
            progress.enter("ended", has_report=run.report)
        if page is not None:
            page.serve()
    _check_crashed(results)
    return all(result.success for result in results)


def planned(campaign: Campaign, run: CampaignRun) -> list[Job]:
    """Return the flights of a run, and check what they need; raises as `jobs_of`."""
    jobs = shard_of(jobs_of(campaign), *run.shard)
    if run.only is not None:
        jobs = chosen_by(jobs, run.only)
    if run.report:
        require_packages("the report (left out with --no-report)")
    return jobs


def _fly(
    campaign: Campaign,
    jobs: Sequence[Job],
    run: CampaignRun,
    on_result: OnResult,
    on_begin: OnBegin = lambda job: None,
) -> list[Result]:
    """Fly the jobs of a run into its folder."""
    run = replace(run, workers=max(1, min(run.workers, len(jobs))))
    logger.info("%d flights, %d at a time, into %s.", len(jobs), run.workers, run.folder)
    with open_fleet(run) as fleet:
        settings = replace(settings_of(run), plan=_put_plan(campaign, run.folder))
        return fly_jobs(jobs, fleet, settings, on_result, on_begin)


def _put_plan(campaign: Campaign, folder: Path) -> str:
    """Write the plan of a run into its folder, and return its digest.

    Results of another plan are removed: an interrupted run must not be taken for them.
    """
    text = yaml.safe_dump(plan_of(campaign), sort_keys=False)
    digest = plan_digest(safe_data(text))
    if digest != digest_in(folder):
        for name in (RESULTS, JUNIT, TABLE, REPORT):
            remove_file(folder / name)
    write_text(folder / PLAN, text)
    return digest


def settings_of(run: CampaignRun) -> RunSettings:
    """Return how the runner treats the flights of a run."""
    threads = threads_of(run.workers)
    flight = FlightSettings(run.folder.resolve(), run.logs, threads=threads, limit_s=run.limit_s)
    return RunSettings(run.folder, flight, run.retries, run.half_width, run.fly)


def open_fleet(run: CampaignRun) -> AbstractContextManager[Fleet]:
    """Start the processes of a run, on this machine or on a cluster."""
    if run.ray is None:
        return local_fleet(run.workers)
    from followme_uav.scenario.execution.ray_fleet import ray_fleet

    return ray_fleet(run.ray)


def finish(
    run: CampaignRun, results: Sequence[Result], as_json: bool, *, stopped_early: bool
) -> None:
    """Write the files of a run, and print a summary; `stopped_early` as in `totals`."""
    write_outputs(run, results, stopped_early=stopped_early)
    if as_json:
        print_json(run.folder)
    else:
        print_results(results, stopped_early=stopped_early)
        make_console(stderr=True).print(
            f"wrote {run.folder}", highlight=False, markup=False, soft_wrap=True
        )


def write_outputs(
    run: CampaignRun, results: Sequence[Result], *, stopped_early: bool = False
) -> None:
    """Write the files of results, the table and the report; `stopped_early` as in `totals`."""
    write_results(run.folder, results, {}, stopped_early=stopped_early)
    if importlib.util.find_spec("pyarrow") is not None:
        write_table(run.folder, results)
    if run.report:
        make_report(run.folder, results, run.workers)


def make_report(folder: Path, results: Sequence[Result], workers: int) -> Path:
    """Write the report of a run, with a progress bar."""
    console = make_console(stderr=True)
    with DrawingProgress(console=console, transient=True) as progress:
        task = progress.add_task("drawing", total=None)
        return write_report(
            folder, results, workers, lambda n, of: progress.update(task, completed=n, total=of)
        )


def merge(out: Path, parts: Sequence[Path], *, report: bool = True) -> None:
    """Put the parts of a run together; their logs stay in their folders.

    A flight that several parts have is taken from the first in which it did not crash.

    Raises:
        ConfigError: The parts are of different plans.
        DataError: A part has no results.
        OutputError: The folder cannot be written.
    """
    plans = {yaml.safe_dump(read_yaml(part / PLAN)) for part in parts}
    if len(plans) > 1:
        raise ConfigError(f"{parts[0]}: the parts are of different plans; give parts of one run")
    results = merged_results([(part, read_results(part)) for part in parts])
    stopped_early = any(map(has_stopped_early, parts))
    with sole_folder(out):
        for name in (TABLE, REPORT):  # of an earlier run; both may be left out now
            remove_file(out / name)
        write_text(out / PLAN, plans.pop())
        run = CampaignRun(out, report=report)
        finish(run, results, as_json=False, stopped_early=stopped_early)


def merged_results(runs: Sequence[tuple[Path, Sequence[Result]]]) -> list[Result]:
    """Return the results of several parts, without repetitions; each run is folder and results."""
    merged: dict[str, Result] = {}
    for folder, results in runs:
        for result in results:
            log = None if result.log is None else str((folder / result.log).resolve())
            known = merged.get(result.id)
            if known is None or (known.crashed and not result.crashed):
                merged[result.id] = replace(result, log=log)
    return list(merged.values())


def _check_crashed(results: Sequence[Result]) -> None:
    crashed = [result for result in results if result.crashed]
    if crashed:
        raise SimulatorError(
            f"{len(crashed)} of {len(results)} flights crashed, not by the pilot (first: "
            f"{crashed[0].key}: {crashed[0].reason}); run the same command again to fly them"
        )


def _page(progress: Progress, run: CampaignRun) -> AbstractContextManager[LivePage | None]:
    """Serve the page of a run, if there is to be one."""
    if run.web_port is None:
        return nullcontext()
    from followme_uav.scenario.live.server import live_page

    return live_page(progress, run.folder, run.web_port)
