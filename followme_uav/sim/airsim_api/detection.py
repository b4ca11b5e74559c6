"""AirSim's detections of objects in an image, from the exact mask and the true poses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.geometry import conjugate, multiply, rotate, vec3
from followme_uav.messages import CameraPose, Quaternion, Vec3
from followme_uav.rpc.server import HandlerError
from followme_uav.sim.airsim_api import images, structs
from followme_uav.sim.airsim_api.bodies import Body, find_body
from followme_uav.sim.airsim_api.dialects import ServerDialect
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import read_number, read_text
from followme_uav.sim.city.patterns import MAX_PATTERN, wild
from followme_uav.sim.names import VEHICLE_NAME
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.simulation_runner import SimulationRunner
from followme_uav.sim.vehicle.earth import Home

DEFAULT_RADIUS_M = 200.0
MAX_RADIUS_CM = 1e7
MAX_NAMES = 64

_AXES: tuple[Vec3, ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass
class DetectionFilter:
    """The objects that one camera detects in images of one type."""

    patterns: list[str] = field(default_factory=list)
    """Names with `*` and `?`; without any, nothing is detected."""
    radius_m: float = DEFAULT_RADIUS_M


class DetectionMethods(Service):
    """simGetDetections and its filters: each camera has one filter for each image type.

    An object with a name is detected if any pixel shows it: the vehicle in external cameras only.

    Args:
        simulator: the simulator that serves them.
        dialect: the AirSim build to imitate.
        object_names: names of the renderer's object ids.
    """

    def __init__(
        self, simulator: SimulationRunner, dialect: ServerDialect, object_names: tuple[str, ...]
    ) -> None:
        super().__init__(simulator, dialect)
        self._object_names = object_names
        self._filters: dict[tuple[int, int], DetectionFilter] = {}

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "simAddDetectionFilterMeshName": self._add_name,
            "simSetDetectionFilterRadius": self._set_radius,
            "simClearDetectionMeshNames": self._clear_names,
            "simGetDetections": self._get,
        }

    def _add_name(
        self, camera: Any, image_type: Any, mesh_name: Any, v: Any, external: Any
    ) -> Future[None]:
        wanted = self._filter(camera, image_type, v, external)
        pattern = read_text(mesh_name, "mesh_name")
        if len(pattern) > MAX_PATTERN:
            raise HandlerError(f"mesh_name is longer than {MAX_PATTERN} characters")

        def job(_: Simulation) -> None:
            if pattern in wanted.patterns:
                return
            if len(wanted.patterns) >= MAX_NAMES:
                raise HandlerError(f"mesh_name: the filter has {MAX_NAMES} names already")
            wanted.patterns.append(pattern)

        return self.call(job)

    def _set_radius(
        self, camera: Any, image_type: Any, radius_cm: Any, v: Any, external: Any
    ) -> Future[None]:
        wanted = self._filter(camera, image_type, v, external)
        radius_m = read_number(radius_cm, "radius_cm", 0.0, MAX_RADIUS_CM) / 100.0

        def job(_: Simulation) -> None:
            wanted.radius_m = radius_m

        return self.call(job)

    def _clear_names(self, camera: Any, image_type: Any, v: Any, external: Any) -> Future[None]:
        wanted = self._filter(camera, image_type, v, external)
        return self.call(lambda _: wanted.patterns.clear())

    def _get(
        self, camera: Any, image_type: Any, v: Any, external: Any
    ) -> Future[list[structs.Struct]]:
        wanted = self._filter(camera, image_type, v, external)
        number, kind = self.camera_number(camera, external), images.read_type(image_type)
        return self.call(
            lambda simulation: detections(simulation, self._object_names, wanted, number, kind)
        )

    def _filter(self, camera: Any, image_type: Any, v: Any, external: Any) -> DetectionFilter:
        self.check_world_tools()
        self.check_camera_vehicle(v, external)
        which = self.camera_number(camera, external), images.read_type(image_type)
        return self._filters.setdefault(which, DetectionFilter())


def detections(
    simulation: Simulation,
    object_names: Sequence[str],
    wanted: DetectionFilter,
    camera: int,
    image_type: int = images.SCENE,
) -> list[structs.Struct]:
    """AirSim's DetectionInfo of every wanted object with a pixel in the present image.

    box2D is in pixels from the upper left corner; box3D and relative_pose are in metres in the
    camera's frame: forward, right, down.
    """
    if not wanted.patterns:
        return []
    shot = simulation.shot(camera, image_type)
    found = []
    names = simulation.objects.with_names(object_names)
    for number in np.unique(shot.images.object_id).tolist():
        name = _name_for_clients(simulation, names[number])
        if not any(wild(name, pattern) for pattern in wanted.patterns):
            continue
        body = find_body(simulation, name)
        if body is None:
            continue
        if math.dist(body.position_m, shot.camera.position_m) > wanted.radius_m:
            continue
        pixels = shot.images.object_id == number
        found.append(_detection(body, name, shot.camera, pixels, simulation.equipment.home))
    return found


def _name_for_clients(simulation: Simulation, name: str) -> str:
    """The renderer knows the vehicle by its default name only."""
    return simulation.equipment.vehicle_name if name == VEHICLE_NAME else name


def _detection(
    body: Body, name: str, camera: CameraPose, pixels: NDArray[np.bool_], home: Home
) -> structs.Struct:
    rows, columns = np.nonzero(pixels)
    turned = multiply(conjugate(camera.orientation), body.orientation)
    low, high = _box(body, camera, turned)
    return {
        "name": name,
        "geo_point": structs.geo_point(body.position_m, home),
        "box2D": {
            "min": _vector2(columns.min(), rows.min()),
            "max": _vector2(columns.max() + 1, rows.max() + 1),
        },
        "box3D": {"min": structs.vector(low), "max": structs.vector(high)},
        "relative_pose": structs.pose(_in_camera(camera, body.position_m), turned),
    }


def _vector2(x: np.integer[Any], y: np.integer[Any]) -> structs.Struct:
    return {"x_val": float(x), "y_val": float(y)}


def _in_camera(camera: CameraPose, point_m: Vec3) -> Vec3:
    """A point in the camera's frame."""
    n, e, d = (p - c for p, c in zip(point_m, camera.position_m, strict=True))
    return rotate(conjugate(camera.orientation), (n, e, d))


def _box(body: Body, camera: CameraPose, turned: Quaternion) -> tuple[Vec3, Vec3]:
    """Least and greatest coordinates of a body's box, in the camera's frame.

    Args:
        body: the body.
        camera: the camera.
        turned: orientation of the body in the camera's frame.
    """
    axes = np.array([rotate(turned, axis) for axis in _AXES])
    reach = np.array(body.half_size_m) @ np.abs(axes)
    centre = np.array(_in_camera(camera, body.centre_m))
    return vec3(centre - reach), vec3(centre + reach)
