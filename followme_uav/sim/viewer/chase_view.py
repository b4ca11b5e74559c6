"""The view of the window: orbit of the camera around the vehicle, overlays, pace of time.

Pure functions: a view and a change give the next view; a view and a vehicle give a camera pose.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from followme_uav.geometry import quaternion_from_pan_tilt, wrap_angle, yaw_of
from followme_uav.messages import CameraPose, Quaternion, Vec3
from followme_uav.sim.pace import REAL_TIME, SPEEDS, Pace

FOV_RAD = math.radians(70.0)
CHASE_DISTANCE_M = 5.0
CHASE_ELEVATION_RAD = math.radians(14.0)
DISTANCE_RANGE_M = (1.5, 120.0)
ELEVATION_RANGE_RAD = (math.radians(-30.0), math.radians(89.0))
ORBIT_RAD_PER_PX = math.radians(0.4)
WHEEL_FACTOR = 1.15
"""Ratio of distances before and after a click of the wheel."""
ABOVE_VEHICLE_M = 0.6
"""Height of the view's centre above the vehicle; it leaves more of the image to what is ahead."""
WALL_GAP_M = 0.4
MIN_HEIGHT_M = 0.3


@dataclass(frozen=True)
class ChaseView:
    """Settings of the window: camera around the vehicle, overlays, pace."""

    azimuth_rad: float | None = None
    """From the vehicle to the camera, clockwise from north; None stays behind the vehicle."""
    elevation_rad: float = CHASE_ELEVATION_RAD
    distance_m: float = CHASE_DISTANCE_M
    inset: bool = True
    """Show the image of the vehicle's camera in a corner."""
    mask: bool = True
    """Tint hero and people in that image."""
    help: bool = True
    """Show the line of help."""
    pace: Pace = REAL_TIME


def with_pace(view: ChaseView, **changes: float | bool) -> ChaseView:
    """Change fields of the pace."""
    return replace(view, pace=replace(view.pace, **changes))  # type: ignore[arg-type]


def change_speed(view: ChaseView, steps: int) -> ChaseView:
    """Go so many steps up or down in `SPEEDS`, as far as its ends."""
    index = SPEEDS.index(view.pace.speed) + steps
    return with_pace(view, speed=SPEEDS[min(max(index, 0), len(SPEEDS) - 1)])


def chase(view: ChaseView) -> ChaseView:
    """Return to the default place behind the vehicle."""
    return replace(
        view,
        azimuth_rad=None,
        elevation_rad=CHASE_ELEVATION_RAD,
        distance_m=CHASE_DISTANCE_M,
    )


def zoom(view: ChaseView, clicks: int) -> ChaseView:
    """Move the camera closer by so many clicks of the wheel; farther for negative ones."""
    low, high = DISTANCE_RANGE_M
    return replace(view, distance_m=min(max(view.distance_m / WHEEL_FACTOR**clicks, low), high))


def orbit(view: ChaseView, right_px: float, down_px: float, heading_rad: float) -> ChaseView:
    """Turn the camera around the vehicle as the mouse is dragged; the chase ends.

    Args:
        view: The view before.
        right_px: Motion of the mouse to the right.
        down_px: Motion of the mouse downwards.
        heading_rad: Heading of the vehicle.
    """
    if not right_px and not down_px:
        return view
    azimuth = heading_rad + math.pi if view.azimuth_rad is None else view.azimuth_rad
    low, high = ELEVATION_RANGE_RAD
    elevation = view.elevation_rad + ORBIT_RAD_PER_PX * down_px
    return replace(
        view,
        azimuth_rad=wrap_angle(azimuth + ORBIT_RAD_PER_PX * right_px),
        elevation_rad=min(max(elevation, low), high),
    )


def camera_pose(
    view: ChaseView,
    position_m: Vec3,
    orientation: Quaternion,
    free_m: Callable[[Vec3, Vec3], float],
) -> CameraPose:
    """The camera that looks at the vehicle, closer where an obstacle would be in between.

    Args:
        view: The view.
        position_m: Position of the vehicle, world NED.
        orientation: Orientation of the vehicle, body to world.
        free_m: Distance from a point along a unit vector to the first obstacle, inf without any.
    """
    azimuth = view.azimuth_rad
    if azimuth is None:
        azimuth = yaw_of(orientation) + math.pi
    level = math.cos(view.elevation_rad)
    out = (
        level * math.cos(azimuth),
        level * math.sin(azimuth),
        -math.sin(view.elevation_rad),
    )
    north, east, down = position_m
    centre = (north, east, down - ABOVE_VEHICLE_M)
    nearest_m = DISTANCE_RANGE_M[0]
    distance_m = min(view.distance_m, max(free_m(centre, out) - WALL_GAP_M, nearest_m))
    north, east, down = (c + distance_m * o for c, o in zip(centre, out, strict=True))
    look = quaternion_from_pan_tilt(azimuth + math.pi, -view.elevation_rad)
    return CameraPose((north, east, min(down, -MIN_HEIGHT_M)), look, FOV_RAD)
