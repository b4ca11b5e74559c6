"""Checks of configuration data: the allowed values of a key, and problems as one line.

Two kinds of limits hold. Those in a field's type hold always. Those in `Allowed` and `NotBlank`
hold for configurations that a person writes, not for those in old logs: logs stay readable when
they change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from followme_uav.config.aliases import renamed_key
from followme_uav.errors import ConfigError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)

Key = tuple[str | int, ...]
"""The place of a value, from the outermost section inwards."""

MISSING = "missing"


@dataclass(frozen=True)
class Allowed:
    """The range of a number, both ends included."""

    low: float
    high: float

    def complaint(self, value: Any) -> str | None:
        """Return what is wrong with a value, or None."""
        if self.low <= value <= self.high:
            return None
        return f"must be {self} (got {shown(value)})"

    def __str__(self) -> str:
        return f"from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class NotBlank:
    """A text that must not be empty."""

    example: str

    def complaint(self, value: Any) -> str | None:
        """Return what is wrong with a value, or None."""
        return None if value.strip() else f"must not be empty; write something like {self.example}"

    def __str__(self) -> str:
        return f"like {self.example}"


@dataclass(frozen=True)
class Problem:
    """An error in a configuration."""

    key: Key
    text: str
    may_be_mended: bool = False
    """A later value can mend it: a key is missing, or keys contradict each other."""

    @property
    def dotted(self) -> str:
        """The key as section.key."""
        return ".".join(str(part) for part in self.key)

    @property
    def is_missing(self) -> bool:
        """Whether the key is missing."""
        return self.text == MISSING

    def is_within(self, key: Key) -> bool:
        """Whether it concerns the value or section at `key`."""
        return self.key[: len(key)] == key


def validated(
    kind: type[Model],
    data: Mapping[str, Any],
    source: Path | str,
    overrides: Sequence[str] = (),
) -> Model:
    """Read `data` as a section of that kind.

    Raises:
        ConfigError: A value is wrong; the message names `source` or the override, and the key.
    """
    section, problems = read_section(kind, data)
    if section is None or problems:
        raise ConfigError(one_line(problems, source, overrides))
    return section


def read_section(kind: type[Model], data: Mapping[str, Any]) -> tuple[Model | None, list[Problem]]:
    """Read a section; return it, or None where its types do not fit, and all problems."""
    try:
        section = kind.model_validate(data)
    except ValidationError as error:
        return None, [_problem(kind, details) for details in error.errors()]
    return section, list(_not_allowed(section, kind, (), ()))


def one_line(problems: Sequence[Problem], source: Path | str, overrides: Sequence[str] = ()) -> str:
    """Describe the first problem and its source in one line, and count the others."""
    first = problems[0]
    key = first.dotted or "configuration"
    # Each override was checked when it was applied, so the last one that concerns the key is it.
    name = next((f"--set {o}" for o in reversed(overrides) if _concerns(o, first.key)), source)
    more = f" (and {len(problems) - 1} more problems)" if len(problems) > 1 else ""
    return f"{name}: {key}: {first.text}{more}"


def shown(value: Any) -> str:
    """A value as a part of a message."""
    if not _is_short(value):
        return f"a {type(value).__name__} with very many values"
    try:
        return f"{value!r:.60}"
    except ValueError:  # Python writes no number of thousands of digits
        return "a number of very many digits"


def _is_short(value: Any, most: int = 1000) -> bool:
    """Whether a value is quickly written: YAML of a kilobyte can stand for millions of lists."""
    waiting, count = [value], 0
    while waiting and count <= most:
        one = waiting.pop()
        count += 1
        if isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, (list, tuple)):
            waiting.extend(one)
    return count <= most


def key_of(override: str) -> Key:
    """The key that an override `section.key=value` sets, under its present name."""
    return tuple(renamed_key(override.partition("=")[0]).split("."))


def rule_of(kind: Any, key: Key) -> Allowed | NotBlank | None:
    """Return the rule that a kind of section has for a key, if any."""
    rules: Iterable[Any] = ()
    for part in key:
        if isinstance(part, int):
            kind, rules = _item_kind(kind, part)
        else:
            field = getattr(kind, "model_fields", {}).get(part)
            if field is None:
                return None
            kind, rules = field.annotation, field.metadata
    return next((rule for rule in rules if isinstance(rule, (Allowed, NotBlank))), None)


def _concerns(override: str, key: Key) -> bool:
    own = key_of(override)
    return own[: len(key)] == key or key[: len(own)] == own


def _problem(kind: type[BaseModel], details: ErrorDetails) -> Problem:
    key = details["loc"]
    if details["type"] == "extra_forbidden":
        return Problem(key, "unknown key")
    if details["type"] == "missing":
        return Problem(key, MISSING, may_be_mended=True)
    text = details["msg"].removeprefix("Value error, ")
    if details["type"] != "value_error" or not isinstance(details["input"], Mapping):
        text += f" (got {shown(details['input'])})"  # a check of a section names what is wrong
    rule = rule_of(kind, key)
    if rule is not None:
        text += f"; write a value {rule}"
    return Problem(key, text, may_be_mended=details["type"] == "value_error" and rule is None)


def _not_allowed(value: Any, kind: Any, rules: Iterable[Any], key: Key) -> Iterator[Problem]:
    """Yield a problem for each value outside of its `Allowed` range, also in nested sections."""
    for rule in rules:
        complaint = rule.complaint(value) if isinstance(rule, (Allowed, NotBlank)) else None
        if complaint is not None:
            yield Problem(key, complaint)
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            inner = getattr(value, name)
            yield from _not_allowed(inner, field.annotation, field.metadata, (*key, name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            inner_kind, inner_rules = _item_kind(kind, index)
            yield from _not_allowed(item, inner_kind, inner_rules, (*key, index))


def _item_kind(kind: Any, index: int) -> tuple[Any, tuple[Any, ...]]:
    """Type and rules of an item of a tuple type."""
    items = get_args(kind)
    item: Any = None
    if items[-1:] == (Ellipsis,):
        item = items[0]
    elif index < len(items):
        item = items[index]
    if get_origin(item) is Annotated:
        return item.__origin__, item.__metadata__
    return item, ()
