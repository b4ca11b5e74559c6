"""Reduces a depth image to a fan of ranges at the vehicle's height, for a map of free space.

As in a laser scan made from a depth image: each ray ends at the nearest point in the height band
around the vehicle. Without such a point it ends where the last line of sight sinks below the
vehicle: nothing is known about the space beyond. The band reaches farther up than down, and what
clears a space must pass near to the vehicle's height: crowns and awnings begin above a line of
sight that leads down. The ranges are whole decimetres, so that the log holds
exactly what the flight has used.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from followme_uav.config import DepthConfig
from followme_uav.messages import SCAN_STEP_DEG, CameraPose, RangeScan, Vec3
from followme_uav.rpc.depth import STRIDE_PX, offsets_m

_RAYS = 360 // SCAN_STEP_DEG
_NOTHING_WITHIN_RANGE = 255
"""Shade of a pixel that shows nothing within the range of the depth image."""


def range_scan(
    shades: NDArray[np.uint8], camera: CameraPose, vehicle_m: Vec3, config: DepthConfig
) -> RangeScan:
    """Return the scan of one depth image; without rays where it shows nothing of the band.

    Args:
        shades: (height, width) of a DepthVis image, first row on top.
        camera: Pose and field of view of the camera; the rays begin at it.
        vehicle_m: The vehicle's centre, world NED.
        config: Range and height of the band.
    """
    north_m, east_m, down_m = offsets_m(shades, camera, camera.position_m)
    reach_m = np.hypot(north_m, east_m)
    below_m = down_m + np.float32(camera.position_m[2] - vehicle_m[2])
    is_hit = (
        (below_m <= config.band_m)
        & (below_m >= -config.above_m)
        & (reach_m <= config.scan_range_m)
        & (shades[::STRIDE_PX, ::STRIDE_PX] < _NOTHING_WITHIN_RANGE)
    )
    # A line of sight shows free space as far as it is hardly lower than the vehicle.
    off_share = np.maximum(below_m / config.free_m, -below_m / config.above_m)
    free_m = reach_m / np.maximum(off_share, 1.0)
    free_m = np.minimum(free_m, config.scan_range_m)
    azimuth_rad = np.arctan2(east_m, north_m)
    ray = np.floor(azimuth_rad * (180.0 / math.pi / SCAN_STEP_DEG)).astype(np.intp) % _RAYS
    is_own = np.hypot(reach_m, down_m) < config.own_radius_m
    farthest_m = np.zeros(_RAYS)
    np.maximum.at(farthest_m, ray[~is_own], free_m[~is_own])
    nearest_m = np.full(_RAYS, np.inf)
    is_hit &= ~is_own
    np.minimum.at(nearest_m, ray[is_hit], reach_m[is_hit])
    reach_dm = np.where(np.isfinite(nearest_m), -10.0 * nearest_m, 10.0 * farthest_m)
    return _fan(np.trunc(reach_dm).astype(int).tolist())


def _fan(circle_dm: list[int]) -> RangeScan:
    """The part of the circle that was seen: everything but its longest gap."""
    seen = [ray for ray, reach_dm in enumerate(circle_dm) if reach_dm]
    if not seen:
        return RangeScan(0, ())
    gaps = [
        (after - before) % _RAYS or _RAYS
        for before, after in zip(seen, seen[1:] + seen[:1], strict=True)
    ]
    last = max(range(len(seen)), key=gaps.__getitem__)
    first = seen[(last + 1) % len(seen)]
    count = _RAYS - gaps[last] + 1
    return RangeScan(first, tuple(circle_dm[(first + i) % _RAYS] for i in range(count)))
