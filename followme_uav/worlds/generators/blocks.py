"""Houses in a block between streets: a closed row along its edge, or plots cut from it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import shapely
from shapely import LineString, Polygon
from shapely.geometry import Point as ShapelyPoint
from shapely.ops import polygonize

from followme_uav.worlds.shapes import polygons_in


def row_of_houses(
    block: Polygon, depth_m: float, frontage_m: Callable[[], float]
) -> tuple[list[Polygon], Polygon]:
    """Cut the edge of a block into houses with common walls.

    Args:
        block: the whole block.
        depth_m: depth of the houses.
        frontage_m: draws the width of the next house.

    Returns:
        The houses, and the courtyard that they enclose, which may be empty.
    """
    inner = block.buffer(-depth_m, join_style="mitre")
    yards = sorted(polygons_in(inner, 40.0), key=lambda p: -p.area)
    if not yards:
        return plots(block, frontage_m() * 14.0), Polygon()
    yard = yards[0]
    edge = LineString(block.exterior.coords)
    along_m, cuts = 0.0, []
    while along_m < edge.length - 5.0:
        foot = edge.interpolate(along_m)
        cuts.append(_stretched(shapely.shortest_line(foot, yard.exterior)))
        along_m += frontage_m()
    pieces = polygonize(shapely.union_all([edge, yard.exterior, *cuts]))
    houses = [
        piece
        for piece in pieces
        if piece.area > 25.0 and not yard.covers(piece.representative_point())
    ]
    return houses, yard


def plots(block: Polygon, area_m2: float) -> list[Polygon]:
    """Halve a block across its longer side until the parts are small enough."""
    if block.area < 1.5 * area_m2:
        return [block] if block.area > 25.0 else []
    box = block.minimum_rotated_rectangle
    a, b, c, d = list(box.exterior.coords)[:4]
    if math.dist(a, b) < math.dist(b, c):
        a, b, c, d = b, c, d, a
    cut = LineString([_middle(a, b), _middle(c, d)])
    pieces = polygonize(shapely.union_all([block.exterior, _stretched(cut)]))
    parts = [p for p in pieces if block.covers(p.representative_point())]
    if len(parts) < 2:
        return [block]
    return [plot for part in parts for plot in plots(part, area_m2)]


def blob(rng: np.random.Generator, at: tuple[float, float], radius_m: float) -> Polygon:
    """Return a smooth closed outline that waves around a circle."""
    phases, reach = rng.uniform(0, 2 * math.pi, 3), rng.uniform(0.4, 1.0, 3)
    stretch, turn = float(rng.uniform(1.0, 1.45)), float(rng.uniform(0, math.pi))
    corners = []
    for angle in np.linspace(0.0, 2 * math.pi, 48, endpoint=False):
        waves = sum(
            0.1 * r * math.sin(lobes * angle + phase)
            for lobes, phase, r in zip((2, 3, 4), phases, reach, strict=True)
        )
        r = radius_m * (1.0 + waves)
        x, y = r * stretch * math.cos(angle), r / stretch * math.sin(angle)
        corners.append(
            (
                at[0] + x * math.cos(turn) - y * math.sin(turn),
                at[1] + x * math.sin(turn) + y * math.cos(turn),
            )
        )
    return Polygon(corners)


def octagon(at: tuple[float, float], radius_m: float) -> Polygon:
    """Return a regular octagon."""
    return ShapelyPoint(at).buffer(radius_m, quad_segs=2)


def _middle(a: tuple[float, ...], b: tuple[float, ...]) -> tuple[float, float]:
    return (a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0


def _stretched(line: LineString, by_m: float = 0.01) -> LineString:
    """Lengthen a straight line at both ends, so that it surely meets what it touches."""
    (an, ae), (bn, be) = line.coords[0][:2], line.coords[-1][:2]
    size = math.hypot(bn - an, be - ae) or 1.0
    n, e = (bn - an) / size * by_m, (be - ae) / size * by_m
    return LineString([(an - n, ae - e), (bn + n, be + e)])
