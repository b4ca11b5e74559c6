"""The pilot's control with the physics of the embedded simulator, without images."""

import math
from dataclasses import replace

from followme_uav.config import load_config
from followme_uav.messages import CameraPose, Frame, Guidance, Manoeuvre, VehicleState
from followme_uav.pilot.control import Control
from followme_uav.pilot.guidance.inputs import GuidanceInputs
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.vehicle.tasks import Heading
from followme_uav.sim.vehicle.vehicle_spec import load_vehicle

CONFIG = load_config()
ALTITUDE_M = CONFIG.mission.altitude_m
CRUISE = Guidance(Manoeuvre.VELOCITY, altitude_m=ALTITUDE_M, heading_rad=0.0)
ANYWHERE = CONFIG.model_copy(
    update={
        "simulator": CONFIG.simulator.model_copy(update={"flyable_m": ()}),
        "limits": CONFIG.limits.model_copy(update={"geofence_m": 5000.0}),
    }
)
VEHICLES = ["nimble", "simpleflight"]


class Flight:
    """The pilot's control flies a vehicle of the embedded simulator, which draws nothing.

    Args:
        vehicle: as `load_vehicle` takes it.
        delay_frames: by which commands are late.
        obstacles_m: Places, north and east, that the depth image shows from within its range.
        place: The place to fly in; None: the city of all seeds.
    """

    def __init__(
        self, vehicle, config=ANYWHERE, rate_hz=10, delay_frames=0, obstacles_m=(), place=None
    ):
        self.simulation = Simulation(
            1, people=0, cars=0, vehicle=load_vehicle(vehicle), place=place
        )
        self.simulation.autopilot.api_control = True
        self.simulation.autopilot.arm(True)
        self.simulation.place_vehicle((0.0, 0.0, -ALTITUDE_M), 0.0)
        self.control = Control(config)
        self._start_ns = self.simulation.time_ns
        self._rate_hz, self._delay_frames = rate_hz, delay_frames
        self._late = []
        self._obstacles_m, self._seen_from_m = obstacles_m, config.depth.range_m
        self.altitudes_m, self.places_m, self.speeds_mps, self.yaws_rad = [], [], [], []

    def inputs(self):
        vehicle = self.simulation.vehicle
        time_s = (self.simulation.time_ns - self._start_ns) * 1e-9
        state = VehicleState(
            time_s,
            vehicle.position_m,
            vehicle.velocity_mps,
            vehicle.orientation,
            vehicle.rates_radps,
        )
        camera = CameraPose(state.position_m, state.orientation, 1.0)
        here, step_s = state.position_m, 1.0 / self._rate_hz
        near = [o for o in self._obstacles_m if math.dist(o, here[:2]) <= self._seen_from_m]
        seen = tuple((*place, here[2]) for place in near)
        frame = Frame(0, time_s, None, camera, state, obstacles_m=seen)
        return GuidanceInputs(frame, -here[2], None, None, step_s, step_s)

    def turn(self, guidance):
        """One frame."""
        self._late.append(self.control.command(guidance, self.inputs())[0])
        if len(self._late) > self._delay_frames:
            self.send(self._late.pop(0))
        self.simulation.step(200 // self._rate_hz)
        vehicle = self.simulation.vehicle
        self.altitudes_m.append(-vehicle.position_m[2])
        self.places_m.append(vehicle.position_m[:2])
        self.speeds_mps.append(math.hypot(*vehicle.velocity_mps))
        self.yaws_rad.append(vehicle.euler_rad()[2])

    def send(self, command):
        tasks, manoeuvres = self.simulation.tasks, self.simulation.manoeuvres
        if command.manoeuvre is Manoeuvre.LAND:
            tasks.start(manoeuvres.land(tasks, 60.0))
        else:
            heading = Heading(command.yaw_rate_radps)
            tasks.start(manoeuvres.move_by_velocity(tasks, command.velocity_mps, 1.0, heading))

    def fly(self, seconds, north_mps=0.0, east_mps=0.0, **changes):
        guidance = replace(CRUISE, velocity_mps=(north_mps, east_mps), **changes)
        for _ in range(round(self._rate_hz * seconds)):
            self.turn(guidance)
        return self
