"""The simulated world as one object: city, people, vehicle, autopilot, camera and time.

Nothing here knows threads, sockets or the wall clock. `step` is the only thing that makes time
pass, so the same calls in the same order always give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import CameraPose, Quaternion, Vec3
from followme_uav.sim.atmosphere import Atmosphere
from followme_uav.sim.autopilot import Autopilot
from followme_uav.sim.environment import Environment
from followme_uav.sim.gimbal import Gimbal
from followme_uav.sim.obstacles import ClearanceField
from followme_uav.sim.people import Crowd, Person
from followme_uav.sim.rays import RayField
from followme_uav.sim.tasks import PERIOD_NS, TaskRunner
from followme_uav.sim.vehicle import TIME_STEP_NS, Vehicle
from followme_uav.sim.world import City, make_city

EPOCH_NS = 1_700_000_000_000_000_000
"""Time stamp of the start; fixed, so that equal flights have equal time stamps."""
PEOPLE_PERIOD_NS = 50_000_000

_LANDED_HEIGHT_M = 0.05
_PEOPLE_STEPS = PEOPLE_PERIOD_NS // TIME_STEP_NS
_GIMBAL_STEPS = PERIOD_NS // TIME_STEP_NS


class Picture(Protocol):
    """What a renderer returns. All arrays have the first row on top."""

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """(height, width, 3)."""

    @property
    def object_id(self) -> NDArray[np.uint8]:
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
        self, camera: CameraPose, width_px: int, height_px: int, people: tuple[Person, ...]
    ) -> Picture:
        """One image with depth and object ids."""

    def set_atmosphere(self, atmosphere: Atmosphere) -> None:
        """Draw in that light from now on. Called only where somebody asks for another light."""


@dataclass(frozen=True)
class Shot:
    """One picture and everything known about the instant it was taken."""

    time_ns: int
    camera: CameraPose
    picture: Picture


class Simulation:
    """Everything that exists. Not thread safe; see `simulator.Simulator`.

    Attributes:
        recorder: called whenever the people have moved, every 50 ms; None most of the time.

    Args:
        seed: of the city and the people.
        people: besides the hero.
        make_renderer: called once with the city and `people`; None for a world nobody looks at.
        image_size_px: width and height of the images.
        style: name of the city's style; without it the seed draws one.
    """

    def __init__(
        self,
        seed: int,
        people: int = 30,
        make_renderer: Callable[[City, int], Renderer] | None = None,
        image_size_px: tuple[int, int] = (160, 160),
        style: str | None = None,
    ) -> None:
        self.seed = seed
        self.image_size_px = image_size_px
        self.city = make_city(seed, style)
        self.crowd = Crowd(self.city, seed, people)
        self.vehicle = Vehicle(self.city.colliders, len(self.crowd.people))
        self.autopilot = Autopilot(self.vehicle)
        self.tasks = TaskRunner(self.vehicle, self.autopilot)
        self.gimbal = Gimbal(self.vehicle)
        self.environment = Environment(seed)
        self._light: Atmosphere | None = None
        self.renderer = make_renderer(self.city, people) if make_renderer is not None else None
        self._clearance = ClearanceField(self.city.colliders)
        self._rays = RayField(self.city.colliders)
        self.recorder: Callable[[Simulation], None] | None = None
        self._shot: Shot | None = None
        self._shot_is_now = False
        self.reset()

    def reset(self) -> None:
        """Back to the very start, the clock included: what follows is what followed the first time.

        The vehicle stands at the origin, disarmed and without API control, with the autopilot's own
        gains and the remote control off; a running task answers False. Camera field of view and
        weather survive, being settings; the sun starts again. A recording ends: its time stamps
        would come twice.
        """
        self.tasks.reset()
        self.crowd.reset()
        self.vehicle.reset()
        self.autopilot.reset(landed=True)
        self.gimbal.reset()
        self._place_people()
        self._steps = 0
        self.recorder = None
        self.environment.restart_clock(self.time_ns)
        self.changed()
        self._shot = None

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
                self.gimbal.step(PERIOD_NS * 1e-9)
            if self._steps % _PEOPLE_STEPS == 0:
                self.crowd.advance(PEOPLE_PERIOD_NS * 1e-9)
                self._place_people()
                if self.recorder is not None:
                    self.changed()
                    self.recorder(self)
        tasks.take_turn()
        self._shot_is_now = False

    def changed(self) -> None:
        """Something that the camera may see has been changed between steps."""
        self._shot_is_now = False

    def place_vehicle(self, position_m: Vec3, yaw_rad: float) -> None:
        """Put the vehicle somewhere, armed and hovering; a running task answers False."""
        self.tasks.cancel()
        self.vehicle.place(position_m, yaw_rad)
        self.autopilot.reset(landed=False)
        self.changed()

    def place_person(self, index: int, position_m: Vec3, heading_rad: float) -> None:
        """Put a person somewhere, on the ground there; from there she walks on."""
        self.crowd.place(index, position_m[0], position_m[1], heading_rad)
        self._place_people()
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

    def shot(self) -> Shot:
        """The picture as of now; taken once per instant, however often it is asked for.

        Raises:
            RuntimeError: There is no renderer.
        """
        if self._shot is None or not self._shot_is_now:
            if self.renderer is None:
                raise RuntimeError("this simulation has no renderer")
            self.light_up()
            camera = self.gimbal.camera()
            picture = self.renderer.render(camera, *self.image_size_px, self.crowd.people)
            self._shot = Shot(self.time_ns, camera, picture)
            self._shot_is_now = True
        return self._shot

    def light_up(self) -> None:
        """Let the renderer draw in the light of now."""
        light = self.environment.atmosphere(self.time_ns)
        if light is not None and light != self._light and self.renderer is not None:
            self.renderer.set_atmosphere(light)
            self._light = light

    @property
    def latest_shot(self) -> Shot | None:
        """The last picture taken since the start or reset."""
        return self._shot

    def clearance_m(self, point_m: Vec3 | None = None) -> float:
        """From a point, or the vehicle's centre, to the nearest obstacle or person."""
        return self._clearance.clearance_m(point_m or self.vehicle.position_m, self._feet_m())

    def ray_m(self, start_m: Vec3, direction: Vec3, *, people: bool = True) -> float:
        """Along a unit vector, to the first obstacle, person or the ground; inf without any."""
        return self._rays.distance_m(start_m, direction, self._feet_m() if people else [])

    def sees(self, start_m: Vec3, end_m: Vec3) -> bool:
        """Whether nothing is between two points."""
        return self._rays.sees(start_m, end_m, self._feet_m())

    def _feet_m(self) -> list[Vec3]:
        return [person.position_m for person in self.crowd.people]

    def _place_people(self) -> None:
        self.vehicle.move_people(self._feet_m())
