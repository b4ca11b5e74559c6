"""Houses above passages: each is either in the way of a vehicle or above it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from shapely import Polygon

from followme_uav.worlds.shapes import polygon_of
from followme_uav.worlds.terrain import ground_heights_m
from followme_uav.worlds.world import World

PASSAGE_M = 4.5
"""Room that a vehicle needs to pass below: its least altitude of 3 m, with room for errors, and the
clearance of 1.2 m."""


@dataclass(frozen=True)
class Passage:
    """A house above a passage."""

    outline: Polygon
    underside_m: float
    """Its lowest point above z = 0."""
    room_m: float
    """Least height of the underside above the ground."""

    @property
    def can_be_passed(self) -> bool:
        """Whether a vehicle may fly below."""
        return self.room_m >= PASSAGE_M


def passages(world: World) -> Iterator[Passage]:
    """List the houses with a way below them."""
    for building in world.buildings:
        if building.base_m > 0.0:
            ground_m = ground_heights_m(world.terrain, building.outline_m)
            yield Passage(
                polygon_of(building),
                underside_m=float(np.max(ground_m)) + building.base_m,
                room_m=building.base_m,
            )
