"""Reader for files that Keras saved: arrays by layer, and the network's JSON if the file holds it.

Four kinds of files are read, all as data:

- `model.save_weights` of Keras 2: HDF5, layers in order, names of arrays (`weight_names`);
- `model.save` as HDF5: the same in a group, and the network's JSON as an attribute;
- `model.save_weights` of Keras 3: HDF5, arrays by number within a layer, no order of layers;
- `model.save` of Keras 3: a zip archive of such weights and the network's JSON.
"""

from __future__ import annotations

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.perception.architecture import MAX_PARAMETERS, ArchitectureError
from followme_uav.perception.keras_config import MAX_JSON_BYTES, KerasNetwork, parse
from followme_uav.perception.legacy_weights import Arrays, MismatchError

MAX_BYTES = 8 * MAX_PARAMETERS
"""Largest file: four bytes for each parameter, and as much again for the state of an optimizer."""
MAX_UNPACKED_BYTES = 5 * MAX_PARAMETERS
"""Largest size of all arrays after decompression: four bytes for each parameter, and a margin."""

_PARTS = {
    "SeparableConv2D": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "Conv2D": ("kernel", "bias"),
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"),
}
"""Arrays of a layer in the order of Keras 3, by class name."""
_OWN_LAYERS = ("layers", "_layer_checkpoint_dependencies")
"""Groups in which Keras 3, and TensorFlow before it, store the arrays of layers."""


@dataclass(frozen=True)
class KerasFile:
    """Content of a file that Keras wrote."""

    layers: tuple[tuple[str, Arrays], ...] | None
    """Name and arrays of each layer, in order; None if only the JSON tells it, see `with_json`."""
    config: Mapping[str, Any] | None
    """The network's JSON, if the file holds it."""
    writer: str
    """E.g. "Keras 2.0.6-tf"."""
    numbered: Mapping[str, tuple[str, Mapping[int, NDArray[np.float32]]]]
    """Keras 3: by group, the layer's name ("" where the file lacks it) and its arrays."""

    def with_json(self, described: KerasNetwork) -> tuple[tuple[str, Arrays], ...]:
        """Return name and arrays of the layers in the order of the JSON.

        Raises:
            MismatchError: The file has other layers.
        """
        if self.layers is not None:
            return self.layers
        counts: dict[str, int] = {}
        by_name = {name: arrays for name, arrays in self.numbered.values() if name}
        layers = []
        for name, kind in described.classes.items():
            base = _snake_case(kind)
            count = counts[base] = counts.get(base, -1) + 1
            group = f"{base}_{count}" if count else base
            _, arrays = self.numbered.get(group, ("", {}))
            arrays = by_name.get(name, arrays)
            layers.append((name, _named(name, kind, arrays, described.left_out.get(name, ()))))
        if sum(bool(own) for _, own in layers) < sum(bool(a) for _, a in self.numbered.values()):
            raise MismatchError("it has more layers with weights than its JSON")
        return tuple(layers)


def read_h5(file: Any) -> KerasFile | None:
    """Read an open HDF5 file; None when Keras did not write it.

    Raises:
        ArchitectureError: A listed layer or array is missing.
        OSError, RuntimeError, KeyError, ValueError, TypeError: The file is damaged.
    """
    attributes = dict(file.attrs)
    writer = f"Keras {text_of(attributes.get('keras_version', b'1'))}"
    config = parse(text_of(attributes["model_config"])) if "model_config" in attributes else None
    if "layer_names" in attributes or _chunked(attributes, "layer_names"):
        if "keras_version" not in attributes:
            raise ArchitectureError("of Keras 1, whose arrays are others; save them with Keras 2")
        return KerasFile(_listed(file), config, writer, {})
    if config is not None and _is_own(file, "model_weights"):
        return KerasFile(_listed(file["model_weights"]), config, writer, {})
    for name in _OWN_LAYERS:
        if _is_own(file, name):
            return KerasFile(None, None, "Keras 3", _numbered(file[name]))
    return None


def read_archive(path: Path) -> KerasFile | None:
    """Read a `.keras` archive; None when the zip file is something else.

    Raises:
        ArchitectureError: The archive has no weights.
        OSError, RuntimeError, KeyError, ValueError, TypeError: The file is damaged.
    """
    import h5py

    try:
        with zipfile.ZipFile(path) as archive:
            if "config.json" not in archive.namelist():
                return None
            config = parse(_member(archive, "config.json", MAX_JSON_BYTES))
            if config is None:
                return None
            metadata = _member(archive, "metadata.json", MAX_JSON_BYTES).decode("utf-8", "replace")
            content = _member(archive, "model.weights.h5", MAX_BYTES)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise ValueError(str(error)) from error
    version = re.search(r'"keras_version":\s*"([\w.+-]{1,40})"', metadata)
    with h5py.File(io.BytesIO(content), "r") as file:
        found = read_h5(file)
    if found is None:
        raise ArchitectureError("holds no weights")
    writer = f"Keras {version[1] if version else 3}"
    return KerasFile(found.layers, config, writer, found.numbered)


def read_arrays(file: Any) -> dict[str, NDArray[np.float32]]:
    """Read all arrays of a file or group, by path.

    Links to other files are not followed, and arrays that are stored in other files are refused.
    """
    arrays: dict[str, NDArray[np.float32]] = {}
    unpacked = 0

    def keep(name: str, item: Any) -> None:
        nonlocal unpacked
        import h5py

        if not isinstance(item, h5py.Dataset):
            return
        if item.is_virtual or item.external:
            raise ValueError(f"{name} is stored in another file")
        unpacked += item.nbytes
        if unpacked > MAX_UNPACKED_BYTES:
            raise ValueError(f"{name} makes it more than {MAX_UNPACKED_BYTES:,} bytes of numbers")
        arrays[name] = np.asarray(item[()], dtype=np.float32)

    file.visititems(keep)
    return arrays


def text_of(value: Any) -> str:
    """Decode a text attribute."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _listed(group: Any) -> tuple[tuple[str, Arrays], ...]:
    """Name and arrays of layers by the attributes `layer_names` and `weight_names`."""
    arrays = read_arrays(group)
    layers = []
    for layer in _texts(group.attrs, "layer_names"):
        if not _is_own(group, layer):
            raise ArchitectureError(f"layer {layer} is listed but not there")
        own: dict[str, NDArray[np.float32]] = {}
        for name in _texts(group[layer].attrs, "weight_names"):
            path = f"{layer}/{name}"
            if path not in arrays:
                raise ArchitectureError(f"{path} is listed but not there")
            own[name.rpartition("/")[2].partition(":")[0]] = arrays[path]
        layers.append((layer, own))
    return tuple(layers)


def _is_own(group: Any, path: str) -> bool:
    """Whether a path leads to an item of this file, without a link to another file on the way."""
    import h5py

    parts = path.strip("/").split("/")
    steps = ["/".join(parts[: i + 1]) for i in range(len(parts))]
    return all(isinstance(group.get(step, getlink=True), h5py.HardLink) for step in steps)


def _numbered(group: Any) -> dict[str, tuple[str, Mapping[int, NDArray[np.float32]]]]:
    found: dict[str, tuple[str, dict[int, NDArray[np.float32]]]] = {}
    for path, array in read_arrays(group).items():
        layer, _, number = path.partition("/vars/")
        if number.isdigit():
            name = text_of(group[f"{layer}/vars"].attrs.get("name", ""))
            found.setdefault(layer, (name, {}))[1][int(number)] = array
    return {layer: (name, arrays) for layer, (name, arrays) in found.items()}


def _named(
    name: str, kind: str, arrays: Mapping[int, NDArray[np.float32]], left_out: Collection[str]
) -> Arrays:
    """Arrays of a Keras 3 layer by short name."""
    if not arrays:
        return {}
    parts = _PARTS.get(kind.replace("Keras", ""), ())
    parts = tuple(part for part in parts if part not in left_out)
    if sorted(arrays) != list(range(len(parts))):
        raise MismatchError(f"layer {name} has {len(arrays)} arrays, needed is {', '.join(parts)}")
    return {part: arrays[number] for number, part in enumerate(parts)}


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    if archive.getinfo(name).file_size > limit:
        raise ValueError(f"{name} has more than {limit:,} bytes")
    with archive.open(name) as member:
        content = member.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"{name} has more than {limit:,} bytes")
    return content


def _chunked(attributes: Mapping[str, Any], name: str) -> bool:
    return f"{name}0" in attributes


def _texts(attributes: Any, name: str) -> list[str]:
    """A list of texts; Keras splits a long list over several attributes."""
    if name in attributes:
        values = [attributes[name]]
    else:
        values, number = [], 0
        while f"{name}{number}" in attributes:
            values.append(attributes[f"{name}{number}"])
            number += 1
        if not values:
            raise ArchitectureError(f"the attribute {name} is not there")
    return [text_of(text) for value in values for text in np.asarray(value).ravel()]


def _snake_case(name: str) -> str:
    """Name of a group for a class name, by the rule of Keras 3."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
