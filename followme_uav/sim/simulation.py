"""The simulated world as one object: city, people, cars, vehicle, autopilot, cameras and time.

Nothing here knows threads, sockets or the wall clock. `step` is the only thing that makes time
pass, so the same calls in the same order always give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from followme_uav.errors import ConfigError
from followme_uav.messages import CameraPose, Quaternion, Vec3
from followme_uav.sim.atmosphere import Atmosphere
from followme_uav.sim.autopilot import Autopilot
from followme_uav.sim.body_camera import BodyCamera, body_cameras
from followme_uav.sim.environment import Environment
from followme_uav.sim.gimbal import Gimbal
from followme_uav.sim.layout import Car
from followme_uav.sim.obstacles import ClearanceField
from followme_uav.sim.people import MAX_PEOPLE, PEOPLE, Crowd, Person
from followme_uav.sim.rays import RayField
from followme_uav.sim.routes import Hero, HeroMode, Outfit, Walker
from followme_uav.sim.tasks import PERIOD_NS, TaskRunner
from followme_uav.sim.time_steps import WholeSteps
from followme_uav.sim.traffic import CARS, Traffic
from followme_uav.sim.vehicle import TIME_STEP_NS, Vehicle
from followme_uav.sim.world import City, make_city

EPOCH_NS = 1_700_000_000_000_000_000
"""Time stamp of the start; fixed, so that equal flights have equal time stamps."""
PEOPLE_PERIOD_NS = 50_000_000
"""People and cars move so often."""

_LANDED_HEIGHT_M = 0.05
_IN_THE_WAY_M = 4.0  # cars wait for a vehicle that is lower than this
_BERTH_M = 1.5  # and give it so much more room than a person
_PEOPLE_STEPS = PEOPLE_PERIOD_NS // TIME_STEP_NS
_GIMBAL_STEPS = PERIOD_NS // TIME_STEP_NS


class Picture(Protocol):
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
    ) -> Picture:
        """One image with depth and object ids; `cars` are those that drive."""

    def set_atmosphere(self, atmosphere: Atmosphere) -> None:
        """Draw in that light from now on. Called only where somebody asks for another light."""


RendererMaker = Callable[[City, int, Sequence[Outfit]], Renderer]


@dataclass(frozen=True)
class Shot:
    """One picture and everything known about the instant it was taken."""

    time_ns: int
    camera: CameraPose
    picture: Picture


class Simulation:
    """Everything that exists. Not thread safe; see `simulator.Simulator`.

    Attributes:
        cameras: of the vehicle, by number; the first is on the pan-tilt mount.
        recorder: called whenever people and cars have moved, every 50 ms; None most of the time.
        asked_time: turns the durations that clients ask for into time steps.

    Args:
        seed: of the city, the people and the cars.
        people: besides the hero.
        make_renderer: called once with the city, `people` and the walkers' outfits; None for a
            world nobody looks at.
        image_size_px: width and height of the images.
        style: name of the city's style; without it the seed draws one.
        cars: how many drive; one fewer for each lane where somebody stands in its way at the start.
        hero: a route that the hero follows, or what she does without one.
        walkers: others with routes of their own, numbered after `people`.

    Raises:
        ConfigError: Too many people or cars, no such style, or a route that leads through
            something.
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
    ) -> None:
        everybody = people + len(walkers)
        if not 0 <= everybody <= MAX_PEOPLE:
            raise ConfigError(
                f"{everybody} people besides the hero: the city holds 0 to {MAX_PEOPLE}"
            )
        self.seed = seed
        self.image_size_px = image_size_px
        self.city = make_city(seed, style)
        self.crowd = Crowd(self.city, seed, people, hero, [w.route for w in walkers])
        self.traffic = Traffic(seed, cars, first_name=len(self.city.cars))
        self.traffic.reset(self.crowd.in_the_road_m)  # the vehicle needs a solid for each of them
        self.vehicle = Vehicle(self.city.colliders, everybody + 1, self.traffic.colliders())
        self.autopilot = Autopilot(self.vehicle)
        self.tasks = TaskRunner(self.vehicle, self.autopilot)
        self._gimbal = Gimbal(self.vehicle)
        self.cameras: tuple[Gimbal | BodyCamera, ...] = (
            self._gimbal,
            *body_cameras(self.vehicle),
        )
        self.environment = Environment(seed)
        self._light: Atmosphere | None = None
        self.renderer: Renderer | None = None
        if make_renderer is not None:
            self.renderer = make_renderer(self.city, people, [w.outfit for w in walkers])
        self._clearance = ClearanceField(self.city.colliders)
        self._rays = RayField(self.city.colliders)
        self.recorder: Callable[[Simulation], None] | None = None
        self.asked_time = WholeSteps(TIME_STEP_NS)
        self._shots: dict[int, Shot] = {}
        self._latest_shot: Shot | None = None
        self.reset()

    def reset(self) -> None:
        """Back to the very start, the clock included: what follows is what followed the first time.

        The vehicle stands at the origin, armed and without API control, with the autopilot's own
        gains and the remote control off; a running task answers False. Cameras' fields of view and
        weather survive, being settings; the sun starts again. A recording ends: its time stamps
        would come twice. Time that was asked for but is less than a step is forgotten.
        """
        self.tasks.reset()
        self.crowd.reset()
        self.traffic.reset(self.crowd.in_the_road_m)
        self.vehicle.reset()
        self.autopilot.reset(landed=True)
        for camera in self.cameras:
            camera.reset()
        self._place_movers()
        self._steps = 0
        self.asked_time.clear()
        self.recorder = None
        self.environment.restart_clock(self.time_ns)
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
                self._gimbal.step(PERIOD_NS * 1e-9)
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

    def shot(self, camera: int = 0) -> Shot:
        """The picture as of now; taken once per instant, however often it is asked for.

        Args:
            camera: number of the camera that takes it.

        Raises:
            RuntimeError: There is no renderer.
        """
        if camera not in self._shots:
            if self.renderer is None:
                raise RuntimeError("this simulation has no renderer")
            self.light_up()
            pose = self.cameras[camera].camera()
            picture = self.renderer.render(
                pose, *self.image_size_px, self.crowd.people, self.traffic.cars
            )
            self._shots[camera] = Shot(self.time_ns, pose, picture)
            if camera == 0:
                self._latest_shot = self._shots[0]
        return self._shots[camera]

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
        return self._clearance.clearance_m(point_m, self._feet_m(), self.traffic.colliders())

    def ray_m(self, start_m: Vec3, direction: Vec3, *, movers: bool = True) -> float:
        """Along a unit vector, to the first thing, person or the ground; inf without any.

        Args:
            start_m: where the ray begins.
            direction: unit vector.
            movers: whether people and driving cars count.
        """
        feet_m, cars = (self._feet_m(), self.traffic.colliders()) if movers else ([], [])
        return self._rays.distance_m(start_m, direction, feet_m, cars)

    def sees(self, start_m: Vec3, end_m: Vec3) -> bool:
        """Whether nothing is between two points."""
        return self._rays.sees(start_m, end_m, self._feet_m(), self.traffic.colliders())

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
        self.traffic.advance(dt_s, in_the_road_m, self.crowd.zebras_in_use)
        self._place_movers()

    def _place_movers(self) -> None:
        self.vehicle.move_people(self.crowd.feet_m)
        self.vehicle.move_cars(self.traffic.poses)
