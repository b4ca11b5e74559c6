"""A window on the running simulator: the vehicle from outside, its camera's picture in a corner.

For people only: nothing here changes what clients see of the simulation but its pace. What is
shown and what keys do stands in `view` and `overlay`; here are only the screen and the events. The
window is drawn without OpenGL, because one thread cannot use the camera's off-screen context and
one of a screen.
"""

from __future__ import annotations

import math
import os
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from panda3d import core

from followme_uav.errors import EnvironmentSetupError
from followme_uav.geometry import yaw_of
from followme_uav.sim.pace import Pace
from followme_uav.sim.rendering.scene import Pose, Scene
from followme_uav.sim.simulation import EPOCH_NS
from followme_uav.sim.viewer.overlay import RateMeter, Status, compose, tinted
from followme_uav.sim.viewer.view import View, eye, orbit, react, with_pace

if TYPE_CHECKING:
    from followme_uav.sim.simulation import RenderedImages, Simulation

SIZE_PX = (960, 640)
LEAST_PERIOD_S = 0.04
MOST_SHARE = 0.5
"""Of the simulation thread's time that goes into drawing, at most."""
FRESH_NS = 500_000_000
"""A picture taken for a client is shown for so long; after that, the window takes its own."""

_TEXTURE_PX = (1024, 1024)  # the software renderer wants powers of two
_CLOSED, _CHANGED = "window-close", "window-changed"


class Window:
    """Shows a simulation while it runs. To be used on the simulation's thread.

    Raises:
        EnvironmentSetupError: There is no screen.
    """

    def __init__(self, title: str) -> None:
        self._view = View()
        self._next_s = 0.0
        self._rate = RateMeter()
        self._drags = False
        self._pointer = (0.0, 0.0)
        self._engine = core.GraphicsEngine.get_global_ptr()
        self._window = self._open(title)
        self._events = core.EventQueue.get_global_event_queue()
        self._input = core.NodePath("input")
        keys = self._input.attach_new_node(core.MouseAndKeyboard(self._window, 0, "keys"))
        self._mouse = core.MouseWatcher("mouse")
        keys.attach_new_node(self._mouse).attach_new_node(core.ButtonThrower("thrower"))
        self._traverser = core.DataGraphTraverser()
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
        self._window.set_active(False)  # drawn only here, not with every picture of the camera

    def show(self, simulation: Simulation) -> Pace:
        """Draw the present state, unless the last drawing is very recent.

        Returns:
            The pace that the person wants by now.
        """
        began_s = time.monotonic()
        if began_s < self._next_s:
            return self._view.pace
        self._react(simulation)
        picture = self._draw(simulation, began_s)
        self._texture.set_ram_image(_panda_bytes(picture))
        self._window.set_active(True)
        self._engine.render_frame()
        self._window.set_active(False)
        took_s = time.monotonic() - began_s
        self._next_s = began_s + max(LEAST_PERIOD_S, took_s / MOST_SHARE)
        return self._view.pace

    def close(self) -> None:
        """Close the window; Panda3D crashes at exit with one still open."""
        self._engine.remove_window(self._window)

    def _open(self, title: str) -> Any:
        pipe = None
        if sys.platform != "linux" or os.environ.get("DISPLAY"):  # else Panda3D tries screen :0
            pipe = core.GraphicsPipeSelection.get_global_ptr().make_module_pipe("p3tinydisplay")
        properties = core.WindowProperties()
        properties.set_size(*SIZE_PX)
        properties.set_fixed_size(True)
        properties.set_title(title)
        window = pipe and self._engine.make_output(
            pipe,
            "window",
            10,
            core.FrameBufferProperties.get_default(),
            properties,
            core.GraphicsPipe.BF_require_window,
        )
        if window:
            self._engine.open_windows()
        if not window or not window.is_valid():
            raise EnvironmentSetupError(
                "cannot open a window: is there a screen (DISPLAY)? Run without --window"
            )
        window.set_close_request_event(_CLOSED)
        window.set_window_event(_CHANGED)
        return window

    def _react(self, simulation: Simulation) -> None:
        """To keys and mouse since the last drawing."""
        before = self._view
        self._traverser.traverse(self._input.node())
        while not self._events.is_queue_empty():
            event = self._events.dequeue_event().name
            if event in ("mouse1", "mouse3"):
                self._drags = True
            elif event in ("mouse1-up", "mouse3-up"):
                self._follow_mouse(simulation)
                self._drags = False
            elif event == _CLOSED:
                self._view = with_pace(self._view, quit=True)
            else:
                self._view = react(self._view, event)
        self._follow_mouse(simulation)
        if self._window.is_closed():
            self._view = with_pace(self._view, quit=True)
        if self._view.pace != before.pace:
            self._rate.forget()

    def _follow_mouse(self, simulation: Simulation) -> None:
        # The window's own `get_pointer` is ahead of the button events: quick drags would get lost.
        if not self._mouse.has_mouse():
            return
        x, y = (
            self._mouse.get_mouse_x() * SIZE_PX[0] / 2,
            -self._mouse.get_mouse_y() * SIZE_PX[1] / 2,
        )
        (from_x, from_y), self._pointer = self._pointer, (x, y)
        if self._drags:
            heading = yaw_of(simulation.vehicle.orientation)
            self._view = orbit(self._view, x - from_x, y - from_y, heading)

    def _draw(self, simulation: Simulation, wall_s: float) -> NDArray[np.uint8]:
        scene, vehicle = simulation.renderer, simulation.vehicle
        assert isinstance(scene, Scene)  # noqa: S101 - the server makes both or none
        simulation.light_up()
        inset = self._inset(simulation, scene) if self._view.inset else None
        body = Pose(vehicle.position_m, vehicle.orientation)
        camera = eye(
            self._view,
            *(vehicle.position_m, vehicle.orientation),
            lambda start, along: simulation.ray_m(start, along, movers=False),
        )
        people, cars = simulation.crowd.people, simulation.traffic.cars
        city = scene.render(camera, *SIZE_PX, people, cars, body).rgb
        return compose(city, inset, self._status(simulation, wall_s), self._view)

    def _inset(self, simulation: Simulation, scene: Scene) -> NDArray[np.uint8]:
        """What the camera saw last for a client, or what it sees now."""
        shot = simulation.latest_shot
        if shot is not None and simulation.time_ns - shot.time_ns < FRESH_NS:
            picture: RenderedImages = shot.images
        else:  # not `simulation.shot()`: clients must not notice
            people, cars = simulation.crowd.people, simulation.traffic.cars
            pose = simulation.cameras[0].camera()
            picture = scene.render(pose, *simulation.rig.size_px(0), people, cars)
        if not self._view.mask:
            return picture.rgb
        return tinted(picture.rgb, *scene.class_masks(picture.object_id))

    def _status(self, simulation: Simulation, wall_s: float) -> Status:
        flown_s = (simulation.time_ns - EPOCH_NS) * 1e-9
        rate, standing = self._rate.update(wall_s, flown_s)
        motion = simulation.vehicle.kinematics()
        return Status(
            flown_s=flown_s,
            speed=self._view.pace.speed,
            rate=rate,
            held=self._view.pace.held,
            standing=standing,
            armed=simulation.autopilot.armed,
            landed=simulation.autopilot.landed,
            height_m=-motion.position_m[2],
            speed_mps=math.hypot(*motion.velocity_mps),
            api_control=simulation.tasks.api_control,
        )


def _panda_bytes(rgb: NDArray[np.uint8]) -> bytes:
    """Panda keeps textures as BGR, lowest row first."""
    width, height = _TEXTURE_PX
    texture = np.zeros((height, width, 3), np.uint8)
    texture[: rgb.shape[0], : rgb.shape[1]] = rgb[::-1, :, ::-1]
    return texture.tobytes()
