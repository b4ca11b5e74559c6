"""Landing places on a street map: along the round of the patrol, in the middle of the streets."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import Vec2
from followme_uav.pilot.navigation.decks import Decks
from followme_uav.pilot.navigation.street_map import StreetMap, contains, shrunk

STEP_M = 6.0
"""Distance between places."""
OFF_EDGE_M = 1.0
"""Distance of places from the edge of the streets."""
OFF_DECKS_M = 3.0
"""Distance of places from decks, on which and below which the vehicle does not land."""


class StreetPlaces:
    """The points of the round that are off its waypoints.

    They keep `off_waypoint_m` from both ends of their leg, where the leg is long enough: waypoints
    are junctions, where people cross the street. Legs may cut the corners of crooked streets; the
    points there, outside of the streets or at their edge, are left out, if any others remain; and
    then those at decks.
    """

    def __init__(
        self,
        waypoints_m: Sequence[Vec2],
        off_waypoint_m: float,
        flyable_m: StreetMap = (),
        decks: Decks | None = None,
    ) -> None:
        ends = (*waypoints_m[1:], *waypoints_m[:1])
        self._parts = [_inner(a, b, off_waypoint_m) for a, b in zip(waypoints_m, ends, strict=True)]
        self._inner_m, self._decks = shrunk(flyable_m, OFF_EDGE_M), decks or Decks()
        self._points = np.array([p for part in self._parts for p in _along(*part)])

    def nearest_first(self, position_m: Vec2) -> NDArray[np.float64]:
        """Places, (n, 2), by distance: the nearest of each leg, and those at equal distances."""
        feet = np.array([_foot(position_m, *part) for part in self._parts])
        places_m = np.concatenate((feet, self._points))
        apart_m = places_m - np.asarray(position_m)
        places_m = places_m[np.argsort(np.hypot(apart_m[:, 0], apart_m[:, 1]), kind="stable")]
        return self._preferred(self._preferred(places_m, self._is_inside), self._is_off_decks)

    @staticmethod
    def _preferred(
        places_m: NDArray[np.float64], is_fit: Callable[[Vec2], bool]
    ) -> NDArray[np.float64]:
        """Those that fit; all, if none does."""
        fit = [is_fit((north, east)) for north, east in places_m.tolist()]
        return places_m[fit] if any(fit) else places_m

    def _is_inside(self, place_m: Vec2) -> bool:
        return not self._inner_m or contains(self._inner_m, place_m)

    def _is_off_decks(self, place_m: Vec2) -> bool:
        return not self._decks.is_near(place_m, OFF_DECKS_M)


def _inner(start: Vec2, end: Vec2, off_end_m: float) -> tuple[Vec2, Vec2]:
    """The part of a leg that keeps this distance from its ends; its middle if it is short."""
    length_m = math.dist(start, end)
    share = min(off_end_m / length_m, 0.5) if length_m else 0.0
    return _between(start, end, share), _between(start, end, 1.0 - share)


def _between(start: Vec2, end: Vec2, share: float) -> Vec2:
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])


def _along(start: Vec2, end: Vec2) -> list[Vec2]:
    count = max(math.ceil(math.dist(start, end) / STEP_M), 1)
    return [_between(start, end, k / count) for k in range(count + 1)]


def _foot(point: Vec2, start: Vec2, end: Vec2) -> Vec2:
    """Nearest point to `point` on the segment from `start` to `end`."""
    north, east = end[0] - start[0], end[1] - start[1]
    length_squared = north * north + east * east
    if length_squared == 0.0:
        return start
    share = ((point[0] - start[0]) * north + (point[1] - start[1]) * east) / length_squared
    return _between(start, end, min(max(share, 0.0), 1.0))
