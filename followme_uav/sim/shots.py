"""The images of the cameras, rendered on demand and at most once per instant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import CameraPose
from followme_uav.sim.agents.people import Person
from followme_uav.sim.agents.routes import Outfit
from followme_uav.sim.city.atmosphere import Atmosphere
from followme_uav.sim.city.layout import Car
from followme_uav.sim.city.place import Place
from followme_uav.sim.city.spawned import SpawnedObject
from followme_uav.sim.pose import Pose


class RenderedImages(Protocol):
    """The images that a renderer returns for one camera. All have the first row on top."""

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """(height, width, 3)."""

    @property
    def object_id(self) -> NDArray[np.integer[Any]]:
        """(height, width), indices into the renderer's `object_names`."""

    @property
    def depth_m(self) -> NDArray[np.float32]:
        """(height, width), along the optical axis."""


class Renderer(Protocol):
    """Draws the city. All methods are called on the thread that made it."""

    @property
    def object_names(self) -> Sequence[str]:
        """Name of each object id."""

    def render(
        self,
        camera: CameraPose,
        width_px: int,
        height_px: int,
        people: tuple[Person, ...],
        cars: tuple[Car, ...],
        vehicle: Pose | None = None,
    ) -> RenderedImages:
        """Render one view, with depth and object ids.

        Args:
            camera: pose and field of view.
            width_px: of the image.
            height_px: of the image.
            people: all of them.
            cars: the driving ones.
            vehicle: drawn when given; the vehicle's own cameras do not show it.
        """

    def set_atmosphere(self, atmosphere: Atmosphere) -> None:
        """Draw in that light from now on. Called only if the light differs from the default."""

    def set_objects(self, objects: Sequence[SpawnedObject]) -> None:
        """Draw these spawned objects from now on. Called only if a client spawns some."""


RendererMaker = Callable[[Place, int, Sequence[Outfit]], Renderer]


@dataclass(frozen=True)
class Shot:
    """The images of one camera, with the time and pose at which they were taken."""

    time_ns: int
    camera: CameraPose
    images: RenderedImages


class ShotCache:
    """The shots of the present instant.

    Attributes:
        latest: the last shot of the first camera since the start or reset.

    Args:
        renderer: draws the shots; None for a simulation without images.
    """

    def __init__(self, renderer: Renderer | None) -> None:
        self.renderer = renderer
        self.latest: Shot | None = None
        self._shots: dict[tuple[CameraPose, tuple[int, int], Pose | None], Shot] = {}
        self._light: Atmosphere | None = None

    def clear(self) -> None:
        """Forget the shots of the present instant; keep the latest one."""
        self._shots.clear()

    def set_light(self, light: Atmosphere | None) -> None:
        """Draw in that light; None keeps the light as it is."""
        if light is not None and light != self._light and self.renderer is not None:
            self.renderer.set_atmosphere(light)
            self._light = light

    def find(
        self, camera: CameraPose, size_px: tuple[int, int], vehicle: Pose | None = None
    ) -> Shot | None:
        """The shot of the present instant with that pose, size and vehicle, if there is one."""
        return self._shots.get((camera, size_px, vehicle))

    def take(
        self,
        time_ns: int,
        camera: CameraPose,
        size_px: tuple[int, int],
        people: tuple[Person, ...],
        cars: tuple[Car, ...],
        vehicle: Pose | None = None,
    ) -> Shot:
        """Render a shot and keep it.

        Raises:
            RuntimeError: There is no renderer.
        """
        if self.renderer is None:
            raise RuntimeError("this simulation has no renderer")
        images = self.renderer.render(camera, *size_px, people, cars, vehicle)
        shot = self._shots[camera, size_px, vehicle] = Shot(time_ns, camera, images)
        return shot
