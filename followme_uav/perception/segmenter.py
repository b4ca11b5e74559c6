"""Segmentation of images by a trained network, with OpenVINO or TensorFlow."""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import RuntimeName
from followme_uav.errors import EnvironmentSetupError, FollowMeError, WeightsError
from followme_uav.messages import Mask, RgbImage
from followme_uav.perception import DEFAULT_WEIGHTS
from followme_uav.perception import weights as weights_file
from followme_uav.perception.models import INPUT_SIZE_PX, SIDE_MULTIPLE_PX
from followme_uav.perception.network_files import is_onnx, sha256
from followme_uav.perception.onnx_runtime import OnnxRuntime
from followme_uav.perception.openvino_runtime import OpenVinoRuntime
from followme_uav.perception.tensorflow_runtime import (
    TensorFlowRuntime,
    sees_gpu,
    tensorflow,
)
from followme_uav.resizing import resized_image

logger = logging.getLogger(__name__)

_NVIDIA_DRIVER = (Path("/proc/driver/nvidia/version"), Path("/dev/dxg"))
"""One of these exists where CUDA can find a GPU: on Linux, or on Linux in Windows (WSL)."""


class ImageError(FollowMeError):
    """An image of a type, shape or size that the segmenter cannot use."""


class Runtime(Protocol):
    """A network and the library that computes it."""

    device: str
    """Processor and library, e.g. "CPU (OpenVINO)"."""

    def infer(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Segment (batch, height, width, 3) RGB bytes: probabilities in 1/255.

        The masks of an ONNX network may be smaller than the images.
        """
        ...


class Segmenter:
    """A trained network, loaded, compiled and warmed up.

    The same image always gives the same bytes on one machine, alone or in a batch.

    Args:
        weights: Weights file, see `perception.weights`; or an ONNX network with its description,
            see `perception.onnx_description`.
        runtime: The library; "auto" takes TensorFlow if it has a GPU, else OpenVINO, which is
            faster on CPU and starts sooner.
        size_px: Image (height, width) to compile for; other sizes compile at their first image.
        threads: CPU threads; None: the library decides. TensorFlow reads the number once per
            process.

    Raises:
        WeightsError: The weights file is missing, damaged or does not fit its network.
        EnvironmentSetupError: The library is missing, or Keras is set to another backend.

    Example:
        >>> import numpy as np
        >>> from followme_uav import MaskClass, Segmenter
        >>> segmenter = Segmenter(size_px=(64, 64))
        >>> mask = segmenter.segment(np.zeros((64, 64, 3), np.uint8))
        >>> mask.shape, mask.dtype, bool((mask[..., MaskClass.HERO] > 127).any())
        ((64, 64, 3), dtype('uint8'), False)
    """

    def __init__(
        self,
        weights: Path = DEFAULT_WEIGHTS,
        *,
        runtime: RuntimeName = "auto",
        size_px: tuple[int, int] = (INPUT_SIZE_PX, INPUT_SIZE_PX),
        threads: int | None = None,
    ) -> None:
        self.architecture: str
        """Name of the network."""
        self.input_size_px: tuple[int, int] | None
        """Image (height, width) that the network was trained for; None: any. Images of another size
        are resized to it, and their masks back."""
        self.trained_size_px: tuple[int, int]
        """Image (height, width) of its training."""
        began_s = time.monotonic()
        self._runtime: Runtime
        if is_onnx(weights):
            onnx_runtime = _start_onnx(runtime, weights, threads)
            self.architecture = onnx_runtime.network.name
            self.input_size_px = onnx_runtime.network.size_px
            description = onnx_runtime.network.description
            trained_px = description.trained_width_px
            self.trained_size_px = self.input_size_px or (trained_px, trained_px)
            self._side_multiple_px = description.side_multiple_px
            self._runtime = onnx_runtime
        else:
            network = weights_file.read_weights(weights).network
            self.architecture = network.name
            self.input_size_px = network.input_size_px
            self.trained_size_px = network.trained_size_px
            self._side_multiple_px = math.lcm(SIDE_MULTIPLE_PX, network.side_multiple_px)
            self._runtime = _start(runtime, weights, threads)
        self.sha256: str = sha256(weights)
        """SHA-256 of the file, with the description of an ONNX network."""
        self.device: str = self._runtime.device
        """Processor and library, e.g. "CPU (OpenVINO)"."""
        self.segment(np.zeros((*size_px, 3), np.uint8))
        logger.info(
            "Network %s of %s (SHA-256 %s..., %.1f MB) runs on %s after %.1f s.",
            *(self.architecture, weights, self.sha256[:12], weights.stat().st_size / 1e6),
            *(self.device, time.monotonic() - began_s),
        )

    def segment(self, rgb: RgbImage) -> Mask:
        """Compute the class probabilities of one image.

        Args:
            rgb: (height, width, 3) uint8, best near `trained_size_px`. The sides are multiples of
                8, unless `input_size_px` is set.

        Returns:
            (height, width, 3) uint8 in 1/255, channels as in `messages.MaskClass`.

        Raises:
            ImageError: Wrong type, shape or size.
        """
        mask: Mask = self.segment_batch(np.asarray(rgb)[None])[0]
        return mask

    def segment_batch(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Segment any number of images of one size, (batch, height, width, 3), as `segment` does.

        Besides the result, it needs memory for a few images only.
        """
        if rgb.dtype != np.uint8:
            raise ImageError(f"image has values of type {rgb.dtype}; pass uint8, 0..255")
        if rgb.ndim != 4 or rgb.shape[3] != 3:
            raise ImageError(f"image has shape {rgb.shape[1:]}; pass (height, width, 3) RGB")
        height, width = rgb.shape[1:3]
        own = self.input_size_px
        if own is not None and height and width:
            scaled = rgb if own == (height, width) else resize_images(rgb, own)
            return at_size(self._runtime.infer(scaled), (height, width))
        multiple = min(self._side_multiple_px, SIDE_MULTIPLE_PX)
        if not height or not width or height % multiple or width % multiple:
            raise ImageError(
                f"image is {width}x{height}; sides must be multiples of {multiple}, "
                f"set the camera to {INPUT_SIZE_PX}x{INPUT_SIZE_PX}"
            )
        return at_size(self._infer(rgb), (height, width))

    def _infer(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Run the network, also where it needs sides that are multiples of more than 8.

        The last row and column are repeated for it.
        """
        height, width = rgb.shape[1:3]
        lacking = [-side % self._side_multiple_px for side in (height, width)]
        if not any(lacking):
            return self._runtime.infer(rgb)
        rows, columns = lacking
        padded = np.pad(rgb, ((0, 0), (0, rows), (0, columns), (0, 0)), mode="edge")
        return self._runtime.infer(padded)[:, :height, :width]


def at_size(masks: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Masks at a (height, width): a network may give a smaller mask than its image."""
    return masks if masks.shape[1:3] == size_px else resize_images(masks, size_px)


def resize_images(images: NDArray[np.uint8], size_px: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize images or masks with Pillow's bilinear filter, which averages when shrinking.

    Args:
        images: (batch, height, width, 3).
        size_px: Height and width of the result.
    """
    resized = np.empty((len(images), *size_px, 3), np.uint8)
    for image, result in zip(images, resized, strict=True):
        result[:] = resized_image(image, size_px)
    return resized


def _start_onnx(name: RuntimeName, weights: Path, threads: int | None) -> OnnxRuntime:
    if name == "tensorflow":
        raise WeightsError(
            f"{weights}: an ONNX network runs in OpenVINO; leave perception.runtime at auto"
        )
    return OnnxRuntime(weights, threads)


def _start(name: RuntimeName, weights: Path, threads: int | None) -> Runtime:
    if name == "auto":
        name = "tensorflow" if _gpu_for_tensorflow() else "openvino"
    if name == "tensorflow":
        return TensorFlowRuntime(weights, threads)
    return OpenVinoRuntime(weights, threads)


def may_load_tensorflow(runtime: RuntimeName) -> bool:
    """Whether a `Segmenter` with this runtime may load TensorFlow on this machine."""
    return runtime == "tensorflow" or (runtime == "auto" and _has_nvidia_driver())


def _has_nvidia_driver() -> bool:
    return any(path.exists() for path in _NVIDIA_DRIVER)


def _gpu_for_tensorflow() -> bool:
    """Whether TensorFlow sees a GPU; TensorFlow is only started if there is an NVIDIA driver."""
    if not _has_nvidia_driver():
        logger.info("There is no NVIDIA driver: the network runs on the CPU with OpenVINO.")
        return False
    try:
        sees = sees_gpu(tensorflow())
    except EnvironmentSetupError as error:
        logger.warning("There is an NVIDIA driver, but the network runs on the CPU: %s", error)
        return False
    if not sees:
        logger.info("TensorFlow sees no GPU: the network runs on the CPU with OpenVINO.")
    return sees
