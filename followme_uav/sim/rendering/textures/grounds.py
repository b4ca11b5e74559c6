"""Textures of the ground: grass, asphalt, pavings, kerbs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from followme_uav.sim.rendering.textures.patterns import (
    WHITE,
    ColourTexture,
    block_courses,
    block_shades,
    joints,
    noise,
    pixel_grid,
    rectangle_tiling,
    tinted,
)


def grass(rng: np.random.Generator) -> ColourTexture:
    """A lawn with yellowish patches."""
    light = 1.0 + 0.10 * noise(rng, 9) + 0.16 * noise(rng, 90, 2) + 0.22 * noise(rng, 220, 2)
    yellow = 0.06 * noise(rng, 40)
    colour = np.stack([0.255 + yellow, 0.463 + 0.3 * yellow, np.full_like(yellow, 0.012)], axis=-1)
    return np.asarray(colour * light[..., None], dtype=np.float32)


def asphalt(rng: np.random.Generator) -> ColourTexture:
    """Grey with fine grain."""
    light = 0.345 * (1.0 + 0.13 * noise(rng, 4, 2) + 0.09 * noise(rng, 160))
    return tinted(light, (1.02, 1.0, 0.95))


def kerb(rng: np.random.Generator) -> ColourTexture:
    """Two kerb stones side by side, one red and one white."""
    row, col = pixel_grid()
    light = 0.9 + 0.12 * noise(rng, 40)
    light = light * np.where(((col * 2.0) % 1.0 < 0.03) | (row < 0.04), 0.35, 1.0)
    red = (col < 0.5)[..., None]
    colours = np.where(red, np.array([0.48, 0.10, 0.10]), np.array([0.66, 0.64, 0.58]))
    return np.asarray(light[..., None] * colours, dtype=np.float32)


def plinth(rng: np.random.Generator) -> ColourTexture:
    """Irregular stone blocks at the foot of a wall."""
    owner = rectangle_tiling(rng, 16)
    shade = block_shades(rng, owner, 0.55, 0.95)
    light = shade * (1.0 + 0.12 * noise(rng, 40)) * (1.0 - 0.35 * joints(owner, 3))
    return tinted(light, WHITE)


def _slabs(rng: np.random.Generator) -> ColourTexture:
    """Rectangular slabs of several sizes, each with a shade of its own."""
    owner = rectangle_tiling(rng, 24)
    shade = rng.choice([0.60, 0.66, 0.71, 0.76, 0.80, 0.91], owner.max() + 1).astype(np.float32)
    shade += rng.uniform(-0.03, 0.03, shade.shape).astype(np.float32)
    warm = rng.uniform(-0.012, 0.012, shade.shape).astype(np.float32)
    light = shade[owner] * (1.0 + 0.10 * noise(rng, 16) + 0.06 * noise(rng, 60))
    joint = joints(owner, 2)
    light = light * (1.0 - joint * (0.45 + 0.2 * noise(rng, 30)))
    colour = np.stack([light + warm[owner], light, light * 0.98 - warm[owner]], axis=-1)
    return np.asarray(colour, dtype=np.float32)


def _blocks(rng: np.random.Generator) -> ColourTexture:
    """Concrete blocks of one size with wide joints."""
    owner = block_courses(8, 5)
    shade = block_shades(rng, owner, 0.56, 0.72)
    light = shade * (1.0 + 0.06 * noise(rng, 50)) * (1.0 - 0.45 * joints(owner, 4))
    return tinted(light, (1.0, 0.985, 0.95))


def _cobbles(rng: np.random.Generator) -> ColourTexture:
    """Setts of one size in curved courses, paler in the middle."""
    row, col = pixel_grid()
    bend = 0.07 * np.sin(2 * np.pi * col * 2.0)
    course = row * 22.0 + bend * 4.0
    number = np.floor(course).astype(np.int64) % 22
    along = col * 24.0 + 0.5 * (number % 2)
    stone = number * 24 + np.floor(along).astype(np.int64) % 24
    shade = rng.uniform(0.58, 0.82, 22 * 24).astype(np.float32)[stone]
    edge = np.maximum(np.abs(course % 1.0 - 0.5), np.abs(along % 1.0 - 0.5))
    light = shade * (1.04 - 0.5 * np.clip((edge - 0.36) / 0.12, 0.0, 1.0))
    return tinted((light * (1.0 + 0.06 * noise(rng, 60))).astype(np.float32), (1.0, 0.985, 0.95))


def _granite(rng: np.random.Generator) -> ColourTexture:
    """Large sawn plates in straight rows, speckled."""
    owner = block_courses(6, 3)
    shade = block_shades(rng, owner, 0.70, 0.78)
    speckle = 0.05 * noise(rng, 150) + 0.03 * noise(rng, 9)
    light = shade * (1.0 + speckle) * (1.0 - 0.35 * joints(owner, 2))
    return tinted(light, (0.99, 1.0, 1.01))


def _bricks(rng: np.random.Generator) -> ColourTexture:
    """Paving bricks with narrow joints."""
    owner = block_courses(28, 14)
    shade = block_shades(rng, owner, 0.66, 0.94)
    light = shade * (1.0 - 0.3 * joints(owner, 1)) * (1.0 + 0.10 * noise(rng, 6))
    return tinted(light, (1.0, 0.97, 0.95))


PAVINGS: dict[str, Callable[[np.random.Generator], ColourTexture]] = {
    "slabs": _slabs,
    "blocks": _blocks,
    "cobbles": _cobbles,
    "granite": _granite,
    "bricks": _bricks,
}
"""Painter of each paving that a city style can name."""
