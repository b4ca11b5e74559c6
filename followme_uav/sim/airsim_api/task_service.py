"""The base of the RPC methods that start a task: they answer when the task ends."""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from followme_uav.rpc.server import Handler, HandlerError
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.vehicle.manoeuvre_sets import ManoeuvreSet
from followme_uav.sim.vehicle.tasks import Manoeuvre, TaskError, TaskRunner


class TaskService(Service):
    """A group of methods that start a task."""

    @property
    def manoeuvres(self) -> ManoeuvreSet:
        """The manoeuvres of the vehicle."""
        return self.simulator.manoeuvres

    def vehicle_first(self, handlers: Handlers) -> Handlers:
        """The same methods, which check the vehicle's name before other parameters, as AirSim.

        Args:
            handlers: methods whose last parameter is the vehicle's name.
        """

        def checked(handler: Handler) -> Handler:
            @functools.wraps(handler)  # keeps the number of parameters visible to the server
            def method(*params: Any) -> Any:
                self.check_vehicle(params[-1])
                return handler(*params)

            return method

        return {name: checked(handler) for name, handler in handlers.items()}

    def start(self, vehicle: Any, task: Callable[[TaskRunner], Manoeuvre]) -> Future[bool]:
        """Supersede the running task; the Future completes when the new one ends."""
        self.check_vehicle(vehicle)

        def job(simulation: Simulation) -> Future[bool]:
            try:
                return simulation.tasks.start(task(simulation.tasks))
            except TaskError as error:
                raise HandlerError(str(error)) from None

        return self.simulator.call(job)  # not `self.call`, which ends a burst of motion calls
