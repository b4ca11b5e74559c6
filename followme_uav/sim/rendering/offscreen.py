"""OpenGL without a display: the engine, and a buffer that owns the context."""

from __future__ import annotations

import functools
import os
import sys

from panda3d import core

from followme_uav.errors import EnvironmentSetupError

REMEDY = "install OpenGL for off-screen use: apt-get install libegl1 libgl1-mesa-dri libgles2"
_PIPE = "p3headlessgl"
_CONFIGURED = False


def open_pipe() -> tuple[core.GraphicsEngine, core.GraphicsPipe]:
    """Open the engine of this process and an off-screen (EGL) pipe.

    Raises:
        EnvironmentSetupError: This machine has no EGL.
    """
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
    return core.GraphicsEngine.get_global_ptr(), _pipe(_PIPE)


@functools.cache  # buffers of one pipe stop working when another pipe is freed
def _pipe(name: str) -> core.GraphicsPipe:
    pipe = core.GraphicsPipeSelection.get_global_ptr().make_module_pipe(name)
    if pipe is None:
        raise EnvironmentSetupError(f"no off-screen OpenGL (EGL) on this machine; {REMEDY}")
    return pipe


def open_host(engine: core.GraphicsEngine, pipe: core.GraphicsPipe) -> core.GraphicsOutput:
    """Open a small buffer that owns the OpenGL context.

    Raises:
        EnvironmentSetupError: OpenGL is missing, older than 3.3, or crashes beside TensorFlow.
    """
    properties = core.FrameBufferProperties()
    properties.set_rgba_bits(8, 8, 8, 8)
    properties.set_depth_bits(24)
    size = core.WindowProperties.size(16, 16)
    host = engine.make_output(
        pipe, "host", -10, properties, size, core.GraphicsPipe.BF_refuse_window
    )
    if host is None or host.get_gsg() is None:
        raise EnvironmentSetupError(f"OpenGL cannot open an off-screen buffer; {REMEDY}")
    engine.open_windows()
    gsg = host.get_gsg()
    if (gsg.get_driver_version_major(), gsg.get_driver_version_minor()) < (3, 3):
        raise EnvironmentSetupError(
            f"OpenGL {gsg.get_driver_version()} is too old, 3.3 is needed; {REMEDY}"
        )
    if "llvmpipe" in gsg.get_driver_renderer() and "tensorflow" in sys.modules:
        raise EnvironmentSetupError(
            "Mesa's software renderer and TensorFlow crash in one process (two versions of LLVM); "
            "run the simulator in a process of its own: 'followme-uav sim'"
        )
    host.set_active(False)
    return host
