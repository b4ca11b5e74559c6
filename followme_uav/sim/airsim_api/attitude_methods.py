"""RPC methods below the velocity loop: attitude, body rates, rotors, remote control and gains.

Angles on the wire are radians in the body frame forward, right, down; AirSim's Python client
converts its own forward, left, up. The autopilot clips values to its limits.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from followme_uav.messages import Vec3
from followme_uav.rpc.server import BadCastError, HandlerError
from followme_uav.sim.airsim_api.motion_parameters import read_duration, read_heading, read_z
from followme_uav.sim.airsim_api.service import Handlers
from followme_uav.sim.airsim_api.structs import (
    read_bool,
    read_int,
    read_number,
    read_struct,
    read_text,
)
from followme_uav.sim.airsim_api.task_service import TaskService
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.vehicle import manoeuvres
from followme_uav.sim.vehicle.flight_controller import GainLoop, GainLoops
from followme_uav.sim.vehicle.gains import Gains
from followme_uav.sim.vehicle.remote_control import RemoteControl
from followme_uav.sim.vehicle.setpoints import Attitude, BodyRates, Rotors, SetPoint

MAX_ANGLE_RAD = 1e3
MAX_RATE_RADPS = 1e3
MAX_GAIN = 1e4
MAX_MANUAL = 1e9
"""AirSim's demo calls moveByManual with a million metres a second, meaning no limit."""
MAX_VENDOR_ID = 100

_STICKS = ("pitch", "roll", "throttle", "yaw", "left_z", "right_z")


class AttitudeMethods(TaskService):
    """moveByRollPitchYaw..., moveByAngleRates..., moveByMotorPWMs, remote control and gains."""

    def handlers(self) -> Handlers:
        """Method name to function."""
        methods: Handlers = {
            "moveByRollPitchYawZ": self._roll_pitch_yaw_z,
            "moveByRollPitchYawThrottle": self._roll_pitch_yaw_throttle,
            "moveByRollPitchYawrateThrottle": self._roll_pitch_yaw_rate_throttle,
            "moveByRollPitchYawrateZ": self._roll_pitch_yaw_rate_z,
            "moveByAngleRatesZ": self._angle_rates_z,
            "moveByAngleRatesThrottle": self._angle_rates_throttle,
            "moveByMotorPWMs": self._motor_pwms,
            "moveByManual": self._manual,
            "moveByRC": self._remote_control,
            "setAngleRateControllerGains": self._set_gains_of(lambda loops: loops.rate),
            "setAngleLevelControllerGains": self._set_gains_of(lambda loops: loops.angle),
            "setVelocityControllerGains": self._set_gains_of(lambda loops: loops.velocity),
            "setPositionControllerGains": self._set_gains_of(lambda loops: loops.position),
        }
        return self.vehicle_first(methods)

    def _roll_pitch_yaw_z(
        self, roll: Any, pitch: Any, yaw: Any, z: Any, duration: Any, v: Any
    ) -> Future[bool]:
        lean = _angle(roll, "roll"), _angle(pitch, "pitch")
        wanted = Attitude(*lean, yaw_rad=_angle(yaw, "yaw"), z_m=read_z(z))
        return self._fly(wanted, duration, v)

    def _roll_pitch_yaw_throttle(
        self, roll: Any, pitch: Any, yaw: Any, throttle: Any, duration: Any, v: Any
    ) -> Future[bool]:
        lean = _angle(roll, "roll"), _angle(pitch, "pitch")
        wanted = Attitude(*lean, yaw_rad=_angle(yaw, "yaw"), throttle=_throttle(throttle))
        return self._fly(wanted, duration, v)

    def _roll_pitch_yaw_rate_throttle(
        self, roll: Any, pitch: Any, yaw_rate: Any, throttle: Any, duration: Any, v: Any
    ) -> Future[bool]:
        lean, turn = (_angle(roll, "roll"), _angle(pitch, "pitch")), _rate(yaw_rate, "yaw_rate")
        wanted = Attitude(*lean, yaw_rate_radps=turn, throttle=_throttle(throttle))
        return self._fly(wanted, duration, v)

    def _roll_pitch_yaw_rate_z(
        self, roll: Any, pitch: Any, yaw_rate: Any, z: Any, duration: Any, v: Any
    ) -> Future[bool]:
        lean, turn = (_angle(roll, "roll"), _angle(pitch, "pitch")), _rate(yaw_rate, "yaw_rate")
        return self._fly(Attitude(*lean, yaw_rate_radps=turn, z_m=read_z(z)), duration, v)

    def _angle_rates_z(
        self, roll_rate: Any, pitch_rate: Any, yaw_rate: Any, z: Any, duration: Any, v: Any
    ) -> Future[bool]:
        rates = _rates(roll_rate, pitch_rate, yaw_rate)
        return self._fly(BodyRates(*rates, z_m=read_z(z)), duration, v)

    def _angle_rates_throttle(
        self, roll_rate: Any, pitch_rate: Any, yaw_rate: Any, throttle: Any, duration: Any, v: Any
    ) -> Future[bool]:
        rates = _rates(roll_rate, pitch_rate, yaw_rate)
        return self._fly(BodyRates(*rates, throttle=_throttle(throttle)), duration, v)

    def _motor_pwms(
        self,
        front_right_pwm: Any,
        rear_left_pwm: Any,
        front_left_pwm: Any,
        rear_right_pwm: Any,
        duration: Any,
        v: Any,
    ) -> Future[bool]:
        rotors = Rotors(
            _throttle(front_right_pwm, "front_right_pwm"),
            _throttle(rear_left_pwm, "rear_left_pwm"),
            _throttle(front_left_pwm, "front_left_pwm"),
            _throttle(rear_right_pwm, "rear_right_pwm"),
        )
        return self._fly(rotors, duration, v)

    def _manual(
        self,
        vx_max: Any,
        vy_max: Any,
        z_min: Any,
        duration: Any,
        drivetrain: Any,
        yaw_mode: Any,
        v: Any,
    ) -> Future[bool]:
        forward = read_number(vx_max, "vx_max", 0.0, MAX_MANUAL)
        right = read_number(vy_max, "vy_max", 0.0, MAX_MANUAL)
        z_m = read_number(z_min, "z_min", -MAX_MANUAL, MAX_MANUAL)
        duration_s, heading = read_duration(duration), read_heading(drivetrain, yaw_mode)
        return self.start(
            v,
            lambda runner: manoeuvres.move_by_manual(
                runner, forward, right, z_m, duration_s, heading
            ),
        )

    def _remote_control(self, rc_data: Any, v: Any) -> Future[None]:
        self.check_vehicle(v)
        remote = read_remote_control(rc_data)
        return self.call(lambda simulation: simulation.tasks.move_sticks(remote))

    def _set_gains_of(
        self, loop_of: Callable[[GainLoops], GainLoop]
    ) -> Callable[[Any, Any, Any, Any], Future[None]]:
        def set_gains(kp: Any, ki: Any, kd: Any, v: Any) -> Future[None]:
            self.check_vehicle(v)
            gains = Gains(_gain(kp, "kp"), _gain(ki, "ki"), _gain(kd, "kd"))

            def job(simulation: Simulation) -> None:
                loop_of(simulation.autopilot.loops).set_gains(gains)

            return self.call(job)

        return set_gains

    def _fly(self, set_point: SetPoint, duration: Any, v: Any) -> Future[bool]:
        duration_s = read_duration(duration)
        return self.start(v, lambda runner: manoeuvres.steadily(runner, set_point, duration_s))


def read_remote_control(value: Any) -> RemoteControl:
    """RCData."""
    fields = read_struct(value, "rc_data")
    sticks = {name: read_number(fields.get(name, 0.0), name, -1.0, 1.0) for name in _STICKS}
    vendor_id = read_text(fields.get("vendor_id", ""), "vendor_id")
    if len(vendor_id) > MAX_VENDOR_ID:
        raise HandlerError(f"vendor_id has {len(vendor_id)} characters, at most {MAX_VENDOR_ID}")
    return RemoteControl(
        timestamp_ns=read_int(fields.get("timestamp", 0), "timestamp", 0, 2**64 - 1),
        switches=read_int(fields.get("switches", 0), "switches", 0, 2**16 - 1),
        vendor_id=vendor_id,
        is_initialized=read_bool(fields.get("is_initialized", False), "is_initialized"),
        is_valid=read_bool(fields.get("is_valid", False), "is_valid"),
        **sticks,
    )


def _angle(value: Any, name: str) -> float:
    return read_number(value, name, -MAX_ANGLE_RAD, MAX_ANGLE_RAD)


def _rate(value: Any, name: str) -> float:
    return read_number(value, name, -MAX_RATE_RADPS, MAX_RATE_RADPS)


def _rates(roll_rate: Any, pitch_rate: Any, yaw_rate: Any) -> Vec3:
    return (
        _rate(roll_rate, "roll_rate"),
        _rate(pitch_rate, "pitch_rate"),
        _rate(yaw_rate, "yaw_rate"),
    )


def _throttle(value: Any, name: str = "throttle") -> float:
    return read_number(value, name, 0.0, 1.0)


def _gain(value: Any, name: str) -> Vec3:
    """One gain of each of three axes."""
    if not isinstance(value, list | tuple):
        raise BadCastError(f"{name} must be a list of 3 numbers")
    if len(value) != 3:
        raise HandlerError(f"{name} has {len(value)} numbers, must have 3, one for each axis")
    x, y, z = (read_number(gain, f"{name}[{i}]", 0.0, MAX_GAIN) for i, gain in enumerate(value))
    return x, y, z
