"""Coordinate frames and camera geometry: pixel <-> ray <-> world, in NED metres and radians.

Axes: world NED (x north, y east, z down); body FRD (x forward, y right, z down); the camera's axes
are the body's when pan and tilt are zero. Quaternions are (w, x, y, z) and rotate vectors of the
body frame to the world frame. The camera is a pinhole with square pixels: a point (x, y, z)
of its frame appears at u = y / (x tan(fov / 2)), v = z / (x tan(fov / 2)) * width / height,
-1..1 inside the image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from transforms3d.euler import euler2quat, quat2euler

from followme_uav.messages import CameraPose, Quaternion, Vec3

FACING_UP = 0.7
"""Cosine of the steepest slope that a vehicle can stand on: 45 degrees."""


def vec3(values: Sequence[float]) -> Vec3:
    """Convert a sequence of three numbers to a tuple of floats."""
    x, y, z = (float(value) for value in values)
    return x, y, z


def _quaternion(values: Sequence[float]) -> Quaternion:
    w, x, y, z = (float(value) for value in values)
    return w, x, y, z


def quaternion_from_euler(roll_rad: float, pitch_rad: float, yaw_rad: float) -> Quaternion:
    """Return body to world, for rotations about z (yaw), then y (pitch), then x (roll)."""
    return _quaternion(euler2quat(yaw_rad, pitch_rad, roll_rad, axes="rzyx"))


def euler_of(orientation: Quaternion) -> Vec3:
    """Return (roll, pitch, yaw) in radians, the inverse of `quaternion_from_euler`."""
    yaw, pitch, roll = quat2euler(orientation, axes="rzyx")
    return float(roll), float(pitch), float(yaw)


def yaw_of(orientation: Quaternion) -> float:
    """Return the heading in radians, positive clockwise seen from above, -pi..pi."""
    w, x, y, z = orientation
    return math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def quaternion_from_pan_tilt(pan_rad: float, tilt_rad: float) -> Quaternion:
    """Return camera to body, for a camera panned (positive right) and then tilted (positive up)."""
    return quaternion_from_euler(0.0, tilt_rad, pan_rad)


def multiply(first: Quaternion, second: Quaternion) -> Quaternion:
    """Return the rotation that applies `second`, then `first`: the Hamilton product.

    Computed with floats: NumPy takes ten times as long for four numbers.
    """
    w1, x1, y1, z1 = first
    w2, x2, y2, z2 = second
    return (
        w1 * w2 - x1 * x2 - y1 * y2 - z1 * z2,
        w1 * x2 + x1 * w2 + y1 * z2 - z1 * y2,
        w1 * y2 + y1 * w2 + z1 * x2 - x1 * z2,
        w1 * z2 + z1 * w2 + x1 * y2 - y1 * x2,
    )


def conjugate(orientation: Quaternion) -> Quaternion:
    """Return the inverse rotation, world to body."""
    w, x, y, z = orientation
    return w, -x, -y, -z


def rotate(orientation: Quaternion, vector: Vec3) -> Vec3:
    """Convert a vector from the body frame to the world frame."""
    turned = multiply(orientation, multiply((0.0, *vector), conjugate(orientation)))
    return turned[1:]


def turned_on(orientation: Quaternion, angular_velocity_radps: Vec3, time_s: float) -> Quaternion:
    """Return the orientation after a rotation at a constant angular velocity (body frame)."""
    rate_radps = math.hypot(*angular_velocity_radps)
    half_rad = rate_radps * time_s / 2.0
    if half_rad < 5e-10:
        return orientation
    share_s = math.sin(half_rad) / rate_radps
    x, y, z = angular_velocity_radps
    return multiply(orientation, (math.cos(half_rad), share_s * x, share_s * y, share_s * z))


def faces_up(normal: Vec3) -> bool:
    """Whether a vehicle can stand on a surface with this normal (world NED, of any length)."""
    return -normal[2] > FACING_UP * math.hypot(*normal)  # False for a normal of length zero


def wrap_angle(angle_rad: float) -> float:
    """Return the same direction within -pi..pi."""
    return math.remainder(angle_rad, 2.0 * math.pi)


def pan_tilt_of(direction: Vec3) -> tuple[float, float]:
    """Return (pan, tilt) in radians of a camera that points along `direction` (body frame)."""
    x, y, z = direction
    return math.atan2(y, x), math.atan2(-z, math.hypot(x, y))


def aspect_of(image_shape: Sequence[int]) -> float:
    """Return width / height of an image or mask of shape (height, width, ...)."""
    return image_shape[1] / image_shape[0]


def focal_length_px(camera: CameraPose, width_px: int) -> float:
    """Return the focal length: an object of width s at depth d is s / d * focal length wide."""
    return width_px / (2.0 * math.tan(camera.fov_rad / 2.0))


def ray_of_pixel(camera: CameraPose, u: float, v: float, aspect: float = 1.0) -> Vec3:
    """Return the unit vector (world) through image point (u, v); `aspect` is width / height."""
    half_width = math.tan(camera.fov_rad / 2.0)
    x, y, z = 1.0, u * half_width, v * half_width / aspect
    norm = math.sqrt(x * x + y * y + z * z)
    return rotate(camera.orientation, (x / norm, y / norm, z / norm))


def pixel_of_point(
    camera: CameraPose, point_m: Vec3, aspect: float = 1.0
) -> tuple[float, float, float] | None:
    """Return (u, v, depth_m) of a world point; None when it lies behind the camera plane."""
    offset = tuple(p - c for p, c in zip(point_m, camera.position_m, strict=True))
    x, y, z = rotate(conjugate(camera.orientation), vec3(offset))
    if x <= 1e-6:
        return None
    half_width = math.tan(camera.fov_rad / 2.0)
    return y / (x * half_width), z / (x * half_width) * aspect, x


def ground_point(
    camera: CameraPose, u: float, v: float, height_m: float, aspect: float = 1.0
) -> Vec3 | None:
    """Intersect the ray through (u, v) with the level `height_m` above ground; None without one.

    `aspect` is the image's width / height, as in `ray_of_pixel`.
    """
    ray = ray_of_pixel(camera, u, v, aspect)
    drop_m = -height_m - camera.position_m[2]
    if ray[2] * drop_m <= 0.0:
        return None
    reach = drop_m / ray[2]
    north, east, down = camera.position_m
    return north + reach * ray[0], east + reach * ray[1], down + reach * ray[2]
