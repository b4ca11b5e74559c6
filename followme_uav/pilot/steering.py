"""Mission state -> Command: how vehicle and camera move in each state."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from followme_uav.config import FlightConfig
from followme_uav.geometry import yaw_of
from followme_uav.messages import Command, LoopTerms, Manoeuvre, MissionState, Vec3
from followme_uav.pilot.control import LineOfSight, heading_velocity
from followme_uav.pilot.helm import Helm, View, course
from followme_uav.pilot.search import Look, Search
from followme_uav.pilot.tracker import HeroTrack


class Steering:
    """Turns state, observation and belief into one command a frame."""

    def __init__(self, config: FlightConfig) -> None:
        self._config = config
        self._aspect = config.camera.width_px / config.camera.height_px
        self._helm = Helm(config)
        self._hunt = Search(config)
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
        if state is MissionState.SEARCH:
            self._swept = 0.0
            self._hunt.begin(view.frame.time_s)
        if state is MissionState.ACQUIRE:
            self._helm.loops.reset_following()
        if state is MissionState.FAILSAFE:
            self._helm.stop()

    def command(self, state: MissionState, view: View) -> tuple[Command, tuple[LoopTerms, ...]]:
        """What to do in `state`, and what the PID loops had to do with it."""
        self._helm.look_out(view.frame)
        return self._states[state](view), self._helm.loops.take_terms()

    # Each of these is one state's behaviour.

    def _take_off(self, view: View) -> Command:
        return self._helm.stand(Manoeuvre.TAKEOFF)

    def _hover(self, view: View) -> Command:
        return self._helm.stand(Manoeuvre.HOVER)

    def _fly_round(self, view: View) -> Command:
        """Along the streets, nose first, the camera sweeping from side to side."""
        body = view.frame.vehicle.orientation
        waypoint_m = self._helm.patrol.waypoint(view.here)
        north, east = self._helm.on_the_way(view, waypoint_m, self._config.patrol.speed_mps)
        return self._helm.fly(
            view,
            velocity_mps=(north, east),
            sight=self._sweep(
                view,
                LineOfSight(yaw_of(body), self._tilt_rad),
                self._config.patrol.sweep_pan_deg,
                self._config.patrol.sweep_period_s,
            ),
            nose=LineOfSight(math.atan2(east, north), 0.0),
        )

    def _close_in(self, view: View) -> Command:
        """Keep her in the middle of the image and at the wanted distance."""
        hero = _known(view.hero)
        camera_m = view.frame.camera.position_m
        distance_m = math.dist(camera_m, hero.position_m)
        course_rad, ground_m = course(view.here, hero.ground_m)
        approach_mps = self._helm.loops.approach_mps(
            distance_m, view.dt_s, math.hypot(*hero.velocity_mps)
        )
        if ground_m < self._config.control.min_distance_m:
            approach_mps = min(approach_mps, 0.0)
        sight = self._sight_of_her(view, hero)
        share = self._config.control.feed_forward
        along = share * hero.velocity_mps[0], share * hero.velocity_mps[1]
        if self._helm.is_around_a_corner(view, hero.ground_m):
            # Her own course would press the vehicle against the edge of the streets.
            speed_mps = max(approach_mps, 0.0) + math.hypot(*along)
            return self._helm.fly(
                view, self._helm.on_the_way(view, hero.ground_m, speed_mps), sight, nose=sight
            )
        if approach_mps > 0.0:
            north, east = self._helm.on_the_way(view, hero.ground_m, approach_mps)
        else:
            north, east = heading_velocity(approach_mps, course_rad)
        return self._helm.fly(view, (north + along[0], east + along[1]), sight, nose=sight)

    def _sight_of_her(self, view: View, hero: HeroTrack) -> LineOfSight:
        """To the blob's centroid, or where she should be; turned on as both will move meanwhile."""
        camera = view.frame.camera
        expected = LineOfSight.towards(camera.position_m, hero.position_m)
        sight = expected
        if view.observation is not None:
            sight = self._helm.loops.centre(camera, view.observation, view.dt_s, self._aspect)
        then = LineOfSight.towards(
            _moved(camera.position_m, view.frame.vehicle.velocity_mps, view.dt_s),
            _moved(hero.position_m, (*hero.velocity_mps, 0.0), view.dt_s),
        )
        return sight.turned(expected, then)

    def _search(self, view: View) -> Command:
        """Look where she should be, then all around on the way along the streets."""
        hero = _known(view.hero)
        goal = self._hunt.goal(view.frame.time_s, view.here, hero)
        velocity = self._helm.on_the_way(view, goal.spot_m, self._config.search.speed_mps)
        there = LineOfSight.towards(view.frame.camera.position_m, hero.position_m)
        search, patrol = self._config.search, self._config.patrol
        if goal.look is Look.THERE:
            return self._helm.fly(view, velocity, there, nose=there)
        if goal.look is Look.TO_BOTH_SIDES:
            sight = self._sweep(view, there, search.glance_deg, search.glance_period_s)
            return self._helm.fly(view, velocity, sight, nose=there)
        level = LineOfSight(there.azimuth_rad, self._tilt_rad)
        sight = self._sweep(view, level, patrol.sweep_pan_deg, patrol.sweep_period_s)
        return self._helm.fly(view, velocity, sight, nose=there, rise_m=search.rise_m)

    def _land(self, view: View) -> Command:
        """Fly to the middle of the street, sink, and let the simulator touch down."""
        mission, patrol = self._config.mission, self._config.patrol
        if view.altitude_m <= mission.touchdown_altitude_m:
            return self._helm.stand(Manoeuvre.LAND)
        spot_m = self._helm.patrol.nearest_on_route(view.here, mission.landing_off_waypoint_m)
        _, distance_m = course(view.here, spot_m)
        velocity = self._helm.on_the_way(view, spot_m, patrol.speed_mps)
        is_over_spot = distance_m <= patrol.waypoint_radius_m / 2.0
        return replace(
            self._helm.stand(Manoeuvre.VELOCITY),
            velocity_mps=(
                *self._helm.limit(view, velocity),
                mission.descent_mps if is_over_spot else 0.0,
            ),
        )

    # What they share.

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


def _known(hero: HeroTrack | None) -> HeroTrack:
    if hero is None:
        raise ValueError("a hero who was never seen can be neither followed nor searched for")
    return hero


def _moved(place_m: Vec3, velocity_mps: Vec3, time_s: float) -> Vec3:
    north, east, down = (p + time_s * v for p, v in zip(place_m, velocity_mps, strict=True))
    return north, east, down
