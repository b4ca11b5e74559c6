"""One picture that shows a moment of a flight: camera, mask, map, plots and state, side by side."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from followme_uav.geometry import rotate
from followme_uav.log.entry import FlightEntry
from followme_uav.messages import CameraPose, Solid, Vec3
from followme_uav.view.colours import (
    DARK_DECK,
    DARK_HOUSE,
    DARK_STREET,
    DARK_TREE,
    GREY,
    HERO,
    STATES,
    rgb,
)
from followme_uav.view.history import History
from followme_uav.view.panels import FLIGHT_PANELS, Line, Panel
from followme_uav.view.pictures import NIGHT, PANEL, camera_picture, font, mask_picture

SIZE_PX = (1280, 720)
"""Even, as video encoders want it."""
_GAP = 16
_HEAD, _FOOT = 52, 44
_CAMERA_PX = SIZE_PX[1] - _HEAD - _FOOT - 2 * _GAP
_SMALL_PX = (SIZE_PX[0] - _CAMERA_PX - 4 * _GAP) // 2
_RIGHT = _CAMERA_PX + 2 * _GAP
_PLOT_SIZE = (2 * _SMALL_PX + _GAP, _CAMERA_PX - _SMALL_PX - _GAP)
_TEXT = "#e8eaed"
_SHOWN = ("distance", "speed")
_LINE_LIMIT = 3
_OVER = 2
"""Lines are drawn this much too large and then shrunk, which smooths them."""
_MAP_MARGIN_M, _MAP_LEAST_M = 15.0, 90.0
_AHEAD = 0.35
"""How bright what is still to come is, next to what was."""
_SIGHT_M = 14.0


class VideoPainter:
    """Draws moments of one flight, which must come in order.

    Args:
        history: of the whole flight: what lies ahead is shown, too, though dimly.
        name: of the flight, shown in the corner.
    """

    def __init__(self, history: History, name: str) -> None:
        self._history = history
        self._name = name
        self._length_s = max(float(history.time_s[-1]), 0.1) if len(history.time_s) else 1.0
        self._start_s: float | None = None
        self._map = _Map(history)
        self._plots = _draw_plots(history, _PLOT_SIZE, self._length_s)
        self._band = _draw_band(history, (SIZE_PX[0] - 2 * _GAP, 18), self._length_s)

    def paint(self, entry: FlightEntry) -> Image.Image:
        """The next moment, `SIZE_PX` large."""
        if self._start_s is None:
            self._start_s = entry.frame.time_s
        time_s = entry.frame.time_s - self._start_s
        share = min(time_s / self._length_s, 1.0)
        picture = Image.new("RGB", SIZE_PX, NIGHT)
        picture.paste(camera_picture(entry, _CAMERA_PX), (_GAP, _HEAD + _GAP))
        picture.paste(mask_picture(entry.step.mask, _SMALL_PX), (_RIGHT, _HEAD + _GAP))
        picture.paste(self._map.picture(entry), (_RIGHT + _SMALL_PX + _GAP, _HEAD + _GAP))
        plots_at = (_RIGHT, _HEAD + 2 * _GAP + _SMALL_PX)
        picture.paste(_so_far(self._plots, share), plots_at)
        band_at = (_GAP, SIZE_PX[1] - _FOOT + 2)
        picture.paste(_so_far(self._band, share), band_at)
        draw = ImageDraw.Draw(picture)
        x = band_at[0] + share * (self._band[0].width - 1)
        draw.line((x, band_at[1] - 5, x, band_at[1] + self._band[0].height + 4), _TEXT, 2)
        self._write_head(draw, entry, time_s)
        for text, place in (("camera", _GAP), ("mask", _RIGHT), ("map", _RIGHT + _SMALL_PX + _GAP)):
            _label(draw, text, place + 8, _HEAD + _GAP + 8)
        return picture

    def _write_head(self, draw: ImageDraw.ImageDraw, entry: FlightEntry, time_s: float) -> None:
        state, middle = entry.step.state, _HEAD / 2 + 8
        chip = (_GAP, middle - 16, _GAP + 136, middle + 16)
        draw.rounded_rectangle(chip, 8, STATES[state])
        draw.text((_GAP + 68, middle), state.value.upper(), "white", font(19), "mm")
        draw.text((_GAP + 156, middle), f"{time_s:5.1f} s", _TEXT, font(22), "lm")
        vehicle, hero = entry.frame.vehicle, entry.step.track
        facts = [
            ("height", f"{-vehicle.position_m[2]:.1f} m"),
            ("speed", f"{math.hypot(*vehicle.velocity_mps[:2]):.1f} m/s"),
        ]
        if hero is not None:
            distance_m = math.dist(hero.position_m, entry.frame.camera.position_m)
            facts.append(("to the hero", f"{distance_m:.1f} m"))
        for number, (what, value) in enumerate(facts):
            x = _RIGHT - 300.0 + 175 * number
            draw.text((x, middle), what, GREY, font(16), "lm")
            x += draw.textlength(what, font(16)) + 8
            draw.text((x, middle), value, _TEXT, font(18), "lm")
        draw.text((SIZE_PX[0] - _GAP, middle), self._name, GREY, font(16), "rm")


class _Map:
    """The city from above, north up, and the paths as far as they have been flown."""

    def __init__(self, history: History) -> None:
        places = np.vstack([history.vehicle_m[:, :2], history.hero_m[:, :2]])
        places = places[np.isfinite(places).all(axis=1)]
        low, high = (
            (places.min(axis=0), places.max(axis=0)) if len(places) else (np.zeros(2), np.zeros(2))
        )
        side_m = max(float((high - low).max()) + 2 * _MAP_MARGIN_M, _MAP_LEAST_M)
        self._side_px = _SMALL_PX * _OVER
        self._scale = self._side_px / side_m
        middle = (low + high) / 2
        self._north_m, self._west_m = middle[0] + side_m / 2, middle[1] - side_m / 2
        self._canvas = Image.new("RGB", (self._side_px, self._side_px), NIGHT)
        self._draw_city(history)
        self._vehicle_m: Vec3 | None = None
        self._hero_m: Vec3 | None = None

    def picture(self, entry: FlightEntry) -> Image.Image:
        """With this entry's piece of path, and where everybody is."""
        draw = ImageDraw.Draw(self._canvas)
        colour = STATES[entry.step.state]
        place_m = entry.frame.vehicle.position_m
        if entry.truth is not None:
            hero_m = entry.truth.hero_position_m
            self._draw_piece(draw, self._hero_m, hero_m, HERO, 3)
            self._hero_m = hero_m
        self._draw_piece(draw, self._vehicle_m, place_m, colour, 5)
        self._vehicle_m = place_m
        now = self._canvas.copy()
        draw = ImageDraw.Draw(now)
        self._draw_sight(draw, entry.frame.camera)
        if self._hero_m is not None:
            self._draw_dot(draw, self._hero_m, 8, HERO)
        self._draw_dot(draw, place_m, 9, colour)
        return now.resize((_SMALL_PX, _SMALL_PX), Image.Resampling.BOX)

    def _draw_city(self, history: History) -> None:
        draw = ImageDraw.Draw(self._canvas)
        for south, west, north, east in history.flyable_m:
            draw.rectangle((*self._pixel(north, west), *self._pixel(south, east)), DARK_STREET)
        kinds = {"building": DARK_HOUSE, "tree": DARK_TREE, "highway": DARK_DECK}
        for solid in sorted(history.solids, key=lambda s: s.half_size_m[2] - s.centre_m[2]):
            fill = kinds.get(solid.name.partition("_")[0])
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

    def _draw_piece(
        self, draw: ImageDraw.ImageDraw, start_m: Vec3 | None, end_m: Vec3, fill: str, width: int
    ) -> None:
        if start_m is not None:
            ends = [self._pixel(*start_m[:2]), self._pixel(*end_m[:2])]
            draw.line(ends, fill, width, joint="curve")

    def _draw_dot(self, draw: ImageDraw.ImageDraw, place_m: Vec3, radius: int, fill: str) -> None:
        x, y = self._pixel(*place_m[:2])
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill, "white", 3)

    def _draw_sight(self, draw: ImageDraw.ImageDraw, camera: CameraPose) -> None:
        start = self._pixel(*camera.position_m[:2])
        for side in (-camera.fov_rad / 2, camera.fov_rad / 2):
            north, east, _ = rotate(camera.orientation, (math.cos(side), math.sin(side), 0.0))
            level = max(math.hypot(north, east), 1e-6) / _SIGHT_M
            end = camera.position_m[0] + north / level, camera.position_m[1] + east / level
            draw.line([start, self._pixel(*end)], "#c8cdd2", 2)

    def _pixel(self, north_m: float, east_m: float) -> tuple[float, float]:
        return (east_m - self._west_m) * self._scale, (self._north_m - north_m) * self._scale


def _so_far(pictures: tuple[Image.Image, Image.Image], share: float) -> Image.Image:
    """The first picture on the left of the cursor, the second, of what is ahead, on the right."""
    past, ahead = pictures
    now = ahead.copy()
    now.paste(past.crop((0, 0, round(share * past.width), past.height)), (0, 0))
    return now


def _draw_band(
    history: History, size: tuple[int, int], length_s: float
) -> tuple[Image.Image, Image.Image]:
    past = Image.new("RGB", size, NIGHT)
    draw = ImageDraw.Draw(past)
    for state, start_s, end_s in history.state_spans:
        left, right = (round(t / length_s * size[0]) for t in (start_s, end_s))
        draw.rectangle((left, 0, right, size[1]), STATES[state])
    return past, _dimmed(past)


def _dimmed(picture: Image.Image) -> Image.Image:
    return Image.blend(Image.new("RGB", picture.size, NIGHT), picture, _AHEAD)


def _draw_plots(
    history: History, size: tuple[int, int], length_s: float
) -> tuple[Image.Image, Image.Image]:
    """Some panels of the flight below each other: as they were, and dimmed."""
    panels = [panel for panel in FLIGHT_PANELS if panel.key in _SHOWN and history.has(panel)]
    picture = Image.new("RGB", size, NIGHT)
    height = size[1] // max(len(panels), 1)
    for row, panel in enumerate(panels):
        plot = _draw_plot(history, panel, (size[0], height - 8), length_s)
        picture.paste(plot, (0, row * height))
    ahead = _dimmed(picture)
    for row, panel in enumerate(panels):
        for shown in (picture, ahead):
            _write_legend(ImageDraw.Draw(shown), panel, row * height)
    return picture, ahead


def _draw_plot(
    history: History, panel: Panel, size: tuple[int, int], length_s: float
) -> Image.Image:
    canvas = Image.new("RGB", (size[0] * _OVER, size[1] * _OVER), PANEL)
    draw = ImageDraw.Draw(canvas)
    top, bottom = 26 * _OVER, canvas.height - 6 * _OVER
    lines = _lines(panel)
    values = np.concatenate([history.values[panel.key, line.label] for line in lines])
    highest = float(np.nanmax(values, initial=1.0)) if np.isfinite(values).any() else 1.0
    low, high = panel.limits[0] or 0.0, panel.limits[1] or 1.08 * highest
    for line in lines:
        series = history.values[panel.key, line.label]
        x = history.time_s / length_s * canvas.width
        y = bottom - (np.clip(series, low, high) - low) / (high - low) * (bottom - top)
        for piece in _unbroken(x, y):
            draw.line(piece, _visible(line), (1 if line.is_aim else 2) * _OVER, joint="curve")
    plot = canvas.resize(size, Image.Resampling.BOX)
    draw = ImageDraw.Draw(plot)
    draw.text((10, top / _OVER), f"{high:.0f}", GREY, font(12), "lm")
    draw.text((10, bottom / _OVER), f"{low:.0f}", GREY, font(12), "lb")
    return plot


def _lines(panel: Panel) -> list[Line]:
    """The first few of the panel, and what is aimed at."""
    return [line for line in panel.lines if line.label != "uncertainty"]


def _write_legend(draw: ImageDraw.ImageDraw, panel: Panel, y: int) -> None:
    x = 10.0
    draw.text((x, y + 14), f"{panel.title} ({panel.unit})", _TEXT, font(15), "lm")
    x = _PLOT_SIZE[0] - 10
    for line in reversed(_lines(panel)):
        draw.text((x, y + 14), line.label, _visible(line), font(14), "rm")
        x -= draw.textlength(line.label, font(14)) + 18


def _visible(line: Line) -> tuple[int, int, int]:
    """A colour that can be seen on dark ground."""
    paint = rgb(line.colour)
    return paint if max(paint) > 100 else (232, 234, 237)


def _unbroken(x: np.ndarray, y: np.ndarray) -> list[list[tuple[float, float]]]:
    """Pieces of a line between its gaps."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for one, other in zip(x.tolist(), y.tolist(), strict=True):
        if math.isfinite(other):
            pieces[-1].append((one, other))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if len(piece) > 1]


def _label(draw: ImageDraw.ImageDraw, text: str, x: float, y: float) -> None:
    width = draw.textlength(text, font(14))
    draw.rounded_rectangle((x, y, x + width + 14, y + 22), 5, NIGHT)
    draw.text((x + 7, y + 11), text, _TEXT, font(14), "lm")
