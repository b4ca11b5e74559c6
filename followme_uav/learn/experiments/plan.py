"""Trainings of an experiment, and the steps at which each is evaluated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from followme_uav.errors import ConfigError
from followme_uav.learn.training.config import TrainingConfig

VALUES: dict[str, tuple[float, ...]] = {
    "batch-size": (5, 10, 20, 40),
    "epochs": (1, 2, 3, 5, 7, 10),
    "steps-per-epoch": (20, 40, 80, 160),
    "learning-rate": (0.0001, 0.001, 0.01, 0.1),
}
"""Experiments, and the values that each tries by default."""


@dataclass(frozen=True)
class EvaluationPoint:
    """Step of a training at which the network is evaluated."""

    value: float
    """Value of the setting that the experiment changes."""
    steps: int
    """Steps completed."""
    last_epoch_steps: int
    """Number of last steps over which the training loss is averaged."""


@dataclass(frozen=True)
class TrainingRun:
    """One training from scratch."""

    config: TrainingConfig
    """Settings with the seed of this run; `epochs` has no effect, the last point ends the run."""
    points: tuple[EvaluationPoint, ...]
    """In the order of their steps."""

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.points[-1].steps

    @property
    def frames(self) -> int:
        """Frames of all batches, repeated ones included; the duration is proportional to them."""
        return self.steps * self.config.batch_size


def plan(
    name: str, config: TrainingConfig, values: Sequence[float], seeds: int
) -> list[TrainingRun]:
    """List the trainings of an experiment.

    Args:
        name: one of `VALUES`.
        config: settings that stay the same; the first repetition takes their seed.
        values: of the setting that changes; the experiment's default values when empty.
        seeds: number of repetitions.

    Raises:
        ConfigError: The experiment is unknown, or the setting cannot have one of the values.
    """
    if name not in VALUES:
        raise ConfigError(f"experiment {name}: unknown; choose from {', '.join(VALUES)}")
    values = sorted(set(values or VALUES[name]))
    for value in values:
        is_usable = math.isfinite(value) and value > 0
        if not is_usable or (name != "learning-rate" and value != int(value)):
            kind = "a number" if name == "learning-rate" else "a whole number"
            raise ConfigError(f"--values {value:g}: {name} must be {kind} above 0")
    runs = []
    for seed in range(config.seed, config.seed + seeds):
        own = config.model_copy(update={"seed": seed})
        epochs, steps = own.epochs, own.steps_per_epoch
        if name == "epochs":
            points = [EvaluationPoint(v, int(v) * steps, steps) for v in values]
            runs.append(TrainingRun(own, tuple(points)))
        elif name == "steps-per-epoch":
            points = [EvaluationPoint(v, epochs * int(v), int(v)) for v in values]
            runs.append(TrainingRun(own, tuple(points)))
        else:
            key = name.replace("-", "_")
            for v in values:
                changed = own.model_copy(update={key: v if key == "learning_rate" else int(v)})
                runs.append(TrainingRun(changed, (EvaluationPoint(v, epochs * steps, steps),)))
    return runs
