"""What a person at the window wants to see, and what her keys and mouse change about it.

Pure: an event and the present wishes give the next wishes; wishes and a vehicle give a camera.
`KEYS` is the only list of keys; the line of help is made of it.
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
ABOVE_VEHICLE_M = 0.6
"""The view is centred this far above the vehicle, which leaves more of it to what lies ahead."""
WALL_GAP_M = 0.4
MIN_HEIGHT_M = 0.3


@dataclass(frozen=True)
class View:
    """From where, with what on top, and at which pace."""

    azimuth_rad: float | None = None
    """From the vehicle to the eye, clockwise from north; None stays behind the vehicle."""
    elevation_rad: float = CHASE_ELEVATION_RAD
    distance_m: float = CHASE_DISTANCE_M
    inset: bool = True
    mask: bool = True
    help: bool = True
    pace: Pace = REAL_TIME


def with_pace(view: View, **changes: float | bool) -> View:
    """The view at another pace."""
    return replace(view, pace=replace(view.pace, **changes))  # type: ignore[arg-type]


def change_speed(view: View, steps: int) -> View:
    """So many speeds up or down in `SPEEDS`; at its ends nothing changes."""
    index = SPEEDS.index(view.pace.speed) + steps
    return with_pace(view, speed=SPEEDS[min(max(index, 0), len(SPEEDS) - 1)])


def chase(view: View) -> View:
    """Back behind the vehicle."""
    return replace(
        view,
        azimuth_rad=None,
        elevation_rad=CHASE_ELEVATION_RAD,
        distance_m=CHASE_DISTANCE_M,
    )


def zoom(view: View, clicks: int) -> View:
    """Closer by so many clicks of the wheel, or further away."""
    low, high = DISTANCE_RANGE_M
    return replace(view, distance_m=min(max(view.distance_m / WHEEL_FACTOR**clicks, low), high))


def orbit(view: View, right_px: float, down_px: float, heading_rad: float) -> View:
    """Around the vehicle, as if the mouse dragged the city; from a chase on, the eye stays behind.

    Args:
        view: before.
        right_px: how far the mouse went right.
        down_px: how far it went down.
        heading_rad: of the vehicle.
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


@dataclass(frozen=True)
class Key:
    """One thing to do, and the events that ask for it."""

    events: tuple[str, ...]
    """As Panda3D names them."""
    label: str
    does: str
    change: Callable[[View], View]


KEYS = (
    Key(("space",), "Space", "pause", lambda view: with_pace(view, held=not view.pace.held)),
    Key(("-",), "-", "slower", lambda view: change_speed(view, -1)),
    Key(("+", "="), "+", "faster", lambda view: change_speed(view, 1)),
    Key(("1",), "1", "real time", lambda view: with_pace(view, speed=1.0)),
    Key(("c",), "C", "chase", chase),
    Key(("p",), "P", "picture", lambda view: replace(view, inset=not view.inset)),
    Key(("m",), "M", "mask", lambda view: replace(view, mask=not view.mask)),
    Key(("h",), "H", "help", lambda view: replace(view, help=not view.help)),
    Key(("escape",), "Esc", "quit", lambda view: with_pace(view, quit=True)),
)
MOUSE_HELP = (("Drag", "orbit"), ("Wheel", "distance"))
_WHEEL = {"wheel_up": 1, "wheel_down": -1}
_KEY_OF_EVENT = {event: key for key in KEYS for event in key.events}


def react(view: View, event: str) -> View:
    """The view after an event; unknown ones change nothing."""
    if event in _WHEEL:
        return zoom(view, _WHEEL[event])
    key = _KEY_OF_EVENT.get(event)
    return view if key is None else key.change(view)


def eye(
    view: View,
    position_m: Vec3,
    orientation: Quaternion,
    free_m: Callable[[Vec3, Vec3], float],
) -> CameraPose:
    """The camera that looks at the vehicle, closer where something would be in between.

    Args:
        view: from where.
        position_m: of the vehicle, world NED.
        orientation: of the vehicle, body to world.
        free_m: from a point along a unit vector to the first obstacle, inf without any.
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
