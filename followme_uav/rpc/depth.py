"""A depth image, boiled down to a few points: the nearest things at the vehicle's height.

The pilot needs to know what it could fly into, not a picture of it; and a few points fit into every
entry of a log, so that a replay sees what the flight saw.
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
"""AirSim's DepthVis is black at the lens and white from here on."""
_STRIDE_PX = 2
"""Every second pixel of every second row is enough for things that matter."""


def nearest_things(
    shades: NDArray[np.uint8], camera: CameraPose, vehicle_m: Vec3, config: DepthConfig
) -> tuple[Vec3, ...]:
    """World points of the nearest thing in each upright strip of the image, if there is one.

    Args:
        shades: (height, width) of a DepthVis image, first row on top. A shade is a range of 0.4 m;
            its near end counts.
        camera: That took it.
        vehicle_m: The vehicle's centre, world NED.
        config: What counts.
    """
    shades = shades[::_STRIDE_PX, ::_STRIDE_PX]
    right, below = _slopes(*shades.shape, camera.fov_rad)
    depth_m = shades.astype(np.float32) * np.float32(DEPTH_VIS_RANGE_M / 255.0)
    # From the vehicle, one (height, width) for each direction of the world.
    north_m, east_m, down_m = (
        depth_m * (ahead + to_right * right + to_below * below) + (camera_m - own_m)
        for (ahead, to_right, to_below), camera_m, own_m in zip(
            quat2mat(camera.orientation).tolist(), camera.position_m, vehicle_m, strict=True
        )
    )
    distance_m = np.sqrt(north_m * north_m + east_m * east_m + down_m * down_m)
    counts = (
        (np.abs(down_m) <= config.band_m)
        & (distance_m <= config.range_m)
        & (distance_m >= config.own_radius_m)
    )
    distance_m[~counts] = math.inf
    rows = distance_m.argmin(axis=0)  # of the nearest thing in each column
    nearest_m = distance_m.min(axis=0).tolist()
    points = []
    for strip in _strips(len(nearest_m), config.strips):
        column = min(strip, key=nearest_m.__getitem__, default=0)
        if strip and math.isfinite(nearest_m[column]):
            spot = rows[column], column
            north, east, down = float(north_m[spot]), float(east_m[spot]), float(down_m[spot])
            points.append((vehicle_m[0] + north, vehicle_m[1] + east, vehicle_m[2] + down))
    return tuple(points)


@lru_cache(maxsize=4)
def _slopes(
    rows: int, columns: int, fov_rad: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How far right each column looks, and how far down each row, one metre deep."""
    half_width = math.tan(fov_rad / 2.0)
    right = half_width * (2.0 * (np.arange(columns) + 0.5) / columns - 1.0)
    below = half_width * (2.0 * (np.arange(rows) + 0.5) / rows - 1.0) * rows / columns
    return right.astype(np.float32)[None, :], below.astype(np.float32)[:, None]


@lru_cache(maxsize=4)
def _strips(columns: int, count: int) -> tuple[range, ...]:
    """The columns of each strip, as even as can be."""
    wider = columns % count
    edges = [i * (columns // count) + min(i, wider) for i in range(count + 1)]
    return tuple(map(range, edges, edges[1:]))
