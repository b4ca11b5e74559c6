"""The cameras of the embedded simulator: renders city, people and cars with Panda3D, off screen.

One pass on the GPU (or on Mesa's llvmpipe) gives the colour image, the exact object number of
every pixel and the planar depth. Equal inputs give equal bytes, whatever was rendered before.

Everything outside is NED; `panda` knows Panda3D's axes (x right, y forward, z up), laid so that
Panda x is east and Panda y is north.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d import core

from followme_uav.channels import stacked
from followme_uav.errors import EnvironmentSetupError
from followme_uav.messages import CameraPose, Quaternion, RgbImage, Vec3
from followme_uav.sim.agents.people import Person
from followme_uav.sim.agents.routes import Outfit
from followme_uav.sim.agents.traffic import MAX_CARS
from followme_uav.sim.city.atmosphere import Atmosphere, day_of
from followme_uav.sim.city.colliders import car_name
from followme_uav.sim.city.layout import Car, City, ground_height_m
from followme_uav.sim.city.spawned import SpawnedObject
from followme_uav.sim.names import VEHICLE_NAME
from followme_uav.sim.rendering import shaders
from followme_uav.sim.rendering.figures import make_wardrobe
from followme_uav.sim.rendering.lighting import (
    EYE_MASK,
    ROUND_STANCE,
    STANDING_MASK,
    Lighting,
)
from followme_uav.sim.rendering.mesh import Mesh
from followme_uav.sim.rendering.objects import drawn_names
from followme_uav.sim.rendering.offscreen import REMEDY, open_host, open_pipe
from followme_uav.sim.rendering.panda import node_of, panda_matrix, shader_of
from followme_uav.sim.rendering.scene_cars import DrawnCars
from followme_uav.sim.rendering.scene_city import DrawnCity
from followme_uav.sim.rendering.scene_objects import DrawnObjects
from followme_uav.sim.rendering.scene_people import DrawnPeople
from followme_uav.sim.rendering.textures import Layer

SKY_ID = 0
GROUND_ID = 1
HERO_ID = 2
SKY_DEPTH_M = 1.0e4
"""Depth of pixels that show the sky."""
NEAR_M = 0.08
FAR_M = 1500.0


@dataclass(frozen=True)
class Pose:
    """Where a body is: world NED, and its FRD axes to NED."""

    position_m: Vec3
    orientation: Quaternion


class Rendering:
    """What a camera sees; first row on top. What nobody asks for is not worked out.

    Args:
        colour: (height, width) of four bytes, blue, green, red and the high byte of the object
            number; last row on top.
        measured: the same, the depth from its lowest byte on and the low byte of that number.
    """

    def __init__(self, colour: NDArray[np.uint32], measured: NDArray[np.uint32]) -> None:
        self._colour, self._measured = colour, measured

    @cached_property
    def rgb(self) -> RgbImage:
        """(height, width, 3) uint8."""
        pixels = self._colour[::-1].view(np.uint8).reshape(*self._colour.shape, 4)
        return stacked(pixels[..., 2], pixels[..., 1], pixels[..., 0])

    @cached_property
    def object_id(self) -> NDArray[np.uint16]:
        """(height, width), exact; index into `Scene.object_names`."""
        low, high = self._measured[::-1] >> 24, self._colour[::-1] >> 24
        return (low | high << 8).astype(np.uint16)

    @cached_property
    def depth_m(self) -> NDArray[np.float32]:
        """(height, width) along the viewing axis; `SKY_DEPTH_M` where there is only sky."""
        whole = self._measured[::-1] & 0xFFFFFF
        depth = (whole * (shaders.DEPTH_RANGE_M / 0xFFFFFF)).astype(np.float32)
        depth[self.object_id == SKY_ID] = SKY_DEPTH_M
        return depth


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
        self.object_names: tuple[str, ...] = drawn_names(city, people)
        """Name of the object behind each number in `Rendering.object_id`."""
        self.people_ids: tuple[int, ...] = tuple(range(HERO_ID + 1, HERO_ID + 1 + people))
        """Numbers of everybody but the hero, in the order of the crowd."""
        numbers = {name: number for number, name in enumerate(self.object_names)}
        self._vehicle_id = numbers[VEHICLE_NAME]
        self._engine, self._pipe = open_pipe()
        self._views: dict[tuple[int, int], _View] = {}
        self._host = open_host(self._engine, self._pipe)
        self._root = core.NodePath("city")
        self._city = DrawnCity(self._root, city, numbers)
        self._people = DrawnPeople(self._root, self._wardrobe, HERO_ID)
        self._vehicle = self._make_vehicle()
        cars = [numbers[car_name(len(city.cars) + i)] for i in range(MAX_CARS)]
        self._cars = DrawnCars(self._root, cars)
        self._objects = DrawnObjects(self._root)
        statures = [(look.height_m, look.width) for look in self._wardrobe]
        self._lighting = Lighting(
            self._engine, self._pipe, self._host, self._root, statures, others=1 + MAX_CARS
        )
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

    def set_objects(self, objects: Sequence[SpawnedObject]) -> None:
        """Draw these spawned objects from now on, each with its number in masks."""
        self._objects.place(objects)

    def class_masks(
        self, object_id: NDArray[np.integer[Any]]
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
        view.camera.set_mat(panda_matrix(camera.position_m, camera.orientation))
        half_height = math.tan(camera.fov_rad / 2) * height_px / width_px
        view.lens.set_fov(math.degrees(camera.fov_rad), math.degrees(2 * math.atan(half_height)))
        px_per_rad = 0.5 * width_px / math.tan(0.5 * camera.fov_rad)
        self._city.place(camera.position_m, px_per_rad)
        self._people.place(people, camera.position_m, px_per_rad)
        self._cars.place(cars)
        if vehicle is None:
            self._vehicle.hide()
        else:
            self._vehicle.show()
            self._vehicle.set_mat(panda_matrix(vehicle.position_m, vehicle.orientation))
        self._place_shadows(people, cars, vehicle)
        # There is no time here; people who walk and a camera that moves let the rain fall.
        moved = sum(camera.position_m) + sum(person.gait_phase_rad for person in people)
        self._lighting.let_fall(height_px, 3.0 * moved)
        self._engine.render_frame()
        # Panda3D remembers every pose and state that there was, until it is told to forget.
        core.TransformState.garbage_collect()
        core.RenderState.garbage_collect()
        view.buffer.set_active(False)  # or whoever draws a window would draw this view again
        return Rendering(
            _pixels(view.colour, height_px, width_px), _pixels(view.measured, height_px, width_px)
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
        vehicle = self._root.attach_new_node(node_of(mesh))
        vehicle.set_shader(shader_of(shaders.solid_shader(Layer.LIGHT)))
        vehicle.hide(STANDING_MASK)
        vehicle.hide()
        return vehicle

    def _place_shadows(
        self, people: tuple[Person, ...], cars: tuple[Car, ...], vehicle: Pose | None
    ) -> None:
        self._lighting.place_people([person.position_m for person in people])
        place = self._lighting.place_caster
        north, east, _ = vehicle.position_m if vehicle else (0.0, 0.0, 0.0)
        ground = (east, north, ground_height_m(north, east))
        place(len(self._wardrobe), ground, 0.5 if vehicle else 0.0, 0.4, ROUND_STANCE)
        first = len(self._wardrobe) + 1
        for i in range(MAX_CARS):
            if i < len(cars):
                self._lighting.place_car(first + i, cars[i])
            else:
                place(first + i, (0.0, 0.0, 0.0), 0.0, 0.0, 0.0)

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
                f"{REMEDY}"
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
        eye.set_camera_mask(EYE_MASK)
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


def _pixels(texture: core.Texture, height_px: int, width_px: int) -> NDArray[np.uint32]:
    """(height, width) BGRA, bottom row first, as the renderer left it; the next one overwrites."""
    data = np.frombuffer(bytes(texture.get_ram_image()), dtype="<u4")
    return data.reshape(height_px, width_px)
