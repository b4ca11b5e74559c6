"""Differences between two dataclasses, field by field."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Difference:
    """One field that is not the same in both."""

    field: str
    """Its path, as in `command.velocity_mps`."""
    logged: Any
    replayed: Any

    @property
    def size(self) -> float | None:
        """Largest absolute difference of numbers, vectors or images; None if it is not finite."""
        try:
            first = np.asarray(self.logged, float)
            second = np.asarray(self.replayed, float)
            size = float(np.max(np.abs(first - second)))
        except (TypeError, ValueError):
            return None
        return size if math.isfinite(size) else None


def differences(
    logged: Any, replayed: Any, leave_out: frozenset[str] = frozenset()
) -> list[Difference]:
    """All fields in which two dataclasses differ, by one bit or more, in their order.

    `leave_out` names fields, by their path or by its first part, that are not compared.
    """
    found = _differences("", logged, replayed, leave_out)
    return [difference for difference in found if difference.field not in leave_out]


def _differences(
    path: str, logged: Any, replayed: Any, leave_out: frozenset[str] = frozenset()
) -> Iterator[Difference]:
    names = _field_names(type(logged))  # type: ignore[arg-type] # mypy: a class has no hash
    if names and type(logged) is type(replayed):
        for name in names:
            if name in leave_out:
                continue
            first, second = getattr(logged, name), getattr(replayed, name)
            if not _is_equal_fast(first, second):
                yield from _differences(f"{path}.{name}" if path else name, first, second)
    elif _names(logged) and _names(logged) == _names(replayed):
        for first, second in zip(logged, replayed, strict=True):
            yield from _differences(f"{path}.{first.name}", first, second)
    elif _are_dataclasses(logged) and _are_dataclasses(replayed) and len(logged) == len(replayed):
        for number, (first, second) in enumerate(zip(logged, replayed, strict=True)):
            if first != second:
                yield from _differences(f"{path}.{number}", first, second)
    elif not _is_equal(logged, replayed):
        yield Difference(path, logged, replayed)


@cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()


def _is_equal_fast(first: Any, second: Any) -> bool:
    """Fast check for the most frequent values; False leaves the decision to `_differences`."""
    if first is second:
        return True
    kind = type(first)
    if kind is not type(second):
        return False
    if kind is float:
        return first == second and (first != 0.0 or _is_equal(first, second))
    if kind is tuple and first and type(first[0]) is float:
        return first == second and (0.0 not in first or _is_equal(first, second))
    return kind in (int, str) and first == second


def _names(values: Any) -> list[str]:
    """Names of the items of a tuple that have one."""
    if not isinstance(values, tuple):
        return []
    return [value.name for value in values if hasattr(value, "name")]


def _are_dataclasses(values: Any) -> bool:
    """Whether this is a tuple of dataclasses."""
    return isinstance(values, tuple) and all(map(is_dataclass, values))


def _is_equal(first: Any, second: Any) -> bool:
    """Whether two values are equal to the last bit; NaN equals NaN."""
    if isinstance(first, np.ndarray) or isinstance(second, np.ndarray):
        return np.array_equal(first, second)
    if isinstance(first, float) and isinstance(second, float):
        equal = first == second and math.copysign(1.0, first) == math.copysign(1.0, second)
        return equal or (first != first and second != second)
    if isinstance(first, tuple) and isinstance(second, tuple):
        return len(first) == len(second) and all(map(_is_equal, first, second))
    return bool(first == second)


def plain(value: Any) -> Any:
    """A field's value for JSON."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, np.ndarray):
        return f"image {'x'.join(map(str, value.shape[1::-1]))}"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return value


def readable(value: Any) -> str:
    """A field's value as text, with all digits."""
    value = plain(value)
    if value is None:
        return "–"
    if isinstance(value, list):
        return f"({', '.join(map(readable, value))})"
    if isinstance(value, dict):
        return ", ".join(f"{name} {readable(item)}" for name, item in value.items())
    return str(value)
