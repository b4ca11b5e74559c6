"""A vehicle with autopilot and tasks in empty air: fast tests of motion without a city."""

from followme_uav.sim.vehicle.autopilot import Autopilot
from followme_uav.sim.vehicle.tasks import TaskRunner
from followme_uav.sim.vehicle.vehicle import TIME_STEP_S, Vehicle


class OpenAir:
    """A vehicle that hovers at 10 m or stands on the ground, armed and under API control."""

    def __init__(self, *, flying=True, yaw_rad=0.0, height_m=10.0):
        self.vehicle = Vehicle()
        self.autopilot = Autopilot(self.vehicle)
        if flying:
            self.vehicle.place((0.0, 0.0, -height_m), yaw_rad)
            self.autopilot.reset(landed=False)
        self.autopilot.armed = True
        self.runner = TaskRunner(self.vehicle, self.autopilot)
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
