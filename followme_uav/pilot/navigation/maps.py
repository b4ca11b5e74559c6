"""The street map of a simulator's profile."""

from __future__ import annotations

import functools

from followme_uav.config import FlyablePolygon, SimulatorProfile
from followme_uav.pilot.navigation.street_map import StreetMap


def street_map_of(profile: SimulatorProfile) -> StreetMap:
    """Return the polygons of a profile, or its rectangles."""
    if not profile.flyable_polygons_m:
        return profile.flyable_m
    return _polygons(profile.flyable_polygons_m)


@functools.lru_cache(maxsize=4)
def _polygons(polygons_m: tuple[FlyablePolygon, ...]) -> StreetMap:
    from followme_uav.pilot.navigation.polygon_map import PolygonMap  # its libraries take a while

    return PolygonMap(polygons_m)
