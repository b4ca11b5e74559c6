"""Light of the scene: uniforms of the atmosphere, the shadow map, shadows of movers, rain."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from panda3d import core

from followme_uav.messages import Vec3
from followme_uav.sim.city.atmosphere import Atmosphere
from followme_uav.sim.rendering.mover_shadows import MoverShadows
from followme_uav.sim.rendering.rain import Rain
from followme_uav.sim.rendering.shadow_map import Box, ShadowMap, light_view

_WINDOW_LIGHT = (1.0, 0.80, 0.48)
_WET_LOSS = 0.35
"""Share of its brightness that soaked ground loses."""


class Lighting:
    """Light of everything below `root`.

    Args:
        root: Parent node.
        shadow_map: Shadows of static objects.
        shadows: Shadows of movers.
        box: The part of the world that the shadow map covers.
    """

    def __init__(
        self, root: core.NodePath, shadow_map: ShadowMap, shadows: MoverShadows, box: Box
    ) -> None:
        self._box = box
        self._root, self._shadow_map, self._shadows = root, shadow_map, shadows
        self._rain = Rain(root)

    def set_atmosphere(self, air: Atmosphere) -> None:
        """Draw in this light from now on; a sun that has moved costs one drawing of the city."""
        north, east, down = air.towards_sun
        sun = np.array((east, north, -down))
        towards_sun = (float(sun[0]), float(sun[1]), float(sun[2]))
        self._set_uniforms(air, sun)
        self._rain.set_amount(air.rain)
        self._shadows.set_sun(towards_sun, casts_shadows=air.shadow > 0.0)
        if air.shadow > 0.0:
            self._shadow_map.draw(air.sun_azimuth_deg, air.light_height_deg)

    def place_drops(self, height_px: int, phase: float) -> None:
        """Place the raindrops of the next image, of this height."""
        self._rain.place_drops(height_px, phase)

    def close(self) -> None:
        """Free the shadow map."""
        self._shadow_map.close()

    def _set_uniforms(self, air: Atmosphere, sun: NDArray[np.float64]) -> None:
        vec3, vec4, set_uniform = core.LVecBase3f, core.LVecBase4f, self._root.set_shader_input
        set_uniform("sun", vec4(*sun.tolist(), air.shadow))
        set_uniform("sunlight", vec3(*air.sun))
        set_uniform("ambient", vec3(*air.ambient))
        set_uniform("fog", vec4(*air.fog, air.fog_per_m))
        set_uniform("light_view", core.LMatrix4f(*light_view(sun, self._box).T.ravel().tolist()))
        set_uniform("sky_low", vec3(*air.sky_low))
        set_uniform("sky_high", vec3(*air.sky_high))
        set_uniform("cloud", vec4(*air.cloud, air.cloud_cover))
        set_uniform("sun_disc", vec4(*_towards_disc(air, sun), 1.0 - air.cloud_cover))
        set_uniform("glow", vec4(*_WINDOW_LIGHT, air.window_light))
        wet = 1.0 - _WET_LOSS * air.wetness
        set_uniform("ground_light", vec4(wet, _sun_share(air, sun), 0.0, 0.0))


def _towards_disc(air: Atmosphere, sun: NDArray[np.float64]) -> Vec3:
    """Unit vector towards the visible disc, which sets although light keeps coming from above."""
    elevation_rad = math.radians(air.sun_elevation_deg)
    level = math.cos(elevation_rad) / max(math.hypot(sun[0], sun[1]), 1e-9)
    return float(sun[0] * level), float(sun[1] * level), math.sin(elevation_rad)


def _sun_share(air: Atmosphere, sun: NDArray[np.float64]) -> float:
    """Share of the sun in the light of level ground."""
    direct = 0.62 * float(sun[2]) * float(np.mean(air.sun))
    return direct / max(direct + 0.50 * float(np.mean(air.ambient)), 1e-6)
