"""Quantisation of an exported network to 8-bit integers (int8), by NNCF.

Weights become bytes, and so do the results of the layers, whose ranges are measured on images.
OpenVINO computes such convolutions with instructions for integers. The network stays an ONNX model
with the same input and output. No training is needed.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from followme_uav.extras import require
from followme_uav.perception.onnx_description import NetworkDescription
from followme_uav.perception.onnx_model import INPUT

if TYPE_CHECKING:
    import onnx

OPTION = "--int8"
PACKAGES = ("nncf", "onnxruntime")
"""NNCF runs the network in ONNX Runtime while it measures."""
PRECISION = "precision"
"""Key in the metadata of a quantised network."""


def require_int8() -> None:
    """Raise `EnvironmentSetupError` unless the packages of the extra `int8` are installed."""
    for package in PACKAGES:
        require(package, "int8", OPTION)


def image_size_px(network: NetworkDescription) -> tuple[int, int]:
    """Height and width of the images for `quantised`: as in training, and whole for each layer."""
    height_px, width_px = network.size_px or 2 * (network.trained_width_px,)
    multiple = network.side_multiple_px
    return -(-height_px // multiple) * multiple, -(-width_px // multiple) * multiple


def quantised(model: onnx.ModelProto, images: Sequence[NDArray[np.uint8]]) -> onnx.ModelProto:
    """Return a network with int8 in place of 32-bit floats; `model` may be changed.

    The same images give the same network.

    Args:
        model: A network by `onnx_model`.
        images: (height, width, 3) RGB each, as the network gets them in flight.

    Raises:
        EnvironmentSetupError: NNCF or ONNX Runtime is missing.
    """
    require_int8()
    # NNCF writes bars and log to standard output, which belongs to the result of the command.
    with redirect_stdout(sys.stderr if sys.stderr.isatty() else io.StringIO()):
        import nncf

        logging.getLogger("nncf").setLevel(logging.ERROR)  # its own function mutes handlers, too
        result: onnx.ModelProto = nncf.quantize(
            model,
            nncf.Dataset(images, lambda image: {INPUT: image[None]}),
            preset=nncf.QuantizationPreset.MIXED,
            target_device=nncf.TargetDevice.CPU,
            subset_size=len(images),
            fast_bias_correction=True,
        )
    result.metadata_props.add(key=PRECISION, value="int8")
    return result
