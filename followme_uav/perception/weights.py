"""Weights files: plain HDF5 data, one data set for each variable of a network.

Nothing in a weights file is code or a serialised object; the file only names the architecture,
and this package builds it. Loading checks everything before a value is used. Old weights of the
Udacity project are read as well, see `legacy_weights`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.errors import WeightsError
from followme_uav.files import write_hdf5
from followme_uav.perception import legacy_weights
from followme_uav.perception.models import ARCHITECTURES, CLASSES, INPUT_SIZE_PX, keras_model

if TYPE_CHECKING:
    import keras

FORMAT = "followme-uav-weights"
FORMAT_VERSION = 1
MAX_BYTES = 64 * 2**20
"""No file of more than this is read, nor arrays that unpack to more: 300 times the largest network.
A wrong or malicious file cannot fill the memory."""
_HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_REMEDY = "pass --weights a file made by 'followme-uav train'"


@dataclass(frozen=True)
class WeightsFile:
    """What a weights file holds."""

    architecture: str
    variables: dict[str, NDArray[np.float32]]
    """Values by variable path, e.g. `encoder1_conv/bias`."""
    origin: str = "followme-uav"
    """The program that wrote the file."""

    @property
    def parameters(self) -> int:
        """How many numbers the file holds."""
        return sum(values.size for values in self.variables.values())


def save_weights(model: keras.Model, path: Path) -> None:
    """Writes the variables of `model` to `path`; a reader never sees half a file.

    Args:
        model: A network of `ARCHITECTURES`, recognised by its name.
        path: File to write; its folder is made if needed.
    """
    _write(WeightsFile(model.name, {v.path: v.numpy() for v in model.variables}), path)


def read_weights(path: Path) -> WeightsFile:
    """Reads and checks a weights file, old or new, without building a network.

    Raises:
        WeightsError: The file is missing, damaged, too large, of another format, for an unknown
            network, or holds values that are not finite.
    """
    stored = _read(path)
    if stored.architecture not in ARCHITECTURES:
        raise WeightsError(
            f"{path}: made for an unknown network '{stored.architecture}' "
            f"(known: {', '.join(ARCHITECTURES)}); pass other weights or a newer program"
        )
    for name, values in stored.variables.items():
        if not np.isfinite(values).all():
            raise WeightsError(f"{path}: {name} holds values that are not finite; train again")
    return stored


def import_weights(old: Path, new: Path) -> WeightsFile:
    """Converts old weights to the present format.

    Args:
        old: HDF5 weights of Keras 2, see `legacy_weights`.
        new: File to write.

    Returns:
        What was recognised.

    Raises:
        WeightsError: As `read_weights`, or the file needs no conversion.
    """
    stored = read_weights(old)
    if stored.origin == WeightsFile.origin:
        raise WeightsError(f"{old}: in the present format already; use it as it is")
    _write(stored, new)
    return stored


def _write(content: WeightsFile, path: Path) -> None:
    def fill(file: Any) -> None:
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["architecture"] = content.architecture
        file.attrs["classes"] = ",".join(CLASSES)
        file.attrs["input_size_px"] = INPUT_SIZE_PX
        for name, values in content.variables.items():
            file.create_dataset(name, data=values)

    write_hdf5(path, fill)


def _read(path: Path) -> WeightsFile:
    import h5py

    if not path.is_file():
        raise WeightsError(f"{path}: no such weights file; {_REMEDY}")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise WeightsError(f"{path}: {size:,} bytes are too many for weights; {_REMEDY}")
    with path.open("rb") as raw:
        first = raw.read(len(_HDF5_SIGNATURE))
    if first != _HDF5_SIGNATURE:
        raise WeightsError(f"{path}: not an HDF5 file (first bytes {first!r}); {_REMEDY}")
    try:
        with h5py.File(path, "r") as file:
            attributes = dict(file.attrs)
            if attributes.get("format") == FORMAT:
                arrays, _ = _read_arrays(file)
                return _own(path, attributes, arrays)
            if legacy_weights.is_legacy(attributes):
                arrays, weight_names = _read_arrays(file)
                return _legacy(path, attributes, weight_names, arrays)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        cause = " ".join(str(error).split())
        raise WeightsError(f"{path}: damaged or truncated ({cause}); {_REMEDY}") from error
    raise WeightsError(f"{path}: HDF5, but not weights of followme-uav; {_REMEDY}")


def _read_arrays(file: Any) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:
    """All arrays by path, and the attribute `weight_names` of those groups that have one.

    Links to elsewhere are not followed, and arrays that are stored in other files are refused.
    """
    import h5py

    arrays: dict[str, NDArray[np.float32]] = {}
    weight_names: dict[str, Any] = {}
    unpacked = 0

    def keep(name: str, item: Any) -> None:
        nonlocal unpacked
        if not isinstance(item, h5py.Dataset):
            if "weight_names" in item.attrs:
                weight_names[name] = item.attrs["weight_names"]
            return
        if item.is_virtual or item.external:
            raise ValueError(f"{name} is stored in another file")
        unpacked += item.nbytes
        if unpacked > MAX_BYTES:
            raise ValueError(f"{name} makes it more than {MAX_BYTES:,} bytes of numbers")
        arrays[name] = np.asarray(item[()], dtype=np.float32)

    file.visititems(keep)
    return arrays, weight_names


def _own(
    path: Path, attributes: dict[str, Any], arrays: dict[str, NDArray[np.float32]]
) -> WeightsFile:
    version = attributes.get("format_version")
    if version != FORMAT_VERSION:
        raise WeightsError(
            f"{path}: weights format version {version}, this program reads {FORMAT_VERSION}; "
            "use the program that wrote it or train again"
        )
    if attributes.get("classes") != ",".join(CLASSES):
        raise WeightsError(
            f"{path}: made for classes {attributes.get('classes')}, needed {','.join(CLASSES)}; "
            f"{_REMEDY}"
        )
    return WeightsFile(str(attributes.get("architecture")), arrays)


def _legacy(
    path: Path,
    attributes: dict[str, Any],
    weight_names: dict[str, Any],
    arrays: dict[str, NDArray[np.float32]],
) -> WeightsFile:
    try:
        network = legacy_weights.recognise(attributes, weight_names, arrays)
    except legacy_weights.NotRecognisedError as error:
        raise WeightsError(f"{path}: old Keras weights, but {error}; {_REMEDY}") from error
    return WeightsFile(
        network.architecture, network.variables, origin=f"Keras {network.keras_version}"
    )


def load_model(path: Path) -> keras.Model:
    """Builds the network a weights file was made for and fills it.

    Args:
        path: Weights file, old or new.

    Raises:
        WeightsError: As `read_weights`, or the file does not fit its architecture.
    """
    stored = read_weights(path)
    model = keras_model(stored.architecture)
    check_fit(path, stored, {v.path: tuple(v.shape) for v in model.variables})
    for variable in model.variables:
        variable.assign(stored.variables[variable.path])
    return model


def take_over_layers(model: keras.Model, path: Path) -> list[str]:
    """Gives `model` the values of those layers that the file has with the same name and shapes.

    The networks share their first layers, and some share the last: one of them learns faster
    when it begins with what another has learnt.

    Args:
        model: A network of any architecture; its other layers stay as they are.
        path: Weights file, of the same architecture or another.

    Returns:
        Names of the layers taken over, in the network's order.

    Raises:
        WeightsError: As `read_weights`, or no layer fits.
    """
    stored = read_weights(path)
    taken = []
    for layer in model.layers:
        values = [stored.variables.get(v.path) for v in layer.variables]
        shapes = [None if v is None else v.shape for v in values]
        if values and shapes == [tuple(v.shape) for v in layer.variables]:
            layer.set_weights(values)
            taken.append(layer.name)
    if not taken:
        raise WeightsError(
            f"{path}: no layer of {stored.architecture} fits {model.name}; train without --init"
        )
    return taken


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
