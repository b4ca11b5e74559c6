"""Inference with OpenVINO: the fastest runtime on CPU, which does not need TensorFlow."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.errors import EnvironmentSetupError
from followme_uav.perception.onnx_model import onnx_model

logger = logging.getLogger(__name__)


class OpenVinoRuntime:
    """A network on the CPU.

    Args:
        weights: Weights file.
        threads: CPU threads; None: OpenVINO decides.

    Raises:
        WeightsError: The weights cannot be used.
        EnvironmentSetupError: OpenVINO is missing.
    """

    device = "CPU (OpenVINO)"

    def __init__(self, weights: Path, threads: int | None = None) -> None:
        core = openvino_core()
        self._network = core.read_model(onnx_model(weights).SerializeToString())
        self._runner = OpenVinoRunner(core, self._model_for, threads)

    def infer(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Segment (batch, height, width, 3) RGB bytes: probabilities in 1/255, same shape."""
        return self._runner.infer(rgb)

    def _model_for(self, size: tuple[int, int]) -> Any:
        """The network for one image of `size`, with bytes as output."""
        import openvino
        from openvino import opset13 as ops

        logger.debug("OpenVINO compiles the network for images of %d x %d pixels.", *size[::-1])
        network = self._network.clone()
        network.reshape([1, *size, 3])
        # The model ends with a transposition; bytes take a fraction of its time with floats.
        transposed = network.output(0).get_node().input_value(0).get_node()
        probabilities, axes = transposed.input_values()
        levels = ops.round(ops.multiply(probabilities, np.float32(255.0)), "half_to_even")
        levels = ops.transpose(ops.convert(levels, "u8"), axes)
        return openvino.Model([levels], network.get_parameters())


class OpenVinoRunner:
    """Compiles a network for each size of image, and runs it.

    A single image uses all threads, for the shortest latency. The images of a batch are computed in
    parallel, for the highest throughput. An image gives the same bytes either way.

    Args:
        core: OpenVINO.
        model_for: Makes the model for one image of a (height, width): from bytes to a mask in
            bytes, and where there is a `check` a second result.
        threads: CPU threads; None: OpenVINO decides.
        check: Called with the second result of each image.
    """

    def __init__(
        self,
        core: Any,
        model_for: Callable[[tuple[int, int]], Any],
        threads: int | None,
        check: Callable[[NDArray[np.float32]], None] | None = None,
    ) -> None:
        self._core = core
        self._model_for = model_for
        self._threads = threads
        self._check = check
        self._single: dict[tuple[int, int], Any] = {}
        self._batch: dict[tuple[int, int], Any] = {}

    def infer(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Segment (batch, height, width, 3) RGB bytes: masks at the size of the model's output."""
        size = (rgb.shape[1], rgb.shape[2])
        rgb = np.ascontiguousarray(rgb)
        if len(rgb) == 1:
            if size not in self._single:
                self._single[size] = self._compile(size, "LATENCY").create_infer_request()
            results = self._single[size].infer([rgb], share_inputs=True)
            if self._check is not None:
                self._check(results[1])
            mask: NDArray[np.uint8] = results[0]
            return mask
        return self._infer_batch(rgb, size)

    def _infer_batch(self, rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
        import openvino

        if size not in self._batch:
            compiled = self._compile(size, "THROUGHPUT")
            shape = tuple(compiled.output(0).shape)[1:]
            self._batch[size] = openvino.AsyncInferQueue(compiled), shape
        queue, shape = self._batch[size]
        masks = np.empty((len(rgb), *shape), np.uint8)
        checks: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(rgb)

        def keep(request: Any, index: int) -> None:
            masks[index] = request.get_output_tensor(0).data[0]
            if self._check is not None:
                checks[index] = request.get_output_tensor(1).data.copy()

        queue.set_callback(keep)
        for index in range(len(rgb)):
            queue.start_async([rgb[index : index + 1]], index, share_inputs=True)
        queue.wait_all()
        if self._check is not None:
            for found in checks:
                self._check(found)
        return masks

    def _compile(self, size: tuple[int, int], hint: str) -> Any:
        properties = {
            "PERFORMANCE_HINT": hint,
            # The default is bfloat16 on CPUs that have it, with errors of 3 %.
            "INFERENCE_PRECISION_HINT": "f32",
            # Pinning would put several flights on one machine on the same cores.
            "ENABLE_CPU_PINNING": "NO",
        }
        if self._threads is not None:
            properties["INFERENCE_NUM_THREADS"] = str(self._threads)
        return self._core.compile_model(self._model_for(size), "CPU", properties)


def openvino_core() -> Any:
    """Return OpenVINO; raises `EnvironmentSetupError` without the package."""
    try:
        import openvino
    except ImportError as error:
        raise EnvironmentSetupError(
            f"OpenVINO cannot be imported ({error}); install the package's dependencies, or "
            "pass --set perception.runtime=tensorflow"
        ) from error
    return openvino.Core()
