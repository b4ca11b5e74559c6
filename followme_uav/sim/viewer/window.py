"""A window on the running simulator: the vehicle from outside, its camera's image in a corner.

The window changes the pace of simulated time, and nothing else that clients can notice.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from followme_uav.geometry import yaw_of
from followme_uav.messages import RgbImage
from followme_uav.sim.pace import Pace
from followme_uav.sim.pose import Pose
from followme_uav.sim.rendering.scene import Scene
from followme_uav.sim.simulation import EPOCH_NS
from followme_uav.sim.viewer.chase_view import ChaseView, camera_pose, orbit, with_pace
from followme_uav.sim.viewer.key_bindings import react
from followme_uav.sim.viewer.overlay import compose, tinted
from followme_uav.sim.viewer.screen_window import CLOSE_EVENT, SIZE_PX, ScreenWindow
from followme_uav.sim.viewer.status import RateMeter, Status

if TYPE_CHECKING:
    from followme_uav.sim.simulation import RenderedImages, Simulation

MIN_PERIOD_S = 0.04
MAX_SHARE = 0.5
"""Maximum share of the simulation thread's time that goes into drawing."""
FRESH_NS = 500_000_000
"""An image taken for a client is shown for so long; after that, the window takes its own."""
_BUTTONS_DOWN, _BUTTONS_UP = ("mouse1", "mouse3"), ("mouse1-up", "mouse3-up")


class Window:
    """Shows a simulation while it runs. Use it on the thread of the simulation.

    Raises:
        EnvironmentSetupError: There is no display.
    """

    def __init__(self, title: str) -> None:
        self._window = ScreenWindow(title)
        self._view = ChaseView()
        self._rate = RateMeter()
        self._next_s = 0.0
        self._is_dragging = False
        self._pointer_px = (0.0, 0.0)

    def show(self, simulation: Simulation) -> Pace:
        """Draw the present state, unless the last drawing is very recent.

        Returns:
            The pace that keys and mouse have set.
        """
        start_s = time.monotonic()
        if start_s < self._next_s:
            return self._view.pace
        self._handle_input(simulation)
        self._window.show(self._draw(simulation, start_s))
        took_s = time.monotonic() - start_s
        self._next_s = start_s + max(MIN_PERIOD_S, took_s / MAX_SHARE)
        return self._view.pace

    def close(self) -> None:
        """Close the window; Panda3D crashes at exit with an open one."""
        self._window.close()

    def _handle_input(self, simulation: Simulation) -> None:
        """Apply all events of keyboard and mouse since the last drawing."""
        before = self._view
        self._window.read_input()
        while (event := self._window.next_event()) is not None:
            if event in _BUTTONS_DOWN:
                self._is_dragging = True
            elif event in _BUTTONS_UP:
                self._follow_mouse(simulation)
                self._is_dragging = False
            elif event == CLOSE_EVENT:
                self._view = with_pace(self._view, quit=True)
            else:
                self._view = react(self._view, event)
        self._follow_mouse(simulation)
        if self._window.is_closed:
            self._view = with_pace(self._view, quit=True)
        if self._view.pace != before.pace:
            self._rate.clear()

    def _follow_mouse(self, simulation: Simulation) -> None:
        pointer_px = self._window.mouse_px
        if pointer_px is None:
            return
        before_px, self._pointer_px = self._pointer_px, pointer_px
        if self._is_dragging:
            right_px, down_px = pointer_px[0] - before_px[0], pointer_px[1] - before_px[1]
            heading_rad = yaw_of(simulation.vehicle.orientation)
            self._view = orbit(self._view, right_px, down_px, heading_rad)

    def _draw(self, simulation: Simulation, wall_s: float) -> RgbImage:
        scene, vehicle = simulation.renderer, simulation.vehicle
        assert isinstance(scene, Scene)  # noqa: S101 - the server makes both or none
        simulation.light_up()
        inset = self._inset(simulation, scene) if self._view.inset else None
        camera = camera_pose(
            self._view,
            vehicle.position_m,
            vehicle.orientation,
            lambda start, along: simulation.ray_m(start, along, movers=False),
        )
        people, cars = simulation.crowd.people, simulation.traffic.cars
        body = Pose(vehicle.position_m, vehicle.orientation)
        city = scene.render(camera, *SIZE_PX, people, cars, body).rgb
        return compose(city, inset, self._status(simulation, wall_s), self._view)

    def _inset(self, simulation: Simulation, scene: Scene) -> RgbImage:
        """The last image for a client, or a new one."""
        shot = simulation.latest_shot
        if shot is not None and simulation.time_ns - shot.time_ns < FRESH_NS:
            picture: RenderedImages = shot.images
        else:  # `simulation.shot()` would change what clients get
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
