"""Mission state -> Guidance: one behaviour for each state."""

from __future__ import annotations

import math
from collections.abc import Callable

from followme_uav.config import FlightConfig
from followme_uav.geometry import yaw_of
from followme_uav.messages import Guidance, LineOfSight, LoopTerms, Manoeuvre, MissionState
from followme_uav.pilot.guidance.follow import FollowGuidance
from followme_uav.pilot.guidance.inputs import GuidanceInputs
from followme_uav.pilot.guidance.landing import LandingGuidance
from followme_uav.pilot.guidance.levels import Levels
from followme_uav.pilot.guidance.line_of_sight import line_of_sight_to
from followme_uav.pilot.guidance.search import View
from followme_uav.pilot.guidance.standstill import Standstill
from followme_uav.pilot.guidance.sweep import Sweep
from followme_uav.pilot.guidance.ways import Ways, ways_on_street_map
from followme_uav.pilot.tracking.people import People

Guided = tuple[Guidance, tuple[LoopTerms, ...]]
"""The guidance of a behaviour, and the terms of its PID loops."""


class Behaviours:
    """The behaviours of all states, and what they keep from frame to frame.

    Args:
        config: The flight's configuration.
        ways: Planner, patrol, search and landing places; None: those on the street map.
    """

    def __init__(self, config: FlightConfig, ways: Ways | None = None) -> None:
        ways = ways or ways_on_street_map(config)
        self._config = config
        self._planner, self._route, self._search_plan = ways.planner, ways.patrol, ways.search
        self._follow = FollowGuidance(config, self._planner)
        self._landing = LandingGuidance(config, ways, People(config))
        self._levels = Levels(config)
        self._sweep = Sweep()
        self._standstill = Standstill(config.limits.low_altitude_m)
        self._of_state: dict[MissionState, Callable[[GuidanceInputs], Guided]] = {
            MissionState.TAKEOFF: lambda _: (Guidance(Manoeuvre.TAKEOFF), ()),
            MissionState.PATROL: self._patrol,
            MissionState.ACQUIRE: self._follow.guide,
            MissionState.FOLLOW: self._follow.guide,
            MissionState.SEARCH: self._search,
            MissionState.LAND: self._landing.guide,
            MissionState.FAILSAFE: lambda _: (Guidance(Manoeuvre.HOVER), ()),
            MissionState.DONE: lambda _: (Guidance(Manoeuvre.HOVER), ()),
        }

    def enter(self, state: MissionState, time_s: float, *, resumes: bool = False) -> None:
        """Prepare for a new state; `resumes`: a search goes on where it was interrupted."""
        if state is MissionState.SEARCH and resumes:
            self._search_plan.resume(time_s)
        elif state is MissionState.SEARCH:
            self._sweep.restart()
            self._search_plan.begin(time_s)
        if state is MissionState.ACQUIRE:
            self._follow.restart()

    def guide(self, state: MissionState, inputs: GuidanceInputs) -> Guided:
        """The guidance of the state."""
        return self._of_state[state](inputs)

    def _patrol(self, inputs: GuidanceInputs) -> Guided:
        """Along the streets, nose first; the camera sweeps, or points at a person seen before."""
        patrol, here = self._config.patrol, inputs.position_m
        waypoint_m = self._route.waypoint(here)
        onward_mps = self._route.onward_share(here) * patrol.speed_mps
        north, east = self._planner.velocity_to(waypoint_m, here, patrol.speed_mps, onward_mps)
        if self._standstill.is_stuck(inputs, math.hypot(north, east)):
            self._route.skip()
        ahead = LineOfSight(yaw_of(inputs.frame.vehicle.orientation), self._patrol_tilt_rad)
        if inputs.noticed is not None:
            camera_m = inputs.frame.camera.position_m
            sight = line_of_sight_to(camera_m, inputs.noticed.position_m)
        else:
            period_s = patrol.sweep_period_s
            sight = self._sweep.around(ahead, patrol.sweep_pan_deg, period_s, inputs.dt_s)
        level_m = self._levels.of_patrol(waypoint_m, here) if self._route.is_on_deck else None
        return self._flying((north, east), sight, math.atan2(east, north), level_m), ()

    def _search(self, inputs: GuidanceInputs) -> Guided:
        """To the predicted position, then along the streets, the camera sweeping all around."""
        hero, here, dt_s = inputs.known_track, inputs.position_m, inputs.dt_s
        search, patrol = self._config.search, self._config.patrol
        goal = self._search_plan.goal(inputs.frame.time_s, here, hero)
        is_straight = self._planner.is_straight(goal.position_m, here)
        # Around a block, the place is not in view yet.
        speed_mps = search.speed_mps if is_straight else patrol.speed_mps
        velocity = self._planner.velocity_to(goal.position_m, here, speed_mps)
        there = line_of_sight_to(inputs.frame.camera.position_m, hero.position_m)
        sight, rise_m = there, 0.0
        heading_rad = there.azimuth_rad
        if goal.view is View.SCAN:
            sight = self._sweep.around(there, search.scan_deg, search.scan_period_s, dt_s)
        elif goal.view is View.SWEEP:
            level = LineOfSight(there.azimuth_rad, self._patrol_tilt_rad)
            sight = self._sweep.around(level, patrol.sweep_pan_deg, patrol.sweep_period_s, dt_s)
            rise_m = search.rise_m
        elif goal.view is View.ALONG:
            sight = LineOfSight(goal.azimuth_rad, self._patrol_tilt_rad)
            heading_rad = goal.azimuth_rad
        return self._flying(velocity, sight, heading_rad, self._levels.of_hero(hero), rise_m), ()

    @property
    def _patrol_tilt_rad(self) -> float:
        return math.radians(self._config.patrol.tilt_deg)

    def _flying(
        self,
        velocity_mps: tuple[float, float],
        sight: LineOfSight,
        heading_rad: float,
        level_m: float | None,
        rise_m: float = 0.0,
    ) -> Guidance:
        return Guidance(
            manoeuvre=Manoeuvre.VELOCITY,
            velocity_mps=velocity_mps,
            altitude_m=self._config.mission.altitude_m + rise_m,
            line_of_sight=sight,
            heading_rad=heading_rad,
            level_m=level_m,
        )
