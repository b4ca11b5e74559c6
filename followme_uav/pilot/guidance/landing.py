"""LAND: fly to a place off the people, sink there, and go elsewhere if it is taken after all.

The camera looks at the place. People are known from the masks of the last seconds, other things
from the depth image, which shows them when the vehicle has come down to a metre above them.
"""

from __future__ import annotations

import math

import numpy as np

from followme_uav.config import FlightConfig
from followme_uav.geometry import yaw_of
from followme_uav.messages import Guidance, LineOfSight, LoopTerms, Manoeuvre, Vec2
from followme_uav.pilot.guidance.inputs import GuidanceInputs
from followme_uav.pilot.guidance.line_of_sight import line_of_sight_of, line_of_sight_to
from followme_uav.pilot.guidance.standstill import Standstill
from followme_uav.pilot.guidance.ways import Ways
from followme_uav.pilot.tracking.people import MEMORY_S, People

OFF_PEOPLE_M = 5.0
"""Distance from people when a place is chosen: from the middle of a street, that of pavements."""
TAKEN_SHARE = 0.6
"""A chosen place is given up when a person comes nearer than this share of that distance."""
LEAST_OFF_PEOPLE_M = 3.0
"""The distance at the end: in a crowd no place may be better."""
CHOOSY_SHARE = 0.6
"""Share of the time for a landing in which the distance falls to the least."""
OBSTACLE_M = 1.5
"""An obstacle nearer than this to a vehicle that sinks stands on its place."""
SLOW_MPS = 1.0
"""A place is chosen at this speed: the nearest one while the vehicle is fast is behind it later."""
GROUND_M = 0.6
"""The depth image may show the ground this much too high: the size of a shade, and slopes."""
BLOCKED_M = 5.0
"""Size of what may stand on a place."""
STEEPEST_RAD = math.radians(63.0)
"""Tilt at which the image shows the ground below and what comes from ahead."""


class LandingGuidance:
    """Guidance to a landing place, and down to the ground.

    Args:
        config: The flight's configuration.
        ways: Planner and landing places.
        people: Those who were seen; kept up to date here.
    """

    def __init__(self, config: FlightConfig, ways: Ways, people: People) -> None:
        self._config = config
        self._planner, self._places, self._people = ways.planner, ways.landing, people
        self._above_m = config.patrol.waypoint_radius_m / 2.0
        """Nearer than this to the place, the vehicle sinks."""
        self._standstill = Standstill(config.limits.low_altitude_m)
        self._begin_s: float | None = None
        self._place_m: Vec2 | None = None
        self._blocked_m: list[Vec2] = []

    def guide(self, inputs: GuidanceInputs) -> tuple[Guidance, tuple[LoopTerms, ...]]:
        """To the place, down, and at last the simulator's own landing."""
        mission, patrol, here = self._config.mission, self._config.patrol, inputs.position_m
        if inputs.altitude_m <= mission.touchdown_altitude_m:
            return Guidance(Manoeuvre.LAND), ()
        limits = self._config.limits
        # From lower down, lines of sight meet the ground at too flat an angle to place anybody.
        if inputs.mask is not None and inputs.altitude_m >= limits.low_altitude_m:
            self._people.update(inputs.frame, inputs.mask)
        place_m = self._place(inputs)
        if place_m is None:
            stop = line_of_sight_of(inputs.frame.camera)
            return Guidance(Manoeuvre.VELOCITY, altitude_m=None, line_of_sight=stop), ()
        distance_m = math.dist(here, place_m)
        velocity_mps = self._planner.velocity_to(place_m, here, patrol.speed_mps)
        is_way_blocked = self._standstill.is_stuck(inputs, math.hypot(*velocity_mps))
        if is_way_blocked and distance_m > self._above_m:
            self._blocked_m.append(place_m)
            self._place_m = None  # the next frame chooses another
        is_low = distance_m > patrol.waypoint_radius_m and inputs.altitude_m < limits.min_altitude_m
        guidance = Guidance(
            Manoeuvre.VELOCITY,
            velocity_mps=velocity_mps,
            # Not among cars and people to a place farther away, as right after the take-off.
            altitude_m=limits.min_altitude_m if is_low else None,
            descent_mps=mission.descent_mps if distance_m <= self._above_m else 0.0,
            line_of_sight=self._sight(inputs, place_m, distance_m),
        )
        return guidance, ()

    def _place(self, inputs: GuidanceInputs) -> Vec2 | None:
        """The place chosen before, or another one if that is taken; None: stop, then choose."""
        if self._begin_s is None:
            self._begin_s = inputs.frame.time_s
        here, off_m = inputs.position_m, self._off_people_m(inputs.frame.time_s)
        if self._place_m is not None and self._is_blocked(inputs, self._place_m):
            self._blocked_m.append(here)
            self._place_m = None
        # People who are there now may be gone when the vehicle has come down from high above.
        is_near = inputs.altitude_m <= MEMORY_S * self._config.mission.descent_mps
        if self._place_m is not None and is_near:
            nearest_m = float(self._people.distances_m(np.array([self._place_m]))[0])
            if nearest_m < TAKEN_SHARE * off_m:
                self._place_m = None
        if self._place_m is None and math.hypot(*inputs.frame.vehicle.velocity_mps) < SLOW_MPS:
            self._place_m = self._chosen(here, off_m)
        return self._place_m

    def _off_people_m(self, time_s: float) -> float:
        """Distance from people that a place must have; it falls with time."""
        since_s = time_s - (self._begin_s or 0.0)
        left = max(1.0 - since_s / (CHOOSY_SHARE * self._config.mission.land_timeout_s), 0.0)
        return LEAST_OFF_PEOPLE_M + left * (OFF_PEOPLE_M - LEAST_OFF_PEOPLE_M)

    def _is_blocked(self, inputs: GuidanceInputs, place_m: Vec2) -> bool:
        """Whether the vehicle touches something, or comes down to something, on its place."""
        frame, here = inputs.frame, inputs.position_m
        if math.dist(here, place_m) > self._above_m:
            return False
        if frame.vehicle.has_collided:
            return True
        shows_ground = inputs.altitude_m < self._config.depth.band_m + GROUND_M
        return not shows_ground and any(
            math.dist(obstacle_m[:2], here) < OBSTACLE_M for obstacle_m in frame.obstacles_m
        )

    def _chosen(self, here: Vec2, off_m: float) -> Vec2:
        """The first place off people and off what blocks; else that farthest from people."""
        places_m = self._places.nearest_first(here)
        for blocked_m in self._blocked_m:
            apart_m = places_m - np.asarray(blocked_m)
            places_m = places_m[np.hypot(apart_m[:, 0], apart_m[:, 1]) > BLOCKED_M]
        if not len(places_m):
            return here
        distances_m = np.minimum(self._people.distances_m(places_m), off_m)
        north, east = places_m[
            int(np.argmax(distances_m))
        ]  # the first of those that are far enough
        return float(north), float(east)

    def _sight(self, inputs: GuidanceInputs, place_m: Vec2, distance_m: float) -> LineOfSight:
        """Towards the place, to see who comes there; from above it, ahead of the nose."""
        frame = inputs.frame
        ground_m = frame.vehicle.position_m[2] + inputs.altitude_m
        sight = line_of_sight_to(frame.camera.position_m, (*place_m, ground_m))
        azimuth_rad = sight.azimuth_rad
        if distance_m <= self._above_m:
            azimuth_rad = yaw_of(frame.vehicle.orientation)
        return LineOfSight(azimuth_rad, max(sight.elevation_rad, -STEEPEST_RAD))
