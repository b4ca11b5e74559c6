"""Masks of a flight as labels for training: the true ones, or those that the network made.

A simulator without ground truth leaves the network's own masks. As labels they teach the network
nothing that it does not know, unless something else has checked them: here the track does, and a
person should. They are a beginning for labelling by hand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from followme_uav.decoding import jpeg_size
from followme_uav.log.entry import FlightEntry
from followme_uav.messages import Detection, Mask, MaskClass, MissionState, Vec3
from followme_uav.resizing import resized_classes

Labels = Literal["truth", "network"]
NEAR_M = 15.0
"""Up to this distance, a frame with the hero counts as a frame of following."""
BOX_MARGIN_PX = 1.0
"""Hero pixels so far outside of the selected detection's box still belong to it."""


@dataclass(frozen=True)
class Label:
    """The mask of a frame: each pixel is 255 in exactly one channel."""

    mask: Mask
    is_near: bool
    """The hero is near enough for a frame of following."""


def true_label(entry: FlightEntry) -> Label | None:
    """The exact mask; None without ground truth."""
    truth = entry.truth
    if truth is None:
        return None
    return Label(truth.mask, _is_near(entry, truth.hero_position_m))


def network_label(entry: FlightEntry) -> Label | None:
    """The network's mask in the size of the logged image, where the track confirms it.

    In FOLLOW, the hero is the selected detection; other hero pixels get the more likely of the
    other classes. In PATROL, frames without any hero pixel count as frames without the hero.
    Everything in between is left out.
    """
    step, mask = entry.step, entry.step.mask
    if mask is None:
        return None
    classes = np.argmax(mask, axis=2)
    is_near = False
    if step.state is MissionState.FOLLOW and step.detection is not None and step.track is not None:
        outside = (classes == MaskClass.HERO) & ~_box(step.detection, mask)
        others = mask[..., [MaskClass.BACKGROUND, MaskClass.PEOPLE]]
        classes = np.where(outside, np.argmax(others, axis=2), classes)
        is_near = _is_near(entry, step.track.position_m)
    elif step.state is not MissionState.PATROL or (classes == MaskClass.HERO).any():
        return None
    one_hot = np.eye(3, dtype=np.uint8)[classes] * np.uint8(255)
    return Label(resized_classes(one_hot, _image_size(entry, mask)), is_near)


def _is_near(entry: FlightEntry, hero_m: Vec3) -> bool:
    return math.dist(hero_m, entry.frame.camera.position_m) <= NEAR_M


def _box(detection: Detection, mask: Mask) -> NDArray[np.bool_]:
    """(height, width) the pixels in the box around the centroid that holds the whole detection."""
    height_px, width_px = mask.shape[:2]
    column = (detection.u + 1.0) / 2.0 * width_px - 0.5
    row = (detection.v + 1.0) / 2.0 * height_px - 0.5
    rows = np.abs(np.arange(height_px) - row) <= detection.height_px / 2.0 + BOX_MARGIN_PX
    columns = np.abs(np.arange(width_px) - column) <= detection.width_px / 2.0 + BOX_MARGIN_PX
    box: NDArray[np.bool_] = rows[:, None] & columns
    return box


def _image_size(entry: FlightEntry, mask: Mask) -> tuple[int, int]:
    """(height, width) of the logged image."""
    image = entry.encoded_image
    if image is None or image.format != "jpeg":
        return mask.shape[0], mask.shape[1]
    width_px, height_px = jpeg_size(image.data)
    return height_px, width_px
