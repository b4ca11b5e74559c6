"""RPC methods that take images: simGetImages and simGetImage."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from followme_uav.rpc.server import BadCastError, HandlerError
from followme_uav.sim.airsim_api import images, structs
from followme_uav.sim.airsim_api.dialects import ServerDialect
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import read_bool, read_struct, read_text
from followme_uav.sim.rendering.objects import SegmentationIds
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.simulation_runner import SimulationRunner

MAX_REQUESTS = 16
MAX_ANSWER_BYTES = 48 * 2**20
"""All images of one call; the server disconnects a client with more than 64 MiB unread."""
_PIXEL_BYTES, _FLOAT_BYTES = 3, 5  # on the wire


@dataclass(frozen=True)
class _ImageRequest:
    """AirSim's ImageRequest."""

    camera: str
    number: int | None
    """None: the camera does not exist."""
    image_type: int
    as_float: bool
    compress: bool


class ImageMethods(Service):
    """simGetImages and simGetImage.

    Args:
        simulator: the simulator that serves them.
        dialect: the AirSim build to imitate.
        segmentation_ids: ids shown by segmentation images.
    """

    def __init__(
        self, simulator: SimulationRunner, dialect: ServerDialect, segmentation_ids: SegmentationIds
    ) -> None:
        super().__init__(simulator, dialect)
        self._segmentation_ids = segmentation_ids

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {"simGetImages": self._get_images, "simGetImage": self._get_image}

    def _get_images(self, requests: Any, v: Any, external: Any) -> Future[list[structs.Struct]]:
        self.check_camera_vehicle(v, external)
        if not isinstance(requests, list | tuple):
            raise BadCastError("requests must be a list of structs")
        if len(requests) > MAX_REQUESTS:
            raise HandlerError(f"{len(requests)} images asked for, at most {MAX_REQUESTS}")
        wanted = [self._read_request(r, f"requests[{i}]", external) for i, r in enumerate(requests)]
        self._check_size(wanted)
        return self.call(lambda simulation: [self._image(simulation, want) for want in wanted])

    def _get_image(self, camera: Any, image_type: Any, v: Any, external: Any) -> Future[bytes]:
        self.check_camera_vehicle(v, external)
        want = self._read_request(
            {"camera_name": camera, "image_type": image_type, "compress": True},
            "request",
            external,
        )
        self._check_size([want])

        def job(simulation: Simulation) -> bytes:
            data: bytes = self._image(simulation, want)["image_data_uint8"]
            return data

        return self.call(job)

    def _read_request(self, request: Any, name: str, external: bool) -> _ImageRequest:
        fields = read_struct(request, name)
        camera = read_text(fields.get("camera_name", "0"), "camera_name")
        number = self.find_camera(camera, external)
        if number is None and not self.dialect.unknown_camera_is_empty:
            self.camera_number(camera, external)
        return _ImageRequest(
            camera,
            number,
            images.read_type(fields.get("image_type", images.SCENE)),
            read_bool(fields.get("pixels_as_float", False), "pixels_as_float"),
            read_bool(fields.get("compress", True), "compress"),
        )

    def _check_size(self, wanted: Sequence[_ImageRequest]) -> None:
        """Refuse an answer of more than `MAX_ANSWER_BYTES`; settings allow very large images."""
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

    def _image(self, simulation: Simulation, want: _ImageRequest) -> structs.Struct:
        if want.number is None:
            return images.empty_response(want.camera, want.image_type)
        with simulation.stopwatch.measure("encode images"):
            return images.image_response(
                simulation.shot(want.number, want.image_type),
                self.dialect,
                want.image_type,
                self._segmentation_ids.of_numbers(simulation.objects),
                camera_name=want.camera,
                as_float=want.as_float,
                compress=want.compress,
            )
