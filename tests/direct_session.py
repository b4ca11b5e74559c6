"""The RPC methods of a simulation in this process: no server, no thread, time stands still."""

from concurrent.futures import Future

from followme_uav.sim.airsim_api.dialects import AIRSIM
from followme_uav.sim.airsim_api.methods import handlers_of
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.vehicle.vehicle_spec import load_vehicle


def done(result=None):
    future = Future()
    future.set_result(result)
    return future


class AtOnce:
    """A `SimulationRunner` that runs each call at once, paused."""

    def __init__(self, simulation):
        self.simulation = simulation
        self.equipment, self.rig = simulation.equipment, simulation.rig
        self.manoeuvres = simulation.manoeuvres

    def call(self, job):
        result = job(self.simulation)
        return result if isinstance(result, Future) else done(result)

    def pause(self, paused):
        return done()

    def is_paused(self):
        return done(True)

    def is_held(self):
        return False

    def continue_for_time(self, duration_s, *, answer_first=False):
        self.simulation.step(self.simulation.asked_time.take(duration_s))
        return done()


class DirectSession:
    """As `RpcSession`, without a connection."""

    def __init__(self, vehicle):
        self.simulation = Simulation(1, 0, cars=0, vehicle=load_vehicle(vehicle))
        self._handlers = handlers_of(AtOnce(self.simulation), AIRSIM, (), "{}")

    def call_async(self, method, *params):
        result = self._handlers[method](*params)
        return result if isinstance(result, Future) else done(result)

    def call(self, method, *params):
        return self.call_async(method, *params).result(0)
