"""A vehicle with autopilot and tasks in empty air: fast tests of motion without a city."""

from followme_uav.sim.vehicle.flight_controller import make_controller
from followme_uav.sim.vehicle.manoeuvre_sets import manoeuvres_by
from followme_uav.sim.vehicle.tasks import TaskRunner
from followme_uav.sim.vehicle.vehicle import TIME_STEP_S, Vehicle
from followme_uav.sim.vehicle.vehicle_spec import load_vehicle


class OpenAir:
    """A vehicle that hovers at 10 m or stands on the ground, armed and under API control."""

    def __init__(self, *, flying=True, yaw_rad=0.0, height_m=10.0, vehicle="nimble"):
        spec = load_vehicle(vehicle)
        self.vehicle = Vehicle(airframe=spec.airframe)
        self.autopilot = make_controller(self.vehicle, spec.controller)
        self.manoeuvres = manoeuvres_by(spec.tasks)
        if flying:
            self.vehicle.place((0.0, 0.0, -height_m), yaw_rad)
            self.autopilot.reset(landed=False)
        self.autopilot.armed = True
        like_airsim = spec.tasks.rules == "airsim"
        self.runner = TaskRunner(self.vehicle, self.autopilot, like_airsim=like_airsim)
        self.runner.api_control = True

    def run(self, duration_s, watch=lambda vehicle: None):
        """Step for a duration; return what `watch` returns for the vehicle after each step."""
        watched = []
        for _ in range(round(duration_s / TIME_STEP_S)):
            self.runner.step()
            self.vehicle.step(self.autopilot.update())
            watched.append(watch(self.vehicle))
        return watched

    def start(self, task, *args):
        return self.runner.start(task(self.runner, *args))
