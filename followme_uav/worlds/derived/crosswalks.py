"""Crosswalks: the places at which people cross streets with cars."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import shapely
from shapely import LineString

from followme_uav.worlds.derived.street_graph import line_from
from followme_uav.worlds.shapes import carriageway_polygon, heading_at
from followme_uav.worlds.world import Point, Street, World

WIDTH_M = 3.0
_BEYOND_KERB_M = 0.7
"""The ends of a crosswalk lie this far on the pavement."""
_CORNER_M = 1.3
"""Distance of a crosswalk from the carriageway of the street that crosses."""
_APART_M = 80.0
"""Longer streets without a crosswalk get one in the middle."""


@dataclass(frozen=True)
class Crosswalk:
    """A way over one carriageway; its number is its place in the list."""

    ends_m: tuple[Point, Point]
    """On the pavements on both sides."""
    street: int
    """Number of the street in the world."""
    middle_m: Point

    @property
    def shape(self) -> Any:
        """The rectangle of the crosswalk."""
        return LineString(self.ends_m).buffer(WIDTH_M / 2.0, cap_style="flat")


def crosswalks_of(world: World, graph: nx.MultiGraph, walkable: Any) -> tuple[Crosswalk, ...]:
    """Place crosswalks at junctions and on long streets.

    Args:
        world: the world.
        graph: its street graph.
        walkable: area where people can walk; both ends of a crosswalk lie in it.
    """
    shapely.prepare(walkable)
    found: list[Crosswalk] = []
    with_cars = [e for e in graph.edges(keys=True, data="street") if _has_cars(world.streets[e[3]])]
    for node in sorted(graph.nodes):
        if graph.degree(node) < 3:
            continue
        arms = sorted(e for e in with_cars if node in e[:2])
        for number, (a, b, key, street) in enumerate(arms):
            if len(arms) == 2 and number == 1 and graph.degree(node) <= 4:
                break  # a footpath that meets a street
            line = line_from(graph, node, b if a == node else a, key)
            others = [
                carriageway_polygon(world.streets[s])
                for *_, s in graph.edges(node, keys=True, data="street")
                if s != street and _has_cars(world.streets[s])
            ]
            around = shapely.union_all(others).buffer(_CORNER_M)
            crosswalk = _near_start(world, line, street, around, walkable, found)
            if crosswalk is not None:
                found.append(crosswalk)
    for a, b, key, street in sorted(with_cars):
        line = line_from(graph, a, b, key)
        if line.length < _APART_M:
            continue
        for along_m in _gaps(line, [c for c in found if c.street == street]):
            crosswalk = _at(world, line, along_m, street, walkable)
            if crosswalk is not None:
                found.append(crosswalk)
    return tuple(found)


def _has_cars(street: Street) -> bool:
    return street.lanes > 0 and not street.is_raised


def _near_start(
    world: World, line: LineString, street: int, others: Any, walkable: Any, found: list[Crosswalk]
) -> Crosswalk | None:
    """The first crosswalk along an arm that lies outside of the junction."""
    for along_m in np.arange(2.5, min(0.45 * line.length, 22.0), 0.75):
        crosswalk = _at(world, line, float(along_m), street, walkable)
        if (
            crosswalk is not None
            and not crosswalk.shape.intersects(others)
            and all(math.dist(crosswalk.middle_m, c.middle_m) > WIDTH_M + 1.0 for c in found)
        ):
            return crosswalk
    return None


def _at(
    world: World, line: LineString, along_m: float, street: int, walkable: Any
) -> Crosswalk | None:
    spot, heading = line.interpolate(along_m), heading_at(line, along_m, 1.5)
    half_m = world.streets[street].carriageway_m / 2.0 + _BEYOND_KERB_M
    n, e = -math.sin(heading) * half_m, math.cos(heading) * half_m
    ends = ((spot.x - n, spot.y - e), (spot.x + n, spot.y + e))
    if not all(shapely.contains_xy(walkable, *end) for end in ends):
        return None
    return Crosswalk(ends, street, (spot.x, spot.y))


def _gaps(line: LineString, there: list[Crosswalk]) -> list[float]:
    """Places along a line that are far from all crosswalks on it."""
    own = [shapely.geometry.Point(c.middle_m) for c in there]
    along = sorted(line.project(p) for p in own if line.distance(p) < 1.0)
    stops = [0.0, *along, line.length]
    places: list[float] = []
    for low_m, high_m in itertools.pairwise(stops):
        count = int((high_m - low_m) // _APART_M)
        places += [low_m + (high_m - low_m) * (i + 1) / (count + 1) for i in range(count)]
    return places


def crossed_at(line: LineString, crosswalk: Crosswalk) -> tuple[float, float] | None:
    """Return the distances along a line at which it enters and leaves a crosswalk, or None."""
    part = line.intersection(crosswalk.shape)
    if part.is_empty or part.length < 0.5:
        return None
    pieces = shapely.get_parts(part)
    along = [line.project(shapely.geometry.Point(c)) for p in pieces for c in p.coords]
    return min(along), max(along)
