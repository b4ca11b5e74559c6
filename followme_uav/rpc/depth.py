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
    rays = _rays(*shades.shape, camera.fov_rad) @ quat2mat(camera.orientation).T.astype(np.float32)
    depth_m = shades.astype(np.float32) * np.float32(DEPTH_VIS_RANGE_M / 255.0)
    offset_m = np.subtract(camera.position_m, vehicle_m, dtype=np.float32)
    reach_m = rays * depth_m[:, :, None] + offset_m  # (height, width, 3) from the vehicle
    distance_m = np.linalg.norm(reach_m, axis=2)
    counts = (
        (np.abs(reach_m[:, :, 2]) <= config.band_m)
        & (distance_m <= config.range_m)
        & (distance_m >= config.own_radius_m)
    )
    distance_m[~counts] = math.inf
    points = []
    for strip in np.array_split(np.arange(shades.shape[1]), config.strips):
        if strip.size == 0:
            continue
        part = distance_m[:, strip[0] : strip[-1] + 1]
        row, column = np.unravel_index(part.argmin(), part.shape)
        if math.isfinite(part[row, column]):
            north, east, down = (float(x) for x in reach_m[row, strip[0] + column])
            points.append((vehicle_m[0] + north, vehicle_m[1] + east, vehicle_m[2] + down))
    return tuple(points)


@lru_cache(maxsize=4)
def _rays(rows: int, columns: int, fov_rad: float) -> NDArray[np.float32]:
    """(rows, columns, 3) direction of each pixel in the camera's frame, one metre deep."""
    half_width = math.tan(fov_rad / 2.0)
    right = half_width * (2.0 * (np.arange(columns) + 0.5) / columns - 1.0)
    down = half_width * (2.0 * (np.arange(rows) + 0.5) / rows - 1.0) * rows / columns
    grid = np.stack(np.broadcast_arrays(1.0, right[None, :], down[:, None]), axis=2)
    return grid.astype(np.float32)
