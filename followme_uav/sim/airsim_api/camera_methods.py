"""RPC methods of the cameras: pose and field of view."""

from __future__ import annotations

import math
from concurrent.futures import Future
from typing import Any

from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.dialects import ServerDialect
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import read_number, read_struct
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.simulation_runner import SimulationRunner

FOV_LIMITS_DEG = (5.0, 150.0)


class CameraMethods(Service):
    """simGetCameraInfo, simSetCameraPose and simSetCameraFov."""

    def __init__(self, simulator: SimulationRunner, dialect: ServerDialect) -> None:
        super().__init__(simulator, dialect)
        self._reported_fov_rad: dict[int, float] = {}

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "simGetCameraInfo": self._get_camera_info,
            "simSetCameraPose": self._set_camera_pose,
            "simSetCameraFov": self._set_camera_fov,
        }

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
