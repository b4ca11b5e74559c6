"""At the kerb: who may step on a zebra, and who waits for the cars.

A zebra is taken either by a car or by walkers. Walkers take it when they get to the kerb and find
it free of cars; cars take it when no walker has it or is about to (see `traffic`).
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from followme_uav.sim.agents.walks import ZEBRAS
from followme_uav.sim.city.layout import CARRIAGEWAY_HALF_WIDTH_M

KERB_M = CARRIAGEWAY_HALF_WIDTH_M + 0.35
"""From a street's middle: where one waits for cars."""
ROAD_M = CARRIAGEWAY_HALF_WIDTH_M + 0.2
"""From a street's middle: nearer than this one is on the carriageway."""

_ABOUT_M = 2.5  # whoever walks so near to the kerb is about to cross
_BRAKING_MPS2 = 1.8


class Kerbs:
    """Which zebra each person is to cross next, and whether they have it.

    Attributes:
        number: (people,) of the zebra on the way to the next place, -1 for none.
        crossing: (people,) whether it has been taken.
        in_use: numbers of the zebras that somebody is on, or about to step on.
    """

    def __init__(self, people: int) -> None:
        self.number = np.full(people, -1)
        self.crossing = np.zeros(people, dtype=np.bool_)
        self.in_use: set[int] = set()

    def set(self, i: int, number: int) -> None:
        """Person i is to cross a zebra next, or none."""
        self.number[i], self.crossing[i] = number, False

    def mind(
        self,
        position: NDArray[np.float64],
        target: NDArray[np.float64],
        road_gap_m: NDArray[np.float64],
        speed_mps: NDArray[np.float64],
        wish_mps: NDArray[np.float64],
        claimed: Collection[int],
    ) -> list[int]:
        """Let those at a kerb cross, or slow down for it; returns who has to wait.

        Args:
            position: (people, 2).
            target: (people, 2) where each walks to.
            road_gap_m: (people,) to the nearest middle of a street.
            speed_mps: (people,).
            wish_mps: (people,) how fast each would go now; lowered where one has to wait. Who
                stands on purpose neither takes a zebra nor keeps it from the cars.
            claimed: zebras that cars have taken.
        """
        self.in_use = set()
        waiting: list[int] = []
        near = (self.number >= 0) & (road_gap_m < KERB_M + _ABOUT_M)
        for i in np.flatnonzero(near).tolist():
            number = int(self.number[i])
            zebra = ZEBRAS[number]
            beyond_m = float(position[i, zebra.axis]) - zebra.street_m
            if float(target[i, zebra.axis]) < zebra.street_m:
                beyond_m = -beyond_m
            if beyond_m > ROAD_M:
                self.set(i, -1)
                continue
            if not self.crossing[i]:
                left_m, speed = -beyond_m - KERB_M, float(speed_mps[i])
                if wish_mps[i] <= 0.0 or left_m > _ABOUT_M:
                    continue
                if left_m < speed * speed / (2 * _BRAKING_MPS2) + 0.5:
                    # Who has been pushed off the kerb had better go on.
                    self.crossing[i] = number not in claimed or left_m < -0.5
                if not self.crossing[i] and number in claimed:
                    limit_mps = math.sqrt(2 * _BRAKING_MPS2 * max(left_m, 0.0))
                    wish_mps[i] = min(float(wish_mps[i]), limit_mps)
                    waiting.append(i)
            self.in_use.add(number)
        return waiting
