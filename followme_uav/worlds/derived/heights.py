"""Heights along streets: the ground, or the deck of a raised street."""

from __future__ import annotations

from typing import Any

import numpy as np
from shapely.geometry import Point as ShapelyPoint

from followme_uav.worlds.shapes import line_of
from followme_uav.worlds.terrain import Floats, ground_heights_m
from followme_uav.worlds.world import Street, World


def deck_heights_m(street: Street, points_m: Any) -> Floats:
    """Return the heights above z = 0 of the deck of a raised street next to points (n, 2)."""
    line = line_of(street)
    stops = [line.project(ShapelyPoint(p)) for p in street.line_m]
    stops[-1] = line.length
    along = [line.project(ShapelyPoint(p)) for p in points_m]
    heights: Floats = np.interp(along, stops, street.heights_m)
    return heights


def surface_heights_m(world: World, street: Street, points_m: Any) -> Floats:
    """Return the heights above z = 0 of a street at points (n, 2)."""
    if street.is_raised:
        return deck_heights_m(street, points_m)
    return ground_heights_m(world.terrain, points_m)
