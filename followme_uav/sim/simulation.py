"""The simulated world as one object: city, people, cars, vehicle, autopilot, cameras and time.

It uses no threads, no sockets and no wall clock. Only `step` advances the time, so the same calls
in the same order always give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from followme_uav.errors import ConfigError
from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.agents.people import MAX_PEOPLE, PEOPLE, Crowd
from followme_uav.sim.agents.routes import Hero, HeroMode, Walker
from followme_uav.sim.agents.traffic import CARS
from followme_uav.sim.agents.traffic_of import traffic_of
from followme_uav.sim.city.environment import Environment
from followme_uav.sim.city.patterns import same
from followme_uav.sim.city.place import Place
from followme_uav.sim.city.spawned import SpawnedObject, SpawnedObjects
from followme_uav.sim.city.world import make_city
from followme_uav.sim.names import VEHICLE_NAME
from followme_uav.sim.obstacle_queries import ObstacleQueries
from followme_uav.sim.pose import Pose
from followme_uav.sim.rendering.objects import drawn_names
from followme_uav.sim.shots import RenderedImages, Renderer, RendererMaker, Shot, ShotCache
from followme_uav.sim.stopwatch import Stopwatch
from followme_uav.sim.time_steps import WholeSteps
from followme_uav.sim.vehicle.camera_rig import SCENE, CameraRig, Mounted
from followme_uav.sim.vehicle.equipment import Equipment
from followme_uav.sim.vehicle.flight_controller import make_controller
from followme_uav.sim.vehicle.manoeuvre_sets import manoeuvres_by
from followme_uav.sim.vehicle.tasks import PERIOD_NS, TaskRunner
from followme_uav.sim.vehicle.vehicle import TIME_STEP_NS, Vehicle
from followme_uav.sim.vehicle.vehicle_spec import VehicleSpec, load_vehicle

__all__ = ["EPOCH_NS", "RenderedImages", "Renderer", "RendererMaker", "Shot", "Simulation"]

EPOCH_NS = 1_700_000_000_000_000_000
"""Time stamp of the start; constant, so that equal flights have equal time stamps."""
PEOPLE_PERIOD_NS = 50_000_000
"""Time step of people and cars."""

_LANDED_HEIGHT_M = 0.05
_IN_THE_WAY_M = 4.0  # cars wait for a vehicle below this height
_AMONG_PEOPLE_M = 2.2  # people walk around a vehicle below this height
_VEHICLE_MARGIN_M = 1.5  # cars keep this much more distance from it than from a person
_PEOPLE_STEPS = PEOPLE_PERIOD_NS // TIME_STEP_NS
_GIMBAL_STEPS = PERIOD_NS // TIME_STEP_NS


class Simulation:
    """Everything that is simulated. Not thread-safe; see `simulation_runner.SimulationRunner`.

    Attributes:
        equipment: name and sensors of the vehicle.
        rig: all cameras; the first is on the pan-tilt mount.
        manoeuvres: the manoeuvres of the vehicle.
        objects: the objects that clients have spawned.
        recorder: called after each step of people and cars, every 50 ms; None without a recording.
        asked_time: converts the durations that clients ask for to time steps.

    Args:
        seed: of the city, the people and the cars.
        people: number of people besides the hero.
        make_renderer: called once with the city, `people` and the walkers' outfits; None for a
            simulation without images.
        image_size_px: width and height of images for which the equipment names no size.
        style: name of the city's style; None: the seed draws one.
        cars: number of driving cars; one fewer for each lane that a person blocks at the start.
        hero: a route that the hero follows, or what the hero does without one.
        walkers: further people with routes, numbered after `people`.
        equipment: name and sensors of the vehicle.
        vehicle: its airframe, autopilot and rules; None: those of the default vehicle.
        place: the surroundings; None: the city of the seed and the style.

    Raises:
        ConfigError: Too many people or cars, an unknown style, a route that leads through
            something, or a vehicle with the name of another object.
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
        vehicle: VehicleSpec | None = None,
        place: Place | None = None,
    ) -> None:
        everybody = people + len(walkers)
        if not 0 <= everybody <= MAX_PEOPLE:
            raise ConfigError(
                f"{everybody} people besides the hero: the city holds 0 to {MAX_PEOPLE}"
            )
        self.seed = seed
        self.stopwatch = Stopwatch()
        self.equipment = equipment or Equipment()
        self.city: Place = place or make_city(seed, style)
        name = self.equipment.vehicle_name
        if name != VEHICLE_NAME and any(same(n, name) for n in drawn_names(self.city, everybody)):
            raise ConfigError(f"vehicle '{name}': something in the city has that name; use another")
        self.crowd = Crowd(self.city, seed, people, hero, [w.route for w in walkers])
        self.traffic = traffic_of(self.city, seed, cars)
        self.traffic.reset(self.crowd.in_the_road_m)  # the vehicle needs a solid for each car
        spec = vehicle or load_vehicle()
        self.vehicle = Vehicle(
            self.city.colliders,
            everybody + 1,
            self.traffic.colliders(),
            start_m=self.city.start_m,
            airframe=spec.airframe,
            floor_m=self.city.floor_height_m(*self.city.start_m),
            terrain=self.city.terrain,
        )
        self.autopilot = make_controller(self.vehicle, spec.controller)
        self.manoeuvres = manoeuvres_by(spec.tasks)
        self.tasks = TaskRunner(
            self.vehicle, self.autopilot, like_airsim=spec.tasks.rules == "airsim"
        )
        self.rig = CameraRig(self.vehicle, self.equipment, image_size_px)
        self.environment = Environment(seed)
        self.renderer: Renderer | None = None
        if make_renderer is not None:
            self.renderer = make_renderer(self.city, people, [w.outfit for w in walkers])
        self._shots = ShotCache(self.renderer)
        drawn = None if self.renderer is None else self.renderer.object_names
        self.objects = SpawnedObjects(self.vehicle, self._draw_objects, drawn)
        self._obstacles = ObstacleQueries(
            self.city, self.crowd, self.traffic, self.vehicle, self.objects
        )
        self.recorder: Callable[[Simulation], None] | None = None
        self.asked_time = WholeSteps(TIME_STEP_NS)
        self.reset()

    def reset(self) -> None:
        """Return to the start, time included; the same calls then give the same bytes again.

        The vehicle stands at the start, armed and without API control, with the autopilot's
        default gains and the remote control off; a running task answers False. Fields of view,
        weather and spawned objects survive, as in AirSim; the time of day starts again. A recording
        ends, because its time stamps would repeat. A rest of asked time shorter than a step is
        dropped.
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
        self._shots.latest = None

    @property
    def time_ns(self) -> int:
        """The time in nanoseconds since 1970: `EPOCH_NS` and a whole number of time steps."""
        return EPOCH_NS + self._steps * TIME_STEP_NS

    def step(self, steps: int = 1) -> None:
        """Advance by `steps` time steps of 5 ms."""
        with self.stopwatch.measure("vehicle"):
            self._step(steps)

    def _step(self, steps: int) -> None:
        vehicle, autopilot, tasks = self.vehicle, self.autopilot, self.tasks
        for _ in range(steps):
            tasks.step()
            self._steps += 1
            vehicle.step(autopilot.update(), self.time_ns)
            if self._steps % _GIMBAL_STEPS == 0:
                self.rig.gimbal.step(PERIOD_NS * 1e-9)
            if self._steps % _PEOPLE_STEPS == 0:
                with self.stopwatch.measure("people and cars"):
                    self._move_movers()
                if self.recorder is not None:
                    self.changed()
                    self.recorder(self)
        tasks.take_turn()
        self.changed()

    def changed(self) -> None:
        """Drop the shots of the present instant: the view has changed."""
        self._shots.clear()

    def place_vehicle(self, position_m: Vec3, yaw_rad: float) -> None:
        """Put the vehicle at a place, armed and hovering; a running task answers False."""
        self.tasks.cancel()
        self.vehicle.place(position_m, yaw_rad)
        self.autopilot.reset(landed=False)
        self.changed()

    def place_person(self, index: int, position_m: Vec3, heading_rad: float) -> None:
        """Put a person on the ground at a place; from there that person walks on."""
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
        """Set pose and motion of the vehicle; arming and a running task stay as they are.

        A position below the ground becomes standing on it.
        """
        north, east, down = self.above_ground(position_m)
        self.vehicle.set_motion((north, east, down), orientation, velocity_mps, rates_radps)
        on_ground = down > self._standing_down_m(north, east) - _LANDED_HEIGHT_M
        self.autopilot.moved(landed=self.autopilot.landed and on_ground)
        self.changed()

    def above_ground(self, position_m: Vec3) -> Vec3:
        """A position of the vehicle; one below the ground becomes standing on it."""
        north, east, down = position_m
        return north, east, min(down, self._standing_down_m(north, east))

    def _standing_down_m(self, north_m: float, east_m: float) -> float:
        """The z of the vehicle's centre where it stands on the ground."""
        floor_m = self.city.floor_height_m(north_m, east_m)
        return -floor_m - self.vehicle.airframe.half_size_m[2]

    @property
    def cameras(self) -> tuple[Mounted, ...]:
        """All cameras, by number."""
        return self.rig.mounted

    def shot(self, camera: int = 0, image_type: int = SCENE) -> Shot:
        """The images of one camera as of now; rendered at most once per instant.

        Args:
            camera: number of the camera.
            image_type: type of the image; size and field of view may depend on it.

        Raises:
            RuntimeError: There is no renderer.
        """
        pose, size_px = self.rig.pose(camera, image_type), self.rig.size_px(camera, image_type)
        seen = None
        if self.rig.is_external(camera):
            seen = Pose(self.vehicle.position_m, self.vehicle.orientation)
        shot = self._shots.find(pose, size_px, seen)
        if shot is None:
            self.light_up()
            people, cars = self.crowd.people, self.traffic.cars
            with self.stopwatch.measure("drawing"):
                shot = self._shots.take(self.time_ns, pose, size_px, people, cars, seen)
        if camera == 0 and (pose, size_px) == (self.rig.pose(0), self.rig.size_px(0)):
            self._shots.latest = shot
        return shot

    def light_up(self) -> None:
        """Set the renderer to the light of now."""
        self._shots.set_light(self.environment.atmosphere(self.time_ns))

    @property
    def latest_shot(self) -> Shot | None:
        """The last shot of the first camera since the start or reset."""
        return self._shots.latest

    def clearance_m(self, point_m: Vec3 | None = None) -> float:
        """Distance from a point, or the vehicle's centre, to the nearest solid, person or car."""
        return self._obstacles.clearance_m(point_m or self.vehicle.position_m)

    def ray_m(self, start_m: Vec3, direction: Vec3, *, movers: bool = True) -> float:
        """As `ObstacleQueries.ray_m`."""
        return self._obstacles.ray_m(start_m, direction, movers=movers)

    def sees(self, start_m: Vec3, end_m: Vec3) -> bool:
        """As `ObstacleQueries.sees`."""
        return self._obstacles.sees(start_m, end_m)

    def _draw_objects(self, objects: Sequence[SpawnedObject]) -> None:
        if self.renderer is not None:
            self.renderer.set_objects(objects)
        self.changed()

    def _move_movers(self) -> None:
        """Advance people and cars by one of their time steps."""
        dt_s = PEOPLE_PERIOD_NS * 1e-9
        north, east, down = self.vehicle.position_m
        floor_m = self.city.floor_height_m(north, east)
        height_m = -down - floor_m
        is_low = height_m < _AMONG_PEOPLE_M
        self.crowd.advance(dt_s, self.traffic, (north, east, floor_m) if is_low else None)
        in_the_road_m = self.crowd.in_the_road_m
        if height_m < _IN_THE_WAY_M:
            margin_m = (-_VEHICLE_MARGIN_M, 0.0, _VEHICLE_MARGIN_M)
            in_the_road_m += [(north + n, east + e, floor_m) for n in margin_m for e in margin_m]
        self.traffic.advance(dt_s, in_the_road_m, self.crowd.crosswalks_in_use)
        self._place_movers()

    def _place_movers(self) -> None:
        self.vehicle.move_people(self.crowd.feet_m)
        self.vehicle.move_cars(self.traffic.poses, self.traffic.middles_m)
