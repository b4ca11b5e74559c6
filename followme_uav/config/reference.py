"""Reference of the configuration: type, permitted values, default and description of each key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MinLen, MultipleOf

from followme_uav.config.checking import Allowed, NotBlank
from followme_uav.config.derived import FORMULAS
from followme_uav.config.description import descriptions
from followme_uav.config.loading import shipped_config
from followme_uav.config.schema import FlightConfig, Section

_TYPES = {bool: "true or false", float: "number", int: "integer", str: "text"}
_SIGNS = ((Gt, "gt", ">"), (Ge, "ge", ">="), (Lt, "lt", "<"), (Le, "le", "<="))


@dataclass(frozen=True)
class KeyReference:
    """The documentation of one key, or of one section."""

    key: str
    """Dotted, from the outermost section inwards."""
    type: str
    """Empty for a section."""
    permitted: str
    """The values allowed, in words; empty if the type permits all of its values."""
    default: Any
    """The shipped value, or that of the formula; None for a section."""
    description: str
    """Unit and effect; of a derived key also its formula's reason and the keys in it."""

    @property
    def is_section(self) -> bool:
        """Whether other keys are inside."""
        return not self.type


def reference() -> list[KeyReference]:
    """Return the documentation of all sections and keys, each section before what is in it.

    The keys of a section come before the sections in it.

    Defaults are the shipped ones; those of the simulator are of the profile `embedded`.
    """
    defaults = shipped_config().model_dump(mode="json")
    return list(_documented(FlightConfig, defaults, descriptions(FlightConfig), ""))


def _documented(
    kind: type[Section], defaults: Mapping[str, Any], texts: Mapping[str, str], start: str
) -> Iterator[KeyReference]:
    sections = {}
    for name, field in kind.model_fields.items():
        key = f"{start}{name}"
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            sections[name] = inner
            continue
        what, rules = _type(inner, field.metadata)
        text = f"{texts[key]}{_formula(key)}"
        yield KeyReference(key, what, rules, defaults[name], text)
    for name, section in sections.items():
        key = f"{start}{name}"
        yield KeyReference(key, "", "", None, texts[key])
        yield from _documented(section, defaults[name], texts, f"{key}.")


def _formula(key: str) -> str:
    """Return a sentence on the formula of a derived key."""
    formula = FORMULAS.get(key)
    if formula is None:
        return ""
    return f" Derived from {', '.join(f'`{name}`' for name in formula.of)}: {formula.why}."


def _type(kind: Any, metadata: Any) -> tuple[str, str]:
    """Return type and permitted values in words."""
    rules = _rules(metadata)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        inner, inner_rules = _type(arguments[0], kind.__metadata__)
        return inner, ", ".join(filter(None, (inner_rules, rules)))
    if origin is Literal:
        return "choice", ", ".join(f"`{choice}`" for choice in arguments)
    if origin in (Union, UnionType):
        kinds = [argument for argument in arguments if argument is not NoneType]
        found = [_type(argument, ()) for argument in kinds]
        words = [what for what, _ in found] + ["null"] * (len(kinds) < len(arguments))
        return " or ".join(words), ", ".join(filter(None, (*(r for _, r in found), rules)))
    if origin is tuple:
        item, item_rules = _type(arguments[0], ())
        size = "" if arguments[-1] is Ellipsis else f" of {len(arguments)}"
        each = item_rules and f"each {item_rules.removeprefix('each ')}"
        return f"list{size}: each a {item}", ", ".join(filter(None, (rules, each)))
    return _TYPES.get(kind, getattr(kind, "__name__", str(kind))), rules


def _rules(metadata: Any) -> str:
    """Return the rules of a type in words."""
    metadata = [rule for item in metadata for rule in _unpacked(item)]
    allowed = [rule for rule in metadata if isinstance(rule, Allowed)]
    words = [str(rule) for rule in metadata if isinstance(rule, (Allowed, NotBlank))]
    for rule in metadata:
        if isinstance(rule, MultipleOf):
            words.append(f"a multiple of {rule.multiple_of}")
        if isinstance(rule, MinLen):
            words.append(f"at least {rule.min_length}")
        for sign, name, symbol in _SIGNS:
            if isinstance(rule, sign) and not _is_implied(name, getattr(rule, name), allowed):
                words.append(f"{symbol} {getattr(rule, name):g}")
    return ", ".join(words)


def _unpacked(rule: Any) -> Iterator[Any]:
    """Yield a rule, or the rules inside of a `Field`."""
    inner = getattr(rule, "metadata", None)
    if isinstance(inner, list):
        yield from inner
    else:
        yield rule


def _is_implied(name: str, bound: float, allowed: list[Allowed]) -> bool:
    """Whether a bound of the type says nothing beyond an `Allowed` range."""
    if name == "gt":
        return any(rule.low > bound for rule in allowed)
    if name == "ge":
        return any(rule.low >= bound for rule in allowed)
    if name == "lt":
        return any(rule.high < bound for rule in allowed)
    return any(rule.high <= bound for rule in allowed)
