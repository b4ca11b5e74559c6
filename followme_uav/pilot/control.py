"""The PID loops: from what the camera sees to how vehicle and camera move.

- pan, tilt: the blob's centroid (u, v) turns the camera's line of sight, which is kept in the world
  so that the body's own rolling, pitching and turning does not move the picture;
- yaw: the camera's pan angle turns the vehicle's nose after the camera;
- forward: the hero's distance drives the vehicle along the line of sight;
- altitude: holds the height.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from simple_pid import PID

from followme_uav.config import ControlConfig, LimitsConfig, PidGains
from followme_uav.geometry import (
    conjugate,
    pan_tilt_of,
    rotate,
    wrap_angle,
    yaw_of,
)
from followme_uav.messages import CameraPose, LoopTerms, Observation, Quaternion, Vec3


@dataclass(frozen=True)
class LineOfSight:
    """Where the camera looks, in the world."""

    azimuth_rad: float
    """From north, clockwise."""
    elevation_rad: float
    """Above the horizon."""

    @staticmethod
    def of(camera: CameraPose) -> LineOfSight:
        """Where this camera looked."""
        return LineOfSight(*pan_tilt_of(rotate(camera.orientation, (1.0, 0.0, 0.0))))

    @staticmethod
    def towards(origin_m: Vec3, target_m: Vec3) -> LineOfSight:
        """From one place to another."""
        north, east, down = (t - o for t, o in zip(target_m, origin_m, strict=True))
        return LineOfSight(*pan_tilt_of((north, east, down)))

    def turned(self, before: LineOfSight, after: LineOfSight) -> LineOfSight:
        """This line of sight, turned as `after` is against `before`."""
        return LineOfSight(
            wrap_angle(self.azimuth_rad + after.azimuth_rad - before.azimuth_rad),
            _tilted(self.elevation_rad + after.elevation_rad - before.elevation_rad),
        )

    def pan_tilt(self, body: Quaternion) -> tuple[float, float]:
        """Camera pan and tilt (radians, relative to the body) that give this line of sight."""
        level = math.cos(self.elevation_rad)
        direction = (
            level * math.cos(self.azimuth_rad),
            level * math.sin(self.azimuth_rad),
            -math.sin(self.elevation_rad),
        )
        return pan_tilt_of(rotate(conjugate(body), direction))


class Loops:
    """The five PID loops and the little memory they need."""

    def __init__(self, config: ControlConfig) -> None:
        self._config = config
        self._pids = {
            "pan": _pid(config.pan),
            "tilt": _pid(config.tilt),
            "yaw": _pid(config.yaw),
            "forward": _pid(config.forward),
            "altitude": _pid(config.altitude),
        }
        self._terms: list[LoopTerms] = []

    def reset_following(self) -> None:
        """Forget the last hero: integrators start anew."""
        for name in ("pan", "tilt", "forward"):
            self._pids[name].reset()

    def take_terms(self) -> tuple[LoopTerms, ...]:
        """What the loops did since this was last asked."""
        terms, self._terms = tuple(self._terms), []
        return terms

    def centre(
        self, camera: CameraPose, observation: Observation, dt_s: float, aspect: float = 1.0
    ) -> LineOfSight:
        """Line of sight that brings the centroid to the middle of the image.

        Both loops measure in half the image's width: an image of another `aspect` (width / height)
        changes neither loop's gain.
        """
        sight = LineOfSight.of(camera)
        right = self._run("pan", observation.u, dt_s)
        down = self._run("tilt", observation.v / aspect, dt_s)
        # At a steep view a small turn of the azimuth moves the picture less: divide by the cosine.
        level = max(math.cos(sight.elevation_rad), 0.3)
        return LineOfSight(
            azimuth_rad=wrap_angle(sight.azimuth_rad + right / level),
            elevation_rad=_tilted(sight.elevation_rad - down),
        )

    def approach_mps(self, distance_m: float, dt_s: float, hero_mps: float = 0.0) -> float:
        """Speed along the line of sight that brings the hero to the wanted distance.

        Who runs gains some metres at every corner: the faster she is, the nearer is wanted.
        """
        wanted_m = self._config.wanted_distance_m
        wanted_m = max(wanted_m - self._config.closer_s * hero_mps, wanted_m / 2.0)
        return self._run("forward", distance_m / wanted_m - 1.0, dt_s)

    def yaw_rate_radps(self, pan_rad: float, dt_s: float) -> float:
        """Turn of the body after the camera."""
        return self._run("yaw", pan_rad, dt_s)

    def climb_mps(self, altitude_m: float, wanted_m: float, dt_s: float) -> float:
        """Upward speed."""
        return self._run("altitude", wanted_m - altitude_m, dt_s)

    def _run(self, name: str, error: float, dt_s: float) -> float:
        """One turn of a loop: its output has the error's sign."""
        pid = self._pids[name]
        output = pid(-error, dt=dt_s) or 0.0  # simple-pid drives its input to the set point 0
        p, i, d = pid.components
        self._terms.append(LoopTerms(name, error, p, i, d, output))
        return output


class VelocityLimiter:
    """Bounds the commanded horizontal velocity and its rate of change."""

    def __init__(self, limits: LimitsConfig) -> None:
        self._limits = limits
        self._last_mps = (0.0, 0.0)

    def reset(self, velocity_mps: tuple[float, float] = (0.0, 0.0)) -> None:
        """Start from this velocity (north, east)."""
        self._last_mps = velocity_mps

    def limit(self, velocity_mps: tuple[float, float], dt_s: float) -> tuple[float, float]:
        """The nearest allowed velocity (north, east)."""
        wanted = _shorten(velocity_mps, self._limits.speed_mps)
        change = (wanted[0] - self._last_mps[0], wanted[1] - self._last_mps[1])
        change = _shorten(change, self._limits.acceleration_mps2 * dt_s)
        self._last_mps = (self._last_mps[0] + change[0], self._last_mps[1] + change[1])
        return self._last_mps


def heading_velocity(speed_mps: float, azimuth_rad: float) -> tuple[float, float]:
    """(north, east) velocity of this speed in this direction."""
    return speed_mps * math.cos(azimuth_rad), speed_mps * math.sin(azimuth_rad)


def pan_of(sight: LineOfSight, body: Quaternion) -> float:
    """Angle from the vehicle's nose to the line of sight, in the horizontal plane."""
    return wrap_angle(sight.azimuth_rad - yaw_of(body))


def _tilted(elevation_rad: float) -> float:
    """The camera looks neither behind itself nor into the sky."""
    return min(max(elevation_rad, -1.5), 0.5)


def _shorten(vector: tuple[float, float], longest: float) -> tuple[float, float]:
    length = math.hypot(*vector)
    scale = longest / length if length > longest else 1.0
    return scale * vector[0], scale * vector[1]


def _pid(gains: PidGains) -> PID:
    """`sample_time=None` and the caller's `dt` keep simple-pid away from the clock."""
    return PID(
        gains.kp,
        gains.ki,
        gains.kd,
        setpoint=0.0,
        sample_time=None,
        output_limits=(-gains.limit, gains.limit),
    )
