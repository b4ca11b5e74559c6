"""Files with a network for `--weights`: weights of this program or of Keras, or an ONNX network."""

from __future__ import annotations

import hashlib
from pathlib import Path

from followme_uav.config import FlightConfig, changed
from followme_uav.perception import weights
from followme_uav.perception.models import INPUT_SIZE_PX
from followme_uav.perception.onnx_description import description_file
from followme_uav.perception.onnx_file import read_onnx


def is_onnx(path: Path) -> bool:
    """Whether the name is that of an ONNX network."""
    return path.suffix.lower() == ".onnx"


def check_network(path: Path) -> None:
    """Check a file before the long work, without running its network.

    Raises:
        WeightsError: It is missing, damaged, or cannot be used as a segmenter.
        EnvironmentSetupError: A library that its kind needs is missing.
    """
    if is_onnx(path):
        from followme_uav.perception.onnx_runtime import OnnxRuntime

        OnnxRuntime(path).check_shapes((INPUT_SIZE_PX, INPUT_SIZE_PX))
    else:
        weights.read_weights(path)


def with_images_for(path: Path, config: FlightConfig) -> FlightConfig:
    """Return a configuration whose images have the scale of this network's training frames.

    A size of images that was set, and does not follow from the network, stays as it is.

    Raises:
        WeightsError: As `check_network`.
    """
    if is_onnx(path):
        width_px = read_onnx(path).description.trained_width_px
    else:
        width_px = weights.read_weights(path).network.trained_side_px
    if width_px == config.camera.trained_width_px:
        return config
    return changed(config, overrides=[f"camera.trained_width_px={width_px}"])


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a network: of the file, with the description of an ONNX network."""
    if not is_onnx(path):
        return weights.sha256(path)
    digest = hashlib.sha256(path.read_bytes())
    digest.update(description_file(path).read_bytes())
    return digest.hexdigest()


def files_of(path: Path) -> tuple[Path, ...]:
    """Return all files of a network: itself, and those beside it that describe it."""
    if is_onnx(path):
        return path, description_file(path)
    return path, *(file for file in weights.descriptions_beside(path) if file.is_file())


def changed_ns(path: Path) -> tuple[int, ...]:
    """Times of the last change of the files of a network."""
    files = (path, description_file(path)) if is_onnx(path) else (path,)
    return tuple(file.stat().st_mtime_ns for file in files)
