"""Files of a training: weights, their model card, and the checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from followme_uav.learn.evaluation.scores import SetScore
from followme_uav.learn.training import checkpoint, model_card
from followme_uav.learn.training.model_card import TrainingRecord
from followme_uav.learn.training.trainer import Trainer
from followme_uav.perception import weights as weights_file


class TrainingFiles:
    """Weights file `out`, with model card and checkpoint beside it.

    Args:
        out: weights file.
        record: configuration and data of the training.
        trainer: the network in training.
    """

    def __init__(self, out: Path, record: TrainingRecord, trainer: Trainer) -> None:
        self._out = out
        self._record = record
        self._trainer = trainer
        self._checkpoint = out.with_suffix(".checkpoint.h5")
        self._identity = model_card.fingerprint(
            record.config, record.frames, record.init, record.validation
        )
        self._best_score = -1.0

    def resume(self) -> bool:
        """Set the trainer to the state of the checkpoint; return whether there is one.

        Raises:
            DataError: The checkpoint is damaged, or belongs to another training.
        """
        if not self._checkpoint.exists():
            return False
        self._trainer.epoch, self._best_score = checkpoint.load(
            self._checkpoint, self._trainer.state(), self._identity
        )
        return True

    def save(self, score: float, scores: Sequence[SetScore]) -> bool:
        """Write the checkpoint, and weights and model card if they are to be kept.

        Args:
            score: score of the averaged network, see `prepared.selection_score`.
            scores: its results on the validation sets.

        Returns:
            Whether the score is the best so far.

        Raises:
            OutputError: A file cannot be written.
        """
        trainer = self._trainer
        is_best = score > self._best_score
        self._best_score = max(score, self._best_score)
        if is_best or self._record.config.keep == "last":
            weights_file.save_weights(trainer.averaged, self._out)
            model_card.write(self._out, self._record, trainer.epoch, trainer.averaged, scores)
        checkpoint.save(
            self._checkpoint, trainer.state(), self._identity, trainer.epoch, self._best_score
        )
        return is_best
