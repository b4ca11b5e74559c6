"""What batch size, epochs, steps per epoch and learning rate do: the `experiment` command.

Repeats section 3 of the report that the project started from: a network learns from whole frames
drawn at random, one setting changes, the others stay as in `configs/experiments/report.yaml`, and
all is done with several seeds.

Frames are drawn at random and the learning rate is constant, so an epoch is a count of steps and
nothing else. One run therefore serves all values of `epochs` and of `steps-per-epoch`: it is judged
whenever it has made as many steps as one of the values asks for.

Every judgement is a file of its own, named after all that determines it, in one folder for all
experiments: one that was interrupted, or has got more values or seeds, makes only what is missing,
and nobody trains again for a value that another experiment has tried.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from followme_uav.config import CONFIG_DIR
from followme_uav.errors import ConfigError, DataError
from followme_uav.extras import require
from followme_uav.files import make_folder, write_json
from followme_uav.learn.data.dataset import LabelledFrames
from followme_uav.learn.evaluation.evaluate import PreparedSet, prepare, score_sets, selection_score
from followme_uav.learn.experiments import experiment_figures
from followme_uav.learn.training import model_card as card
from followme_uav.learn.training.config import LossConfig, TrainingConfig, load_training_config
from followme_uav.learn.training.sampler import CropSampler
from followme_uav.learn.training.train import (
    Training,
    batches,
    check_architecture,
    loss_of,
    read_frames,
)
from followme_uav.messages import MaskClass
from followme_uav.perception.segmenter import tensorflow
from followme_uav.terminal import make_console, print_table

DEFAULT_CONFIG = CONFIG_DIR / "experiments" / "report.yaml"

Name = Literal["batch-size", "epochs", "steps-per-epoch", "learning-rate"]
VALUES: dict[str, tuple[float, ...]] = {
    "batch-size": (5, 10, 20, 40),
    "epochs": (1, 2, 3, 5, 7, 10),
    "steps-per-epoch": (20, 40, 80, 160),
    "learning-rate": (0.0001, 0.001, 0.01, 0.1),
}
"""Experiments and the values that they try."""
MEASURES = ("training_loss", "validation_loss", "hero_iou", "score")


@dataclass(frozen=True)
class Mark:
    """A moment of a run at which it is judged."""

    value: float
    """Of the setting that the experiment changes."""
    steps: int
    """Made by then."""
    last_epoch_steps: int
    """The training loss is the mean over so many last steps."""


@dataclass(frozen=True)
class Run:
    """One training from scratch."""

    config: TrainingConfig
    """With the run's own seed; its epochs don't count, the last mark does."""
    marks: tuple[Mark, ...]
    """In the order of their steps."""

    @property
    def steps(self) -> int:
        """Of the whole run."""
        return self.marks[-1].steps

    @property
    def frames(self) -> int:
        """That the run learns from, repeated ones included: what its duration depends on."""
        return self.steps * self.config.batch_size


@dataclass(frozen=True)
class Outcome:
    """What a run came to at a mark; None where the training had broken down."""

    seed: int
    value: float
    training_loss: float | None
    """Mean over the batches of the last epoch, while learning from them."""
    validation_loss: float | None
    """Mean over all validation frames."""
    hero_iou: float | None
    """Mean over the validation frames with the hero there."""
    score: float | None
    """That weights are chosen by, see `evaluate.selection_score`."""


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
    """Makes the runs of an experiment that are not there yet, then tables and figure of all.

    Args:
        name: One of `VALUES`.
        data: Folders with training frames.
        validation: Folders with validation frames.
        out: Results go into its subfolder `name`, those of each run into `runs`.
        values: Of the setting; the experiment's own when empty.
        seeds: Repetitions.
        network: One of `models.ARCHITECTURES` instead of the configuration's.
        config_path: Settings that stay as they are.
        skip_incomplete: Leave images without a mask, and masks without an image, out.

    Returns:
        The file with the results.

    Raises:
        ConfigError: Unknown experiment or network, values or configuration that cannot be used.
        DataError: A data folder cannot be used.
        OutputError: `out` cannot be written.
        EnvironmentSetupError: Matplotlib is missing.
    """
    require("matplotlib", "report", "experiment")
    config = load_training_config(config_path)
    if network is not None:
        config = config.model_copy(update={"architecture": network})
    check_architecture(config.architecture, "--network" if network else str(config_path))
    if config.schedule != "constant":
        raise ConfigError(f"{config_path}: schedule: experiments need 'constant'")
    runs = plan(name, config, values, seeds)
    folder = out / name
    make_folder(folder)
    make_folder(out / "runs")
    console = make_console()
    frames, held_out = read_frames(data, validation, console, skip_incomplete)
    judged = [prepare(s) for s in held_out]
    content = [f"{s.name} {s.content_hash}" for s in held_out]

    def file_of(run: Run, mark: Mark) -> Path:
        return out / "runs" / _file_name(run.config, mark, frames, content)

    missing = [
        replace(run, marks=marks)
        for run in runs
        if (marks := tuple(m for m in run.marks if not file_of(run, m).exists()))
    ]
    console.print(f"{name}: runs {len(runs)}, of these done before {len(runs) - len(missing)}")
    with _progress(console, not missing) as progress:
        task = progress.add_task("training", total=sum(run.frames for run in missing))
        for number, run in enumerate(missing, 1):
            progress.update(task, description=f"run {number} of {len(missing)}")
            outcomes = make(run, frames, judged, lambda n: progress.advance(task, n))
            for mark, outcome in zip(run.marks, outcomes, strict=True):
                _write(file_of(run, mark), outcome)

    outcomes = [_read(file_of(run, mark), mark.value) for run in runs for mark in run.marks]
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
    _print(results, console)
    console.print(f"wrote {folder / 'results.json'} and {folder / f'{name}.png'}", soft_wrap=True)
    return folder / "results.json"


def plan(name: str, config: TrainingConfig, values: Sequence[float], seeds: int) -> list[Run]:
    """The runs of an experiment.

    Args:
        name: One of `VALUES`.
        config: Settings that stay as they are; its seed is the first repetition's.
        values: Of the setting; the experiment's own when empty.
        seeds: Repetitions.

    Raises:
        ConfigError: Unknown experiment, or a value that the setting cannot have.
    """
    if name not in VALUES:
        raise ConfigError(f"experiment {name}: unknown; choose from {', '.join(VALUES)}")
    values = sorted(set(values or VALUES[name]))
    for value in values:
        whole = name == "learning-rate" or value == int(value)
        if not (math.isfinite(value) and value > 0 and whole):
            kind = "a number" if name == "learning-rate" else "a whole number"
            raise ConfigError(f"--values {value:g}: {name} must be {kind} above 0")
    runs = []
    for seed in range(config.seed, config.seed + seeds):
        own = config.model_copy(update={"seed": seed})
        epochs, steps = own.epochs, own.steps_per_epoch
        if name == "epochs":
            runs.append(Run(own, tuple(Mark(v, int(v) * steps, steps) for v in values)))
        elif name == "steps-per-epoch":
            runs.append(Run(own, tuple(Mark(v, epochs * int(v), int(v)) for v in values)))
        else:
            key = name.replace("-", "_")
            for v in values:
                changed = own.model_copy(update={key: v if key == "learning_rate" else int(v)})
                runs.append(Run(changed, (Mark(v, epochs * steps, steps),)))
    return runs


def make(
    run: Run,
    frames: Sequence[LabelledFrames],
    held_out: Sequence[PreparedSet],
    advance: Callable[[int], object],
) -> list[Outcome]:
    """Trains a network from scratch and judges it at each mark.

    Args:
        run: What to do.
        frames: To learn from.
        held_out: To judge by.
        advance: Told how many more frames were learnt from.
    """
    config = run.config.model_copy(update={"epochs": 1, "steps_per_epoch": run.steps})
    training = Training(config, None)
    judge = _judge_function(training.averaged, config.loss)
    sampler = CropSampler(frames, config.sampling, config.augment, config.batch_size, config.seed)
    losses: list[float] = []
    marks = {mark.steps: mark for mark in run.marks}
    outcomes: list[Outcome] = []
    for step, batch in enumerate(batches(sampler, config, 0, ())):
        losses.append(training.step(batch, step))
        if not math.isfinite(losses[-1]):
            advance((run.steps - step) * config.batch_size)
            lost = run.marks[len(outcomes) :]
            return outcomes + [Outcome(config.seed, m.value, None, None, None, None) for m in lost]
        advance(config.batch_size)
        mark = marks.get(step + 1)
        if mark is not None:
            loss = float(np.mean(losses[-mark.last_epoch_steps :]))
            outcomes.append(_judged(config.seed, mark.value, loss, judge, held_out))
    return outcomes


def summarise(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """For each value, mean, smallest and largest of each measure over the seeds.

    A run that broke down counts in `broken` and nowhere else.
    """
    rows: list[dict[str, Any]] = []
    for value in sorted({outcome.value for outcome in outcomes}):
        own = [outcome for outcome in outcomes if outcome.value == value]
        row: dict[str, Any] = {
            "value": value,
            "seeds": len(own),
            "broken": sum(outcome.training_loss is None for outcome in own),
        }
        for measure in MEASURES:
            numbers = [n for o in own if (n := getattr(o, measure)) is not None]
            row[measure] = (
                {"mean": float(np.mean(numbers)), "min": min(numbers), "max": max(numbers)}
                if numbers
                else None
            )
        rows.append(row)
    return rows


def _judged(
    seed: int, value: float, loss: float, judge: Any, held_out: Sequence[PreparedSet]
) -> Outcome:
    """The network as it is now; `judge` gives a batch's loss and byte probabilities."""
    total, results = 0.0, []
    for s in held_out:
        truth = _labels(s)
        done = 0

        def infer(images: NDArray[np.uint8], truth: NDArray[np.uint8] = truth) -> Any:
            nonlocal total, done  # sets are looked through in order, batch after batch
            batch_loss, probabilities = judge(images, truth[done : done + len(images)])
            total += float(batch_loss) * len(images)
            done += len(images)
            return probabilities

        results += score_sets(infer, [s])
    hero_frames = sum(r.hero_frames for r in results)
    validation_loss = total / sum(len(s.images) for s in held_out)
    return Outcome(
        seed=seed,
        value=value,
        training_loss=loss,
        validation_loss=validation_loss if math.isfinite(validation_loss) else None,
        hero_iou=sum(r.hero_iou * r.hero_frames for r in results) / max(1, hero_frames),
        score=selection_score(held_out, results),
    )


def _labels(s: PreparedSet) -> NDArray[np.uint8]:
    """(frames, 160, 160) class index, as in training: background where resizing left no class."""
    labels = np.full(s.truth.shape[:3], MaskClass.BACKGROUND, np.uint8)
    for c in (MaskClass.PEOPLE, MaskClass.HERO):
        labels[s.truth[..., c]] = c
    return labels


def _judge_function(model: Any, loss_config: LossConfig) -> Any:
    tf = tensorflow()

    @tf.function
    def judge(images: Any, labels: Any) -> Any:
        p = model(tf.cast(images, tf.float32) / 127.5 - 1.0, training=False)
        return loss_of(p, labels, loss_config), tf.cast(tf.round(p * 255.0), tf.uint8)

    return judge


def _file_name(
    config: TrainingConfig, mark: Mark, frames: Sequence[LabelledFrames], held_out: Sequence[str]
) -> str:
    """Tells a judgement from all others: by configuration, steps and data."""
    config = config.model_copy(update={"epochs": 1, "steps_per_epoch": mark.steps})
    parts = [card.fingerprint(config, frames, None), *held_out, str(mark.last_epoch_steps)]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return (
        f"{config.architecture}-batch{config.batch_size}-rate{config.learning_rate:g}"
        f"-steps{mark.steps}-seed{config.seed}-{digest[:8]}.json"
    )


def _write(file: Path, outcome: Outcome) -> None:
    content = asdict(outcome)
    del content["value"]  # in another experiment the same outcome belongs to another value
    write_json(file, content)


def _read(file: Path, value: float) -> Outcome:
    try:
        return Outcome(value=value, **json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"{file}: damaged result of a run ({error}); remove it to run it again"
        ) from error


def _progress(console: Console, nothing_to_do: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=nothing_to_do,
    )


def _print(results: dict[str, Any], console: Console) -> None:
    name = results["experiment"]
    table = Table(title=f"{name}: mean over the seeds, smallest..largest", show_lines=True)
    for column in (name, *(measure.replace("_", " ") for measure in MEASURES)):
        table.add_column(column, justify="right")
    for row in results["values"]:
        cells = [
            "-" if s is None else f"{s['mean']:.3g}\n{s['min']:.3g}..{s['max']:.3g}"
            for s in (row[measure] for measure in MEASURES)
        ]
        table.add_row(f"{row['value']:g}", *cells)
    print_table(table, console)
