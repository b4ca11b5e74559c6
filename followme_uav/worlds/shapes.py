"""Shapely geometries of the parts of a world; coordinates are (north, east)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import shapely
from shapely import LineString, MultiPolygon, Polygon
from shapely.affinity import rotate, translate
from shapely.geometry import box

from followme_uav.worlds.world import (
    Area,
    Barrier,
    Bench,
    Bounds,
    Building,
    Container,
    ParkedCar,
    Point,
    Street,
)

MITRE = "mitre"
SLOPE_PIECE_M = 3.0
"""Longest piece of a barrier on a slope: at 10 %, its top is 0.3 m too high at one end."""


def line_of(street: Street | Barrier) -> LineString:
    """Return the centre line."""
    return LineString(street.line_m)


def street_polygon(street: Street) -> Polygon:
    """Return the whole width of a street, with round ends."""
    return line_of(street).buffer(street.width_m / 2.0)


def carriageway_polygon(street: Street) -> Polygon:
    """Return the part between the pavements, with round ends; empty without any."""
    return line_of(street).buffer(max(street.carriageway_m, 0.0) / 2.0)


def polygon_of(part: Area | Building) -> Polygon:
    """Return the outline with its holes."""
    return Polygon(part.outline_m, part.holes_m)


def barrier_polygon(barrier: Barrier) -> Polygon:
    """Return the footprint of a hedge, wall or fence."""
    return line_of(barrier).buffer(barrier.thickness_m / 2.0, cap_style="flat", join_style=MITRE)


def barrier_parts(barrier: Barrier, on_slope: bool) -> list[Polygon]:
    """Return the footprint in parts that have one height each.

    Args:
        barrier: a hedge, wall or fence.
        on_slope: whether to cut it into short pieces, so that its top follows the ground.
    """
    if not on_slope:
        return list(polygons_in(barrier_polygon(barrier)))
    half_m = barrier.thickness_m / 2.0
    points = np.array(points_of(line_of(barrier), digits=6))
    steps = np.diff(points, axis=0)
    lengths_m = np.hypot(*steps.T)
    along = steps / lengths_m[:, None]
    # So far beyond a bend, the outer edges of both sides meet.
    turns = np.arctan2(_cross(along[:-1], along[1:]), (along[:-1] * along[1:]).sum(axis=1))
    beyond_m = half_m * np.minimum(np.tan(np.abs(turns) / 2.0), 1.0)
    before, after = np.append(0.0, beyond_m), np.append(beyond_m, 0.0)
    parts = []
    for i, length_m in enumerate(lengths_m):
        stops = np.linspace(0.0, length_m, max(math.ceil(length_m / SLOPE_PIECE_M), 1) + 1)
        stops[0] -= before[i]
        stops[-1] += after[i]
        ends = points[i] + np.outer(stops, along[i])
        parts += [LineString(p).buffer(half_m, cap_style="flat") for p in itertools.pairwise(ends)]
    return parts


def _cross(a: Any, b: Any) -> Any:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def turned_box(at_m: Point, yaw_rad: float, length_m: float, width_m: float) -> Polygon:
    """Return a rectangle whose length points at `yaw_rad`."""
    flat = box(-length_m / 2.0, -width_m / 2.0, length_m / 2.0, width_m / 2.0)
    # Both frames count angles from the first axis to the second.
    return translate(rotate(flat, yaw_rad, (0.0, 0.0), use_radians=True), *at_m)


def box_of(part: ParkedCar | Container | Bench) -> Polygon:
    """Return the footprint of a car, a container or a bench."""
    width_m = 0.6 if isinstance(part, Bench) else part.width_m
    return turned_box(part.at_m, part.yaw_rad, part.length_m, width_m)


def bounds_box(bounds: Bounds) -> Polygon:
    """Return the rectangle that a world fills."""
    return box(bounds.south_m, bounds.west_m, bounds.north_m, bounds.east_m)


def polygons_in(shape: Any, least_m2: float = 0.0) -> Iterator[Polygon]:
    """Yield the polygons of any geometry that are larger than an area."""
    for part in shapely.get_parts(shape):
        if isinstance(part, MultiPolygon) or part.geom_type == "GeometryCollection":
            yield from polygons_in(part, least_m2)
        elif isinstance(part, Polygon) and part.area > least_m2:
            yield part


def ring_of(coordinates: Any, digits: int = 3) -> tuple[Point, ...]:
    """Return the corners of a closed ring without the repeated last one, rounded."""
    points = [(round(float(n), digits), round(float(e), digits)) for n, e, *_ in coordinates]
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()
    return tuple(p for i, p in enumerate(points) if p != points[i - 1])


def rings_of(polygon: Polygon) -> tuple[tuple[Point, ...], tuple[tuple[Point, ...], ...]]:
    """Return outline and holes, rounded to millimetres."""
    return ring_of(polygon.exterior.coords), tuple(ring_of(r.coords) for r in polygon.interiors)


def points_of(line: Any, digits: int = 3) -> tuple[Point, ...]:
    """Return the points of a line, rounded, without equal neighbours."""
    points = [(round(float(n), digits), round(float(e), digits)) for n, e, *_ in line.coords]
    return tuple(p for i, p in enumerate(points) if i == 0 or p != points[i - 1])


def heading_at(line: LineString, along_m: float, reach_m: float = 0.5) -> float:
    """Return the direction of a line at a distance from its start."""
    a = line.interpolate(max(along_m - reach_m, 0.0))
    b = line.interpolate(min(along_m + reach_m, line.length))
    return math.atan2(b.y - a.y, b.x - a.x)


def smooth(points: Sequence[Point], spacing_m: float = 4.0, closed: bool = False) -> list[Point]:
    """Return points on the Catmull-Rom spline through the given ones, about `spacing_m` apart."""
    p = np.asarray(points, dtype=float)
    if len(p) < 3:
        return [(float(n), float(e)) for n, e in p]
    padded = np.vstack([p[-1], p, p[:2]]) if closed else np.vstack([p[0], p, p[-1]])
    result: list[Point] = []
    for i in range(1, len(padded) - 2):
        a, b, c, d = padded[i - 1 : i + 3]
        steps = max(int(np.hypot(*(c - b)) / spacing_m), 1)
        for t in np.arange(steps) / steps:
            q = 0.5 * (
                2 * b
                + (c - a) * t
                + (2 * a - 5 * b + 4 * c - d) * t**2
                + (3 * b - a - 3 * c + d) * t**3
            )
            result.append((float(q[0]), float(q[1])))
    if not closed:
        result.append((float(p[-1][0]), float(p[-1][1])))
    return result
