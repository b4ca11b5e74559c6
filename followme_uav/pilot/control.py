"""Guidance -> Command: PID loops for altitude and yaw, limits, geofence, obstacle avoidance."""

from __future__ import annotations

import math

from followme_uav.config import FlightConfig
from followme_uav.geometry import turned_on
from followme_uav.ground import Ground
from followme_uav.messages import Command, Guidance, LoopTerms, Manoeuvre, Quaternion, Vec2
from followme_uav.pilot.guidance.inputs import GuidanceInputs
from followme_uav.pilot.guidance.line_of_sight import pan_from_nose, pan_tilt_in_body
from followme_uav.pilot.mapping.surroundings import Surroundings
from followme_uav.pilot.navigation.maps import street_map_of
from followme_uav.pilot.pid import PidLoop
from followme_uav.pilot.planning.known_space import KnownSpaceLimiter
from followme_uav.pilot.safety.ceilings import Ceilings, Heights, Wanted
from followme_uav.pilot.safety.geofence import limit_velocity
from followme_uav.pilot.safety.obstacle_map import WANDER, ObstacleMap
from followme_uav.pilot.safety.round_fence import limit_to_circle
from followme_uav.pilot.safety.velocity_limiter import VelocityLimiter, shortened
from followme_uav.pilot.vehicle_response import ResponseModel

AHEAD_S = (0.5, 1.0, 1.5, 2.0)
"""The altitude allows for the ground where the vehicle will be in these times."""
STEEPEST = 0.3
"""Slope of the ground up to which the altitude follows it, as rise over run."""
LINK_S = 0.2
"""Delay of a link up to which `ResponseModel` does not notice it."""

Controlled = tuple[Command, tuple[LoopTerms, ...]]
"""A command, and what the PID loops did."""


class Control:
    """Carries out the guidance of every state, within all limits.

    Attributes:
        response: How the vehicle follows commands, as identified up to the last frame.

    Args:
        config: The flight's configuration.
        surroundings: The map that the vehicle makes, kept up to date by the caller; None where the
            configuration has a map.
    """

    def __init__(self, config: FlightConfig, surroundings: Surroundings | None = None) -> None:
        self._config = config
        self._street_map = street_map_of(config.simulator)
        self._ground = Ground(config.simulator.ground)
        self._ceilings = Ceilings(config)
        self._surroundings = surroundings
        self._known_space = None
        if surroundings is not None:
            self._known_space = KnownSpaceLimiter(config, surroundings)
        self._limiter = VelocityLimiter(config.limits)
        # Without a map, trees and houses may reach farther aside than the camera has seen.
        wander = WANDER if surroundings is None else math.inf
        self._obstacles = ObstacleMap(config.limits, wander)
        self._yaw = PidLoop("yaw", config.control.yaw)
        self._altitude = PidLoop("altitude", config.control.altitude)
        self._responses = ResponseModel(config)
        self.response = self._responses.response

    def stop(self) -> None:
        """Speed up from rest next time."""
        self._limiter.reset()

    def command(self, guidance: Guidance, inputs: GuidanceInputs) -> Controlled:
        """The command of this frame; called once for each frame, since it updates the map."""
        # From lower down, the ground itself would be an obstacle.
        limits, height_m = self._config.limits, -inputs.frame.vehicle.position_m[2]
        if inputs.altitude_m >= limits.low_altitude_m:
            obstacles_m = self._ceilings.others(inputs.frame.obstacles_m, height_m)
            self._obstacles.update(inputs.frame.time_s, obstacles_m)
        self._responses.observe(inputs.frame.vehicle, inputs.dt_s)
        self.response = self._responses.response
        if guidance.manoeuvre is not Manoeuvre.VELOCITY:
            return self._command(guidance, (0.0, 0.0, 0.0), 0.0, inputs), ()
        if guidance.altitude_m is None:
            velocity_mps, down_mps = self._over_decks(guidance, inputs)
            north, east = self._limited(velocity_mps, inputs)
            return self._command(guidance, (north, east, down_mps), 0.0, inputs), ()
        velocity_mps = guidance.velocity_mps
        if inputs.altitude_m < limits.low_altitude_m:
            velocity_mps = (0.0, 0.0)  # at the height of parked cars and people: climb first
        wanted_m, velocity_mps = self._between_levels(
            guidance.altitude_m, guidance.level_m, velocity_mps, inputs
        )
        north, east = self._limited(velocity_mps, inputs)
        climb = self._altitude.update(wanted_m - inputs.altitude_m, inputs.dt_s)
        terms: tuple[LoopTerms, ...] = (climb,)
        yaw_rate_radps = 0.0
        if guidance.heading_rad is not None:
            pan_rad = pan_from_nose(guidance.heading_rad, inputs.frame.vehicle.orientation)
            turn = self._yaw.update(pan_rad, inputs.dt_s)
            terms, yaw_rate_radps = (climb, turn), turn.output
        return self._command(guidance, (north, east, -climb.output), yaw_rate_radps, inputs), terms

    def _over_decks(self, guidance: Guidance, inputs: GuidanceInputs) -> tuple[Vec2, float]:
        """Velocity and descent on the way to a landing place: at this height, but over decks."""
        velocity_mps, down_mps = guidance.velocity_mps, guidance.descent_mps
        if down_mps > 0.0:  # a landing place is off decks
            return velocity_mps, down_mps
        height_m = -inputs.frame.vehicle.position_m[2]
        bounds, velocity_mps = self._bounded(height_m, velocity_mps, inputs)
        vertical_mps = self._config.control.altitude.limit
        if height_m < bounds.lowest_m:
            down_mps = -vertical_mps
        if height_m > bounds.highest_m:
            down_mps = vertical_mps
        return velocity_mps, down_mps

    def _between_levels(
        self, altitude_m: float, level_m: float | None, velocity_mps: Vec2, inputs: GuidanceInputs
    ) -> tuple[float, Vec2]:
        """Altitude to hold above the ground below the vehicle, and the velocity that allows it.

        Args:
            altitude_m: That the guidance wants above the ground or the deck.
            level_m: Height of the deck above z = 0; None: the ground.
            velocity_mps: That the guidance wants.
            inputs: Of the frame.
        """
        limits, vertical_mps = self._config.limits, self._config.control.altitude.limit
        flown_mps = inputs.frame.vehicle.velocity_mps[:2]
        rise_m, climb_m = self._rise_ahead_m(inputs), AHEAD_S[-1] * vertical_mps
        if rise_m > climb_m:  # so slow that the vehicle climbs as fast as the ground rises
            velocity_mps = shortened(velocity_mps, math.hypot(*flown_mps) * climb_m / rise_m)
        altitude_m = min(max(altitude_m, limits.min_altitude_m), limits.max_altitude_m)
        height_m = -inputs.frame.vehicle.position_m[2]
        wanted_m = altitude_m + rise_m
        if level_m is not None:
            wanted_m = max(wanted_m, inputs.altitude_m + level_m + altitude_m - height_m)
        bounds, velocity_mps = self._bounded(
            height_m + wanted_m - inputs.altitude_m, velocity_mps, inputs
        )
        wanted_m = max(wanted_m, inputs.altitude_m + bounds.lowest_m - height_m)
        wanted_m = min(wanted_m, inputs.altitude_m + bounds.highest_m - height_m)
        return wanted_m, velocity_mps

    def _bounded(
        self, height_m: float, velocity_mps: Vec2, inputs: GuidanceInputs
    ) -> tuple[Heights, Vec2]:
        """Bounds by roofs and decks, and the velocity within them.

        Args:
            height_m: To be held above z = 0.
            velocity_mps: That is wanted.
            inputs: Of the frame.
        """
        vehicle = inputs.frame.vehicle
        flown_mps = vehicle.velocity_mps[:2]
        bounds = self._ceilings.heights(
            inputs.position_m,
            flown_mps,
            -vehicle.position_m[2],
            Wanted(height_m, velocity_mps),
            self._config.control.altitude.limit,
        )
        if bounds.speed_share < 1.0:
            velocity_mps = shortened(velocity_mps, bounds.speed_share * math.hypot(*flown_mps))
        return bounds, bounds.way_out_mps or velocity_mps

    def _rise_ahead_m(self, inputs: GuidanceInputs) -> float:
        """How much the ground rises in the next seconds of flight above that below the vehicle.

        Ground that falls is followed when it has come: nothing is hit from higher up.
        """
        if self._ground.is_level:
            return 0.0
        (north_m, east_m), rise_m = inputs.position_m, 0.0
        north_mps, east_mps, _ = inputs.frame.vehicle.velocity_mps
        here_m, speed_mps = self._ground.height_m(north_m, east_m), math.hypot(north_mps, east_mps)
        for ahead_s in AHEAD_S:
            there_m = self._ground.height_m(
                north_m + ahead_s * north_mps, east_m + ahead_s * east_mps
            )
            rise_m = max(rise_m, min(there_m - here_m, STEEPEST * ahead_s * speed_mps))
        return rise_m

    def _command(
        self,
        guidance: Guidance,
        velocity_mps: tuple[float, float, float],
        yaw_rate_radps: float,
        inputs: GuidanceInputs,
    ) -> Command:
        pan_rad, tilt_rad = 0.0, math.radians(self._config.patrol.tilt_deg)
        if guidance.line_of_sight is not None:
            body = self._body_at_next_frame(inputs)
            pan_rad, tilt_rad = pan_tilt_in_body(guidance.line_of_sight, body)
        if guidance.manoeuvre is Manoeuvre.VELOCITY:
            vehicle = inputs.frame.vehicle
            velocity_mps = self._responses.command(velocity_mps, vehicle, inputs.next_s)
        return Command(
            manoeuvre=guidance.manoeuvre,
            velocity_mps=velocity_mps,
            yaw_rate_radps=yaw_rate_radps,
            camera_pan_rad=pan_rad,
            camera_tilt_rad=tilt_rad,
        )

    def _limited(self, velocity_mps: Vec2, inputs: GuidanceInputs) -> Vec2:
        """Smooth first, safe last."""
        here = inputs.position_m
        smooth = self._limiter.limit(velocity_mps, inputs.dt_s)
        delay_s = self.response.reaction_s + 1.0 / self._config.camera.rate_hz
        inside = self._inside(here, smooth, delay_s)
        safe = self._obstacles.limit_velocity(here, inside, delay_s)
        self._limiter.reset(safe)
        return safe

    def _inside(self, here: Vec2, velocity_mps: Vec2, delay_s: float) -> Vec2:
        """The velocity inside the geofence, and inside the known space of a flight without map."""
        limits = self._config.limits
        if self._surroundings is None or self._known_space is None:
            fence_m = limits.geofence_m
            area_m = self._street_map or ((-fence_m, -fence_m, fence_m, fence_m),)
            return limit_velocity(here, velocity_mps, area_m, limits, delay_s + LINK_S)
        radius_m = self._config.explore.radius_m
        inside = limit_to_circle(here, velocity_mps, self._surroundings.start_m, radius_m, limits)
        return self._known_space.limit_velocity(here, inside, self.response.reaction_s)

    def _body_at_next_frame(self, inputs: GuidanceInputs) -> Quaternion:
        """Attitude when the camera, which turns with the body, takes the next image."""
        vehicle = inputs.frame.vehicle
        if self._config.simulator.camera_pose_frame == "world":
            return vehicle.orientation  # the simulator itself keeps the camera's direction
        return turned_on(vehicle.orientation, vehicle.angular_velocity_radps, inputs.next_s)
