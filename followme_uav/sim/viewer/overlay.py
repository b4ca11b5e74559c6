"""Overlays of the window: the camera's image, a line of status, a line of help.

Pure functions of arrays and values. Images are (height, width, 3) uint8, first row on top.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from followme_uav.messages import RgbImage
from followme_uav.sim.viewer.chase_view import ChaseView
from followme_uav.sim.viewer.key_bindings import KEY_BINDINGS, MOUSE_HELP
from followme_uav.sim.viewer.status import Status

PixelColour = tuple[int, int, int]
"""RGB, 0..255."""
Spans = list[tuple[str, PixelColour]]
"""Pieces of text with their colours."""

HERO_TINT: PixelColour = (40, 90, 255)
HERO_TEXT: PixelColour = (120, 165, 255)
PEOPLE_TINT: PixelColour = (60, 220, 90)
TINT_SHARE = 0.6
WHITE: PixelColour = (240, 242, 245)
GREY: PixelColour = (165, 172, 182)
AMBER: PixelColour = (255, 190, 60)
PANEL: PixelColour = (18, 22, 28)
PANEL_SHARE = 0.62
INSET_PX = 240
MARGIN_PX, BAR_PX, BORDER_PX, GROUP_GAP_PX = 12, 28, 2, 20
TEXT_PX = 15


def status_spans(status: Status) -> Spans:
    """The line of status as coloured text."""
    minutes, seconds = divmod(int(status.flown_s * 10 + 1e-6) / 10, 60.0)
    spans = [(f"{int(minutes):02d}:{seconds:04.1f}", WHITE)]
    reached = f" (reaches {status.rate:.1f}x)" if status.is_slow else ""
    spans.append((f"{status.speed:g}x{reached}", WHITE))
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
    """The line of help as coloured text: each key and its effect."""
    pairs = [*MOUSE_HELP, *((binding.label, binding.does) for binding in KEY_BINDINGS)]
    return [span for label, does in pairs for span in ((label, WHITE), (does, GREY))]


def tinted(rgb: RgbImage, people: NDArray[np.bool_], hero: NDArray[np.bool_]) -> RgbImage:
    """Tint people green and the hero blue; masks are (height, width)."""
    out: RgbImage = rgb.copy()
    for mask, tint in ((people, PEOPLE_TINT), (hero, HERO_TINT)):
        mixed = (1.0 - TINT_SHARE) * out[mask] + TINT_SHARE * np.array(tint)
        out[mask] = mixed.astype(np.uint8)
    return out


def enlarged(image: RgbImage, side_px: int) -> RgbImage:
    """Scale the longer side to `side_px` without interpolation."""
    height, width = image.shape[:2]
    scale = side_px / max(height, width)
    rows = (np.arange(max(1, round(height * scale))) / scale).astype(int).clip(max=height - 1)
    columns = (np.arange(max(1, round(width * scale))) / scale).astype(int).clip(max=width - 1)
    result: RgbImage = image[rows[:, None], columns]
    return result


def compose(city: RgbImage, inset: RgbImage | None, status: Status, view: ChaseView) -> RgbImage:
    """Draw all overlays into `city`, and return it.

    Args:
        city: The view from outside; it is changed.
        inset: Image of the camera for the lower right corner, or None.
        status: Content of the line on top.
        view: Decides on the line of help and on the legend of the mask.
    """
    if inset is not None:
        _put_inset(city, enlarged(inset, INSET_PX), view)
    _write(_panel(city[:BAR_PX]), [(status_spans(status), 20)])
    if view.help:
        _write(_panel(city[-BAR_PX:]), [(pair, 6) for pair in _pairs(help_spans())])
    return city


def _put_inset(city: RgbImage, inset: RgbImage, view: ChaseView) -> None:
    """Draw into the lower right corner, with a frame and a caption."""
    height, width = inset.shape[:2]
    bottom = city.shape[0] - MARGIN_PX - (BAR_PX if view.help else 0)
    right = city.shape[1] - MARGIN_PX
    top, left = bottom - height, right - width
    frame_rows = slice(top - BAR_PX - BORDER_PX, bottom + BORDER_PX)
    city[frame_rows, left - BORDER_PX : right + BORDER_PX] = PANEL
    city[top:bottom, left:right] = inset
    caption: Spans = [("camera", WHITE)]
    if view.mask:
        caption += [("hero", HERO_TEXT), ("people", PEOPLE_TINT)]
    _write(city[top - BAR_PX : top, left:right], [(caption, 14)])


def _panel(strip: RgbImage) -> RgbImage:
    """Darken in place, for text to be readable."""
    strip[:] = ((1.0 - PANEL_SHARE) * strip + PANEL_SHARE * np.array(PANEL)).astype(np.uint8)
    return strip


def _pairs(spans: Spans) -> list[Spans]:
    return [spans[i : i + 2] for i in range(0, len(spans), 2)]


def _write(strip: RgbImage, groups: list[tuple[Spans, int]]) -> None:
    """Write groups of coloured text from the left; each group has a gap between its spans."""
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
    """Pillow's own font, which is the same on each machine."""
    return ImageFont.load_default(TEXT_PX)
