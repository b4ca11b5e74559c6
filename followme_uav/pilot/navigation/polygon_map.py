"""A street map of polygons, for places whose streets are no rectangles.

The functions of `street_map` answer for it, too. Ways lead over a roadmap: a grid of places in the
polygons, with the straight ways between neighbours that stay inside.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import Delaunay, QhullError

from followme_uav.config import FlyablePolygon
from followme_uav.messages import Vec2
from followme_uav.pilot.navigation.street_map import PolygonStreets

_SPACING_M = 5.0
_EDGE_M = 0.8
"""Places of the roadmap lie so far inside, where there is room."""
_LONGEST_M = 16.0
_LOOKOUTS_M = 18.0
"""Least distance between two of the lookouts."""
_TRIES = 12
"""Places near an end that are tried, to join it to the roadmap."""
_BESIDE_M = 2.0
"""Room beside two points for the ways between them."""
_TOUCH_M = 1e-3
"""A point so far outside is on the boundary: numbers are rounded."""


class PolygonMap(PolygonStreets):
    """Polygons over which the vehicle may fly.

    Args:
        polygons_m: each an outline, and then its holes; (north, east).
        shape: the same, if it is known already.
    """

    def __init__(self, polygons_m: Sequence[FlyablePolygon], shape: Any = None) -> None:
        if shape is None:
            shape = shapely.union_all([shapely.Polygon(p[0], p[1:]) for p in polygons_m])
        self._shape = shape
        shapely.prepare(self._shape)
        self._wide = shape.buffer(_TOUCH_M)
        shapely.prepare(self._wide)
        self._shrunk: dict[float, PolygonMap] = {}

    def contains(self, point_m: Vec2) -> bool:
        """Whether a point lies inside; so does the nearest point, which is rounded."""
        return bool(shapely.intersects_xy(self._wide, *point_m))

    def is_free(self, start_m: Vec2, end_m: Vec2) -> bool:
        """Whether the straight line stays inside."""
        if start_m == end_m:
            return self.contains(start_m)
        return bool(self._wide.covers(shapely.LineString((start_m, end_m))))

    def nearest_point(self, point_m: Vec2) -> Vec2:
        """The point of the polygons that is nearest to a place."""
        if self.contains(point_m):
            return point_m
        line = shapely.shortest_line(self._shape, shapely.Point(point_m))
        (north, east), _ = shapely.get_coordinates(line).tolist()
        return north, east

    def shrunk(self, margin_m: float) -> PolygonMap:
        """Narrower by a margin on all sides; parts that are too narrow for it keep their middle."""
        if margin_m not in self._shrunk:
            inner = self._shape.buffer(-margin_m, quad_segs=2)
            narrow = self._shape.difference(inner.buffer(margin_m + 0.1, quad_segs=2))
            slim = narrow.buffer(-0.3 * margin_m, quad_segs=2)
            joined = shapely.union_all([inner, slim.buffer(0.1 * margin_m, quad_segs=2)])
            joined = joined.intersection(self._shape)
            self._shrunk[margin_m] = PolygonMap((), self._shape if joined.is_empty else joined)
        return self._shrunk[margin_m]

    def lookouts(self) -> tuple[Vec2, ...]:
        """Places that are spread over the whole map."""
        found: list[Vec2] = []
        for north, east in self._roadmap[0].tolist():
            if all(math.dist((north, east), other) >= _LOOKOUTS_M for other in found):
                found.append((north, east))
        return tuple(found)

    def next_point(self, goal_m: Vec2, position_m: Vec2) -> Vec2:
        """The farthest point in sight on the shortest way to a goal inside the map."""
        here_m = self.nearest_point(position_m)
        points = self._way(self.nearest_point(goal_m), here_m)
        return next((p for p in reversed(points) if self.is_free(here_m, p)), points[0])

    def nearest_on_this_side(self, goal_m: Vec2, position_m: Vec2) -> Vec2:
        """The point nearest to a goal, of the part of the map that lies between here and there.

        It is the part with this position in the square around the goal that just holds both.
        """
        half_m = math.dist(goal_m, position_m) + _BESIDE_M
        (north, east), here = goal_m, shapely.Point(self.nearest_point(position_m))
        square = (north - half_m, east - half_m, north + half_m, east + half_m)
        parts = shapely.get_parts(shapely.clip_by_rect(self._shape, *square))
        if not len(parts):
            return position_m
        part = parts[int(np.argmin(shapely.distance(parts, here)))]
        line = shapely.shortest_line(part, shapely.Point(goal_m))
        (north, east), _ = shapely.get_coordinates(line).tolist()
        return north, east

    def way_length_m(self, goal_m: Vec2, position_m: Vec2) -> float:
        """Length of the shortest way to a goal inside the map."""
        here_m = self.nearest_point(position_m)
        points = (here_m, *self._way(self.nearest_point(goal_m), here_m))
        return sum(itertools.starmap(math.dist, itertools.pairwise(points)))

    def _way(self, goal_m: Vec2, here_m: Vec2) -> tuple[Vec2, ...]:
        """The points of the shortest way from one place inside to another, without the first.

        It is the goal alone where it is in sight, and where no way leads to it.
        """
        if self.is_free(here_m, goal_m):
            return (goal_m,)
        places, lengths = self._roadmap
        starts, ends = self._joined(here_m), self._joined(goal_m)
        if not starts or not ends:
            return (goal_m,)
        distance, previous, source = dijkstra(
            lengths, indices=list(starts), min_only=True, return_predecessors=True
        )
        total = {end: distance[end] + starts[int(source[end])] + ends[end] for end in ends
                 if np.isfinite(distance[end])}  # fmt: skip
        if not total:
            return (goal_m,)
        path = [min(total, key=total.__getitem__)]
        while previous[path[-1]] >= 0:
            path.append(int(previous[path[-1]]))
        return (*((float(places[p][0]), float(places[p][1])) for p in reversed(path)), goal_m)

    def _joined(self, point_m: Vec2) -> dict[int, float]:
        """Places of the roadmap in sight of a point, with their distances."""
        places, _ = self._roadmap
        if not len(places):
            return {}
        gaps = np.hypot(*(places - point_m).T)
        near = np.argsort(gaps)[:_TRIES].tolist()
        found = {}
        for place in near:
            there = (float(places[place][0]), float(places[place][1]))
            if self.is_free(point_m, there):
                found[int(place)] = float(gaps[place])
        return found

    @functools.cached_property
    def _roadmap(self) -> tuple[Any, Any]:
        """(n, 2) places, and their sparse matrix of distances."""
        inner = self._shape.buffer(-_EDGE_M, quad_segs=2)
        south, west, north, east = self._shape.bounds
        n, e = np.arange(south, north, _SPACING_M), np.arange(west, east, _SPACING_M)
        grid = np.stack(np.meshgrid(n, e, indexing="ij"), -1).reshape(-1, 2)
        corners = shapely.get_coordinates(inner.simplify(0.4))
        places = np.vstack([grid[shapely.contains_xy(inner, grid)], corners])
        _, first = np.unique((places / 1.5).round(), axis=0, return_index=True)
        places = places[np.sort(first)]
        pairs = _neighbours(places)
        apart = np.hypot(*(places[pairs[:, 0]] - places[pairs[:, 1]]).T) if len(pairs) else []
        pairs = pairs[np.asarray(apart) < _LONGEST_M] if len(pairs) else pairs
        if len(pairs):
            pairs = pairs[shapely.covers(self._wide, shapely.linestrings(places[pairs]))]
        apart = np.hypot(*(places[pairs[:, 0]] - places[pairs[:, 1]]).T) if len(pairs) else []
        both = np.vstack([pairs, pairs[:, ::-1]])
        lengths = csr_matrix(
            (np.concatenate([apart, apart]), (both[:, 0], both[:, 1])), shape=(len(places),) * 2
        )
        return places, lengths


def _neighbours(places: Any) -> Any:
    """(m, 2) pairs of neighbouring places."""
    if len(places) < 4:
        return np.zeros((0, 2), dtype=int)
    try:
        triangles = Delaunay(places).simplices
    except QhullError:
        return np.zeros((0, 2), dtype=int)
    pairs = np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    return np.unique(np.sort(pairs, axis=1), axis=0)
