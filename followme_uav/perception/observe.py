"""Mask -> Observations: the blobs of hero pixels in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from followme_uav.config import ObserveConfig
from followme_uav.messages import Mask, MaskClass, Observation


def observe(mask: Mask, config: ObserveConfig) -> list[Observation]:
    """The hero-like blobs of `mask`, the largest first, where doubt makes a blob smaller.

    Pixels count from `hero_threshold` on; fragments up to `join_px` apart are one blob
    (8-connected), because a lamp post in front of the hero must not make two of her.
    """
    hero = mask[..., MaskClass.HERO] > config.hero_threshold * 255.0
    rows = np.flatnonzero(hero.any(axis=1))
    if rows.size == 0:
        return []
    columns = np.flatnonzero(hero.any(axis=0))
    # Labelling only the bounding box makes the usual case ten times cheaper.
    top, left = int(rows[0]), int(columns[0])
    box = np.s_[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
    blobs = [
        _describe(blob, mask[box], (top, left), mask.shape, config)
        for blob in _blobs(hero[box], config.join_px)
        if np.count_nonzero(blob) >= config.min_area_px
    ]
    certain = [blob for blob in blobs if blob.confidence >= config.min_confidence]
    return sorted(certain, key=lambda blob: blob.area_px * blob.confidence, reverse=True)


def _blobs(hero: NDArray[np.bool_], join_px: int) -> list[NDArray[np.bool_]]:
    """Masks of the connected regions, gaps of up to `join_px` pixels bridged."""
    size = join_px + 1
    bridged = ndimage.maximum_filter(hero.view(np.uint8), size=size) if join_px else hero
    labels, count = ndimage.label(bridged, structure=np.ones((3, 3)))
    return [hero & (labels == label) for label in range(1, count + 1)]


def _describe(
    blob: NDArray[np.bool_],
    mask: Mask,
    offset_px: tuple[int, int],
    image_shape: tuple[int, ...],
    config: ObserveConfig,
) -> Observation:
    rows, columns = np.nonzero(blob)
    height_px, width_px = image_shape[:2]
    box = np.s_[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    others_px = np.count_nonzero(mask[box][..., MaskClass.PEOPLE] > config.hero_threshold * 255.0)
    return Observation(
        u=2.0 * (float(columns.mean()) + offset_px[1] + 0.5) / width_px - 1.0,
        v=2.0 * (float(rows.mean()) + offset_px[0] + 0.5) / height_px - 1.0,
        area_px=int(rows.size),
        width_px=int(np.ptp(columns)) + 1,
        height_px=int(np.ptp(rows)) + 1,
        confidence=float(mask[..., MaskClass.HERO][blob].mean()) / 255.0,
        purity=rows.size / (rows.size + others_px),
    )
