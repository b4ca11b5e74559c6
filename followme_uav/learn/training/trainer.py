"""A network in training: its variables, one gradient step, and the learning rate schedule."""

from __future__ import annotations

import math
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from followme_uav.learn.evaluation.prepared import Infer
from followme_uav.learn.training.config import LossConfig, TrainingConfig
from followme_uav.learn.training.fused import with_fused_normalisation
from followme_uav.learn.training.loss import loss_of
from followme_uav.learn.training.sampler import Batch
from followme_uav.perception import weights as weights_file
from followme_uav.perception.models import keras_model
from followme_uav.perception.segmenter import Segmenter
from followme_uav.perception.tensorflow_runtime import tensorflow


class Trainer:
    """A network, the running mean of its weights, and the optimizer.

    Args:
        config: settings of the training.
        init: weights file; layers that fit start from it, the others start at random by the seed.
    """

    def __init__(self, config: TrainingConfig, init: Path | None) -> None:
        self._config = config
        tf = tensorflow()
        tf.config.optimizer.set_experimental_options(
            {"auto_mixed_precision_onednn_bfloat16": config.precision == "bfloat16"}
        )
        import keras

        keras.utils.set_random_seed(config.seed)
        self.averaged = keras_model(config.architecture)
        """Network with the running mean of the weights."""
        self.layers_from_init = weights_file.take_over_layers(self.averaged, init) if init else []
        self.network = with_fused_normalisation(self.averaged)
        self.optimizer = keras.optimizers.Adam(config.learning_rate)
        self.optimizer.build(self.network.trainable_variables)
        self.epoch = 0
        """Epochs completed."""
        self._step = _compiled_step(tf, self.network, self.averaged, self.optimizer, config.loss)

    def step(self, batch: Batch, step: int) -> float:
        """Update the weights once and return the loss; `step` counts within the epoch, from 0."""
        done = self.epoch * self._config.steps_per_epoch + step
        decay = min(self._config.average_decay, (1 + done) / (10 + done))
        rate = learning_rate(self._config, done)
        return float(self._step(batch.images, batch.labels, np.float32(rate), np.float32(decay)))

    def snapshot(self) -> Infer:
        """Return a copy of the averaged network, run by the fastest library there is."""
        with TemporaryDirectory(prefix="followme-uav-") as folder:
            path = Path(folder) / "weights.h5"
            weights_file.save_weights(self.averaged, path)
            return Segmenter(path).segment_batch

    def state(self) -> dict[str, Any]:
        """All Keras variables that a training changes, by names that a checkpoint stores."""
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
        config: settings of the training.
        step: steps completed.
    """
    total = config.epochs * config.steps_per_epoch
    warm = min(1.0, (step + 1) / max(1, config.warmup_steps))
    if config.schedule == "constant":
        return warm * config.learning_rate
    fall = (1 + math.cos(math.pi * min(1.0, step / total))) / 2
    end = config.learning_rate_end
    return warm * (end + (config.learning_rate - end) * fall)


def _compiled_step(
    tf: Any, network: Any, averaged: Any, optimizer: Any, loss_config: LossConfig
) -> Any:
    pairs = list(zip(averaged.variables, network.variables, strict=True))

    @tf.function  # type: ignore[untyped-decorator]
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
