"""Descriptions of the configuration keys, read from the docstrings in the schema's source.

Pydantic's `use_attribute_docstrings` parses the source when the classes are made, which makes the
import of the configuration a quarter slower. Here the source is parsed on request.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from followme_uav.config.schema import Section


def descriptions(kind: type[Section]) -> dict[str, str]:
    """Return the description of each key of a section, with nested ones as `section.key`.

    A key without a docstring has an empty description.
    """
    texts = _docstrings(kind)
    found: dict[str, str] = {}
    for name, field in kind.model_fields.items():
        found[name] = texts.get(name, "")
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            nested = descriptions(inner)
            found.update({f"{name}.{key}": text for key, text in nested.items()})
    return found


def _docstrings(kind: type[Section]) -> dict[str, str]:
    """Return the docstrings below the annotated attributes of a class."""
    (node,) = ast.parse(inspect.getsource(kind)).body
    return dict(_attributes(node)) if isinstance(node, ast.ClassDef) else {}


def _attributes(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for attribute, docstring in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(attribute, ast.AnnAssign)
            and isinstance(attribute.target, ast.Name)
            and isinstance(docstring, ast.Expr)
            and isinstance(docstring.value, ast.Constant)
            and isinstance(docstring.value.value, str)
        ):
            yield attribute.target.id, " ".join(docstring.value.value.split())
