"""The patrol route: a closed round of waypoints along the streets."""

from __future__ import annotations

import math
from collections.abc import Sequence

from followme_uav.messages import Vec2


class PatrolRoute:
    """Visits the waypoints in order, for ever.

    Args:
        waypoints_m: North and east.
        radius_m: A waypoint is reached within this distance.
        on_decks: Numbers of those waypoints that lie on decks.
    """

    def __init__(
        self, waypoints_m: Sequence[Vec2], radius_m: float, on_decks: Sequence[int] = ()
    ) -> None:
        self._waypoints_m = tuple(waypoints_m)
        self._on_decks = frozenset(on_decks)
        self._radius_m = radius_m
        self._next = 0

    def waypoint(self, position_m: Vec2) -> Vec2:
        """The waypoint to fly to from `position_m`; a waypoint that is reached is passed."""
        if math.dist(self._waypoints_m[self._next], position_m) <= self._radius_m:
            self._next = (self._next + 1) % len(self._waypoints_m)
        return self._waypoints_m[self._next]

    @property
    def is_on_deck(self) -> bool:
        """Whether the next waypoint lies on a deck."""
        return self._next in self._on_decks

    def skip(self) -> None:
        """Go on to the waypoint after the next one, which cannot be reached."""
        self._next = (self._next + 1) % len(self._waypoints_m)

    def onward_share(self, position_m: Vec2) -> float:
        """Share of the speed that leads on at the waypoint: the cosine of the turn, 0 at least."""
        here = self._waypoints_m[self._next]
        after = self._waypoints_m[(self._next + 1) % len(self._waypoints_m)]
        way_m, onward_m = math.dist(position_m, here), math.dist(here, after)
        if way_m == 0.0 or onward_m == 0.0:
            return 0.0
        along = sum((h - p) * (a - h) for p, h, a in zip(position_m, here, after, strict=True))
        return max(along / (way_m * onward_m), 0.0)
