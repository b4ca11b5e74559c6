"""Weights files: plain HDF5 data, one data set for each variable of a network.

A weights file holds no code and no serialised objects. It names one of the networks of `models`, or
lists the layers of another network, which this package builds. Everything is checked before a value
is used. Files of Keras are read as well, see `keras_files` and `legacy_weights`.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.errors import WeightsError
from followme_uav.files import is_same_file, write_hdf5
from followme_uav.perception import foreign_files, keras_config, keras_files, legacy_weights
from followme_uav.perception.architecture import (
    Architecture,
    ArchitectureError,
    from_json,
    to_json,
)
from followme_uav.perception.keras_files import MAX_BYTES, KerasFile
from followme_uav.perception.models import ARCHITECTURES, CLASSES, keras_model
from followme_uav.perception.structure import JsonNeededError

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

FORMAT = "followme-uav-weights"
FORMAT_VERSION = 1
FORMAT_VERSION_WITH_LAYERS = 2
"""Version of files that list their layers, because `ARCHITECTURES` lacks the network."""

FOR_WEIGHTS = "pass --weights a file made by 'followme-uav train' or 'followme-uav import-weights'"
FOR_INIT = "pass --init a file made by 'followme-uav train' or 'followme-uav import-weights'"
FOR_IMPORT = "pass import-weights an HDF5 or .keras file that Keras saved"
"""Remedies in error messages, by command."""


@dataclass(frozen=True)
class WeightsFile:
    """Content of a weights file."""

    network: Architecture
    variables: dict[str, NDArray[np.float32]]
    """Values by variable path, e.g. `encoder1_conv/bias`."""
    origin: str = "followme-uav"
    """Program that wrote the file."""
    described_by: str = ""
    """Source of the structure of a Keras file."""

    @property
    def architecture(self) -> str:
        """Name of the network."""
        return self.network.name

    @property
    def parameters(self) -> int:
        """Number of values in all variables."""
        return sum(values.size for values in self.variables.values())


def save_weights(model: keras.Model, path: Path) -> None:
    """Write the variables of `model` to `path` atomically.

    Args:
        model: A network of `ARCHITECTURES`, identified by its name.
        path: File to write; its folder is made if missing.
    """
    variables = {v.path: v.numpy() for v in model.variables}
    _write(WeightsFile(ARCHITECTURES[model.name], variables), path)


def read_weights(
    path: Path, *, architecture: Path | None = None, remedy: str = FOR_WEIGHTS
) -> WeightsFile:
    """Read and check a weights file of this program or of Keras, without building a network.

    Args:
        path: File to read.
        architecture: JSON of the network of a Keras file; None looks for it beside the file.
        remedy: Advice at the end of error messages.

    Raises:
        WeightsError: The file is missing, damaged, too large, of another format, for an unknown
            network, or holds values that are not finite.
    """
    stored = _read(path, architecture, remedy)
    _check_fit(path, stored, remedy)
    for name, values in stored.variables.items():
        if not np.isfinite(values).all():
            raise WeightsError(f"{path}: {name} holds values that are not finite; {remedy}")
    return stored


def import_weights(
    old: Path, new: Path, *, architecture: Path | None = None, force: bool = False
) -> WeightsFile:
    """Convert Keras weights to the format of this program.

    Args:
        old: Weights or whole model of Keras, see `keras_files`.
        new: File to write.
        architecture: JSON of the network; None looks for it beside the weights.
        force: Replace `new` if it exists; `old` and `architecture` are never replaced.

    Returns:
        The converted weights.

    Raises:
        WeightsError: As `read_weights`, the file needs no conversion, or `new` exists.
    """
    for kept in (old, architecture):
        if kept is not None and is_same_file(kept, new):
            raise WeightsError(f"{new}: would overwrite {kept}, which is read; choose another file")
    if new.exists() and not force:
        raise WeightsError(f"{new}: is there already; choose another file or pass --force")
    stored = read_weights(old, architecture=architecture, remedy=FOR_IMPORT)
    if stored.origin == WeightsFile.origin:
        raise WeightsError(f"{old}: in the present format already; use it as it is")
    _write(stored, new)
    return stored


def _write(content: WeightsFile, path: Path) -> None:
    network = content.network
    is_own = ARCHITECTURES.get(network.name) == network

    def fill(file: Any) -> None:
        file.attrs["format"] = FORMAT
        file.attrs["format_version"] = FORMAT_VERSION if is_own else FORMAT_VERSION_WITH_LAYERS
        file.attrs["architecture"] = network.name
        file.attrs["classes"] = ",".join(CLASSES)
        if is_own:
            file.attrs["input_size_px"] = network.trained_side_px
        else:
            file.attrs["layers"] = to_json(network)
        for name, values in content.variables.items():
            file.create_dataset(name, data=values)

    write_hdf5(path, fill)


def _read(path: Path, architecture: Path | None, remedy: str) -> WeightsFile:
    import h5py

    try:
        if path.is_dir():
            raise WeightsError(f"{path}: {foreign_files.describe_folder(path)}; {remedy}")
        if not path.is_file():
            raise WeightsError(f"{path}: no such weights file; {remedy}")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise WeightsError(f"{path}: {size:,} bytes are too many for weights; {remedy}")
        with path.open("rb") as raw:
            first = raw.read(len(foreign_files.HDF5))
        found: KerasFile | None = None
        if first == foreign_files.HDF5:
            with h5py.File(path, "r") as file:
                attributes = dict(file.attrs)
                if attributes.get("format") == FORMAT:
                    return _own(path, attributes, keras_files.read_arrays(file), remedy)
                found = keras_files.read_h5(file)
            if found is None:
                what = "a training checkpoint" if "identity" in attributes else "HDF5"
                raise WeightsError(f"{path}: {what}, but not weights of followme-uav; {remedy}")
        elif first.startswith(foreign_files.ZIP):
            found = keras_files.read_archive(path)
        if found is None:
            raise WeightsError(f"{path}: {foreign_files.describe(path)}; {remedy}")
    except ArchitectureError as error:
        raise WeightsError(f"{path}: Keras weights, but {error}; {remedy}") from error
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        cause = " ".join(str(error).split())
        raise WeightsError(f"{path}: damaged or truncated ({cause}); {remedy}") from error
    return _keras(path, found, architecture, remedy)


def _own(
    path: Path,
    attributes: dict[str, Any],
    arrays: dict[str, NDArray[np.float32]],
    remedy: str,
) -> WeightsFile:
    version = attributes.get("format_version")
    if version not in (FORMAT_VERSION, FORMAT_VERSION_WITH_LAYERS):
        raise WeightsError(
            f"{path}: weights format version {version}, this program reads up to "
            f"{FORMAT_VERSION_WITH_LAYERS}; use the program that wrote it or train again"
        )
    if attributes.get("classes") != ",".join(CLASSES):
        raise WeightsError(
            f"{path}: made for classes {attributes.get('classes')}, needed {','.join(CLASSES)}; "
            f"{remedy}"
        )
    name = str(attributes.get("architecture"))
    if version == FORMAT_VERSION_WITH_LAYERS:
        try:
            network = from_json(name, keras_files.text_of(attributes.get("layers")))
        except ArchitectureError as error:
            raise WeightsError(f"{path}: network {name:.80}: {error}; {remedy}") from error
    elif name in ARCHITECTURES:
        network = ARCHITECTURES[name]
    else:
        raise WeightsError(
            f"{path}: made for an unknown network '{name:.80}' "
            f"(known: {', '.join(ARCHITECTURES)}); pass other weights or a newer program"
        )
    return WeightsFile(network, arrays)


def _keras(path: Path, found: KerasFile, architecture: Path | None, remedy: str) -> WeightsFile:
    """The network of a Keras file: by its own JSON, by that beside it, or by its layers alone."""
    if found.config is not None and architecture is None:
        descriptions: Iterator[tuple[str, Any]] = iter([("the JSON in it", found.config)])
    elif architecture is not None:
        descriptions = iter([(str(architecture), _given_json(architecture))])
    else:
        descriptions = _json_beside(path)
    said = f"{path}: weights of {found.writer}, structure"
    for source, config in descriptions:
        try:
            described = keras_config.network(config)
            network = legacy_weights.recognise(found.with_json(described), described)
        except legacy_weights.MismatchError as error:
            other = "put the JSON of the same network (model.to_json) beside it"
            raise WeightsError(f"{said} by {source}: {error}; {other}") from error
        except ArchitectureError as error:
            raise WeightsError(f"{said} by {source}: {error}; {remedy}") from error
        return WeightsFile(network.network, network.variables, found.writer, source)
    hint = (
        f"put the network's JSON (model.to_json) beside it as config_{path.name}, or pass it to "
        "import-weights as --architecture"
    )
    try:
        if found.layers is None:
            raise JsonNeededError("it does not tell the order of its layers")
        network = legacy_weights.recognise(found.layers, None)
    except JsonNeededError as error:
        raise WeightsError(f"{said} unknown: {error}; {hint}") from error
    except ArchitectureError as error:
        raise WeightsError(f"{said} not usable: {error}; {remedy}") from error
    known = "names and shapes of its layers, connected as in the Udacity project"
    return WeightsFile(network.network, network.variables, found.writer, known)


def _json_beside(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield name and content of JSON files beside the weights."""
    for candidate in descriptions_beside(path):
        config = _keras_json(candidate)
        if config is not None:
            yield candidate.name, config


def descriptions_beside(path: Path) -> Iterator[Path]:
    """Yield paths of JSON files that may lie beside the weights, by customary names."""
    name, stem = path.name, path.name.partition(".")[0]
    names = [f"config_{name}", f"config_{name}.json", f"config_{stem}", f"config_{stem}.json"]
    names += [f"config_{stem}.h5", f"{name}.json", f"{stem}.json"]
    for folder in dict.fromkeys([path.parent, path.resolve().parent]):
        for candidate in dict.fromkeys(names):
            yield folder / candidate


def _given_json(path: Path) -> Any:
    config = _keras_json(path)
    if config is None:
        raise WeightsError(
            f"{path}: not the JSON of a Keras network; pass --architecture a file with the text "
            "of model.to_json()"
        )
    return config


def _keras_json(path: Path) -> Any:
    """Read the JSON of a network; None when the file is missing or something else."""
    try:
        if not path.is_file() or path.stat().st_size > keras_config.MAX_JSON_BYTES:
            return None
        return keras_config.parse(path.read_bytes())
    except OSError as error:
        logger.info("%s: cannot be read (%s); it is not used.", path, error.strerror)
        return None


def load_model(path: Path) -> keras.Model:
    """Build the network of a weights file and set its values.

    Args:
        path: Weights file of this program or of Keras.

    Raises:
        WeightsError: As `read_weights`, or the file does not fit its architecture.
    """
    stored = read_weights(path)
    model = keras_model(stored.network)
    for variable in model.variables:
        variable.assign(stored.variables[variable.path])
    return model


def take_over_layers(model: keras.Model, path: Path) -> list[str]:
    """Set the layers of `model` that a weights file has with the same name and shapes.

    The networks share their first layers, and some share the last; a training is shorter when it
    starts from layers of another network.

    Args:
        model: A network of any architecture; its other layers stay unchanged.
        path: Weights file of any architecture.

    Returns:
        Names of the layers taken over, in the order of the network.

    Raises:
        WeightsError: As `read_weights`, or no layer fits.
    """
    stored = read_weights(path, remedy=FOR_INIT)
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


def _check_fit(path: Path, stored: WeightsFile, remedy: str) -> None:
    """Raise `WeightsError` unless the file holds exactly the variables of its network."""
    wanted = stored.network.variables
    for name in sorted(wanted.keys() ^ stored.variables.keys()):
        state = "lacks" if name in wanted else "has an unknown variable"
        raise WeightsError(
            f"{path}: {state} {name:.200}, does not fit {stored.architecture}; {remedy}"
        )
    for name, shape in wanted.items():
        found = stored.variables[name].shape
        if found != shape:
            raise WeightsError(
                f"{path}: {name} has shape {found}, {stored.architecture} needs {shape}; {remedy}"
            )


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of the bytes of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
