"""Textures of buildings: walls with a window in each bay, roofs, doors, lamps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from followme_uav.sim.rendering.textures.layers import SIZE_PX
from followme_uav.sim.rendering.textures.patterns import (
    WHITE,
    ColourTexture,
    GreyTexture,
    block_courses,
    block_shades,
    joints,
    noise,
    pixel_grid,
    tinted,
    with_panes,
)


def plaster_wall(rng: np.random.Generator) -> ColourTexture:
    """One bay of one storey of a plastered wall."""
    wall = tinted(0.93 + 0.04 * noise(rng, 5) + 0.02 * noise(rng, 120), WHITE)
    return _with_window(rng, wall, arched=False)


def brick_wall(rng: np.random.Generator) -> ColourTexture:
    """One bay of one storey of a brick wall with pale bands."""
    owner = block_courses(40, 10)
    shade = block_shades(rng, owner, 0.72, 0.98)
    light = shade * (1.0 - 0.25 * joints(owner, 1))
    row, _ = pixel_grid()
    bands = (row * 5.0) % 1.0 < 0.045
    light = np.where(bands, 1.0, light)
    return _with_window(rng, tinted(light.astype(np.float32), WHITE), arched=False)


def stone_wall(rng: np.random.Generator) -> ColourTexture:
    """One bay of one storey of an ashlar wall."""
    owner = block_courses(8, 4)
    shade = block_shades(rng, owner, 0.84, 1.0)
    light = shade * (1.0 - 0.3 * joints(owner, 4)) * (1.0 + 0.04 * noise(rng, 70))
    return _with_window(rng, tinted(light, WHITE), arched=True)


def glass_wall(rng: np.random.Generator) -> ColourTexture:
    """One bay of one storey of a curtain wall: two panes, dark spandrel, bright mullions."""
    row, col = pixel_grid()
    spandrel = row < 0.22
    mullion = (
        (np.abs((col * 2.0) % 1.0 - 0.5) > 0.47) | (np.abs(row - 0.22) < 0.012) | (row > 0.985)
    )
    sky = 0.36 + 0.34 * row + 0.06 * noise(rng, 3) + 0.10 * noise(rng, 6, 3)
    texture = np.stack([0.80 * sky, 0.95 * sky, 1.08 * sky], axis=-1).astype(np.float32)
    texture[spandrel] = (0.30, 0.33, 0.36)
    texture[mullion] = (0.74, 0.76, 0.78)
    return with_panes(texture, ~spandrel & ~mullion)


def _with_window(rng: np.random.Generator, wall: ColourTexture, *, arched: bool) -> ColourTexture:
    """Add a framed window to a wall, and a string course at the bottom."""
    row, col = pixel_grid()
    x, y = np.abs(col - 0.5), row
    top = 0.80 - (0.10 * (x / 0.17) ** 2 if arched else 0.0)
    frame = (x < 0.215) & (y > 0.22) & (y < top + 0.055)
    opening = (x < 0.17) & (y > 0.28) & (y < top)
    texture = wall.copy()
    texture[(y < 0.06)] = 0.98
    texture[(y > 0.06) & (y < 0.075)] *= 0.5
    _add_frame(texture, frame, x, y, top)
    mullion = opening & ((x < 0.014) | (np.abs(y - 0.60) < 0.012) | (x > 0.15))
    glass = 0.20 + 0.16 * row + 0.07 * noise(rng, 7)
    curtain = (x > 0.085) & (y > 0.34)
    texture[opening] = (glass[..., None] * np.array([0.95, 1.0, 1.05], dtype=np.float32))[opening]
    texture[opening & curtain] = (0.42 + 0.10 * noise(rng, 30))[opening & curtain][:, None]
    texture[mullion] = 0.80
    rim = frame & ~opening & (x > 0.165) & (x < 0.178) & (y > 0.28) & (y < top)
    texture[rim] = 0.25
    return with_panes(texture, opening & ~mullion)


def _add_frame(
    texture: ColourTexture,
    frame: NDArray[np.bool_],
    x: GreyTexture,
    y: GreyTexture,
    top: GreyTexture | float,
) -> None:
    """Paint frame, sill, the shadow of the sill, and the lintel."""
    sill = (x < 0.25) & (y > 0.22) & (y < 0.27)
    shadow = (x < 0.25) & (y > 0.185) & (y <= 0.22)
    lintel = (x < 0.245) & (y > top + 0.055) & (y < top + 0.085)
    texture[shadow] *= 0.55
    texture[frame | sill] = 0.97
    texture[lintel] *= 0.45


def seamed_roof(rng: np.random.Generator) -> ColourTexture:
    """Sheet metal with standing seams."""
    _, col = pixel_grid()
    seam = ((col * 6.0) % 1.0 < 0.08).astype(np.float32)
    return tinted(0.86 + 0.10 * noise(rng, 20) - 0.3 * seam, WHITE)


def tiled_roof(rng: np.random.Generator) -> ColourTexture:
    """Rows of roof tiles of varied brightness, with a shadow under each row."""
    owner = block_courses(16, 20)
    shade = block_shades(rng, owner, 0.74, 1.0)
    row, col = pixel_grid()
    lap = (row * 16.0) % 1.0 < 0.16
    light = shade * np.where(lap, 0.62, 1.0) * (1.0 - 0.14 * np.abs(np.sin(np.pi * 20 * col)))
    return tinted((light * (1.0 + 0.06 * noise(rng, 12))).astype(np.float32), WHITE)


def door(rng: np.random.Generator) -> ColourTexture:
    """A double door in a stone frame with a pane above; pale where the surface's tint applies."""
    row, col = pixel_grid()
    x = np.abs(col - 0.5)
    texture = np.full((SIZE_PX, SIZE_PX, 3), 0.9, dtype=np.float32) * (
        0.9 + 0.06 * noise(rng, 40)[..., None]
    )
    leaf = (x < 0.38) & (row < 0.80)
    texture[leaf] = 1.0
    panel = leaf & (np.abs(x - 0.19) < 0.12) & (np.abs((row * 2.5) % 1.0 - 0.5) < 0.36)
    texture[panel] = 0.78
    texture[leaf & (x < 0.012)] = 0.35
    pane = (x < 0.38) & (row > 0.84) & (row < 0.95)
    texture[pane] = (0.30, 0.33, 0.36)
    return with_panes(texture, pane)


def concrete(rng: np.random.Generator) -> ColourTexture:
    """Concrete with a square grid of joints."""
    row, col = pixel_grid()
    joint = (((row * 2.0) % 1.0 < 0.012) | ((col * 2.0) % 1.0 < 0.012)).astype(np.float32)
    return tinted(0.90 + 0.08 * noise(rng, 9) + 0.03 * noise(rng, 120) - 0.3 * joint, WHITE)


def lamp() -> ColourTexture:
    """The glass of a lamp: pale by day, a pane everywhere."""
    texture = np.full((SIZE_PX, SIZE_PX, 4), 0.9, dtype=np.float32)
    texture[..., 3] = 0.5
    return texture
