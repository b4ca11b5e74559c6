"""Weights files: plain HDF5 data, one data set for each variable of a network.

Nothing in a weights file is code or a serialised object; the file only names the architecture,
and this package builds it. Loading checks everything before a value is used.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from followme_uav.errors import WeightsError
from followme_uav.perception.models import ARCHITECTURES, CLASSES, INPUT_SIZE_PX, keras_model

if TYPE_CHECKING:
    import keras

FORMAT = "followme-uav-weights"
FORMAT_VERSION = 1
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class WeightsFile:
    """What a weights file holds."""

    architecture: str
    variables: dict[str, NDArray[np.float32]]
    """Values by variable path, e.g. `encoder1_conv/bias`."""


def save_weights(model: keras.Model, path: Path) -> None:
    """Writes the variables of `model` to `path`; a reader never sees half a file.

    Args:
        model: A network of `ARCHITECTURES`, recognised by its name.
        path: File to write; its folder is made if needed.
    """
    import h5py

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        with h5py.File(temporary, "w") as file:
            file.attrs["format"] = FORMAT
            file.attrs["format_version"] = FORMAT_VERSION
            file.attrs["architecture"] = model.name
            file.attrs["classes"] = ",".join(CLASSES)
            file.attrs["input_size_px"] = INPUT_SIZE_PX
            for variable in model.variables:
                file.create_dataset(variable.path, data=variable.numpy())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def read_weights(path: Path) -> WeightsFile:
    """Reads and checks a weights file without building a network.

    Raises:
        WeightsError: The file is missing, damaged, of another format, for an unknown network, or
            holds values that are not finite.
    """
    import h5py

    remedy = "pass --weights a file made by 'followme-uav train'"
    if not path.is_file():
        raise WeightsError(f"{path}: no such weights file; {remedy}")
    with path.open("rb") as raw:
        first = raw.read(len(_HDF5_SIGNATURE))
    if first != _HDF5_SIGNATURE:
        raise WeightsError(f"{path}: not an HDF5 file (first bytes {first!r}); {remedy}")
    variables: dict[str, NDArray[np.float32]] = {}

    def keep(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset):
            variables[name] = np.asarray(item[()], dtype=np.float32)

    try:
        with h5py.File(path, "r") as file:
            attributes = dict(file.attrs)
            if attributes.get("format") == FORMAT:
                file.visititems(keep)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        cause = " ".join(str(error).split())
        raise WeightsError(f"{path}: damaged or truncated ({cause}); {remedy}") from error

    if attributes.get("format") != FORMAT:
        raise WeightsError(f"{path}: HDF5, but not weights of followme-uav; {remedy}")
    version = attributes.get("format_version")
    if version != FORMAT_VERSION:
        raise WeightsError(
            f"{path}: weights format version {version}, this program reads {FORMAT_VERSION}; "
            "use the program that wrote it or train again"
        )
    if attributes.get("classes") != ",".join(CLASSES):
        raise WeightsError(
            f"{path}: made for classes {attributes.get('classes')}, needed {','.join(CLASSES)}; "
            f"{remedy}"
        )
    architecture = str(attributes.get("architecture"))
    if architecture not in ARCHITECTURES:
        raise WeightsError(
            f"{path}: made for an unknown network '{architecture}' "
            f"(known: {', '.join(ARCHITECTURES)}); pass other weights or a newer program"
        )
    for name, values in variables.items():
        if not np.isfinite(values).all():
            raise WeightsError(f"{path}: {name} holds values that are not finite; train again")
    return WeightsFile(architecture, variables)


def load_model(path: Path, architecture: str | None = None) -> keras.Model:
    """Builds the network a weights file was made for and fills it.

    Args:
        path: Weights file written by `save_weights`.
        architecture: Name that the file must carry; any known one when None.

    Raises:
        WeightsError: As `read_weights`, or the file does not fit the architecture.
    """
    stored = read_weights(path)
    if architecture is not None and stored.architecture != architecture:
        raise WeightsError(
            f"{path}: weights of {stored.architecture}, needed {architecture}; "
            f"pass weights of {architecture} or train them"
        )
    model = keras_model(stored.architecture)
    check_fit(path, stored, {v.path: tuple(v.shape) for v in model.variables})
    for variable in model.variables:
        variable.assign(stored.variables[variable.path])
    return model


def check_fit(path: Path, stored: WeightsFile, wanted: Mapping[str, tuple[int, ...]]) -> None:
    """Raises `WeightsError` unless the file holds exactly the wanted variables in those shapes."""
    for name in sorted(wanted.keys() ^ stored.variables.keys()):
        state = "lacks" if name in wanted else "has an unknown variable"
        raise WeightsError(
            f"{path}: {state} {name}, does not fit {stored.architecture}; train again"
        )
    for name, shape in wanted.items():
        found = stored.variables[name].shape
        if found != shape:
            raise WeightsError(
                f"{path}: {name} has shape {found}, {stored.architecture} needs {shape}; "
                "train again"
            )


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
