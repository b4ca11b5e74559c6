"""RPC methods of the cameras: images, pose, lens, and what the segmentation image calls things."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from followme_uav.rpc.server import BadCastError, HandlerError
from followme_uav.sim.airsim_api import images, structs
from followme_uav.sim.airsim_api.bodies import find_name, names_of
from followme_uav.sim.airsim_api.dialects import ServerDialect
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import (
    read_bool,
    read_int,
    read_number,
    read_struct,
    read_text,
)
from followme_uav.sim.city.patterns import matching, named
from followme_uav.sim.rendering.objects import MAX_ID, SegmentationIds
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.simulator import Simulator
from followme_uav.sim.vehicle.gimbal import Gimbal

MAX_REQUESTS = 16
MAX_ANSWER_BYTES = 48 * 2**20
"""Of all images of one call; a client that lets more than 64 MiB wait is hung up on."""
_PIXEL_BYTES, _FLOAT_BYTES = 3, 5  # on the wire
FOV_LIMITS_DEG = (5.0, 150.0)


@dataclass(frozen=True)
class _Wanted:
    """One ImageRequest."""

    camera: str
    number: int | None
    """None: there is no such camera."""
    image_type: int
    as_float: bool
    compress: bool


class CameraMethods(Service):
    """simGetImages and its relatives."""

    def __init__(
        self, simulator: Simulator, dialect: ServerDialect, object_names: tuple[str, ...]
    ) -> None:
        super().__init__(simulator, dialect)
        self._segmentation_ids = SegmentationIds(object_names, self.equipment.vehicle_name)
        self._reported_fov_rad: dict[int, float] = {}

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "simGetImages": self._get_images,
            "simGetImage": self._get_image,
            "simGetCameraInfo": self._get_camera_info,
            "simSetCameraPose": self._set_camera_pose,
            "simSetCameraFov": self._set_camera_fov,
            "simSetSegmentationObjectID": self._set_segmentation_id,
            "simGetSegmentationObjectID": self._get_segmentation_id,
        }

    def _get_images(self, requests: Any, v: Any, external: Any) -> Future[list[structs.Struct]]:
        self.check_camera_vehicle(v, external)
        if not isinstance(requests, list | tuple):
            raise BadCastError("requests must be a list of structs")
        if len(requests) > MAX_REQUESTS:
            raise HandlerError(f"{len(requests)} images asked for, at most {MAX_REQUESTS}")
        wanted = [self._read_request(r, f"requests[{i}]", external) for i, r in enumerate(requests)]
        self._check_amount(wanted)
        return self.call(lambda simulation: [self._image(simulation, want) for want in wanted])

    def _get_image(self, camera: Any, image_type: Any, v: Any, external: Any) -> Future[bytes]:
        self.check_camera_vehicle(v, external)
        want = self._read_request(
            {"camera_name": camera, "image_type": image_type, "compress": True},
            "request",
            external,
        )
        self._check_amount([want])

        def job(simulation: Simulation) -> bytes:
            data: bytes = self._image(simulation, want)["image_data_uint8"]
            return data

        return self.call(job)

    def _get_camera_info(self, camera: Any, v: Any, external: Any) -> Future[structs.Struct]:
        self.check_camera_vehicle(v, external)
        number = self.camera_number(camera, external)

        def job(simulation: Simulation) -> structs.Struct:
            pose = simulation.rig.pose(number)
            width, height = simulation.rig.size_px(number)
            fov_rad = self._reported_fov_rad.get(number, pose.fov_rad)
            matrix = [[0.0] * 4] * 4
            if self.dialect.reports_projection:
                matrix = structs.projection(fov_rad, width / height)
            return {
                "pose": structs.pose(pose.position_m, pose.orientation),
                "fov": math.degrees(fov_rad),
                "proj_mat": {"matrix": matrix},
            }

        return self.call(job)

    def _set_camera_pose(self, camera: Any, pose: Any, v: Any, external: Any) -> Future[None]:
        self.check_camera_vehicle(v, external)
        number = self.camera_number(camera, external)
        fields = read_struct(pose, "pose")
        position_m = structs.read_vector(fields.get("position", {}), "pose.position", 1e6)
        orientation = structs.read_orientation(fields.get("orientation", {}), "pose.orientation")

        def job(simulation: Simulation) -> None:
            mounted = simulation.cameras[number]
            if self.dialect.camera_pose_of_world:
                mounted.point_in_world(orientation)
            else:
                mounted.point_in_body(orientation)
                if not isinstance(mounted, Gimbal):
                    mounted.position_m = position_m
            simulation.changed()

        return self.call(job)

    def _set_camera_fov(self, camera: Any, fov_degrees: Any, v: Any, external: Any) -> Future[None]:
        self.check_camera_vehicle(v, external)
        number = self.camera_number(camera, external)
        fov_rad = math.radians(read_number(fov_degrees, "fov_degrees", *FOV_LIMITS_DEG))

        def job(simulation: Simulation) -> None:
            self._reported_fov_rad[number] = fov_rad
            if self.dialect.fov_applies:
                simulation.rig.set_fov(number, fov_rad)
                simulation.changed()

        return self.call(job)

    def _set_segmentation_id(self, mesh_name: Any, object_id: Any, is_regex: Any) -> Future[bool]:
        name, as_regex = read_text(mesh_name, "mesh_name"), read_bool(is_regex, "is_name_regex")
        number = structs.checked_later(lambda: read_int(object_id, "object_id", 0, MAX_ID))
        if as_regex:
            matching((), name, "mesh_name")  # refuses a bad one at once

        def job(simulation: Simulation) -> bool:
            names = names_of(simulation)
            found = matching(names, name, "mesh_name") if as_regex else named(names, name)
            for each in found:
                self._segmentation_ids.give(simulation.objects, each, number())
            return len(found) > 0

        return self.call(job)

    def _get_segmentation_id(self, mesh_name: Any) -> Future[int]:
        name = read_text(mesh_name, "mesh_name")
        return self.call(lambda simulation: self.segmentation_id(simulation, name))

    def segmentation_id(self, simulation: Simulation, name: str) -> int:
        """The id of an object, upper and lower case alike; -1 for a name that is not listed."""
        found = find_name(simulation, name)
        return -1 if found is None else self._segmentation_ids.find(simulation.objects, found)

    def _read_request(self, request: Any, name: str, external: bool) -> _Wanted:
        fields = read_struct(request, name)
        camera = read_text(fields.get("camera_name", "0"), "camera_name")
        number = self.find_camera(camera, external)
        if number is None and not self.dialect.unknown_camera_is_empty:
            self.camera_number(camera, external)
        return _Wanted(
            camera,
            number,
            images.read_type(fields.get("image_type", images.SCENE)),
            read_bool(fields.get("pixels_as_float", False), "pixels_as_float"),
            read_bool(fields.get("compress", True), "compress"),
        )

    def _check_amount(self, wanted: Sequence[_Wanted]) -> None:
        """Refuse more than an answer may hold: settings may ask for very large images."""
        rig = self.simulator.rig
        size = 0
        for want in wanted:
            if want.number is not None:
                width, height = rig.size_px(want.number, want.image_type)
                size += width * height * (_FLOAT_BYTES if want.as_float else _PIXEL_BYTES)
        if size > MAX_ANSWER_BYTES:
            raise HandlerError(
                f"the images would take {size / 2**20:.0f} MiB, at most {MAX_ANSWER_BYTES >> 20}; "
                "ask for fewer at a time or smaller ones"
            )

    def _image(self, simulation: Simulation, want: _Wanted) -> structs.Struct:
        if want.number is None:
            return images.empty_response(want.camera, want.image_type)
        return images.image_response(
            simulation.shot(want.number, want.image_type),
            self.dialect,
            want.image_type,
            self._segmentation_ids.of_numbers(simulation.objects),
            camera_name=want.camera,
            as_float=want.as_float,
            compress=want.compress,
        )
