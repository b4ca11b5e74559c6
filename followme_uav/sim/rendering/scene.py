"""The scene of the embedded simulator: renders city, people and cars with Panda3D, off screen.

One pass on the GPU (or on Mesa's llvmpipe) gives the colour image, the exact object number of
each pixel and the planar depth. Equal inputs give equal bytes, independent of earlier images.

The interface is NED; `panda` converts to the axes of Panda3D (x right, y forward, z up), where x is
east and y is north.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from panda3d import core

from followme_uav.messages import CameraPose
from followme_uav.sim.agents.people import Person
from followme_uav.sim.agents.routes import Outfit
from followme_uav.sim.agents.traffic import MAX_CARS
from followme_uav.sim.city.arrays import Floats
from followme_uav.sim.city.atmosphere import Atmosphere, day_of
from followme_uav.sim.city.colliders import car_name
from followme_uav.sim.city.layout import Car, City, ground_height_m
from followme_uav.sim.city.place import Place
from followme_uav.sim.city.spawned import SpawnedObject
from followme_uav.sim.names import VEHICLE_NAME
from followme_uav.sim.pose import Pose
from followme_uav.sim.rendering.lighting import Lighting
from followme_uav.sim.rendering.meshes.drone import make_drone
from followme_uav.sim.rendering.meshes.wardrobe import make_wardrobe
from followme_uav.sim.rendering.mover_shadows import MoverShadows, Stature
from followme_uav.sim.rendering.objects import HERO_ID, drawn_names
from followme_uav.sim.rendering.offscreen import OffscreenContext
from followme_uav.sim.rendering.panda import SUN_MASK, node_of, panda_matrix, shader_of
from followme_uav.sim.rendering.rendered_image import Rendering
from followme_uav.sim.rendering.scene_cars import DrawnCars
from followme_uav.sim.rendering.scene_city import DrawnCity
from followme_uav.sim.rendering.scene_objects import DrawnObjects
from followme_uav.sim.rendering.scene_people import DrawnPeople
from followme_uav.sim.rendering.shaders.surfaces import SOLIDS
from followme_uav.sim.rendering.shadow_map import ShadowMap, lit_box
from followme_uav.sim.rendering.view_buffer import ViewBuffer
from followme_uav.sim.rendering.view_cone import ViewCone

_VEHICLE, _FIRST_CAR = 0, 1
"""Indices of movers that are no people, for their shadows."""


class Scene:
    """The city `city` with the hero, `people` and walkers, ready to be rendered.

    Args:
        city: The city.
        people: Number of people besides the hero; `Crowd` has the same argument.
        walkers: Outfits of the people who come after them.

    Raises:
        EnvironmentSetupError: This machine has no off-screen OpenGL 3.3.
    """

    def __init__(self, city: Place, people: int = 30, walkers: Sequence[Outfit] = ()) -> None:
        wardrobe = make_wardrobe(city.seed, people, walkers)
        others = len(wardrobe) - 1
        self.object_names: tuple[str, ...] = drawn_names(city, others)
        """Name of the object behind each number in `Rendering.object_id`."""
        self.people_ids: tuple[int, ...] = tuple(range(HERO_ID + 1, HERO_ID + 1 + others))
        """Object numbers of all people but the hero, in the order of the crowd."""
        numbers = {name: number for number, name in enumerate(self.object_names)}
        self._context = OffscreenContext()
        self._views: dict[tuple[int, int], ViewBuffer] = {}
        self._root = core.NodePath("city")
        self._city = DrawnCity(self._root, city, numbers)
        self._people = DrawnPeople(self._root, wardrobe, HERO_ID)
        self._vehicle = _add_vehicle(self._root, numbers[VEHICLE_NAME])
        cars = [numbers[car_name(city.parked_cars + i)] for i in range(MAX_CARS)]
        self._cars = DrawnCars(self._root, cars)
        self._objects = DrawnObjects(self._root)
        statures = [Stature(look.height_m, look.width) for look in wardrobe]
        self._shadows = MoverShadows(self._root, statures, others=_FIRST_CAR + MAX_CARS)
        shadow_map = ShadowMap(self._context, self._root)
        self._lighting = Lighting(self._root, shadow_map, self._shadows, lit_box(city))
        self._ground_height_m = ground_height_m if isinstance(city, City) else city.floor_height_m
        self.set_atmosphere(day_of(city.seed))

    @property
    def atmosphere(self) -> Atmosphere:
        """The present light and weather."""
        return self._atmosphere

    def set_atmosphere(self, atmosphere: Atmosphere) -> None:
        """Draw in this light from now on; masks and depth do not change.

        A sun that has moved costs one drawing of the whole city; the rest costs nothing.
        """
        self._atmosphere = atmosphere
        self._lighting.set_atmosphere(atmosphere)
        for view in self._views.values():
            view.set_background(atmosphere.fog)

    def set_objects(self, objects: Sequence[SpawnedObject]) -> None:
        """Draw these spawned objects from now on, each with its number in masks."""
        self._objects.place(objects)

    def class_masks(
        self, object_id: NDArray[np.integer[Any]]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(people, hero) masks from the object numbers of a rendering."""
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
        """Render one image with object numbers and depth.

        Args:
            camera: Pose and horizontal field of view.
            width_px: Image width.
            height_px: Image height.
            people: All people, the hero first, at most as many as the scene was made for.
            cars: Driving cars; parked ones belong to the city.
            vehicle: Drawn when given; leave it out for the vehicle's own cameras.
        """
        view = self._view(width_px, height_px)
        cone = ViewCone(camera, width_px, height_px)
        feet_m = np.array([person.position_m for person in people]).reshape(-1, 3)
        self._city.place(camera.position_m, cone.px_per_rad)
        self._people.place(people, feet_m, cone)
        self._cars.place(cars)
        self._place_vehicle(vehicle)
        self._place_shadows(feet_m, cars, vehicle)
        # A scene has no clock: the motion of people and camera makes the rain fall.
        motion = sum(camera.position_m) + sum(person.gait_phase_rad for person in people)
        self._lighting.place_drops(height_px, 3.0 * motion)
        rendering = view.render(camera)
        # Panda3D keeps the states of all poses that ever were, until it is told to forget.
        core.TransformState.garbage_collect()
        core.RenderState.garbage_collect()
        return rendering

    def close(self) -> None:
        """Free the buffers; the scene cannot be used afterwards."""
        for view in self._views.values():
            view.close()
        self._views.clear()
        self._lighting.close()
        self._context.close()

    def _view(self, width_px: int, height_px: int) -> ViewBuffer:
        size_px = width_px, height_px
        if size_px not in self._views:
            view = ViewBuffer(self._context, self._root, *size_px)
            view.set_background(self._atmosphere.fog)
            self._views[size_px] = view
        return self._views[size_px]

    def _place_vehicle(self, pose: Pose | None) -> None:
        if pose is None:
            self._vehicle.hide()
        else:
            self._vehicle.show()
            self._vehicle.set_mat(panda_matrix(pose.position_m, pose.orientation))

    def _place_shadows(self, feet_m: Floats, cars: tuple[Car, ...], vehicle: Pose | None) -> None:
        self._shadows.place_people(feet_m)
        if vehicle is None:
            self._shadows.hide(_VEHICLE, _FIRST_CAR)
        else:
            north, east, _ = vehicle.position_m
            ground = (east, north, self._ground_height_m(north, east))
            self._shadows.place_round(_VEHICLE, ground, height_m=0.5, half_m=0.4)
        for i, car in enumerate(cars):
            self._shadows.place_car(_FIRST_CAR + i, car)
        self._shadows.hide(_FIRST_CAR + len(cars), _FIRST_CAR + MAX_CARS)


def _add_vehicle(root: core.NodePath, number: int) -> core.NodePath:
    vehicle = root.attach_new_node(node_of(make_drone(number)))
    vehicle.set_shader(shader_of(SOLIDS))
    vehicle.hide(SUN_MASK)
    vehicle.hide()
    return vehicle
