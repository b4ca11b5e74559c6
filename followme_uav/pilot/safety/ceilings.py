"""Roofs and decks above the streets: how low and how high the vehicle may be, and will be allowed.

A vehicle stays below a roof. It passes below a deck that it crosses where there is room, unless it
is above it already, or shall be. It flies above a deck along which it flies, and above one without
room below; if it is below after all, it leaves to the side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
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
"""The vehicle looks at where it will be in these times,"""
CLIMB_AHEAD_S = (*AHEAD_S, 3.0, 4.0)
"""... and in these for decks above which it shall fly: it climbs for seconds."""
ALONG = 3.0
"""A vehicle flies along a deck if it would be over it for more than this many widths."""
SLOW_MPS = 0.5
"""The direction of a lower velocity leads nowhere."""
REACTION_S, BRAKING_SHARE = 0.4, 0.5
"""A vehicle brakes after this time, with this share of `limits.acceleration_mps2`, at the least."""
LEAVE_MPS = 2.0
"""Speed to the side, out below a deck."""
_MORE_M = 10.0
"""A way that leads along a deck is looked at for so much more."""
_PIECE_M = 5.0
"""Each piece of a deck has room below or not."""
_ROOF = -1


@dataclass(frozen=True)
class _Cover:
    """A roof, or a piece of a deck."""

    outline_m: tuple[Vec2, ...]
    underside_m: float
    """Above z = 0."""
    top_m: float = math.inf
    """With the railings, above z = 0; inf: the vehicle stays below."""
    wanted_above_m: float = math.inf
    """A vehicle that shall be as high as this above z = 0 flies above."""
    deck: int = _ROOF
    """Number of the deck."""
    has_room: bool = True
    """Whether the vehicle fits below."""

    @property
    def middle_m(self) -> float:
        """From this height on, a vehicle is above."""
        return (self.underside_m + self.top_m) / 2.0

    @property
    def under_m(self) -> float:
        """Greatest height of a vehicle below."""
        return self.underside_m - CLEARANCE_M

    @property
    def over_m(self) -> float:
        """Least height of a vehicle above."""
        return self.top_m + CLEARANCE_M


class Wanted(NamedTuple):
    """The height above z = 0 that a vehicle shall hold, and its velocity before all limits."""

    height_m: float
    velocity_mps: Vec2


class Heights(NamedTuple):
    """Bounds of the vehicle's height above z = 0, and of its velocity."""

    lowest_m: float
    highest_m: float
    speed_share: float
    """Of the present speed: the vehicle then sinks or climbs in time."""
    way_out_mps: Vec2 | None = None
    """The velocity out below a deck; None: the vehicle need not leave."""


FREE = Heights(-math.inf, math.inf, 1.0)


class Ceilings:
    """The roofs and decks of a map.

    Args:
        config: Of the flight.
    """

    def __init__(self, config: FlightConfig) -> None:
        simulator = config.simulator
        self._covers = [_Cover(roof.outline_m, roof.underside_m) for roof in simulator.ceilings]
        self._braking_mps2 = BRAKING_SHARE * config.limits.acceleration_mps2
        ground, least_m = Ground(simulator.ground), config.limits.min_altitude_m
        for number, deck in enumerate(simulator.decks):
            for part in Decks((deck,)).parts:
                pieces = part.pieces(_PIECE_M)
                self._covers += [_cover_of(piece, number, ground, least_m) for piece in pieces]
        if self._covers:
            import shapely  # takes a while, and few flights need it

            outlines = [shapely.Polygon(cover.outline_m) for cover in self._covers]
            self._tree = shapely.STRtree(outlines)
            self._decks = [
                shapely.union_all(
                    [o for o, c in zip(outlines, self._covers, strict=True) if c.deck == number]
                )
                for number in range(len(simulator.decks))
            ]
            self._along_m = [ALONG * deck.width_m for deck in simulator.decks]
            self._edges = shapely.union_all(self._decks).boundary

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
        wanted: Wanted,
        vertical_mps: float,
    ) -> Heights:
        """Bounds where the vehicle is, and where it will be soon.

        Args:
            place_m: Of the vehicle, north and east.
            velocity_mps: Likewise.
            height_m: Of the vehicle above z = 0.
            wanted: Height and velocity that the guidance wants.
            vertical_mps: Greatest speed up and down.
        """
        ahead = list(self._ahead(place_m, velocity_mps)) if self._covers else []
        if not ahead:
            return FREE
        below = {c.deck for c in self._near(place_m, 0.0) if height_m < c.middle_m}
        soon = [cover for ahead_s, cover in ahead if ahead_s <= AHEAD_S[-1]]
        above = {
            deck
            for deck in {cover.deck for _, cover in ahead if not below and cover.deck != _ROOF}
            if self._is_passed_above(deck, ahead, place_m, velocity_mps, wanted)
        }
        lowest_m, highest_m, share = FREE[:3]
        for ahead_s, cover in ahead:
            if height_m >= cover.middle_m or cover.deck in above:
                lowest_m = max(lowest_m, cover.over_m)
                way_m = cover.over_m - height_m
            elif ahead_s <= AHEAD_S[-1]:
                highest_m = min(highest_m, cover.under_m)
                way_m = height_m - cover.under_m
            else:
                continue
            if way_m > ahead_s * vertical_mps:
                share = min(share, ahead_s * vertical_mps / way_m)
        leaves = any(
            height_m < cover.middle_m
            and (not cover.has_room or wanted.height_m >= cover.wanted_above_m)
            for cover in soon
            if cover.deck in below - {_ROOF}
        )
        way_out_mps = self._way_out_mps(place_m) if leaves else None
        return Heights(lowest_m, highest_m, share, way_out_mps)

    def _ahead(self, place_m: Vec2, velocity_mps: Vec2) -> Iterator[tuple[float, _Cover]]:
        """Covers near the places where the vehicle will be, each with the time."""
        for ahead_s in CLIMB_AHEAD_S:
            north_m = place_m[0] + ahead_s * velocity_mps[0]
            east_m = place_m[1] + ahead_s * velocity_mps[1]
            for cover in self._near((north_m, east_m), BESIDE_M):
                yield ahead_s, cover

    def _is_passed_above(
        self,
        deck: int,
        ahead: Sequence[tuple[float, _Cover]],
        place_m: Vec2,
        velocity_mps: Vec2,
        wanted: Wanted,
    ) -> bool:
        """Whether a vehicle that is not below any deck shall pass above this one."""
        if self._is_too_late(deck, place_m, velocity_mps):
            return False
        pieces = [(ahead_s, cover) for ahead_s, cover in ahead if cover.deck == deck]
        return (
            any(wanted.height_m >= cover.wanted_above_m for _, cover in pieces)
            or any(not cover.has_room for ahead_s, cover in pieces if ahead_s <= AHEAD_S[-1])
            or self._leads_along(deck, place_m, wanted.velocity_mps)
        )

    def _is_too_late(self, deck: int, place_m: Vec2, velocity_mps: Vec2) -> bool:
        """Whether the vehicle cannot stop any more before a deck below which there is room."""
        import shapely

        stop_s = REACTION_S + math.hypot(*velocity_mps) / self._braking_mps2 / 2.0
        north_m, east_m = (p + stop_s * v for p, v in zip(place_m, velocity_mps, strict=True))
        way = shapely.LineString([place_m, (north_m, east_m)])
        near = self._tree.query(way, predicate="dwithin", distance=EDGE_M).tolist()
        hit = [self._covers[n] for n in near if self._covers[n].deck == deck]
        return bool(hit) and all(cover.has_room for cover in hit)

    def _leads_along(self, deck: int, place_m: Vec2, velocity_mps: Vec2) -> bool:
        """Whether a velocity leads along a deck, not only across it."""
        import shapely

        speed_mps, along_m = math.hypot(*velocity_mps), self._along_m[deck]
        if speed_mps < SLOW_MPS:
            return False
        north_m, east_m = ((along_m + _MORE_M) * v / speed_mps for v in velocity_mps)
        way = shapely.LineString([place_m, (place_m[0] + north_m, place_m[1] + east_m)])
        return bool(way.intersection(self._decks[deck]).length > along_m)

    def _way_out_mps(self, place_m: Vec2) -> Vec2 | None:
        """Velocity to the nearest edge of the decks above a place."""
        import shapely

        way = shapely.shortest_line(shapely.Point(place_m), self._edges)
        _, (north, east) = shapely.get_coordinates(way).tolist()
        distance_m = math.dist((north, east), place_m)
        if distance_m == 0.0:
            return None
        share = LEAVE_MPS / distance_m
        return share * (north - place_m[0]), share * (east - place_m[1])

    def _near(self, place_m: Vec2, distance_m: float) -> list[_Cover]:
        import shapely

        near = self._tree.query(shapely.Point(place_m), predicate="dwithin", distance=distance_m)
        return [self._covers[number] for number in near.tolist()]


def _cover_of(piece: DeckPart, number: int, ground: Ground, least_m: float) -> _Cover:
    """A piece of a deck.

    Args:
        piece: Straight.
        number: Of the deck.
        ground: Below it.
        least_m: Altitude of the vehicle.
    """
    deck, outline_m = piece.deck, piece.outline_m()
    underside_m = min(piece.heights_m) - deck.thickness_m
    places_m = (piece.start_m, piece.end_m, *outline_m)
    room_m = underside_m - max(ground.height_m(*place_m) for place_m in places_m)
    return _Cover(
        outline_m,
        underside_m=underside_m,
        top_m=max(piece.heights_m) + deck.railing_m,
        wanted_above_m=max(piece.heights_m) + least_m,
        deck=number,
        has_room=room_m >= least_m + CLEARANCE_M + ROOM_M,
    )
