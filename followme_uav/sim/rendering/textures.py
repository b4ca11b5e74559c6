"""Pictures for all surfaces of the city, made from a seed: one (layers, size, size, 4) uint8 array.

Every layer repeats in both directions. Row 0 is the bottom of the picture. Alpha matters for leaves
only. The colours of grass, slabs and asphalt are final; walls, cloth and hair are pale and get
their colour from the surface that wears them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from followme_uav.sim.city.styles import CityStyle

SIZE_PX = 512

Grey = NDArray[np.float32]
"""(size, size)."""


class Layer(IntEnum):
    """Index of each texture."""

    PLAIN = 0
    GRASS = 1
    SLABS = 2
    PAVERS = 3
    ASPHALT = 4
    PLASTER = 5
    BRICK = 6
    STONE = 7
    PLINTH = 8
    ROOF = 9
    LEAVES = 10
    CLOTH = 11
    HAIR = 12
    SKY = 13
    CONCRETE = 14
    KERB = 15
    LIGHT = 16
    GLASS = 17
    DOOR = 18


METRES = {
    Layer.PLAIN: 4.0,
    Layer.GRASS: 7.0,
    Layer.SLABS: 8.4,
    Layer.PAVERS: 4.6,
    Layer.ASPHALT: 9.0,
    Layer.PLINTH: 3.2,
    Layer.ROOF: 4.0,
    Layer.CONCRETE: 6.0,
    Layer.KERB: 1.2,
    Layer.LIGHT: 1.0,
    Layer.DOOR: 1.0,
}
"""Side of the square one repetition covers, for textures laid by the metre."""


def make_textures(seed: int, style: CityStyle) -> NDArray[np.uint8]:
    """All layers, (len(Layer), SIZE_PX, SIZE_PX, 4) RGBA; paving and roofs by style."""
    rng = np.random.default_rng([seed, 20])
    pictures = {
        Layer.PLAIN: _tinted(0.97 + 0.03 * _noise(rng, 24), (1, 1, 1)),
        Layer.GRASS: _grass(rng),
        Layer.SLABS: _PAVINGS[style.square](rng),
        Layer.PAVERS: _PAVINGS[style.pavement](rng),
        Layer.ASPHALT: _asphalt(rng),
        Layer.PLASTER: _facade(rng, _plaster(rng), arched=False),
        Layer.BRICK: _facade(rng, _brick(rng), arched=False),
        Layer.STONE: _facade(rng, _ashlar(rng), arched=True),
        Layer.PLINTH: _plinth(rng),
        Layer.ROOF: _tiles(rng) if style.roof_picture == "tiles" else _roof(rng),
        Layer.LEAVES: _leaves(rng),
        Layer.CLOTH: _cloth(rng),
        Layer.HAIR: _hair(rng),
        Layer.SKY: _sky(rng),
        Layer.CONCRETE: _concrete(rng),
        Layer.KERB: _kerb(rng),
        Layer.LIGHT: _light(),
        Layer.GLASS: _curtain_wall(rng),
        Layer.DOOR: _door(rng),
    }
    out = np.empty((len(Layer), SIZE_PX, SIZE_PX, 4), dtype=np.uint8)
    for layer, picture in pictures.items():
        channels = picture.shape[2]
        out[layer, ..., :channels] = np.clip(picture * 255.0 + 0.5, 0, 255).astype(np.uint8)
        if channels == 3:
            out[layer, ..., 3] = 255
    return out


def _noise(rng: np.random.Generator, cells: int, stretch: int = 1) -> Grey:
    """Smooth repeating noise, about -1..1, with `cells` bumps across (`stretch` x fewer along)."""
    along = max(1, cells // stretch)
    spectrum = np.fft.rfft2(rng.standard_normal((SIZE_PX, SIZE_PX)).astype(np.float32))
    ky = np.fft.fftfreq(SIZE_PX, 1 / SIZE_PX)[:, None] / along
    kx = np.fft.rfftfreq(SIZE_PX, 1 / SIZE_PX)[None, :] / cells
    spectrum *= np.exp(-(ky * ky + kx * kx))
    spectrum[0, 0] = 0.0
    field = np.fft.irfft2(spectrum, (SIZE_PX, SIZE_PX)).astype(np.float32)
    return field / (2.5 * field.std())


def _tinted(grey: NDArray[np.floating], colour: tuple[float, float, float]) -> NDArray[np.float32]:
    return np.asarray(grey[..., None] * np.array(colour), dtype=np.float32)


def _grid() -> tuple[Grey, Grey]:
    """Row and column coordinates, 0..1."""
    axis = (np.arange(SIZE_PX, dtype=np.float32) + 0.5) / SIZE_PX
    shape = (SIZE_PX, SIZE_PX)
    return np.broadcast_to(axis[:, None], shape), np.broadcast_to(axis[None, :], shape)


def _grass(rng: np.random.Generator) -> NDArray[np.float32]:
    light = 1.0 + 0.10 * _noise(rng, 9) + 0.16 * _noise(rng, 90, 2) + 0.22 * _noise(rng, 220, 2)
    yellow = 0.06 * _noise(rng, 40)
    colour = np.stack([0.255 + yellow, 0.463 + 0.3 * yellow, np.full_like(yellow, 0.012)], axis=-1)
    return np.asarray(colour * light[..., None], dtype=np.float32)


def _tiling(rng: np.random.Generator, cells: int) -> NDArray[np.int64]:
    """A torus of cells x cells covered by rectangles: (cells, cells) number of each rectangle."""
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
    return owner


def _joints(owner_px: NDArray[np.int64], width_px: int) -> Grey:
    """1 on the lines between different owners, else 0."""
    line = np.zeros(owner_px.shape, dtype=np.float32)
    for axis in (0, 1):
        for step in range(1, width_px + 1):
            line[owner_px != np.roll(owner_px, step, axis=axis)] = 1.0
    return line


def _slabs(rng: np.random.Generator) -> NDArray[np.float32]:
    cells = 24
    owner = _tiling(rng, cells)
    scale = np.arange(SIZE_PX) * cells // SIZE_PX
    owner_px = owner[np.ix_(scale, scale)]
    shade = rng.choice([0.60, 0.66, 0.71, 0.76, 0.80, 0.91], owner.max() + 1).astype(np.float32)
    shade += rng.uniform(-0.03, 0.03, shade.shape).astype(np.float32)
    warm = rng.uniform(-0.012, 0.012, shade.shape).astype(np.float32)
    light = shade[owner_px] * (1.0 + 0.10 * _noise(rng, 16) + 0.06 * _noise(rng, 60))
    joint = _joints(owner_px, 2)
    light = light * (1.0 - joint * (0.45 + 0.2 * _noise(rng, 30)))
    colour = np.stack([light + warm[owner_px], light, light * 0.98 - warm[owner_px]], axis=-1)
    return np.asarray(colour, dtype=np.float32)


def _rows_of_blocks(rows: int, cols: int) -> NDArray[np.int64]:
    """Courses of blocks, every second one shifted by half a block: number of each block."""
    y = np.arange(SIZE_PX) * rows // SIZE_PX
    x = np.arange(SIZE_PX)
    shifted = (x[None, :] + (y[:, None] % 2) * (SIZE_PX // (2 * cols))) % SIZE_PX
    return np.asarray(y[:, None] * cols + shifted * cols // SIZE_PX)


def _pavers(rng: np.random.Generator) -> NDArray[np.float32]:
    blocks = _rows_of_blocks(8, 5)
    shade = rng.uniform(0.56, 0.72, int(blocks.max()) + 1).astype(np.float32)
    light = shade[blocks] * (1.0 + 0.06 * _noise(rng, 50)) * (1.0 - 0.45 * _joints(blocks, 4))
    return _tinted(light, (1.0, 0.985, 0.95))


def _asphalt(rng: np.random.Generator) -> NDArray[np.float32]:
    light = 0.345 * (1.0 + 0.13 * _noise(rng, 4, 2) + 0.09 * _noise(rng, 160))
    return _tinted(light, (1.02, 1.0, 0.95))


def _plaster(rng: np.random.Generator) -> NDArray[np.float32]:
    return _tinted(0.93 + 0.04 * _noise(rng, 5) + 0.02 * _noise(rng, 120), (1, 1, 1))


def _brick(rng: np.random.Generator) -> NDArray[np.float32]:
    blocks = _rows_of_blocks(40, 10)
    shade = rng.uniform(0.72, 0.98, int(blocks.max()) + 1).astype(np.float32)
    light = shade[blocks] * (1.0 - 0.25 * _joints(blocks, 1))
    row, _ = _grid()
    bands = (row * 5.0) % 1.0 < 0.045
    light = np.where(bands, 1.0, light)
    return _tinted(light.astype(np.float32), (1, 1, 1))


def _ashlar(rng: np.random.Generator) -> NDArray[np.float32]:
    blocks = _rows_of_blocks(8, 4)
    shade = rng.uniform(0.84, 1.0, int(blocks.max()) + 1).astype(np.float32)
    light = shade[blocks] * (1.0 - 0.3 * _joints(blocks, 4)) * (1.0 + 0.04 * _noise(rng, 70))
    return _tinted(light, (1, 1, 1))


def _facade(
    rng: np.random.Generator, wall: NDArray[np.float32], arched: bool
) -> NDArray[np.float32]:
    """One bay of one storey: a wall with a framed window and a string course at the bottom."""
    row, col = _grid()
    x, y = np.abs(col - 0.5), row
    top = 0.80 - (0.10 * (x / 0.17) ** 2 if arched else 0.0)
    frame = (x < 0.215) & (y > 0.22) & (y < top + 0.055)
    opening = (x < 0.17) & (y > 0.28) & (y < top)
    sill = (x < 0.25) & (y > 0.22) & (y < 0.27)
    shadow = (x < 0.25) & (y > 0.185) & (y <= 0.22)
    lintel = (x < 0.245) & (y > top + 0.055) & (y < top + 0.085)
    mullion = opening & ((x < 0.014) | (np.abs(y - 0.60) < 0.012) | (x > 0.15))
    picture = wall.copy()
    picture[(y < 0.06)] = 0.98
    picture[(y > 0.06) & (y < 0.075)] *= 0.5
    picture[shadow] *= 0.55
    picture[frame | sill] = 0.97
    picture[lintel] *= 0.45
    glass = 0.20 + 0.16 * row + 0.07 * _noise(rng, 7)
    curtain = (x > 0.085) & (y > 0.34)
    picture[opening] = (glass[..., None] * np.array([0.95, 1.0, 1.05], dtype=np.float32))[opening]
    picture[opening & curtain] = (0.42 + 0.10 * _noise(rng, 30))[opening & curtain][:, None]
    picture[mullion] = 0.80
    rim = frame & ~opening & (x > 0.165) & (x < 0.178) & (y > 0.28) & (y < top)
    picture[rim] = 0.25
    return _with_panes(picture, opening & ~mullion)


def _with_panes(picture: NDArray[np.float32], panes: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The picture with an alpha of a half where there is glass, which may be lit from behind."""
    alpha = np.where(panes, 0.5, 1.0).astype(np.float32)
    return np.dstack([picture, alpha])


def _plinth(rng: np.random.Generator) -> NDArray[np.float32]:
    owner = _tiling(rng, 16)
    scale = np.arange(SIZE_PX) * 16 // SIZE_PX
    owner_px = owner[np.ix_(scale, scale)]
    shade = rng.uniform(0.55, 0.95, int(owner.max()) + 1).astype(np.float32)
    light = shade[owner_px] * (1.0 + 0.12 * _noise(rng, 40)) * (1.0 - 0.35 * _joints(owner_px, 3))
    return _tinted(light, (1, 1, 1))


def _roof(rng: np.random.Generator) -> NDArray[np.float32]:
    _, col = _grid()
    seam = ((col * 6.0) % 1.0 < 0.08).astype(np.float32)
    return _tinted(0.86 + 0.10 * _noise(rng, 20) - 0.3 * seam, (1, 1, 1))


def _cobbles(rng: np.random.Generator) -> NDArray[np.float32]:
    """Setts of one size in bent courses, worn pale in the middle."""
    row, col = _grid()
    bend = 0.07 * np.sin(2 * np.pi * col * 2.0)
    course = row * 22.0 + bend * 4.0
    number = np.floor(course).astype(np.int64) % 22
    along = col * 24.0 + 0.5 * (number % 2)
    stone = number * 24 + np.floor(along).astype(np.int64) % 24
    shade = rng.uniform(0.58, 0.82, 22 * 24).astype(np.float32)[stone]
    edge = np.maximum(np.abs(course % 1.0 - 0.5), np.abs(along % 1.0 - 0.5))
    light = shade * (1.04 - 0.5 * np.clip((edge - 0.36) / 0.12, 0.0, 1.0))
    return _tinted((light * (1.0 + 0.06 * _noise(rng, 60))).astype(np.float32), (1.0, 0.985, 0.95))


def _granite(rng: np.random.Generator) -> NDArray[np.float32]:
    """Large sawn plates in straight rows, speckled."""
    blocks = _rows_of_blocks(6, 3)
    shade = rng.uniform(0.70, 0.78, int(blocks.max()) + 1).astype(np.float32)
    speckle = 0.05 * _noise(rng, 150) + 0.03 * _noise(rng, 9)
    light = shade[blocks] * (1.0 + speckle) * (1.0 - 0.35 * _joints(blocks, 2))
    return _tinted(light, (0.99, 1.0, 1.01))


def _paving_bricks(rng: np.random.Generator) -> NDArray[np.float32]:
    blocks = _rows_of_blocks(28, 14)
    shade = rng.uniform(0.66, 0.94, int(blocks.max()) + 1).astype(np.float32)
    light = shade[blocks] * (1.0 - 0.3 * _joints(blocks, 1)) * (1.0 + 0.10 * _noise(rng, 6))
    return _tinted(light, (1.0, 0.97, 0.95))


_PAVINGS: dict[str, Callable[[np.random.Generator], NDArray[np.float32]]] = {
    "slabs": _slabs,
    "blocks": _pavers,
    "cobbles": _cobbles,
    "granite": _granite,
    "bricks": _paving_bricks,
}


def _tiles(rng: np.random.Generator) -> NDArray[np.float32]:
    """Rows of roof tiles, each a little brighter or darker, with a shadow under each row."""
    blocks = _rows_of_blocks(16, 20)
    shade = rng.uniform(0.74, 1.0, int(blocks.max()) + 1).astype(np.float32)
    row, col = _grid()
    lap = (row * 16.0) % 1.0 < 0.16
    light = (
        shade[blocks] * np.where(lap, 0.62, 1.0) * (1.0 - 0.14 * np.abs(np.sin(np.pi * 20 * col)))
    )
    return _tinted((light * (1.0 + 0.06 * _noise(rng, 12))).astype(np.float32), (1, 1, 1))


def _curtain_wall(rng: np.random.Generator) -> NDArray[np.float32]:
    """One bay of one storey of a glass front: two panes, dark parapet, bright mullions."""
    row, col = _grid()
    spandrel = row < 0.22
    mullion = (
        (np.abs((col * 2.0) % 1.0 - 0.5) > 0.47) | (np.abs(row - 0.22) < 0.012) | (row > 0.985)
    )
    sky = 0.36 + 0.34 * row + 0.06 * _noise(rng, 3) + 0.10 * _noise(rng, 6, 3)
    picture = np.stack([0.80 * sky, 0.95 * sky, 1.08 * sky], axis=-1).astype(np.float32)
    picture[spandrel] = (0.30, 0.33, 0.36)
    picture[mullion] = (0.74, 0.76, 0.78)
    return _with_panes(picture, ~spandrel & ~mullion)


def _door(rng: np.random.Generator) -> NDArray[np.float32]:
    """A pale double door of panels in a stone frame, a pane above; grey where colour comes."""
    row, col = _grid()
    x = np.abs(col - 0.5)
    picture = np.full((SIZE_PX, SIZE_PX, 3), 0.9, dtype=np.float32) * (
        0.9 + 0.06 * _noise(rng, 40)[..., None]
    )
    leaf = (x < 0.38) & (row < 0.80)
    picture[leaf] = 1.0
    panel = leaf & (np.abs(x - 0.19) < 0.12) & (np.abs((row * 2.5) % 1.0 - 0.5) < 0.36)
    picture[panel] = 0.78
    picture[leaf & (x < 0.012)] = 0.35
    pane = (x < 0.38) & (row > 0.84) & (row < 0.95)
    picture[pane] = (0.30, 0.33, 0.36)
    return _with_panes(picture, pane)


def _concrete(rng: np.random.Generator) -> NDArray[np.float32]:
    row, col = _grid()
    joint = (((row * 2.0) % 1.0 < 0.012) | ((col * 2.0) % 1.0 < 0.012)).astype(np.float32)
    return _tinted(0.90 + 0.08 * _noise(rng, 9) + 0.03 * _noise(rng, 120) - 0.3 * joint, (1, 1, 1))


def _kerb(rng: np.random.Generator) -> NDArray[np.float32]:
    """Two kerb stones side by side, one red and one white."""
    row, col = _grid()
    light = 0.9 + 0.12 * _noise(rng, 40)
    light = light * np.where(((col * 2.0) % 1.0 < 0.03) | (row < 0.04), 0.35, 1.0)
    red = (col < 0.5)[..., None]
    colours = np.where(red, np.array([0.48, 0.10, 0.10]), np.array([0.66, 0.64, 0.58]))
    return np.asarray(light[..., None] * colours, dtype=np.float32)


def _leaves(rng: np.random.Generator) -> NDArray[np.float32]:
    """A spray of pointed leaves with alpha; grey values, coloured by the plant."""
    picture = np.zeros((SIZE_PX, SIZE_PX, 4), dtype=np.float32)
    picture[..., :3] = 0.45
    axis = np.arange(SIZE_PX, dtype=np.float32)
    for _ in range(70):
        angle = float(rng.uniform(0, 2 * np.pi))
        reach = float(SIZE_PX * 0.44 * np.sqrt(rng.random()))
        cy, cx = SIZE_PX / 2 + reach * np.sin(angle), SIZE_PX / 2 + reach * np.cos(angle)
        lean = angle + float(rng.uniform(-0.9, 0.9))
        half_length, half_width = float(rng.uniform(30, 52)), float(rng.uniform(9, 16))
        # Only the square around the leaf; leaves stay clear of the edges of the picture.
        reach_px = int(half_length) + 2
        rows = slice(max(0, int(cy) - reach_px), int(cy) + reach_px)
        cols = slice(max(0, int(cx) - reach_px), int(cx) + reach_px)
        dy, dx = axis[rows, None] - cy, axis[None, cols] - cx
        along = (dx * np.cos(lean) + dy * np.sin(lean)) / half_length
        across = (-dx * np.sin(lean) + dy * np.cos(lean)) / half_width
        inside = np.abs(across) < 1.0 - along * along
        light = float(rng.uniform(0.45, 1.0))
        shade = light * (0.80 + 0.25 * across) * np.where(np.abs(across) < 0.08, 0.75, 1.0)
        picture[rows, cols, :3][inside] = shade[inside][:, None]
        picture[rows, cols, 3][inside] = 1.0
    return picture


def _cloth(rng: np.random.Generator) -> NDArray[np.float32]:
    """Folds with dark creases."""
    folds = 0.76 + 0.30 * _noise(rng, 12, 3) + 0.14 * _noise(rng, 50, 2)
    return _tinted(np.clip(folds, 0.25, 1.0), (1, 1, 1))


def _hair(rng: np.random.Generator) -> NDArray[np.float32]:
    streaks = 0.72 + 0.30 * _noise(rng, 70, 12) + 0.10 * _noise(rng, 12)
    return _tinted(np.clip(streaks, 0.2, 1.0), (1, 1, 1))


def _sky(rng: np.random.Generator) -> NDArray[np.float32]:
    """Cover (red) and brightness (green) of clouds, which the shader colours.

    Columns go around the horizon; rows from the horizon (bottom) to the zenith.
    """
    row, _ = _grid()
    cloud = 0.6 * _noise(rng, 7) + 0.35 * _noise(rng, 18) + 0.2 * _noise(rng, 45)
    cover = 0.42 + 0.9 * cloud + 0.4 * (0.35 - row)
    return np.asarray(np.stack([cover, cloud, np.zeros_like(cloud)], axis=-1), dtype=np.float32)


def _light() -> NDArray[np.float32]:
    """The glass of a lamp: pale by day, a pane all over."""
    picture = np.full((SIZE_PX, SIZE_PX, 4), 0.9, dtype=np.float32)
    picture[..., 3] = 0.5
    return picture
