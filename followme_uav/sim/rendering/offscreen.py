"""OpenGL without a display: the engine, and a context that makes off-screen buffers."""

from __future__ import annotations

import functools
import os
import sys

from panda3d import core

from followme_uav.errors import EnvironmentSetupError

REMEDY = "install OpenGL for off-screen use: apt-get install libegl1 libgl1-mesa-dri libgles2"
_PIPE = "p3headlessgl"
_CONFIGURED = False


class OffscreenContext:
    """An OpenGL context of its own, which shares the engine of this process.

    Raises:
        EnvironmentSetupError: OpenGL is missing, older than 3.3, or crashes beside TensorFlow.
    """

    def __init__(self) -> None:
        self.engine = _engine()
        self._pipe = _pipe(_PIPE)
        self._host: core.GraphicsOutput | None = None
        self._host = self._open_host()

    def make_buffer(
        self, name: str, sort: int, properties: core.FrameBufferProperties, size_px: tuple[int, int]
    ) -> core.GraphicsOutput | None:
        """Make a buffer in this context; None where OpenGL has none with these properties.

        Args:
            name: Name of the buffer.
            sort: Buffers with a lower number are drawn first.
            properties: Bits of its planes.
            size_px: Width and height.
        """
        shared = () if self._host is None else (self._host.get_gsg(), self._host)
        return self.engine.make_output(
            self._pipe,
            name,
            sort,
            properties,
            core.WindowProperties.size(*size_px),
            core.GraphicsPipe.BF_refuse_window,
            *shared,
        )

    def remove(self, buffer: core.GraphicsOutput) -> None:
        """Free a buffer."""
        self.engine.remove_window(buffer)

    def close(self) -> None:
        """Free the context, after its buffers."""
        if self._host is not None:
            self.remove(self._host)
            self._host = None

    def _open_host(self) -> core.GraphicsOutput:
        """Open a small buffer that owns the context."""
        properties = core.FrameBufferProperties()
        properties.set_rgba_bits(8, 8, 8, 8)
        properties.set_depth_bits(24)
        host = self.make_buffer("host", -10, properties, (16, 16))
        if host is None or host.get_gsg() is None:
            raise EnvironmentSetupError(f"OpenGL cannot open an off-screen buffer; {REMEDY}")
        self.engine.open_windows()
        gsg = host.get_gsg()
        if (gsg.get_driver_version_major(), gsg.get_driver_version_minor()) < (3, 3):
            raise EnvironmentSetupError(
                f"OpenGL {gsg.get_driver_version()} is too old, 3.3 is needed; {REMEDY}"
            )
        if "llvmpipe" in gsg.get_driver_renderer() and "tensorflow" in sys.modules:
            raise EnvironmentSetupError(
                "Mesa's software renderer and TensorFlow crash in one process (two versions of "
                "LLVM); run the simulator in a process of its own: 'followme-uav sim'"
            )
        host.set_active(False)
        return host


def _engine() -> core.GraphicsEngine:
    """The engine of this process, configured at the first call."""
    global _CONFIGURED
    if not _CONFIGURED:
        settings = (
            "window-type offscreen",
            "gl-version 3 3",
            "sync-video false",
            "audio-library-name null",
            "notify-level error",
            "notify-level-display fatal",
            "notify-level-egldisplay fatal",
            "textures-power-2 none",
            "gl-coordinate-system default",
            "allow-incomplete-render false",
        )
        core.load_prc_file_data("followme-uav", "\n".join(settings))
        os.environ.setdefault("EGL_LOG_LEVEL", "fatal")
        _CONFIGURED = True
    return core.GraphicsEngine.get_global_ptr()


@functools.cache  # buffers of one pipe stop working when another pipe is freed
def _pipe(name: str) -> core.GraphicsPipe:
    pipe = core.GraphicsPipeSelection.get_global_ptr().make_module_pipe(name)
    if pipe is None:
        raise EnvironmentSetupError(f"no off-screen OpenGL (EGL) on this machine; {REMEDY}")
    return pipe
