"""The parts that know where to fly: a planner of ways, a patrol, a search, and landing places.

There are two sets of them: on the street map of the configuration, made here, and on the map that
the vehicle makes itself (`pilot.mapless`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import FlightConfig
from followme_uav.messages import Vec2
from followme_uav.pilot.guidance.search import Goal, SearchPlan
from followme_uav.pilot.navigation.decks import Decks
from followme_uav.pilot.navigation.maps import street_map_of
from followme_uav.pilot.navigation.patrol_route import PatrolRoute
from followme_uav.pilot.navigation.route_planner import RoutePlanner
from followme_uav.pilot.navigation.street_places import StreetPlaces
from followme_uav.pilot.tracking.track import Track


class Planner(Protocol):
    """Ways from one place to another."""

    def velocity_to(
        self, goal_m: Vec2, position_m: Vec2, speed_mps: float, at_goal_mps: float = 0.0
    ) -> Vec2:
        """Velocity towards the goal, slower where the way turns, and down to `at_goal_mps`."""
        ...

    def is_straight(self, goal_m: Vec2, position_m: Vec2) -> bool:
        """Whether the way to the goal leads around nothing."""
        ...

    def way_length_m(self, goal_m: Vec2, position_m: Vec2) -> float:
        """Length of the way to the goal."""
        ...

    def nearest_on_this_side(self, goal_m: Vec2, position_m: Vec2) -> Vec2:
        """The place nearest to the goal that is reached without a long way around."""
        ...


class Patrol(Protocol):
    """The way while there is no hero."""

    def waypoint(self, position_m: Vec2) -> Vec2:
        """The place to fly to from `position_m`."""
        ...

    @property
    def is_on_deck(self) -> bool:
        """Whether the present place lies on a deck, not on the street below."""
        ...

    def skip(self) -> None:
        """Give up the present place: the vehicle cannot come nearer."""
        ...

    def onward_share(self, position_m: Vec2) -> float:
        """Share of the speed with which the vehicle may pass that place: 0 to stop there."""
        ...


class LandingPlaces(Protocol):
    """The places at which the vehicle may land."""

    def nearest_first(self, position_m: Vec2) -> NDArray[np.float64]:
        """North and east of them, (n, 2), those near to `position_m` first."""
        ...


class Search(Protocol):
    """The way, and the views, in a search for a lost hero."""

    def begin(self, time_s: float) -> None:
        """Forget the last search."""
        ...

    def resume(self, time_s: float) -> None:
        """Go on after an approach to somebody else."""
        ...

    def goal(self, time_s: float, here_m: Vec2, hero: Track) -> Goal:
        """The action for this frame; `hero` is the track predicted to this time."""
        ...


@dataclass(frozen=True)
class Ways:
    """The four of one flight."""

    planner: Planner
    patrol: Patrol
    search: Search
    landing: LandingPlaces


def ways_on_street_map(config: FlightConfig) -> Ways:
    """Streets and waypoints of the simulator's profile."""
    simulator = config.simulator
    return Ways(
        RoutePlanner(street_map_of(simulator), config.limits),
        PatrolRoute(
            simulator.patrol_waypoints_m,
            config.patrol.waypoint_radius_m,
            simulator.patrol_on_decks,
        ),
        SearchPlan(config),
        StreetPlaces(
            simulator.patrol_waypoints_m,
            config.mission.landing_off_waypoint_m,
            street_map_of(simulator),
            Decks(simulator.decks),
        ),
    )
