"""The control loops of the autopilot: position -> velocity -> lean -> body rates -> rotors.

Each method is one stage of that cascade. A disturbance observer estimates the acceleration that
thrust and gravity do not explain (wind, drag, a load), and the velocity loop compensates it: steady
errors vanish without an integrator that would overshoot. All loops run at every physics step, on
plain floats.
"""

from __future__ import annotations

import math

from followme_uav.messages import Vec3
from followme_uav.sim.vehicle import gains
from followme_uav.sim.vehicle.gains import Loop
from followme_uav.sim.vehicle.vehicle import GRAVITY_MPS2, TIME_STEP_S, Vehicle
from followme_uav.sim.vehicle.vehicle_spec import ObserverController

# Limits of SimpleFlight.
MAX_LEAN_RAD = math.pi / 5.5
MAX_RATE_RADPS = 2.5
MAX_SPEED_MPS = 6.0
"""Vertical, and horizontal where the position loop chooses the speed. A horizontal velocity set
point is bounded by lean and drag alone: 25 to 30 m/s."""

_UPSET = 0.5  # cosine of the lean; beyond it the vehicle turns upright before anything else
_UPSET_LIFT = 0.6  # share of the weight meanwhile: enough torque, little sideways acceleration

Euler = Vec3
"""Roll, pitch, yaw."""
Thrusts = tuple[float, float, float, float]
"""Newtons, in the order of `Vehicle.thrusts_n`."""


class ControlLoops:
    """The cascade of control loops of one vehicle.

    Args:
        vehicle: the vehicle.
        spec: responses and limits of the loops.

    Attributes:
        position: position loop, axes x, y, z.
        velocity: velocity loop, axes forward, right, down.
        angle: attitude loop, axes roll, pitch, yaw.
        rate: rate loop, axes roll, pitch, yaw.
    """

    def __init__(self, vehicle: Vehicle, spec: ObserverController) -> None:
        self._vehicle = vehicle
        self._turn_rate_radps = spec.turn_rate_radps
        self._disturbance_blend = TIME_STEP_S / spec.disturbance_time_s
        self._max_disturbance_mps2 = spec.max_disturbance_mps2
        self._max_yaw_torque_nm = spec.max_yaw_torque_nm
        frame = vehicle.airframe
        jx, jy, jz = frame.inertia_kgm2
        self._mass_kg = frame.mass_kg
        self._yaw_share = 1.0 / (4.0 * frame.yaw_torque_per_thrust_m)
        self.position = Loop(spec.position_per_s, gains.POSITION)
        self.velocity = Loop(spec.velocity_per_s, gains.VELOCITY)
        self.angle = Loop(spec.angle_per_s, gains.ANGLE_LEVEL)
        self.rate = Loop(
            (
                1.0 / (4.0 * frame.rotor_y_m) * jx * spec.rate_per_s,
                1.0 / (4.0 * frame.rotor_x_m) * jy * spec.rate_per_s,
                jz * spec.rate_per_s,
            ),
            gains.ANGLE_RATE,
        )
        self.reset()

    def reset(self) -> None:
        """Restore the default gains and clear all state."""
        self.position.set_gains(gains.POSITION)
        self.velocity.set_gains(gains.VELOCITY)
        self.angle.set_gains(gains.ANGLE_LEVEL)
        self.rate.set_gains(gains.ANGLE_RATE)
        self._disturbance = (0.0, 0.0, 0.0)
        self.jumped()

    def restart(self) -> None:
        """Clear past errors: they do not apply to a set point of another kind."""
        for loop in (self.position, self.velocity, self.angle, self.rate):
            loop.restart()

    def jumped(self) -> None:
        """Take note of a teleport: its change of velocity is no disturbance."""
        self._velocity_before = self._vehicle.velocity_mps

    def observe(self) -> None:
        """Update the disturbance: low-pass the acceleration that thrust and gravity do not explain.

        Contact forces are left out: the rotors must not compensate them.
        """
        vehicle = self._vehicle
        before, self._velocity_before = self._velocity_before, vehicle.velocity_mps
        if vehicle.in_contact:
            return
        push = sum(vehicle.thrusts_n) / self._mass_kg
        dn, de, dd = vehicle.down_axis()
        (vn, ve, vd), (un, ue, ud) = vehicle.velocity_mps, before
        on, oe, od = self._disturbance
        blend, limit = self._disturbance_blend, self._max_disturbance_mps2
        self._disturbance = (
            _clip(on + blend * ((vn - un) / TIME_STEP_S + push * dn - on), limit),
            _clip(oe + blend * ((ve - ue) / TIME_STEP_S + push * de - oe), limit),
            _clip(od + blend * ((vd - ud) / TIME_STEP_S + push * dd - GRAVITY_MPS2 - od), limit),
        )

    def velocity_to(self, goal_m: Vec3) -> Vec3:
        """Velocity towards a position nearby."""
        (pn, pe, pd), (n, e, d), act = goal_m, self._vehicle.position_m, self.position.act
        limit = MAX_SPEED_MPS
        return _clip(act(0, pn - n), limit), _clip(act(1, pe - e), limit), act(2, pd - d)

    def sink_rate(self, z_m: float) -> float:
        """Vertical speed, positive down, towards an altitude."""
        return self.position.act(2, z_m - self._vehicle.position_m[2])

    def turn_rate(self, yaw_rad: float) -> float:
        """Rate of the yaw angle towards a heading, the short way round."""
        error = math.remainder(yaw_rad - self._vehicle.euler_rad()[2], 2.0 * math.pi)
        return _clip(self.angle.act(2, error), self._turn_rate_radps)

    def lift(self, down_mps: float) -> float:
        """Upward acceleration of the rotors, in m/s^2, for a vertical speed, positive down."""
        wanted, now = _clip(down_mps, MAX_SPEED_MPS), self._vehicle.velocity_mps[2]
        sink = self.velocity.act(2, wanted - now) - self._disturbance[2]
        return max(GRAVITY_MPS2 - sink, 0.3 * GRAVITY_MPS2)

    def lean(
        self, north_mps: float, east_mps: float, lift: float, yaw: float
    ) -> tuple[float, float]:
        """Roll and pitch for a horizontal velocity, at a given lift and yaw."""
        cos, sin = math.cos(yaw), math.sin(yaw)
        forward, right = cos * north_mps + sin * east_mps, cos * east_mps - sin * north_mps
        (now_n, now_e, _), (on, oe, _) = self._vehicle.velocity_mps, self._disturbance
        act = self.velocity.act
        ahead = act(0, forward - cos * now_n - sin * now_e) - cos * on - sin * oe
        aside = act(1, right - cos * now_e + sin * now_n) - cos * oe + sin * on
        pitch = -math.atan2(ahead, lift)
        roll = math.atan2(aside * math.cos(pitch), lift)
        return within_lean(roll, pitch)

    def thrust(self, lift: float, roll: float, pitch: float) -> float:
        """Total thrust of the rotors, in newtons, for a lift at this roll and pitch."""
        upright = math.cos(roll) * math.cos(pitch)
        if upright < _UPSET:
            return _UPSET_LIFT * GRAVITY_MPS2 * self._mass_kg
        return self._mass_kg * lift / upright

    def body_rates(
        self, euler: Euler, roll_wanted: float, pitch_wanted: float, yaw_rate: float
    ) -> Vec3:
        """Rates about the body's axes towards an attitude."""
        if self._vehicle.down_axis()[2] < _UPSET:
            return self._righting_rates()
        roll, pitch, _ = euler
        rolling = self.angle.act(0, roll_wanted - roll)
        pitching = self.angle.act(1, pitch_wanted - pitch)
        # Rates of roll, pitch and yaw angle expressed as rates about the body's axes.
        cos_roll, sin_roll, cos_pitch = math.cos(roll), math.sin(roll), math.cos(pitch)
        return within_rates(
            rolling - yaw_rate * math.sin(pitch),
            pitching * cos_roll + yaw_rate * sin_roll * cos_pitch,
            yaw_rate * cos_roll * cos_pitch - pitching * sin_roll,
        )

    def rotors(self, p_wanted: float, q_wanted: float, r_wanted: float, thrust: float) -> Thrusts:
        """Thrust of each rotor for body rates: the rate loop, then the mixer."""
        (p, q, r), act = self._vehicle.rates_radps, self.rate.act
        roll_share, pitch_share = act(0, p_wanted - p), act(1, q_wanted - q)
        yaw_torque = _clip(act(2, r_wanted - r), self._max_yaw_torque_nm)
        yaw_share = self._yaw_share * yaw_torque
        base = 0.25 * thrust
        return (
            base - roll_share + pitch_share + yaw_share,
            base + roll_share - pitch_share + yaw_share,
            base + roll_share + pitch_share - yaw_share,
            base - roll_share - pitch_share - yaw_share,
        )

    def _righting_rates(self) -> Vec3:
        """Body rates that turn upright about the shortest axis: body down cross world down.

        The yaw rate stays as it is; to stop it would take thrust that roll and pitch need.
        """
        w, x, y, z = self._vehicle.orientation
        ahead, right = 2.0 * (x * z - w * y), 2.0 * (y * z + w * x)
        across, yaw_rate = math.hypot(ahead, right), self._vehicle.rates_radps[2]
        if across < 1e-3:
            return MAX_RATE_RADPS, 0.0, yaw_rate  # exactly upside down: any axis will do
        return -MAX_RATE_RADPS * right / across, MAX_RATE_RADPS * ahead / across, yaw_rate


def within_lean(roll: float, pitch: float) -> tuple[float, float]:
    """Roll and pitch, scaled down to the lean limit."""
    lean = math.hypot(pitch, roll)
    if lean > MAX_LEAN_RAD:
        return roll * (MAX_LEAN_RAD / lean), pitch * (MAX_LEAN_RAD / lean)
    return roll, pitch


def within_rates(roll: float, pitch: float, yaw: float) -> Vec3:
    """Body rates, each clipped to its limit."""
    limit = MAX_RATE_RADPS
    return _clip(roll, limit), _clip(pitch, limit), _clip(yaw, limit)


def _clip(value: float, limit: float) -> float:
    return -limit if value < -limit else min(value, limit)
