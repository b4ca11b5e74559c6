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
REACTION_S, BRAKING_SHARE = 0.4, 0.5
"""A vehicle brakes after this time, with this share of `limits.acceleration_mps2`, at the least."""
LEAVE_MPS = 2.0
"""Speed to the side, out below a deck."""
_AHEAD_M = 40.0
"""It would be over it on the next metres, as many as these."""
_PIECE_M = 5.0
"""Each piece of a deck has room below or not."""


@dataclass(frozen=True)
class _Cover:
    """A roof, or a piece of a deck."""

    outline_m: tuple[Vec2, ...]
    underside_m: float
    """Above z = 0."""
    top_m: float
    """With the railings, above z = 0; inf: the vehicle stays below."""
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
    """What a vehicle shall do: the height above z = 0 to hold, and the velocity."""

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
        self._covers = [
            _Cover(roof.outline_m, roof.underside_m, math.inf) for roof in simulator.ceilings
        ]
        ground, decks = Ground(simulator.ground), simulator.decks
        self._braking_mps2 = BRAKING_SHARE * config.limits.acceleration_mps2
        room_m = config.limits.min_altitude_m + CLEARANCE_M + ROOM_M
        for part in Decks(decks).parts:
            self._covers += [_cover_of(p, ground, room_m) for p in part.pieces(_PIECE_M)]
        if self._covers:
            import shapely  # takes a while, and few flights need it

            outlines = [shapely.Polygon(cover.outline_m) for cover in self._covers]
            self._tree = shapely.STRtree(outlines)
            self._decks = shapely.union_all(outlines[len(simulator.ceilings) :])
            self._along_m = ALONG * max((deck.width_m for deck in decks), default=0.0)

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
            wanted: What it shall do.
            vertical_mps: Greatest speed up and down.
        """
        if not self._covers:
            return FREE
        here, ahead = self._near(place_m, 0.0), list(self._ahead(place_m, velocity_mps))
        soon = [cover for ahead_s, cover in ahead if ahead_s <= AHEAD_S[-1]]
        is_below = any(height_m < cover.middle_m for cover in here)
        may_climb = not is_below and not self._is_too_late(place_m, velocity_mps)
        passes_above = may_climb and (
            any(wanted.height_m >= cover.over_m for _, cover in ahead)
            or any(not cover.has_room for cover in soon)
            or self._leads_along(place_m, wanted.velocity_mps)
        )
        leaves = any(height_m < cover.middle_m and cover.over_m < math.inf for cover in here) and (
            any(wanted.height_m >= cover.over_m for cover in here)
            or any(not cover.has_room for cover in soon)
        )
        lowest_m, highest_m, share = -math.inf, math.inf, 1.0
        for ahead_s, cover in ahead:
            is_above = height_m >= cover.middle_m or (passes_above and cover.over_m < math.inf)
            if is_above and not is_below:
                lowest_m = max(lowest_m, cover.over_m)
                way_m = cover.over_m - height_m
            elif ahead_s <= AHEAD_S[-1]:
                highest_m = min(highest_m, cover.under_m)
                way_m = height_m - cover.under_m
            else:
                continue
            if way_m > ahead_s * vertical_mps:
                share = min(share, ahead_s * vertical_mps / way_m)
        way_out_mps = self._way_out_mps(place_m) if leaves else None
        return Heights(lowest_m, highest_m, share, way_out_mps)

    def _ahead(self, place_m: Vec2, velocity_mps: Vec2) -> Iterator[tuple[float, _Cover]]:
        """Covers near the places where the vehicle will be, each with the time."""
        for ahead_s in CLIMB_AHEAD_S:
            north_m = place_m[0] + ahead_s * velocity_mps[0]
            east_m = place_m[1] + ahead_s * velocity_mps[1]
            for cover in self._near((north_m, east_m), BESIDE_M):
                yield ahead_s, cover

    def _is_too_late(self, place_m: Vec2, velocity_mps: Vec2) -> bool:
        """Whether the vehicle cannot stop any more before a deck below which there is room."""
        import shapely

        stop_s = REACTION_S + math.hypot(*velocity_mps) / self._braking_mps2 / 2.0
        north_m, east_m = (p + stop_s * v for p, v in zip(place_m, velocity_mps, strict=True))
        way = shapely.LineString([place_m, (north_m, east_m)])
        hit = self._tree.query(way, predicate="dwithin", distance=EDGE_M).tolist()
        decks = [self._covers[n] for n in hit if self._covers[n].over_m < math.inf]
        return bool(decks) and all(deck.has_room for deck in decks)

    def _leads_along(self, place_m: Vec2, velocity_mps: Vec2) -> bool:
        """Whether a velocity leads along a deck, not only across it."""
        import shapely

        speed_mps = math.hypot(*velocity_mps)
        if speed_mps == 0.0 or self._decks.is_empty:
            return False
        north, east = (_AHEAD_M * v / speed_mps for v in velocity_mps)
        way = shapely.LineString([place_m, (place_m[0] + north, place_m[1] + east)])
        return bool(way.intersection(self._decks).length > self._along_m)

    def _way_out_mps(self, place_m: Vec2) -> Vec2 | None:
        """Velocity to the nearest edge of the decks above a place."""
        import shapely

        way = shapely.shortest_line(shapely.Point(place_m), self._decks.boundary)
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


def _cover_of(piece: DeckPart, ground: Ground, room_m: float) -> _Cover:
    deck, ends_m = piece.deck, (piece.start_m, piece.end_m)
    under_m = [height_m - deck.thickness_m for height_m in piece.heights_m]
    has_room = all(
        up_m - ground.height_m(*end_m) >= room_m
        for up_m, end_m in zip(under_m, ends_m, strict=True)
    )
    return _Cover(
        piece.outline_m(),
        underside_m=min(under_m),
        top_m=max(piece.heights_m) + deck.railing_m,
        has_room=has_room,
    )
