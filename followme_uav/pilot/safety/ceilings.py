"""Roofs and decks above the streets: how low and how high the vehicle may be, and will be allowed.

A vehicle stays below a roof. It passes below a deck where there is room, unless it is above it
already, or shall be; a deck without room below is passed above.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from followme_uav.config import FlightConfig
from followme_uav.ground import Ground
from followme_uav.messages import Vec2, Vec3
from followme_uav.pilot.navigation.decks import DeckPart, Decks

CLEARANCE_M = 1.2
"""The vehicle stays so far below or above,"""
BESIDE_M = 2.0
"""... from so far beside on."""
EDGE_M = 0.5
"""The depth image shows a roof or deck up to so far off its place."""
ROOM_M = 0.3
"""Room that is left below a deck by a vehicle at its least altitude: for errors."""
AHEAD_S = (0.1, 0.5, 1.0, 1.5, 2.0)
"""The vehicle looks at where it will be in these times."""
_PIECE_M = 5.0
"""Each piece of a deck is either passed below or not."""


@dataclass(frozen=True)
class _Cover:
    """A roof, or a piece of a deck."""

    outline_m: tuple[Vec2, ...]
    underside_m: float
    """Above z = 0; -inf: there is no room below."""
    top_m: float
    """With the railings, above z = 0; inf: the vehicle stays below."""

    @property
    def middle_m(self) -> float:
        """From this height on, a vehicle is above."""
        return (self.underside_m + self.top_m) / 2.0


class Heights(NamedTuple):
    """Bounds of the vehicle's height above z = 0, and of its speed."""

    lowest_m: float
    highest_m: float
    speed_share: float
    """Of the present speed: the vehicle then sinks or climbs in time."""


FREE = Heights(-math.inf, math.inf, 1.0)


class Ceilings:
    """The roofs and decks of a map.

    Args:
        config: Of the flight.
    """

    def __init__(self, config: FlightConfig) -> None:
        simulator = config.simulator
        self._covers = [
            _Cover(roof.outline_m, roof.underside_m, math.inf) for roof in simulator.ceilings
        ]
        ground = Ground(simulator.ground)
        room_m = config.limits.min_altitude_m + CLEARANCE_M + ROOM_M
        for part in Decks(simulator.decks).parts:
            self._covers += [_cover_of(p, ground, room_m) for p in part.pieces(_PIECE_M)]
        if self._covers:
            import shapely  # takes a while, and few flights need it

            self._tree = shapely.STRtree([shapely.Polygon(c.outline_m) for c in self._covers])

    def others(self, points_m: Sequence[Vec3], height_m: float) -> tuple[Vec3, ...]:
        """The points, world NED, without those of roofs and decks above or below the vehicle.

        Args:
            points_m: That the depth image shows.
            height_m: Of the vehicle above z = 0.
        """
        if not self._covers or not points_m:
            return tuple(points_m)
        import shapely

        places = shapely.points([point_m[:2] for point_m in points_m])
        numbers, covers = self._tree.query(places, predicate="dwithin", distance=EDGE_M)
        shown = set()
        for number, cover in zip(numbers.tolist(), covers.tolist(), strict=True):
            up_m, its = -points_m[number][2], self._covers[cover]
            highest_m = its.top_m if height_m >= its.middle_m else math.inf
            if its.underside_m - EDGE_M <= up_m <= highest_m + EDGE_M:
                shown.add(number)
        return tuple(p for number, p in enumerate(points_m) if number not in shown)

    def heights(
        self,
        place_m: Vec2,
        velocity_mps: Vec2,
        height_m: float,
        wanted_m: float,
        vertical_mps: float,
    ) -> Heights:
        """Bounds where the vehicle is, and where it will be soon.

        Args:
            place_m: Of the vehicle, north and east.
            velocity_mps: Likewise.
            height_m: Of the vehicle above z = 0.
            wanted_m: The height that it shall have.
            vertical_mps: Greatest speed up and down.
        """
        if not self._covers:
            return FREE
        lowest_m, highest_m, share = FREE
        is_below = any(height_m < cover.middle_m for cover in self._near(place_m, 0.0))
        for ahead_s in AHEAD_S:
            there_m = (
                place_m[0] + ahead_s * velocity_mps[0],
                place_m[1] + ahead_s * velocity_mps[1],
            )
            for cover in self._near(there_m, BESIDE_M):
                over_m, under_m = cover.top_m + CLEARANCE_M, cover.underside_m - CLEARANCE_M
                if height_m >= cover.middle_m or (wanted_m >= over_m and not is_below):
                    lowest_m, way_m = max(lowest_m, over_m), over_m - height_m
                else:
                    highest_m, way_m = min(highest_m, under_m), height_m - under_m
                if way_m > ahead_s * vertical_mps:
                    share = min(share, ahead_s * vertical_mps / way_m)
        return Heights(lowest_m, highest_m, share)

    def _near(self, place_m: Vec2, distance_m: float) -> list[_Cover]:
        import shapely

        near = self._tree.query(shapely.Point(place_m), predicate="dwithin", distance=distance_m)
        return [self._covers[number] for number in near.tolist()]


def _cover_of(piece: DeckPart, ground: Ground, room_m: float) -> _Cover:
    deck, ends_m = piece.deck, (piece.start_m, piece.end_m)
    under_m = [height_m - deck.thickness_m for height_m in piece.heights_m]
    has_room = all(
        up_m - ground.height_m(*end_m) >= room_m
        for up_m, end_m in zip(under_m, ends_m, strict=True)
    )
    return _Cover(
        piece.outline_m(),
        underside_m=min(under_m) if has_room else -math.inf,
        top_m=max(piece.heights_m) + deck.railing_m,
    )
