"""The texture array of one city: all layers, made from a seed and a style.

Every layer repeats in both directions. Row 0 is the bottom row. The colours of grass, pavings and
asphalt are final; walls, cloth and hair are pale, and the tint of a surface gives their colour.
Alpha is below 0.45 where leaves are cut out, and between 0.5 and 1 where a pane can be lit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from followme_uav.sim.city.styles import CityStyle
from followme_uav.sim.rendering.textures import buildings, grounds, nature
from followme_uav.sim.rendering.textures.layers import SIZE_PX, TextureLayer
from followme_uav.sim.rendering.textures.patterns import WHITE, noise, tinted


def make_textures(seed: int, style: CityStyle) -> NDArray[np.uint8]:
    """Paint all layers; style decides on pavings and roofs.

    Returns:
        (len(TextureLayer), SIZE_PX, SIZE_PX, 4) RGBA.
    """
    rng = np.random.default_rng([seed, 20])
    roof = buildings.tiled_roof if style.roof_picture == "tiles" else buildings.seamed_roof
    # All layers draw from one generator: the order decides what each looks like.
    textures = {
        TextureLayer.PLAIN: tinted(0.97 + 0.03 * noise(rng, 24), WHITE),
        TextureLayer.GRASS: grounds.grass(rng),
        TextureLayer.SLABS: grounds.PAVINGS[style.square](rng),
        TextureLayer.PAVERS: grounds.PAVINGS[style.pavement](rng),
        TextureLayer.ASPHALT: grounds.asphalt(rng),
        TextureLayer.PLASTER: buildings.plaster_wall(rng),
        TextureLayer.BRICK: buildings.brick_wall(rng),
        TextureLayer.STONE: buildings.stone_wall(rng),
        TextureLayer.PLINTH: grounds.plinth(rng),
        TextureLayer.ROOF: roof(rng),
        TextureLayer.LEAVES: nature.leaves(rng),
        TextureLayer.CLOTH: nature.cloth(rng),
        TextureLayer.HAIR: nature.hair(rng),
        TextureLayer.SKY: nature.sky(rng),
        TextureLayer.CONCRETE: buildings.concrete(rng),
        TextureLayer.KERB: grounds.kerb(rng),
        TextureLayer.LIGHT: buildings.lamp(),
        TextureLayer.GLASS: buildings.glass_wall(rng),
        TextureLayer.DOOR: buildings.door(rng),
    }
    out = np.empty((len(TextureLayer), SIZE_PX, SIZE_PX, 4), dtype=np.uint8)
    for layer, texture in textures.items():
        channels = texture.shape[2]
        out[layer, ..., :channels] = np.clip(texture * 255.0 + 0.5, 0, 255).astype(np.uint8)
        if channels == 3:
            out[layer, ..., 3] = 255
    return out
