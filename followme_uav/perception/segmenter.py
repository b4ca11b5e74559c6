"""Weights and an image in, class probabilities out: one compiled TensorFlow call per frame."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.errors import EnvironmentSetupError, FollowMeError
from followme_uav.messages import Mask, RgbImage
from followme_uav.perception import weights as weights_file
from followme_uav.perception.models import INPUT_SIZE_PX, SIDE_MULTIPLE_PX

if TYPE_CHECKING:
    import keras


class ImageError(FollowMeError):
    """An image that the segmenter cannot take."""


class Segmenter:
    """A trained network, loaded, compiled and warmed up.

    The same image always gives the same bytes on one machine.

    Args:
        weights: Weights file, see `perception.weights`.
        size_px: Image side to be ready for; other sizes compile when they first come.
        threads: CPU threads TensorFlow may use; None leaves its choice. TensorFlow takes it once
            per process: the first segmenter decides.

    Raises:
        WeightsError: The weights file is missing, damaged or does not fit its network.
        EnvironmentSetupError: TensorFlow is missing, or Keras is set to another backend.
    """

    def __init__(
        self, weights: Path, *, size_px: int = INPUT_SIZE_PX, threads: int | None = None
    ) -> None:
        self.sha256: str
        """Of the weights file."""
        stored = weights_file.read_weights(weights)
        tf = tensorflow(threads)
        with _quiet_stderr():
            model = weights_file.load_model(weights)
            gpus = tf.config.list_logical_devices("GPU")
            self.device: str = "GPU" if gpus else "CPU"
            """Where the network runs."""
            self._infer = mask_function(model)
            self.segment(np.zeros((size_px, size_px, 3), np.uint8))
        self.sha256 = weights_file.sha256(weights)
        self.architecture = stored.architecture

    def segment(self, rgb: RgbImage) -> Mask:
        """Class probabilities of one image.

        Args:
            rgb: (height, width, 3) uint8, sides multiples of 4; best near 160.

        Returns:
            (height, width, 3) uint8 in 1/255, channels as in `messages.MaskClass`.

        Raises:
            ImageError: Wrong type, shape or size.
        """
        return self.segment_batch(np.asarray(rgb)[None])[0]

    def segment_batch(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """As `segment`, for (batch, height, width, 3) images of one size."""
        if rgb.dtype != np.uint8:
            raise ImageError(f"image has values of type {rgb.dtype}; pass uint8, 0..255")
        if rgb.ndim != 4 or rgb.shape[3] != 3:
            raise ImageError(f"image has shape {rgb.shape[1:]}; pass (height, width, 3) RGB")
        height, width = rgb.shape[1:3]
        if not height or not width or height % SIDE_MULTIPLE_PX or width % SIDE_MULTIPLE_PX:
            raise ImageError(
                f"image is {width}x{height}; sides must be multiples of {SIDE_MULTIPLE_PX}, "
                f"set the camera to {INPUT_SIZE_PX}x{INPUT_SIZE_PX}"
            )
        return np.asarray(self._infer(rgb))


def mask_function(model: keras.Model) -> Any:
    """Compiles a network into `uint8 images -> uint8 probabilities`, both (batch, h, w, 3)."""
    tf = tensorflow()

    @tf.function
    def infer(rgb: Any) -> Any:
        probabilities = model(tf.cast(rgb, tf.float32) / 127.5 - 1.0, training=False)
        return tf.cast(tf.round(probabilities * 255.0), tf.uint8)

    return infer


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
