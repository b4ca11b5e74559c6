"""The plots and the band of mission states in a frame of the video.

Each is drawn once in full brightness and once dimmed; a frame shows the first left of the time
cursor, where the flight has been, and the second right of it.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from followme_uav.view.colours import GREY, STATES, rgb
from followme_uav.view.history import History, Series
from followme_uav.view.panels import FLIGHT_PANELS, Line, Panel
from followme_uav.view.pictures import NIGHT, PANEL, font
from followme_uav.view.video_map import SUPERSAMPLING

TEXT = "#e8eaed"
_SHOWN_PANELS = ("distance", "speed")
_DIMMED = 0.35
"""Brightness right of the time cursor."""

BrightAndDimmed = tuple[Image.Image, Image.Image]


def at_cursor(pictures: BrightAndDimmed, share: float) -> Image.Image:
    """The bright picture left of the cursor, the dimmed one right of it.

    Args:
        pictures: Of the same size.
        share: Position of the cursor, 0 to 1.
    """
    bright, dimmed = pictures
    picture = dimmed.copy()
    picture.paste(bright.crop((0, 0, round(share * bright.width), bright.height)), (0, 0))
    return picture


def draw_band(history: History, size: tuple[int, int], length_s: float) -> BrightAndDimmed:
    """The mission states over time, in their colours."""
    band = Image.new("RGB", size, NIGHT)
    draw = ImageDraw.Draw(band)
    for state, start_s, end_s in history.state_spans:
        # The clock goes back where the simulator was reset.
        left, right = sorted(round(t / length_s * size[0]) for t in (start_s, end_s))
        draw.rectangle((left, 0, right, size[1]), STATES[state])
    return band, _dim(band)


def draw_plots(history: History, size: tuple[int, int], length_s: float) -> BrightAndDimmed:
    """Some panels of the flight, one below the other; their legends are not dimmed."""
    panels = [panel for panel in FLIGHT_PANELS if panel.key in _SHOWN_PANELS and history.has(panel)]
    bright = Image.new("RGB", size, NIGHT)
    height = size[1] // max(len(panels), 1)
    for row, panel in enumerate(panels):
        plot = _draw_plot(history, panel, (size[0], height - 8), length_s)
        bright.paste(plot, (0, row * height))
    dimmed = _dim(bright)
    for row, panel in enumerate(panels):
        for picture in (bright, dimmed):
            _write_legend(picture, panel, row * height)
    return bright, dimmed


def _dim(picture: Image.Image) -> Image.Image:
    return Image.blend(Image.new("RGB", picture.size, NIGHT), picture, _DIMMED)


def _draw_plot(
    history: History, panel: Panel, size: tuple[int, int], length_s: float
) -> Image.Image:
    canvas = Image.new("RGB", (size[0] * SUPERSAMPLING, size[1] * SUPERSAMPLING), PANEL)
    draw = ImageDraw.Draw(canvas)
    top, bottom = 26 * SUPERSAMPLING, canvas.height - 6 * SUPERSAMPLING
    lines = _shown_lines(panel)
    values = np.concatenate([history.values[panel.key, line.label] for line in lines])
    highest = float(values[np.isfinite(values)].max(initial=1.0))
    low, high = panel.limits[0] or 0.0, panel.limits[1] or 1.08 * highest
    for line in lines:
        series = history.values[panel.key, line.label]
        x = history.time_s / length_s * canvas.width
        y = bottom - (np.clip(series, low, high) - low) / (high - low) * (bottom - top)
        width = (1 if line.is_reference else 2) * SUPERSAMPLING
        for points in _without_gaps(x, y):
            draw.line(points, _visible(line), width, joint="curve")
    plot = canvas.resize(size, Image.Resampling.BOX)
    draw = ImageDraw.Draw(plot)
    draw.text((10, top / SUPERSAMPLING), f"{high:.0f}", GREY, font(12), "lm")
    draw.text((10, bottom / SUPERSAMPLING), f"{low:.0f}", GREY, font(12), "lb")
    return plot


def _shown_lines(panel: Panel) -> list[Line]:
    return [line for line in panel.lines if line.label != "uncertainty"]


def _write_legend(picture: Image.Image, panel: Panel, y: int) -> None:
    draw = ImageDraw.Draw(picture)
    draw.text((10.0, y + 14), f"{panel.title} ({panel.unit})", TEXT, font(15), "lm")
    x: float = picture.width - 10
    for line in reversed(_shown_lines(panel)):
        draw.text((x, y + 14), line.label, _visible(line), font(14), "rm")
        x -= draw.textlength(line.label, font(14)) + 18


def _visible(line: Line) -> tuple[int, int, int]:
    """The line's colour, or a light one in place of a colour too dark for the background."""
    colour = rgb(line.colour)
    return colour if max(colour) > 100 else (232, 234, 237)


def _without_gaps(x: Series, y: Series) -> list[list[tuple[float, float]]]:
    """Sections of a line between its gaps, where y is NaN."""
    sections: list[list[tuple[float, float]]] = [[]]
    for one, other in zip(x.tolist(), y.tolist(), strict=True):
        if math.isfinite(other):
            sections[-1].append((one, other))
        elif sections[-1]:
            sections.append([])
    return [section for section in sections if len(section) > 1]
