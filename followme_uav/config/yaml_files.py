"""Read YAML files with mappings, and files that extend others."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from followme_uav.errors import ConfigError
from followme_uav.resources import shipped, user_file

_MOST_VALUES = 10_000_000
"""In a YAML file with aliases."""


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file with a mapping at the top level.

    Raises:
        ConfigError: The file cannot be read, is not valid YAML, or has no mapping.
    """
    try:
        data = deepcopy(_parsed(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror or error}; pass a readable YAML file"
        ) from error
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply; a configuration has few levels") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        detail = " ".join(str(error).split())
        raise ConfigError(f"{path}: not valid YAML: {detail}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected 'key: value' lines at the top level")
    return data


def safe_data(text: str, loader: Any = yaml.SafeLoader) -> Any:
    """Parse YAML of plain data with a safe loader.

    Raises:
        yaml.YAMLError: It is not valid, or stands for too many values by its aliases. PyYAML itself
            raises other errors for a value that has not the form of its type, for example for the
            date 2024-13-45, or for `!!int x`.
    """
    try:
        data = yaml.load(text, Loader=loader)  # noqa: S506 - the callers' loaders are safe ones
        if "*" in text:
            _check_aliases(data, {})
        return data
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise yaml.YAMLError(f"a value has not the form of its type: {error}") from error


def _check_aliases(data: Any, sizes: dict[int, int]) -> int:
    """Return the number of values in `data`, those of an alias counted each time.

    A few lines of aliases can stand for billions of values, or for endless ones. Raises
    `ValueError`.

    Args:
        data: A value, or a part of it.
        sizes: Of the parts that were counted, by `id`; 0: the count is under way.
    """
    if not isinstance(data, dict | list | tuple):
        return 1
    if id(data) not in sizes:
        sizes[id(data)] = 0
        inner = data.values() if isinstance(data, dict) else data
        sizes[id(data)] = 1 + sum(_check_aliases(value, sizes) for value in inner)
    if not 0 < sizes[id(data)] <= _MOST_VALUES:
        raise ValueError("its aliases stand for too many values")
    return sizes[id(data)]


@lru_cache(maxsize=128)
def _parsed(text: str) -> Any:
    """Parse YAML; a text that was parsed before takes no time (the default file takes 20 ms)."""
    return safe_data(text)


def read_extending(path: Path, folder: str) -> dict[str, Any]:
    """Read a YAML file in which `extends: NAME` takes all other keys from NAME.yaml.

    Args:
        path: The file.
        folder: Folder of the user's and of the shipped files, for example `simulators`, that has
            NAME.yaml if it is not beside the file.

    Raises:
        ConfigError: As `read_yaml`; or a file extends itself.
    """
    result: dict[str, Any] = {}
    for _, data in read_extended(path, folder):
        result = merged(result, data)
    return result


def read_extended(path: Path, folder: str) -> list[tuple[Path, dict[str, Any]]]:
    """Read a file and those that it extends, the basis first; as `read_extending`."""
    layers: list[tuple[Path, dict[str, Any]]] = []
    while True:
        data = read_yaml(path)
        base = data.pop("extends", None)
        layers.insert(0, (path, data))
        if base is None:
            return layers
        path = _extended(path, base, folder)
        if any(_same(path, other) for other, _ in layers):
            raise ConfigError(f"{layers[0][0]}: extends: {base} extends this file in turn")


def merged(base: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the keys of `update`; merge sections that are in both."""
    result = dict(base)
    for key, value in update.items():
        old = result.get(key)
        both = isinstance(value, Mapping) and isinstance(old, Mapping)
        result[key] = merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def _extended(path: Path, base: Any, folder: str) -> Path:
    """Return the file that `path` extends: beside it, the user's or the shipped one; not itself."""
    if not isinstance(base, str) or Path(base).name != base:
        raise ConfigError(f"{path}: extends: write the name of a file without its ending")
    name = f"{base}.yaml"
    beside = path.with_name(name)
    for candidate in (beside, user_file(f"{folder}/{name}"), shipped(f"{folder}/{name}")):
        if candidate is not None and candidate.exists() and not _same(candidate, path):
            return candidate
    return beside


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
