"""getLidarData: the points of a lidar from the settings file."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import numpy as np

from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.dialects import ServerDialect
from followme_uav.sim.airsim_api.sensor_methods import find_sensor
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.simulation import EPOCH_NS, Simulation
from followme_uav.sim.simulation_runner import SimulationRunner
from followme_uav.sim.vehicle.lidar import scan

SegmentationId = Callable[[Simulation, str], int]
"""Gives the segmentation id of an object by its name; -1 for an unknown name."""


class LidarMethods(Service):
    """getLidarData. Without a settings file the vehicle has no lidar, as on AirSim.

    Args:
        simulator: the simulator that serves it.
        dialect: the AirSim build to imitate.
        segmentation_id: gives the segmentation id of an object.
    """

    def __init__(
        self, simulator: SimulationRunner, dialect: ServerDialect, segmentation_id: SegmentationId
    ) -> None:
        super().__init__(simulator, dialect)
        self._segmentation_id = segmentation_id

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {"getLidarData": self._get}

    def _get(self, lidar_name: Any, v: Any) -> Future[structs.Struct]:
        self.check_vehicle(v)
        mount = self.equipment.lidars[find_sensor("lidar", lidar_name, self.equipment.lidars)]

        def job(simulation: Simulation) -> structs.Struct:
            time_ns = simulation.time_ns
            result = scan(mount, simulation.vehicle, (time_ns - EPOCH_NS) * 1e-9)
            solids, which = np.unique(result.met, return_inverse=True)
            names = [simulation.vehicle.met_name(solid) for solid in solids.tolist()]
            data = {"time_stamp": time_ns, "point_cloud": result.points_m.ravel().tolist()}
            pose = structs.pose(result.position_m, result.orientation)
            if self.dialect.annotations:  # Cosys-AirSim labels each point with an object's name
                return data | {"groundtruth": [names[i] for i in which.tolist()], "pose": pose}
            ids = [self._segmentation_id(simulation, name) for name in names]
            return data | {"pose": pose, "segmentation": [ids[i] for i in which.tolist()]}

        return self.call(job)
