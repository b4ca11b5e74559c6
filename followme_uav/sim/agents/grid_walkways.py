"""The walkways of the city of all seeds: pavements, crosswalks and the plaza."""

from __future__ import annotations

import numpy as np

from followme_uav.sim.agents.ground_contact import (
    height_m,
    obstacle_circles,
    road_gaps_m,
    road_offsets_m,
)
from followme_uav.sim.agents.walk_graph import CROSSWALKS, walk_graph
from followme_uav.sim.agents.walkways import Ways
from followme_uav.sim.city.arrays import Flags, Floats, Indices
from followme_uav.sim.city.layout import PAVEMENT_HEIGHT_M, City, ground_height_m


class GridWalkways:
    """Implements `walkways.Walkways`; the ways of people lead past all walls.

    Attributes:
        graph: the ways of people.
        circles: (n, 3) north, east, radius of round obstacles.
        centre_m: (2,) north, east.
        road_edge_m: width of the edge of a carriageway.
        ground_place: a place of the graph; all are on the ground.
    """

    road_edge_m = 0.4
    ground_place = 0

    def __init__(self, city: City) -> None:
        self.graph = walk_graph(city)
        self.circles = obstacle_circles(city)
        self.centre_m = np.zeros(2)

    def may_start(self, spot: Floats) -> bool:
        """Whether a place is off the carriageways."""
        return ground_height_m(*spot.tolist()) == PAVEMENT_HEIGHT_M

    def road_gaps_m(self, position: Floats, ways: Ways | None = None) -> Floats:
        """(n,) distances to the nearest centre line of a street."""
        return road_gaps_m(position)

    def off_the_kerb(self, position: Floats, aside: Floats, near_m: float, ways: Ways) -> Flags:
        """(n, 2) whether each component of a sidestep leads from a kerb onto a carriageway."""
        off = road_offsets_m(position)
        leads: Flags = (np.abs(off) < near_m) & (aside * off < 0.0) & (np.abs(off) > 4.0)
        return leads

    def beyond_m(self, crosswalk: int, position: Floats, target: Floats) -> float:
        """How far a person has come over a crosswalk."""
        place = CROSSWALKS[crosswalk]
        beyond_m = float(position[place.axis]) - place.street_m
        return -beyond_m if float(target[place.axis]) < place.street_m else beyond_m

    def feet_down_m(self, position: Floats, on_road: Indices, ways: Ways) -> Floats:
        """(n,) z of the ground: only carriageways are lower than the rest."""
        down = np.full(len(position), -PAVEMENT_HEIGHT_M)
        for i, (north, east) in zip(on_road, position[on_road].tolist(), strict=True):
            down[i] = -height_m(north, east)
        return down

    def has_room(self, centre: Floats, radius_m: float) -> bool:
        """Whether no wall is near: wherever people walk in this city there is none."""
        return True

    def keep_out(self, before: Floats, after: Floats) -> None:
        """Nothing to do: pavements and plaza have no walls."""
