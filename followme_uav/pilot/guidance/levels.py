"""The deck above which the vehicle flies, if any: that of the hero, or of the patrol."""

from __future__ import annotations

from followme_uav.config import FlightConfig
from followme_uav.ground import Ground
from followme_uav.messages import Vec2
from followme_uav.pilot.navigation.decks import Decks
from followme_uav.pilot.tracking.track import Track


class Levels:
    """Heights above z = 0 of decks; None stands for the ground.

    Args:
        config: Of the flight.
    """

    def __init__(self, config: FlightConfig) -> None:
        self._ground, self._decks = Ground(config.simulator.ground), Decks(config.simulator.decks)
        self._centroid_m = config.hero.centroid_height_m

    def of_hero(self, hero: Track) -> float | None:
        """The deck on which the hero walks."""
        feet_m = -hero.position_m[2] - self._centroid_m
        deck_m = self._decks.height_m(hero.ground_m, feet_m)
        if deck_m is None:
            return None
        ground_m = self._ground.height_m(*hero.ground_m)
        return deck_m if abs(deck_m - feet_m) < abs(ground_m - feet_m) else None

    def of_patrol(self, waypoint_m: Vec2, here_m: Vec2) -> float | None:
        """The deck of a waypoint on a deck: its height here or there, if that is greater."""
        heights_m = [self._decks.height_m(place_m, 0.0) for place_m in (here_m, waypoint_m)]
        return max((height_m for height_m in heights_m if height_m is not None), default=None)
