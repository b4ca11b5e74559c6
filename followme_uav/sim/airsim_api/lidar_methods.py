"""getLidarData: the points of a lidar that the settings have put on the vehicle."""

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
from followme_uav.sim.simulator import Simulator
from followme_uav.sim.vehicle.lidar import scan

SegmentationId = Callable[[Simulation, str], int]
"""Gives the segmentation id of the object of a name; -1 for a name that is not listed."""


class LidarMethods(Service):
    """A vehicle without settings has no lidar, like AirSim's default one.

    Args:
        simulator: that serves.
        dialect: which AirSim to imitate.
        segmentation_id: says what the segmentation image shows an object as.
    """

    def __init__(
        self, simulator: Simulator, dialect: ServerDialect, segmentation_id: SegmentationId
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
            seen = scan(mount, simulation.vehicle, (time_ns - EPOCH_NS) * 1e-9)
            kinds, which = np.unique(seen.met, return_inverse=True)
            names = [simulation.vehicle.met_name(kind) for kind in kinds.tolist()]
            data = {"time_stamp": time_ns, "point_cloud": seen.points_m.ravel().tolist()}
            pose = structs.pose(seen.position_m, seen.orientation)
            if self.dialect.annotations:  # Cosys-AirSim tells what each point is on by its name
                return data | {"groundtruth": [names[i] for i in which.tolist()], "pose": pose}
            ids = [self._segmentation_id(simulation, name) for name in names]
            return data | {"pose": pose, "segmentation": [ids[i] for i in which.tolist()]}

        return self.call(job)
