"""What the window shows on top of the city: the camera's picture, a line of status, a line of help.

Pictures are (height, width, 3) uint8 arrays, first row on top. Pure: arrays and numbers in, an
array out.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from followme_uav.sim.viewer.view import KEYS, MOUSE_HELP, View

Rgb = tuple[int, int, int]
Picture = NDArray[np.uint8]
Spans = list[tuple[str, Rgb]]

HERO_TINT: Rgb = (40, 90, 255)
HERO_TEXT: Rgb = (120, 165, 255)
PEOPLE_TINT: Rgb = (60, 220, 90)
TINT_SHARE = 0.6
WHITE: Rgb = (240, 242, 245)
GREY: Rgb = (165, 172, 182)
AMBER: Rgb = (255, 190, 60)
PANEL: Rgb = (18, 22, 28)
PANEL_SHARE = 0.62
INSET_PX = 240
MARGIN_PX, BAR_PX, BORDER_PX, GROUP_GAP_PX = 12, 28, 2, 20
TEXT_PX = 15
SLOW_SHARE = 0.85
"""Reached less than this share of the wanted speed: both are shown."""
STANDSTILL_S = 1.0
_RATE_WINDOW_S = 3.0


@dataclass(frozen=True)
class Status:
    """What the line on top says."""

    flown_s: float
    """Simulated time since the start."""
    speed: float
    rate: float | None
    """Simulated seconds per second as measured lately; None when not known."""
    held: bool
    standing: bool
    """Time has not passed for a while although nobody holds it: a client's turn."""
    armed: bool
    landed: bool
    height_m: float
    speed_mps: float
    api_control: bool


class RateMeter:
    """Measures how fast simulated time passes."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()
        self._moved_s = -math.inf

    def update(self, wall_s: float, simulated_s: float) -> tuple[float | None, bool]:
        """The rate lately, and whether time has stood still for `STANDSTILL_S`.

        Args:
            wall_s: our time.
            simulated_s: the simulation's; may jump back at a reset.
        """
        seen = self._seen
        if not seen or simulated_s != seen[-1][1]:
            self._moved_s = wall_s
        if seen and (simulated_s < seen[-1][1]):
            seen.clear()
        seen.append((wall_s, simulated_s))
        while wall_s - seen[0][0] > _RATE_WINDOW_S:
            seen.popleft()
        span_s = wall_s - seen[0][0]
        rate = (simulated_s - seen[0][1]) / span_s if span_s >= 0.5 * _RATE_WINDOW_S else None
        return rate, wall_s - self._moved_s >= STANDSTILL_S

    def forget(self) -> None:
        """The pace has changed on purpose; measure anew."""
        self._seen.clear()


def status_spans(status: Status) -> Spans:
    """The pieces of the status line, with their colours."""
    minutes, seconds = divmod(int(status.flown_s * 10 + 1e-6) / 10, 60.0)
    spans = [(f"{int(minutes):02d}:{seconds:04.1f}", WHITE)]
    speed = f"{status.speed:g}x"
    idle = status.held or status.standing
    if not idle and status.rate is not None and status.rate < SLOW_SHARE * status.speed:
        speed += f" (reaches {status.rate:.1f}x)"
    spans.append((speed, WHITE))
    if status.held:
        spans.append(("PAUSED", AMBER))
    elif status.standing:
        spans.append(("waiting for a client", AMBER))
    if status.landed:
        spans.append(("on the ground, " + ("armed" if status.armed else "disarmed"), WHITE))
    else:
        spans.append((f"flying {status.height_m:.1f} m up, {status.speed_mps:.1f} m/s", WHITE))
    spans.append(("API control" if status.api_control else "no API control", GREY))
    return spans


def help_spans() -> Spans:
    """The pieces of the line of help: what to press, and what it does."""
    pairs = [*MOUSE_HELP, *((key.label, key.does) for key in KEYS)]
    return [span for label, does in pairs for span in ((label, WHITE), (does, GREY))]


def tinted(rgb: Picture, people: NDArray[np.bool_], hero: NDArray[np.bool_]) -> Picture:
    """The picture with people in green and the hero in blue; masks are (height, width)."""
    out = rgb.copy()
    for mask, tint in ((people, PEOPLE_TINT), (hero, HERO_TINT)):
        mixed = (1.0 - TINT_SHARE) * out[mask] + TINT_SHARE * np.array(tint)
        out[mask] = mixed.astype(np.uint8)
    return out


def enlarged(picture: Picture, side_px: int) -> Picture:
    """Its longer side `side_px` long; pixels stay visible as such."""
    height, width = picture.shape[:2]
    scale = side_px / max(height, width)
    rows = (np.arange(max(1, round(height * scale))) / scale).astype(int).clip(max=height - 1)
    columns = (np.arange(max(1, round(width * scale))) / scale).astype(int).clip(max=width - 1)
    result: Picture = picture[rows[:, None], columns]
    return result


def compose(city: Picture, inset: Picture | None, status: Status, view: View) -> Picture:
    """Everything in one picture, drawn into `city`.

    Args:
        city: the view from outside, which is changed.
        inset: the camera's picture, for the lower right corner when given.
        status: for the line on top.
        view: whether there is a line of help, and whether the mask has its legend.
    """
    if inset is not None:
        _put_inset(city, enlarged(inset, INSET_PX), view)
    _write(_panel(city[:BAR_PX]), [(status_spans(status), 20)])
    if view.help:
        _write(_panel(city[-BAR_PX:]), [(pair, 6) for pair in _pairs(help_spans())])
    return city


def _put_inset(city: Picture, inset: Picture, view: View) -> None:
    """In the lower right corner, with a frame and a caption."""
    height, width = inset.shape[:2]
    bottom = city.shape[0] - MARGIN_PX - (BAR_PX if view.help else 0)
    right = city.shape[1] - MARGIN_PX
    top, left = bottom - height, right - width
    city[top - BAR_PX - BORDER_PX : bottom + BORDER_PX, left - BORDER_PX : right + BORDER_PX] = (
        PANEL
    )
    city[top:bottom, left:right] = inset
    caption: Spans = [("camera", WHITE)]
    if view.mask:
        caption += [("hero", HERO_TEXT), ("people", PEOPLE_TINT)]
    _write(city[top - BAR_PX : top, left:right], [(caption, 14)])


def _panel(strip: Picture) -> Picture:
    """Darkened, so that text can be read on it."""
    strip[:] = ((1.0 - PANEL_SHARE) * strip + PANEL_SHARE * np.array(PANEL)).astype(np.uint8)
    return strip


def _pairs(spans: Spans) -> list[Spans]:
    return [spans[i : i + 2] for i in range(0, len(spans), 2)]


def _write(strip: Picture, groups: list[tuple[Spans, int]]) -> None:
    """Groups of coloured words from the left; each group says how far apart its words are."""
    image = Image.fromarray(strip)
    draw = ImageDraw.Draw(image)
    x = float(MARGIN_PX)
    for spans, gap_px in groups:
        for text, colour in spans:
            draw.text((x, strip.shape[0] / 2), text, fill=colour, font=_font(), anchor="lm")
            x += draw.textlength(text, font=_font()) + gap_px
        x += GROUP_GAP_PX - gap_px
    strip[:] = np.asarray(image)


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own, so that every machine shows the same."""
    return ImageFont.load_default(TEXT_PX)
