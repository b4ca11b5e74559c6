"""Lidars: the directions of the laser beams of a scan, and the points that they hit.

As in AirSim a scan covers a tenth of a second: the lidar fires a tenth of its points per second
while it rotates. The first direction depends on the simulated time alone, so equal flights get
equal points. A scan shows one instant: nothing moves during a scan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transforms3d.quaternions import quat2mat

from followme_uav.geometry import multiply, rotate
from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.vehicle.equipment import LidarMount
from followme_uav.sim.vehicle.vehicle import Vehicle

SCAN_S = 0.1
MAX_POINTS = 100_000
"""Largest number of points of one scan, as in AirSim."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scan:
    """The points of one lidar at one instant."""

    position_m: Vec3
    """Lidar in the world, NED."""
    orientation: Quaternion
    """Lidar to world."""
    points_m: Floats
    """(n, 3), in the frame of the mount's setting; channel by channel, in the order of firing."""
    met: NDArray[np.int32]
    """(n,) number of the solid that each point is on, for `Vehicle.met_name`."""


def scan(mount: LidarMount, vehicle: Vehicle, since_start_s: float) -> Scan:
    """Measure with a lidar on a vehicle.

    Args:
        mount: the lidar.
        vehicle: the vehicle that carries it.
        since_start_s: simulated time at the end of the scan.
    """
    offset = rotate(vehicle.orientation, mount.position_m)
    n, e, d = (p + o for p, o in zip(vehicle.position_m, offset, strict=True))
    orientation = multiply(vehicle.orientation, mount.orientation)
    first_deg = 360.0 * mount.rotations_per_second * (since_start_s - SCAN_S)
    rays = directions(mount, round(first_deg % 360.0, 6))
    to_world = quat2mat(orientation).T
    world_rays = rays @ to_world
    distance_m, met = vehicle.cast((n, e, d), world_rays, mount.range_m)
    hit = met >= 0
    reach_m = distance_m[hit, None]
    if mount.in_sensor_frame:
        points_m = rays[hit] * reach_m
    else:
        points_m = np.array((n, e, d)) + world_rays[hit] * reach_m
    return Scan((n, e, d), orientation, points_m, met[hit])


@lru_cache(maxsize=16)
def directions(mount: LidarMount, first_deg: float) -> Floats:
    """(n, 3) unit vectors in the lidar's frame: forward, right, down.

    Args:
        mount: the lidar.
        first_deg: azimuth at the begin of the scan, clockwise from ahead; 0 to 360.
    """
    total = min(round(mount.points_per_second * SCAN_S), MAX_POINTS)
    columns = round(total / mount.channels)
    if columns == 0:
        return np.zeros((0, 3))
    swept_deg = 360.0 * mount.rotations_per_second * SCAN_S
    azimuth_deg = np.fmod(
        first_deg + np.arange(columns, dtype=float) * (swept_deg / columns), 360.0
    )
    inside = _is_between(azimuth_deg, *mount.horizontal_deg)
    azimuth = np.radians(azimuth_deg[inside])
    elevation = np.radians(np.linspace(*mount.vertical_deg, mount.channels))[:, None]
    level = np.cos(elevation)
    down = np.broadcast_to(-np.sin(elevation), (mount.channels, len(azimuth)))
    rays = np.stack((level * np.cos(azimuth), level * np.sin(azimuth), down), axis=-1)
    rays = rays.reshape(-1, 3)
    rays.flags.writeable = False
    return rays


def _is_between(
    angle_deg: NDArray[np.floating[Any]], start_deg: float, end_deg: float
) -> NDArray[np.bool_]:
    """Whether angles lie in the sector from start to end, clockwise; 360 degrees hold all."""
    if abs(end_deg - start_deg) >= 360.0:
        return np.ones(len(angle_deg), dtype=bool)
    start, end = math.fmod(360.0 + start_deg, 360.0), math.fmod(360.0 + end_deg, 360.0)
    if start < end:
        return (start <= angle_deg) & (angle_deg <= end)
    return (start <= angle_deg) | (angle_deg <= end)
