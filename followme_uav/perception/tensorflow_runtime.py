"""Runs a network with TensorFlow: on a GPU, and wherever a network is trained."""

from __future__ import annotations

import contextlib
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

_IMAGES_AT_ONCE = 16
"""Bounds the memory for features: 7 MB an image at 160x160."""


class TensorFlowRuntime:
    """A network as one compiled TensorFlow function, on a GPU when TensorFlow sees one.

    Args:
        weights: Weights file.
        threads: CPU threads; None leaves TensorFlow its choice. TensorFlow takes the number once
            per process: the first one given counts.

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
        """(batch, height, width, 3) RGB bytes -> probabilities in 1/255, same shape."""
        masks = np.empty_like(rgb)
        for start in range(0, len(rgb), _IMAGES_AT_ONCE):
            part = np.s_[start : start + _IMAGES_AT_ONCE]
            masks[part] = self._infer(rgb[part])
        return masks


def mask_function(model: keras.Model) -> Any:
    """Compiles a network into `uint8 images -> uint8 probabilities`, both (batch, h, w, 3)."""
    tf = tensorflow()

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)])
    def infer(rgb: Any) -> Any:
        probabilities = model(tf.cast(rgb, tf.float32) / 127.5 - 1.0, training=False)
        return tf.cast(tf.round(probabilities * 255.0), tf.uint8)

    return infer


def sees_gpu(tf: Any) -> bool:
    """Whether TensorFlow can compute on a GPU."""
    return bool(tf.config.list_logical_devices("GPU"))


def tensorflow(threads: int | None = None) -> Any:
    """Imports TensorFlow without its start-up lines, with Keras on top of it.

    Args:
        threads: CPU threads, when TensorFlow has not started yet.

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
        with contextlib.suppress(RuntimeError):  # already started: its threads stay as they are
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
    return tf


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Drops what native code writes to file descriptor 2, whatever its log level."""
    saved = os.dup(2)
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)
