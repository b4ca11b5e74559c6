"""The ground that people walk on: the interface by which a crowd knows the ground of any place.

`grid_walkways` implements it for the city of all seeds, `world_walkways` for any world.
"""

from __future__ import annotations

from typing import Protocol

from followme_uav.sim.city.arrays import Flags, Floats, Indices


class Graph(Protocol):
    """Places and the straight ways between them."""

    @property
    def places_m(self) -> Floats:
        """(places, 2) north, east."""

    @property
    def neighbours(self) -> tuple[tuple[int, ...], ...]:
        """For each place, the places that a straight way leads to."""

    @property
    def scatter_m(self) -> Floats:
        """(places,) how far from the place people may aim."""

    @property
    def in_plaza(self) -> Flags:
        """(places,) whether groups may stand there at the start."""

    def crosswalk(self, a: int, b: int) -> int:
        """The number of the crosswalk between two neighbouring places; -1 for none."""


Ways = tuple[Indices, Indices]
"""(people,) the places that people come from, and those that they walk to."""


class Walkways(Protocol):
    """The ground of a place, as far as it matters to people."""

    @property
    def graph(self) -> Graph:
        """The ways of people."""

    @property
    def circles(self) -> Floats:
        """(n, 3) north, east, radius of round obstacles."""

    @property
    def centre_m(self) -> Floats:
        """(2,) the place around which people prefer to be: the take-off."""

    @property
    def road_edge_m(self) -> float:
        """A person nearer than this to a carriageway is in the way of cars that leave it a bit."""

    def may_start(self, spot: Floats) -> bool:
        """Whether a person may start at (2,) north, east."""

    def road_gaps_m(self, position: Floats, ways: Ways | None = None) -> Floats:
        """Distances of (n, 2) positions to carriageways.

        Args:
            position: (n, 2).
            ways: between which people walk, which tells on which level; None: count the
                carriageways of all levels.

        Returns:
            (n,) distance to the nearest edge of a carriageway, plus
            `layout.CARRIAGEWAY_HALF_WIDTH_M`; not more than that on one.
        """

    def off_the_kerb(self, position: Floats, aside: Floats, near_m: float, ways: Ways) -> Flags:
        """(n, 2) whether each component of a sidestep leads from a kerb onto a carriageway.

        Args:
            position: (n, 2).
            aside: (n, 2) velocity aside.
            near_m: people are at a kerb if their `road_gaps_m` is smaller than this.
            ways: between which they walk.
        """

    def beyond_m(self, crosswalk: int, position: Floats, target: Floats) -> float:
        """How far a person has come over a crosswalk: 0 in the middle of the carriageway.

        The kerbs are at +- `layout.CARRIAGEWAY_HALF_WIDTH_M`, whatever the width of the road.
        """

    def feet_down_m(self, position: Floats, on_road: Indices, ways: Ways) -> Floats:
        """(n,) z of the ground under (n, 2) positions.

        Args:
            position: of all people.
            on_road: the people on a carriageway, or at its edge.
            ways: of all people.
        """

    @property
    def ground_place(self) -> int:
        """A place on the ground."""

    def has_room(self, centre: Floats, radius_m: float) -> bool:
        """Whether no wall is within a distance of (2,) north, east."""

    def keep_out(self, before: Floats, after: Floats) -> None:
        """Move people, in place, out of walls.

        Args:
            before: (n, 2) valid positions before the step.
            after: (n, 2) positions after it; changed in place.
        """
