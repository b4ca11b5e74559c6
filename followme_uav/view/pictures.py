"""Pictures of camera images and masks with detections and track, drawn with Pillow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from followme_uav.geometry import aspect_of, pixel_of_point
from followme_uav.log.entry import FlightEntry
from followme_uav.messages import Detection, Mask, MaskClass, RgbImage
from followme_uav.view.candidates import label_of, rejected
from followme_uav.view.colours import GREY, HERO, OUTLINE, PEOPLE, STATES, TRACK, rgb

NIGHT = (22, 25, 29)
"""Dark background."""
PANEL = (30, 34, 39)
"""Background of panels and masks."""
_LABELLED_PX = 320
"""Narrower pictures have no room for the reasons of rejected detections."""


@cache
def font(size_px: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that is part of Pillow, so that every machine has it."""
    return ImageFont.load_default(size_px)


def camera_picture(entry: FlightEntry, side_px: int) -> Image.Image:
    """The image with the hero's mask outlined, detections in boxes, and the track as a cross.

    The selected detection has a white box; the others have thin grey boxes with the reason why they
    were not selected. Without an image the picture is dark with a text.
    """
    image = entry.frame.rgb
    if image is None:
        return _placeholder("no image", side_px)
    width_px, height_px = size = _fitted(image.shape, side_px)
    picture = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
    layer = Image.new("L", (width_px * 2, height_px * 2))
    draw = ImageDraw.Draw(layer)
    scale = 2 * width_px / image.shape[1], 2 * height_px / image.shape[0]
    detection = entry.step.detection
    if detection is not None:
        draw.rounded_rectangle(_box(detection, scale, size), radius=8, outline=255, width=3)
    if entry.step.mask is not None:
        outline = _outline(entry.step.mask[..., MaskClass.HERO], size)
        picture.paste(OUTLINE, (0, 0), outline)
    picture.paste("white", (0, 0), layer.resize(size, Image.Resampling.BOX))
    _mark_rejected(picture, entry, scale)
    _mark_track(picture, entry, aspect_of(image.shape))
    return _padded(picture, side_px)


def mask_picture(mask: Mask | None, side_px: int) -> Image.Image:
    """The class probabilities, as the brightness of the colours of hero and people."""
    if mask is None:
        return _placeholder("no mask", side_px)
    coloured = Image.fromarray(coloured_mask(mask))
    size = _fitted(mask.shape, side_px)
    return _padded(coloured.resize(size, Image.Resampling.NEAREST), side_px)


def coloured_mask(mask: Mask) -> RgbImage:
    """(height, width, 3): class colours on a dark background, weighted by probability."""
    shares = mask.astype(np.float32) / 255.0
    base = np.asarray(PANEL, np.float32)
    mixed = np.broadcast_to(base, mask.shape).copy()
    for channel, colour in ((MaskClass.PEOPLE, PEOPLE), (MaskClass.HERO, HERO)):
        mixed += shares[..., channel, None] * (np.asarray(rgb(colour), np.float32) - base)
    coloured: RgbImage = np.clip(mixed, 0, 255).astype(np.uint8)
    return coloured


def film_strip(
    entries: Sequence[FlightEntry], columns: int = 6, side_px: int = 224, start_s: float = 0.0
) -> Image.Image:
    """Camera pictures in rows, each with its time and state.

    Args:
        entries: One for each picture; see `chosen_times`.
        columns: Pictures in a row.
        side_px: Width and height of a picture.
        start_s: Start of the time that is written on the pictures.
    """
    gap, bar = 6, 22
    rows = max(math.ceil(len(entries) / columns), 1)
    columns = min(columns, max(len(entries), 1))
    size = columns * (side_px + gap) - gap, rows * (side_px + bar + gap) - gap
    strip = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(strip)
    for number, entry in enumerate(entries):
        x, y = (number % columns) * (side_px + gap), (number // columns) * (side_px + bar + gap)
        strip.paste(camera_picture(entry, side_px), (x, y + bar))
        draw.rectangle((x, y, x + side_px - 1, y + bar - 1), fill=STATES[entry.step.state])
        text = f"{entry.frame.time_s - start_s:.1f} s"
        draw.text((x + 7, y + bar / 2), entry.step.state.value, "white", font(14), "lm")
        draw.text((x + side_px - 7, y + bar / 2), text, "white", font(14), "rm")
    return strip


def chosen_times(
    times_s: Sequence[float], change_times_s: Sequence[float], count: int
) -> list[int]:
    """Indices of frames for a film strip: half at changes of state, the others evenly spaced.

    Args:
        times_s: Of all frames, increasing.
        change_times_s: Of the changes of state.
        count: Maximum number of indices.
    """
    if not len(times_s):
        return []
    step = max(1, math.ceil(len(change_times_s) / max(count // 2, 1)))
    changes = {
        min(int(np.searchsorted(times_s, time_s)), len(times_s) - 1)
        for time_s in change_times_s[::step]
    }
    evenly = np.linspace(0, len(times_s) - 1, max(count - len(changes), 1)).astype(int)
    return sorted({*changes, *evenly.tolist()})[:count]


def _placeholder(text: str, side_px: int) -> Image.Image:
    picture = Image.new("RGB", (side_px, side_px), NIGHT)
    centre = side_px / 2, side_px / 2
    ImageDraw.Draw(picture).text(centre, text, GREY, font(max(side_px // 20, 11)), "mm")
    return picture


def _fitted(image_shape: tuple[int, ...], side_px: int) -> tuple[int, int]:
    """(width, height) of an image of this shape, scaled to fit into a square."""
    longest_px = max(image_shape[:2])
    width_px, height_px = (round(n / longest_px * side_px) for n in image_shape[1::-1])
    return max(width_px, 1), max(height_px, 1)


def _padded(picture: Image.Image, side_px: int) -> Image.Image:
    """The picture in the middle of a dark square."""
    if picture.size == (side_px, side_px):
        return picture
    square = Image.new("RGB", (side_px, side_px), NIGHT)
    square.paste(picture, ((side_px - picture.width) // 2, (side_px - picture.height) // 2))
    return square


def _outline(probability: np.ndarray, size: tuple[int, int]) -> Image.Image:
    """A smooth line around the region where the probability of the hero is above 1/2."""
    scaled = Image.fromarray(probability).resize(size, Image.Resampling.BICUBIC)
    inside = np.asarray(scaled) > 127
    grown = inside.copy()
    thickness = max(1, round(max(size) / 200))
    for _ in range(thickness):
        wider = grown.copy()
        wider[1:] |= grown[:-1]
        wider[:-1] |= grown[1:]
        wider[:, 1:] |= grown[:, :-1]
        wider[:, :-1] |= grown[:, 1:]
        grown = wider
    return Image.fromarray(np.where(grown & ~inside, np.uint8(255), np.uint8(0)))


Box = tuple[float, float, float, float]


def _box(detection: Detection, scale: tuple[float, float], size: tuple[int, int]) -> Box:
    """Left, top, right, bottom around a detection, with a margin; `scale` is per mask pixel."""
    x, y = (detection.u + 1) * size[0], (detection.v + 1) * size[1]
    half_x = detection.width_px * scale[0] / 2 + 8
    half_y = detection.height_px * scale[1] / 2 + 8
    return x - half_x, y - half_y, x + half_x, y + half_y


def _mark_rejected(picture: Image.Image, entry: FlightEntry, scale: tuple[float, float]) -> None:
    """Draw a thin box and, if the picture is large enough to read it, the reason."""
    draw = ImageDraw.Draw(picture)
    for candidate in rejected(entry.step):
        box = _box(candidate.detection, scale, picture.size)
        left, top, right, bottom = (part / 2 for part in box)
        draw.rectangle((left, top, right, bottom), outline=GREY)
        if picture.width >= _LABELLED_PX:
            label, type_face = label_of(candidate), font(11)
            right_most = picture.width - 2.0 - draw.textlength(label, type_face)
            at = max(min(left, right_most), 2.0), min(bottom + 2.0, picture.height - 14.0)
            draw.text(at, label, GREY, type_face, stroke_width=1, stroke_fill=NIGHT)


def _mark_track(picture: Image.Image, entry: FlightEntry, aspect: float) -> None:
    """Draw a cross at the position of the track, if it is inside the image."""
    track = entry.step.track
    pixel = track and pixel_of_point(entry.frame.camera, track.position_m, aspect)
    if not pixel or max(abs(pixel[0]), abs(pixel[1])) > 1.0:
        return
    side = max(picture.size)
    x, y = (pixel[0] + 1) * picture.width / 2, (pixel[1] + 1) * picture.height / 2
    arm = side / 45
    draw = ImageDraw.Draw(picture)
    for dx, dy in ((arm, 0.0), (0.0, arm)):
        draw.line((x - dx, y - dy, x + dx, y + dy), fill=TRACK, width=max(2, side // 160))
