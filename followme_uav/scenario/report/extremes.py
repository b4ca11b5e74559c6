"""Which conditions of a flight were extreme among those of its run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from followme_uav.scenario.execution.results import Result
from followme_uav.scenario.script.random_draws import DRAWS

FEWEST_FLIGHTS = 20
"""Of fewer flights, nobody can say what is extreme."""
TAIL = 0.05


def extreme_draws(result: Result, results: Sequence[Result]) -> dict[str, float]:
    """Return the draws of a flight that lie in the highest or lowest 5 % of its run.

    A value that more flights share than that is not extreme, however small it is.
    """
    if len(results) < FEWEST_FLIGHTS:
        return {}
    found: dict[str, float] = {}
    for name in DRAWS:
        values = [r.draws.get(name) for r in results]
        numbers = np.array([v for v in values if isinstance(v, int | float)], dtype=float)
        own = result.draws.get(name)
        if not isinstance(own, int | float) or len(numbers) < FEWEST_FLIGHTS:
            continue
        if min(np.mean(numbers >= own), np.mean(numbers <= own)) <= TAIL:
            found[name] = own
    return found
