"""Layers of the texture array, and the size of one repetition of each."""

from __future__ import annotations

from enum import IntEnum

SIZE_PX = 512
"""Width and height of each layer."""


class TextureLayer(IntEnum):
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


TILE_M = {
    TextureLayer.PLAIN: 4.0,
    TextureLayer.GRASS: 7.0,
    TextureLayer.SLABS: 8.4,
    TextureLayer.PAVERS: 4.6,
    TextureLayer.ASPHALT: 9.0,
    TextureLayer.PLINTH: 3.2,
    TextureLayer.ROOF: 4.0,
    TextureLayer.CONCRETE: 6.0,
    TextureLayer.KERB: 1.2,
    TextureLayer.LIGHT: 1.0,
    TextureLayer.DOOR: 1.0,
}
"""Side of the square that one repetition covers, for textures with metric coordinates."""
