"""Load configurations: YAML files, `--set section.key=value` overrides, and old logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from followme_uav.config.aliases import renamed, renamed_key
from followme_uav.config.checking import Key, Problem, key_of, one_line, read_section, validated
from followme_uav.config.derived import FORMULAS, with_derived, without_derived
from followme_uav.config.schema import FlightConfig, Section, SimulatorProfile
from followme_uav.errors import ConfigError

CONFIG_DIR = Path(__file__).resolve().parent.parent.parent / "configs"
DEFAULT_CONFIG = CONFIG_DIR / "default.yaml"


def load_config(
    path: Path | None = None,
    overrides: Sequence[str] = (),
    simulator: str | Path | None = None,
) -> FlightConfig:
    """Read the configuration of a flight.

    Args:
        path: A file with some or all keys; `configs/default.yaml` has the others.
        overrides: Each `section.key=value`, the later before the earlier.
        simulator: A profile's name in `configs/simulators`, or a file. None: the key `simulator`
            of the configuration decides.

    Raises:
        ConfigError: A file, a key or a value is wrong; the message names it.

    Example:
        >>> from followme_uav import load_config
        >>> config = load_config(overrides=["control.wanted_distance_m=9", "duration_s=20"])
        >>> config.control.wanted_distance_m
        9.0
    """
    changes = {} if path is None else read_yaml(path)
    return make_config(changes, path or DEFAULT_CONFIG, overrides, simulator)


def make_config(
    changes: Mapping[str, Any],
    source: Path | str,
    overrides: Sequence[str] = (),
    simulator: str | Path | None = None,
) -> FlightConfig:
    """Apply `changes` to `configs/default.yaml`; as `load_config`, but not from a file.

    Derived keys that are still absent then follow from the others (`derived.py`). Each value is
    checked, also one that a later override replaces.

    Args:
        changes: Keys and values as in a file.
        source: The origin of `changes`, for messages.
        overrides: As in `load_config`.
        simulator: As in `load_config`.
    """
    data = merged(read_yaml(DEFAULT_CONFIG), renamed(changes))
    own = data.get("simulator", "embedded")
    if isinstance(own, Mapping):
        if simulator is not None:
            validated(SimulatorProfile, own, f"{source}: simulator")
    else:
        own = read_extending(_profile_path(own))
    data["simulator"] = own if simulator is None else read_extending(_profile_path(simulator))
    _check(data, source, [()], overrides)
    _override(data, overrides)
    config, problems = _read(data)
    if config is None or problems:
        raise ConfigError(one_line(problems, source, overrides))
    return config


def changed(
    config: FlightConfig, path: Path | None = None, overrides: Sequence[str] = ()
) -> FlightConfig:
    """Return `config` with the values of a file and of overrides.

    A derived key follows them if its value in `config` is that of its formula; otherwise it keeps
    the value. Only the values of the file and of the overrides are checked: those of a config from
    an old log need not be allowed today.

    Raises:
        ConfigError: A file, a key or a value is wrong; the message names it.
    """
    data = without_derived(config)
    source = path or DEFAULT_CONFIG
    if path is not None:
        update = renamed(read_yaml(path))
        if isinstance(update.get("simulator"), str):
            update["simulator"] = read_extending(_profile_path(update["simulator"]))
        data = merged(data, update)
        _check(data, source, list(_keys(update)), overrides)
    _override(data, overrides)
    result, problems = _read(data)
    if result is None:
        raise ConfigError(one_line(problems, source, overrides))
    return result


def of_older_version(data: Mapping[str, Any]) -> dict[str, Any]:
    """Translate the configuration of an old log.

    Renamed keys keep their values, removed keys are dropped, and keys that the log lacks have the
    default values of today, or follow from the others.
    """
    return _known(FlightConfig, with_derived(merged(read_yaml(DEFAULT_CONFIG), renamed(data))))


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
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        detail = " ".join(str(error).split())
        raise ConfigError(f"{path}: not valid YAML: {detail}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected 'key: value' lines at the top level")
    return data


@lru_cache(maxsize=32)
def _parsed(text: str) -> Any:
    """Parse YAML; a text that was parsed before takes no time (the default file takes 20 ms)."""
    return yaml.safe_load(text)


def read_extending(path: Path) -> dict[str, Any]:
    """Read a YAML file in which `extends: NAME` takes all other keys from NAME.yaml beside it.

    Raises:
        ConfigError: As `read_yaml`.
    """
    data = read_yaml(path)
    base = data.pop("extends", None)
    return data if base is None else merged(read_yaml(path.with_name(f"{base}.yaml")), data)


def merged(base: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with the keys of `update`; merge sections that are in both."""
    result = dict(base)
    for key, value in update.items():
        old = result.get(key)
        both = isinstance(value, Mapping) and isinstance(old, Mapping)
        result[key] = merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def _read(data: Mapping[str, Any]) -> tuple[FlightConfig | None, list[Problem]]:
    """Read the configuration of a flight, derived keys included.

    A derived key is missing only because a value that it follows from is wrong, which is a problem
    of its own.
    """
    config, problems = read_section(FlightConfig, with_derived(data))
    return config, [p for p in problems if not (p.is_missing and p.dotted in FORMULAS)] or problems


def _check(
    data: Mapping[str, Any], source: Path | str, keys: Sequence[Key], overrides: Sequence[str]
) -> None:
    """Raise `ConfigError` for a problem within `keys`, unless the coming overrides may mend it."""
    coming = [key_of(override) for override in overrides]

    def is_mended(problem: Problem) -> bool:
        size = len(problem.key)
        return problem.may_be_mended and any(key[:size] == problem.key for key in coming)

    problems = [
        problem
        for problem in _read(data)[1]
        if any(problem.is_within(key) for key in keys) and not is_mended(problem)
    ]
    if problems:
        raise ConfigError(one_line(problems, source))


def _override(data: dict[str, Any], overrides: Sequence[str]) -> None:
    """Apply overrides to `data` in order, and check each of them on its own."""
    for override in overrides:
        _apply_override(data, override)
        key = key_of(override)
        problems = [p for p in _read(data)[1] if p.is_within(key)]
        if problems:
            raise ConfigError(one_line(problems, f"--set {override}"))


def _apply_override(data: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise ConfigError(f"--set {override}: write it as section.key=value")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {override}: the value is not valid YAML") from error
    *sections, name = renamed_key(key).split(".")
    node = data
    for section in sections:
        child = node.get(section)
        if not isinstance(child, dict):
            raise ConfigError(f"--set {override}: there is no section '{section}'")
        node = child
    node[name] = value


def _keys(data: Mapping[str, Any], start: Key = ()) -> Iterator[Key]:
    """Yield the keys of all values, also of those in nested sections."""
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from _keys(value, (*start, name))
        else:
            yield (*start, name)


def _known(kind: type[BaseModel], data: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of `data` that a section has."""
    kinds = {name: field.annotation for name, field in kind.model_fields.items() if name in data}
    return {
        name: _known(inner, data[name])
        if isinstance(inner, type) and issubclass(inner, Section)
        else data[name]
        for name, inner in kinds.items()
    }


def _profile_path(profile: str | Path) -> Path:
    path = Path(profile)
    if path.suffix in {".yaml", ".yml"}:
        return path
    known = sorted(file.stem for file in (CONFIG_DIR / "simulators").glob("*.yaml"))
    if str(profile) not in known:
        raise ConfigError(
            f"simulator profile '{profile}' is unknown; choose from {', '.join(known)}"
        )
    return CONFIG_DIR / "simulators" / f"{profile}.yaml"
