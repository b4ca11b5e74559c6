"""Training of a segmentation network on labelled frames: the `train` command.

Each step learns from a batch of crops (`sampler`). After each epoch the running mean of the
weights is scored on whole validation frames. The weights of the best epoch, or of the last one, are
written to the weights file, and a checkpoint holds everything that a killed training needs to
resume.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from followme_uav.errors import DataError
from followme_uav.learn.data.dataset import LabelledFrames
from followme_uav.learn.evaluation.prepared import (
    Infer,
    PreparedSet,
    prepare,
    score_sets,
    selection_score,
)
from followme_uav.learn.evaluation.scores import SetScore
from followme_uav.learn.training import model_card
from followme_uav.learn.training.batches import WaitTimer, prefetched_batches
from followme_uav.learn.training.config import (
    TrainingConfig,
    check_architecture,
    load_training_config,
)
from followme_uav.learn.training.frames import read_frames
from followme_uav.learn.training.hard_examples import find_hard_examples
from followme_uav.learn.training.model_card import TrainingRecord
from followme_uav.learn.training.sampler import CropSampler
from followme_uav.learn.training.tensorboard_writer import TensorBoardWriter
from followme_uav.learn.training.trainer import Trainer, learning_rate
from followme_uav.learn.training.training_files import TrainingFiles
from followme_uav.program_log import PRINTED
from followme_uav.terminal import make_console

logger = logging.getLogger(__name__)


def train(
    config_path: Path,
    data: list[Path],
    validation: list[Path],
    out: Path,
    init: Path | None = None,
    resume: bool = False,
    logs: Path | None = None,
    skip_incomplete: bool = False,
) -> None:
    """Train a network and write its weights and model card.

    Args:
        config_path: YAML, see `configs/training`.
        data: folders with training frames.
        validation: folders with validation frames; images that are also here are not trained on.
            Without any folder, the last tenth of each training set is held out.
        out: weights file to write; model card and checkpoint are written beside it.
        init: weights to start from, of an earlier stage or of another network; layers with the
            same name and shapes are taken over.
        resume: continue from the checkpoint beside `out`, if there is one.
        logs: folder for TensorBoard logs; None takes `NAME.tensorboard` beside `out`.
        skip_incomplete: leave out images without a mask and masks without an image.

    Raises:
        ConfigError: The configuration cannot be used.
        DataError: A data folder cannot be used, the loss is not finite, or the checkpoint is
            damaged or of another training.
        OutputError: A file cannot be written.
        WeightsError: `init` cannot be read, or none of its layers fits the network.
    """
    console = make_console(markup=False)
    config = load_training_config(config_path)
    check_architecture(config, str(config_path))
    frames, held_out = read_frames(data, validation, console, skip_incomplete)
    sampler = CropSampler(
        frames, config.sampling, config.augment, config.batch_size, config.seed, config.side_px
    )
    prepared = _prepare(console, config, frames, held_out)

    trainer = Trainer(config, init)
    if init is not None:
        layers = ", ".join(trainer.layers_from_init)
        console.print(f"  begin with {layers} of {init}", soft_wrap=True)
    record = TrainingRecord(
        config, config_path.name, frames, held_out, init, trainer.layers_from_init
    )
    files = TrainingFiles(out, record, trainer)
    if resume and files.resume():
        logger.info("The training resumes after epoch %d.", trainer.epoch, extra={"topic": PRINTED})
        console.print(f"resuming after epoch {trainer.epoch} of {config.epochs}")
    board = TensorBoardWriter(logs or out.with_suffix(".tensorboard"), resume=trainer.epoch > 0)

    with closing(board), _progress_bar(console) as progress:
        task = progress.add_task(
            "training",
            total=config.epochs * config.steps_per_epoch,
            completed=trainer.epoch * config.steps_per_epoch,
        )
        infer = trainer.snapshot()
        while trainer.epoch < config.epochs:
            epoch = _train_epoch(trainer, sampler, config, infer, lambda: progress.advance(task))
            if not math.isfinite(epoch.loss):
                raise DataError(
                    f"epoch {trainer.epoch}: the loss is not finite; lower learning_rate in "
                    f"{config_path}"
                )
            infer = trainer.snapshot()
            scores = score_sets(infer, prepared)
            score = selection_score(prepared, scores)
            is_best = files.save(score, scores)
            board.write(trainer.epoch, _curves(config, trainer.epoch, epoch, score, scores))
            logger.info(
                "Epoch %d of %d: loss %.4f, %d hard examples, score %.4f%s.",
                *(trainer.epoch, config.epochs, epoch.loss, epoch.hard_examples, score),
                ", the best so far" if is_best else "",
                extra={"topic": PRINTED},
            )
            console.print(
                f"epoch {trainer.epoch}/{config.epochs} loss {epoch.loss:.4f} "
                f"hard examples {epoch.hard_examples} score {score:.4f}{' *' if is_best else ''} "
                f"waited for data {epoch.waited:.1%}  " + "  ".join(map(_brief, scores))
            )

    console.print(f"wrote {out} and {model_card.path_beside(out)}")


def _prepare(
    console: Console,
    config: TrainingConfig,
    frames: Sequence[LabelledFrames],
    held_out: Sequence[LabelledFrames],
) -> list[PreparedSet]:
    """The validation sets at the size of scores; list all sets on the console."""
    for f in frames:
        console.print(f"  train {f.name}: {len(f)} frames")
    sources = {f.source for f in frames}
    for name in sorted(config.sampling.source_share.keys() - sources):
        console.print(f"  no data folder is named {name}: its crops go to those without a share")
    for name in sorted(config.augment.recolour.keys() - sources):
        console.print(f"  no data folder is named {name}: no hero of it gets another colour")
    prepared = [prepare(s, (config.side_px, config.side_px)) for s in held_out]
    for s in prepared:
        console.print(f"  validate {s.name}: {len(s.images)} frames")
    return prepared


@dataclass(frozen=True)
class _Epoch:
    """Figures of one completed epoch."""

    loss: float
    """Mean over its steps."""
    hard_examples: int
    waited: float
    """Share of the time (0..1) that the network waited for batches."""


def _train_epoch(
    trainer: Trainer,
    sampler: CropSampler,
    config: TrainingConfig,
    infer: Infer,
    advance: Callable[[], object],
) -> _Epoch:
    """Mine hard examples with `infer`, then train one epoch; call `advance` after each step."""
    epoch = trainer.epoch
    hard_examples = find_hard_examples(
        infer, sampler.sets, sampler.frames_to_mine(epoch), (config.seed, 3, epoch), config.side_px
    )
    loss, timer = 0.0, WaitTimer()
    batches = prefetched_batches(sampler, config.steps_per_epoch, epoch, hard_examples)
    for step, batch in enumerate(timer.timed(batches)):
        loss += trainer.step(batch, step)
        advance()
    waited = timer.share
    trainer.epoch += 1
    return _Epoch(loss / config.steps_per_epoch, len(hard_examples), waited)


def _curves(
    config: TrainingConfig, number: int, epoch: _Epoch, score: float, scores: Sequence[SetScore]
) -> dict[str, float]:
    """Values of an epoch (from 1) for TensorBoard."""
    curves = {
        "loss": epoch.loss,
        "learning_rate": learning_rate(config, number * config.steps_per_epoch - 1),
        "hard_examples": epoch.hard_examples,
        "waited_for_data": epoch.waited,
        "score": score,
    }
    for s in scores:
        curves[f"hero_iou/{s.name}"] = s.hero_iou
        curves[f"detection_accuracy/{s.name}"] = s.detection_accuracy
    return curves


def _brief(s: SetScore) -> str:
    return (
        f"{s.name}: IoU {s.hero_iou:.3f} det {s.detection_accuracy:.3f} "
        f"TP {s.true_positive} FP {s.false_positive} FN {s.false_negative}"
    )


def _progress_bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
