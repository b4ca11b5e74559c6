"""FOLLOW and ACQUIRE: keep the hero in the middle of the image and at the wanted distance.

Three PID loops: pan and tilt turn the camera's line of sight by the position of the detection in
the image, forward drives the vehicle along the ground by the distance. The line of sight is kept
in the world, so that the vehicle's own rolling, pitching and turning does not move the image.
"""

from __future__ import annotations

import math
from dataclasses import replace

from followme_uav.config import FlightConfig
from followme_uav.geometry import wrap_angle
from followme_uav.messages import (
    CameraPose,
    Detection,
    Guidance,
    LineOfSight,
    LoopTerms,
    Manoeuvre,
    Vec2,
    Vec3,
)
from followme_uav.pilot.guidance.inputs import GuidanceInputs
from followme_uav.pilot.guidance.levels import Levels
from followme_uav.pilot.guidance.line_of_sight import (
    line_of_sight_of,
    line_of_sight_to,
    turned_like,
    within_tilt_limits,
)
from followme_uav.pilot.guidance.ways import Planner
from followme_uav.pilot.navigation.route_planner import course, heading_velocity
from followme_uav.pilot.pid import PidLoop
from followme_uav.pilot.tracking.track import Track

ROUNDABOUT = 3.0
"""A way this many times as long as the straight line leads around a block, not around a corner."""
WATCHED = 2.0
"""The vehicle watches a hero up to this many times the wanted distance away; a hero farther away
would soon be lost."""


class FollowGuidance:
    """Guidance towards the track; ACQUIRE and FOLLOW share its loops."""

    def __init__(self, config: FlightConfig, planner: Planner) -> None:
        self._config = config
        below = 0.0 if config.simulator.has_map else config.explore.hero_below
        half_height = math.tan(math.radians(config.simulator.camera_fov_deg) / 2.0)
        half_height *= config.camera.height_px / config.camera.width_px
        self._hero_v = below
        """The place in the image at which the hero is kept."""
        self._raised_rad = math.atan(below * half_height)
        self._planner = planner
        self._levels = Levels(config)
        self._aspect = config.camera.width_px / config.camera.height_px
        self._pan = PidLoop("pan", config.control.pan)
        self._tilt = PidLoop("tilt", config.control.tilt)
        self._forward = PidLoop("forward", config.control.forward)

    def restart(self) -> None:
        """Forget the integrals of the last pursuit."""
        for loop in (self._pan, self._tilt, self._forward):
            loop.reset()

    def guide(self, inputs: GuidanceInputs) -> tuple[Guidance, tuple[LoopTerms, ...]]:
        """Velocity and line of sight, and what the loops did."""
        hero = inputs.known_track
        distance_m = math.dist(inputs.frame.camera.position_m, hero.position_m)
        forward = self._approach(distance_m, math.hypot(*hero.velocity_mps), inputs.dt_s)
        sight, turns = self._sight(inputs, hero)
        guidance = Guidance(
            manoeuvre=Manoeuvre.VELOCITY,
            velocity_mps=self._velocity(inputs, hero, forward.output),
            altitude_m=self._config.mission.altitude_m,
            line_of_sight=sight,
            heading_rad=sight.azimuth_rad,
            level_m=self._levels.of_hero(hero),
        )
        return guidance, (forward, *turns)

    def _approach(self, distance_m: float, hero_mps: float, dt_s: float) -> LoopTerms:
        """Speed towards the hero.

        A running hero gains some metres at every corner: the faster the hero, the nearer.
        """
        control = self._config.control
        wanted_m = control.wanted_distance_m
        wanted_m = max(wanted_m - control.closer_s * hero_mps, wanted_m / 2.0)
        return self._forward.update(distance_m / wanted_m - 1.0, dt_s)

    def _velocity(self, inputs: GuidanceInputs, hero: Track, approach_mps: float) -> Vec2:
        """The velocity of approach plus that of the hero (feed-forward)."""
        control, here = self._config.control, inputs.position_m
        course_rad, ground_m = course(here, hero.ground_m)
        if ground_m < control.min_distance_m:
            approach_mps = min(approach_mps, 0.0)
        share = control.feed_forward
        along = share * hero.velocity_mps[0], share * hero.velocity_mps[1]
        if not self._planner.is_straight(hero.ground_m, here):
            return self._around(inputs, hero, max(approach_mps, 0.0) + math.hypot(*along))
        if approach_mps > 0.0:
            north, east = self._planner.velocity_to(hero.ground_m, here, approach_mps)
        else:
            north, east = heading_velocity(approach_mps, course_rad)
        return north + along[0], east + along[1]

    def _around(self, inputs: GuidanceInputs, hero: Track, speed_mps: float) -> Vec2:
        """The velocity around a corner; the hero's would press the vehicle against the boundary.

        While the hero is out of sight, the vehicle flies faster. A row of trees, or a passage that
        is too low, may make the way to the hero much longer than the straight line. The vehicle
        then stays on this side, as near to the hero as it can, if that is near enough to watch the
        hero: on the long way, it would not see where the hero goes.
        """
        here, wanted_m = inputs.position_m, self._config.control.wanted_distance_m
        if inputs.detection is None:
            speed_mps = max(speed_mps, self._config.search.speed_mps)
        beside_m = self._planner.nearest_on_this_side(hero.ground_m, here)
        if math.dist(beside_m, hero.ground_m) < WATCHED * wanted_m:
            straight_m = math.dist(here, hero.ground_m)
            way_m = self._planner.way_length_m(hero.ground_m, here)
            if way_m > max(ROUNDABOUT * straight_m, wanted_m):
                if beside_m == here:
                    return 0.0, 0.0
                return self._planner.velocity_to(beside_m, here, speed_mps)
        return self._planner.velocity_to(hero.ground_m, here, speed_mps)

    def _sight(
        self, inputs: GuidanceInputs, hero: Track
    ) -> tuple[LineOfSight, tuple[LoopTerms, ...]]:
        """Towards the detection, else the track; turned on by the motion until the next frame."""
        camera, next_s = inputs.frame.camera, inputs.next_s
        predicted = line_of_sight_to(camera.position_m, hero.position_m)
        sight = replace(predicted, elevation_rad=predicted.elevation_rad + self._raised_rad)
        turns: tuple[LoopTerms, ...] = ()
        if inputs.detection is not None:
            sight, turns = self._centred(camera, inputs.detection, inputs.dt_s)
        at_next_frame = line_of_sight_to(
            _moved(camera.position_m, inputs.frame.vehicle.velocity_mps, next_s),
            _moved(hero.position_m, (*hero.velocity_mps, 0.0), next_s),
        )
        return turned_like(sight, predicted, at_next_frame), turns

    def _centred(
        self, camera: CameraPose, detection: Detection, dt_s: float
    ) -> tuple[LineOfSight, tuple[LoopTerms, ...]]:
        """Line of sight that brings the detection to the middle of the image.

        Both loops measure in half the image's width, so that the shape of the image changes neither
        loop's gain.
        """
        sight = line_of_sight_of(camera)
        right = self._pan.update(detection.u, dt_s)
        down = self._tilt.update((detection.v - self._hero_v) / self._aspect, dt_s)
        # At a steep elevation, azimuth moves the image less: divide by the cosine.
        level = max(math.cos(sight.elevation_rad), 0.3)
        centred = LineOfSight(
            azimuth_rad=wrap_angle(sight.azimuth_rad + right.output / level),
            elevation_rad=within_tilt_limits(sight.elevation_rad - down.output),
        )
        return centred, (right, down)


def _moved(position_m: Vec3, velocity_mps: Vec3, time_s: float) -> Vec3:
    north, east, down = (p + time_s * v for p, v in zip(position_m, velocity_mps, strict=True))
    return north, east, down
