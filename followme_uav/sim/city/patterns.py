"""Selection of names by a client's pattern: regular expressions of bounded cost, and wild cards."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence

from followme_uav.rpc.server import HandlerError

MAX_PATTERN = 100

_REPEATED_GROUP = re.compile(r"\)\s*[*+{?]")
_VERBOSE = re.compile(r"\(\?[a-zA-Z]*x")
"""In a verbose expression, a comment may hide that a group is repeated."""
_MAX_REPEATS = 4
_OPTION = re.compile(r"(?<!\()\?")
"""An optional or lazy part; after a parenthesis the mark belongs to the group."""
_MAX_WAYS = 10
"""Each choice doubles the ways to match; a repeat counts as two choices."""


def matching(
    names: Sequence[str], pattern: str, parameter: str, *, exact_case: bool = False
) -> list[str]:
    """Find the names that match as a whole; without `exact_case`, ignore case.

    Python has no time limit on a match, so expensive expressions are refused: with no repeated
    group, few repeats and few choices, a match costs at most a small multiple of the fourth power
    of a name's length, and names are short.

    Raises:
        HandlerError: The expression is too long, too repetitive or invalid.
    """
    if len(pattern) > MAX_PATTERN:
        raise HandlerError(f"{parameter}: regular expression longer than {MAX_PATTERN} characters")
    repeats = sum(map(pattern.count, "*+{"))
    if _REPEATED_GROUP.search(pattern) or _VERBOSE.search(pattern) or repeats > _MAX_REPEATS:
        raise HandlerError(
            f"{parameter}: regular expression repeats too much: no group, and {_MAX_REPEATS} times "
            "at most"
        )
    if 2 * repeats + _choices(pattern) > _MAX_WAYS:
        raise HandlerError(f"{parameter}: regular expression has too many optional parts")
    try:
        expression = re.compile(pattern, 0 if exact_case else re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise HandlerError(f"{parameter}: not a regular expression: {error}") from None
    return [name for name in names if expression.fullmatch(name)]


def _choices(pattern: str) -> int:
    """Number of the choices whose combinations a match may have to try one by one.

    Alternatives outside of groups are tried in turn, and never combined.
    """
    alternatives = pattern.count("|") if "(" in pattern else 0
    return len(_OPTION.findall(pattern)) + alternatives


def named(names: Sequence[str], wanted: str) -> list[str]:
    """Find the names that equal the wanted one, ignoring case."""
    return [name for name in names if same(name, wanted)]


def same(name: str, other: str) -> bool:
    """Whether two names are equal, ignoring case."""
    return name.lower() == other.lower()


def wild(name: str, pattern: str) -> bool:
    """Whether a name matches a pattern with `*` and `?`, ignoring case."""
    return fnmatch.fnmatchcase(name.lower(), pattern.lower())
