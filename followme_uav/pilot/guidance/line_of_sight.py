"""Lines of sight: viewing directions in the world, independent of how the vehicle leans."""

from __future__ import annotations

import math

from followme_uav.geometry import conjugate, pan_tilt_of, rotate, wrap_angle, yaw_of
from followme_uav.messages import CameraPose, LineOfSight, Quaternion, Vec3


def line_of_sight_of(camera: CameraPose) -> LineOfSight:
    """The direction in which this camera looked."""
    return LineOfSight(*pan_tilt_of(rotate(camera.orientation, (1.0, 0.0, 0.0))))


def line_of_sight_to(origin_m: Vec3, target_m: Vec3) -> LineOfSight:
    """From one place to another."""
    north, east, down = (t - o for t, o in zip(target_m, origin_m, strict=True))
    return LineOfSight(*pan_tilt_of((north, east, down)))


def turned_like(sight: LineOfSight, before: LineOfSight, after: LineOfSight) -> LineOfSight:
    """`sight`, turned by the angles between `before` and `after`."""
    return LineOfSight(
        wrap_angle(sight.azimuth_rad + after.azimuth_rad - before.azimuth_rad),
        within_tilt_limits(sight.elevation_rad + after.elevation_rad - before.elevation_rad),
    )


def pan_tilt_in_body(sight: LineOfSight, body: Quaternion) -> tuple[float, float]:
    """Camera pan and tilt (radians, relative to the body) that give this line of sight."""
    level = math.cos(sight.elevation_rad)
    direction = (
        level * math.cos(sight.azimuth_rad),
        level * math.sin(sight.azimuth_rad),
        -math.sin(sight.elevation_rad),
    )
    return pan_tilt_of(rotate(conjugate(body), direction))


def pan_from_nose(azimuth_rad: float, body: Quaternion) -> float:
    """Angle from the vehicle's nose to a direction, in the horizontal plane."""
    return wrap_angle(azimuth_rad - yaw_of(body))


def within_tilt_limits(elevation_rad: float) -> float:
    """The nearest elevation at which the camera looks neither behind itself nor into the sky."""
    return min(max(elevation_rad, -1.5), 0.5)
