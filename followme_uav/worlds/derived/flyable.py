"""The area over which a vehicle may fly between the obstacles of a world."""

from __future__ import annotations

from typing import Any

import shapely
from shapely import Polygon
from shapely.geometry import Point as ShapelyPoint

from followme_uav.worlds.derived.passages import passages
from followme_uav.worlds.derived.street_graph import ground_level_ends
from followme_uav.worlds.shapes import (
    barrier_polygon,
    box_of,
    line_of,
    polygon_of,
    polygons_in,
)
from followme_uav.worlds.world import Street, World

CLEARANCE_M = 1.2
"""Distance from walls."""
SLIM_CLEARANCE_M = 1.7
"""Distance from trees, lamps and pillars. With `limits.boundary_margin_m` it is more than the pilot
keeps from what the depth image shows (`limits.clearance_m`): between two of them that are nearer, a
vehicle would be stuck."""
CORRIDOR_M = 6.0
"""The air within this distance of the middle of a street counts as a part of it."""
_GAP_M = 2.0
"""Narrower gaps between streets belong to the area: ways side by side are not a way around."""
_BESIDE_DECK_M = 4.0
"""Beside a deck a vehicle climbs from the level below it to that above."""
LOWEST_M = 3.0
"""Lower objects are no obstacles: vehicles fly above them."""
_OPEN = ("square", "pavement", "parking", "yard")


def walls(world: World) -> list[Any]:
    """Return the polygons of buildings, barriers and containers higher than `LOWEST_M`.

    They hide a person from a vehicle; the crowns of trees, and houses above passages, hide little
    of a street.
    """
    solid: list[Any] = [
        polygon_of(b) for b in world.buildings if b.height_m > LOWEST_M and not b.base_m
    ]
    solid += [barrier_polygon(b) for b in world.barriers if b.height_m > LOWEST_M]
    solid += [box_of(c) for c in world.containers if c.height_m > LOWEST_M]
    return solid


def _flat_obstacles(world: World) -> list[Any]:
    """Walls, and houses too low to pass below: a vehicle flies along them."""
    return walls(world) + [p.outline for p in passages(world) if not p.can_be_passed]


def _slim_obstacles(world: World) -> list[Any]:
    """Crowns, lamps and pillars: a vehicle flies between them."""
    slim: list[Any] = [
        ShapelyPoint(t.at_m).buffer(t.crown_radius_m, quad_segs=4)
        for t in world.trees
        if t.height_m > LOWEST_M
    ]
    slim += [
        ShapelyPoint(p.at_m).buffer(0.3, quad_segs=2) for p in world.lamps if p.height_m > LOWEST_M
    ]
    for street in world.streets:
        half_m = street.support_half_m
        slim += [ShapelyPoint(p).buffer(half_m, cap_style="square") for p in street.supports_m]
    return slim


def _half_width_m(street: Street) -> float:
    half_m = street.width_m / 2.0
    return max(half_m + _BESIDE_DECK_M if street.is_raised else half_m, CORRIDOR_M)


def flyable_area(
    world: World, clearance_m: float = CLEARANCE_M, *, over_lawns: bool | None = None
) -> Polygon:
    """Return the polygon over which a vehicle may fly from the world's start.

    Streets with the air beside them, squares, yards and car parks count, less what is near to
    obstacles. Streets below raised streets do, and raised streets that people can reach: a vehicle
    flies below the ones and above the others. Parts that cannot be reached over the others (a
    courtyard) are left out. Without a part around the start, the largest one is returned.

    Args:
        world: the world.
        clearance_m: distance from walls, and from everything else if it is more than usual.
        over_lawns: whether lawns, woods and water count, too; None: where most ways are footpaths.
    """
    length = {True: 0.0, False: 0.0}
    for street in world.streets:
        length[street.kind == "footpath"] += line_of(street).length
    if over_lawns is None:
        over_lawns = length[True] > length[False]
    ground = [
        line_of(s).buffer(_half_width_m(s), quad_segs=4)
        for s in world.streets
        if all(ground_level_ends(world, s))
    ]
    surfaces = (*_OPEN, "lawn", "wood", "water") if over_lawns else _OPEN
    ground += [polygon_of(a) for a in world.areas if a.surface in surfaces]
    slim = shapely.union_all(_slim_obstacles(world))
    whole = shapely.union_all(ground).buffer(_GAP_M / 2.0, quad_segs=2)
    free = whole.buffer(-_GAP_M / 2.0, quad_segs=2).difference(
        shapely.union_all(_flat_obstacles(world)).buffer(clearance_m, quad_segs=4)
    )
    free = free.difference(slim.buffer(max(clearance_m, SLIM_CLEARANCE_M), quad_segs=4))
    b = world.bounds
    free = free.intersection(shapely.box(b.south_m, b.west_m, b.north_m, b.east_m))
    wide = free.buffer(-0.8, quad_segs=2).buffer(0.8, quad_segs=2).intersection(free)
    start = ShapelyPoint(world.start_m)
    parts = sorted(polygons_in(wide, 20.0), key=lambda p: (not p.covers(start), -p.area))
    return parts[0].simplify(0.1) if parts else Polygon()
