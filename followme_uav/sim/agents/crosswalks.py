"""The right of way at crosswalks: people cross, or wait at the kerb for the cars.

A crosswalk is claimed either by a car or by pedestrians. A pedestrian claims it on arrival at the
kerb if no car has claimed it; a car claims it while no pedestrian is on it or about to step on it
(see `traffic`).
"""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np

from followme_uav.sim.agents.gait import BRAKING_MPS2
from followme_uav.sim.agents.walkways import Walkways
from followme_uav.sim.city.arrays import Floats
from followme_uav.sim.city.layout import CARRIAGEWAY_HALF_WIDTH_M

KERB_M = CARRIAGEWAY_HALF_WIDTH_M + 0.35
"""People wait this far from the centre line of a street."""
ROAD_M = CARRIAGEWAY_HALF_WIDTH_M + 0.2
"""A person nearer than this to a centre line is on the carriageway."""
NO_CROSSWALK = -1

_APPROACH_M = 2.5  # a person this near to the kerb is about to cross
_OFF_THE_KERB_M = 0.5  # a person pushed this far onto the carriageway goes on


class Crosswalks:
    """The crosswalk that each person crosses next, and whether that person may cross it.

    Args:
        people: number of people.
        walkways: where the crosswalks are.

    Attributes:
        number: (people,) the crosswalk on the way to the next place, or `NO_CROSSWALK`.
        crossing: (people,) whether the person has claimed that crosswalk.
        in_use: numbers of the crosswalks that a person is on, or about to step on.
    """

    def __init__(self, people: int, walkways: Walkways) -> None:
        self._walkways = walkways
        self.number = np.full(people, NO_CROSSWALK)
        self.crossing = np.zeros(people, dtype=np.bool_)
        self.in_use: set[int] = set()

    def assign(self, i: int, number: int) -> None:
        """Set the crosswalk that person i crosses next; it is not claimed yet."""
        self.number[i], self.crossing[i] = number, False

    def update(
        self,
        position: Floats,
        target: Floats,
        road_gap_m: Floats,
        speed_mps: Floats,
        desired_mps: Floats,
        claimed: Collection[int],
    ) -> list[int]:
        """Claim crosswalks for people at a kerb, or slow them down; return the people who wait.

        Args:
            position: (people, 2).
            target: (people, 2) the point that each person walks to.
            road_gap_m: (people,) distance to the nearest centre line of a street.
            speed_mps: (people,).
            desired_mps: (people,) desired speeds; lowered in place for people who wait. A person
                who stands on purpose (0) neither claims a crosswalk nor keeps it from the cars.
            claimed: crosswalks that cars have claimed.
        """
        self.in_use = set()
        waiting: list[int] = []
        near = (self.number >= 0) & (road_gap_m < KERB_M + _APPROACH_M)
        for i in np.flatnonzero(near).tolist():
            number = int(self.number[i])
            beyond_m = self._walkways.beyond_m(number, position[i], target[i])
            if beyond_m > ROAD_M:
                self.assign(i, NO_CROSSWALK)
                continue
            if not self.crossing[i]:
                left_m, speed = -beyond_m - KERB_M, float(speed_mps[i])
                if desired_mps[i] <= 0.0 or left_m > _APPROACH_M:
                    continue
                if left_m < speed * speed / (2 * BRAKING_MPS2) + 0.5:
                    self.crossing[i] = number not in claimed or left_m < -_OFF_THE_KERB_M
                if not self.crossing[i] and number in claimed:
                    limit_mps = math.sqrt(2 * BRAKING_MPS2 * max(left_m, 0.0))
                    desired_mps[i] = min(float(desired_mps[i]), limit_mps)
                    waiting.append(i)
            self.in_use.add(number)
        return waiting
