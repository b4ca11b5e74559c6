"""What all groups of RPC methods share: access to the simulator and checks of names."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from followme_uav.rpc.server import HandlerError
from followme_uav.sim.dialects import VEHICLE_NAME, Dialect
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.simulator import Simulator
from followme_uav.sim.structs import read_bool, read_text

T = TypeVar("T")
Handlers = dict[str, Callable[..., Any]]


class Service:
    """A group of methods. They run on the RPC server's thread and must not block it."""

    def __init__(self, simulator: Simulator, dialect: Dialect) -> None:
        self.simulator = simulator
        self.dialect = dialect

    def call(self, job: Callable[[Simulation], T | Future[T]]) -> Future[T]:
        """Let the simulation's thread do it."""
        return self.simulator.call(job)

    def check_vehicle(self, name: Any) -> None:
        """Refuse any vehicle but ours; "" means ours."""
        if read_text(name, "vehicle_name") not in ("", VEHICLE_NAME):
            raise HandlerError(f"Vehicle API for '{name}' is not available")

    def check_camera_vehicle(self, name: Any, external: Any) -> None:
        """As `check_vehicle`, for camera methods: some builds want the name spelt out."""
        if read_bool(external, "external"):
            raise HandlerError("there are no external cameras")
        self.check_vehicle(name)
        if name == "" and not self.dialect.default_vehicle_for_cameras:
            raise HandlerError(
                "Object reference not set to an instance of an object "
                f"(camera methods need the vehicle's name, '{VEHICLE_NAME}')"
            )

    def check_has_pose(self, name: str) -> None:
        """Refuse objects, where only vehicles have poses."""
        if name != VEHICLE_NAME and not self.dialect.objects_have_poses:
            raise HandlerError(
                f"Object reference not set to an instance of an object ('{name[:50]}' is no "
                "vehicle)"
            )

    def check_world_tools(self) -> None:
        """Refuse what AirSim on Unity has not."""
        if not self.dialect.world_tools:
            raise HandlerError("Not implemented on Unity")

    def find_camera(self, name: Any) -> int | None:
        """Number of the camera of that name, if the vehicle has it."""
        return self.dialect.camera_names.get(read_text(name, "camera_name"))

    def camera_number(self, name: Any) -> int:
        """As `find_camera`, but refuses a camera that the vehicle does not have."""
        number = self.find_camera(name)
        if number is None:
            known = ", ".join(repr(n) for n in self.dialect.camera_names if n)
            raise HandlerError(f"camera '{name}' does not exist; there are {known}")
        return number
