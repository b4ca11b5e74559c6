"""Frames and camera geometry: pixel <-> ray <-> world, in NED metres and radians.

Axes: world NED (x north, y east, z down); body FRD (x forward, y right, z down); the camera's axes
are the body's with pan and tilt zero. Quaternions are (w, x, y, z) and rotate vectors of the body
into the world. The camera is a pinhole with square pixels: a point (x, y, z) of its frame appears
at u = y / (x tan(fov / 2)), v = z / (x tan(fov / 2)) * width / height, -1..1 inside the image.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from transforms3d.euler import euler2quat, quat2euler
from transforms3d.quaternions import axangle2quat, qconjugate, qmult, rotate_vector

from followme_uav.messages import CameraPose, Quaternion, Vec3


def vec3(values: Sequence[float]) -> Vec3:
    """Three plain floats from any sequence of three numbers."""
    x, y, z = (float(value) for value in values)
    return x, y, z


def _quaternion(values: Sequence[float]) -> Quaternion:
    w, x, y, z = (float(value) for value in values)
    return w, x, y, z


def quaternion_from_euler(roll_rad: float, pitch_rad: float, yaw_rad: float) -> Quaternion:
    """Body to world, for rotations about z (yaw), then y (pitch), then x (roll)."""
    return _quaternion(euler2quat(yaw_rad, pitch_rad, roll_rad, axes="rzyx"))


def euler_of(orientation: Quaternion) -> Vec3:
    """(roll, pitch, yaw) in radians, the inverse of `quaternion_from_euler`."""
    yaw, pitch, roll = quat2euler(orientation, axes="rzyx")
    return float(roll), float(pitch), float(yaw)


def yaw_of(orientation: Quaternion) -> float:
    """Heading in radians, positive clockwise seen from above, -pi..pi."""
    w, x, y, z = orientation
    return math.atan2(2.0 * (w * z + x * y), 1.0 - 2.0 * (y * y + z * z))


def quaternion_from_pan_tilt(pan_rad: float, tilt_rad: float) -> Quaternion:
    """Camera to body for a camera panned (positive right) and then tilted (positive up)."""
    return quaternion_from_euler(0.0, tilt_rad, pan_rad)


def multiply(first: Quaternion, second: Quaternion) -> Quaternion:
    """The rotation that applies `second`, then `first`."""
    return _quaternion(qmult(first, second))


def conjugate(orientation: Quaternion) -> Quaternion:
    """The opposite rotation, world to body."""
    return _quaternion(qconjugate(orientation))


def rotate(orientation: Quaternion, vector: Vec3) -> Vec3:
    """`vector` of the body, expressed in the world."""
    return vec3(rotate_vector(vector, np.asarray(orientation)))


def turned_on(orientation: Quaternion, angular_velocity_radps: Vec3, time_s: float) -> Quaternion:
    """The orientation after turning on like this; the angular velocity is of the body's frame."""
    rate_radps = math.hypot(*angular_velocity_radps)
    if rate_radps * time_s < 1e-9:
        return orientation
    axis = tuple(component / rate_radps for component in angular_velocity_radps)
    # Left to itself it normalizes with BLAS, which rounds as the processor likes.
    turn = axangle2quat(axis, rate_radps * time_s, is_normalized=True)
    return multiply(orientation, _quaternion(turn))


def wrap_angle(angle_rad: float) -> float:
    """The same direction within -pi..pi."""
    return math.remainder(angle_rad, 2.0 * math.pi)


def pan_tilt_of(direction: Vec3) -> tuple[float, float]:
    """(pan, tilt) in radians of a camera that looks along `direction` of its body's frame."""
    x, y, z = direction
    return math.atan2(y, x), math.atan2(-z, math.hypot(x, y))


def focal_length_px(camera: CameraPose, width_px: int) -> float:
    """Pixels per unit of tangent: an object of size s at depth d is s / d * focal length wide."""
    return width_px / (2.0 * math.tan(camera.fov_rad / 2.0))


def ray_of_pixel(camera: CameraPose, u: float, v: float, aspect: float = 1.0) -> Vec3:
    """Unit vector in the world through image point (u, v); `aspect` is width / height."""
    half_width = math.tan(camera.fov_rad / 2.0)
    x, y, z = 1.0, u * half_width, v * half_width / aspect
    norm = math.sqrt(x * x + y * y + z * z)
    return rotate(camera.orientation, (x / norm, y / norm, z / norm))


def pixel_of_point(
    camera: CameraPose, point_m: Vec3, aspect: float = 1.0
) -> tuple[float, float, float] | None:
    """(u, v, depth_m) of a world point, None when it lies behind the camera plane."""
    offset = tuple(p - c for p, c in zip(point_m, camera.position_m, strict=True))
    x, y, z = rotate(conjugate(camera.orientation), vec3(offset))
    if x <= 1e-6:
        return None
    half_width = math.tan(camera.fov_rad / 2.0)
    return y / (x * half_width), z / (x * half_width) * aspect, x


def ground_point(camera: CameraPose, u: float, v: float, height_m: float) -> Vec3 | None:
    """Where the ray through (u, v) meets the level `height_m` above ground, None if never."""
    ray = ray_of_pixel(camera, u, v)
    drop_m = -height_m - camera.position_m[2]
    if ray[2] * drop_m <= 0.0:
        return None
    reach = drop_m / ray[2]
    north, east, down = camera.position_m
    return north + reach * ray[0], east + reach * ray[1], down + reach * ray[2]
