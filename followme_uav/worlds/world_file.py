"""Read and write world files: YAML with one object per line.

Only plain data is read (`safe_load`), sizes are capped, and each error is one line with file, key
and value.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from followme_uav.config import safe_data
from followme_uav.config.checking import shown
from followme_uav.errors import ConfigError
from followme_uav.files import write_text
from followme_uav.worlds.checks import check_world
from followme_uav.worlds.world import World

MAX_BYTES = 64 * 2**20
MAX_DEPTH = 40
"""Most levels of lists and mappings within each other; a world has six."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def load_world(path: Path) -> World:
    """Read a world file.

    Raises:
        ConfigError: The file cannot be read, or a value is wrong.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES >> 20} MiB; cut the world smaller")
        data = _parsed(content.decode("utf-8"), path)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; pass a world file") from error
    except (yaml.YAMLError, ValueError) as error:
        detail = " ".join(str(error).split())
        raise ConfigError(f"{path}: not valid YAML: {detail:.200}") from error
    return world_of(data, path)


def world_of(data: Any, source: Path | str) -> World:
    """Make a world of plain data.

    Raises:
        ConfigError: A value is wrong; the message names `source`, key and value.
    """
    if not isinstance(data, Mapping):
        raise ConfigError(f"{source}: expected 'key: value' lines at the top level of a world file")
    try:
        world = _adapter().validate_python(data)
    except ValidationError as error:
        raise ConfigError(_one_line(error, source)) from error
    check_world(world, source)
    return world


def save_world(world: World, path: Path) -> None:
    """Write a world file.

    Raises:
        ConfigError: The world has more than a file may have; nothing is written.
        OutputError: It cannot be written.
    """
    data = _plain(world)
    world_of(data, path)
    write_text(path, _text_of(data))


def world_text(world: World) -> str:
    """Return the text of a world file, without keys that have their default value."""
    return _text_of(_plain(world))


def _text_of(data: Mapping[str, Any]) -> str:
    lines = []
    for key, value in data.items():
        if not isinstance(value, list) or key == "start_m" or not value:
            lines.append(_flow({key: value})[1:-1])
            continue
        lines.append(f"{key}:")
        lines += [f"- {_flow(item)}" for item in value]
    return "\n".join(lines) + "\n"


@functools.cache
def _adapter() -> TypeAdapter[World]:
    return TypeAdapter(World)


def _parsed(text: str, path: Path) -> Any:
    _check_form(text, path)
    return safe_data(text, _LOADER)


def _check_form(text: str, path: Path) -> None:
    """Refuse what is small as text but too much as data, before anything is made of it.

    A chain of aliases can stand for terabytes. The loader calls itself for each level in C, so a
    file of tens of thousands of levels would end the process.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            raise ConfigError(f"{path}: line {_line(event)}: aliases are not read")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise ConfigError(
                f"{path}: line {_line(event)}: nested too deeply; a world file has few levels"
            )


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _one_line(error: ValidationError, source: Path | str) -> str:
    problems = error.errors(include_url=False)
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"]) or "world"
    more = f" (and {len(problems) - 1} more problems)" if len(problems) > 1 else ""
    if first["type"] == "unexpected_keyword_argument":
        return f"{source}: {key}: unknown key{more}"
    if first["type"] in ("missing", "missing_argument"):
        return f"{source}: {key}: missing{more}"
    got = " ".join(shown(first["input"]).split())
    return f"{source}: {key}: {first['msg']} (got {got}){more}"


def _plain(value: Any) -> Any:
    """Dataclasses as mappings without defaults, tuples as lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: _plain(getattr(value, f.name))
            for f in dataclasses.fields(value)
            if f.name == "format" or getattr(value, f.name) != f.default
        }
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _flow(value: Any) -> str:
    text: str = yaml.dump(
        value,
        Dumper=_DUMPER,
        default_flow_style=True,
        width=1 << 30,
        sort_keys=False,
        allow_unicode=True,
    )
    return text.removesuffix("\n").removesuffix("\n...")
