"""Files with the outcomes of trainings, one for each outcome, shared by all experiments.

A file is named after everything that determines its outcome. An interrupted experiment, or one with
more values or seeds, therefore trains only the runs without a file, and no experiment trains again
for a value that another has tried.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from followme_uav.errors import DataError
from followme_uav.files import write_json
from followme_uav.learn.data.dataset import LabelledFrames
from followme_uav.learn.experiments.plan import EvaluationPoint
from followme_uav.learn.experiments.runs import RunOutcome
from followme_uav.learn.training import model_card
from followme_uav.learn.training.config import TrainingConfig


class OutcomeFiles:
    """Outcomes of trainings on the same frames.

    Args:
        folder: of the files.
        frames: training frames.
        held_out: validation frames.
    """

    def __init__(
        self,
        folder: Path,
        frames: Sequence[LabelledFrames],
        held_out: Sequence[LabelledFrames],
    ) -> None:
        self._folder = folder
        self._frames = frames
        self._held_out = [f"{s.name} {s.content_hash}" for s in held_out]

    def path(self, config: TrainingConfig, point: EvaluationPoint) -> Path:
        """File of an outcome; configuration, steps and data determine its name."""
        config = config.model_copy(update={"epochs": 1, "steps_per_epoch": point.steps})
        fingerprint = model_card.fingerprint(config, self._frames, None)
        parts = [fingerprint, *self._held_out, str(point.last_epoch_steps)]
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        return self._folder / (
            f"{config.architecture}-batch{config.batch_size}-rate{config.learning_rate:g}"
            f"-steps{point.steps}-seed{config.seed}-{digest[:8]}.json"
        )

    def write(self, config: TrainingConfig, point: EvaluationPoint, outcome: RunOutcome) -> None:
        """Write an outcome.

        Raises:
            OutputError: The file cannot be written.
        """
        content = asdict(outcome)
        del content["value"]  # another experiment has the same outcome under another value
        write_json(self.path(config, point), content)

    def read(self, config: TrainingConfig, point: EvaluationPoint) -> RunOutcome:
        """Read an outcome.

        Raises:
            DataError: The file is damaged.
        """
        file = self.path(config, point)
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            return RunOutcome(value=point.value, **content)
        except (OSError, ValueError, TypeError) as error:
            raise DataError(
                f"{file}: damaged result of a run ({error}); remove it to run it again"
            ) from error
