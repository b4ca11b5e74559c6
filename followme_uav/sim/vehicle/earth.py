"""The Earth around the origin: geodetic positions, standard atmosphere and magnetic field.

Sources: the U.S. Standard Atmosphere 1976 below 11 km; for the magnetic field a dipole, tilted
towards the geomagnetic pole of the epoch 2010 (IGRF-11), as in AirSim.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from followme_uav.messages import Vec3

HOME_LATITUDE_DEG, HOME_LONGITUDE_DEG, HOME_ALTITUDE_M = 47.641468, -122.140165, 122.0
"""Geodetic position of the origin by AirSim's default."""
EARTH_RADIUS_M = 6_378_137.0


@dataclass(frozen=True)
class Home:
    """Geodetic position of the world's origin."""

    latitude_deg: float = HOME_LATITUDE_DEG
    longitude_deg: float = HOME_LONGITUDE_DEG
    altitude_m: float = HOME_ALTITUDE_M


HOME = Home()

MAX_POSITION_M = 1e5
"""Largest coordinate, from home, of a position to fly to or to place something at."""
MAX_SIGHT_M = 1e6
"""Largest coordinate, from home, of an end of a line of sight: scripts use points one degree, 111
km, away. Beyond it the flat-Earth approximation fails."""

SEA_LEVEL_PRESSURE_PA = 101_325.0
SEA_LEVEL_TEMPERATURE_K = 288.15
LAPSE_K_PER_M = 0.0065
GAS_CONSTANT = 287.053
"""Of dry air, J / (kg K)."""
_PRESSURE_EXPONENT = 5.255_88  # gravity / (lapse * gas constant)

MAGNETIC_POLE_DEG = (80.0, -72.2)
"""Latitude and longitude of the geomagnetic north pole."""
EQUATOR_FIELD_GAUSS = 0.312


@dataclass(frozen=True)
class Air:
    """Standard air at one altitude."""

    pressure_pa: float
    temperature_k: float
    density_kgm3: float


def air_at(altitude_m: float) -> Air:
    """The standard atmosphere from -1 km to 11 km; beyond, the air of the nearer end."""
    height_m = min(max(altitude_m, -1000.0), 11_000.0)
    temperature_k = SEA_LEVEL_TEMPERATURE_K - LAPSE_K_PER_M * height_m
    ratio = temperature_k / SEA_LEVEL_TEMPERATURE_K
    pressure_pa: float = SEA_LEVEL_PRESSURE_PA * ratio**_PRESSURE_EXPONENT
    return Air(pressure_pa, temperature_k, pressure_pa / (GAS_CONSTANT * temperature_k))


def pressure_altitude_m(pressure_pa: float) -> float:
    """Altitude of a pressure in the standard atmosphere; the inverse of `air_at`."""
    ratio = max(pressure_pa, 1.0) / SEA_LEVEL_PRESSURE_PA
    share: float = ratio ** (1.0 / _PRESSURE_EXPONENT)
    return (1.0 - share) * SEA_LEVEL_TEMPERATURE_K / LAPSE_K_PER_M


def place_of(
    latitude_deg: float, longitude_deg: float, altitude_m: float, home: Home = HOME
) -> Vec3:
    """World NED of a GeoPoint; the inverse of `geo_point` in the API's structs."""
    east_radius_m = EARTH_RADIUS_M * math.cos(math.radians(home.latitude_deg))
    return (
        math.radians(latitude_deg - home.latitude_deg) * EARTH_RADIUS_M,
        math.radians(longitude_deg - home.longitude_deg) * east_radius_m,
        home.altitude_m - altitude_m,
    )


def magnetic_field_gauss(latitude_deg: float, longitude_deg: float) -> Vec3:
    """Field of the tilted dipole at sea level, world NED.

    With the angle a to the pole it is B sin(a) towards the pole and 2 B cos(a) down, where B is the
    field at the magnetic equator (textbook dipole, e.g. Wertz 1978, appendix H).
    """
    latitude, pole_latitude = math.radians(latitude_deg), math.radians(MAGNETIC_POLE_DEG[0])
    ahead = math.radians(MAGNETIC_POLE_DEG[1] - longitude_deg)
    north = math.cos(latitude) * math.sin(pole_latitude) - math.sin(latitude) * math.cos(
        pole_latitude
    ) * math.cos(ahead)
    east = math.cos(pole_latitude) * math.sin(ahead)
    up = math.sin(latitude) * math.sin(pole_latitude) + math.cos(latitude) * math.cos(
        pole_latitude
    ) * math.cos(ahead)
    b = EQUATOR_FIELD_GAUSS
    return b * north, b * east, 2.0 * b * up
