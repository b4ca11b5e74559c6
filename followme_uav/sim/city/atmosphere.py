"""Light and weather.

An `Atmosphere` is the input of the shaders. It is computed from the position of the sun and the
`Weather` (`atmosphere`), from the time of day (`at_time`), or is a preset with a name. It does not
affect masks or depth.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from followme_uav.errors import ConfigError
from followme_uav.sim.city.colours import Colour

NOON_ELEVATION_DEG = 55.0
"""Elevation of the sun at 12 h; it rises at 6 h in the east and sets at 18 h in the west."""
CLEAR_FOG_PER_M = 0.0006
"""Extinction of clear air: half of the light arrives at 1.2 km."""
FOG_PER_M = 0.035
DUST_PER_M = 0.020
RAIN_PER_M = 0.006
"""Extinction at full strength; the visibility is about 3 / extinction."""


@dataclass(frozen=True)
class Weather:
    """The amounts of clouds, rain, fog and dust, each 0 to 1."""

    clouds: float = 0.0
    rain: float = 0.0
    fog: float = 0.0
    dust: float = 0.0


CLEAR = Weather()


@dataclass(frozen=True)
class Atmosphere:
    """The light. Colours are factors; white at 1 is a clear noon."""

    sun_azimuth_deg: float
    """Direction of the sun, from north, clockwise."""
    sun_elevation_deg: float
    sun: Colour
    ambient: Colour
    sky_low: Colour
    """The sky at the horizon."""
    sky_high: Colour
    """The sky at the zenith."""
    cloud: Colour
    cloud_cover: float
    """Added to the cover of the cloud texture: 0 for some clouds, 1 for a closed sky."""
    fog: Colour
    fog_per_m: float
    """Extinction: the share exp(-fog_per_m * depth) of a surface's light arrives; the colour of the
    fog makes up the rest."""
    shadow: float
    """Strength of shadows: 0 none, 1 no sunlight in them."""
    window_light: float
    """Share of lit windows, 0 to 1; lamps are lit from 0.5 on."""
    wetness: float = 0.0
    """0: dry ground; 1: dark and wet."""
    rain: float = 0.0

    @property
    def towards_sun(self) -> tuple[float, float, float]:
        """Unit vector to the sun, world NED."""
        azimuth, elevation = math.radians(self.sun_azimuth_deg), math.radians(self.light_height_deg)
        flat = math.cos(elevation)
        return (
            flat * math.cos(azimuth),
            flat * math.sin(azimuth),
            -math.sin(elevation),
        )

    @property
    def light_height_deg(self) -> float:
        """Elevation of the sun used for light and shadows: at least 4 degrees."""
        return max(4.0, self.sun_elevation_deg)


_SKY = (
    # Sun's elevation, its light, ambient light
    # sky at the horizon, sky at the zenith, clouds, share of lit windows
    (-10.0, 0.00, 0.00, 0.00, 0.22, 0.25, 0.40,
     0.10, 0.11, 0.18, 0.03, 0.04, 0.09, 0.10, 0.11, 0.16, 0.75),
    (-3.0, 0.16, 0.08, 0.07, 0.64, 0.60, 0.76,
     0.62, 0.40, 0.40, 0.13, 0.16, 0.32, 0.42, 0.31, 0.38, 0.70),
    (3.0, 0.90, 0.52, 0.30, 0.98, 0.90, 0.96,
     0.95, 0.64, 0.40, 0.28, 0.33, 0.54, 0.78, 0.52, 0.46, 0.45),
    (12.0, 1.04, 0.82, 0.56, 0.98, 0.96, 0.98,
     0.80, 0.70, 0.60, 0.36, 0.47, 0.70, 0.80, 0.72, 0.68, 0.05),
    (30.0, 1.00, 0.97, 0.92, 1.00, 1.00, 1.00,
     0.50, 0.61, 0.77, 0.34, 0.48, 0.72, 0.66, 0.70, 0.75, 0.0),
    (45.0, 1.00, 1.00, 1.00, 1.00, 1.00, 1.00,
     0.46, 0.58, 0.76, 0.34, 0.48, 0.72, 0.66, 0.70, 0.75, 0.0),
)  # fmt: skip
_SHADOW = 0.75


@lru_cache(maxsize=8)  # asked for each image, and seldom another one
def atmosphere(
    sun_azimuth_deg: float, sun_elevation_deg: float, weather: Weather = CLEAR
) -> Atmosphere:
    """Compute the light for a position of the sun and a weather."""
    keys = np.array(_SKY)
    row = [float(np.interp(sun_elevation_deg, keys[:, 0], column)) for column in keys.T[1:]]
    sun, ambient, low, high, cloud = (np.array(row[k : k + 3]) for k in range(0, 15, 3))
    windows = row[15]
    overcast = max(
        weather.clouds, min(1.0, 2.2 * weather.rain), 0.85 * weather.fog, 0.6 * weather.dust
    )
    daylight = float(ambient.mean())
    grey = np.array((0.70, 0.73, 0.76)) * daylight
    brown = np.array((0.70, 0.56, 0.40)) * daylight
    mist = np.array((0.74, 0.76, 0.78)) * (0.35 + 0.65 * daylight)
    low = low + 0.85 * overcast * (grey - low)
    high = high + 0.85 * overcast * (0.86 * grey - high)
    cloud = cloud + overcast * (0.80 * grey - cloud)
    thick = min(1.0, weather.fog + weather.dust)
    fog = low + thick * ((mist if weather.fog >= weather.dust else brown) - low)
    # A low sun is weak against the sky; full shadows would leave whole streets dark.
    softened = min(1.0, max(0.4, (sun_elevation_deg + 6.0) / 24.0))
    # Under a closed sky the light is diffuse: level ground keeps its brightness, walls gain.
    return Atmosphere(
        sun_azimuth_deg=sun_azimuth_deg,
        sun_elevation_deg=sun_elevation_deg,
        sun=_rgb(sun * (1.0 - 0.80 * overcast)),
        ambient=_rgb(ambient * (1.0 + 0.62 * overcast) * (1.0 - 0.18 * weather.rain)),
        sky_low=_rgb(low),
        sky_high=_rgb(high),
        cloud=_rgb(cloud),
        cloud_cover=overcast,
        fog=_rgb(fog),
        fog_per_m=CLEAR_FOG_PER_M
        + FOG_PER_M * weather.fog**2
        + DUST_PER_M * weather.dust**2
        + RAIN_PER_M * weather.rain,
        shadow=_SHADOW * (1.0 - overcast) ** 2 * softened,
        window_light=max(windows, 0.3 * weather.rain),
        wetness=weather.rain,
        rain=weather.rain,
    )


def at_time(hour_h: float, weather: Weather = CLEAR) -> Atmosphere:
    """Compute the light at a time of day, 0 to 24 h."""
    turn = 2.0 * math.pi * (hour_h - 6.0) / 24.0
    height = math.sin(math.radians(NOON_ELEVATION_DEG)) * math.sin(turn)
    return atmosphere(90.0 + math.degrees(turn), math.degrees(math.asin(height)), weather)


def _rgb(values: np.ndarray) -> Colour:
    red, green, blue = (float(v) for v in values)
    return (red, green, blue)


PRESETS: Mapping[str, Atmosphere] = MappingProxyType(
    {
        "day": atmosphere(215.0, 50.0),
        "dusk": atmosphere(250.0, 1.0),
        "fog": atmosphere(215.0, 35.0, Weather(fog=0.75)),
        "overcast": atmosphere(215.0, 45.0, Weather(clouds=1.0)),
        "rain": atmosphere(215.0, 40.0, Weather(rain=0.8)),
        "dust": atmosphere(215.0, 40.0, Weather(dust=0.8)),
    }
)


def preset(name: str) -> Atmosphere:
    """The preset of that name.

    Raises:
        ConfigError: The name is unknown.
    """
    try:
        return PRESETS[name]
    except KeyError:
        known = ", ".join(PRESETS)
        raise ConfigError(f"atmosphere '{name}': there is {known}") from None


@lru_cache(maxsize=8)
def day_of(seed: int, weather: Weather = CLEAR) -> Atmosphere:
    """Compute daylight; the city's seed draws the sun's direction and strength."""
    random = np.random.default_rng([seed, 50])
    azimuth_deg = float(random.uniform(0.0, 360.0))
    elevation_deg = float(random.uniform(44.0, 58.0))
    strength = float(random.uniform(0.92, 1.08))
    light = atmosphere(azimuth_deg, elevation_deg, weather)
    return replace(
        light,
        sun=_rgb(np.array(light.sun) * strength),
        ambient=_rgb(np.array(light.ambient) * strength),
    )
