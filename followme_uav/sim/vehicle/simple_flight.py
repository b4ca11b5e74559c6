"""SimpleFlight, the flight controller of AirSim's multirotors: from a set point to rotor thrusts.

A set point stays until the next one. Once the vehicle has taken off, one that is older than 60 ms
is replaced by holding the position of that moment. Thrust is not compensated for the lean. Without
API control the rotors idle, unless the remote control is switched on; a disarmed vehicle obeys set
points. `simple_flight_loops` has the loops.

Source: the public sources of AirSim, AirLib, simple_flight/firmware: OffboardApi, Mixer, Params.
The controller runs at each physics step of 5 ms; AirSim's at each of 3 ms.
"""

from __future__ import annotations

import math

from followme_uav.sim.vehicle.control_loops import Thrusts
from followme_uav.sim.vehicle.setpoints import (
    Attitude,
    BodyRates,
    Position,
    Rotors,
    SetPoint,
    Velocity,
)
from followme_uav.sim.vehicle.simple_flight_loops import SimpleFlightLoops
from followme_uav.sim.vehicle.vehicle import TIME_STEP_S, Vehicle
from followme_uav.sim.vehicle.vehicle_spec import SimpleFlightController

SET_POINT_LIFE_S = 0.060

_FLYING_THROTTLE = 0.1
_LIFTED_MPS = 0.01
_AT_REST = 0.08  # m/s and rad/s
_PI, _TWO_PI = math.pi, 2.0 * math.pi

_Modes = tuple[type, bool, int]
"""Kind of the goal of roll and pitch; whether that of yaw is a rate; kind of that of throttle."""
_DIRECT, _SPEED, _ALTITUDE = 0, 1, 2


class SimpleFlight:
    """The flight controller of one `Vehicle`. Call `update` before each physics step.

    Attributes:
        landed: the vehicle has not taken off yet, or stands with its rotors slow.
        loops: the control loops, whose gains a client may change.

    Args:
        vehicle: the vehicle.
        spec: gains and limits.
    """

    def __init__(self, vehicle: Vehicle, spec: SimpleFlightController) -> None:
        self._vehicle, self._spec = vehicle, spec
        self._full_n = vehicle.airframe.throttle_thrust_n
        self._hover_throttle = vehicle.airframe.weight_n / (4.0 * self._full_n)
        self._idle = Rotors(*[spec.idle_throttle] * 4)
        self.loops = SimpleFlightLoops(spec)
        self._api_control = False
        self.reset(landed=True)

    def reset(self, *, landed: bool) -> None:
        """Clear all state and restore the gains; armed, as on AirSim.

        In the air the vehicle holds its position, even without API control, until that changes.
        """
        self._armed = True
        self.landed = landed
        self._throttle = 0.0
        self._modes: _Modes | None = None
        self._flown: SetPoint | None = None
        self._age_s = 0.0
        self._holds = False
        self._set_point: SetPoint = self._idle
        self._by_sticks = False
        self._parked = not landed
        self.loops.reset()
        if not landed:
            self._throttle = self._hover_throttle
            self._hold()
            self._change_modes(self._set_point)
            self.loops.velocity.axes[2].integral = 1.0 - 2.0 * self._hover_throttle

    @property
    def armed(self) -> bool:
        """Whether the vehicle is armed; without effect on how it flies."""
        return self._armed

    @armed.setter
    def armed(self, armed: bool) -> None:
        self._armed = armed

    def arm(self, armed: bool) -> bool:
        """Arm or disarm, which stops or idles the rotors until the next set point.

        Returns:
            Whether that was possible: not to disarm a disarmed vehicle.
        """
        if armed == self._armed:
            return armed
        self._armed = armed
        throttle = self._spec.idle_throttle if armed else 0.0
        self._set_point = BodyRates(0.0, 0.0, 0.0, throttle=throttle)
        return True

    @property
    def api_control(self) -> bool:
        """Set points of tasks are flown; else the remote control flies, or the rotors idle."""
        return self._api_control

    @api_control.setter
    def api_control(self, enabled: bool) -> None:
        if enabled == self._api_control:
            return
        self._api_control = enabled
        if enabled and not self._parked:
            self._set_point = self._idle
            self._holds = False
        self._parked = self._parked and enabled

    def command(self, set_point: SetPoint) -> None:
        """Fly this set point until the next one, but for at most 60 ms."""
        self._set_point = set_point
        self._age_s = 0.0
        self._holds = self._parked = False
        self._by_sticks = not self._api_control

    def hold(self) -> None:
        """Hold the present position from now on."""
        self._hold()

    def moved(self, *, landed: bool) -> None:
        """Take note that the vehicle was teleported: it holds its new position."""
        self.landed = landed
        if self._holds:
            self._hold()

    def update(self) -> Thrusts:
        """Rotor thrusts in newtons for the coming step, in the order of `Vehicle.thrusts_n`."""
        self._age_s += TIME_STEP_S
        expired = self._age_s > SET_POINT_LIFE_S
        if not self._api_control and not self._parked:
            if not self._by_sticks or expired:
                self._set_point = self._idle
                self._by_sticks = False
        elif expired and not self.landed and not self._holds:
            self._hold()
        self._watch_ground()
        throttles = self._throttles(self._set_point)
        self._throttle = 0.25 * sum(throttles)
        full = self._full_n
        t0, t1, t2, t3 = throttles
        return full * t0, full * t1, full * t2, full * t3

    def _hold(self) -> None:
        self._set_point = Position(*self._vehicle.position_m, yaw_rate_radps=0.0)
        self._holds = True

    def _watch_ground(self) -> None:
        """Update `landed`."""
        if self.landed:
            lifted = abs(self._vehicle.velocity_mps[2]) > _LIFTED_MPS
            self.landed = not (lifted and self._throttle > _FLYING_THROTTLE)
        elif self._throttle <= _FLYING_THROTTLE:
            motion = (*self._vehicle.velocity_mps, *self._vehicle.rates_radps)
            self.landed = max(map(abs, motion)) < _AT_REST

    def _throttles(self, goal: SetPoint) -> Thrusts:
        """Throttle of each rotor, 0 to 1."""
        if isinstance(goal, Rotors):
            self._flown, self._modes = goal, None
            return goal.front_right, goal.rear_left, goal.front_left, goal.rear_right
        if goal is not self._flown:
            self._flown = goal
            self._change_modes(goal)
        p, q, r = self._vehicle.rates_radps
        roll_rate, pitch_rate, yaw_rate, throttle = self._rates(goal)
        if throttle < self._spec.min_mixing_throttle:
            return throttle, throttle, throttle, throttle
        roll_pid, pitch_pid, yaw_pid = self.loops.rate.axes
        return _mixed(
            throttle,
            roll_pid.act(roll_rate - p),
            pitch_pid.act(pitch_rate - q),
            yaw_pid.act(yaw_rate - r),
        )

    def _rates(self, goal: Velocity | Attitude | BodyRates | Position) -> Thrusts:
        """Turn rates about the body's axes and throttle for a goal: all but the innermost loop."""
        vehicle = self._vehicle
        axes = vehicle.axes()
        if isinstance(goal, BodyRates):
            throttle = goal.throttle
            if throttle is None:
                throttle = self._altitude_throttle(goal.z_m, axes[2])
            return goal.roll_radps, goal.pitch_radps, goal.yaw_radps, throttle
        roll, pitch, yaw = vehicle.euler_rad()
        if isinstance(goal, Attitude):
            throttle = goal.throttle
            if throttle is None:
                throttle = self._altitude_throttle(goal.z_m, axes[2])
            roll_goal, pitch_goal = goal.roll_rad, goal.pitch_rad
        else:
            forward, right, down = self._speed_errors(goal, axes)
            along_x, along_y, along_z = self.loops.velocity.axes
            limit = self._spec.max_lean_rad
            pitch_goal = -limit * along_x.act(forward)
            roll_goal = limit * along_y.act(right)
            throttle = self._throttle_of(along_z.act(down))
        limit = self._spec.max_rate_radps
        roll_pid, pitch_pid, yaw_pid = self.loops.angle.axes
        yaw_rate = goal.yaw_rate_radps
        if yaw_rate is None:
            yaw_rate = limit * yaw_pid.act(_turn(yaw, goal.yaw_rad))
        return (
            limit * roll_pid.act(_turn(roll, roll_goal)),
            limit * pitch_pid.act(_turn(pitch, pitch_goal)),
            yaw_rate,
            throttle,
        )

    def _speed_errors(
        self, goal: Velocity | Position, axes: tuple[tuple[float, float, float], ...]
    ) -> tuple[float, float, float]:
        """Errors of the speed along the body's axes; see `simple_flight_loops` on the frames."""
        (xn, xe, xd), (yn, ye, yd), (zn, ze, zd) = axes
        vehicle = self._vehicle
        vn, ve, vd = vehicle.velocity_mps
        forward = -(xn * vn + xe * ve + xd * vd)
        right = -(yn * vn + ye * ve + yd * vd)
        down = -(zn * vn + ze * ve + zd * vd)
        if isinstance(goal, Position):
            (pn, pe, pd), limit = vehicle.position_m, self._spec.max_speed_mps
            along_x, along_y, along_z = self.loops.position.axes
            return (
                forward + xn * limit * along_x.act(goal.north_m - pn),
                right + ye * limit * along_y.act(goal.east_m - pe),
                down + zd * limit * along_z.act(goal.z_m - pd),
            )
        n, e = goal.north_mps, goal.east_mps
        d = goal.down_mps
        if d is not None:
            return (
                forward + xn * n + xe * e + xd * d,
                right + yn * n + ye * e + yd * d,
                down + zn * n + ze * e + zd * d,
            )
        d = goal.z_m or 0.0
        sink = self._spec.max_speed_mps * self.loops.position.axes[2].act(d - vehicle.position_m[2])
        return (
            forward + xn * n + xe * e + xd * d,
            right + yn * n + ye * e + yd * d,
            down + zd * sink,
        )

    def _altitude_throttle(self, z_m: float | None, down: tuple[float, float, float]) -> float:
        """Throttle that flies to an altitude, for goals of attitude or rates."""
        vehicle, (zn, ze, zd) = self._vehicle, down
        vn, ve, vd = vehicle.velocity_mps
        error_m = (z_m or 0.0) - vehicle.position_m[2]
        sink = self._spec.max_speed_mps * self.loops.position.axes[2].act(error_m)
        error_mps = zd * sink - (zn * vn + ze * ve + zd * vd)
        return self._throttle_of(self.loops.velocity.axes[2].act(error_mps))

    def _throttle_of(self, sink: float) -> float:
        """Throttle for the vertical loop's output, -1 (climb) to 1 (sink)."""
        return max(0.5 * (1.0 - sink), self._spec.min_throttle)

    def _change_modes(self, goal: SetPoint) -> None:
        """Forget past errors on each axis whose kind of goal changes, as SimpleFlight does."""
        modes, before = _modes_of(goal), self._modes
        if modes == before:
            return
        self._modes = modes
        loops = self.loops
        if before is None or modes[0] is not before[0]:
            loops.restart_roll()
            loops.restart_pitch()
        if before is None or modes[1] != before[1]:
            loops.restart_yaw()
        if before is None or modes[2] != before[2]:
            loops.restart_throttle()


def _modes_of(goal: SetPoint) -> _Modes:
    if isinstance(goal, BodyRates):
        return BodyRates, True, _DIRECT if goal.z_m is None else _ALTITUDE
    if isinstance(goal, Attitude):
        return Attitude, goal.yaw_rad is None, _DIRECT if goal.z_m is None else _ALTITUDE
    if isinstance(goal, Velocity):
        return Velocity, goal.yaw_rad is None, _SPEED if goal.z_m is None else _ALTITUDE
    if isinstance(goal, Position):
        return Position, goal.yaw_rad is None, _ALTITUDE
    return Rotors, True, _DIRECT


def _turn(angle: float, goal: float | None) -> float:
    """The short way round from an angle to a goal."""
    error = (goal or 0.0) - angle
    return error if -_PI <= error <= _PI else math.remainder(error, _TWO_PI)


def _mixed(throttle: float, roll: float, pitch: float, yaw: float) -> Thrusts:
    """Throttle of each rotor: raised together to 0 at least, scaled together to 1 at most."""
    t0 = throttle - roll + pitch + yaw
    t1 = throttle + roll - pitch + yaw
    t2 = throttle + roll + pitch - yaw
    t3 = throttle - roll - pitch - yaw
    least = min(t0, t1, t2, t3)
    if least < 0.0:
        t0, t1, t2, t3 = t0 - least, t1 - least, t2 - least, t3 - least
    most = max(t0, t1, t2, t3)
    if most > 1.0:
        t0, t1, t2, t3 = t0 / most, t1 / most, t2 / most, t3 / most
    return t0, t1, t2, t3
