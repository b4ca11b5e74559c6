"""The local projection: geodetic positions to metres north and east of an origin.

It is the projection of the simulator's GPS and `geo_point`: equirectangular on a sphere of radius
`EARTH_RADIUS_M`, true at the origin's latitude. So the RPC gives objects of an imported town their
geodetic position of the map exactly. Compared with lengths on WGS 84, those north to south are at
most 0.7 % too long (at the equator; 0.1 % at 46 degrees) and those east to west at most 0.4 % too
short (near the poles; 0.2 % at 46 degrees). East of the origin and 500 m north of it, lengths of
500 m are 4 cm too long at 46 degrees, because meridians converge.
"""

from __future__ import annotations

import math

from followme_uav.worlds.world import GeoOrigin

EARTH_RADIUS_M = 6_378_137.0


def project(origin: GeoOrigin, latitude_deg: float, longitude_deg: float) -> tuple[float, float]:
    """Return metres north and east of the origin."""
    radius_m = EARTH_RADIUS_M * math.cos(math.radians(origin.latitude_deg))
    turn_deg = math.remainder(longitude_deg - origin.longitude_deg, 360.0)
    return (
        math.radians(latitude_deg - origin.latitude_deg) * EARTH_RADIUS_M,
        math.radians(turn_deg) * radius_m,
    )


def unproject(origin: GeoOrigin, north_m: float, east_m: float) -> tuple[float, float]:
    """Return latitude and longitude in degrees; the inverse of `project`."""
    radius_m = EARTH_RADIUS_M * math.cos(math.radians(origin.latitude_deg))
    return (
        origin.latitude_deg + math.degrees(north_m / EARTH_RADIUS_M),
        origin.longitude_deg + math.degrees(east_m / radius_m),
    )
