"""Runs ONNX networks of other programs as segmenters, with OpenVINO.

Scaling, activation and the choice of the classes become part of the OpenVINO model, so that the
result is the mask in bytes. A second result tells whether the output was usable.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.errors import WeightsError
from followme_uav.perception.architecture import MAX_VALUES
from followme_uav.perception.onnx_file import OnnxNetwork, read_onnx
from followme_uav.perception.openvino_runtime import OpenVinoRunner, openvino_core

PROBABILITY_TOLERANCE = 0.01
"""An output without activation may leave 0..1 by so much."""


class OnnxRuntime:
    """An ONNX network on the CPU.

    Args:
        path: The ONNX file; its description lies beside it.
        threads: CPU threads; None: OpenVINO decides.

    Raises:
        WeightsError: The file cannot be used.
        EnvironmentSetupError: OpenVINO or onnx is missing.
    """

    device = "CPU (OpenVINO)"

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self.network: OnnxNetwork = read_onnx(path)
        core = openvino_core()
        try:
            self._model = core.read_model(self.network.content)
        except Exception as error:  # OpenVINO's errors have no common class
            raise WeightsError(f"{path}: OpenVINO cannot read it: {_line(error)}") from error
        self._runner = OpenVinoRunner(core, self._model_for, threads, self._check)

    def check_shapes(self, size_px: tuple[int, int]) -> None:
        """Check that the network fits images of a size, without running it.

        Args:
            size_px: Height and width, for a network without a size of its own.

        Raises:
            WeightsError: It does not.
        """
        self._model_for(self.network.size_px or size_px)

    def infer(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Segment (batch, height, width, 3) RGB bytes.

        Returns:
            (batch, h, w, 3) probabilities in 1/255, at the size of the network's output.

        Raises:
            WeightsError: The output is not finite, or is no probability.
        """
        try:
            return self._runner.infer(rgb)
        except RuntimeError as error:
            raise WeightsError(f"{self.network.path}: cannot be run: {_line(error)}") from error

    def _check(self, found: NDArray[np.float32]) -> None:
        total, excess = map(float, found)
        if not math.isfinite(total):
            raise WeightsError(
                f"{self.network.path}: its output holds values that are not finite (NaN or "
                "infinite); check the scaling in its description, or train it again"
            )
        if excess > PROBABILITY_TOLERANCE:
            raise WeightsError(
                f"{self.network.path}: its output holds values outside of 0..1; write 'activation: "
                "softmax' or 'activation: sigmoid' in its description"
            )

    def _model_for(self, size: tuple[int, int]) -> Any:
        """The model for one image of `size`, from bytes to a mask in bytes."""
        import openvino
        from openvino import opset13 as ops

        network, path = self.network, self.network.path
        model = self._model.clone()
        is_first = network.layout == "nchw"
        try:
            model.reshape([1, 3, *size] if is_first else [1, *size, 3])
        except Exception as error:
            raise WeightsError(
                f"{path}: does not run on images of {size[1]} x {size[0]} pixels ({_line(error)}); "
                "write width_px and height_px in its description"
            ) from error
        self._check_sizes(model)
        image = ops.parameter([1, *size, 3], np.uint8, name="rgb")
        (parameter,) = model.get_parameters()
        scaled = self._scaled(image, parameter.get_element_type())
        for target in parameter.output(0).get_target_inputs():
            target.replace_source_output(scaled.output(0))
        result = model.output(network.output).get_node().input_value(0)
        raw = self._channels_last(result, size)
        probabilities = _activated(raw, network.description.activation)
        levels = ops.round(
            ops.multiply(self._classes(probabilities), np.float32(255.0)), "half_to_even"
        )
        return openvino.Model([ops.convert(levels, "u8"), self._usable(raw)], [image])

    def _check_sizes(self, model: Any) -> None:
        for operation in model.get_ops():
            for output in operation.outputs():
                shape = output.get_partial_shape()
                if shape.is_static and math.prod(shape.to_shape()) > MAX_VALUES:
                    raise WeightsError(
                        f"{self.network.path}: the result of {operation.get_friendly_name():.80} "
                        f"has shape {list(shape.to_shape())}, which is too large"
                    )

    def _scaled(self, image: Any, kind: Any) -> Any:
        """The network's input, from (1, height, width, 3) RGB bytes."""
        from openvino import opset13 as ops

        about, x = self.network.description, image
        if about.channels == "bgr":
            x = ops.gather(x, np.array([2, 1, 0]), np.array(3))
        if not self.network.takes_bytes:
            x = ops.divide(ops.convert(x, "f32"), np.float32(about.divide_by))
            x = ops.subtract(x, np.array(about.mean, np.float32))
            x = ops.divide(x, np.array(about.std, np.float32))
            x = ops.convert(x, kind)
        return ops.transpose(x, np.array([0, 3, 1, 2])) if self.network.layout == "nchw" else x

    def _channels_last(self, result: Any, size: tuple[int, int]) -> Any:
        """The output as (1, h, w, channels) floats; raises `WeightsError` for other outputs."""
        from openvino import opset13 as ops

        path, shape = self.network.path, result.get_partial_shape()
        said = f"{path}: its output has shape {shape}"
        if not result.get_element_type().is_real():
            raise WeightsError(
                f"{path}: its output has type {result.get_element_type().get_type_name()}; export "
                "the probabilities or logits of all classes, not the class numbers"
            )
        if not shape.is_static or len(shape) != 4:
            raise WeightsError(f"{said}; needed are four axes of known size for an image")
        sizes = list(shape.to_shape())
        classes = self.network.description.classes
        needed = 1 + max((*classes.hero, *classes.people, *classes.background))
        order = ("nchw", "nhwc") if self.network.layout == "nchw" else ("nhwc", "nchw")
        for layout in order:
            depth, h, w = sizes[1:] if layout == "nchw" else (sizes[3], *sizes[1:3])
            # One pixel may be lost by rounding in each direction.
            if abs(h * size[1] - w * size[0]) > max(size) and (h, w) != (1, 1):
                continue
            if depth < needed:
                raise WeightsError(
                    f"{said}, so {depth} classes; its description names channel {needed - 1}"
                )
            x = ops.convert(result, "f32")
            return ops.transpose(x, np.array([0, 2, 3, 1])) if layout == "nchw" else x
        raise WeightsError(
            f"{said}, no image of {size[1]} x {size[0]} pixels with a channel for each class"
        )

    def _classes(self, probabilities: Any) -> Any:
        """(1, h, w, 3): background, people, hero, of the network's channels."""
        from openvino import opset13 as ops

        about = self.network.description
        depth = probabilities.get_output_shape(0)[3]
        people, hero = about.classes.people, about.classes.hero
        rest = tuple(c for c in range(depth) if c not in (*people, *hero))
        background = about.classes.background or rest
        if (background, people, hero) == ((0,), (1,), (2,)) and depth == 3:
            return probabilities
        join = ops.reduce_max if about.activation == "sigmoid" else ops.reduce_sum

        def plane(channels: tuple[int, ...]) -> Any:
            if not channels:
                return ops.multiply(
                    ops.gather(probabilities, np.array([0]), np.array(3)), np.float32(0.0)
                )
            chosen = ops.gather(probabilities, np.array(channels), np.array(3))
            return ops.clamp(join(chosen, np.array([3]), keep_dims=True), 0.0, 1.0)

        both = plane(people), plane(hero)
        if background:
            first = plane(background)
        else:
            first = ops.clamp(ops.subtract(np.float32(1.0), ops.add(*both)), 0.0, 1.0)
        return ops.concat([first, *both], 3)

    def _usable(self, raw: Any) -> Any:
        """Sum of all magnitudes, which is finite if all are; and distance from 0..1."""
        from openvino import opset13 as ops

        axes = np.array([0, 1, 2, 3])
        total = ops.reduce_sum(ops.abs(raw), axes, keep_dims=False)
        excess: Any = np.float32(0.0)
        if self.network.description.activation == "none":
            distance = ops.subtract(ops.abs(ops.subtract(raw, np.float32(0.5))), np.float32(0.5))
            excess = ops.reduce_max(distance, axes, keep_dims=False)
        one = np.array([1])
        parts = [ops.reshape(part, one, special_zero=False) for part in (total, excess)]
        return ops.concat(parts, 0)


def _activated(raw: Any, activation: str) -> Any:
    from openvino import opset13 as ops

    if activation == "softmax":
        return ops.softmax(raw, 3)
    return ops.sigmoid(raw) if activation == "sigmoid" else raw


def _line(error: Exception) -> str:
    """The telling part of OpenVINO's messages, which have many lines."""
    text = str(error)
    unknown = re.search(
        r"(?:does not support|not supported).*?operations?:\s*(.+)", text, re.DOTALL
    )
    if unknown:
        return f"it does not support the operator {unknown[1].split()[0]}"
    lines = [line.strip() for line in text.splitlines()]
    noise = re.compile(r"^(Exception from|Check '.*failed at|While validating|$)|^-+$")
    telling = [line for line in lines if not noise.match(line)] or lines
    return f"{' '.join(telling):.200}"
