"""The shadow map: depth of all static objects, as seen from the sun.

It is drawn only when the sun has moved.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray
from panda3d import core

from followme_uav.errors import EnvironmentSetupError
from followme_uav.sim.city.place import Place
from followme_uav.sim.rendering.offscreen import OffscreenContext
from followme_uav.sim.rendering.panda import SUN_MASK, shader_of
from followme_uav.sim.rendering.shaders.shadows import SHADOW_MAP

SIZE_PX = 2048
"""Side of the map; in the city of all seeds a pixel covers about 0.17 m of ground."""
TALLEST_M = 40.0
"""Objects above this height are left out."""
_NAME = "shadow_map"
_MARGIN_M = 4.0

Box = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
"""Lowest and highest x (east), y (north) and z (up)."""


class ShadowMap:
    """A depth texture that all shaders below `root` read as `shadow_map`.

    Raises:
        EnvironmentSetupError: OpenGL has no depth buffer that can be rendered to a texture.
    """

    def __init__(self, context: OffscreenContext, root: core.NodePath) -> None:
        self._context = context
        texture = _depth_texture()
        self._buffer = _depth_buffer(context, texture)
        self._drawn_for: tuple[float, float] | None = None
        camera = root.attach_new_node(_sun_camera())
        self._buffer.make_display_region().set_camera(camera)
        root.set_shader_input(_NAME, texture)

    def draw(self, sun_azimuth_deg: float, sun_elevation_deg: float) -> None:
        """Draw the map with the present uniform `light_view`, unless the sun is where it was."""
        sun = sun_azimuth_deg, sun_elevation_deg
        if sun == self._drawn_for:
            return
        engine = self._context.engine
        others = [w for w in engine.get_windows() if w.is_active() and w != self._buffer]
        for other in others:
            other.set_active(False)
        self._buffer.set_active(True)
        engine.render_frame()
        self._buffer.set_active(False)
        for other in others:
            other.set_active(True)
        self._drawn_for = sun

    def close(self) -> None:
        """Free the buffer."""
        self._context.remove(self._buffer)


def lit_box(place: Place) -> Box:
    """The part of a place in which things cast shadows."""
    south_m, west_m, north_m, east_m = place.bounds_m
    grid = np.zeros(1) if place.terrain is None else place.terrain.grid
    return (
        (west_m - _MARGIN_M, east_m + _MARGIN_M),
        (south_m - _MARGIN_M, north_m + _MARGIN_M),
        (float(grid.min()) - 2.0, float(grid.max()) + TALLEST_M),
    )


def light_view(sun: NDArray[np.float64], box: Box) -> NDArray[np.float64]:
    """(4, 4) matrix from the world (x east, y north, z up, 1) to the clip space of the map.

    The box fills the map; depth grows away from the sun.

    Args:
        sun: (3,) unit vector towards the sun, x east, y north, z up.
        box: The part of the world that the map covers.
    """
    right = np.array((-sun[1], sun[0], 0.0))
    right /= max(float(np.linalg.norm(right)), 1e-9)
    if not right.any():
        right = np.array((1.0, 0.0, 0.0))
    axes = np.stack((right, np.cross(sun, right), -sun))
    corners = np.array(list(itertools.product(*box)))
    projected = corners @ axes.T
    low, high = projected.min(axis=0), projected.max(axis=0)
    matrix = np.eye(4)
    matrix[:3, :3] = axes * (2.0 / (high - low))[:, None]
    matrix[:3, 3] = -(high + low) / (high - low)
    return matrix


def _sun_camera() -> core.Camera:
    # The vertex shader projects with `light_view`; this lens only has to cull nothing.
    lens = core.OrthographicLens()
    lens.set_film_size(4000.0, 4000.0)
    lens.set_near_far(-2000.0, 2000.0)
    camera = core.Camera("sun", lens)
    camera.set_camera_mask(SUN_MASK)
    state = core.RenderState.make(core.ShaderAttrib.make(shader_of(SHADOW_MAP), 100))
    two_sided = core.CullFaceAttrib.make(core.CullFaceAttrib.M_cull_none)
    camera.set_initial_state(state.add_attrib(two_sided, 100))
    return camera


def _depth_texture() -> core.Texture:
    texture = core.Texture(_NAME)
    texture.setup_2d_texture(
        SIZE_PX, SIZE_PX, core.Texture.T_unsigned_int, core.Texture.F_depth_component24
    )
    texture.set_minfilter(core.SamplerState.FT_shadow)
    texture.set_magfilter(core.SamplerState.FT_shadow)
    texture.set_wrap_u(core.SamplerState.WM_border_color)
    texture.set_wrap_v(core.SamplerState.WM_border_color)
    texture.set_border_color(core.LVecBase4f(1, 1, 1, 1))
    return texture


def _depth_buffer(context: OffscreenContext, texture: core.Texture) -> core.GraphicsOutput:
    properties = core.FrameBufferProperties()
    properties.set_depth_bits(24)
    buffer = context.make_buffer(_NAME, -5, properties, (SIZE_PX, SIZE_PX))
    if buffer is None:
        raise EnvironmentSetupError("this OpenGL cannot render depth to a texture, for shadows")
    buffer.add_render_texture(
        texture, core.GraphicsOutput.RTM_bind_or_copy, core.GraphicsOutput.RTP_depth
    )
    buffer.set_active(False)
    return buffer
