"""The reference of all configuration keys as Markdown, made from schema and default files."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from followme_uav.config.checking import Allowed, NotBlank
from followme_uav.config.description import descriptions
from followme_uav.config.loading import load_config
from followme_uav.config.schema import FlightConfig, Section

_KINDS = {float: "number", int: "whole number", bool: "true or false", str: "text"}


def reference_markdown() -> str:
    """Return a heading and a table for each section of the configuration.

    A row has the key, its default (from `configs/default.yaml` and the profile `embedded`), its
    type with the permitted values, and its description. Angle brackets and bars are escaped.
    """
    config = load_config()
    texts = descriptions(FlightConfig)
    sections = [
        _section(name, kind, getattr(config, name), texts) for name, kind in _sections(FlightConfig)
    ]
    single = [
        _row(name, field, getattr(config, name), texts[name])
        for name, field in FlightConfig.model_fields.items()
        if not isinstance(getattr(config, name), Section)
    ]
    return "\n".join([_table(single), *sections])


def _sections(kind: type[Section]) -> Iterator[tuple[str, type[Section]]]:
    for name, field in kind.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield name, field.annotation


def _section(name: str, kind: type[Section], values: Section, texts: dict[str, str]) -> str:
    rows = list(_rows(name, kind, values, texts))
    head = f"## {name}\n\n{texts[name] or inspect.cleandoc(kind.__doc__ or '')}\n"
    return f"{head}\n{_table(rows)}"


def _rows(
    prefix: str, kind: type[Section], values: BaseModel, texts: dict[str, str]
) -> Iterator[str]:
    """Yield a row for each key; sections within the section are named in their keys."""
    nested = dict(_sections(kind))
    for name, field in kind.model_fields.items():
        key, value = f"{prefix}.{name}", getattr(values, name)
        if name not in nested:
            yield _row(key, field, value, texts[key])
            continue
        yield f"| `{key}` | | section | {_escaped(texts[key])} |"
        yield from _rows(key, nested[name], value, texts)


def _row(key: str, field: FieldInfo, value: Any, text: str) -> str:
    return f"| `{key}` | {_default(value)} | {_permitted(field)} | {_escaped(text)} |"


def _table(rows: list[str]) -> str:
    return "\n".join(
        ["| key | default | permitted values | effect |", "|---|---|---|---|", *rows, ""]
    )


def _default(value: Any) -> str:
    text = json.dumps(value) if not isinstance(value, str) else value
    return f"`{text}`" if len(text) <= 40 else f"{len(value)} entries"


def _permitted(field: FieldInfo) -> str:
    kind: Any = field.annotation
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    name = _KINDS.get(kind, "list")
    rules = [str(rule) for rule in field.metadata if isinstance(rule, (Allowed, NotBlank))]
    steps = [
        f"a multiple of {rule.multiple_of}"
        for rule in field.metadata
        if hasattr(rule, "multiple_of")
    ]
    return _escaped(", ".join([name, *rules, *steps]))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
