"""The base of all groups of RPC methods: access to the simulator and checks of names."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from followme_uav.rpc.server import Handler, HandlerError
from followme_uav.sim.airsim_api.dialects import ServerDialect
from followme_uav.sim.airsim_api.structs import read_bool, read_text
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.simulation_runner import SimulationRunner
from followme_uav.sim.vehicle.equipment import Equipment

T = TypeVar("T")
Handlers = dict[str, Handler]


class Service:
    """A group of RPC methods. They run on the RPC server's thread and must not block it.

    Args:
        simulator: the simulator that serves them.
        dialect: the AirSim build to imitate.
    """

    def __init__(self, simulator: SimulationRunner, dialect: ServerDialect) -> None:
        self.simulator = simulator
        self.dialect = dialect

    @property
    def equipment(self) -> Equipment:
        """Name, cameras, sensors and home of the vehicle."""
        return self.simulator.equipment

    def call(self, job: Callable[[Simulation], T | Future[T]]) -> Future[T]:
        """Run a job on the simulation's thread. It ends a burst of motion calls."""

        def after_burst(simulation: Simulation) -> T | Future[T]:
            simulation.tasks.end_burst()
            return job(simulation)

        return self.simulator.call(after_burst)

    def check_vehicle(self, name: Any) -> None:
        """Refuse any other name than that of the only vehicle, or ""."""
        if read_text(name, "vehicle_name") not in ("", self.equipment.vehicle_name):
            raise HandlerError(f"Vehicle API for '{name}' is not available")

    def check_camera_vehicle(self, name: Any, external: Any) -> None:
        """Check the vehicle's name as camera methods do: some dialects refuse "".

        An external camera belongs to no vehicle.
        """
        if read_bool(external, "external"):
            if not (self.equipment.external_cameras and self.dialect.world_tools):
                raise HandlerError("there are no external cameras")
            return
        self.check_vehicle(name)
        if name == "" and not self.dialect.default_vehicle_for_cameras:
            raise HandlerError(
                "Object reference not set to an instance of an object "
                f"(camera methods need the vehicle's name, '{self.equipment.vehicle_name}')"
            )

    def check_has_pose(self, name: str) -> None:
        """Refuse objects in a dialect in which only vehicles have poses."""
        if name != self.equipment.vehicle_name and not self.dialect.objects_have_poses:
            raise HandlerError(
                f"Object reference not set to an instance of an object ('{name[:50]}' is no "
                "vehicle)"
            )

    def check_world_tools(self) -> None:
        """Refuse methods that AirSim on Unity does not implement."""
        if not self.dialect.world_tools:
            raise HandlerError("Not implemented on Unity")

    def find_camera(self, name: Any, external: bool = False) -> int | None:
        """Number of a camera of the vehicle, or of an external one; None for an unknown name."""
        wanted = read_text(name, "camera_name")
        if external:
            return self.equipment.external_number(wanted)
        number = self.equipment.camera_number(wanted)
        return self.dialect.camera_names.get(wanted) if number is None else number

    def camera_number(self, name: Any, external: bool = False) -> int:
        """Number of a camera as in `find_camera`; refuses an unknown name."""
        number = self.find_camera(name, external)
        if number is None:
            known = ", ".join(repr(n) for n in self._camera_names(external))
            raise HandlerError(f"camera '{name}' does not exist; there are {known}")
        return number

    def _camera_names(self, external: bool) -> list[str]:
        if external:
            return [camera.name for camera in self.equipment.external_cameras]
        own = [camera.name for camera in self.equipment.cameras]
        return [n for n in self.dialect.camera_names if n and n not in own] + own
