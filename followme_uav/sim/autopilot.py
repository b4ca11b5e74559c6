"""The flight controller: from a wanted motion to four rotor thrusts.

Cascaded loops, as in AirSim's SimpleFlight: position -> velocity -> lean and thrust -> body rates
-> rotors. What the velocity loop cannot explain (wind, drag, a load) is estimated as one
acceleration and flown against, so steady errors vanish without an integrator that would overshoot.
Like SimpleFlight it holds the position when no set point has come for 60 ms.

Runs at every physics step on plain floats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from followme_uav.messages import Vec3
from followme_uav.sim.vehicle import GRAVITY_MPS2, TIME_STEP_S, Vehicle

# Limits of SimpleFlight.
MAX_LEAN_RAD = math.pi / 5.5
MAX_RATE_RADPS = 2.5
MAX_SPEED_MPS = 6.0
"""Of each horizontal axis of the body, and of the vertical."""
SET_POINT_LIFE_S = 0.060

_POSITION_GAIN = 1.1  # 1/s; half the velocity gain, so that the cascade does not overshoot
_ALTITUDE_GAIN = 1.4
_VELOCITY_GAIN = 2.4
_CLIMB_GAIN = 4.0
_ATTITUDE_GAIN = 7.0
_RATE_GAIN = 20.0  # with the rotors' lag of 30 ms, damped at 0.65
_YAW_GAIN = 2.0
_YAW_ANGLE_RATE_RADPS = (
    1.5  # turning to an angle; slower than the limit, so that it does not overshoot
)
_DISTURBANCE_TIME_S = 0.4
_MAX_DISTURBANCE_MPS2 = 3.0
_MAX_YAW_TORQUE_NM = 0.12  # a tenth of the rotors' thrust at hover, keeps roll and pitch in command
_HOLD_SPEED_MPS = 0.2  # brake to this before the place to hold is chosen
_HOLD_YAW_RATE_RADPS = 0.05
_LIFT_OFF_MPS = 0.1
_LANDED_AFTER_S = 0.5


@dataclass(frozen=True)
class SetPoint:
    """A wanted motion. Of `velocity_down_mps` or `z_m`, and of the yaw pair, exactly one is set."""

    velocity_north_mps: float
    velocity_east_mps: float
    velocity_down_mps: float | None = None
    z_m: float | None = None
    yaw_rate_radps: float | None = None
    yaw_rad: float | None = None


class Autopilot:
    """Flies one `Vehicle`. Call `update` before each physics step.

    Attributes:
        armed: rotors may turn.
        landed: stands on something with rotors idle; the next climb ends that.
    """

    def __init__(self, vehicle: Vehicle) -> None:
        self._vehicle = vehicle
        frame = vehicle.airframe
        self._mass = frame.mass_kg
        self._inertia = frame.inertia_kgm2
        self._roll_share = 1.0 / (4.0 * frame.rotor_y_m)
        self._pitch_share = 1.0 / (4.0 * frame.rotor_x_m)
        self._yaw_share = 1.0 / (4.0 * frame.yaw_torque_per_thrust_m)
        self.reset(landed=True)

    def reset(self, *, landed: bool) -> None:
        """Forget everything, disarmed on the ground or, when not landed, armed in the air."""
        self.armed = not landed
        self.landed = landed
        self._age_s = math.inf
        self._set_point = SetPoint(0.0, 0.0, 0.0, yaw_rate_radps=0.0)
        self._hold_m: Vec3 | None = None
        self._hold_yaw_rad: float | None = None
        self._disturbance = (0.0, 0.0, 0.0)
        self._velocity_before = self._vehicle.velocity_mps
        self._resting_s = 0.0

    def command(self, set_point: SetPoint) -> None:
        """Fly this for the next 60 ms."""
        self._set_point = set_point
        self._age_s = 0.0
        self._hold_m = None
        self._hold_yaw_rad = None

    def hold(self) -> None:
        """Brake and stay, from now on."""
        self._age_s = math.inf
        self._hold_m = None
        self._hold_yaw_rad = None

    def update(self) -> tuple[float, float, float, float]:
        """Rotor thrusts in newtons for the coming step, in the order of `Vehicle.thrusts_n`."""
        vehicle = self._vehicle
        self._estimate_disturbance()
        if not self.armed:
            self._settle(wants_down=True)
            return 0.0, 0.0, 0.0, 0.0
        vn, ve, vd, yaw_rate = self._wanted_velocity()
        self._age_s += TIME_STEP_S
        if self.landed:
            if vd > -_LIFT_OFF_MPS:
                return 0.0, 0.0, 0.0, 0.0
            self.landed = False
        self._settle(wants_down=vd > -_LIFT_OFF_MPS)
        roll, pitch, yaw = vehicle.euler_rad()
        roll_wanted, pitch_wanted, thrust = self._lean_and_thrust(vn, ve, vd, roll, pitch, yaw)
        return self._mix(roll, pitch, roll_wanted, pitch_wanted, yaw_rate, thrust)

    def _wanted_velocity(self) -> tuple[float, float, float, float]:
        """Velocity north, east, down and yaw rate: from the set point, or to hold the position."""
        vehicle = self._vehicle
        if self._age_s > SET_POINT_LIFE_S:
            return self._held_velocity()
        wanted = self._set_point
        vd = wanted.velocity_down_mps
        if vd is None:
            assert wanted.z_m is not None  # noqa: S101 - SetPoint's contract
            vd = _ALTITUDE_GAIN * (wanted.z_m - vehicle.position_m[2])
        rate = wanted.yaw_rate_radps
        if rate is None:
            assert wanted.yaw_rad is not None  # noqa: S101 - SetPoint's contract
            rate = self._turn_rate(wanted.yaw_rad)
        return wanted.velocity_north_mps, wanted.velocity_east_mps, vd, rate

    def _held_velocity(self) -> tuple[float, float, float, float]:
        """Brake, remember where that ended, and go back there whenever blown away."""
        vehicle = self._vehicle
        if self._hold_yaw_rad is None and abs(vehicle.rates_radps[2]) < _HOLD_YAW_RATE_RADPS:
            self._hold_yaw_rad = vehicle.euler_rad()[2]
        rate = 0.0 if self._hold_yaw_rad is None else self._turn_rate(self._hold_yaw_rad)
        if self._hold_m is None:
            if math.hypot(*vehicle.velocity_mps) > _HOLD_SPEED_MPS:
                return 0.0, 0.0, 0.0, rate
            self._hold_m = vehicle.position_m
        (hn, he, hd), (n, e, d) = self._hold_m, vehicle.position_m
        gain = _POSITION_GAIN
        return gain * (hn - n), gain * (he - e), _ALTITUDE_GAIN * (hd - d), rate

    def _turn_rate(self, yaw_rad: float) -> float:
        error = math.remainder(yaw_rad - self._vehicle.euler_rad()[2], 2.0 * math.pi)
        return _clip(_YAW_GAIN * error, _YAW_ANGLE_RATE_RADPS)

    def _estimate_disturbance(self) -> None:
        """Low-pass the part of the acceleration that rotors and gravity do not explain."""
        vehicle = self._vehicle
        before, self._velocity_before = self._velocity_before, vehicle.velocity_mps
        if vehicle.in_contact:
            return  # the ground's push is none that the rotors should fight
        push = sum(vehicle.thrusts_n) / self._mass
        dn, de, dd = vehicle.down_axis()
        (vn, ve, vd), (un, ue, ud) = vehicle.velocity_mps, before
        on, oe, od = self._disturbance
        blend, limit = TIME_STEP_S / _DISTURBANCE_TIME_S, _MAX_DISTURBANCE_MPS2
        self._disturbance = (
            _clip(on + blend * ((vn - un) / TIME_STEP_S + push * dn - on), limit),
            _clip(oe + blend * ((ve - ue) / TIME_STEP_S + push * de - oe), limit),
            _clip(od + blend * ((vd - ud) / TIME_STEP_S + push * dd - GRAVITY_MPS2 - od), limit),
        )

    def _lean_and_thrust(
        self, vn: float, ve: float, vd: float, roll: float, pitch: float, yaw: float
    ) -> tuple[float, float, float]:
        """Velocity loop: wanted roll, pitch and total thrust."""
        cos, sin = math.cos(yaw), math.sin(yaw)
        forward = _clip(cos * vn + sin * ve, MAX_SPEED_MPS)
        right = _clip(cos * ve - sin * vn, MAX_SPEED_MPS)
        (now_n, now_e, now_d), (on, oe, od) = self._vehicle.velocity_mps, self._disturbance
        ahead = _VELOCITY_GAIN * (forward - cos * now_n - sin * now_e) - cos * on - sin * oe
        aside = _VELOCITY_GAIN * (right - cos * now_e + sin * now_n) - cos * oe + sin * on
        sink = _CLIMB_GAIN * (_clip(vd, MAX_SPEED_MPS) - now_d) - od
        lift = max(GRAVITY_MPS2 - sink, 0.3 * GRAVITY_MPS2)
        pitch_wanted = -math.atan2(ahead, lift)
        roll_wanted = math.atan2(aside * math.cos(pitch_wanted), lift)
        lean = math.hypot(pitch_wanted, roll_wanted)
        if lean > MAX_LEAN_RAD:
            pitch_wanted *= MAX_LEAN_RAD / lean
            roll_wanted *= MAX_LEAN_RAD / lean
        upright = max(math.cos(roll) * math.cos(pitch), 0.5)
        return roll_wanted, pitch_wanted, self._mass * lift / upright

    def _mix(
        self,
        roll: float,
        pitch: float,
        roll_wanted: float,
        pitch_wanted: float,
        yaw_rate: float,
        thrust: float,
    ) -> tuple[float, float, float, float]:
        """Attitude and rate loops, then the share of each rotor."""
        rolling = _ATTITUDE_GAIN * (roll_wanted - roll)
        pitching = _ATTITUDE_GAIN * (pitch_wanted - pitch)
        # Rates of roll, pitch and yaw angle expressed as rates about the body's axes.
        cos_roll, sin_roll = math.cos(roll), math.sin(roll)
        cos_pitch = math.cos(pitch)
        p_wanted = _clip(rolling - yaw_rate * math.sin(pitch), MAX_RATE_RADPS)
        q_wanted = _clip(pitching * cos_roll + yaw_rate * sin_roll * cos_pitch, MAX_RATE_RADPS)
        r_wanted = _clip(yaw_rate * cos_roll * cos_pitch - pitching * sin_roll, MAX_RATE_RADPS)
        (p, q, r), (jx, jy, jz) = self._vehicle.rates_radps, self._inertia
        roll_share = self._roll_share * jx * _RATE_GAIN * (p_wanted - p)
        pitch_share = self._pitch_share * jy * _RATE_GAIN * (q_wanted - q)
        yaw_share = self._yaw_share * _clip(jz * _RATE_GAIN * (r_wanted - r), _MAX_YAW_TORQUE_NM)
        base = 0.25 * thrust
        return (
            base - roll_share + pitch_share + yaw_share,
            base + roll_share - pitch_share + yaw_share,
            base + roll_share + pitch_share - yaw_share,
            base - roll_share - pitch_share - yaw_share,
        )

    def _settle(self, *, wants_down: bool) -> None:
        """Call it landed after resting on something for a while without wanting to rise."""
        vehicle = self._vehicle
        slow = max(map(abs, vehicle.velocity_mps)) < 0.05
        resting = wants_down and slow and vehicle.in_contact
        self._resting_s = self._resting_s + TIME_STEP_S if resting else 0.0
        if self._resting_s > _LANDED_AFTER_S:
            self.landed = True
            self._resting_s = 0.0


def _clip(value: float, limit: float) -> float:
    return -limit if value < -limit else min(value, limit)
