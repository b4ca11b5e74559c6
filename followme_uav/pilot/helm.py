"""The helm: from a wanted velocity and line of sight to a command that keeps within all limits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from followme_uav.config import FlightConfig
from followme_uav.geometry import turned_on
from followme_uav.messages import Command, Frame, Manoeuvre, Observation, Quaternion
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


class Helm:
    """What all states fly with.

    Attributes:
        loops: The PID loops.
        patrol: The round along the streets, and the ways through them.
    """

    def __init__(self, config: FlightConfig) -> None:
        self._config = config
        self._limiter = VelocityLimiter(config.limits)
        self._surroundings = Surroundings(config.limits)
        self.loops = Loops(config.control)
        self.patrol = Patrol(config.simulator.patrol_waypoints_m, config.patrol.waypoint_radius_m)

    def look_out(self, frame: Frame) -> None:
        """Take in what stands around; once per frame."""
        self._surroundings.see(frame)

    def stop(self) -> None:
        """Speed up from rest next time."""
        self._limiter.reset()

    def stand(self, manoeuvre: Manoeuvre) -> Command:
        """A command without any velocity of its own."""
        return Command(
            manoeuvre=manoeuvre,
            velocity_mps=(0.0, 0.0, 0.0),
            yaw_rate_radps=0.0,
            camera_pan_rad=0.0,
            camera_tilt_rad=math.radians(self._config.patrol.tilt_deg),
        )

    def fly(
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
        north, east = self.limit(view, velocity_mps)
        pan_rad, tilt_rad = sight.pan_tilt(self._body_at_next_frame(view))
        return Command(
            manoeuvre=Manoeuvre.VELOCITY,
            velocity_mps=(
                north,
                east,
                -self.loops.climb_mps(view.altitude_m, wanted_m, view.dt_s),
            ),
            yaw_rate_radps=self.loops.yaw_rate_radps(pan_of(nose, body), view.dt_s),
            camera_pan_rad=pan_rad,
            camera_tilt_rad=tilt_rad,
        )

    def on_the_way(self, view: View, goal_m: Vec2, speed_mps: float) -> Vec2:
        """Velocity towards the goal, perhaps around a block; slower to its end and to corners."""
        flyable_m = self._config.simulator.flyable_m
        spot_m = self.patrol.way_to(goal_m, view.here, flyable_m)
        course_rad, distance_m = course(view.here, spot_m)
        at_the_end_mps = self._config.limits.corner_speed_mps
        if spot_m == nearest_place(flyable_m, goal_m, view.here):
            at_the_end_mps = 0.0
        speed_mps = min(speed_mps, at_the_end_mps + distance_m)
        return heading_velocity(speed_mps, course_rad)

    def is_around_a_corner(self, view: View, goal_m: Vec2) -> bool:
        """Whether the way there is not a straight one."""
        flyable_m = self._config.simulator.flyable_m
        return not is_free(flyable_m, view.here, nearest_place(flyable_m, goal_m, view.here))

    def limit(self, view: View, velocity_mps: Vec2) -> Vec2:
        """Smooth first, safe last."""
        limits = self._config.limits
        smooth = self._limiter.limit(velocity_mps, view.dt_s)
        fence_m = limits.geofence_m
        area_m = self._config.simulator.flyable_m or ((-fence_m, -fence_m, fence_m, fence_m),)
        inside = limit_velocity(view.here, smooth, area_m, limits)
        safe = self._surroundings.limit(view.here, inside)
        self._limiter.reset(safe)
        return safe

    def _body_at_next_frame(self, view: View) -> Quaternion:
        """How the vehicle will lean when the camera, which turns with it, takes the next image."""
        vehicle = view.frame.vehicle
        if self._config.simulator.camera_pose_frame == "world":
            return vehicle.orientation  # the simulator itself keeps the camera's direction
        return turned_on(vehicle.orientation, vehicle.angular_velocity_radps, view.dt_s)


def course(here: Vec2, there: Vec2) -> tuple[float, float]:
    """(direction in radians from north, distance in metres)."""
    north, east = there[0] - here[0], there[1] - here[1]
    return math.atan2(east, north), math.hypot(north, east)
