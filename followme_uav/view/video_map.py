"""The map in a frame of the video: the city from above, north up, and the paths so far.

In a flight without a map it is the map that the vehicle makes, with the true outlines of the
buildings and the way planned.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from PIL import Image, ImageDraw

from followme_uav.geometry import rotate
from followme_uav.log.entry import FlightEntry
from followme_uav.messages import CameraPose, Solid, Vec2, Vec3
from followme_uav.pilot.map_snapshot import MapSnapshot
from followme_uav.view.colours import (
    DARK_DECK,
    DARK_HOUSE,
    DARK_STREET,
    DARK_TREE,
    HERO,
    MAP_DARK,
    STATES,
    WAY,
)
from followme_uav.view.history import History
from followme_uav.view.map_colours import coloured_map
from followme_uav.view.pictures import NIGHT

SUPERSAMPLING = 2
"""Maps and plots are drawn larger by this factor and then scaled down, which smooths lines."""
_MARGIN_M, _LEAST_M = 15.0, 90.0
_OWN_MARGIN_M = 30.0
"""Of a map that the vehicle makes: as far as the camera looks."""
_DASH_M = 1.5
_VIEW_M = 14.0
"""Length of the lines that bound the camera's field of view."""
_SOLID_COLOURS = {"building": DARK_HOUSE, "tree": DARK_TREE, "highway": DARK_DECK}


class MapPainter:
    """Draws the map at each entry of a flight; the entries must come in order.

    Args:
        history: Of the whole flight.
        side_px: Width and height of the map.
        legend_px: Height at the lower edge that something else covers.
    """

    def __init__(self, history: History, side_px: int, legend_px: int = 0) -> None:
        self._side_px = side_px
        canvas_px = side_px * SUPERSAMPLING
        margin_m = _OWN_MARGIN_M if history.makes_map else _MARGIN_M
        centre, side_m = history.map_square_m(margin_m, _LEAST_M)
        shown_m = side_m
        side_m *= side_px / (side_px - legend_px)
        self._px_per_m = canvas_px / side_m
        self._north_m, self._west_m = centre[0] + shown_m / 2, centre[1] - side_m / 2
        self._history = history
        self._ground = Image.new("RGB", (canvas_px, canvas_px), NIGHT)
        if not history.makes_map:
            self._draw_city(history)
        self._paths = Image.new("RGBA", (canvas_px, canvas_px))
        self._vehicle_m: Vec3 | None = None
        self._hero_m: Vec3 | None = None

    def paint(self, entry: FlightEntry, own_map: MapSnapshot | None = None) -> Image.Image:
        """Extend the paths by this entry, and draw vehicle, hero and field of view.

        Args:
            entry: The next one.
            own_map: The vehicle's own map; None keeps the last one.
        """
        if own_map is not None:
            self._draw_own_map(own_map)
        draw = ImageDraw.Draw(self._paths)
        colour = STATES[entry.step.state]
        vehicle_m = entry.frame.vehicle.position_m
        if entry.truth is not None:
            hero_m = entry.truth.hero_position_m
            self._draw_segment(draw, self._hero_m, hero_m, HERO, 3)
            self._hero_m = hero_m
        self._draw_segment(draw, self._vehicle_m, vehicle_m, colour, 5)
        self._vehicle_m = vehicle_m
        picture = self._ground.copy()
        picture.paste(self._paths, (0, 0), self._paths)
        draw = ImageDraw.Draw(picture)
        if entry.step.own_map is not None:
            self._draw_way(draw, (vehicle_m[:2], *entry.step.own_map.way_m))
        self._draw_field_of_view(draw, entry.frame.camera)
        if self._hero_m is not None:
            self._draw_dot(draw, self._hero_m, 8, HERO)
        self._draw_dot(draw, vehicle_m, 9, colour)
        return picture.resize((self._side_px, self._side_px), Image.Resampling.BOX)

    def _draw_own_map(self, own_map: MapSnapshot) -> None:
        cells, size = own_map.cells, self._ground.width
        left, top = self._pixel(cells.north_m, cells.west_m)
        right, bottom = self._pixel(cells.south_m, cells.east_m)
        image = Image.fromarray(coloured_map(own_map, MAP_DARK)[::-1])
        scaled = image.resize(
            (max(round(right - left), 1), max(round(bottom - top), 1)), Image.Resampling.NEAREST
        )
        self._ground.paste(MAP_DARK.unknown, (0, 0, size, size))
        self._ground.paste(scaled, (round(left), round(top)))
        draw = ImageDraw.Draw(self._ground)
        for solid in self._history.solids_by_height:
            if solid.name.startswith("building"):
                draw.rectangle(self._box(solid), outline=DARK_HOUSE, width=2)

    def _draw_way(self, draw: ImageDraw.ImageDraw, way_m: Sequence[Vec2]) -> None:
        """Dashes along the way, and a ring around its end; nothing for a way of one point."""
        if len(way_m) < 2:
            return
        for one, other in dashes(way_m, _DASH_M):
            draw.line([self._pixel(*one), self._pixel(*other)], WAY, 3)
        x, y = self._pixel(*way_m[-1])
        draw.ellipse((x - 10, y - 10, x + 10, y + 10), outline=WAY, width=4)

    def _draw_city(self, history: History) -> None:
        draw = ImageDraw.Draw(self._ground)
        for south, west, north, east in history.flyable_m:
            draw.rectangle((*self._pixel(north, west), *self._pixel(south, east)), DARK_STREET)
        for solid in history.solids_by_height:
            fill = _SOLID_COLOURS.get(solid.name.partition("_")[0])
            if fill is not None:
                self._draw_solid(draw, solid, fill)

    def _draw_solid(self, draw: ImageDraw.ImageDraw, solid: Solid, fill: str) -> None:
        (draw.ellipse if solid.is_round else draw.rectangle)(self._box(solid), fill)

    def _box(self, solid: Solid) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of a solid, in pixels."""
        north, east, _ = solid.centre_m
        half_north, half_east, _ = solid.half_size_m
        return (
            *self._pixel(north + half_north, east - half_east),
            *self._pixel(north - half_north, east + half_east),
        )

    def _draw_segment(
        self, draw: ImageDraw.ImageDraw, start_m: Vec3 | None, end_m: Vec3, fill: str, width: int
    ) -> None:
        if start_m is not None:
            ends = [self._pixel(*start_m[:2]), self._pixel(*end_m[:2])]
            draw.line(ends, fill, width, joint="curve")

    def _draw_dot(self, draw: ImageDraw.ImageDraw, place_m: Vec3, radius: int, fill: str) -> None:
        x, y = self._pixel(*place_m[:2])
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill, "white", 3)

    def _draw_field_of_view(self, draw: ImageDraw.ImageDraw, camera: CameraPose) -> None:
        start = self._pixel(*camera.position_m[:2])
        for side in (-camera.fov_rad / 2, camera.fov_rad / 2):
            north, east, _ = rotate(camera.orientation, (math.cos(side), math.sin(side), 0.0))
            scale = max(math.hypot(north, east), 1e-6) / _VIEW_M
            end = camera.position_m[0] + north / scale, camera.position_m[1] + east / scale
            draw.line([start, self._pixel(*end)], "#c8cdd2", 2)

    def _pixel(self, north_m: float, east_m: float) -> tuple[float, float]:
        return (east_m - self._west_m) * self._px_per_m, (self._north_m - north_m) * self._px_per_m


def dashes(points_m: Sequence[Vec2], length_m: float) -> Iterator[tuple[Vec2, Vec2]]:
    """Begin and end of dashes along a line, with gaps of the same length between them."""
    begin_m, is_dash, left_m = points_m[0], True, length_m
    for end_m in points_m[1:]:
        while (distance_m := math.dist(begin_m, end_m)) > left_m:
            share = left_m / distance_m
            turn_m = (
                begin_m[0] + share * (end_m[0] - begin_m[0]),
                begin_m[1] + share * (end_m[1] - begin_m[1]),
            )
            if is_dash:
                yield begin_m, turn_m
            begin_m, is_dash, left_m = turn_m, not is_dash, length_m
        if is_dash and distance_m > 0.0:
            yield begin_m, end_m
        begin_m, left_m = end_m, left_m - distance_m
