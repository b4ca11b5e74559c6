"""Effect of batch size, epochs, steps per epoch and learning rate: the `experiment` command.

Repeats section 3 of the report that the project started from: a network is trained on whole frames
drawn at random. One setting changes, the others stay as in `configs/experiments/report.yaml`, and
every training is repeated with several seeds.

Frames are drawn at random and the learning rate is constant, so an epoch is only a number of steps.
One training therefore serves all values of `epochs` and of `steps-per-epoch`: it is evaluated after
as many steps as each value asks for.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from followme_uav.errors import ConfigError
from followme_uav.extras import require
from followme_uav.files import make_folder, write_json
from followme_uav.learn.data.dataset import LabelledFrames
from followme_uav.learn.evaluation.prepared import prepare
from followme_uav.learn.experiments import experiment_figures, runs
from followme_uav.learn.experiments.outcome_files import OutcomeFiles
from followme_uav.learn.experiments.plan import TrainingRun, plan
from followme_uav.learn.experiments.results import print_experiment, summarise
from followme_uav.learn.training.config import (
    TrainingConfig,
    check_architecture,
    load_training_config,
)
from followme_uav.learn.training.frames import read_frames
from followme_uav.resources import shipped
from followme_uav.terminal import make_console

logger = logging.getLogger(__name__)

DEFAULT_CONFIG = shipped("experiments/report.yaml")


def experiment(
    name: str,
    data: Sequence[Path],
    validation: Sequence[Path],
    out: Path,
    values: Sequence[float] = (),
    seeds: int = 3,
    network: str | None = None,
    config_path: Path = DEFAULT_CONFIG,
    skip_incomplete: bool = False,
) -> Path:
    """Train the runs that have no outcome yet, then write tables and figure of all runs.

    Args:
        name: one of `plan.VALUES`.
        data: folders with training frames.
        validation: folders with validation frames.
        out: the results go into its subfolder `name`, the outcomes of the runs into `runs`.
        values: of the setting that changes; the experiment's default values when empty.
        seeds: number of repetitions.
        network: one of `models.ARCHITECTURES`, in place of the configured one.
        config_path: settings that stay the same.
        skip_incomplete: leave out images without a mask and masks without an image.

    Returns:
        The file with the results.

    Raises:
        ConfigError: Experiment or network is unknown, or values or configuration cannot be used.
        DataError: A data folder cannot be used.
        OutputError: `out` cannot be written.
        EnvironmentSetupError: Matplotlib is missing.
    """
    require("matplotlib", "report", "experiment")
    config = _read_config(config_path, network)
    planned = plan(name, config, values, seeds)
    folder = out / name
    make_folder(folder)
    make_folder(out / "runs")
    console = make_console(markup=False)
    frames, held_out = read_frames(data, validation, console, skip_incomplete)
    files = OutcomeFiles(out / "runs", frames, held_out)
    _train_missing(name, planned, files, frames, held_out, console)

    outcomes = [files.read(run.config, point) for run in planned for point in run.points]
    results = {
        "experiment": name,
        "config": config.model_dump(mode="json"),
        "training_data": {s.name: len(s) for s in frames},
        "validation_data": {s.name: len(s) for s in held_out},
        "values": summarise(outcomes),
        "outcomes": [asdict(outcome) for outcome in outcomes],
    }
    write_json(folder / "results.json", results)
    experiment_figures.draw(results, folder / f"{name}.png")
    print_experiment(results, console)
    console.print(f"wrote {folder / 'results.json'} and {folder / f'{name}.png'}", soft_wrap=True)
    return folder / "results.json"


def _read_config(path: Path, network: str | None) -> TrainingConfig:
    config = load_training_config(path)
    if network is not None:
        config = config.model_copy(update={"architecture": network})
    check_architecture(config, "--network" if network else str(path))
    if config.schedule != "constant":
        raise ConfigError(f"{path}: schedule: experiments need 'constant'")
    return config


def _train_missing(
    name: str,
    planned: Sequence[TrainingRun],
    files: OutcomeFiles,
    frames: Sequence[LabelledFrames],
    held_out: Sequence[LabelledFrames],
    console: Console,
) -> None:
    """Execute the runs with a point that has no outcome file, and write their outcomes."""
    side_px = planned[0].config.side_px  # of every run: an experiment trains one network
    prepared = [prepare(s, (side_px, side_px)) for s in held_out]
    missing = [
        replace(run, points=points)
        for run in planned
        if (points := tuple(p for p in run.points if not files.path(run.config, p).exists()))
    ]
    console.print(
        f"{name}: runs {len(planned)}, of these done before {len(planned) - len(missing)}"
    )
    with _progress_bar(console, not missing) as progress:
        task = progress.add_task("training", total=sum(run.frames for run in missing))
        for number, run in enumerate(missing, 1):
            progress.update(task, description=f"run {number} of {len(missing)}")
            outcomes = runs.execute(run, frames, prepared, lambda n: progress.advance(task, n))
            for point, outcome in zip(run.points, outcomes, strict=True):
                files.write(run.config, point, outcome)
            logger.info("Run %d of %d has ended.", number, len(missing))


def _progress_bar(console: Console, nothing_to_do: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=nothing_to_do,
    )
