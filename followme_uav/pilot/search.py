"""Where to look for a hero who was lost: where she was going, then along the streets around it.

First the vehicle goes to where she should be by now, and looks there. When it has a view of the
place and she is not there, it glances to both sides, in case that she has turned. Then it rises, to
look over what hides her, and visits the streets that she can have reached, the likeliest first:
near to her, and near to the vehicle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from followme_uav.config import FlightConfig
from followme_uav.pilot.keep_in import crossings, is_free, middle_of, nearest_place
from followme_uav.pilot.tracker import HeroTrack

Vec2 = tuple[float, float]


class Look(Enum):
    """Where the camera shall look."""

    THERE = "there"
    TO_BOTH_SIDES = "to both sides"
    ALL_AROUND = "all around"


@dataclass(frozen=True)
class Goal:
    """What to do next to find her."""

    spot_m: Vec2
    """Where to fly."""
    look: Look


class Search:
    """One search, from the loss on."""

    def __init__(self, config: FlightConfig) -> None:
        self._config = config.search
        self._flyable_m = config.simulator.flyable_m
        self._all_spots_m = (
            *(middle_of(crossing) for crossing in crossings(self._flyable_m)),
            *config.simulator.patrol_waypoints_m,
        )
        self._wanted_m = config.control.wanted_distance_m
        self._begin_s = 0.0
        self._looked_s = 0.0
        self._last_s = 0.0
        self._spots_m: list[Vec2] = []
        self._spot_m: Vec2 | None = None

    def begin(self, time_s: float) -> None:
        """Forget the last search."""
        self._begin_s = self._last_s = time_s
        self._looked_s = 0.0
        self._spots_m = list(dict.fromkeys(self._all_spots_m))
        self._spot_m = None

    def goal(self, time_s: float, here_m: Vec2, hero: HeroTrack) -> Goal:
        """What to do now; `hero` is the belief about her at this time."""
        dt_s, self._last_s = time_s - self._last_s, time_s
        near_m = nearest_place(self._flyable_m, hero.ground_m, here_m)
        distance_m = math.dist(here_m, near_m)
        if distance_m <= 2.0 * self._wanted_m and is_free(self._flyable_m, here_m, near_m):
            self._looked_s += dt_s
        searched_s = time_s - self._begin_s
        if self._looked_s < self._config.look_s and searched_s < self._config.expect_s:
            look = Look.THERE if self._looked_s < self._config.stare_s else Look.TO_BOTH_SIDES
            return Goal(_short_of(near_m, here_m, self._wanted_m), look)
        return Goal(self._next_spot(here_m, hero), Look.ALL_AROUND)

    def _next_spot(self, here_m: Vec2, hero: HeroTrack) -> Vec2:
        """A piece of street that she can have reached and that was not visited yet."""
        reached_m = self._config.spot_radius_m
        self._spots_m = [spot for spot in self._spots_m if math.dist(spot, here_m) > reached_m]
        if self._spot_m is None or math.dist(self._spot_m, here_m) <= reached_m:
            sigma_m = hero.estimate().sigma_m
            self._spot_m = min(
                self._spots_m,
                key=lambda spot: (
                    math.dist(spot, here_m)
                    + self._config.far_from_her_cost
                    * max(0.0, math.dist(spot, hero.ground_m) - sigma_m)
                ),
                default=hero.ground_m,
            )
        return self._spot_m


def _short_of(goal_m: Vec2, here_m: Vec2, distance_m: float) -> Vec2:
    """On the straight way to the goal, this far in front of it; here, when nearer already."""
    length_m = math.dist(here_m, goal_m)
    share = max(0.0, 1.0 - distance_m / length_m) if length_m > 0.0 else 0.0
    return (
        here_m[0] + share * (goal_m[0] - here_m[0]),
        here_m[1] + share * (goal_m[1] - here_m[1]),
    )
