"""RPC methods of the segmentation ids of objects."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.bodies import find_name, names_of
from followme_uav.sim.airsim_api.dialects import ServerDialect
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import read_bool, read_int, read_text
from followme_uav.sim.city.patterns import matching, named
from followme_uav.sim.rendering.objects import MAX_ID, SegmentationIds
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.simulation_runner import SimulationRunner


class SegmentationMethods(Service):
    """simSetSegmentationObjectID and simGetSegmentationObjectID.

    Attributes:
        ids: the segmentation id of each object.

    Args:
        simulator: the simulator that serves them.
        dialect: the AirSim build to imitate.
        object_names: names of the renderer's object ids.
    """

    def __init__(
        self, simulator: SimulationRunner, dialect: ServerDialect, object_names: tuple[str, ...]
    ) -> None:
        super().__init__(simulator, dialect)
        self.ids = SegmentationIds(object_names, self.equipment.vehicle_name)

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "simSetSegmentationObjectID": self._set_segmentation_id,
            "simGetSegmentationObjectID": self._get_segmentation_id,
        }

    def segmentation_id(self, simulation: Simulation, name: str) -> int:
        """Segmentation id of an object, ignoring case; -1 for an unknown name."""
        found = find_name(simulation, name)
        return -1 if found is None else self.ids.find(simulation.objects, found)

    def _set_segmentation_id(self, mesh_name: Any, object_id: Any, is_regex: Any) -> Future[bool]:
        name, as_regex = read_text(mesh_name, "mesh_name"), read_bool(is_regex, "is_name_regex")
        number = structs.checked_later(lambda: read_int(object_id, "object_id", 0, MAX_ID))
        if as_regex:
            matching((), name, "mesh_name")  # refuses a malformed pattern at once

        def job(simulation: Simulation) -> bool:
            names = names_of(simulation)
            found = matching(names, name, "mesh_name") if as_regex else named(names, name)
            for each in found:
                self.ids.give(simulation.objects, each, number())
            return len(found) > 0

        return self.call(job)

    def _get_segmentation_id(self, mesh_name: Any) -> Future[int]:
        name = read_text(mesh_name, "mesh_name")
        return self.call(lambda simulation: self.segmentation_id(simulation, name))
