"""The light in the renderer: uniforms of the atmosphere, the sun's shadow map, shadows of movers.

What stands is drawn once from the sun into a shadow map, whenever the sun has moved. What moves
casts a flat soft silhouette on the ground, which costs next to nothing per frame.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from panda3d import core

from followme_uav.errors import EnvironmentSetupError
from followme_uav.messages import Vec3
from followme_uav.sim.city.atmosphere import Atmosphere
from followme_uav.sim.city.layout import EXTENT_M, Car
from followme_uav.sim.rendering import shaders
from followme_uav.sim.rendering.panda import uniform_array

SHADOW_MAP_PX = 2048
"""Side of the shadow map: about 0.17 m on the ground."""
TALLEST_M = 40.0
EYE_MASK = core.BitMask32.bit(0)
"""Cameras with this bit make pictures."""
STANDING_MASK = core.BitMask32.bit(1)
"""Cameras with this bit see only what casts shadows into the map."""
PERSON_STANCE = (0.20, 0.09)
"""Half width of the body and of the legs' spread, in metres."""
ROUND_STANCE = 2.0
"""A spread above 1 stands for a thing without legs."""

_WINDOW_LIGHT = (1.0, 0.80, 0.48)


class Lighting:
    """Light and shadows below one root node.

    Args:
        root: everything drawn is below it.
        statures: (height in metres, width, 1 being slim) of everybody who can cast a shadow.
        others: how many other movers can; they come after the people.
        make_buffer: makes the off-screen buffer of the shadow map.
    """

    def __init__(
        self,
        engine: core.GraphicsEngine,
        pipe: core.GraphicsPipe,
        host: core.GraphicsOutput,
        root: core.NodePath,
        statures: Sequence[tuple[float, float]],
        others: int,
    ) -> None:
        self._engine, self._root = engine, root
        self._map = _depth_texture()
        self._buffer = _shadow_buffer(engine, pipe, host, self._map)
        self._sun_drawn: tuple[float, float] | None = None
        casters = len(statures) + others
        self._node = _silhouettes(root, casters)
        self._casters = uniform_array(self._node, "casters", casters)
        self._stance = uniform_array(self._node, "stance", casters)
        self._heights_m = np.array([height_m for height_m, _ in statures])
        for i, (_, width) in enumerate(statures):
            self._stance[i, :2] = PERSON_STANCE[0] * width, PERSON_STANCE[1]
        self._add_camera()
        self._veil = _rain(root)
        root.set_shader_input("shades", self._map)

    def set_atmosphere(self, air: Atmosphere) -> None:
        """From now on everything is drawn in that light."""
        north, east, down = air.towards_sun
        sun = np.array((east, north, -down))
        self._sun = sun.tolist()
        view = _light_matrix(sun)
        root = self._root
        root.set_shader_input("sun", core.LVecBase4f(*sun.tolist(), air.shadow))
        root.set_shader_input("sunlight", core.LVecBase3f(*air.sun))
        root.set_shader_input("ambient", core.LVecBase3f(*air.ambient))
        root.set_shader_input("fog", core.LVecBase4f(*air.fog, air.fog_per_m))
        root.set_shader_input("light_view", core.LMatrix4f(*view.T.ravel().tolist()))
        root.set_shader_input("sky_low", core.LVecBase3f(*air.sky_low))
        root.set_shader_input("sky_high", core.LVecBase3f(*air.sky_high))
        root.set_shader_input("cloud", core.LVecBase4f(*air.cloud, air.cloud_cover))
        elevation = math.radians(air.sun_elevation_deg)
        flat = math.cos(elevation) / max(math.hypot(sun[0], sun[1]), 1e-9)
        disc = (sun[0] * flat, sun[1] * flat, math.sin(elevation), 1.0 - air.cloud_cover)
        root.set_shader_input("disc", core.LVecBase4f(*(float(v) for v in disc)))
        root.set_shader_input("glow", core.LVecBase4f(*_WINDOW_LIGHT, air.window_light))
        direct = 0.62 * float(sun[2]) * float(np.mean(air.sun))
        share = direct / max(direct + 0.50 * float(np.mean(air.ambient)), 1e-6)
        dark = 1.0 - 0.35 * air.wetness
        root.set_shader_input("wet", core.LVecBase4f(dark, share, 0.0, 0.0))
        self._rain = air.rain
        if air.rain > 0.0:
            self._veil.show()
        else:
            self._veil.hide()
        if air.shadow > 0.0:
            self._draw_map((air.sun_azimuth_deg, air.light_height_deg))
            self._node.show()
        else:
            self._node.hide()

    def let_fall(self, height_px: int, phase: float) -> None:
        """Where the drops are in the next picture: any change of `phase` moves them."""
        if self._rain > 0.0:
            self._veil.set_shader_input(
                "veil", core.LVecBase4f(height_px, phase % 16.0, self._rain, 0.0)
            )

    def place_people(self, feet_m: Sequence[Vec3]) -> None:
        """Let the first of the people stand there, world NED; those who are nowhere have NaN."""
        self._casters[: len(self._heights_m)] = 0.0
        if not feet_m:
            return
        feet = np.array(feet_m)
        there = np.flatnonzero(~np.isnan(feet[:, 0]))
        self._casters[there, :3] = feet[there][:, [1, 0, 2]] * (1.0, 1.0, -1.0)
        self._casters[there, 3] = self._heights_m[there]

    def place_caster(
        self,
        i: int,
        ground: tuple[float, float, float],
        height_m: float,
        half_m: float,
        legs_m: float,
    ) -> None:
        """Let mover `i` stand at (x, y, z) in Panda3D's axes; height 0 takes its shadow away."""
        self._casters[i] = *ground, height_m
        self._stance[i, :2] = half_m, legs_m

    def place_car(self, i: int, car: Car) -> None:
        """Let mover `i` be a car: what it shades is about an ellipse, away from the sun."""
        sun, c, s = self._sun, math.cos(car.yaw_rad), math.sin(car.yaw_rad)
        level = max(math.hypot(sun[0], sun[1]), 1e-6)
        away = (-sun[0] / level, -sun[1] / level)  # x east, y north
        along, across = abs(away[0] * s + away[1] * c), abs(away[0] * c - away[1] * s)
        depth_m = along * car.length_m + across * car.width_m
        wide_m = across * car.length_m + along * car.width_m
        steep = max(float(sun[2]), 0.05)
        reach_m = depth_m + min(car.height_m * level / steep, 3.0 * car.height_m)
        start = (car.east_m - 0.5 * depth_m * away[0], car.north_m - 0.5 * depth_m * away[1])
        self.place_caster(
            i, (*start, 0.0), reach_m * max(steep / level, 1.0 / 3.0), 0.6 * wide_m, ROUND_STANCE
        )

    def close(self) -> None:
        """Free the buffer."""
        self._engine.remove_window(self._buffer)

    def _add_camera(self) -> None:
        # The shader places vertices itself; the lens only has to leave nothing out.
        lens = core.OrthographicLens()
        lens.set_film_size(4000.0, 4000.0)
        lens.set_near_far(-2000.0, 2000.0)
        eye = core.Camera("sun", lens)
        eye.set_camera_mask(STANDING_MASK)
        program = core.Shader.make(core.Shader.SL_GLSL, *shaders.CAST)
        state = core.RenderState.make(core.ShaderAttrib.make(program, 100))
        eye.set_initial_state(
            state.add_attrib(core.CullFaceAttrib.make(core.CullFaceAttrib.M_cull_none), 100)
        )
        self._buffer.make_display_region().set_camera(self._root.attach_new_node(eye))

    def _draw_map(self, sun: tuple[float, float]) -> None:
        if sun == self._sun_drawn:
            return
        others = [w for w in self._engine.get_windows() if w.is_active() and w != self._buffer]
        for other in others:
            other.set_active(False)
        self._buffer.set_active(True)
        self._engine.render_frame()
        self._buffer.set_active(False)
        for other in others:
            other.set_active(True)
        self._sun_drawn = sun


def _light_matrix(sun: NDArray[np.float64]) -> NDArray[np.float64]:
    """(4, 4) from the world (x east, y north, z up, 1) to the clip space of the shadow map.

    Seen from the sun, the city's box just fills it; depth grows away from the sun.
    """
    right = np.array((-sun[1], sun[0], 0.0))
    right /= max(float(np.linalg.norm(right)), 1e-9)
    if not right.any():
        right = np.array((1.0, 0.0, 0.0))
    axes = np.stack((right, np.cross(sun, right), -sun))
    side = EXTENT_M + 4.0
    corners = np.array(
        [(x, y, z) for x in (-side, side) for y in (-side, side) for z in (-2.0, TALLEST_M)]
    )
    seen = corners @ axes.T
    low, high = seen.min(axis=0), seen.max(axis=0)
    matrix = np.eye(4)
    matrix[:3, :3] = axes * (2.0 / (high - low))[:, None]
    matrix[:3, 3] = -(high + low) / (high - low)
    return matrix


def _depth_texture() -> core.Texture:
    texture = core.Texture("shades")
    texture.setup_2d_texture(
        SHADOW_MAP_PX, SHADOW_MAP_PX, core.Texture.T_unsigned_int, core.Texture.F_depth_component24
    )
    texture.set_minfilter(core.SamplerState.FT_shadow)
    texture.set_magfilter(core.SamplerState.FT_shadow)
    texture.set_wrap_u(core.SamplerState.WM_border_color)
    texture.set_wrap_v(core.SamplerState.WM_border_color)
    texture.set_border_color(core.LVecBase4f(1, 1, 1, 1))
    return texture


def _shadow_buffer(
    engine: core.GraphicsEngine,
    pipe: core.GraphicsPipe,
    host: core.GraphicsOutput,
    texture: core.Texture,
) -> core.GraphicsOutput:
    properties = core.FrameBufferProperties()
    properties.set_depth_bits(24)
    size = core.WindowProperties.size(SHADOW_MAP_PX, SHADOW_MAP_PX)
    buffer = engine.make_output(
        pipe,
        "shades",
        -5,
        properties,
        size,
        core.GraphicsPipe.BF_refuse_window,
        host.get_gsg(),
        host,
    )
    if buffer is None:
        raise EnvironmentSetupError(
            "this OpenGL has no depth buffer that shadows could be drawn to"
        )
    buffer.add_render_texture(
        texture, core.GraphicsOutput.RTM_bind_or_copy, core.GraphicsOutput.RTP_depth
    )
    buffer.set_active(False)
    return buffer


def _rain(root: core.NodePath) -> core.NodePath:
    """One triangle over the whole picture."""
    data = core.GeomVertexData("rain", core.GeomVertexFormat.get_v3(), core.Geom.UH_static)
    writer = core.GeomVertexWriter(data, core.InternalName.get_vertex())
    for x, y in ((-1.0, -1.0), (3.0, -1.0), (-1.0, 3.0)):
        writer.add_data3(x, y, 0.0)
    faces = core.GeomTriangles(core.Geom.UH_static)
    faces.add_vertices(0, 1, 2)
    node = _overlay(root, "rain", data, faces, shaders.VEIL, sort=30)
    node.set_depth_test(False)
    return node


def _silhouettes(root: core.NodePath, casters: int) -> core.NodePath:
    """One square per mover; the vertex shader lays it on the ground."""
    layout = core.GeomVertexFormat.get_v3()
    data = core.GeomVertexData("silhouettes", layout, core.Geom.UH_static)
    writer = core.GeomVertexWriter(data, core.InternalName.get_vertex())
    faces = core.GeomTriangles(core.Geom.UH_static)
    for i in range(casters):
        for along, across in ((0.0, -1.0), (1.0, -1.0), (1.0, 1.0), (0.0, 1.0)):
            writer.add_data3(along, across, float(i))
        faces.add_vertices(4 * i, 4 * i + 1, 4 * i + 2)
        faces.add_vertices(4 * i, 4 * i + 2, 4 * i + 3)
    return _overlay(root, "silhouettes", data, faces, shaders.caster_shader(casters), sort=15)


def _overlay(
    root: core.NodePath,
    name: str,
    data: core.GeomVertexData,
    faces: core.GeomTriangles,
    program: tuple[str, str],
    sort: int,
) -> core.NodePath:
    """Something blended into the colours, and into nothing else."""
    geom = core.Geom(data)
    geom.add_primitive(faces)
    made = core.GeomNode(name)
    made.add_geom(geom)
    made.set_bounds(core.OmniBoundingVolume())
    made.set_final(True)
    node = root.attach_new_node(made)
    node.set_shader(core.Shader.make(core.Shader.SL_GLSL, vertex=program[0], fragment=program[1]))
    node.set_two_sided(True)
    node.set_depth_write(False)
    # What comes + what is * (1 - alpha of what comes): see `shaders`.
    blend = core.ColorBlendAttrib
    node.set_attrib(blend.make(blend.M_add, blend.O_one, blend.O_one_minus_incoming_alpha))
    write = core.ColorWriteAttrib
    node.set_attrib(write.make(write.C_red | write.C_green | write.C_blue))
    node.set_bin("fixed", sort)
    node.hide(STANDING_MASK)
    return node
