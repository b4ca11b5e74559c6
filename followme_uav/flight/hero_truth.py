"""Compares images and detections with the simulator's exact mask."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import Detection, GroundTruth, Mask, MaskClass

HERO_VISIBLE_PX = 3
"""The hero is in view with more hero pixels than this in the image: the data set's rule."""

BOX_MARGIN_PX = 2.0
"""A detection is the hero if a true hero pixel lies in its box, grown by this much."""


def is_in_view(truth: GroundTruth) -> bool:
    """Whether the hero is visible in the image."""
    return int(np.count_nonzero(_hero(truth.mask))) > HERO_VISIBLE_PX


def is_hero(detection: Detection, truth_mask: Mask) -> bool:
    """Whether the detection is the hero.

    It is if at least one true hero pixel lies in the detection's box: its centroid plus and minus
    half its width and height, grown by `BOX_MARGIN_PX`.
    """
    height, width, _ = truth_mask.shape
    column = (detection.u + 1.0) / 2.0 * width - 0.5
    row = (detection.v + 1.0) / 2.0 * height - 0.5
    half_width = detection.width_px / 2.0 + BOX_MARGIN_PX
    half_height = detection.height_px / 2.0 + BOX_MARGIN_PX
    left, right = _pixel_range(column, half_width)
    top, bottom = _pixel_range(row, half_height)
    return bool(_hero(truth_mask)[top:bottom, left:right].any())


def _hero(mask: Mask) -> NDArray[np.bool_]:
    return mask[..., MaskClass.HERO] > 127


def _pixel_range(centre: float, half: float) -> tuple[int, int]:
    """Return slice bounds of the pixels whose centres lie within `half` of `centre`."""
    return max(0, math.ceil(centre - half)), max(0, math.floor(centre + half) + 1)
