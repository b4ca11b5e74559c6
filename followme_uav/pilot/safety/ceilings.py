"""Decks above the streets: how high the vehicle may be where it is, and where it will be."""

from __future__ import annotations

import math
from collections.abc import Sequence

from followme_uav.config import Ceiling
from followme_uav.messages import Vec2, Vec3

CLEARANCE_M = 1.2
"""The vehicle stays so far below a deck,"""
BESIDE_M = 2.0
"""... from so far beside it on."""
EDGE_M = 0.5
"""The depth image shows a deck up to so far off its place."""
AHEAD_S = (0.1, 0.5, 1.0, 1.5, 2.0)
"""The vehicle looks at where it will be in these times."""


class Ceilings:
    """The decks of a map.

    Args:
        ceilings: Of the configuration.
    """

    def __init__(self, ceilings: Sequence[Ceiling]) -> None:
        self._undersides_m = [ceiling.underside_m for ceiling in ceilings]
        if ceilings:
            import shapely  # takes a while, and few flights need it

            self._tree = shapely.STRtree([shapely.Polygon(c.outline_m) for c in ceilings])

    def highest_m(self, place_m: Vec2) -> float:
        """Greatest height above z = 0 at which the vehicle may be at a place."""
        if not self._undersides_m:
            return math.inf
        import shapely

        near = self._tree.query(shapely.Point(place_m), predicate="dwithin", distance=BESIDE_M)
        undersides_m = [self._undersides_m[i] for i in near.tolist()]
        return min(undersides_m, default=math.inf) - CLEARANCE_M

    def below(self, points_m: Sequence[Vec3]) -> tuple[Vec3, ...]:
        """The points, world NED, without those of the decks, which are above the vehicle."""
        if not self._undersides_m or not points_m:
            return tuple(points_m)
        import shapely

        places = shapely.points([point_m[:2] for point_m in points_m])
        numbers, decks = self._tree.query(places, predicate="dwithin", distance=EDGE_M)
        of_decks = {
            number
            for number, deck in zip(numbers.tolist(), decks.tolist(), strict=True)
            if -points_m[number][2] >= self._undersides_m[deck] - EDGE_M
        }
        return tuple(p for number, p in enumerate(points_m) if number not in of_decks)

    def limits(
        self, place_m: Vec2, velocity_mps: Vec2, height_m: float, sink_mps: float
    ) -> tuple[float, float]:
        """Greatest height, and share of the speed with which the vehicle sinks in time.

        Args:
            place_m: Of the vehicle, north and east.
            velocity_mps: Likewise.
            height_m: Of the vehicle above z = 0.
            sink_mps: Greatest speed downwards.
        """
        highest_m, share = math.inf, 1.0
        for ahead_s in AHEAD_S if self._undersides_m else ():
            there_m = (
                place_m[0] + ahead_s * velocity_mps[0],
                place_m[1] + ahead_s * velocity_mps[1],
            )
            at_most_m = self.highest_m(there_m)
            highest_m = min(highest_m, at_most_m)
            if height_m - at_most_m > ahead_s * sink_mps:
                share = min(share, ahead_s * sink_mps / (height_m - at_most_m))
        return highest_m, share
