"""RPC methods that exist in this simulator only: truth, map, teleport, timings."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import numpy as np
from numpy.typing import NDArray

from followme_uav.messages import MaskClass
from followme_uav.rpc.server import HandlerError
from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.dialects import ServerDialect
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import read_number
from followme_uav.sim.city.obstacles import person_name
from followme_uav.sim.simulation import Shot, Simulation
from followme_uav.sim.simulation_runner import SimulationRunner
from followme_uav.sim.vehicle.earth import MAX_POSITION_M

PLACEMENT_CLEARANCE_M = 0.45


class GroundTruthMethods(Service):
    """simFollowMeGroundTruth and its like: Solids, PlaceVehicle, Timings.

    Args:
        simulator: the simulator that serves them.
        dialect: the AirSim build to imitate.
        object_names: names of the renderer's object ids.
    """

    def __init__(
        self, simulator: SimulationRunner, dialect: ServerDialect, object_names: tuple[str, ...]
    ) -> None:
        super().__init__(simulator, dialect)
        self._classes = class_of_objects(object_names)

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "simFollowMeGroundTruth": self._ground_truth,
            "simFollowMeSolids": self._solids,
            "simFollowMePlaceVehicle": self._place_vehicle,
            "simFollowMeTimings": self._timings,
        }

    def _ground_truth(self, v: Any) -> Future[structs.Struct]:
        """Positions of all people now, and the exact mask of the latest image.

        `mask` holds one class per pixel (0 background, 1 people, 2 hero), first row on top;
        `mask_time_stamp` is the time stamp of its image. Before the first image the mask is empty
        and its time stamp 0.
        """
        self.check_vehicle(v)

        def job(simulation: Simulation) -> structs.Struct:
            with simulation.stopwatch.measure("ground truth"):
                hero, *others = (person.position_m for person in simulation.crowd.people)
                shot = simulation.latest_shot
                mask = self._mask(shot)
                return {
                    "time_stamp": simulation.time_ns,
                    "hero_position": structs.vector(hero),
                    "people_positions": [structs.vector(feet) for feet in others],
                    "clearance": simulation.clearance_m(),
                    "mask_width": mask.shape[1],
                    "mask_height": mask.shape[0],
                    "mask": mask.tobytes(),
                    "mask_time_stamp": shot.time_ns if shot is not None else 0,
                }

        return self.call(job)

    def _timings(self) -> Future[dict[str, float]]:
        """Wall-clock seconds of each part of the simulation since the start."""
        return self.call(lambda simulation: dict(simulation.stopwatch.seconds))

    def _solids(self) -> Future[list[structs.Struct]]:
        """Report every static solid of the city."""

        def job(simulation: Simulation) -> list[structs.Struct]:
            return [
                {
                    "name": solid.name,
                    "position": structs.vector(solid.centre_m),
                    "half_size": structs.vector(solid.half_size_m),
                    "is_round": solid.shape == "cylinder",
                }
                for solid in simulation.city.objects
            ]

        return self.call(job)

    def _place_vehicle(self, position: Any, yaw_rad: Any, v: Any) -> Future[None]:
        """Place the vehicle, hovering and armed.

        Raises:
            HandlerError: The position is occupied.
        """
        self.check_vehicle(v)
        place = structs.read_vector(position, "position", MAX_POSITION_M)
        yaw = read_number(yaw_rad, "yaw_rad", -1e3, 1e3)

        def job(simulation: Simulation) -> None:
            above_m = -place[2] - simulation.city.floor_height_m(*place[:2])
            free_m = min(simulation.clearance_m(place), above_m)
            if free_m < PLACEMENT_CLEARANCE_M:
                raise HandlerError(
                    f"no room at {place}: {free_m:.2f} m to the nearest solid or the ground, "
                    f"{PLACEMENT_CLEARANCE_M} m needed"
                )
            simulation.place_vehicle(place, yaw)

        return self.call(job)

    def _mask(self, shot: Shot | None) -> NDArray[np.uint8]:
        if shot is None:
            return np.zeros((0, 0), dtype=np.uint8)
        mask: NDArray[np.uint8] = self._classes[shot.images.object_id]
        return mask


def class_of_objects(object_names: tuple[str, ...]) -> NDArray[np.uint8]:
    """(objects,) mask class of each object id, by the names of the hero and the other people."""
    classes = np.full(len(object_names), MaskClass.BACKGROUND, dtype=np.uint8)
    for number, name in enumerate(object_names):
        if name == person_name(0):
            classes[number] = MaskClass.HERO
        elif name.startswith("person"):
            classes[number] = MaskClass.PEOPLE
    return classes
