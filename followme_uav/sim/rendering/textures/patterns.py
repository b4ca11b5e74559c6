"""Patterns that several textures share: noise, joints, courses of blocks.

Every pattern repeats in both directions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from followme_uav.sim.rendering.textures.layers import SIZE_PX

GreyTexture = NDArray[np.float32]
"""(size, size), 0..1."""
ColourTexture = NDArray[np.float32]
"""(size, size, 3) RGB or (size, size, 4) RGBA, 0..1."""
WHITE = (1.0, 1.0, 1.0)


def noise(rng: np.random.Generator, cells: int, stretch: int = 1) -> GreyTexture:
    """Smooth noise, about -1..1, with `cells` bumps across (`stretch` x fewer along)."""
    along = max(1, cells // stretch)
    spectrum = np.fft.rfft2(rng.standard_normal((SIZE_PX, SIZE_PX)).astype(np.float32))
    ky = np.fft.fftfreq(SIZE_PX, 1 / SIZE_PX)[:, None] / along
    kx = np.fft.rfftfreq(SIZE_PX, 1 / SIZE_PX)[None, :] / cells
    spectrum *= np.exp(-(ky * ky + kx * kx))
    spectrum[0, 0] = 0.0
    field = np.fft.irfft2(spectrum, (SIZE_PX, SIZE_PX)).astype(np.float32)
    scaled: GreyTexture = field / (2.5 * field.std())
    return scaled


def tinted(grey: NDArray[np.floating], colour: tuple[float, float, float]) -> ColourTexture:
    """Multiply a grey texture by a colour."""
    return np.asarray(grey[..., None] * np.array(colour), dtype=np.float32)


def pixel_grid() -> tuple[GreyTexture, GreyTexture]:
    """Row and column coordinates of pixel centres, 0..1."""
    axis = (np.arange(SIZE_PX, dtype=np.float32) + 0.5) / SIZE_PX
    shape = (SIZE_PX, SIZE_PX)
    return np.broadcast_to(axis[:, None], shape), np.broadcast_to(axis[None, :], shape)


def rectangle_tiling(rng: np.random.Generator, cells: int) -> NDArray[np.int64]:
    """Index of the random rectangle that covers each pixel.

    The rectangles tile a torus of `cells` x `cells` squares without gaps.

    Returns:
        (size, size) indices from 0.
    """
    owner = np.full((cells, cells), -1, dtype=np.int64)
    sizes = [(2, 3), (3, 2), (2, 2), (2, 4), (4, 2), (1, 2), (2, 1), (1, 1)]
    count = 0
    for row in range(cells):
        for col in range(cells):
            if owner[row, col] >= 0:
                continue
            order = [*(sizes[int(k)] for k in rng.permutation(5)), *sizes[5:]]
            for height, width in order:
                rows = (row + np.arange(height)) % cells
                cols = (col + np.arange(width)) % cells
                if (owner[np.ix_(rows, cols)] < 0).all():
                    owner[np.ix_(rows, cols)] = count
                    count += 1
                    break
    scale = np.arange(SIZE_PX) * cells // SIZE_PX
    return owner[np.ix_(scale, scale)]


def block_courses(rows: int, cols: int) -> NDArray[np.int64]:
    """Index of the block at each pixel, (size, size); every second course is shifted by a half."""
    y = np.arange(SIZE_PX) * rows // SIZE_PX
    x = np.arange(SIZE_PX)
    shifted = (x[None, :] + (y[:, None] % 2) * (SIZE_PX // (2 * cols))) % SIZE_PX
    return np.asarray(y[:, None] * cols + shifted * cols // SIZE_PX)


def joints(owner: NDArray[np.int64], width_px: int) -> GreyTexture:
    """1 within `width_px` of a boundary between different indices, else 0."""
    line = np.zeros(owner.shape, dtype=np.float32)
    for axis in (0, 1):
        for step in range(1, width_px + 1):
            line[owner != np.roll(owner, step, axis=axis)] = 1.0
    return line


def block_shades(
    rng: np.random.Generator, owner: NDArray[np.int64], low: float, high: float
) -> GreyTexture:
    """A uniform random brightness for each index, at each of its pixels."""
    shade = rng.uniform(low, high, int(owner.max()) + 1).astype(np.float32)
    return shade[owner]


def with_panes(texture: ColourTexture, panes: NDArray[np.bool_]) -> ColourTexture:
    """Add an alpha channel: 0.5 where there is glass, which may be lit from behind, else 1."""
    alpha = np.where(panes, 0.5, 1.0).astype(np.float32)
    return np.dstack([texture, alpha])
