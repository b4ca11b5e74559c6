"""A configuration as YAML text, with a comment behind each value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from followme_uav.config.checking import Key

_COMMENT_COLUMN = 44
_INDENT = "  "


def yaml_text(data: Mapping[str, Any], comment: Callable[[Key], str]) -> str:
    """Return `data` as YAML, one line for each value, and for each item of a list of lists.

    Args:
        data: Sections and values, as `model_dump(mode="json")` returns them.
        comment: The comment behind a value.
    """
    return "\n".join(_lines(data, comment, ())) + "\n"


def value_text(value: Any) -> str:
    """Return a value as YAML in one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _lines(data: Mapping[str, Any], comment: Callable[[Key], str], start: Key) -> list[str]:
    lines: list[str] = []
    indent = _INDENT * len(start)
    for name, value in data.items():
        key = (*start, name)
        if isinstance(value, Mapping):
            lines += [f"{indent}{name}:", *_lines(value, comment, key)]
            continue
        rows = value if isinstance(value, list) and any(isinstance(v, list) for v in value) else []
        text = f"{indent}{name}:" if rows else f"{indent}{name}: {value_text(value)}"
        lines.append(f"{text:<{_COMMENT_COLUMN}}  # {comment(key)}")
        lines += [f"{indent}{_INDENT}- {value_text(row)}" for row in rows]
    return lines
