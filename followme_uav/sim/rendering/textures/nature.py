"""Textures of leaves, cloth, hair and sky."""

from __future__ import annotations

import numpy as np

from followme_uav.sim.rendering.textures.layers import SIZE_PX
from followme_uav.sim.rendering.textures.patterns import (
    WHITE,
    ColourTexture,
    noise,
    pixel_grid,
    tinted,
)

_LEAVES = 70


def leaves(rng: np.random.Generator) -> ColourTexture:
    """A spray of pointed leaves, grey with alpha; the surface's tint gives the colour."""
    texture = np.zeros((SIZE_PX, SIZE_PX, 4), dtype=np.float32)
    texture[..., :3] = 0.45
    for _ in range(_LEAVES):
        _add_leaf(rng, texture)
    return texture


def _add_leaf(rng: np.random.Generator, texture: ColourTexture) -> None:
    """Paint one leaf; it stays clear of the edges of the texture."""
    angle = float(rng.uniform(0, 2 * np.pi))
    reach = float(SIZE_PX * 0.44 * np.sqrt(rng.random()))
    cy, cx = SIZE_PX / 2 + reach * np.sin(angle), SIZE_PX / 2 + reach * np.cos(angle)
    lean = angle + float(rng.uniform(-0.9, 0.9))
    half_length, half_width = float(rng.uniform(30, 52)), float(rng.uniform(9, 16))
    # Only the square around the leaf is worked on.
    reach_px = int(half_length) + 2
    rows = slice(max(0, int(cy) - reach_px), int(cy) + reach_px)
    cols = slice(max(0, int(cx) - reach_px), int(cx) + reach_px)
    axis = np.arange(SIZE_PX, dtype=np.float32)
    dy, dx = axis[rows, None] - cy, axis[None, cols] - cx
    along = (dx * np.cos(lean) + dy * np.sin(lean)) / half_length
    across = (-dx * np.sin(lean) + dy * np.cos(lean)) / half_width
    inside = np.abs(across) < 1.0 - along * along
    light = float(rng.uniform(0.45, 1.0))
    shade = light * (0.80 + 0.25 * across) * np.where(np.abs(across) < 0.08, 0.75, 1.0)
    texture[rows, cols, :3][inside] = shade[inside][:, None]
    texture[rows, cols, 3][inside] = 1.0


def cloth(rng: np.random.Generator) -> ColourTexture:
    """Folds with dark creases."""
    folds = 0.76 + 0.30 * noise(rng, 12, 3) + 0.14 * noise(rng, 50, 2)
    return tinted(np.clip(folds, 0.25, 1.0), WHITE)


def hair(rng: np.random.Generator) -> ColourTexture:
    """Streaks along the hair."""
    streaks = 0.72 + 0.30 * noise(rng, 70, 12) + 0.10 * noise(rng, 12)
    return tinted(np.clip(streaks, 0.2, 1.0), WHITE)


def sky(rng: np.random.Generator) -> ColourTexture:
    """Cover (red) and brightness (green) of clouds, which the shader colours.

    Columns go around the horizon; rows from the horizon (bottom) to the zenith.
    """
    row, _ = pixel_grid()
    cloud = 0.6 * noise(rng, 7) + 0.35 * noise(rng, 18) + 0.2 * noise(rng, 45)
    cover = 0.42 + 0.9 * cloud + 0.4 * (0.35 - row)
    return np.asarray(np.stack([cover, cloud, np.zeros_like(cloud)], axis=-1), dtype=np.float32)
