"""The simulated world as one object: city, people, cars, vehicle, autopilot, cameras and time.

Nothing here knows threads, sockets or the wall clock. `step` is the only thing that makes time
pass, so the same calls in the same order always give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from followme_uav.errors import ConfigError
from followme_uav.messages import CameraPose, Quaternion, Vec3
from followme_uav.sim.agents.people import MAX_PEOPLE, PEOPLE, Crowd, Person
from followme_uav.sim.agents.routes import Hero, HeroMode, Outfit, Walker
from followme_uav.sim.agents.traffic import CARS, Traffic
from followme_uav.sim.city.atmosphere import Atmosphere
from followme_uav.sim.city.environment import Environment
from followme_uav.sim.city.layout import Car
from followme_uav.sim.city.obstacles import ClearanceField
from followme_uav.sim.city.patterns import same
from followme_uav.sim.city.rays import RayField
from followme_uav.sim.city.spawned import SpawnedObject, SpawnedObjects
from followme_uav.sim.city.world import City, make_city
from followme_uav.sim.names import VEHICLE_NAME
from followme_uav.sim.rendering.objects import drawn_names
from followme_uav.sim.time_steps import WholeSteps
from followme_uav.sim.vehicle.autopilot import Autopilot
from followme_uav.sim.vehicle.camera_rig import SCENE, CameraRig, Mounted
from followme_uav.sim.vehicle.equipment import Equipment
from followme_uav.sim.vehicle.tasks import PERIOD_NS, TaskRunner
from followme_uav.sim.vehicle.vehicle import TIME_STEP_NS, Vehicle

EPOCH_NS = 1_700_000_000_000_000_000
"""Time stamp of the start; fixed, so that equal flights have equal time stamps."""
PEOPLE_PERIOD_NS = 50_000_000
"""People and cars move so often."""

MAX_RAY_M = 1e7
"""Beyond, nothing is."""

_LANDED_HEIGHT_M = 0.05
_IN_THE_WAY_M = 4.0  # cars wait for a vehicle that is lower than this
_BERTH_M = 1.5  # and give it so much more room than a person
_PEOPLE_STEPS = PEOPLE_PERIOD_NS // TIME_STEP_NS
_GIMBAL_STEPS = PERIOD_NS // TIME_STEP_NS


class RenderedImages(Protocol):
    """What a renderer returns. All arrays have the first row on top."""

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """(height, width, 3)."""

    @property
    def object_id(self) -> NDArray[np.integer[Any]]:
        """(height, width), indices into the renderer's `object_names`."""

    @property
    def depth_m(self) -> NDArray[np.float32]:
        """(height, width), along the optical axis."""


class Renderer(Protocol):
    """What draws the city. All its methods are called on the thread that made it."""

    @property
    def object_names(self) -> Sequence[str]:
        """Name of each object id."""

    def render(
        self,
        camera: CameraPose,
        width_px: int,
        height_px: int,
        people: tuple[Person, ...],
        cars: tuple[Car, ...],
    ) -> RenderedImages:
        """One image with depth and object ids; `cars` are those that drive."""

    def set_atmosphere(self, atmosphere: Atmosphere) -> None:
        """Draw in that light from now on. Called only where somebody asks for another light."""

    def set_objects(self, objects: Sequence[SpawnedObject]) -> None:
        """Draw these spawned objects from now on. Called only where somebody spawns some."""


RendererMaker = Callable[[City, int, Sequence[Outfit]], Renderer]


@dataclass(frozen=True)
class Shot:
    """One picture and everything known about the instant it was taken."""

    time_ns: int
    camera: CameraPose
    images: RenderedImages


class Simulation:
    """Everything that exists. Not thread safe; see `simulation_runner.SimulationRunner`.

    Attributes:
        equipment: what the vehicle is called and carries.
        rig: every camera; the first is on the pan-tilt mount.
        objects: what clients have spawned.
        recorder: called whenever people and cars have moved, every 50 ms; None most of the time.
        asked_time: turns the durations that clients ask for into time steps.

    Args:
        seed: of the city, the people and the cars.
        people: besides the hero.
        make_renderer: called once with the city, `people` and the walkers' outfits; None for a
            world nobody looks at.
        image_size_px: width and height of images for which the equipment names no size.
        style: name of the city's style; without it the seed draws one.
        cars: how many drive; one fewer for each lane where somebody stands in its way at the start.
        hero: a route that the hero follows, or what she does without one.
        walkers: others with routes of their own, numbered after `people`.
        equipment: what the vehicle is called and carries.

    Raises:
        ConfigError: Too many people or cars, no such style, a route that leads through something,
            or a vehicle that is called like something else.
    """

    def __init__(
        self,
        seed: int,
        people: int = PEOPLE,
        make_renderer: RendererMaker | None = None,
        image_size_px: tuple[int, int] = (160, 160),
        style: str | None = None,
        cars: int = CARS,
        hero: Hero = HeroMode.RANDOM,
        walkers: Sequence[Walker] = (),
        equipment: Equipment | None = None,
    ) -> None:
        everybody = people + len(walkers)
        if not 0 <= everybody <= MAX_PEOPLE:
            raise ConfigError(
                f"{everybody} people besides the hero: the city holds 0 to {MAX_PEOPLE}"
            )
        self.seed = seed
        self.equipment = equipment or Equipment()
        self.city = make_city(seed, style)
        name = self.equipment.vehicle_name
        if name != VEHICLE_NAME and any(same(n, name) for n in drawn_names(self.city, everybody)):
            raise ConfigError(f"vehicle '{name}': something in the city has that name; use another")
        self.crowd = Crowd(self.city, seed, people, hero, [w.route for w in walkers])
        self.traffic = Traffic(seed, cars, first_name=len(self.city.cars))
        self.traffic.reset(self.crowd.in_the_road_m)  # the vehicle needs a solid for each of them
        self.vehicle = Vehicle(self.city.colliders, everybody + 1, self.traffic.colliders())
        self.autopilot = Autopilot(self.vehicle)
        self.tasks = TaskRunner(self.vehicle, self.autopilot)
        self.rig = CameraRig(self.vehicle, self.equipment, image_size_px)
        self.environment = Environment(seed)
        self._light: Atmosphere | None = None
        self.renderer: Renderer | None = None
        if make_renderer is not None:
            self.renderer = make_renderer(self.city, people, [w.outfit for w in walkers])
        drawn = None if self.renderer is None else self.renderer.object_names
        self.objects = SpawnedObjects(self.vehicle, self._draw_objects, drawn)
        self._clearance = ClearanceField(self.city.colliders)
        self._rays = RayField(self.city.colliders)
        self.recorder: Callable[[Simulation], None] | None = None
        self.asked_time = WholeSteps(TIME_STEP_NS)
        self._shots: dict[tuple[CameraPose, tuple[int, int]], Shot] = {}
        self._latest_shot: Shot | None = None
        self.reset()

    def reset(self) -> None:
        """Back to the very start, the clock included: what follows is what followed the first time.

        The vehicle stands at the origin, armed and without API control, with the autopilot's own
        gains and the remote control off; a running task answers False. Cameras' fields of view,
        weather and spawned objects survive, as in AirSim; the sun starts again. A recording ends:
        its time stamps would come twice. Time that was asked for but is less than a step is
        forgotten.
        """
        self.tasks.reset()
        self.crowd.reset()
        self.traffic.reset(self.crowd.in_the_road_m)
        self.vehicle.reset()
        self.autopilot.reset(landed=True)
        self.rig.reset()
        self._place_movers()
        self._steps = 0
        self.asked_time.clear()
        self.recorder = None
        self.environment.restart_time_of_day(self.time_ns)
        self.changed()
        self._latest_shot = None

    @property
    def time_ns(self) -> int:
        """Now, in nanoseconds since 1970; a multiple of the time step after `EPOCH_NS`."""
        return EPOCH_NS + self._steps * TIME_STEP_NS

    def step(self, steps: int = 1) -> None:
        """Let `steps` times 5 ms pass."""
        vehicle, autopilot, tasks = self.vehicle, self.autopilot, self.tasks
        for _ in range(steps):
            tasks.step()
            self._steps += 1
            vehicle.step(autopilot.update(), self.time_ns)
            if self._steps % _GIMBAL_STEPS == 0:
                self.rig.gimbal.step(PERIOD_NS * 1e-9)
            if self._steps % _PEOPLE_STEPS == 0:
                self._move_movers()
                if self.recorder is not None:
                    self.changed()
                    self.recorder(self)
        tasks.take_turn()
        self.changed()

    def changed(self) -> None:
        """Something that a camera may see is no longer as it was."""
        self._shots.clear()

    def place_vehicle(self, position_m: Vec3, yaw_rad: float) -> None:
        """Put the vehicle somewhere, armed and hovering; a running task answers False."""
        self.tasks.cancel()
        self.vehicle.place(position_m, yaw_rad)
        self.autopilot.reset(landed=False)
        self.changed()

    def place_person(self, index: int, position_m: Vec3, heading_rad: float) -> None:
        """Put a person somewhere, on the ground there; from there she walks on."""
        self.crowd.place(index, position_m[0], position_m[1], heading_rad)
        self._place_movers()
        self.changed()

    def set_motion(
        self,
        position_m: Vec3,
        orientation: Quaternion,
        velocity_mps: Vec3 = (0.0, 0.0, 0.0),
        rates_radps: Vec3 = (0.0, 0.0, 0.0),
    ) -> None:
        """Put the vehicle somewhere, moving so; arming and a running task stay as they are.

        The lowest place is standing on the ground.
        """
        north, east, down = position_m
        standing = self.vehicle.start_m[2]
        self.vehicle.set_motion(
            (north, east, min(down, standing)), orientation, velocity_mps, rates_radps
        )
        on_ground = down > standing - _LANDED_HEIGHT_M
        self.autopilot.moved(landed=self.autopilot.landed and on_ground)
        self.changed()

    @property
    def cameras(self) -> tuple[Mounted, ...]:
        """Every camera, by number."""
        return self.rig.mounted

    def shot(self, camera: int = 0, image_type: int = SCENE) -> Shot:
        """The picture as of now; taken once per instant, however often it is asked for.

        Args:
            camera: number of the camera that takes it.
            image_type: what it is taken for; size and field of view may depend on that.

        Raises:
            RuntimeError: There is no renderer.
        """
        key = pose, size_px = (
            self.rig.pose(camera, image_type),
            self.rig.size_px(camera, image_type),
        )
        if key not in self._shots:
            if self.renderer is None:
                raise RuntimeError("this simulation has no renderer")
            self.light_up()
            picture = self.renderer.render(pose, *size_px, self.crowd.people, self.traffic.cars)
            self._shots[key] = Shot(self.time_ns, pose, picture)
        shot = self._shots[key]
        if camera == 0 and key == (self.rig.pose(0), self.rig.size_px(0)):
            self._latest_shot = shot
        return shot

    def light_up(self) -> None:
        """Let the renderer draw in the light of now."""
        light = self.environment.atmosphere(self.time_ns)
        if light is not None and light != self._light and self.renderer is not None:
            self.renderer.set_atmosphere(light)
            self._light = light

    @property
    def latest_shot(self) -> Shot | None:
        """The last picture of the first camera since the start or reset."""
        return self._latest_shot

    def clearance_m(self, point_m: Vec3 | None = None) -> float:
        """From a point, or the vehicle's centre, to the nearest obstacle, person or car."""
        point_m = point_m or self.vehicle.position_m
        return min(
            self._clearance.clearance_m(point_m, self._feet_m(), self.traffic.colliders()),
            self.objects.clearance_m(point_m),
        )

    def ray_m(self, start_m: Vec3, direction: Vec3, *, movers: bool = True) -> float:
        """Along a unit vector, to the first thing, person or the ground; inf without any.

        Args:
            start_m: where the ray begins.
            direction: unit vector.
            movers: whether people and driving cars count.
        """
        feet_m, cars = (self._feet_m(), self.traffic.colliders()) if movers else ([], [])
        distance_m = self._rays.distance_m(start_m, direction, feet_m, cars)
        return min(distance_m, self._object_ray_m(start_m, direction))

    def sees(self, start_m: Vec3, end_m: Vec3) -> bool:
        """Whether nothing is between two points."""
        if not self._rays.sees(start_m, end_m, self._feet_m(), self.traffic.colliders()):
            return False
        length_m = math.dist(start_m, end_m)
        if length_m < 1e-6:
            return True
        n, e, d = ((b - a) / length_m for a, b in zip(start_m, end_m, strict=True))
        return self._object_ray_m(start_m, (n, e, d)) > length_m - 1e-3

    def _object_ray_m(self, start_m: Vec3, direction: Vec3) -> float:
        """As `ray_m`, to spawned objects alone."""
        if not len(self.objects):
            return math.inf
        direction_1 = np.array([direction])
        distance_m, _ = self.vehicle.cast(start_m, direction_1, MAX_RAY_M, objects_only=True)
        return float(distance_m[0])

    def _draw_objects(self, objects: Sequence[SpawnedObject]) -> None:
        if self.renderer is not None:
            self.renderer.set_objects(objects)
        self.changed()

    def _feet_m(self) -> list[Vec3]:
        return [person.position_m for person in self.crowd.people if person.present]

    def _move_movers(self) -> None:
        """Let people walk and cars drive for one of their periods."""
        dt_s = PEOPLE_PERIOD_NS * 1e-9
        self.crowd.advance(dt_s, self.traffic)
        in_the_road_m = self.crowd.in_the_road_m
        north, east, down = self.vehicle.position_m
        if down > -_IN_THE_WAY_M:
            berth_m = (-_BERTH_M, 0.0, _BERTH_M)
            in_the_road_m += [(north + n, east + e) for n in berth_m for e in berth_m]
        self.traffic.advance(dt_s, in_the_road_m, self.crowd.crosswalks_in_use)
        self._place_movers()

    def _place_movers(self) -> None:
        self.vehicle.move_people(self.crowd.feet_m)
        self.vehicle.move_cars(self.traffic.poses)
