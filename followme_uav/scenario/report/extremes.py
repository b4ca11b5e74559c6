"""Which conditions of a flight were extreme among those of its run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeGuard

import numpy as np

from followme_uav.scenario.execution.results import Result
from followme_uav.scenario.script.random_draws import DRAWS

FEWEST_FLIGHTS = 20
"""Of fewer flights, nobody can say what is extreme."""
TAIL = 0.05


class DrawsOfRun:
    """The numbers that were drawn for the flights of a run."""

    def __init__(self, results: Sequence[Result]) -> None:
        columns = {
            name: np.array([v for r in results if _is_number(v := r.draws.get(name))], dtype=float)
            for name in DRAWS
        }
        self._columns = {
            name: numbers for name, numbers in columns.items() if len(numbers) >= FEWEST_FLIGHTS
        }

    def extremes_of(self, result: Result) -> dict[str, float]:
        """Return the draws of a flight that lie in the highest or lowest 5 % of the run.

        A value that more flights share than that is not extreme, however small it is.
        """
        found: dict[str, float] = {}
        for name, numbers in self._columns.items():
            own = result.draws.get(name)
            if _is_number(own) and (min(np.mean(numbers >= own), np.mean(numbers <= own)) <= TAIL):
                found[name] = own
        return found


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float)
