"""Load configurations: YAML files, `--set section.key=value` overrides, and old logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from followme_uav.config.aliases import renamed, renamed_key
from followme_uav.config.checking import Key, Problem, key_of, one_line, read_section, validated
from followme_uav.config.derived import FORMULAS, absent, with_derived, without_derived
from followme_uav.config.origins import BUILT_IN, Origin, Origins, keys_of, origin_of_file
from followme_uav.config.schema import FlightConfig, Section, SimulatorProfile
from followme_uav.config.yaml_files import (
    YAML_ERRORS,
    merged,
    read_extended,
    read_extending,
    read_yaml,
)
from followme_uav.errors import ConfigError
from followme_uav.resources import found_in, shipped, user_file, user_folder

CONFIG_DIR = shipped("")
"""The shipped configurations."""
DEFAULT_CONFIG = CONFIG_DIR / "default.yaml"
PROFILE_FOLDER = "simulators"


@dataclass(frozen=True)
class MergedConfig:
    """The configuration of a flight, and where its values come from."""

    config: FlightConfig
    origins: Origins


def load_config(
    path: Path | None = None,
    overrides: Sequence[str] = (),
    simulator: str | Path | None = None,
) -> FlightConfig:
    """Read the configuration of a flight.

    Args:
        path: A file with some or all keys; the user's and the shipped `default.yaml` have the
            others.
        overrides: Each `section.key=value`, the later before the earlier.
        simulator: A profile's name in a folder `simulators`, or a file. None: the key `simulator`
            of the configuration decides.

    Raises:
        ConfigError: A file, a key or a value is wrong; the message names it.

    Example:
        >>> from followme_uav import load_config
        >>> config = load_config(overrides=["control.wanted_distance_m=9", "duration_s=20"])
        >>> config.control.wanted_distance_m
        9.0
    """
    return load_merged_config(path, overrides, simulator).config


def load_merged_config(
    path: Path | None = None,
    overrides: Sequence[str] = (),
    simulator: str | Path | None = None,
) -> MergedConfig:
    """Read the configuration of a flight, with the origin of each value; as `load_config`."""
    if path is None:
        return merge_config({}, Origin("shipped", str(DEFAULT_CONFIG)), overrides, simulator)
    option = Origin("config", str(path), f"--config {path}")
    return merge_config(read_yaml(path), option, overrides, simulator)


def shipped_config() -> FlightConfig:
    """Return the shipped configuration, without the user's files."""
    data = read_yaml(DEFAULT_CONFIG)
    profile = shipped(f"{PROFILE_FOLDER}/{data['simulator']}.yaml")
    data["simulator"] = read_extending(profile, PROFILE_FOLDER)
    config, problems = _read(data)
    if config is None or problems:
        raise ConfigError(one_line(problems, DEFAULT_CONFIG))
    return config


def make_config(
    changes: Mapping[str, Any],
    source: Path | str,
    overrides: Sequence[str] = (),
    simulator: str | Path | None = None,
) -> FlightConfig:
    """Apply `changes` to the defaults; as `load_config`, but not from a file.

    Derived keys that are still absent then follow from the others (`derived.py`). Each value is
    checked, also one that a later override replaces.

    Args:
        changes: Keys and values as in a file.
        source: The origin of `changes`, for messages.
        overrides: As in `load_config`.
        simulator: As in `load_config`.
    """
    return merge_config(changes, Origin("changes", str(source)), overrides, simulator).config


def merge_config(
    changes: Mapping[str, Any],
    origin: Origin,
    overrides: Sequence[str] = (),
    simulator: str | Path | None = None,
) -> MergedConfig:
    """Apply `changes` of that origin to the defaults; as `make_config`."""
    layers = [(origin_of_file(file), renamed(read_yaml(file))) for file in _default_files()]
    if len(layers) > 1:
        _check(_Draft(layers).use_profile(None), [()], overrides, origin)
    draft = _Draft([*layers, (origin, renamed(changes))]).use_profile(simulator)
    _check(draft, [()], overrides, origin)
    _override(draft, overrides)
    section, problems = _read(draft.data)
    if section is None or problems:
        source = draft.origins.of(problems[0].key, origin).source
        raise ConfigError(one_line(problems, source, overrides))
    for key in absent(draft.data):
        derived = Origin("derived", key, f"derived from {', '.join(FORMULAS[key].of)}")
        draft.origins.replace(tuple(key.split(".")), derived, None)
    return MergedConfig(section, draft.origins)


class _Draft:
    """A configuration that is being merged, and the origins of its values."""

    def __init__(self, layers: Sequence[tuple[Origin, Mapping[str, Any]]]) -> None:
        self.data: dict[str, Any] = {}
        self.origins = Origins()
        for origin, data in layers:
            self.merge(origin, data)

    def merge(self, origin: Origin, update: Mapping[str, Any]) -> None:
        """Apply keys and values of that origin."""
        self.data = merged(self.data, update)
        self.origins.add(origin, update)

    def use_profile(self, profile: str | Path | None) -> _Draft:
        """Replace the name of a profile by the values of `profile`, or else of the one named.

        Values and names that `profile` replaces are checked all the same.
        """
        own = self.data.get("simulator", "embedded")
        if isinstance(own, Mapping):
            if profile is None:
                return self
            source = self.origins.of(("simulator",)).source
            validated(SimulatorProfile, own, f"{source}: simulator")
        layers = [] if isinstance(own, Mapping) else _profile_layers(str(own))
        self.data["simulator"] = {}
        self.origins.replace(("simulator",), BUILT_IN, {})
        for path, data in layers if profile is None else _profile_layers(profile):
            self.merge(origin_of_file(path), {"simulator": data})
        return self


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
    draft = _Draft([(Origin("log", ""), without_derived(config))])
    origin = Origin("config", str(path or DEFAULT_CONFIG))
    if path is not None:
        update = renamed(read_yaml(path))
        if isinstance(update.get("simulator"), str):
            update["simulator"] = read_extending(_profile_path(update["simulator"]), PROFILE_FOLDER)
        draft.merge(origin, update)
        _check(draft, list(keys_of(update)), overrides, origin)
    _override(draft, overrides)
    section, problems = _read(draft.data)
    if section is None:
        raise ConfigError(one_line(problems, origin.source, overrides))
    return section


def of_older_version(data: Mapping[str, Any]) -> dict[str, Any]:
    """Translate the configuration of an old log.

    Renamed keys keep their values, removed keys are dropped, and keys that the log lacks have the
    default values of today, or follow from the others.
    """
    return _known(FlightConfig, with_derived(merged(read_yaml(DEFAULT_CONFIG), renamed(data))))


def _read(data: Mapping[str, Any]) -> tuple[FlightConfig | None, list[Problem]]:
    """Read the configuration of a flight, derived keys included.

    A derived key is missing only because a value that it follows from is wrong, which is a problem
    of its own.
    """
    config, problems = read_section(FlightConfig, with_derived(data))
    return config, [p for p in problems if not (p.is_missing and p.dotted in FORMULAS)] or problems


def _check(draft: _Draft, keys: Sequence[Key], overrides: Sequence[str], default: Origin) -> None:
    """Raise `ConfigError` for a problem within `keys`, unless the coming overrides may mend it."""
    coming = [key_of(override) for override in overrides]

    def is_mended(problem: Problem) -> bool:
        size = len(problem.key)
        return problem.may_be_mended and any(key[:size] == problem.key for key in coming)

    problems = [
        problem
        for problem in _read(draft.data)[1]
        if any(problem.is_within(key) for key in keys) and not is_mended(problem)
    ]
    if problems:
        raise ConfigError(one_line(problems, draft.origins.of(problems[0].key, default).source))


def _override(draft: _Draft, overrides: Sequence[str]) -> None:
    """Apply overrides in order, and check each of them on its own."""
    for override in overrides:
        value = _apply_override(draft.data, override)
        key = key_of(override)
        draft.origins.replace(key, Origin("set", f"--set {override}", "--set"), value)
        problems = [p for p in _read(draft.data)[1] if p.is_within(key)]
        if problems:
            raise ConfigError(one_line(problems, f"--set {override}"))


def _apply_override(data: dict[str, Any], override: str) -> Any:
    """Set the value of an override in `data`, and return it."""
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise ConfigError(f"--set {override}: write it as section.key=value")
    try:
        value = yaml.safe_load(text)
    except (*YAML_ERRORS, RecursionError) as error:
        raise ConfigError(f"--set {override[:200]}: the value is not valid YAML") from error
    *sections, name = renamed_key(key).split(".")
    node = data
    for section in sections:
        child = node.get(section)
        if not isinstance(child, dict):
            raise ConfigError(f"--set {override}: there is no section '{section}'")
        node = child
    node[name] = value
    return value


def _known(kind: type[BaseModel], data: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of `data` that a section has."""
    kinds = {name: field.annotation for name, field in kind.model_fields.items() if name in data}
    return {
        name: _known(inner, data[name])
        if isinstance(inner, type) and issubclass(inner, Section)
        else data[name]
        for name, inner in kinds.items()
    }


def _default_files() -> list[Path]:
    """Return the shipped `default.yaml`, and the user's if it exists."""
    own = None if user_folder() is None else user_file("default.yaml")
    return [DEFAULT_CONFIG] if own is None else [DEFAULT_CONFIG, own]


def _profile_layers(profile: str | Path) -> list[tuple[Path, dict[str, Any]]]:
    return read_extended(_profile_path(profile), PROFILE_FOLDER)


def _profile_path(profile: str | Path) -> Path:
    path = Path(profile)
    if path.suffix in {".yaml", ".yml"}:
        return path
    known = found_in(PROFILE_FOLDER)
    if str(profile) not in known:
        raise ConfigError(
            f"simulator profile '{profile}' is unknown; choose from {', '.join(known)}"
        )
    return known[str(profile)]
