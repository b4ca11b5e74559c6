"""The walkways of any world: the graph of its ways, its walls, carriageways and footbridges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely import STRtree

from followme_uav.errors import ConfigError
from followme_uav.sim.agents.driver import LEVEL_M
from followme_uav.sim.agents.ground_contact import BODY_RADIUS_M
from followme_uav.sim.agents.walkways import Ways
from followme_uav.sim.city.arrays import Flags, Floats, Indices
from followme_uav.sim.city.layout import CARRIAGEWAY_HALF_WIDTH_M
from followme_uav.sim.city.world_place import WorldPlace
from followme_uav.worlds.derived.heights import deck_heights_m
from followme_uav.worlds.derived.walking import HEADROOM_M
from followme_uav.worlds.shapes import (
    barrier_polygon,
    box_of,
    carriageway_polygon,
    line_of,
    polygon_of,
)
from followme_uav.worlds.terrain import ground_heights_m
from followme_uav.worlds.world import World

_FAR_M = 8.0
"""Carriageways farther than this do not matter to a person."""
_START_M, _OFF_VEHICLE_M = 0.9, 3.0
"""People start so far from walls and carriageways, and from the start of the vehicle."""
_SCATTER_M, _LEAST_SCATTER_M = 1.3, 0.15
_PLAZA_M = 2.5
"""Groups stand so far from the edge of a square at the start."""
_ON_DECK_M = 0.05
_OVERHEAD_M = 1.0
"""A person on a deck this high above the ground is not on the road below."""
_PIECE_M = 3.0
"""Carriageways on decks are divided into pieces of at most this length, each with one height."""
_SLACK_M = 1e-3


@dataclass(frozen=True)
class PlaceGraph:
    """The ways of people; see `walkways.Graph`."""

    places_m: Floats
    neighbours: tuple[tuple[int, ...], ...]
    scatter_m: Floats
    in_plaza: Flags
    crosswalk_of: dict[tuple[int, int], int]

    def crosswalk(self, a: int, b: int) -> int:
        """The number of the crosswalk between two neighbouring places; -1 for none."""
        return self.crosswalk_of.get((min(a, b), max(a, b)), -1)


class WorldWalkways:
    """Implements `walkways.Walkways`.

    Args:
        place: the world.

    Attributes:
        graph: the ways of people.
        circles: (n, 3) north, east, radius of round obstacles.
        centre_m: (2,) the take-off.
        road_edge_m: width of the edge of a carriageway: cars leave it with a corner in narrow
            bends.
        ground_place: a place of the graph on the ground.

    Raises:
        ConfigError: The world has no ways for people.
    """

    road_edge_m = 1.2

    def __init__(self, place: WorldPlace) -> None:
        world, found = place.world, place.walk_graph
        if not found.ways:
            raise ConfigError(
                f"world {world.name}: no way for people; add pavements, paths or squares"
            )
        self._terrain = world.terrain
        self.centre_m = np.array(world.start_m)
        self.circles = _circles(world)
        decks = _low_decks(place)
        shapely.prepare(decks)
        walls = _walls(world)
        self._walls = walls if decks.is_empty else np.array([w.difference(decks) for w in walls])
        self._wall_tree = STRtree(self._walls)
        self._roads = STRtree(
            [carriageway_polygon(s) for s in world.streets if s.lanes and not s.is_raised]
        )
        pieces, self._piece_heights_m = _raised_carriageways(world)
        self._raised_roads = STRtree(pieces)
        self._crosswalks = [_Crossing.of(world, c) for c in found.crosswalks]
        ground = ground_heights_m(world.terrain, found.places_m)
        self._heights_m = found.heights_m
        self._is_deck = np.abs(found.heights_m - ground) > _ON_DECK_M
        self.graph = self._graph(world, place)
        self.ground_place = int(np.argmin(self._is_deck))

    def _graph(self, world: World, place: WorldPlace) -> PlaceGraph:
        found = place.walk_graph
        neighbours: list[list[int]] = [[] for _ in found.places_m]
        crosswalk_of = {}
        for a, b, crosswalk in found.ways:
            neighbours[a].append(b)
            neighbours[b].append(a)
            if crosswalk >= 0:
                crosswalk_of[min(a, b), max(a, b)] = crosswalk
        to_road = self.road_gaps_m(found.places_m) - CARRIAGEWAY_HALF_WIDTH_M
        room = np.minimum(self._wall_gaps_m(found.places_m, 3.0) - 0.4, to_road - 0.4)
        scatter = np.clip(0.6 * room, _LEAST_SCATTER_M, _SCATTER_M)
        scatter[self._is_deck] = _LEAST_SCATTER_M
        squares = [polygon_of(a) for a in world.areas if a.surface == "square"]
        inside = shapely.union_all(squares).buffer(-_PLAZA_M)
        in_plaza = shapely.contains_xy(inside, found.places_m) & (room > _PLAZA_M - 0.4)
        return PlaceGraph(
            found.places_m, tuple(map(tuple, neighbours)), scatter, in_plaza, crosswalk_of
        )

    def may_start(self, spot: Floats) -> bool:
        """Whether a place is away from walls and carriageways, and from the vehicle's start."""
        if math.dist(spot, self.centre_m) < _OFF_VEHICLE_M:
            return False
        gap_m = float(self.road_gaps_m(spot[None])[0]) - CARRIAGEWAY_HALF_WIDTH_M
        away = np.hypot(*(self.circles[:, :2] - spot).T) - self.circles[:, 2]
        is_clear = not len(away) or float(away.min()) > BODY_RADIUS_M
        return gap_m > _START_M and self.has_room(spot, _START_M) and is_clear

    def road_gaps_m(self, position: Floats, ways: Ways | None = None) -> Floats:
        """(n,) distance to the nearest edge, plus the half width of the grid's carriageways."""
        gaps = np.full(len(position), CARRIAGEWAY_HALF_WIDTH_M + _FAR_M)
        if len(self._roads.geometries):
            (index, _), distance = self._roads.query_nearest(
                shapely.points(position),
                max_distance=_FAR_M,
                return_distance=True,
                all_matches=False,
            )
            gaps[index] = CARRIAGEWAY_HALF_WIDTH_M + distance
        heights = None
        if ways is not None:
            heights, over = self._deck_heights_m(position, ways)
            gaps[over] = CARRIAGEWAY_HALF_WIDTH_M + _FAR_M
        if len(self._piece_heights_m):
            self._count_raised_roads(gaps, position, heights)
        return gaps

    def _count_raised_roads(self, gaps: Floats, position: Floats, heights_m: Floats | None) -> None:
        """Lower gaps, in place, to those of carriageways on decks on the level of each person."""
        points = shapely.points(position)
        person, piece = self._raised_roads.query(points, predicate="dwithin", distance=_FAR_M)
        if heights_m is not None:
            level = np.abs(heights_m[person] - self._piece_heights_m[piece]) < LEVEL_M
            person, piece = person[level], piece[level]
        distance = shapely.distance(points[person], self._raised_roads.geometries[piece])
        np.minimum.at(gaps, person, CARRIAGEWAY_HALF_WIDTH_M + distance)

    def off_the_kerb(self, position: Floats, aside: Floats, near_m: float, ways: Ways) -> Flags:
        """(n, 2) whether a sidestep leads from a kerb onto a carriageway."""
        flags = np.zeros(position.shape, dtype=bool)
        steps = np.hypot(*aside.T)
        moving = np.flatnonzero(steps > 0.0)
        if not len(moving):
            return flags
        a, b = ways
        here = self.road_gaps_m(position[moving], (a[moving], b[moving]))
        near = (here < near_m) & (here > CARRIAGEWAY_HALF_WIDTH_M)
        some = moving[near]
        if len(some):
            there = position[some] + 0.3 * aside[some] / steps[some, None]
            gaps = self.road_gaps_m(there, (a[some], b[some]))
            flags[some] = (gaps < here[near])[:, None]
        return flags

    def beyond_m(self, crosswalk: int, position: Floats, target: Floats) -> float:
        """How far a person has come over a crosswalk."""
        return self._crosswalks[crosswalk].beyond_m(position, target)

    def feet_down_m(self, position: Floats, on_road: Indices, ways: Ways) -> Floats:
        """(n,) z of the ground, or of the deck that a person walks on."""
        heights, _ = self._deck_heights_m(position, ways)
        return -heights

    def has_room(self, centre: Floats, radius_m: float) -> bool:
        """Whether no wall is within a distance of (2,) north, east."""
        return float(self._wall_gaps_m(centre[None], radius_m)[0]) >= radius_m

    def keep_out(self, before: Floats, after: Floats) -> None:
        """Move people, in place, out of walls; a step that does not work is undone."""
        for _ in range(2):
            if not len(self._push_out(after)):
                return
        for i in self._touching(after):
            after[i] = before[i]

    def _touching(self, position: Floats) -> list[int]:
        """The people who are nearer to a wall than their bodies allow."""
        gaps = self._wall_gaps_m(position, BODY_RADIUS_M)
        return [int(i) for i in np.flatnonzero(gaps < BODY_RADIUS_M - _SLACK_M)]

    def _push_out(self, position: Floats) -> Indices:
        """Move people away from the wall that they touch; return who they are."""
        points = shapely.points(position)
        found = self._wall_tree.query(
            points, predicate="dwithin", distance=BODY_RADIUS_M - _SLACK_M
        )
        for i, wall in found.T.tolist():
            polygon = self._walls[wall]
            edge = shapely.shortest_line(polygon.boundary, shapely.points(position[i]))
            (n, e), (north, east) = shapely.get_coordinates(edge).tolist()
            out = np.array((north - n, east - e))
            gap = float(np.hypot(*out))
            if polygon.contains(shapely.points(position[i])):
                out, gap = -out, max(gap, 1e-9)
            elif gap >= BODY_RADIUS_M - _SLACK_M:
                continue  # the wall before has moved this person away already
            if gap > 1e-6:
                position[i] = np.array((n, e)) + out * (BODY_RADIUS_M / gap)
        people: Indices = found[0]
        return people

    def _wall_gaps_m(self, position: Floats, at_most_m: float) -> Floats:
        """(n,) distances to the nearest wall, 0 inside one, at most `at_most_m`."""
        gaps = np.full(len(position), at_most_m)
        if len(self._walls):
            (index, _), distance = self._wall_tree.query_nearest(
                shapely.points(position),
                max_distance=at_most_m,
                return_distance=True,
                all_matches=False,
            )
            gaps[index] = distance
        return gaps

    def _deck_heights_m(self, position: Floats, ways: Ways) -> tuple[Floats, Flags]:
        """(n,) heights of the ground or deck, and whether each person is above the ground."""
        ground = ground_heights_m(self._terrain, position)
        over = np.zeros(len(position), dtype=bool)
        a, b = ways
        on_deck = np.flatnonzero(self._is_deck[a] | self._is_deck[b])
        if not len(on_deck):
            return ground, over
        heights: Floats = ground.copy()
        a, b = a[on_deck], b[on_deck]
        start, along = self.graph.places_m[a], self.graph.places_m[b] - self.graph.places_m[a]
        length = np.maximum(np.einsum("ij,ij->i", along, along), 1e-9)
        share = np.einsum("ij,ij->i", position[on_deck] - start, along) / length
        share = np.clip(share, 0.0, 1.0)
        deck = self._heights_m[a] + share * (self._heights_m[b] - self._heights_m[a])
        heights[on_deck] = np.maximum(deck, ground[on_deck])
        over[on_deck] = heights[on_deck] - ground[on_deck] > _OVERHEAD_M
        return heights, over


@dataclass(frozen=True)
class _Crossing:
    """A crosswalk: its middle, the direction of people on it, and half the carriageway."""

    middle_m: Floats
    along: Floats
    half_m: float

    @staticmethod
    def of(world: World, crosswalk: Any) -> _Crossing:
        first, last = (np.array(end) for end in crosswalk.ends_m)
        half_m = 0.5 * world.streets[crosswalk.street].carriageway_m
        along = (last - first) / float(np.hypot(*(last - first)))
        return _Crossing(np.array(crosswalk.middle_m), along, half_m)

    def beyond_m(self, position: Floats, target: Floats) -> float:
        done_m = float((position - self.middle_m) @ self.along)
        if float((target - self.middle_m) @ self.along) < 0.0:
            done_m = -done_m
        wider_m = CARRIAGEWAY_HALF_WIDTH_M - self.half_m
        return done_m + (wider_m if done_m > 0.0 else -wider_m)


def _circles(world: World) -> Floats:
    """(n, 3) trunks, lamps, bushes and planters."""
    found = [(*p.at_m, p.radius_m) for p in world.planters]
    found += [(*t.at_m, 0.25) for t in world.trees]
    found += [(*b.at_m, b.radius_m) for b in world.bushes]
    found += [(*p.at_m, 0.12) for p in world.lamps]
    return np.array(found, dtype=float).reshape(-1, 3)


def _walls(world: World) -> Any:
    """(n,) polygons of everything else that people cannot walk through."""
    found: list[Any] = [polygon_of(b) for b in world.buildings if b.base_m < HEADROOM_M]
    found += [polygon_of(a) for a in world.areas if a.surface == "water"]
    found += [barrier_polygon(b) for b in world.barriers]
    found += [box_of(p) for p in world.parked_cars]
    found += [box_of(p) for p in world.containers]
    found += [box_of(p) for p in world.benches]
    for street in world.streets:
        found += [
            shapely.Point(p).buffer(street.support_half_m, cap_style="square")
            for p in street.supports_m
        ]
    return np.array(found, dtype=object)


def _raised_carriageways(world: World) -> tuple[Any, Floats]:
    """(n,) pieces of the carriageways on decks, and their (n,) heights above z = 0."""
    pieces: list[Any] = []
    heights: list[float] = []
    for street in world.streets:
        if not street.lanes or not street.is_raised:
            continue
        points = shapely.get_coordinates(line_of(street).segmentize(_PIECE_M))
        at = deck_heights_m(street, points)
        for i in range(len(points) - 1):
            line = shapely.LineString(points[i : i + 2])
            pieces.append(line.buffer(0.5 * street.carriageway_m, cap_style="flat"))
            heights.append(float(at[i] + at[i + 1]) / 2.0)
    return np.array(pieces, dtype=object), np.array(heights)


def _low_decks(place: WorldPlace) -> Any:
    """The footbridges: decks on which people of the graph walk."""
    walk, world = place.walk_graph, place.world
    ground = ground_heights_m(world.terrain, walk.places_m)
    raised = shapely.points(walk.places_m[np.abs(walk.heights_m - ground) > _ON_DECK_M])
    decks = []
    for street in world.streets:
        if street.is_raised:
            deck = line_of(street).buffer(0.5 * street.width_m, cap_style="square")
            if len(raised) and shapely.intersects(deck, raised).any():
                decks.append(deck)
    return shapely.union_all(decks)
