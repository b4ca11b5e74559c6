"""Training of a segmentation network on labelled frames of any number of worlds.

Each step learns from a batch of crops (`sampler`). After each epoch the running mean of the
weights is scored on whole validation frames; the best so far is written as the weights file, and a
checkpoint with everything a training consists of allows to resume after a kill.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from followme_uav.errors import ConfigError, DataError
from followme_uav.learn.data import dataset
from followme_uav.learn.data.dataset import LabelledFrames
from followme_uav.learn.evaluation.evaluate import Infer, prepare, score_sets, selection_score
from followme_uav.learn.evaluation.scores import SetScore
from followme_uav.learn.training import checkpoint
from followme_uav.learn.training import model_card as card
from followme_uav.learn.training.board import Board
from followme_uav.learn.training.config import LossConfig, TrainingConfig, load_training_config
from followme_uav.learn.training.fused import with_fused_normalisation
from followme_uav.learn.training.hard_examples import Mistake, find_mistakes
from followme_uav.learn.training.sampler import Batch, CropSampler
from followme_uav.messages import MaskClass
from followme_uav.perception import weights as weights_file
from followme_uav.perception.models import ARCHITECTURES, keras_model
from followme_uav.perception.segmenter import Segmenter
from followme_uav.perception.tensorflow_runtime import tensorflow
from followme_uav.terminal import make_console

_BATCHES_AHEAD = 4


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
    """Trains a network and writes weights and model card.

    Args:
        config_path: YAML, see `configs/training`.
        data: Folders with training frames.
        validation: Folders with validation frames; images also found here are not trained on.
            Without any, the last tenth of each training set is held out.
        out: Weights file to write; card and checkpoint are written beside it.
        init: Weights to start from: of an earlier stage, or of another network, whose layers are
            taken over where name and shapes are the same.
        resume: Go on from the checkpoint beside `out`, if there is one.
        logs: Folder for TensorBoard logs; None puts it beside `out`, as `NAME.tensorboard`.
        skip_incomplete: Leave images without a mask, and masks without an image, out.

    Raises:
        ConfigError: The configuration cannot be used, or differs from the checkpoint's.
        DataError: A data folder cannot be used.
        WeightsError: `init` cannot be read, or none of its layers fits the network.
    """
    console = make_console()
    config = load_training_config(config_path)
    check_architecture(config.architecture, str(config_path))
    frames, held_out = read_frames(data, validation, console, skip_incomplete)
    sampler = CropSampler(frames, config.sampling, config.augment, config.batch_size, config.seed)
    for f in frames:
        console.print(f"  train {f.name}: {len(f)} frames")
    for name in sorted(config.sampling.source_share.keys() - {f.source for f in frames}):
        console.print(f"  no data folder is named {name}: the others get its share of the crops")
    prepared = [prepare(s) for s in held_out]
    for s in prepared:
        console.print(f"  validate {s.name}: {len(s.images)} frames")

    training = Training(config, init)
    if init is not None:
        console.print(f"  begin with {', '.join(training.from_init)} of {init}", soft_wrap=True)
    state_file = out.with_suffix(".checkpoint.h5")
    identity = card.fingerprint(config, frames, init)
    best = -1.0
    if resume and state_file.exists():
        training.epoch, best = checkpoint.load(state_file, training.state(), identity)
        console.print(f"resuming after epoch {training.epoch} of {config.epochs}")
    board = Board(logs or out.with_suffix(".tensorboard"), resume=training.epoch > 0)

    with closing(board), progress_bar(console) as progress:
        steps = config.epochs * config.steps_per_epoch
        task = progress.add_task(
            "training", total=steps, completed=training.epoch * config.steps_per_epoch
        )
        infer = training.snapshot()
        while training.epoch < config.epochs:
            epoch = training.epoch
            mistakes = find_mistakes(
                infer,
                sampler.sets,
                sampler.frames_to_mine(epoch),
                (config.seed, 3, epoch),
            )
            loss, clock = 0.0, _Clock()
            for step, batch in enumerate(clock.waits(batches(sampler, config, epoch, mistakes))):
                loss += training.step(batch, step)
                progress.advance(task)
            waited = clock.share
            training.epoch += 1
            loss /= config.steps_per_epoch
            if not math.isfinite(loss):
                raise DataError(
                    f"epoch {training.epoch}: the loss is not finite; lower learning_rate in "
                    f"{config_path}"
                )
            infer = training.snapshot()
            scores = score_sets(infer, prepared)
            selection = selection_score(prepared, scores)
            better = selection > best
            if better:
                best = selection
                weights_file.save_weights(training.averaged, out)
                card.write(
                    out,
                    config,
                    config_path.name,
                    training.epoch,
                    training.averaged,
                    frames,
                    held_out,
                    scores,
                    init,
                    training.from_init,
                )
            checkpoint.save(state_file, training.state(), identity, training.epoch, best)
            rate = learning_rate(config, training.epoch * config.steps_per_epoch - 1)
            board.write(
                training.epoch,
                {
                    "loss": loss,
                    "learning_rate": rate,
                    "mistakes": len(mistakes),
                    "waited_for_data": waited,
                    "score": selection,
                    **{f"{name}/{s.name}": value for s in scores for name, value in _curves(s)},
                },
            )
            console.print(
                f"epoch {training.epoch}/{config.epochs} loss {loss:.4f} "
                f"mistakes {len(mistakes)} score {selection:.4f}{' *' if better else ''} "
                f"waited for data {waited:.1%}  " + "  ".join(_brief(s) for s in scores)
            )

    console.print(f"wrote {out} and {card.path_beside(out)}")


def check_architecture(name: str, where: str) -> None:
    """Raises `ConfigError`, saying where it came from, when a network's name is unknown."""
    if name not in ARCHITECTURES:
        raise ConfigError(
            f"{where}: architecture: unknown network '{name}' (known: {', '.join(ARCHITECTURES)})"
        )


def read_frames(
    data: Sequence[Path],
    validation: Sequence[Path],
    console: Console,
    skip_incomplete: bool = False,
) -> tuple[list[LabelledFrames], list[LabelledFrames]]:
    """Frames to train on and frames held out; what is among the latter is not trained on.

    Args:
        data: Folders with training frames.
        validation: Folders with validation frames; without any, the last tenth of each training
            set is held out.
        console: Told how images and masks were paired, and which images are left out.
        skip_incomplete: Leave images without a mask, and masks without an image, out.

    Raises:
        DataError: A data folder cannot be used.
    """
    console.print("reading frames ...")

    def loaded(folders: Sequence[Path]) -> list[LabelledFrames]:
        sets = dataset.load_folders(folders, skip_incomplete)
        for one in sets:
            console.print(
                f"  {one.name}: {one.note}", soft_wrap=True, highlight=False, markup=False
            )
        return sets

    if not validation:
        parts = [frames.split() for frames in loaded(data)]
        return [most for most, _ in parts if len(most)], [last for _, last in parts]
    held_out = loaded(validation)
    known = {h for frames in held_out for h in frames.image_hashes}
    frames = []
    for found in loaded(data):
        twice = found.files_of(known)
        if twice:
            console.print(
                f"  {found.name}: {len(twice)} of {len(found)} images are in the validation data "
                f"too and are not trained on (the first: {twice[0]})",
                soft_wrap=True,
            )
        if len(twice) < len(found):
            frames.append(found.without(known))
    return frames, held_out


class Training:
    """Network, running mean of its weights, and optimizer.

    Args:
        config: Of the training.
        init: Weights to start from, where their layers fit; the rest is random from the seed.
    """

    def __init__(self, config: TrainingConfig, init: Path | None) -> None:
        self._config = config
        tf = tensorflow()
        import keras

        keras.utils.set_random_seed(config.seed)
        self.averaged = keras_model(config.architecture)
        self.from_init = weights_file.take_over_layers(self.averaged, init) if init else []
        self.network = with_fused_normalisation(self.averaged)
        self.optimizer = keras.optimizers.Adam(config.learning_rate)
        self.optimizer.build(self.network.trainable_variables)
        self.epoch = 0
        self._step = _compiled_step(tf, self.network, self.averaged, self.optimizer, config.loss)

    def step(self, batch: Batch, step: int) -> float:
        """One update of the weights; returns the loss."""
        done = self.epoch * self._config.steps_per_epoch + step
        decay = min(self._config.average_decay, (1 + done) / (10 + done))
        rate = learning_rate(self._config, done)
        return float(self._step(batch.images, batch.labels, np.float32(rate), np.float32(decay)))

    def snapshot(self) -> Infer:
        """The running mean of the weights as it is now, run by the fastest library there is."""
        with TemporaryDirectory(prefix="followme-uav-") as folder:
            path = Path(folder) / "weights.h5"
            weights_file.save_weights(self.averaged, path)
            return Segmenter(path).segment_batch

    def state(self) -> dict[str, Any]:
        """All variables that change during training, by a name of their own."""
        groups = {
            "network": self.network.variables,
            "averaged": self.averaged.variables,
            "optimizer": self.optimizer.variables,
        }
        return {
            f"{group}/{i:03d}": variable
            for group, variables in groups.items()
            for i, variable in enumerate(variables)
        }


def learning_rate(config: TrainingConfig, step: int) -> float:
    """Linear warm-up, then constant, or half a cosine down to the end value.

    Args:
        config: Of the training.
        step: Steps done so far.
    """
    total = config.epochs * config.steps_per_epoch
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    if config.schedule == "constant":
        return warm * config.learning_rate
    fall = (1 + math.cos(math.pi * min(1.0, step / total))) / 2
    end = config.learning_rate_end
    return warm * (end + (config.learning_rate - end) * fall)


def loss_of(probabilities: Any, labels: Any, config: LossConfig) -> Any:
    """Weighted cross-entropy plus the hero's missing overlap.

    The overlap is a soft IoU per crop (probabilities in place of 0/1), smoothed so that a crop
    without hero and without predicted hero scores 1.

    Args:
        probabilities: (batch, height, width, 3).
        labels: (batch, height, width) class index.
        config: Weights of the parts.

    Returns:
        Scalar loss, mean over pixels and crops.
    """
    from keras import ops

    truth = ops.one_hot(ops.cast(labels, "int32"), len(config.class_weight))
    weight = ops.convert_to_tensor(np.array(config.class_weight, np.float32))
    log_p = ops.log(ops.clip(probabilities, 1e-6, 1.0))
    cross_entropy = -ops.mean(ops.sum(truth * log_p * weight, axis=-1))
    p, t = probabilities[..., MaskClass.HERO], truth[..., MaskClass.HERO]
    both = ops.sum(p * t, axis=(1, 2))
    either = ops.sum(p + t, axis=(1, 2)) - both
    smooth = config.overlap_smooth_px
    missing = 1 - ops.mean((both + smooth) / (either + smooth))
    return cross_entropy + config.overlap_weight * missing


def _compiled_step(
    tf: Any, network: Any, averaged: Any, optimizer: Any, loss_config: LossConfig
) -> Any:
    pairs = list(zip(averaged.variables, network.variables, strict=True))

    @tf.function
    def step(images: Any, labels: Any, rate: Any, decay: Any) -> Any:
        optimizer.learning_rate.assign(rate)
        x = tf.cast(images, tf.float32) / 127.5 - 1.0
        with tf.GradientTape() as tape:
            loss = loss_of(network(x, training=True), labels, loss_config)
        variables = network.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        for mean, value in pairs:
            mean.assign(decay * mean + (1.0 - decay) * value)
        return loss

    return step


def batches(
    sampler: CropSampler, config: TrainingConfig, epoch: int, mistakes: Sequence[Mistake]
) -> Iterator[Batch]:
    """The batches of an epoch, made ahead in a thread while the network learns."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        queue: list[Future[Batch]] = []
        try:
            for step in range(config.steps_per_epoch + _BATCHES_AHEAD):
                if step < config.steps_per_epoch:
                    queue.append(pool.submit(sampler.batch, epoch, step, mistakes))
                if step >= _BATCHES_AHEAD:
                    yield queue.pop(0).result()
        finally:
            for future in queue:
                future.cancel()


class _Clock:
    """How much of the time since its start was spent waiting for batches."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._waited = 0.0

    def waits(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The same batches, each waited for by the clock."""
        while True:
            asked = time.perf_counter()
            batch = next(batches, None)
            self._waited += time.perf_counter() - asked
            if batch is None:
                return
            yield batch

    @property
    def share(self) -> float:
        """0..1, until now."""
        return self._waited / (time.perf_counter() - self._start)


def _curves(s: SetScore) -> list[tuple[str, float]]:
    return [("hero_iou", s.hero_iou), ("detection_accuracy", s.detection_accuracy)]


def _brief(s: SetScore) -> str:
    return (
        f"{s.name}: IoU {s.hero_iou:.3f} det {s.detection_accuracy:.3f} "
        f"TP {s.true_positive} FP {s.false_positive} FN {s.false_negative}"
    )


def progress_bar(console: Console) -> Progress:
    """A bar with steps done, time taken and time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
