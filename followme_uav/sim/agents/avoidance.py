"""How people keep out of each other: a step aside in time, and never into somebody.

Bodies are points here, in metres from each other. `sidesteps` is what makes walking look natural;
`separate` and `hold_back` are what guarantees that nobody walks into anybody.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

NEAR_M = 4.5
"""People further from each other than this do not matter to each other."""
LEAST_GAP_M = 0.45
"""No two people's middles come closer."""

_LOOK_AHEAD_S = 2.0
_WANTED_GAP_M = 0.85
_SIDESTEP_MPS = 1.1
_KEEP_RIGHT = 0.5
_SOFT_GAP_M = 0.6
_MOST_PUSH_M = 0.04


@lru_cache(maxsize=8)
def _all_pairs(count: int) -> tuple[Indices, Indices]:
    one, other = np.triu_indices(count, 1)
    return one.astype(np.int64), other.astype(np.int64)


def near_pairs(position: Floats) -> tuple[Indices, Indices]:
    """Who is near whom; each pair once.

    Args:
        position: (people, 2).
    """
    one, other = _all_pairs(len(position))
    apart = position[one] - position[other]
    near = np.einsum("ij,ij->i", apart, apart) < NEAR_M**2
    return one[near], other[near]


def sidesteps(
    position: Floats, velocity: Floats, one: Indices, other: Indices, extra_m: Floats | float = 0.0
) -> Floats:
    """(people, 2) velocity aside, for each by whom they would meet within the next two seconds.

    Whoever would pass too closely moves away from where the other passes, and to the right.

    Args:
        position: (people, 2).
        velocity: (people, 2), as wished.
        one: of each pair.
        other: of each pair.
        extra_m: (pairs,) wider berth than that of a single person.
    """
    out = np.zeros_like(position)
    if not len(one):
        return out
    apart = position[other] - position[one]
    closing = velocity[one] - velocity[other]
    speed2 = np.einsum("ij,ij->i", closing, closing)
    when = np.einsum("ij,ij->i", apart, closing) / np.maximum(speed2, 1e-4)
    when = np.minimum(np.maximum(when, 0.0), _LOOK_AHEAD_S)
    miss = apart - closing * when[:, None]
    wanted = _WANTED_GAP_M + extra_m
    urgency = 1.0 - np.sqrt(np.einsum("ij,ij->i", miss, miss)) / wanted
    counts = np.flatnonzero(urgency > 0.0)
    if not len(counts):
        return out
    one, other, miss, closing = one[counts], other[counts], miss[counts], closing[counts]
    wanted = wanted[counts] if isinstance(wanted, np.ndarray) else wanted
    urgency = urgency[counts] * (1.0 - 0.4 * when[counts])
    speed2 = speed2[counts]
    aside = np.empty_like(miss)
    right = _KEEP_RIGHT / np.maximum(np.sqrt(speed2), 0.1)
    share = 1.0 / wanted
    aside[:, 0] = -closing[:, 1] * right - miss[:, 0] * share
    aside[:, 1] = closing[:, 0] * right - miss[:, 1] * share
    length = np.sqrt(np.einsum("ij,ij->i", aside, aside))
    strength = _SIDESTEP_MPS * urgency / np.maximum(length, 1e-6)
    aside *= strength[:, None]
    np.add.at(out, one, aside)
    np.add.at(out, other, -aside)
    return out


def separate(position: Floats, one: Indices, other: Indices, firm: Floats) -> Floats:
    """`position` with those who touch pushed apart a little; those who stand firm hardly move.

    Args:
        position: (people, 2).
        one: of each pair.
        other: of each pair.
        firm: (people,) how hard each is to push, more than 0.
    """
    apart = position[one] - position[other]
    gap = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    touching = np.flatnonzero(gap < _SOFT_GAP_M)
    if not len(touching):
        return position
    moved = position.copy()
    for k in touching.tolist():
        i, j = int(one[k]), int(other[k])
        push_m = min(_SOFT_GAP_M - float(gap[k]), _MOST_PUSH_M) / max(float(gap[k]), 1e-3)
        share = float(firm[j] / (firm[i] + firm[j]))
        # Two in the very same place have no direction; any will do.
        away = apart[k] if gap[k] > 1e-3 else np.array([1e-3, 0.0])
        moved[i] += share * push_m * away
        moved[j] -= (1.0 - share) * push_m * away
    return moved


def hold_back(before: Floats, after: Floats, one: Indices, other: Indices) -> list[int]:
    """Undo, in `after`, the steps that lead into somebody; returns whose.

    When it is done, no pair is closer than `LEAST_GAP_M` that was not before.

    Args:
        before: (people, 2) positions, to be kept in case.
        after: (people, 2) positions wanted; changed in place.
        one: of each pair.
        other: of each pair.
    """
    held: list[int] = []
    while True:
        apart = after[one] - after[other]
        close = np.flatnonzero(np.einsum("ij,ij->i", apart, apart) < LEAST_GAP_M**2)
        undone = False
        for k in close.tolist():
            i, j = int(one[k]), int(other[k])
            was = before[i] - before[j]
            now = after[i] - after[j]
            if math.hypot(*now) >= min(LEAST_GAP_M, math.hypot(*was)):
                continue
            guilty = [
                p
                for p, towards in ((i, -was), (j, was))
                if float((after[p] - before[p]) @ towards) > 0.0
            ] or [p for p in (i, j) if (after[p] != before[p]).any()]
            for p in guilty:
                after[p] = before[p]
                held.append(p)
                undone = True
        if not undone:
            return held
