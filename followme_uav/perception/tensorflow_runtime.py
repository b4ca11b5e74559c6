"""Inference with TensorFlow, for GPUs; and the import of TensorFlow for training."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.errors import EnvironmentSetupError
from followme_uav.perception import weights as weights_file

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

_IMAGES_AT_ONCE = 16
"""Limit of the memory for features, 7 MB per image at 160x160."""


class TensorFlowRuntime:
    """A network as one compiled TensorFlow function, on a GPU if TensorFlow sees one.

    Args:
        weights: Weights file.
        threads: CPU threads; None: TensorFlow decides. Only the first number in a process counts.

    Raises:
        WeightsError: The weights cannot be used.
        EnvironmentSetupError: TensorFlow is missing, or Keras is set to another backend.
    """

    def __init__(self, weights: Path, threads: int | None = None) -> None:
        tf = tensorflow(threads)
        with _quiet_stderr():
            self.device = f"{'GPU' if sees_gpu(tf) else 'CPU'} (TensorFlow)"
            self._infer = mask_function(weights_file.load_model(weights))

    def infer(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Segment (batch, height, width, 3) RGB bytes: probabilities in 1/255, same shape."""
        masks = np.empty_like(rgb)
        for start in range(0, len(rgb), _IMAGES_AT_ONCE):
            part = np.s_[start : start + _IMAGES_AT_ONCE]
            masks[part] = self._infer(rgb[part])
        return masks


def mask_function(model: keras.Model) -> Any:
    """Compile a network into `uint8 images -> uint8 probabilities`, both (batch, h, w, 3)."""
    tf = tensorflow()

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)]
    )
    def infer(rgb: Any) -> Any:
        probabilities = model(tf.cast(rgb, tf.float32) / 127.5 - 1.0, training=False)
        return tf.cast(tf.round(probabilities * 255.0), tf.uint8)

    return infer


def sees_gpu(tf: Any) -> bool:
    """Whether TensorFlow can compute on a GPU."""
    return bool(tf.config.list_logical_devices("GPU"))


def tensorflow(threads: int | None = None) -> Any:
    """Import TensorFlow and Keras without their start-up messages.

    Args:
        threads: CPU threads; no effect once TensorFlow has started.

    Raises:
        EnvironmentSetupError: TensorFlow is missing, or Keras is set to another backend.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        with _quiet_stderr():
            import keras
            import tensorflow as tf
    except ImportError as error:
        raise EnvironmentSetupError(
            f"TensorFlow cannot be imported ({error}); install the package's dependencies"
        ) from error
    if keras.backend.backend() != "tensorflow":
        raise EnvironmentSetupError(
            f"Keras runs on {keras.backend.backend()}; unset KERAS_BACKEND or set it to tensorflow"
        )
    if threads is not None:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:
            logger.debug("TensorFlow has started already and keeps its number of threads.")
    return tf


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Drop the output of native code on file descriptor 2, which ignores log levels."""
    saved = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)
