"""A Panda3D window that shows an image and reports events of keyboard and mouse.

It is drawn by Panda3D's software renderer: one thread cannot use both the off-screen OpenGL context
of the scene and the OpenGL context of a display.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
from panda3d import core

from followme_uav.errors import EnvironmentSetupError
from followme_uav.messages import RgbImage, Vec2

SIZE_PX = (960, 640)
"""Width and height."""
CLOSE_EVENT = "window-close"
"""The close button was pressed."""

_CHANGE_EVENT = "window-changed"
_TEXTURE_PX = (1024, 1024)  # the software renderer needs powers of two


class ScreenWindow:
    """An open window.

    Raises:
        EnvironmentSetupError: There is no display.
    """

    def __init__(self, title: str) -> None:
        self._engine = core.GraphicsEngine.get_global_ptr()
        self._window = _open(self._engine, title)
        self._events = core.EventQueue.get_global_event_queue()
        self._input = core.NodePath("input")
        keys = self._input.attach_new_node(core.MouseAndKeyboard(self._window, 0, "keys"))
        self._mouse = core.MouseWatcher("mouse")
        keys.attach_new_node(self._mouse).attach_new_node(core.ButtonThrower("thrower"))
        self._traverser = core.DataGraphTraverser()
        self._texture = _image_texture()
        self._root = core.NodePath("window")  # Panda3D keeps children alive, not parents
        _add_card(self._root, self._texture)
        lens = core.OrthographicLens()
        lens.set_film_size(2.0, 2.0)
        camera = self._root.attach_new_node(core.Camera("camera", lens))
        self._window.make_display_region().set_camera(camera)
        self._window.set_active(False)  # or each frame of the scene would draw the window too

    @property
    def is_closed(self) -> bool:
        """The window is gone."""
        return bool(self._window.is_closed())

    @property
    def mouse_px(self) -> Vec2 | None:
        """The pointer, right and down from the centre; None outside of the window.

        It is in step with the button events. The window's own `get_pointer` is ahead of them, and
        quick drags would be lost.
        """
        if not self._mouse.has_mouse():
            return None
        width_px, height_px = SIZE_PX
        return (
            self._mouse.get_mouse_x() * width_px / 2,
            -self._mouse.get_mouse_y() * height_px / 2,
        )

    def read_input(self) -> None:
        """Take over keyboard and mouse from the display, for `next_event` and `mouse_px`."""
        self._traverser.traverse(self._input.node())

    def next_event(self) -> str | None:
        """Name of the oldest event that was not yet returned."""
        if self._events.is_queue_empty():
            return None
        return str(self._events.dequeue_event().name)

    def show(self, image: RgbImage) -> None:
        """Show an image of `SIZE_PX`."""
        self._texture.set_ram_image(_panda_bytes(image))
        self._window.set_active(True)
        self._engine.render_frame()
        self._window.set_active(False)

    def close(self) -> None:
        """Close the window; Panda3D crashes at exit with an open one."""
        self._engine.remove_window(self._window)


def _open(engine: core.GraphicsEngine, title: str) -> Any:
    pipe = None
    # Without DISPLAY, Panda3D would try display :0.
    if sys.platform != "linux" or os.environ.get("DISPLAY"):
        pipe = core.GraphicsPipeSelection.get_global_ptr().make_module_pipe("p3tinydisplay")
    properties = core.WindowProperties()
    properties.set_size(*SIZE_PX)
    properties.set_fixed_size(True)
    properties.set_title(title)
    window = pipe and engine.make_output(
        pipe,
        "window",
        10,
        core.FrameBufferProperties.get_default(),
        properties,
        core.GraphicsPipe.BF_require_window,
    )
    if window:
        engine.open_windows()
    if not window or not window.is_valid():
        raise EnvironmentSetupError(
            "cannot open a window: is there a screen (DISPLAY)? Run without --window"
        )
    window.set_close_request_event(CLOSE_EVENT)
    window.set_window_event(_CHANGE_EVENT)
    return window


def _image_texture() -> core.Texture:
    texture = core.Texture("view")
    texture.setup_2d_texture(*_TEXTURE_PX, core.Texture.T_unsigned_byte, core.Texture.F_rgb)
    texture.set_minfilter(core.SamplerState.FT_nearest)
    texture.set_magfilter(core.SamplerState.FT_nearest)
    return texture


def _add_card(root: core.NodePath, texture: core.Texture) -> None:
    """Fill the window with the part of the texture that holds the image."""
    card = core.CardMaker("card")
    card.set_frame(-1.0, 1.0, -1.0, 1.0)
    card.set_uv_range((0.0, 0.0), (SIZE_PX[0] / _TEXTURE_PX[0], SIZE_PX[1] / _TEXTURE_PX[1]))
    node = root.attach_new_node(card.generate())
    node.set_texture(texture)
    node.set_y(1.0)


def _panda_bytes(rgb: RgbImage) -> bytes:
    """The image as Panda3D wants textures: BGR, bottom row first."""
    width, height = _TEXTURE_PX
    texture = np.zeros((height, width, 3), np.uint8)
    texture[: rgb.shape[0], : rgb.shape[1]] = rgb[::-1, :, ::-1]
    return texture.tobytes()
