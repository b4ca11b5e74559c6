"""Descriptions of files and folders that are passed as weights but hold none.

Examples are a folder, a checkpoint of another library, or a web page saved in place of a file. The
first bytes identify most of them; nothing in a file is run.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from followme_uav.perception import keras_config

HDF5 = b"\x89HDF\r\n\x1a\n"
ZIP = b"PK\x03\x04"
_TABLE_END = bytes.fromhex("57fb808b247547db")
"""Last bytes of the index of a TensorFlow checkpoint."""

_BY_FIRST_BYTES = (
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself; run 'git lfs pull'"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89MCAP", "an MCAP log"),
    (b"\x1f\x8b", "compressed by gzip; unpack it"),
    (b"BZh", "compressed by bzip2; unpack it"),
    (b"\xfd7zXZ", "compressed by xz; unpack it"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"model_checkpoint_path:", "the list of a TensorFlow checkpoint, without weights"),
)
_SEVERAL_BYTES = 4096


def describe_folder(path: Path) -> str:
    """Describe a folder that was passed in place of a file."""
    if (path / "saved_model.pb").is_file():
        return (
            "a TensorFlow SavedModel folder, which is a program; save the weights in TensorFlow "
            "with model.save_weights('NAME.h5')"
        )
    if (path / "checkpoint").is_file() or any(path.glob("*.index")):
        return (
            "a folder with a TensorFlow checkpoint; save the weights in TensorFlow with "
            "model.save_weights('NAME.h5')"
        )
    if (path / "config.json").is_file() and (path / "model.weights.h5").is_file():
        return "an unpacked Keras archive; pass the .keras file itself"
    return "a folder, not a file"


def describe(path: Path) -> str:
    """Describe a file that is neither an HDF5 file nor a Keras archive.

    Raises:
        OSError: The file cannot be read.
    """
    size = path.stat().st_size
    if size == 0:
        return "empty, not an HDF5 file"
    with path.open("rb") as file:
        first = file.read(_SEVERAL_BYTES)
        file.seek(max(0, size - len(_TABLE_END)))
        last = file.read()
    for start, what in _BY_FIRST_BYTES:
        if first.startswith(start):
            return what
    text = first.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "a web page saved in place of the file; download the file itself (its raw content)"
    if text.startswith((b"{", b"[", b'"')):
        return _describe_json(path, size)
    if first.startswith(ZIP):
        return _describe_zip(path)
    if first[:1] == b"\x80" and b"\x02" <= first[1:2] <= b"\x05":
        return "a Python pickle (PyTorch and others write such), which is a program and never read"
    if first[4:8] == b"TFL3":
        return "a TensorFlow Lite model"
    if first[8:9] == b"{" and int.from_bytes(first[:8], "little") < 10**8:
        return "a safetensors file"
    if last == _TABLE_END or ".data-0" in path.name or path.suffix in (".ckpt", ".index", ".meta"):
        return (
            "part of a TensorFlow checkpoint; save the weights in TensorFlow with "
            "model.save_weights('NAME.h5')"
        )
    if path.suffix == ".pb":
        return "a TensorFlow graph"
    if path.suffix == ".onnx" or (first[:1] == b"\x08" and first[2:3] in (b"\x12", b":")):
        return (
            "an ONNX network; fly, scenario, replay and evaluate run those whose names end in .onnx"
        )
    return f"not an HDF5 file (first bytes {first[:8]!r})"


def _describe_json(path: Path, size: int) -> str:
    if size <= keras_config.MAX_JSON_BYTES and keras_config.parse(path.read_bytes()) is not None:
        name = path.name.removeprefix("config_")
        beside = path.with_name(name)
        held = f"those are in {name}" if name != path.name and beside.is_file() else "it has none"
        return f"a network's JSON (model.to_json), not its weights; {held}"
    return "JSON, not weights"


def _describe_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "a damaged or truncated zip archive"
    if any(name.endswith("data.pkl") for name in names):
        return "a PyTorch file, which is a program and never read"
    if names and all(name.endswith(".npy") for name in names):
        return "a NumPy archive (.npz)"
    inside = next((name for name in names if name.endswith((".h5", ".hdf5"))), None)
    return f"a zip archive; unpack it and pass {inside}" if inside else "a zip archive; unpack it"
