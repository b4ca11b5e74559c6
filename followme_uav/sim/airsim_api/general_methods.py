"""RPC methods of the connection: versions, settings, API control, arming and reset."""

from __future__ import annotations

import json
from concurrent.futures import Future
from typing import Any

from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.dialects import ServerDialect
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import read_bool
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.simulation_runner import SimulationRunner


class GeneralMethods(Service):
    """ping, getSettingsString, enableApiControl, armDisarm, reset and the like.

    Args:
        simulator: the simulator that serves them.
        dialect: the AirSim build to imitate.
        settings: answer of getSettingsString, as a map or as text.
    """

    def __init__(
        self, simulator: SimulationRunner, dialect: ServerDialect, settings: structs.Struct | str
    ) -> None:
        super().__init__(simulator, dialect)
        self._settings = settings if isinstance(settings, str) else json.dumps(settings, indent=2)

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "ping": lambda: True,
            "getServerVersion": lambda: self.dialect.server_version,
            "getMinRequiredClientVersion": lambda: self.dialect.server_version,
            "getSettingsString": lambda: self._settings,
            "listVehicles": lambda: [self.equipment.vehicle_name],
            "enableApiControl": self._enable_api_control,
            "isApiControlEnabled": self._is_api_control_enabled,
            "armDisarm": self._arm_disarm,
            "reset": self._reset,
            "getHomeGeoPoint": self._get_home,
        }

    def _enable_api_control(self, is_enabled: Any, v: Any) -> Future[None]:
        self.check_vehicle(v)
        enabled = read_bool(is_enabled, "is_enabled")

        def job(simulation: Simulation) -> None:
            simulation.tasks.api_control = enabled

        return self.call(job)

    def _is_api_control_enabled(self, v: Any) -> Future[bool]:
        self.check_vehicle(v)
        return self.call(lambda simulation: simulation.tasks.api_control)

    def _arm_disarm(self, arm: Any, v: Any) -> Future[bool]:
        self.check_vehicle(v)
        armed = read_bool(arm, "arm")

        def job(simulation: Simulation) -> bool:
            return simulation.tasks.api_control and simulation.autopilot.arm(armed)

        return self.call(job)

    def _reset(self) -> Future[None]:
        return self.call(lambda simulation: simulation.reset())

    def _get_home(self, v: Any) -> structs.Struct:
        self.check_vehicle(v)
        return structs.geo_point((0.0, 0.0, 0.0), self.equipment.home)
