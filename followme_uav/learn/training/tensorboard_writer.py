"""TensorBoard logs of a training: loss, learning rate and scores after each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from followme_uav.errors import DataError
from followme_uav.perception.tensorflow_runtime import tensorflow

_EVENTS = "events.out.tfevents.*"


class TensorBoardWriter:
    """Write scalars as TensorFlow summaries, for `tensorboard --logdir FOLDER`.

    Args:
        folder: belongs to one training.
        resume: append to the logs in the folder; otherwise delete them.

    Raises:
        DataError: The folder cannot be written.
    """

    def __init__(self, folder: Path, resume: bool) -> None:
        self._tf = tensorflow()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for old in [] if resume else list(folder.glob(_EVENTS)):
                old.unlink()
        except OSError as error:
            raise DataError(
                f"{folder}: cannot hold logs ({error.strerror}); pass --logs another folder"
            ) from error
        self._writer: Any = self._tf.summary.create_file_writer(str(folder))

    def write(self, epoch: int, values: Mapping[str, float]) -> None:
        """Write the values of an epoch (from 1) and flush them to disk."""
        with self._writer.as_default():
            for name, value in values.items():
                self._tf.summary.scalar(name, value, step=epoch)
        self._writer.flush()

    def close(self) -> None:
        """Close the log file."""
        self._writer.close()
