"""A window on the running simulator: the vehicle from behind, the camera's own image in a corner.

For people only: nothing here changes what the camera sees or when time passes. The window itself
is drawn without OpenGL, because one thread cannot use the camera's off-screen context and one of a
screen.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from panda3d import core

from followme_uav.errors import EnvironmentSetupError
from followme_uav.geometry import quaternion_from_pan_tilt, yaw_of
from followme_uav.messages import CameraPose
from followme_uav.sim.scene import Pose, Scene

if TYPE_CHECKING:
    from followme_uav.sim.simulation import Simulation

SIZE_PX = (640, 480)
PERIOD_S = 0.1
BEHIND_M, ABOVE_M = 6.0, 2.0
VIEW_FOV_RAD = math.radians(70.0)
VIEW_TILT_RAD = math.radians(-12.0)

_TEXTURE_PX = (1024, 512)  # the software renderer wants powers of two


class Window:
    """Shows a simulation while it runs. To be used on the simulation's thread.

    Raises:
        EnvironmentSetupError: There is no screen.
    """

    def __init__(self, title: str) -> None:
        self._engine = core.GraphicsEngine.get_global_ptr()
        self._next_s = 0.0
        pipe = core.GraphicsPipeSelection.get_global_ptr().make_module_pipe("p3tinydisplay")
        properties = core.WindowProperties()
        properties.set_size(*SIZE_PX)
        properties.set_title(title)
        self._window = pipe and self._engine.make_output(
            pipe,
            "window",
            10,
            core.FrameBufferProperties.get_default(),
            properties,
            core.GraphicsPipe.BF_require_window,
        )
        if self._window:
            self._engine.open_windows()
        if not self._window or not self._window.is_valid():
            raise EnvironmentSetupError(
                "cannot open a window: is there a screen (DISPLAY)? Run without --window"
            )
        self._texture = core.Texture("view")
        self._texture.setup_2d_texture(
            *_TEXTURE_PX, core.Texture.T_unsigned_byte, core.Texture.F_rgb
        )
        self._texture.set_minfilter(core.SamplerState.FT_nearest)
        self._texture.set_magfilter(core.SamplerState.FT_nearest)
        card = core.CardMaker("card")
        card.set_frame(-1.0, 1.0, -1.0, 1.0)
        card.set_uv_range((0.0, 0.0), (SIZE_PX[0] / _TEXTURE_PX[0], SIZE_PX[1] / _TEXTURE_PX[1]))
        self._root = core.NodePath("window")  # Panda3D keeps children alive, not parents
        shown = self._root.attach_new_node(card.generate())
        shown.set_texture(self._texture)
        shown.set_y(1.0)
        lens = core.OrthographicLens()
        lens.set_film_size(2.0, 2.0)
        camera = self._root.attach_new_node(core.Camera("camera", lens))
        self._window.make_display_region().set_camera(camera)

    def show(self, simulation: Simulation) -> None:
        """Draw the present state, unless the last drawing is very recent or the window closed."""
        now_s = time.monotonic()
        if now_s < self._next_s or not self._window.is_valid():
            return
        self._next_s = now_s + PERIOD_S
        scene = simulation.renderer
        assert isinstance(scene, Scene)  # noqa: S101 - the server makes both or none
        vehicle = simulation.vehicle
        body = Pose(vehicle.position_m, vehicle.orientation)
        people, cars = simulation.crowd.people, simulation.traffic.cars
        picture = scene.render(_behind(body), *SIZE_PX, people, cars, body).rgb.copy()
        if simulation.latest_shot is not None:
            inset = simulation.latest_shot.picture.rgb[: SIZE_PX[1] // 2, : SIZE_PX[0] // 2]
            picture[: inset.shape[0], : inset.shape[1]] = inset
        self._texture.set_ram_image(_panda_bytes(picture))
        self._engine.render_frame()

    def close(self) -> None:
        """Close the window; Panda3D crashes at exit with one still open."""
        self._engine.remove_window(self._window)


def _behind(body: Pose) -> CameraPose:
    """A camera that follows the vehicle's heading and looks a little down on it."""
    yaw = yaw_of(body.orientation)
    north, east, down = body.position_m
    place = (
        north - BEHIND_M * math.cos(yaw),
        east - BEHIND_M * math.sin(yaw),
        min(down - ABOVE_M, -1.0),
    )
    return CameraPose(place, quaternion_from_pan_tilt(yaw, VIEW_TILT_RAD), VIEW_FOV_RAD)


def _panda_bytes(rgb: NDArray[np.uint8]) -> bytes:
    """Panda keeps textures as BGR, lowest row first."""
    width, height = _TEXTURE_PX
    texture = np.zeros((height, width, 3), np.uint8)
    texture[: rgb.shape[0], : rgb.shape[1]] = rgb[::-1, :, ::-1]
    return texture.tobytes()
