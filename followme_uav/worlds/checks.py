"""Checks of a world that concern several values, beyond the range of each."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path

from followme_uav.errors import ConfigError
from followme_uav.worlds.world import Building, Point, Ring, Street, World

MIN_LANE_M = 2.2
_SAME_M = 1e-6
"""Points nearer to each other are equal: a line between them has no direction."""


def check_world(world: World, source: Path | str) -> None:
    """Check what the types of single values do not say.

    Raises:
        ConfigError: The message names `source`, key and value.
    """
    problem = next(_problems(world), None)
    if problem is not None:
        raise ConfigError(f"{source}: {problem}")


def _problems(world: World) -> Iterator[str]:
    b = world.bounds
    if b.south_m >= b.north_m or b.west_m >= b.east_m:
        yield f"bounds: north_m and east_m must be larger than south_m and west_m (got {b})"
    north_m, east_m = world.start_m
    if not (b.south_m <= north_m <= b.north_m and b.west_m <= east_m <= b.east_m):
        yield f"start_m: must lie within the bounds (got {north_m:g}, {east_m:g})"
    for i, street in enumerate(world.streets):
        for text in _of_street(street):
            yield f"streets.{i}.{text}"
    for i, barrier in enumerate(world.barriers):
        if all(_are_one(barrier.line_m[0], point) for point in barrier.line_m):
            yield f"barriers.{i}.line_m: all points are equal"
    for i, area in enumerate(world.areas):
        for text in _of_rings(area.outline_m, area.holes_m):
            yield f"areas.{i}.{text}"
    for i, building in enumerate(world.buildings):
        for text in _of_building(building):
            yield f"buildings.{i}.{text}"
        if not building.base_m and _stands_at(building, world.start_m):
            yield f"start_m: lies in buildings.{i} (got {north_m:g}, {east_m:g})"
    if world.terrain is not None:
        lengths = {len(row) for row in world.terrain.heights_m}
        if len(lengths) > 1:
            yield f"terrain.heights_m: rows must have one length (got {sorted(lengths)})"


def _of_street(street: Street) -> Iterator[str]:
    if any(itertools.starmap(_are_one, itertools.pairwise(street.line_m))):
        yield "line_m: two neighbouring points are equal"
    if street.carriageway_m < 0.0:
        yield f"pavement_m: two pavements are wider than the street (got {street.pavement_m:g})"
    elif street.carriageway_m < street.lanes * MIN_LANE_M - 1e-9:
        yield (
            f"lanes: a carriageway of {street.carriageway_m:g} m has no room for {street.lanes} "
            f"lanes of {MIN_LANE_M} m"
        )
    if street.heights_m and len(street.heights_m) != len(street.line_m):
        yield (
            f"heights_m: needs one height for each of the {len(street.line_m)} points "
            f"(got {len(street.heights_m)})"
        )
    if street.kind in ("elevated_road", "bridge") and not street.heights_m:
        yield f"heights_m: a street of kind {street.kind} needs the heights of its deck"


def _are_one(one: Point, other: Point) -> bool:
    return math.dist(one, other) < _SAME_M


def _of_building(building: Building) -> Iterator[str]:
    if building.base_m >= building.height_m:
        yield f"base_m: must be below height_m {building.height_m:g} (got {building.base_m:g})"
    yield from _of_rings(building.outline_m, building.holes_m)


def _stands_at(building: Building, place: Point) -> bool:
    from shapely import Point as ShapelyPoint
    from shapely import Polygon

    norths, easts = zip(*building.outline_m, strict=True)
    if not (min(norths) < place[0] < max(norths) and min(easts) < place[1] < max(easts)):
        return False  # most of them, without the time that a polygon takes
    return bool(Polygon(building.outline_m, building.holes_m).contains(ShapelyPoint(place)))


def _of_rings(outline: Ring, holes: tuple[Ring, ...]) -> Iterator[str]:
    from shapely import Polygon
    from shapely.validation import explain_validity

    polygon = Polygon(outline, holes)
    if not polygon.is_valid or polygon.area < 1e-6:
        reason = explain_validity(polygon) if not polygon.is_valid else "no area"
        where = "" if math.isfinite(polygon.area) else " (not finite)"
        yield f"outline_m: not a polygon: {reason}{where}"
