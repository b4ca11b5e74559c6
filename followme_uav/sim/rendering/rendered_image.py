"""Images as the renderer returns them: colour, object numbers, depth."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from followme_uav.channels import stacked
from followme_uav.messages import RgbImage
from followme_uav.sim.rendering.objects import SKY_ID
from followme_uav.sim.rendering.shaders.glsl import DEPTH_RANGE_M

SKY_DEPTH_M = 1.0e4
"""Depth of pixels that show the sky."""


class Rendering:
    """One image of a camera, first row on top. Each channel is decoded at its first use.

    Args:
        colour: (height, width) of four bytes, blue, green, red and the high byte of the object
            number; last row on top.
        measured: The same, three bytes of depth, the lowest first, and the low byte of the object
            number.
    """

    def __init__(self, colour: NDArray[np.uint32], measured: NDArray[np.uint32]) -> None:
        self._colour, self._measured = colour, measured

    @cached_property
    def rgb(self) -> RgbImage:
        """(height, width, 3) uint8."""
        pixels = self._colour[::-1].view(np.uint8).reshape(*self._colour.shape, 4)
        return stacked(pixels[..., 2], pixels[..., 1], pixels[..., 0])

    @cached_property
    def object_id(self) -> NDArray[np.uint16]:
        """(height, width) object numbers, exact; indices into `Scene.object_names`."""
        number = np.empty((*self._colour.shape, 2), dtype=np.uint8)
        for byte, plane in enumerate((self._measured, self._colour)):
            number[..., byte] = plane.view(np.uint8).reshape(*plane.shape, 4)[::-1, :, 3]
        return number.view("<u2")[..., 0]

    @cached_property
    def depth_m(self) -> NDArray[np.float32]:
        """(height, width) along the optical axis; `SKY_DEPTH_M` for the sky."""
        steps = self._measured[::-1] & 0xFFFFFF
        depth = np.empty(steps.shape, dtype=np.float32)
        np.multiply(steps, DEPTH_RANGE_M / 0xFFFFFF, out=depth, casting="same_kind")
        depth[self.object_id == SKY_ID] = SKY_DEPTH_M
        return depth
