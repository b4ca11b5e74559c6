"""The cameras of the embedded simulator: renders city, people and cars with Panda3D, off screen.

One pass on the GPU (or on Mesa's llvmpipe) gives the colour image, the exact object number of
every pixel and the planar depth. Equal inputs give equal bytes, whatever was rendered before.

Everything outside is NED; `_panda` and `_panda_matrix` are the only places that know Panda3D's
axes (x right, y forward, z up), laid so that Panda x is east and Panda y is north.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from panda3d import core

from followme_uav.errors import EnvironmentSetupError
from followme_uav.messages import CameraPose, Quaternion, RgbImage, Vec3
from followme_uav.sim import shaders
from followme_uav.sim.atmosphere import Atmosphere, day_of
from followme_uav.sim.city_mesh import ObjectIds, build_city
from followme_uav.sim.figures import (
    ELBOW_M,
    HIP_M,
    KNEE_M,
    MODEL_HEIGHT_M,
    SHOULDER_M,
    make_figure,
    make_wardrobe,
)
from followme_uav.sim.gait import RUNNING_MPS, swing_rad
from followme_uav.sim.layout import Car, City, ground_height_m
from followme_uav.sim.lighting import PERSON_STANCE, ROUND_STANCE, STANDING_MASK, Lighting
from followme_uav.sim.mesh import LIMB_VERTEX, Mesh
from followme_uav.sim.people import Person
from followme_uav.sim.props import add_car
from followme_uav.sim.routes import Outfit
from followme_uav.sim.styles import STYLES
from followme_uav.sim.textures import SIZE_PX, Layer, make_textures
from followme_uav.sim.traffic import MAX_CARS

SKY_ID = 0
GROUND_ID = 1
HERO_ID = 2
SKY_DEPTH_M = 1.0e4
"""Depth of pixels that show the sky."""
NEAR_M = 0.08
FAR_M = 1500.0

_FIXED = ("tree", "bush", "lamp", "planter", "car", "highway", "vehicle")


@dataclass(frozen=True)
class Pose:
    """Where a body is: world NED, and its FRD axes to NED."""

    position_m: Vec3
    orientation: Quaternion


@dataclass(frozen=True)
class Rendering:
    """What a camera sees; first row on top."""

    rgb: RgbImage
    """(height, width, 3) uint8."""
    object_id: NDArray[np.uint8]
    """(height, width), exact; index into `Scene.object_names`."""
    depth_m: NDArray[np.float32]
    """(height, width) along the viewing axis; `SKY_DEPTH_M` where there is only sky."""


@dataclass
class _View:
    """An off-screen buffer of one size, with its camera and the textures it is copied to."""

    buffer: core.GraphicsOutput
    colour: core.Texture
    measured: core.Texture
    camera: core.NodePath
    lens: core.PerspectiveLens


class Scene:
    """The city `city` with the hero, `people` and walkers, ready to be looked at.

    Args:
        city: what stands around.
        people: number of persons besides the hero (`Crowd` has the same argument).
        walkers: outfits of those who come after them.

    Raises:
        EnvironmentSetupError: no off-screen OpenGL 3.3 on this machine.
    """

    def __init__(self, city: City, people: int = 30, walkers: Sequence[Outfit] = ()) -> None:
        self._wardrobe = make_wardrobe(city.seed, people, walkers)
        people += len(walkers)
        first_fixed = HERO_ID + people + 1
        self.object_names: tuple[str, ...] = (
            "sky",
            "ground",
            "hero",
            *(f"person_{i:02d}" for i in range(1, people + 1)),
            *_FIXED,
            *(f"building_{i}" for i in range(len(city.buildings))),
        )
        """Name of the object behind each number in `Rendering.object_id`."""
        self.people_ids: tuple[int, ...] = tuple(range(HERO_ID + 1, first_fixed))
        """Numbers of everybody but the hero, in the order of the crowd."""
        number = {name: first_fixed + k for k, name in enumerate(_FIXED)}
        self._vehicle_id = number.pop("vehicle")
        self._car_id = number["car"]
        self._ids = ObjectIds(
            sky=SKY_ID, ground=GROUND_ID, first_building=first_fixed + len(_FIXED), **number
        )
        self._engine, self._pipe = _open_pipe()
        self._views: dict[tuple[int, int], _View] = {}
        self._host = _open_host(self._engine, self._pipe)
        self._root = core.NodePath("city")
        self._populate(city)
        self._gait = core.PTA_LVecBase4f.empty_array(people + 1)
        self._persons = self._make_people(people)
        self._vehicle = self._make_vehicle()
        self._cars = self._make_cars()
        casters = people + 2 + MAX_CARS
        self._lighting = Lighting(self._engine, self._pipe, self._host, self._root, casters)
        self.set_atmosphere(day_of(city.seed))

    @property
    def atmosphere(self) -> Atmosphere:
        """The light everything is drawn in."""
        return self._atmosphere

    def set_atmosphere(self, atmosphere: Atmosphere) -> None:
        """Draw everything in that light from now on; masks and depth do not change.

        A sun that has moved costs one drawing of the whole city; the rest costs nothing.
        """
        self._atmosphere = atmosphere
        self._lighting.set_atmosphere(atmosphere)
        for view in self._views.values():
            self._clear_to_fog(view)

    def class_masks(
        self, object_id: NDArray[np.uint8]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(people, hero) masks of a rendering's object numbers."""
        hero = object_id == HERO_ID
        last = self.people_ids[-1] if self.people_ids else HERO_ID
        return (object_id > HERO_ID) & (object_id <= last), hero

    def render(
        self,
        camera: CameraPose,
        width_px: int,
        height_px: int,
        people: tuple[Person, ...],
        cars: tuple[Car, ...] = (),
        vehicle: Pose | None = None,
    ) -> Rendering:
        """One image, its object numbers and its depth.

        Args:
            camera: pose and horizontal field of view.
            width_px: image width.
            height_px: image height.
            people: everybody, the hero first, at most as many as the scene was made for.
            cars: those that drive; what is parked belongs to the city.
            vehicle: drawn when given; leave it out of the vehicle's own cameras.
        """
        view = self._views.get((width_px, height_px)) or self._make_view(width_px, height_px)
        view.buffer.set_active(True)
        view.camera.set_mat(_panda_matrix(camera.position_m, camera.orientation))
        half_height = math.tan(camera.fov_rad / 2) * height_px / width_px
        view.lens.set_fov(math.degrees(camera.fov_rad), math.degrees(2 * math.atan(half_height)))
        self._sky.set_pos(view.camera.get_pos())
        self._place_people(people)
        self._place_cars(cars)
        if vehicle is None:
            self._vehicle.hide()
        else:
            self._vehicle.show()
            self._vehicle.set_mat(_panda_matrix(vehicle.position_m, vehicle.orientation))
        self._place_shadows(people, cars, vehicle)
        # There is no time here; people who walk and a camera that moves let the rain fall.
        moved = sum(camera.position_m) + sum(person.gait_phase_rad for person in people)
        self._lighting.let_fall(height_px, 3.0 * moved)
        self._engine.render_frame()
        view.buffer.set_active(False)  # or whoever draws a window would draw this view again
        colour = _pixels(view.colour, height_px, width_px)
        measured = _pixels(view.measured, height_px, width_px)
        return Rendering(
            rgb=np.ascontiguousarray(colour[::-1, :, 2::-1]),
            object_id=np.ascontiguousarray(measured[::-1, :, 3]),
            depth_m=_depth_m(measured[::-1]),
        )

    def close(self) -> None:
        """Free the buffers; the scene cannot be used afterwards."""
        for view in self._views.values():
            self._engine.remove_window(view.buffer)
        self._views.clear()
        self._lighting.close()
        if self._host is not None:
            self._engine.remove_window(self._host)
            self._host = None

    def _populate(self, city: City) -> None:
        mesh = build_city(city, self._ids)
        pictures = core.Texture("pictures")
        pictures.setup_2d_texture_array(
            SIZE_PX, SIZE_PX, len(Layer), core.Texture.T_unsigned_byte, core.Texture.F_rgba
        )
        # Panda keeps textures as BGRA, bottom row first, which is how the layers are made.
        pictures.set_ram_image(
            make_textures(city.seed, STYLES[city.style])[..., [2, 1, 0, 3]].tobytes()
        )
        pictures.set_minfilter(core.SamplerState.FT_linear_mipmap_linear)
        pictures.set_magfilter(core.SamplerState.FT_linear)
        pictures.set_wrap_u(core.SamplerState.WM_repeat)
        pictures.set_wrap_v(core.SamplerState.WM_repeat)
        self._root.set_shader_input("pictures", pictures)
        solids = self._root.attach_new_node("solids")
        solids.set_shader(_shader(shaders.solid_shader(Layer.LIGHT)))
        for at in sorted(mesh.solids):
            solids.attach_new_node(_node(mesh.solids[at]))
        # The ground comes last of the solids: most of it is hidden by then.
        ground = solids.attach_new_node(_node(mesh.ground))
        ground.set_shader(_shader(shaders.ground_shader()))
        ground.set_bin("fixed", 10)
        ground.hide(STANDING_MASK)
        leaves = self._root.attach_new_node("leaves")
        leaves.set_shader(_shader(shaders.LEAVES))
        leaves.set_two_sided(True)
        for at in sorted(mesh.leaves):
            leaves.attach_new_node(_node(mesh.leaves[at]))
        self._sky = self._root.attach_new_node(_node(mesh.sky))
        self._sky.set_shader(_shader(shaders.SKY))
        self._sky.set_bin("fixed", 20)
        self._sky.set_two_sided(True)
        self._sky.hide(STANDING_MASK)

    def _make_people(self, people: int) -> list[core.NodePath]:
        crowd = self._root.attach_new_node("people")
        program = shaders.person_shader(people + 1, HERO_ID, HIP_M, KNEE_M, SHOULDER_M, ELBOW_M)
        crowd.set_shader(_shader(program))
        crowd.hide(STANDING_MASK)
        crowd.set_shader_input("gait", self._gait)
        self._crowd_node = crowd
        nodes = []
        for i, look in enumerate(self._wardrobe):
            node = _node(make_figure(look, HERO_ID + i))
            # The vertex shader moves limbs, so the bounds leave room for a long stride.
            node.set_bounds(core.BoundingSphere(core.Point3(0, 0, 0.9), 1.4))
            node.set_final(True)
            person = crowd.attach_new_node(node)
            person.set_scale(look.height_m / MODEL_HEIGHT_M)
            nodes.append(person)
        return nodes

    def _make_vehicle(self) -> core.NodePath:
        mesh = Mesh()
        body, arm = (0.92, 0.92, 0.94), (0.20, 0.20, 0.22)
        mesh.box((0, 0, 0), (0.16, 0.09, 0.05), Layer.PLAIN, body, self._vehicle_id, bottom=True)
        for yaw in (math.pi / 4, -math.pi / 4):
            size = (0.30, 0.02, 0.015)
            mesh.box((0, 0, 0), size, Layer.PLAIN, arm, self._vehicle_id, yaw, bottom=True)
            for end in (-0.3, 0.3):
                n, e = end * math.cos(yaw), end * math.sin(yaw)
                rotor = [(n, e, 0.05, 0.13, 0.13), (n, e, 0.06, 0.13, 0.13)]
                mesh.loft(rotor, Layer.PLAIN, arm, self._vehicle_id, sides=12)
        vehicle = self._root.attach_new_node(_node(mesh))
        vehicle.set_shader(_shader(shaders.solid_shader(Layer.LIGHT)))
        vehicle.hide(STANDING_MASK)
        vehicle.hide()
        return vehicle

    def _place_people(self, people: tuple[Person, ...]) -> None:
        for i, (person, node) in enumerate(zip(people, self._persons, strict=False)):
            if not person.present:
                node.hide()
                continue
            north, east, down = person.position_m
            node.set_pos(east, north, -down)
            node.set_h(-math.degrees(person.heading_rad))
            node.show()
            speed = person.speed_mps
            running = min(1.0, max(0.0, (speed - RUNNING_MPS) / 0.9))
            gait = core.LVecBase4f(person.gait_phase_rad, swing_rad(speed), running, 0.0)
            self._gait.set_element(i, gait)
        for node in self._persons[len(people) :]:
            node.hide()
        self._crowd_node.set_shader_input("gait", self._gait)

    def _make_cars(self) -> core.NodePath:
        cars = self._root.attach_new_node("cars")
        cars.set_shader(_shader(shaders.solid_shader(Layer.LIGHT)))
        cars.hide(STANDING_MASK)
        self._car_bodies: dict[Car, core.GeomNode] = {}
        return cars

    def _place_cars(self, cars: tuple[Car, ...]) -> None:
        """Cars that look alike share their geometry."""
        for i, car in enumerate(cars):
            look = replace(car, north_m=0.0, east_m=0.0, yaw_rad=0.0)
            body = self._car_bodies.get(look)
            if body is None:
                mesh = Mesh()
                add_car(mesh, look, self._car_id)
                body = self._car_bodies[look] = _node(mesh)
            if i == self._cars.get_num_children():
                self._cars.attach_new_node("car")
            node = self._cars.get_child(i)
            if node.get_num_children() == 0 or node.get_child(0).node() != body:
                node.get_children().detach()
                node.attach_new_node(body)
            node.set_pos(car.east_m, car.north_m, 0.0)
            node.set_h(-math.degrees(car.yaw_rad))
            node.show()
        for i in range(len(cars), self._cars.get_num_children()):
            self._cars.get_child(i).hide()

    def _place_shadows(
        self, people: tuple[Person, ...], cars: tuple[Car, ...], vehicle: Pose | None
    ) -> None:
        place = self._lighting.place_caster
        for i, look in enumerate(self._wardrobe):
            if i < len(people) and people[i].present:
                north, east, down = people[i].position_m
                place(
                    i,
                    (east, north, -down),
                    look.height_m,
                    PERSON_STANCE[0] * look.width,
                    PERSON_STANCE[1],
                )
            else:
                place(i, (0.0, 0.0, 0.0), 0.0, 0.0, 0.0)
        north, east, _ = vehicle.position_m if vehicle else (0.0, 0.0, 0.0)
        ground = (east, north, ground_height_m(north, east))
        place(len(self._wardrobe), ground, 0.5 if vehicle else 0.0, 0.4, ROUND_STANCE)
        first = len(self._wardrobe) + 1
        for i in range(MAX_CARS):
            if i < len(cars):
                self._lighting.place_car(first + i, cars[i])
            else:
                place(first + i, (0.0, 0.0, 0.0), 0.0, 0.0, 0.0)
        self._lighting.show_casters()

    def _make_view(self, width_px: int, height_px: int) -> _View:
        properties = core.FrameBufferProperties()
        properties.set_rgba_bits(8, 8, 8, 8)
        properties.set_depth_bits(24)
        properties.set_aux_rgba(1)
        buffer = self._engine.make_output(
            self._pipe,
            f"view {width_px}x{height_px}",
            0,
            properties,
            core.WindowProperties.size(width_px, height_px),
            core.GraphicsPipe.BF_refuse_window,
            self._host.get_gsg(),
            self._host,
        )
        if buffer is None:
            raise EnvironmentSetupError(
                f"no off-screen buffer of {width_px}x{height_px} px with two colour planes; "
                f"{_REMEDY}"
            )
        colour, measured = core.Texture("colour"), core.Texture("measured")
        mode = core.GraphicsOutput.RTM_copy_ram
        buffer.add_render_texture(colour, mode, core.GraphicsOutput.RTP_color)
        buffer.add_render_texture(measured, mode, core.GraphicsOutput.RTP_aux_rgba_0)
        buffer.set_clear_active(core.GraphicsOutput.RTP_aux_rgba_0, True)
        buffer.set_clear_value(core.GraphicsOutput.RTP_aux_rgba_0, core.LVecBase4f(1, 1, 1, 0))
        lens = core.PerspectiveLens()
        lens.set_near_far(NEAR_M, FAR_M)
        eye = core.Camera("camera", lens)
        eye.set_camera_mask(core.BitMask32.bit(0))
        camera = self._root.attach_new_node(eye)
        region = buffer.make_display_region()
        region.set_camera(camera)
        view = _View(buffer, colour, measured, camera, lens)
        self._views[width_px, height_px] = view
        self._clear_to_fog(view)
        return view

    def _clear_to_fog(self, view: _View) -> None:
        """Hairline gaps between surfaces must not stand out against the haze."""
        view.buffer.set_clear_color(core.LVecBase4f(*self._atmosphere.fog, 0.0))


_REMEDY = "install OpenGL without a screen: apt-get install libegl1 libgl1-mesa-dri libgles2"
_PIPE = "p3headlessgl"
_CONFIGURED = False


def _open_pipe() -> tuple[core.GraphicsEngine, core.GraphicsPipe]:
    """The process-wide engine, and an off-screen (EGL) pipe."""
    global _CONFIGURED
    if not _CONFIGURED:
        settings = (
            "window-type offscreen",
            "gl-version 3 3",
            "sync-video false",
            "audio-library-name null",
            "notify-level error",
            "notify-level-display fatal",
            "notify-level-egldisplay fatal",
            "textures-power-2 none",
            "gl-coordinate-system default",
            "allow-incomplete-render false",
        )
        core.load_prc_file_data("followme-uav", "\n".join(settings))
        os.environ.setdefault("EGL_LOG_LEVEL", "fatal")
        _CONFIGURED = True
    pipe = core.GraphicsPipeSelection.get_global_ptr().make_module_pipe(_PIPE)
    if pipe is None:
        raise EnvironmentSetupError(f"no off-screen OpenGL (EGL) on this machine; {_REMEDY}")
    return core.GraphicsEngine.get_global_ptr(), pipe


def _open_host(engine: core.GraphicsEngine, pipe: core.GraphicsPipe) -> core.GraphicsOutput:
    """A small buffer that owns the OpenGL context."""
    properties = core.FrameBufferProperties()
    properties.set_rgba_bits(8, 8, 8, 8)
    properties.set_depth_bits(24)
    size = core.WindowProperties.size(16, 16)
    host = engine.make_output(
        pipe, "host", -10, properties, size, core.GraphicsPipe.BF_refuse_window
    )
    if host is None or host.get_gsg() is None:
        raise EnvironmentSetupError(f"OpenGL cannot open an off-screen buffer; {_REMEDY}")
    engine.open_windows()
    gsg = host.get_gsg()
    if (gsg.get_driver_version_major(), gsg.get_driver_version_minor()) < (3, 3):
        raise EnvironmentSetupError(
            f"OpenGL {gsg.get_driver_version()} is too old, 3.3 is needed; {_REMEDY}"
        )
    if "llvmpipe" in gsg.get_driver_renderer() and "tensorflow" in sys.modules:
        raise EnvironmentSetupError(
            "Mesa's software renderer and TensorFlow crash in one process (two versions of LLVM); "
            "run the simulator in a process of its own: 'followme-uav sim'"
        )
    host.set_active(False)
    return host


def _shader(program: tuple[str, str]) -> core.Shader:
    return core.Shader.make(core.Shader.SL_GLSL, vertex=program[0], fragment=program[1])


def _panda(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """NED to Panda3D's x east, y north, z up."""
    return points[:, [1, 0, 2]] * np.array([1.0, 1.0, -1.0], dtype=np.float32)


def _panda_matrix(position_m: Vec3, orientation: Quaternion) -> core.LMatrix4f:
    """Matrix of a node at an NED pose: its x axis points right, y forward, z up."""
    w, x, y, z = orientation
    norm = math.sqrt(w * w + x * x + y * y + z * z)
    w, x, y, z = w / norm, x / norm, y / norm, z / norm
    forward = (1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y))
    right = (2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x))
    down = (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y))
    rows = []
    for axis, sign in ((right, 1.0), (forward, 1.0), (down, -1.0)):
        rows += [sign * axis[1], sign * axis[0], -sign * axis[2], 0.0]
    return core.LMatrix4f(*rows, position_m[1], position_m[0], -position_m[2], 1.0)


def _node(mesh: Mesh) -> core.GeomNode:
    """A mesh as one Geom."""
    vertices, triangles = mesh.vertices, mesh.triangles
    vertices = vertices.copy()
    vertices["position"] = _panda(vertices["position"])
    vertices["normal"] = _panda(vertices["normal"])
    array = core.GeomVertexArrayFormat()
    array.add_column(core.InternalName.get_vertex(), 3, core.Geom.NT_float32, core.Geom.C_point)
    array.add_column(core.InternalName.get_normal(), 3, core.Geom.NT_float32, core.Geom.C_normal)
    array.add_column(core.InternalName.make("uvl"), 3, core.Geom.NT_float32, core.Geom.C_other)
    array.add_column(core.InternalName.make("tint"), 4, core.Geom.NT_uint8, core.Geom.C_color)
    if mesh.dtype == LIMB_VERTEX:
        array.add_column(core.InternalName.make("limb"), 1, core.Geom.NT_float32, core.Geom.C_other)
    layout = core.GeomVertexFormat.register_format(core.GeomVertexFormat(array))
    data = core.GeomVertexData("mesh", layout, core.Geom.UH_static)
    data.unclean_set_num_rows(len(vertices))
    memoryview(data.modify_array(0)).cast("B")[:] = vertices.tobytes()
    faces = core.GeomTriangles(core.Geom.UH_static)
    faces.set_index_type(core.Geom.NT_uint32)
    indices = faces.modify_vertices()
    indices.unclean_set_num_rows(len(triangles))
    memoryview(indices).cast("B")[:] = triangles.astype(np.uint32).tobytes()
    faces.set_vertices(indices)
    geom = core.Geom(data)
    geom.add_primitive(faces)
    node = core.GeomNode("mesh")
    node.add_geom(geom)
    return node


def _pixels(texture: core.Texture, height_px: int, width_px: int) -> NDArray[np.uint8]:
    """(height, width, 4) BGRA, bottom row first, as the renderer left it."""
    data = np.frombuffer(texture.get_ram_image(), dtype=np.uint8)
    return data.reshape(height_px, width_px, 4)


def _depth_m(measured: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Planar depth from the three bytes the shader wrote (BGR: low, middle, high)."""
    code = measured[..., :3].astype(np.uint32)
    whole = (code[..., 2] << 16) | (code[..., 1] << 8) | code[..., 0]
    depth = (whole * (shaders.DEPTH_RANGE_M / 0xFFFFFF)).astype(np.float32)
    depth[measured[..., 3] == SKY_ID] = SKY_DEPTH_M
    return depth
