"""Mission state -> Command: how vehicle and camera move in each state."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from followme_uav.config import FlightConfig
from followme_uav.geometry import turned_on, yaw_of
from followme_uav.messages import (
    Command,
    Frame,
    LoopTerms,
    Manoeuvre,
    MissionState,
    Observation,
    Quaternion,
    Vec3,
)
from followme_uav.pilot.control import (
    LineOfSight,
    Loops,
    VelocityLimiter,
    heading_velocity,
    pan_of,
)
from followme_uav.pilot.keep_clear import Surroundings
from followme_uav.pilot.keep_in import is_free, limit_velocity, nearest_place
from followme_uav.pilot.patrol import Patrol
from followme_uav.pilot.search import Look, Search
from followme_uav.pilot.tracker import HeroTrack

Vec2 = tuple[float, float]


@dataclass(frozen=True)
class View:
    """What a state's behaviour can see."""

    frame: Frame
    altitude_m: float
    observation: Observation | None
    hero: HeroTrack | None
    """The belief about her at the frame's time."""
    dt_s: float

    @property
    def here(self) -> Vec2:
        """The vehicle's place, north and east."""
        return self.frame.vehicle.position_m[0], self.frame.vehicle.position_m[1]


class Steering:
    """Turns state, observation and belief into one command a frame."""

    def __init__(self, config: FlightConfig) -> None:
        self._config = config
        self._loops = Loops(config.control)
        self._limiter = VelocityLimiter(config.limits)
        self._patrol = Patrol(config.simulator.patrol_waypoints_m, config.patrol.waypoint_radius_m)
        self._hunt = Search(config)
        self._surroundings = Surroundings(config.limits)
        self._swept = 0.0
        """Periods of the sweep so far. It goes on after an interruption where it was: begun anew
        each time, it never came to the side where she stood."""
        self._states: dict[MissionState, Callable[[View], Command]] = {
            MissionState.TAKEOFF: self._take_off,
            MissionState.PATROL: self._fly_round,
            MissionState.ACQUIRE: self._close_in,
            MissionState.FOLLOW: self._close_in,
            MissionState.SEARCH: self._search,
            MissionState.LAND: self._land,
            MissionState.FAILSAFE: self._hover,
            MissionState.DONE: self._hover,
        }

    def enter(self, state: MissionState, view: View) -> None:
        """Prepare for a new state."""
        if state is MissionState.PATROL:
            self._patrol.resume(view.here, self._config.simulator.flyable_m)
        if state is MissionState.SEARCH:
            self._swept = 0.0
            self._hunt.begin(view.frame.time_s)
        if state is MissionState.ACQUIRE:
            self._loops.reset_following()
        if state is MissionState.FAILSAFE:
            self._limiter.reset()

    def command(self, state: MissionState, view: View) -> tuple[Command, tuple[LoopTerms, ...]]:
        """What to do in `state`, and what the PID loops had to do with it."""
        self._surroundings.see(view.frame)
        return self._states[state](view), self._loops.take_terms()

    # Each of these is one state's behaviour.

    def _take_off(self, view: View) -> Command:
        return self._stand(Manoeuvre.TAKEOFF)

    def _hover(self, view: View) -> Command:
        return self._stand(Manoeuvre.HOVER)

    def _fly_round(self, view: View) -> Command:
        """Along the streets, nose first, the camera sweeping from side to side."""
        body = view.frame.vehicle.orientation
        course_rad, distance_m = _course(view.here, self._patrol.waypoint(view.here))
        speed_mps = min(self._config.patrol.speed_mps, distance_m)
        turn_to = LineOfSight(course_rad, 0.0)
        return self._fly(
            view,
            velocity_mps=heading_velocity(speed_mps, course_rad),
            sight=self._sweep(
                view,
                LineOfSight(yaw_of(body), self._tilt_rad),
                self._config.patrol.sweep_pan_deg,
                self._config.patrol.sweep_period_s,
            ),
            nose=turn_to,
        )

    def _close_in(self, view: View) -> Command:
        """Keep her in the middle of the image and at the wanted distance."""
        hero = _known(view.hero)
        camera_m = view.frame.camera.position_m
        distance_m = math.dist(camera_m, hero.position_m)
        course_rad, ground_m = _course(view.here, hero.ground_m)
        approach_mps = self._loops.approach_mps(distance_m, view.dt_s)
        if ground_m < self._config.control.min_distance_m:
            approach_mps = min(approach_mps, 0.0)
        sight = self._sight_of_her(view, hero)
        share = self._config.control.feed_forward
        along = share * hero.velocity_mps[0], share * hero.velocity_mps[1]
        if self._is_around_a_corner(view, hero.ground_m):
            # Her own course would press the vehicle against the edge of the streets.
            speed_mps = max(approach_mps, 0.0) + math.hypot(*along)
            return self._fly(
                view, self._on_the_way(view, hero.ground_m, speed_mps), sight, nose=sight
            )
        if approach_mps > 0.0:
            north, east = self._on_the_way(view, hero.ground_m, approach_mps)
        else:
            north, east = heading_velocity(approach_mps, course_rad)
        return self._fly(view, (north + along[0], east + along[1]), sight, nose=sight)

    def _sight_of_her(self, view: View, hero: HeroTrack) -> LineOfSight:
        """To the blob's centroid, or where she should be; turned on as both will move meanwhile."""
        camera = view.frame.camera
        expected = LineOfSight.towards(camera.position_m, hero.position_m)
        sight = expected
        if view.observation is not None:
            sight = self._loops.centre(camera, view.observation, view.dt_s)
        then = LineOfSight.towards(
            _moved(camera.position_m, view.frame.vehicle.velocity_mps, view.dt_s),
            _moved(hero.position_m, (*hero.velocity_mps, 0.0), view.dt_s),
        )
        return sight.turned(expected, then)

    def _search(self, view: View) -> Command:
        """Look where she should be, then all around on the way along the streets."""
        hero = _known(view.hero)
        goal = self._hunt.goal(view.frame.time_s, view.here, hero)
        velocity = self._on_the_way(view, goal.spot_m, self._config.search.speed_mps)
        there = LineOfSight.towards(view.frame.camera.position_m, hero.position_m)
        search, patrol = self._config.search, self._config.patrol
        if goal.look is Look.THERE:
            return self._fly(view, velocity, there, nose=there)
        if goal.look is Look.TO_BOTH_SIDES:
            sight = self._sweep(view, there, search.glance_deg, search.glance_period_s)
            return self._fly(view, velocity, sight, nose=there)
        level = LineOfSight(there.azimuth_rad, self._tilt_rad)
        sight = self._sweep(view, level, patrol.sweep_pan_deg, patrol.sweep_period_s)
        return self._fly(view, velocity, sight, nose=there, rise_m=search.rise_m)

    def _land(self, view: View) -> Command:
        """Fly to the middle of the street, sink, and let the simulator touch down."""
        mission, patrol = self._config.mission, self._config.patrol
        if view.altitude_m <= mission.touchdown_altitude_m:
            return self._stand(Manoeuvre.LAND)
        spot_m = self._patrol.nearest_on_route(view.here, mission.landing_off_waypoint_m)
        _, distance_m = _course(view.here, spot_m)
        velocity = self._on_the_way(view, spot_m, patrol.speed_mps)
        is_over_spot = distance_m <= patrol.waypoint_radius_m / 2.0
        return replace(
            self._stand(Manoeuvre.VELOCITY),
            velocity_mps=(
                *self._limit(view, velocity),
                mission.descent_mps if is_over_spot else 0.0,
            ),
        )

    # What they share.

    def _on_the_way(self, view: View, goal_m: Vec2, speed_mps: float) -> Vec2:
        """Velocity towards the goal, perhaps around a block, slower over the last metres."""
        flyable_m = self._config.simulator.flyable_m
        spot_m = self._patrol.way_to(goal_m, view.here, flyable_m)
        course_rad, distance_m = _course(view.here, spot_m)
        if spot_m == nearest_place(flyable_m, goal_m, view.here):
            speed_mps = min(speed_mps, distance_m)
        return heading_velocity(speed_mps, course_rad)

    def _is_around_a_corner(self, view: View, goal_m: Vec2) -> bool:
        """Whether the way there is not a straight one."""
        flyable_m = self._config.simulator.flyable_m
        return not is_free(flyable_m, view.here, nearest_place(flyable_m, goal_m, view.here))

    @property
    def _tilt_rad(self) -> float:
        return math.radians(self._config.patrol.tilt_deg)

    def _sweep(
        self, view: View, middle: LineOfSight, to_side_deg: float, period_s: float
    ) -> LineOfSight:
        """From side to side around `middle`, at a steady rate."""
        self._swept += view.dt_s / period_s
        triangle = 2.0 / math.pi * math.asin(math.sin(2.0 * math.pi * self._swept))
        swing_rad = math.radians(to_side_deg) * triangle
        return LineOfSight(middle.azimuth_rad + swing_rad, middle.elevation_rad)

    def _stand(self, manoeuvre: Manoeuvre) -> Command:
        return Command(
            manoeuvre=manoeuvre,
            velocity_mps=(0.0, 0.0, 0.0),
            yaw_rate_radps=0.0,
            camera_pan_rad=0.0,
            camera_tilt_rad=self._tilt_rad,
        )

    def _fly(
        self,
        view: View,
        velocity_mps: Vec2,
        sight: LineOfSight,
        nose: LineOfSight,
        rise_m: float = 0.0,
    ) -> Command:
        """Fly `rise_m` above cruising height, within limits, the nose turning towards `nose`."""
        body = view.frame.vehicle.orientation
        limits = self._config.limits
        wanted_m = self._config.mission.altitude_m + rise_m
        wanted_m = min(max(wanted_m, limits.min_altitude_m), limits.max_altitude_m)
        if view.altitude_m < limits.min_altitude_m - limits.sink_m:
            velocity_mps = (0.0, 0.0)  # parked cars and people are down here: up first
        north, east = self._limit(view, velocity_mps)
        pan_rad, tilt_rad = sight.pan_tilt(self._body_at_next_frame(view))
        return Command(
            manoeuvre=Manoeuvre.VELOCITY,
            velocity_mps=(
                north,
                east,
                -self._loops.climb_mps(view.altitude_m, wanted_m, view.dt_s),
            ),
            yaw_rate_radps=self._loops.yaw_rate_radps(pan_of(nose, body), view.dt_s),
            camera_pan_rad=pan_rad,
            camera_tilt_rad=tilt_rad,
        )

    def _body_at_next_frame(self, view: View) -> Quaternion:
        """How the vehicle will lean when the camera, which turns with it, takes the next image."""
        vehicle = view.frame.vehicle
        if self._config.simulator.camera_pose_frame == "world":
            return vehicle.orientation  # the simulator itself keeps the camera's direction
        return turned_on(vehicle.orientation, vehicle.angular_velocity_radps, view.dt_s)

    def _limit(self, view: View, velocity_mps: Vec2) -> Vec2:
        """Smooth first, safe last."""
        limits = self._config.limits
        smooth = self._limiter.limit(velocity_mps, view.dt_s)
        fence_m = limits.geofence_m
        area_m = self._config.simulator.flyable_m or ((-fence_m, -fence_m, fence_m, fence_m),)
        inside = limit_velocity(view.here, smooth, area_m, limits)
        safe = self._surroundings.limit(view.here, inside)
        self._limiter.reset(safe)
        return safe


def _known(hero: HeroTrack | None) -> HeroTrack:
    if hero is None:
        raise ValueError("a hero who was never seen can be neither followed nor searched for")
    return hero


def _moved(place_m: Vec3, velocity_mps: Vec3, time_s: float) -> Vec3:
    north, east, down = (p + time_s * v for p, v in zip(place_m, velocity_mps, strict=True))
    return north, east, down


def _course(here: Vec2, there: Vec2) -> tuple[float, float]:
    """(direction in radians from north, distance in metres)."""
    north, east = there[0] - here[0], there[1] - here[1]
    return math.atan2(east, north), math.hypot(north, east)
