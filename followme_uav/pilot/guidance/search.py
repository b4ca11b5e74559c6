"""SEARCH: find a lost hero at the predicted position, then along the streets around it.

The vehicle flies to the predicted position and dwells on it. When the position has been in view and
the hero is not there, the camera scans both sides, in case the hero has turned. Then the vehicle
rises, to look over what hides the hero, and visits the streets that the hero can have reached, the
most likely first: near to the track, and near to the vehicle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from followme_uav.config import FlightConfig
from followme_uav.messages import Vec2
from followme_uav.pilot.navigation.maps import street_map_of
from followme_uav.pilot.navigation.street_map import (
    is_free,
    lookouts,
    nearest_place,
)
from followme_uav.pilot.tracking.track import Track


class View(Enum):
    """How the camera searches."""

    DWELL = "dwell"  # on the predicted position
    SCAN = "scan"  # both sides of it
    SWEEP = "sweep"  # all around
    ALONG = "along"  # in one direction


@dataclass(frozen=True)
class Goal:
    """The next action of a search."""

    position_m: Vec2
    """Destination of the vehicle."""
    view: View
    azimuth_rad: float = 0.0
    """Of the camera, with `View.ALONG`: from north, clockwise."""


class SearchPlan:
    """One search, from the loss on."""

    def __init__(self, config: FlightConfig) -> None:
        self._config = config.search
        self._flyable_m = street_map_of(config.simulator)
        self._all_places_m = (
            *lookouts(self._flyable_m),
            *config.simulator.patrol_waypoints_m,
        )
        self._wanted_m = config.control.wanted_distance_m
        self._begin_s = 0.0
        self._viewed_s = 0.0
        self._last_s = 0.0
        self._places_m: list[Vec2] = []
        self._place_m: Vec2 | None = None

    def begin(self, time_s: float) -> None:
        """Forget the last search."""
        self._begin_s = self._last_s = time_s
        self._viewed_s = 0.0
        self._places_m = list(dict.fromkeys(self._all_places_m))
        self._place_m = None

    def resume(self, time_s: float) -> None:
        """Go on after an approach to somebody else."""
        self._last_s = time_s

    def goal(self, time_s: float, here_m: Vec2, hero: Track) -> Goal:
        """The action for this frame; `hero` is the track predicted to this time."""
        config = self._config
        dt_s, self._last_s = time_s - self._last_s, time_s
        near_m = nearest_place(self._flyable_m, hero.ground_m, here_m)
        is_in_sight = is_free(self._flyable_m, here_m, near_m)
        if is_in_sight and math.dist(here_m, near_m) <= 2.0 * self._wanted_m:
            self._viewed_s += dt_s
        searched_s = time_s - self._begin_s
        if self._viewed_s < config.view_s and searched_s < config.predicted_s:
            view = View.DWELL if self._viewed_s < config.dwell_s else View.SCAN
            # Around a corner, the distance would not bring it into sight.
            short_m = _short_of(near_m, here_m, self._wanted_m) if is_in_sight else near_m
            return Goal(short_m, view)
        return Goal(self._next_place(here_m, hero), View.SWEEP)

    def _next_place(self, here_m: Vec2, hero: Track) -> Vec2:
        """A piece of street that the hero can have reached and that was not visited yet."""
        reached_m = self._config.place_radius_m
        self._places_m = [p for p in self._places_m if math.dist(p, here_m) > reached_m]
        if self._place_m is None or math.dist(self._place_m, here_m) <= reached_m:
            sigma_m = hero.estimate().sigma_m
            self._place_m = min(
                self._places_m,
                key=lambda place: (
                    math.dist(place, here_m)
                    + self._config.track_distance_weight
                    * max(0.0, math.dist(place, hero.ground_m) - sigma_m)
                ),
                default=hero.ground_m,
            )
        return self._place_m


def _short_of(goal_m: Vec2, here_m: Vec2, distance_m: float) -> Vec2:
    """A point this far in front of the goal on the straight line; here, when nearer already."""
    length_m = math.dist(here_m, goal_m)
    share = max(0.0, 1.0 - distance_m / length_m) if length_m > 0.0 else 0.0
    return (
        here_m[0] + share * (goal_m[0] - here_m[0]),
        here_m[1] + share * (goal_m[1] - here_m[1]),
    )
