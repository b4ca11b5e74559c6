"""Finds the walkways of a place, and the goals of people on them."""

from __future__ import annotations

from followme_uav.sim.agents.goals import Goals
from followme_uav.sim.agents.grid_walkways import GridWalkways
from followme_uav.sim.agents.walkways import Walkways
from followme_uav.sim.city.layout import City
from followme_uav.sim.city.place import Place


def walkways_of(place: Place) -> tuple[Walkways, Goals]:
    """Return where people walk in a place, and their goals.

    Raises:
        ConfigError: The place has no ways for people.
    """
    if isinstance(place, City):
        grid = GridWalkways(place)
        return grid, Goals(grid)
    # The city of all seeds needs no polygons, whose libraries take a while to import.
    from followme_uav.sim.agents.world_goals import WorldGoals
    from followme_uav.sim.agents.world_walkways import WorldWalkways
    from followme_uav.sim.city.world_place import WorldPlace

    if not isinstance(place, WorldPlace):
        raise TypeError(f"{type(place).__name__} is no place that people can walk in")
    walkways = WorldWalkways(place)
    return walkways, WorldGoals(walkways)
