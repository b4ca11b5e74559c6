"""The vehicle's own map in the viewer: a picture on the ground, and the way planned."""

from __future__ import annotations

from typing import Any

import numpy as np
import rerun as rr

from followme_uav.log.entry import FlightEntry
from followme_uav.pilot.map_snapshot import MapSnapshot
from followme_uav.view.colours import MAP_DARK, WAY, rgb
from followme_uav.view.map_colours import coloured_map

MAP_LEGEND = (
    "**Grey** free, **green** ground looked at, **blue** frontier of the unknown, **white** "
    "obstacle, **pink** way planned; in a search **yellow to red** where the hero may be."
)
_END_HALF_M = 0.6
"""Half the side of the square around the end of the way."""


def ground_picture(own_map: MapSnapshot, entry: FlightEntry) -> Any:
    """The map as a picture at the height of the ground below the vehicle.

    The viewer draws the picture's columns along the world's first axis, north, and its rows, the
    last one first, along the second.
    """
    cells = own_map.cells
    picture = np.ascontiguousarray(coloured_map(own_map, MAP_DARK).swapaxes(0, 1)[::-1])
    height, width, _ = picture.shape
    return rr.GridMap(
        data=picture.tobytes(),
        format=rr.encodings.ImageFormat(
            width=width, height=height, color_model="RGB", channel_datatype="U8"
        ),
        cell_size=cells.cell_m,
        translation=(cells.south_m, cells.west_m, _ground_down_m(entry)),
    )


def planned_way(entry: FlightEntry) -> Any:
    """The way at the vehicle's height, with a square around its end; None if there is no way."""
    way_m = () if entry.step.own_map is None else entry.step.own_map.way_m
    if not way_m:
        return None
    here_m = entry.frame.vehicle.position_m
    down_m, (north, east) = here_m[2], way_m[-1]
    way = [here_m, *((*point, down_m) for point in way_m)]
    corners = ((1, 1), (1, -1), (-1, -1), (-1, 1), (1, 1))
    square = [(north + _END_HALF_M * n, east + _END_HALF_M * e, down_m) for n, e in corners]
    return rr.LineStrips3D([way, square], colors=[rgb(WAY)], radii=[rr.Radius.ui_points(1.5)])


def _ground_down_m(entry: FlightEntry) -> float:
    """Height, in NED, of the ground below the vehicle; that of the start if it is not known."""
    inputs = entry.step.inputs
    return 0.0 if inputs is None else entry.frame.vehicle.position_m[2] + inputs.altitude_m
