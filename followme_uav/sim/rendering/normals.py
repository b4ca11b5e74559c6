"""Surface normals of an image, computed from its depth.

Depth gives the point that each pixel shows; the steps to a neighbour in its row and one in its
column span the surface. Of the two neighbours along an axis, the one with the smaller difference in
depth counts: at the edge of an object it is the one on the same surface.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from followme_uav.geometry import rotate
from followme_uav.messages import CameraPose

Floats = NDArray[np.float32]


def pixel_slopes(camera: CameraPose, width_px: int, height_px: int) -> tuple[Floats, Floats]:
    """(width,) metres right and (height,) metres down per metre of depth, at pixel centres."""
    half = math.tan(0.5 * camera.fov_rad)
    right = ((np.arange(width_px) + 0.5) / width_px * 2.0 - 1.0) * half
    down = ((np.arange(height_px) + 0.5) / height_px * 2.0 - 1.0) * half * height_px / width_px
    return right.astype(np.float32), down.astype(np.float32)


def world_normals(depth_m: Floats, camera: CameraPose, sky_from_m: float) -> Floats:
    """(height, width, 3) unit normals that point towards the camera, world NED.

    Args:
        depth_m: (height, width) along the optical axis.
        camera: The camera of the image.
        sky_from_m: Depth from which on pixels show sky; their normals are zero.
    """
    height, width = depth_m.shape
    right, down = pixel_slopes(camera, width, height)
    points = np.stack(
        (depth_m, depth_m * right[None, :], depth_m * down[:, None]), axis=2
    )  # camera: forward, right, down
    across, along = _towards_neighbour(points, 1), _towards_neighbour(points, 0)
    normals = np.cross(across, along)
    # Choose the direction against the line of sight.
    facing = np.einsum("ijk,ijk->ij", normals, points)
    normals *= np.where(facing > 0.0, -1.0, 1.0)[:, :, None]
    length = np.sqrt(np.einsum("ijk,ijk->ij", normals, normals))
    normals /= np.maximum(length, 1e-12)[:, :, None]
    normals[depth_m >= sky_from_m] = 0.0
    axes = [rotate(camera.orientation, axis) for axis in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    turned: Floats = normals @ np.array(axes, dtype=np.float32)
    return turned


def _towards_neighbour(points: Floats, axis: int) -> Floats:
    """Step to the next pixel along an axis, or from the previous one if its depth differs less."""
    step = np.diff(points, axis=axis)
    first, last = np.take(step, [0], axis=axis), np.take(step, [-1], axis=axis)
    ahead = np.concatenate((step, last), axis=axis)
    behind = np.concatenate((first, step), axis=axis)
    nearer = np.abs(ahead[:, :, :1]) <= np.abs(behind[:, :, :1])
    return np.where(nearer, ahead, behind)
