"""Reduces a depth image to a few points: the nearest obstacles at the vehicle's height.

Obstacle avoidance needs no more, and the points fit into every entry of a log, so that a replay has
the same input as the flight.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from transforms3d.quaternions import quat2mat

from followme_uav.config import DepthConfig
from followme_uav.messages import CameraPose, Vec3

DEPTH_VIS_RANGE_M = 100.0
"""AirSim's DepthVis is black at distance 0 and white from this distance on."""
STRIDE_PX = 2
"""Every second pixel of every second row shows all obstacles that matter."""


def nearest_points(
    shades: NDArray[np.uint8], camera: CameraPose, vehicle_m: Vec3, config: DepthConfig
) -> tuple[Vec3, ...]:
    """Return the nearest point in each vertical strip of the image, world NED.

    A strip without a point in range has none.

    Args:
        shades: (height, width) of a DepthVis image, first row on top. A shade stands for 0.4 m of
            depth; its near end is used.
        camera: Pose and field of view of the camera.
        vehicle_m: The vehicle's centre, world NED.
        config: Number of strips, ranges and heights.
    """
    north_m, east_m, down_m = offsets_m(shades, camera, vehicle_m)
    distance_m = np.sqrt(north_m * north_m + east_m * east_m + down_m * down_m)
    is_obstacle = (
        (np.abs(down_m) <= config.band_m)
        & (distance_m <= config.range_m)
        & (distance_m >= config.own_radius_m)
    )
    distance_m[~is_obstacle] = math.inf
    rows = distance_m.argmin(axis=0)  # of the nearest point in each column
    nearest_m = distance_m.min(axis=0).tolist()
    points = []
    for strip in _strips(len(nearest_m), config.strips):
        column = min(strip, key=nearest_m.__getitem__, default=0)
        if strip and math.isfinite(nearest_m[column]):
            pixel = rows[column], column
            north, east, down = float(north_m[pixel]), float(east_m[pixel]), float(down_m[pixel])
            points.append((vehicle_m[0] + north, vehicle_m[1] + east, vehicle_m[2] + down))
    return tuple(points)


def offsets_m(
    shades: NDArray[np.uint8], camera: CameraPose, origin_m: Vec3
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return where every second pixel of every second row lies: offsets from the origin, NED.

    Each has the shape (height / 2, width / 2).
    """
    shades = shades[::STRIDE_PX, ::STRIDE_PX]
    right, below = _slopes(*shades.shape, camera.fov_rad)
    depth_m = shades.astype(np.float32) * np.float32(DEPTH_VIS_RANGE_M / 255.0)
    north_m, east_m, down_m = (
        depth_m * (ahead + to_right * right + to_below * below) + (camera_m - own_m)
        for (ahead, to_right, to_below), camera_m, own_m in zip(
            quat2mat(camera.orientation).tolist(), camera.position_m, origin_m, strict=True
        )
    )
    return north_m, east_m, down_m


@lru_cache(maxsize=4)
def _slopes(
    rows: int, columns: int, fov_rad: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the slope to the right of each column (1, n), and downwards of each row (n, 1)."""
    half_width = math.tan(fov_rad / 2.0)
    right = half_width * (2.0 * (np.arange(columns) + 0.5) / columns - 1.0)
    below = half_width * (2.0 * (np.arange(rows) + 0.5) / rows - 1.0) * rows / columns
    return right.astype(np.float32)[None, :], below.astype(np.float32)[:, None]


@lru_cache(maxsize=4)
def _strips(columns: int, count: int) -> tuple[range, ...]:
    """Return the columns of each strip, in strips as equal as possible."""
    wider = columns % count
    edges = [i * (columns // count) + min(i, wider) for i in range(count + 1)]
    return tuple(map(range, edges, edges[1:]))
