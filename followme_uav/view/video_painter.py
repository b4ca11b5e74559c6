"""Draws a frame of the video: camera, mask, map, plots and mission state at one moment."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw

from followme_uav.log.entry import FlightEntry
from followme_uav.pilot.map_snapshot import MapCell
from followme_uav.view.colours import GREY, LIKELY, MAP_DARK, STATES, WAY
from followme_uav.view.history import History
from followme_uav.view.map_colours import LEGEND, MapReader, no_map
from followme_uav.view.pictures import NIGHT, camera_picture, font, mask_picture
from followme_uav.view.video_map import MapPainter
from followme_uav.view.video_plots import TEXT, at_cursor, draw_band, draw_plots

SIZE_PX = (1280, 720)
"""Even numbers, as H.264 with 4:2:0 chroma subsampling requires."""
_GAP = 16
_HEAD, _FOOT = 52, 44
_CAMERA_PX = SIZE_PX[1] - _HEAD - _FOOT - 2 * _GAP
_SMALL_PX = (SIZE_PX[0] - _CAMERA_PX - 4 * _GAP) // 2
_RIGHT = _CAMERA_PX + 2 * _GAP
_LEGEND_PX = 38
_CELLS = [(LEGEND[kind], MAP_DARK[kind]) for kind in MapCell if kind is not MapCell.UNKNOWN]
_LEGEND = (*_CELLS[:2], ("way", WAY)), (*_CELLS[2:], ("hero may be here", *LIKELY))
"""Two rows of texts and their colours."""
_PLOT_SIZE = (2 * _SMALL_PX + _GAP, _CAMERA_PX - _SMALL_PX - _GAP)


class VideoPainter:
    """Draws the moments of one flight, which must come in order.

    Args:
        history: Of the whole flight: what comes later is shown dimmed.
        name: Of the flight, written in the corner.
        read_map: Called with each entry, for the map that the vehicle makes.
    """

    def __init__(self, history: History, name: str, read_map: MapReader = no_map) -> None:
        self._name = name
        self._read_map = read_map
        self._makes_map = history.makes_map
        self._length_s = max(float(history.time_s.max()), 0.1) if len(history.time_s) else 1.0
        self._start_s: float | None = None
        self._map = MapPainter(history, _SMALL_PX, _LEGEND_PX if history.makes_map else 0)
        self._plots = draw_plots(history, _PLOT_SIZE, self._length_s)
        self._band = draw_band(history, (SIZE_PX[0] - 2 * _GAP, 18), self._length_s)

    def paint(self, entry: FlightEntry) -> Image.Image:
        """The next moment, of size `SIZE_PX`."""
        if self._start_s is None:
            self._start_s = entry.frame.time_s
        time_s = entry.frame.time_s - self._start_s
        share = min(max(time_s / self._length_s, 0.0), 1.0)
        picture = Image.new("RGB", SIZE_PX, NIGHT)
        picture.paste(camera_picture(entry, _CAMERA_PX), (_GAP, _HEAD + _GAP))
        picture.paste(mask_picture(entry.step.mask, _SMALL_PX), (_RIGHT, _HEAD + _GAP))
        map_at = (_RIGHT + _SMALL_PX + _GAP, _HEAD + _GAP)
        picture.paste(self._map.paint(entry, self._read_map(entry)), map_at)
        plots_at = (_RIGHT, _HEAD + 2 * _GAP + _SMALL_PX)
        picture.paste(at_cursor(self._plots, share), plots_at)
        band_at = (_GAP, SIZE_PX[1] - _FOOT + 2)
        picture.paste(at_cursor(self._band, share), band_at)
        draw = ImageDraw.Draw(picture)
        x = band_at[0] + share * (self._band[0].width - 1)
        draw.line((x, band_at[1] - 5, x, band_at[1] + self._band[0].height + 4), TEXT, 2)
        self._write_head(draw, entry, time_s)
        for text, place in (
            ("camera", _GAP),
            ("mask", _RIGHT),
            (_map_title(entry), map_at[0]),
        ):
            _label(draw, text, place + 8, _HEAD + _GAP + 8)
        if self._makes_map:
            _draw_legend(draw, map_at[0], map_at[1] + _SMALL_PX)
        return picture

    def _write_head(self, draw: ImageDraw.ImageDraw, entry: FlightEntry, time_s: float) -> None:
        state, middle = entry.step.state, _HEAD / 2 + 8
        state_box = (_GAP, middle - 16, _GAP + 136, middle + 16)
        draw.rounded_rectangle(state_box, 8, STATES[state])
        draw.text((_GAP + 68, middle), state.value.upper(), "white", font(19), "mm")
        draw.text((_GAP + 156, middle), f"{time_s:5.1f} s", TEXT, font(22), "lm")
        vehicle, track = entry.frame.vehicle, entry.step.track
        figures = [
            ("height", f"{-vehicle.position_m[2]:.1f} m"),
            ("speed", f"{math.hypot(*vehicle.velocity_mps[:2]):.1f} m/s"),
        ]
        if track is not None:
            distance_m = math.dist(track.position_m, entry.frame.camera.position_m)
            figures.append(("to the hero", f"{distance_m:.1f} m"))
        for number, (name, value) in enumerate(figures):
            x = _RIGHT - 300.0 + 175 * number
            draw.text((x, middle), name, GREY, font(16), "lm")
            x += draw.textlength(name, font(16)) + 8
            draw.text((x, middle), value, TEXT, font(18), "lm")
        draw.text((SIZE_PX[0] - _GAP, middle), self._name, GREY, font(16), "rm")


def _map_title(entry: FlightEntry) -> str:
    """In full words: Pillow's font has no superscripts."""
    own_map = entry.step.own_map
    return "map" if own_map is None else f"own map, {own_map.viewed_m2:,.0f} sq m looked at"


def _draw_legend(draw: ImageDraw.ImageDraw, left: int, bottom: int) -> None:
    """The colours of the vehicle's own map, in two rows along its lower edge."""
    draw.rectangle((left, bottom - _LEGEND_PX, left + _SMALL_PX - 1, bottom - 1), NIGHT)
    for number, row in enumerate(_LEGEND):
        x, y = left + 8.0, bottom - 27 + 18 * number
        for text, *colours in row:
            for colour in colours:
                draw.rectangle((x, y - 5, x + 10, y + 5), colour)
                x += 11
            draw.text((x + 4, y), text, TEXT, font(12), "lm")
            x += 17 + draw.textlength(text, font(12))


def _label(draw: ImageDraw.ImageDraw, text: str, x: float, y: float) -> None:
    width = draw.textlength(text, font(14))
    draw.rounded_rectangle((x, y, x + width + 14, y + 22), 5, NIGHT)
    draw.text((x + 7, y + 11), text, TEXT, font(14), "lm")
