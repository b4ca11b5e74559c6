"""Collision avoidance between people.

Each person is a point; distances are in metres. `sidesteps` makes people give way in time;
`separate` and `hold_back` guarantee the least distance between any two of them.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from followme_uav.sim.city.arrays import Floats, Indices

Pairs = tuple[Indices, Indices]
"""Two arrays of equal length: the first and the second index of each pair."""

NEAR_M = 4.5
"""People further apart than this do not affect each other."""
MIN_GAP_M = 0.45
"""The least distance between two people."""

_HORIZON_S = 2.0
_WANTED_GAP_M = 0.85
_SIDESTEP_MPS = 1.1
_KEEP_RIGHT = 0.5
_SOFT_GAP_M = 0.6
_MAX_PUSH_M = 0.04


def no_pairs() -> Pairs:
    """No pairs at all."""
    empty = np.zeros(0, dtype=np.int64)
    return empty, empty


@lru_cache(maxsize=8)
def _all_pairs(count: int) -> Pairs:
    first, second = np.triu_indices(count, 1)
    return first.astype(np.int64), second.astype(np.int64)


def near_pairs(position: Floats) -> Pairs:
    """Find the people who are near each other; each pair once.

    Args:
        position: (people, 2).
    """
    first, second = _all_pairs(len(position))
    apart = position[first] - position[second]
    near = np.einsum("ij,ij->i", apart, apart) < NEAR_M**2
    return first[near], second[near]


def sidesteps(
    position: Floats, velocity: Floats, pairs: Pairs, extra_m: Floats | float = 0.0
) -> Floats:
    """Compute the sideways velocity of people who would pass another one too closely.

    A person moves away from the side on which the other one passes within the next two seconds,
    and to the right.

    Args:
        position: (people, 2).
        velocity: (people, 2), as desired.
        pairs: people who are near each other.
        extra_m: (pairs,) wider gap than that to a single person.

    Returns:
        (people, 2).
    """
    first, second = pairs
    out = np.zeros_like(position)
    if not len(first):
        return out
    apart = position[second] - position[first]
    closing = velocity[first] - velocity[second]
    speed2 = np.einsum("ij,ij->i", closing, closing)
    when = np.einsum("ij,ij->i", apart, closing) / np.maximum(speed2, 1e-4)
    when = np.minimum(np.maximum(when, 0.0), _HORIZON_S)
    miss = apart - closing * when[:, None]
    wanted = _WANTED_GAP_M + extra_m
    urgency = 1.0 - np.sqrt(np.einsum("ij,ij->i", miss, miss)) / wanted
    counts = np.flatnonzero(urgency > 0.0)
    if not len(counts):
        return out
    first, second, miss, closing = first[counts], second[counts], miss[counts], closing[counts]
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
    np.add.at(out, first, aside)
    np.add.at(out, second, -aside)
    return out


def separate(position: Floats, pairs: Pairs, mass: Floats) -> Floats:
    """Push people who touch apart a little; the heavier one of two moves less.

    Args:
        position: (people, 2).
        pairs: people who are near each other.
        mass: (people,) resistance to a push, more than 0.

    Returns:
        (people, 2) new positions; `position` itself if no one touches another.
    """
    first, second = pairs
    apart = position[first] - position[second]
    gap = np.sqrt(np.einsum("ij,ij->i", apart, apart))
    touching = np.flatnonzero(gap < _SOFT_GAP_M)
    if not len(touching):
        return position
    moved: Floats = position.copy()
    for k in touching.tolist():
        i, j = int(first[k]), int(second[k])
        push_m = min(_SOFT_GAP_M - float(gap[k]), _MAX_PUSH_M) / max(float(gap[k]), 1e-3)
        share = float(mass[j] / (mass[i] + mass[j]))
        # Two people at the same point have no direction; any direction separates them.
        away = apart[k] if gap[k] > 1e-3 else np.array([1e-3, 0.0])
        moved[i] += share * push_m * away
        moved[j] -= (1.0 - share) * push_m * away
    return moved


def hold_back(before: Floats, after: Floats, pairs: Pairs) -> list[int]:
    """Undo, in `after`, the steps that bring two people too close to each other.

    Afterwards no pair is closer than `MIN_GAP_M` that was not before.

    Args:
        before: (people, 2) positions before the step.
        after: (people, 2) positions after it; changed in place.
        pairs: people who are near each other.

    Returns:
        The people whose steps are undone.
    """
    first, second = pairs
    held: list[int] = []
    while True:
        apart = after[first] - after[second]
        close = np.flatnonzero(np.einsum("ij,ij->i", apart, apart) < MIN_GAP_M**2)
        undone = False
        for k in close.tolist():
            i, j = int(first[k]), int(second[k])
            was = before[i] - before[j]
            now = after[i] - after[j]
            if math.hypot(*now) >= min(MIN_GAP_M, math.hypot(*was)):
                continue
            approaching = [
                p
                for p, towards in ((i, -was), (j, was))
                if float((after[p] - before[p]) @ towards) > 0.0
            ] or [p for p in (i, j) if (after[p] != before[p]).any()]
            for p in approaching:
                after[p] = before[p]
                held.append(p)
                undone = True
        if not undone:
            return held
