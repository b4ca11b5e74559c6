"""One training of an experiment: train a network and evaluate it at the planned steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.learn.data.dataset import LabelledFrames, resize_truth
from followme_uav.learn.evaluation.prepared import PreparedSet, score_sets, selection_score
from followme_uav.learn.experiments.plan import TrainingRun
from followme_uav.learn.training.batches import prefetched_batches
from followme_uav.learn.training.config import LossConfig
from followme_uav.learn.training.loss import loss_of
from followme_uav.learn.training.sampler import CropSampler
from followme_uav.learn.training.trainer import Trainer
from followme_uav.messages import MaskClass
from followme_uav.perception.tensorflow_runtime import tensorflow


@dataclass(frozen=True)
class RunOutcome:
    """Measures of a network at an evaluation point; None once the training has diverged."""

    seed: int
    value: float
    """Value of the setting that the experiment changes."""
    training_loss: float | None
    """Mean over the batches of the last epoch, during training."""
    validation_loss: float | None
    """Mean over all validation frames."""
    hero_iou: float | None
    """Mean over the validation frames with the hero there."""
    score: float | None
    """Score that weights are chosen by, see `prepared.selection_score`."""


def execute(
    run: TrainingRun,
    frames: Sequence[LabelledFrames],
    held_out: Sequence[PreparedSet],
    advance: Callable[[int], object],
) -> list[RunOutcome]:
    """Train a network from scratch and evaluate it at each point of the run.

    Args:
        run: settings and evaluation points.
        frames: training frames.
        held_out: validation frames.
        advance: called with the number of further frames trained on.
    """
    config = run.config.model_copy(update={"epochs": 1, "steps_per_epoch": run.steps})
    trainer = Trainer(config, None)
    infer_with_loss = _loss_and_probabilities(trainer.averaged, config.loss)
    sampler = CropSampler(
        frames, config.sampling, config.augment, config.batch_size, config.seed, config.side_px
    )
    losses: list[float] = []
    points = {point.steps: point for point in run.points}
    outcomes: list[RunOutcome] = []
    for step, batch in enumerate(prefetched_batches(sampler, run.steps, 0, ())):
        losses.append(trainer.step(batch, step))
        if not math.isfinite(losses[-1]):
            advance((run.steps - step) * config.batch_size)
            missing = run.points[len(outcomes) :]
            return outcomes + [
                RunOutcome(config.seed, point.value, None, None, None, None) for point in missing
            ]
        advance(config.batch_size)
        point = points.get(step + 1)
        if point is not None:
            loss = float(np.mean(losses[-point.last_epoch_steps :]))
            outcomes.append(_evaluated(config.seed, point.value, loss, infer_with_loss, held_out))
    return outcomes


def _evaluated(
    seed: int, value: float, loss: float, infer_with_loss: Any, held_out: Sequence[PreparedSet]
) -> RunOutcome:
    """The outcome of a network; `infer_with_loss` gives a batch's loss and byte probabilities."""
    total, results = 0.0, []
    for s in held_out:
        truth = _labels(s)
        done = 0

        def infer(images: NDArray[np.uint8], truth: NDArray[np.uint8] = truth) -> Any:
            nonlocal total, done  # `score_sets` runs over a set in order, batch by batch
            batch_loss, probabilities = infer_with_loss(images, truth[done : done + len(images)])
            total += float(batch_loss) * len(images)
            done += len(images)
            return probabilities

        results += score_sets(infer, [s])
    hero_frames = sum(r.hero_frames for r in results)
    validation_loss = total / sum(len(s.images) for s in held_out)
    if not math.isfinite(validation_loss):  # the last step may be the one that diverges
        return RunOutcome(seed, value, None, None, None, None)
    return RunOutcome(
        seed=seed,
        value=value,
        training_loss=loss,
        validation_loss=validation_loss,
        hero_iou=sum(r.hero_iou * r.hero_frames for r in results) / max(1, hero_frames),
        score=selection_score(held_out, results),
    )


def _labels(s: PreparedSet) -> NDArray[np.uint8]:
    """(frames, height, width) class index at the size of the network's images.

    As in training: background where resizing left no class.
    """
    truth = s.truth
    if s.network_images is not None:
        side_px = s.network_images.shape[1]
        labels = _classes(truth) if s.labels is None else s.labels
        truth = np.stack([resize_truth(label, side_px) for label in labels])
    return _classes(truth)


def _classes(truth: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Class index of planes (..., 3), one for each class."""
    labels = np.full(truth.shape[:-1], MaskClass.BACKGROUND, np.uint8)
    for c in (MaskClass.PEOPLE, MaskClass.HERO):
        labels[truth[..., c]] = c
    return labels


def _loss_and_probabilities(model: Any, loss_config: LossConfig) -> Any:
    """A compiled function: images and labels of a batch -> loss, probabilities in 1/255."""
    tf = tensorflow()

    @tf.function  # type: ignore[untyped-decorator]
    def infer_with_loss(images: Any, labels: Any) -> Any:
        p = model(tf.cast(images, tf.float32) / 127.5 - 1.0, training=False)
        return loss_of(p, labels, loss_config), tf.cast(tf.round(p * 255.0), tf.uint8)

    return infer_with_loss
