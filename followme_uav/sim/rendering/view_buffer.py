"""Off-screen buffers of one image size, each with a camera."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from panda3d import core

from followme_uav.errors import EnvironmentSetupError
from followme_uav.messages import CameraPose
from followme_uav.sim.rendering.offscreen import REMEDY, OffscreenContext
from followme_uav.sim.rendering.panda import CAMERA_MASK, panda_matrix
from followme_uav.sim.rendering.rendered_image import Rendering

NEAR_M = 0.08
FAR_M = 1500.0


class ViewBuffer:
    """A buffer for images of one size of the scene below `root`.

    Raises:
        EnvironmentSetupError: OpenGL has no such buffer.
    """

    def __init__(
        self, context: OffscreenContext, root: core.NodePath, width_px: int, height_px: int
    ) -> None:
        self._context, self._width_px, self._height_px = context, width_px, height_px
        self._buffer = _open_buffer(context, width_px, height_px)
        self._colour, self._measured = core.Texture("colour"), core.Texture("measured")
        output = core.GraphicsOutput
        mode, aux = output.RTM_copy_ram, output.RTP_aux_rgba_0
        self._buffer.add_render_texture(self._colour, mode, output.RTP_color)
        self._buffer.add_render_texture(self._measured, mode, aux)
        self._buffer.set_clear_active(aux, True)
        self._buffer.set_clear_value(aux, core.LVecBase4f(1, 1, 1, 0))
        self._lens = core.PerspectiveLens()
        self._lens.set_near_far(NEAR_M, FAR_M)
        camera = core.Camera("camera", self._lens)
        camera.set_camera_mask(CAMERA_MASK)
        self._camera = root.attach_new_node(camera)
        self._buffer.make_display_region().set_camera(self._camera)

    def set_background(self, colour: tuple[float, float, float]) -> None:
        """Set the colour where no surface is drawn.

        With the colour of the fog, hairline gaps between surfaces do not stand out.
        """
        self._buffer.set_clear_color(core.LVecBase4f(*colour, 0.0))

    def render(self, pose: CameraPose) -> Rendering:
        """Draw the scene as it is now."""
        self._camera.set_mat(panda_matrix(pose.position_m, pose.orientation))
        half_height = math.tan(pose.fov_rad / 2) * self._height_px / self._width_px
        height_rad = 2 * math.atan(half_height)
        self._lens.set_fov(math.degrees(pose.fov_rad), math.degrees(height_rad))
        # An active buffer is drawn with every frame, and with each frame of a window too.
        self._buffer.set_active(True)
        self._context.engine.render_frame()
        self._buffer.set_active(False)
        return Rendering(self._pixels(self._colour), self._pixels(self._measured))

    def close(self) -> None:
        """Free the buffer."""
        self._context.remove(self._buffer)

    def _pixels(self, texture: core.Texture) -> NDArray[np.uint32]:
        """(height, width) BGRA, bottom row first; a copy, because the next frame overwrites it."""
        data = np.frombuffer(bytes(texture.get_ram_image()), dtype="<u4")
        return data.reshape(self._height_px, self._width_px)


def _open_buffer(context: OffscreenContext, width_px: int, height_px: int) -> core.GraphicsOutput:
    properties = core.FrameBufferProperties()
    properties.set_rgba_bits(8, 8, 8, 8)
    properties.set_depth_bits(24)
    properties.set_aux_rgba(1)
    name = f"view {width_px}x{height_px}"
    buffer = context.make_buffer(name, 0, properties, (width_px, height_px))
    if buffer is None:
        raise EnvironmentSetupError(
            f"no off-screen buffer of {width_px}x{height_px} px with two colour planes; {REMEDY}"
        )
    return buffer
