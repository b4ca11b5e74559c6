"""Raised streets in short pieces, and houses above passages.

Each piece is either in the way of a vehicle or above it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from shapely import LineString, Polygon

from followme_uav.worlds.derived.heights import deck_heights_m
from followme_uav.worlds.shapes import line_of, polygon_of
from followme_uav.worlds.terrain import ground_heights_m
from followme_uav.worlds.world import Street, World

PASSAGE_M = 4.5
"""Room that a vehicle needs to pass below: its least altitude of 3 m, with room for errors, and the
clearance of 1.2 m."""
_PIECE_M = 5.0


@dataclass(frozen=True)
class DeckPiece:
    """A short piece of a raised street, from railing to railing, or a house above a passage."""

    outline: Polygon
    underside_m: float
    """Its lowest point above z = 0."""
    room_m: float
    """Least height of the underside above the ground."""
    top_m: float
    """Greatest height of the railings, or of the house, above the ground."""

    @property
    def can_be_passed(self) -> bool:
        """Whether a vehicle may fly below."""
        return self.room_m >= PASSAGE_M


def deck_pieces(world: World) -> Iterator[DeckPiece]:
    """Divide all raised streets into pieces; a house above a passage is one piece."""
    for street in world.streets:
        if street.is_raised:
            yield from _pieces_of(world, street)
    for building in world.buildings:
        if building.base_m > 0.0:
            ground_m = ground_heights_m(world.terrain, building.outline_m)
            yield DeckPiece(
                polygon_of(building),
                underside_m=float(np.max(ground_m)) + building.base_m,
                room_m=building.base_m,
                top_m=float(np.ptp(ground_m)) + building.height_m,
            )


def _pieces_of(world: World, street: Street) -> Iterator[DeckPiece]:
    points = line_of(street).segmentize(_PIECE_M).coords
    deck_m, ground_m = deck_heights_m(street, points), ground_heights_m(world.terrain, points)
    for i, (start, end) in enumerate(itertools.pairwise(points)):
        high_m, low_m = deck_m[i : i + 2], ground_m[i : i + 2]
        yield DeckPiece(
            LineString([start, end]).buffer(street.width_m / 2.0, cap_style="square"),
            underside_m=float(np.min(high_m)) - street.thickness_m,
            room_m=float(np.min(high_m - low_m)) - street.thickness_m,
            top_m=float(np.max(high_m - low_m)) + street.railing_m,
        )
