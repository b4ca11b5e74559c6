"""Falling rain: one triangle over the whole image."""

from __future__ import annotations

from panda3d import core

from followme_uav.sim.rendering.overlays import add_overlay
from followme_uav.sim.rendering.shaders.rain import RAIN

_CORNERS = ((-1.0, -1.0, 0.0), (3.0, -1.0, 0.0), (-1.0, 3.0, 0.0))


class Rain:
    """Rain below `root`."""

    def __init__(self, root: core.NodePath) -> None:
        self._node = add_overlay(root, "rain", _CORNERS, [(0, 1, 2)], RAIN, sort=30)
        self._node.set_depth_test(False)
        self._amount = 0.0

    def set_amount(self, amount: float) -> None:
        """Draw so much rain, 0..1; nothing at 0."""
        self._amount = amount
        if amount > 0.0:
            self._node.show()
        else:
            self._node.hide()

    def place_drops(self, height_px: int, phase: float) -> None:
        """Place the drops of the next image, of this height; each phase has its own places."""
        if self._amount > 0.0:
            uniform = core.LVecBase4f(height_px, phase % 16.0, self._amount, 0.0)
            self._node.set_shader_input("rain", uniform)
