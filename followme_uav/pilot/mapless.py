"""Flight without a map: planner, exploration and search on the map that the vehicle makes."""

from __future__ import annotations

from followme_uav.config import FlightConfig
from followme_uav.pilot.guidance.ways import Ways, ways_on_street_map
from followme_uav.pilot.mapping.surroundings import Surroundings
from followme_uav.pilot.planning.grid_planner import GridPlanner
from followme_uav.pilot.search.exploration import Exploration
from followme_uav.pilot.search.hero_search import HeroSearch
from followme_uav.pilot.search.landing import ViewedPlaces


def surroundings_of(config: FlightConfig) -> Surroundings | None:
    """The map that the vehicle makes; None where the profile has one."""
    return None if config.simulator.has_map else Surroundings(config)


def ways_of(config: FlightConfig, surroundings: Surroundings | None) -> Ways:
    """The ways of a flight, on the one map or the other."""
    if surroundings is None:
        return ways_on_street_map(config)
    planner = GridPlanner(config, surroundings)
    return Ways(
        planner,
        Exploration(config, surroundings, planner),
        HeroSearch(config, surroundings, planner),
        ViewedPlaces(surroundings, planner),
    )
