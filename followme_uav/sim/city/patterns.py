"""Selection of names by a client's pattern: regular expressions of bounded cost, and wild cards."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence

from followme_uav.rpc.server import HandlerError

MAX_PATTERN = 100

_REPEATED_GROUP = re.compile(r"\)\s*[*+{?]")
_MAX_REPEATS = 4


def matching(
    names: Sequence[str], pattern: str, parameter: str, *, exact_case: bool = False
) -> list[str]:
    """Find the names that match as a whole; without `exact_case`, ignore case.

    Python has no time limit on a match, so expensive expressions are refused: with no repeated
    group and few repeats, a match costs at most the fourth power of a name's length, and names are
    short.

    Raises:
        HandlerError: The expression is too long, too repetitive or invalid.
    """
    if len(pattern) > MAX_PATTERN:
        raise HandlerError(f"{parameter}: regular expression longer than {MAX_PATTERN} characters")
    if _REPEATED_GROUP.search(pattern) or sum(map(pattern.count, "*+{")) > _MAX_REPEATS:
        raise HandlerError(
            f"{parameter}: regular expression repeats too much: no group, and {_MAX_REPEATS} times "
            "at most"
        )
    try:
        expression = re.compile(pattern, 0 if exact_case else re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise HandlerError(f"{parameter}: not a regular expression: {error}") from None
    return [name for name in names if expression.fullmatch(name)]


def named(names: Sequence[str], wanted: str) -> list[str]:
    """Find the names that equal the wanted one, ignoring case."""
    return [name for name in names if same(name, wanted)]


def same(name: str, other: str) -> bool:
    """Whether two names are equal, ignoring case."""
    return name.lower() == other.lower()


def wild(name: str, pattern: str) -> bool:
    """Whether a name matches a pattern with `*` and `?`, ignoring case."""
    return fnmatch.fnmatchcase(name.lower(), pattern.lower())
