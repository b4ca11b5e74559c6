"""The flight controller: from a set point to four rotor thrusts.

As with AirSim's SimpleFlight, a set point is valid for 60 ms; after that the vehicle brakes and
holds the position where it stops (SimpleFlight: the position at which the set point expired). This
module selects the control mode; `control_loops` computes the thrusts. A vehicle on the ground idles
its rotors until a set point asks it to climb.
"""

from __future__ import annotations

import math

from followme_uav.messages import Vec3
from followme_uav.sim.vehicle.control_loops import ControlLoops, Thrusts, within_lean, within_rates
from followme_uav.sim.vehicle.setpoints import (
    Attitude,
    BodyRates,
    Position,
    Rotors,
    SetPoint,
    Velocity,
)
from followme_uav.sim.vehicle.vehicle import TIME_STEP_S, Vehicle
from followme_uav.sim.vehicle.vehicle_spec import ObserverController

SET_POINT_LIFE_S = 0.060

_HOLD_SPEED_MPS = 0.2  # brake to this before choosing the position to hold
_HOLD_YAW_RATE_RADPS = 0.05
_LIFT_OFF_MPS = 0.1
_LANDED_AFTER_S = 0.5
_IDLE = (0.0, 0.0, 0.0, 0.0)


class Autopilot:
    """The flight controller of one `Vehicle`. Call `update` before each physics step.

    Attributes:
        armed: the rotors may turn.
        api_control: set points of tasks are flown; `TaskRunner` withholds them otherwise.
        landed: the vehicle stands with rotors idle; the next climb ends that.
        loops: the control loops, whose gains a client may change.
    """

    def __init__(self, vehicle: Vehicle, spec: ObserverController) -> None:
        self._vehicle = vehicle
        self._weight_n = vehicle.airframe.weight_n
        self._full_n = vehicle.airframe.throttle_thrust_n
        self.loops = ControlLoops(vehicle, spec)
        self.api_control = False
        self.reset(landed=True)

    def reset(self, *, landed: bool) -> None:
        """Clear all state and restore the default gains; armed, as SimpleFlight is."""
        self.armed = True
        self.landed = landed
        self._set_point: SetPoint = Velocity(0.0, 0.0, 0.0, yaw_rate_radps=0.0)
        self._age_s = math.inf
        self._hold_m: Vec3 | None = None
        self._hold_yaw_rad: float | None = None
        self._resting_s = 0.0
        self.loops.reset()

    def arm(self, armed: bool) -> bool:
        """Arm or disarm, which stops the rotors; always possible."""
        self.armed = armed
        return True

    def command(self, set_point: SetPoint) -> None:
        """Fly this set point for the next 60 ms."""
        if type(set_point) is not type(self._set_point) or self._age_s > SET_POINT_LIFE_S:
            self.loops.restart()
        self._set_point = set_point
        self._age_s = 0.0
        self._hold_m = None
        self._hold_yaw_rad = None

    def hold(self) -> None:
        """Brake and hold position from now on."""
        self._age_s = math.inf
        self._hold_m = None
        self._hold_yaw_rad = None

    def moved(self, *, landed: bool) -> None:
        """Take note that the vehicle was teleported: it holds its new position."""
        self.landed = landed
        self._resting_s = 0.0
        self._hold_m = None
        self._hold_yaw_rad = None
        self.loops.jumped()

    def update(self) -> Thrusts:
        """Rotor thrusts in newtons for the coming step, in the order of `Vehicle.thrusts_n`."""
        self.loops.observe()
        if not self.armed:
            self._settle(wants_up=False)
            return _IDLE
        age_s, self._age_s = self._age_s, self._age_s + TIME_STEP_S
        if age_s > SET_POINT_LIFE_S:
            return self._fly_velocity(*self._held_velocity())
        match self._set_point:
            case Velocity() as velocity:
                return self._fly_velocity(*self._resolved(velocity))
            case Attitude() as attitude:
                return self._fly_attitude(attitude)
            case BodyRates() as rates:
                return self._fly_rates(rates)
            case Rotors() as rotors:
                return self._spin(rotors)
            case Position() as position:
                return self._fly_velocity(*self._towards(position))

    def _fly_velocity(self, north: float, east: float, down: float, yaw_rate: float) -> Thrusts:
        if self._stays_down(wants_up=down <= -_LIFT_OFF_MPS):
            return _IDLE
        loops, euler = self.loops, self._vehicle.euler_rad()
        lift = loops.lift(down)
        roll, pitch = loops.lean(north, east, lift, euler[2])
        rates = loops.body_rates(euler, roll, pitch, yaw_rate)
        return loops.rotors(*rates, loops.thrust(lift, euler[0], euler[1]))

    def _fly_attitude(self, wanted: Attitude) -> Thrusts:
        loops, euler = self.loops, self._vehicle.euler_rad()
        thrust, wants_up = self._thrust(wanted.z_m, wanted.throttle)
        if self._stays_down(wants_up=wants_up):
            return _IDLE
        yaw_rate = self._yaw_rate(wanted.yaw_rate_radps, wanted.yaw_rad)
        roll, pitch = within_lean(wanted.roll_rad, wanted.pitch_rad)
        return loops.rotors(*loops.body_rates(euler, roll, pitch, yaw_rate), thrust)

    def _fly_rates(self, wanted: BodyRates) -> Thrusts:
        thrust, wants_up = self._thrust(wanted.z_m, wanted.throttle)
        if self._stays_down(wants_up=wants_up):
            return _IDLE
        rates = within_rates(wanted.roll_radps, wanted.pitch_radps, wanted.yaw_radps)
        return self.loops.rotors(*rates, thrust)

    def _spin(self, wanted: Rotors) -> Thrusts:
        full = self._full_n
        thrusts = (
            full * wanted.front_right,
            full * wanted.rear_left,
            full * wanted.front_left,
            full * wanted.rear_right,
        )
        self._stays_down(wants_up=sum(thrusts) > self._weight_n)
        return thrusts

    def _resolved(self, wanted: Velocity) -> tuple[float, float, float, float]:
        """Velocity north, east, down and yaw rate."""
        down = wanted.down_mps
        if down is None:
            assert wanted.z_m is not None  # noqa: S101 - the set point's contract
            down = self.loops.sink_rate(wanted.z_m)
        yaw_rate = self._yaw_rate(wanted.yaw_rate_radps, wanted.yaw_rad)
        return wanted.north_mps, wanted.east_mps, down, yaw_rate

    def _towards(self, wanted: Position) -> tuple[float, float, float, float]:
        """Velocity north, east, down and yaw rate towards a position nearby."""
        place = (wanted.north_m, wanted.east_m, wanted.z_m)
        yaw_rate = self._yaw_rate(wanted.yaw_rate_radps, wanted.yaw_rad)
        return (*self.loops.velocity_to(place), yaw_rate)

    def _yaw_rate(self, rate_radps: float | None, yaw_rad: float | None) -> float:
        if rate_radps is not None:
            return rate_radps
        assert yaw_rad is not None  # noqa: S101 - the set point's contract
        return self.loops.turn_rate(yaw_rad)

    def _thrust(self, z_m: float | None, throttle: float | None) -> tuple[float, bool]:
        """Thrust in newtons, and whether it asks the vehicle to leave the ground."""
        if throttle is not None:
            thrust = 4.0 * self._full_n * throttle
            return thrust, thrust > self._weight_n
        assert z_m is not None  # noqa: S101 - the set point's contract
        down = self.loops.sink_rate(z_m)
        roll, pitch, _ = self._vehicle.euler_rad()
        return self.loops.thrust(self.loops.lift(down), roll, pitch), down <= -_LIFT_OFF_MPS

    def _held_velocity(self) -> tuple[float, float, float, float]:
        """Velocity and yaw rate that brake, then hold the position where the vehicle stopped."""
        vehicle, loops = self._vehicle, self.loops
        if self._hold_yaw_rad is None and abs(vehicle.rates_radps[2]) < _HOLD_YAW_RATE_RADPS:
            self._hold_yaw_rad = vehicle.euler_rad()[2]
        rate = 0.0 if self._hold_yaw_rad is None else loops.turn_rate(self._hold_yaw_rad)
        if self._hold_m is None:
            if math.hypot(*vehicle.velocity_mps) > _HOLD_SPEED_MPS:
                return 0.0, 0.0, 0.0, rate
            self._hold_m = vehicle.position_m
            loops.position.restart()
        return (*loops.velocity_to(self._hold_m), rate)

    def _stays_down(self, *, wants_up: bool) -> bool:
        """Update `landed`; return whether the rotors idle on the ground."""
        if self.landed:
            if not wants_up:
                return True
            self.landed = False
        self._settle(wants_up=wants_up)
        return False

    def _settle(self, *, wants_up: bool) -> None:
        """Set `landed` after 0.5 s at rest on something without a set point that climbs."""
        vehicle = self._vehicle
        slow = max(map(abs, vehicle.velocity_mps)) < 0.05
        resting = slow and vehicle.in_contact and not wants_up
        self._resting_s = self._resting_s + TIME_STEP_S if resting else 0.0
        if self._resting_s > _LANDED_AFTER_S:
            self.landed = True
            self._resting_s = 0.0
