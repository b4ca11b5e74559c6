"""Inference with OpenVINO: the fastest runtime on CPU, which does not need TensorFlow."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.errors import EnvironmentSetupError
from followme_uav.perception.onnx_model import onnx_model

logger = logging.getLogger(__name__)


class OpenVinoRuntime:
    """A network on the CPU.

    A single image uses all threads, for the shortest latency. The images of a batch are computed in
    parallel, for the highest throughput. An image gives the same bytes either way.

    Args:
        weights: Weights file.
        threads: CPU threads; None: OpenVINO decides.

    Raises:
        WeightsError: The weights cannot be used.
        EnvironmentSetupError: OpenVINO is missing.
    """

    device = "CPU (OpenVINO)"

    def __init__(self, weights: Path, threads: int | None = None) -> None:
        try:
            import openvino
        except ImportError as error:
            raise EnvironmentSetupError(
                f"OpenVINO cannot be imported ({error}); install the package's dependencies, or "
                "pass --set perception.runtime=tensorflow"
            ) from error
        self._openvino = openvino
        self._core = openvino.Core()
        self._network = self._core.read_model(onnx_model(weights).SerializeToString())
        self._threads = threads
        self._single: dict[tuple[int, int], Any] = {}
        self._batch: dict[tuple[int, int], Any] = {}

    def infer(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Segment (batch, height, width, 3) RGB bytes: probabilities in 1/255, same shape."""
        size = rgb.shape[1:3]
        rgb = np.ascontiguousarray(rgb)
        if len(rgb) == 1:
            if size not in self._single:
                self._single[size] = self._compile(size, "LATENCY").create_infer_request()
            result: NDArray[np.uint8] = self._single[size].infer([rgb], share_inputs=True)[0]
            return result
        if size not in self._batch:
            self._batch[size] = self._openvino.AsyncInferQueue(self._compile(size, "THROUGHPUT"))
        queue = self._batch[size]
        masks = np.empty_like(rgb)

        def keep(request: Any, index: int) -> None:
            masks[index] = request.get_output_tensor().data[0]

        queue.set_callback(keep)
        for index in range(len(rgb)):
            queue.start_async([rgb[index : index + 1]], index, share_inputs=True)
        queue.wait_all()
        return masks

    def _compile(self, size: tuple[int, int], hint: str) -> Any:
        """Compile the network for one image of `size`, with bytes as output."""
        from openvino import opset13 as ops

        logger.debug("OpenVINO compiles the network for images of %d x %d pixels.", *size[::-1])
        network = self._network.clone()
        network.reshape([1, *size, 3])
        probabilities = network.output(0).get_node().input_value(0)
        levels = ops.round(ops.multiply(probabilities, np.float32(255.0)), "half_to_even")
        masks = self._openvino.Model([ops.convert(levels, "u8")], network.get_parameters())
        properties = {
            "PERFORMANCE_HINT": hint,
            # The default is bfloat16 on CPUs that have it, with errors of 3 %.
            "INFERENCE_PRECISION_HINT": "f32",
            # Pinning would put several flights on one machine on the same cores.
            "ENABLE_CPU_PINNING": "NO",
        }
        if self._threads is not None:
            properties["INFERENCE_NUM_THREADS"] = str(self._threads)
        return self._core.compile_model(masks, "CPU", properties)
