"""The origins of the values of a merged configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from followme_uav.config.checking import Key
from followme_uav.config.yaml_files import merged
from followme_uav.resources import is_shipped, name_of, user_folder


@dataclass(frozen=True)
class Origin:
    """A file, an override, or a part of the program that has values."""

    kind: str
    """`shipped`, `user`, `config` and `file` for files, `set` for overrides, or another word."""
    source: str
    """The path of the file, or the override; as messages name it."""
    label: str = ""
    """A few words for a comment behind a value; empty: the kind and the source."""

    def __str__(self) -> str:
        return self.label or f"{self.kind} {self.source}".strip()


BUILT_IN = Origin("built-in", "", "built-in default")
"""The origin of values that no file and no override has."""


def origin_of_file(path: Path) -> Origin:
    """Return the origin that stands for a file."""
    own = user_folder()
    if is_shipped(path):
        return Origin("shipped", str(path), f"shipped {name_of(path)}")
    if own is not None and path.is_relative_to(own):
        return Origin("user", str(path), f"user's {name_of(path)}")
    return Origin("file", str(path))


class Origins:
    """The origin of each value of a configuration, which is merged layer by layer."""

    def __init__(self) -> None:
        self._tree: dict[str, Any] = {}
        """Nested as the configuration, with an origin in place of each value."""
        self._order: list[Origin] = []

    def add(self, origin: Origin, data: Mapping[str, Any]) -> None:
        """Note that the values of `data`, nested as in a file, are merged over former ones."""
        self._order.append(origin)
        self._tree = merged(self._tree, _all_from(origin, data))

    def replace(self, key: Key, origin: Origin, value: Any) -> None:
        """Note that a value replaces everything within `key`."""
        self._order.append(origin)
        *sections, name = key
        node: Any = self._tree
        for section in sections:
            node = node.setdefault(section, {})
        node[name] = _all_from(origin, value)

    def of(self, key: Key, default: Origin = BUILT_IN) -> Origin:
        """Return the origin of a value or of an item in it; of a section, the last to change it."""
        node: Any = self._tree
        for part in key:
            if isinstance(node, Origin):
                return node
            node = node.get(part, {})
        inside = list(_origins_in(node)) if key else []
        return max(inside, key=self._order.index, default=default)


def keys_of(data: Mapping[str, Any], start: Key = ()) -> Iterator[Key]:
    """Yield the keys of all values, also of those in nested sections."""
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from keys_of(value, (*start, name))
        else:
            yield (*start, name)


def _all_from(origin: Origin, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _all_from(origin, inner) for name, inner in value.items()}
    return origin


def _origins_in(node: Any) -> Iterator[Origin]:
    if isinstance(node, Origin):
        yield node
    else:
        for inner in node.values():
            yield from _origins_in(inner)
