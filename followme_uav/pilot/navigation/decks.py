"""Decks: ways above the ground on which people walk, such as bridges and elevated roads.

Plain numbers: a replay has to reproduce a flight to the last bit.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from followme_uav.config import Deck
from followme_uav.messages import Vec2, Vec3


@dataclass(frozen=True)
class DeckPart:
    """A straight part of a deck, whose height changes evenly from its start to its end."""

    start_m: Vec2
    along: Vec2
    """Unit vector from the start to the end."""
    length_m: float
    heights_m: Vec2
    """Of the start and the end above z = 0."""
    deck: Deck

    @property
    def slope(self) -> float:
        """Rise over run, towards the end."""
        return (self.heights_m[1] - self.heights_m[0]) / self.length_m

    @property
    def end_m(self) -> Vec2:
        """Its other end."""
        north, east = self.along
        return self.start_m[0] + self.length_m * north, self.start_m[1] + self.length_m * east

    def holds(self, place_m: Vec2, beside_m: float = 0.0) -> bool:
        """Whether a place lies on the part, or at most so far beside it.

        The part counts as half its width longer at both ends, for bends.
        """
        along_m, across_m = self._axes(place_m)
        half_m = self.deck.width_m / 2.0 + beside_m
        return -half_m <= along_m <= self.length_m + half_m and abs(across_m) <= half_m

    def height_m(self, place_m: Vec2) -> float:
        """Height above z = 0 at a place on the part."""
        along_m = min(max(self._axes(place_m)[0], 0.0), self.length_m)
        return self.heights_m[0] + self.slope * along_m

    def reach_m(self, origin_m: Vec3, ray: Vec3, above_m: float) -> float:
        """Length of a line of sight up to where it is `above_m` above this part; inf: nowhere.

        Args:
            origin_m: Of the line, world NED.
            ray: Its direction, a unit vector in the world.
            above_m: Height above the deck.
        """
        along_m, _ = self._axes(origin_m[:2])
        higher_m = -origin_m[2] - above_m - self.heights_m[0] - self.slope * along_m
        sinks = ray[2] + self.slope * (ray[0] * self.along[0] + ray[1] * self.along[1])
        if higher_m * sinks <= 0.0:
            return math.inf
        reach_m = higher_m / sinks
        place_m = (origin_m[0] + reach_m * ray[0], origin_m[1] + reach_m * ray[1])
        return reach_m if self.holds(place_m) else math.inf

    def pieces(self, longest_m: float) -> Iterator[DeckPart]:
        """The part in equal pieces that are at most so long."""
        count = max(math.ceil(self.length_m / longest_m), 1)
        piece_m = self.length_m / count
        for number in range(count):
            from_m = number * piece_m
            low_m = self.heights_m[0] + self.slope * from_m
            start_m = (
                self.start_m[0] + from_m * self.along[0],
                self.start_m[1] + from_m * self.along[1],
            )
            heights_m = (low_m, low_m + self.slope * piece_m)
            yield DeckPart(start_m, self.along, piece_m, heights_m, self.deck)

    def outline_m(self) -> tuple[Vec2, Vec2, Vec2, Vec2]:
        """Its corners, with half its width more at both ends, for bends."""
        half_m, (north, east) = self.deck.width_m / 2.0, self.along
        corners = ((-half_m, -half_m), (self.length_m + half_m, -half_m),
                   (self.length_m + half_m, half_m), (-half_m, half_m))  # fmt: skip
        a, b, c, d = (
            (
                self.start_m[0] + along_m * north - across_m * east,
                self.start_m[1] + along_m * east + across_m * north,
            )
            for along_m, across_m in corners
        )
        return a, b, c, d

    def _axes(self, place_m: Vec2) -> Vec2:
        """Place along the part from its start, and across it."""
        north_m, east_m = place_m[0] - self.start_m[0], place_m[1] - self.start_m[1]
        north, east = self.along
        return north_m * north + east_m * east, east_m * north - north_m * east


class Decks:
    """All decks of a place.

    Attributes:
        parts: Their straight parts.

    Args:
        decks: Of the configuration.
    """

    def __init__(self, decks: Sequence[Deck] = ()) -> None:
        self.parts = tuple(part for deck in decks for part in _parts_of(deck))

    def is_near(self, place_m: Vec2, beside_m: float) -> bool:
        """Whether a place lies on a deck, or below it, or at most so far beside it."""
        return any(part.holds(place_m, beside_m) for part in self.parts)

    def height_m(self, place_m: Vec2, near_m: float) -> float | None:
        """Height above z = 0 of the deck at a place whose height is nearest to `near_m`, if any."""
        heights_m = [part.height_m(place_m) for part in self.parts if part.holds(place_m)]
        return min(heights_m, key=lambda height_m: abs(height_m - near_m), default=None)

    def reach_m(self, origin_m: Vec3, ray: Vec3, above_m: float) -> float:
        """As `DeckPart.reach_m`, up to the nearest of all decks."""
        return min((p.reach_m(origin_m, ray, above_m) for p in self.parts), default=math.inf)


def _parts_of(deck: Deck) -> Iterator[DeckPart]:
    points = zip(deck.line_m, deck.heights_m, strict=True)
    for (start_m, low_m), (end_m, high_m) in itertools.pairwise(points):
        length_m = math.dist(start_m, end_m)
        if length_m > 0.0:
            along = (end_m[0] - start_m[0]) / length_m, (end_m[1] - start_m[1]) / length_m
            yield DeckPart(start_m, along, length_m, (low_m, high_m), deck)
