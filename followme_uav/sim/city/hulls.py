"""Distances and rays to convex hulls, for all hulls of a place at once.

Each hull is an intersection of half-spaces, whose border is a set of triangles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from followme_uav.sim.city.arrays import Floats
from followme_uav.sim.city.layout import Collider

_PARALLEL = 1e-12


class Hulls:
    """Solids of the shape `hull`."""

    def __init__(self, solids: Sequence[Collider]) -> None:
        self._low = np.array([np.min(s.corners_m, axis=0) for s in solids]).reshape(-1, 3)
        self._high = np.array([np.max(s.corners_m, axis=0) for s in solids]).reshape(-1, 3)
        planes: list[Floats] = []
        self._triangles: list[Floats] = []
        """For each hull (triangles, 3, 3)."""
        for solid in solids:
            equations, triangles = _border(np.array(solid.corners_m))
            planes.append(equations)
            self._triangles.append(triangles)
        self._first = np.cumsum([0, *(len(p) for p in planes)])
        """The planes of hull i are those from `_first[i]` to `_first[i + 1]`."""
        stacked = np.concatenate(planes) if planes else np.zeros((0, 4))
        self._normal, self._offset = stacked[:, :3], stacked[:, 3]

    def distance_m(self, point: Floats, at_most_m: float = math.inf) -> float:
        """Distance from a point to the nearest hull, 0 inside one; `at_most_m` if none is nearer.

        Args:
            point: (3,) world NED.
            at_most_m: hulls that are farther need not be measured.
        """
        if not len(self._low):
            return at_most_m
        outside = np.maximum(np.maximum(self._low - point, point - self._high), 0.0)
        to_box = np.sqrt(np.einsum("ij,ij->i", outside, outside))
        nearest = at_most_m
        for i in np.argsort(to_box).tolist():
            if to_box[i] >= nearest:
                break
            nearest = min(nearest, self._to_hull_m(i, point))
        return nearest

    def _to_hull_m(self, i: int, point: Floats) -> float:
        planes = slice(self._first[i], self._first[i + 1])
        if (self._normal[planes] @ point + self._offset[planes] <= 0.0).all():
            return 0.0
        return _to_triangles_m(point, self._triangles[i])

    def ray_m(self, start: Floats, along: Floats) -> float:
        """Length of a ray to the first hull; 0 inside one, inf without any.

        Args:
            start: (3,) world NED.
            along: (3,) unit vector.
        """
        if not len(self._low):
            return math.inf
        slope = self._normal @ along
        room = -(self._normal @ start + self._offset)  # positive inside of the plane
        is_parallel = np.abs(slope) < _PARALLEL
        at = room / np.where(is_parallel, 1.0, slope)
        enter = np.where(~is_parallel & (slope < 0.0), at, -np.inf)
        leave = np.where(~is_parallel & (slope > 0.0), at, np.inf)
        leave[is_parallel & (room < 0.0)] = -np.inf
        starts = self._first[:-1]
        first = np.maximum.reduceat(enter, starts)
        last = np.minimum.reduceat(leave, starts)
        hits = np.maximum(first, 0.0)[(last >= first) & (last >= 0.0)]
        return float(hits.min()) if len(hits) else math.inf


def _border(corners: Floats) -> tuple[Floats, Floats]:
    """(planes, 4) half-spaces and (triangles, 3, 3) of the convex hull of (n, 3) points.

    Args:
        corners: the lower ring, and then the upper ring.
    """
    half = len(corners) // 2
    bottom, top = corners[:half], corners[half:]
    if np.ptp(bottom[:, 2]) == np.ptp(top[:, 2]) == 0.0:
        return _prism_border(bottom, top)
    from scipy.spatial import ConvexHull, QhullError  # takes a tenth of a second

    try:
        hull = ConvexHull(corners)
    except QhullError:  # thinner than the precision of its arithmetic
        hull = ConvexHull(corners, qhull_options="QJ Pp")
    return np.unique(hull.equations.round(9), axis=0), corners[hull.simplices]


def _prism_border(bottom: Floats, top: Floats) -> tuple[Floats, Floats]:
    """As `_border`, between two level rings above each other."""
    n, e = (np.roll(bottom, -1, axis=0) - bottom)[:, :2].T
    length = np.hypot(n, e)
    out = np.stack((e, -n, np.zeros(len(n))), axis=1) / length[:, None]
    middle = bottom.mean(axis=0)
    out *= np.where(np.einsum("ij,ij->i", out, bottom - middle) < 0.0, -1.0, 1.0)[:, None]
    normals = np.vstack((out, (0.0, 0.0, 1.0), (0.0, 0.0, -1.0)))
    on_them = np.vstack((bottom, bottom[:1], top[:1]))
    offsets = -np.einsum("ij,ij->i", normals, on_them)
    after_bottom, after_top = np.roll(bottom, -1, axis=0), np.roll(top, -1, axis=0)
    triangles = [
        np.stack((bottom, after_bottom, after_top), axis=1),
        np.stack((bottom, after_top, top), axis=1),
    ]
    for ring in (bottom, top):
        first = np.broadcast_to(ring[0], (len(ring) - 2, 3))
        triangles.append(np.stack((first, ring[1:-1], ring[2:]), axis=1))
    return np.column_stack((normals, offsets)), np.concatenate(triangles)


def _to_triangles_m(point: Floats, triangles: Floats) -> float:
    """Distance from a point to the nearest of (n, 3, 3) triangles."""
    edges = np.roll(triangles, -1, axis=1) - triangles
    towards = point - triangles
    share = np.einsum("ijk,ijk->ij", towards, edges) / np.einsum("ijk,ijk->ij", edges, edges)
    gap = towards - np.clip(share, 0.0, 1.0)[..., None] * edges
    nearest = math.sqrt(float(np.einsum("ijk,ijk->ij", gap, gap).min()))
    normal = np.cross(edges[:, 0], edges[:, 1])
    length = np.linalg.norm(normal, axis=1)
    # Above the triangle the foot of the perpendicular is nearest.
    sides = np.einsum("ijk,ijk->ij", np.cross(edges, towards), normal[:, None, :])
    above = (sides >= 0.0).all(axis=1) & (length > 0.0)
    if above.any():
        height = np.abs(np.einsum("ij,ij->i", towards[above, 0], normal[above])) / length[above]
        nearest = min(nearest, float(height.min()))
    return nearest
