"""The map in a frame of the video: the city from above, north up, and the paths so far."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw

from followme_uav.geometry import rotate
from followme_uav.log.entry import FlightEntry
from followme_uav.messages import CameraPose, Solid, Vec3
from followme_uav.view.colours import DARK_DECK, DARK_HOUSE, DARK_STREET, DARK_TREE, HERO, STATES
from followme_uav.view.history import History
from followme_uav.view.pictures import NIGHT

SUPERSAMPLING = 2
"""Maps and plots are drawn larger by this factor and then scaled down, which smooths lines."""
_MARGIN_M, _LEAST_M = 15.0, 90.0
_VIEW_M = 14.0
"""Length of the lines that bound the camera's field of view."""
_SOLID_COLOURS = {"building": DARK_HOUSE, "tree": DARK_TREE, "highway": DARK_DECK}


class MapPainter:
    """Draws the map at each entry of a flight; the entries must come in order.

    Args:
        history: Of the whole flight.
        side_px: Width and height of the map.
    """

    def __init__(self, history: History, side_px: int) -> None:
        self._side_px = side_px
        canvas_px = side_px * SUPERSAMPLING
        centre, side_m = history.map_square_m(_MARGIN_M, _LEAST_M)
        self._px_per_m = canvas_px / side_m
        self._north_m, self._west_m = centre[0] + side_m / 2, centre[1] - side_m / 2
        self._canvas = Image.new("RGB", (canvas_px, canvas_px), NIGHT)
        self._draw_city(history)
        self._vehicle_m: Vec3 | None = None
        self._hero_m: Vec3 | None = None

    def paint(self, entry: FlightEntry) -> Image.Image:
        """Extend the paths by this entry, and draw vehicle, hero and field of view."""
        draw = ImageDraw.Draw(self._canvas)
        colour = STATES[entry.step.state]
        vehicle_m = entry.frame.vehicle.position_m
        if entry.truth is not None:
            hero_m = entry.truth.hero_position_m
            self._draw_segment(draw, self._hero_m, hero_m, HERO, 3)
            self._hero_m = hero_m
        self._draw_segment(draw, self._vehicle_m, vehicle_m, colour, 5)
        self._vehicle_m = vehicle_m
        picture = self._canvas.copy()
        draw = ImageDraw.Draw(picture)
        self._draw_field_of_view(draw, entry.frame.camera)
        if self._hero_m is not None:
            self._draw_dot(draw, self._hero_m, 8, HERO)
        self._draw_dot(draw, vehicle_m, 9, colour)
        return picture.resize((self._side_px, self._side_px), Image.Resampling.BOX)

    def _draw_city(self, history: History) -> None:
        draw = ImageDraw.Draw(self._canvas)
        for south, west, north, east in history.flyable_m:
            draw.rectangle((*self._pixel(north, west), *self._pixel(south, east)), DARK_STREET)
        for solid in history.solids_by_height:
            fill = _SOLID_COLOURS.get(solid.name.partition("_")[0])
            if fill is not None:
                self._draw_solid(draw, solid, fill)

    def _draw_solid(self, draw: ImageDraw.ImageDraw, solid: Solid, fill: str) -> None:
        north, east, _ = solid.centre_m
        half_north, half_east, _ = solid.half_size_m
        box = (
            *self._pixel(north + half_north, east - half_east),
            *self._pixel(north - half_north, east + half_east),
        )
        (draw.ellipse if solid.is_round else draw.rectangle)(box, fill)

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
