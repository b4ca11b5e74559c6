"""The vehicle's sensors: what they would show at one instant, with or without noise.

Readings are of the very instant, without delay. Noise depends on seed, sensor and time alone, so
the same instant always gives the same reading, however often it is asked for, and a flight can be
repeated. Sizes of the noise are those of AirSim's default sensors (an MPU-6000, a MEAS MS5611);
biases that wander there over many minutes are drawn once here and stay.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from followme_uav.geometry import conjugate, multiply, quaternion_from_euler, rotate
from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.vehicle import earth
from followme_uav.sim.vehicle.earth import HOME, Home
from followme_uav.sim.vehicle.vehicle import GRAVITY_MPS2, TIME_STEP_NS, TIME_STEP_S, Kinematics

# Noise densities (per root of a second) and constant biases, 1 sigma.
_GYRO_WALK = math.radians(0.30) / 60.0  # rad / sqrt(s): 0.30 degrees per root of an hour
_GYRO_BIAS_RADPS = math.radians(4.6) / 3600.0
_ACCELERATION_WALK = 0.24e-3 * GRAVITY_MPS2  # (m/s^2) sqrt(s)
_ACCELERATION_BIAS_MPS2 = 36e-6 * GRAVITY_MPS2
_PRESSURE_NOISE_PA = 2.7
_PRESSURE_DRIFT = 0.0365 / 20.0  # of the pressure: the weather of the day
_MAGNETIC_NOISE_GAUSS = 0.005
_DISTANCE_NOISE_M = 0.2

GPS_ACCURACY_M = 0.1
"""Of a settled GPS, horizontal and vertical."""
_GPS_START_ACCURACY_M, _GPS_SETTLE_S = 100.0, 0.9
_GPS_LIMITS_M = (3.0, 4.0)  # better than these: a fix in three, in two dimensions

MIN_DISTANCE_M, MAX_DISTANCE_M = 0.2, 40.0


@dataclass(frozen=True)
class DistanceSensor:
    """One distance sensor; it measures along the x axis of its orientation."""

    orientation: Quaternion = (1.0, 0.0, 0.0, 0.0)
    """Sensor to body FRD."""
    position_m: Vec3 = (0.0, 0.0, 0.0)
    """In the body's frame."""
    min_m: float = MIN_DISTANCE_M
    max_m: float = MAX_DISTANCE_M


DISTANCE_SENSORS: Mapping[str, DistanceSensor] = {
    "Distance": DistanceSensor(quaternion_from_euler(0.0, 0.0, 0.0)),
    "DistanceDown": DistanceSensor(quaternion_from_euler(0.0, -math.pi / 2, 0.0)),
}
"""Those of a vehicle without a settings file, at the body's centre."""


class Fix(IntEnum):
    """AirSim's GnssFixType."""

    NONE, TIME_ONLY, TWO_D, THREE_D = 0, 1, 2, 3


class _Noise(IntEnum):
    IMU, BAROMETER, MAGNETOMETER, GPS, DISTANCE = range(5)


@dataclass(frozen=True)
class Imu:
    """What an inertial measurement unit tells."""

    orientation: Quaternion
    """Body to world; the truth, as in AirSim."""
    angular_velocity_radps: Vec3
    """Body FRD."""
    specific_force_mps2: Vec3
    """Body FRD: acceleration minus gravity; (0, 0, -9.81) at rest."""


@dataclass(frozen=True)
class Gps:
    """What a satellite receiver tells."""

    position_m: Vec3
    """World NED."""
    velocity_mps: Vec3
    """World NED."""
    accuracy_m: float
    """Both AirSim's eph and epv."""
    fix: Fix


class Sensors:
    """All sensors of one vehicle.

    Args:
        noise_seed: None for no noise; a reading is the truth then.
        start_ns: time stamp of the simulation's start.
        home: place on Earth of the origin.
        distance_sensors: by name.
    """

    def __init__(
        self,
        noise_seed: int | None,
        start_ns: int,
        home: Home = HOME,
        distance_sensors: Mapping[str, DistanceSensor] = DISTANCE_SENSORS,
    ) -> None:
        self._seed, self._start_ns = noise_seed, start_ns
        self._home, self._distance_sensors = home, distance_sensors

    def imu(self, motion: Kinematics, time_ns: int) -> Imu:
        """Turn rates and specific force."""
        acc_n, acc_e, acc_d = motion.acceleration_mps2
        to_body = conjugate(motion.orientation)
        force = rotate(to_body, (acc_n, acc_e, acc_d - GRAVITY_MPS2))
        now, always = self._draws(_Noise.IMU, time_ns, 6)
        step = math.sqrt(TIME_STEP_S)
        gyro = now[:3] * (_GYRO_WALK / step) + always[:3] * _GYRO_BIAS_RADPS
        push = now[3:] * (_ACCELERATION_WALK / step) + always[3:] * _ACCELERATION_BIAS_MPS2
        return Imu(
            motion.orientation,
            _plus(motion.angular_velocity_radps, gyro),
            _plus(force, push),
        )

    def pressure_pa(self, motion: Kinematics, time_ns: int) -> float:
        """Air pressure of the standard atmosphere at the vehicle's altitude."""
        pressure = earth.air_at(self._home.altitude_m - motion.position_m[2]).pressure_pa
        now, always = self._draws(_Noise.BAROMETER, time_ns, 1)
        return float(pressure * (1.0 + _PRESSURE_DRIFT * always[0]) + _PRESSURE_NOISE_PA * now[0])

    def magnetic_field_gauss(self, motion: Kinematics, time_ns: int) -> Vec3:
        """Field in the body's frame. That of the origin serves the whole city."""
        field = earth.magnetic_field_gauss(self._home.latitude_deg, self._home.longitude_deg)
        now, _ = self._draws(_Noise.MAGNETOMETER, time_ns, 3)
        return _plus(rotate(conjugate(motion.orientation), field), now * _MAGNETIC_NOISE_GAUSS)

    def gps(self, motion: Kinematics, time_ns: int) -> Gps:
        """Position and velocity; a noisy receiver needs some seconds to settle."""
        accuracy_m = GPS_ACCURACY_M
        if self._seed is not None:
            elapsed_s = (time_ns - self._start_ns) * 1e-9
            excess_m = _GPS_START_ACCURACY_M - GPS_ACCURACY_M
            accuracy_m += excess_m * math.exp(-elapsed_s / _GPS_SETTLE_S)
        now, _ = self._draws(_Noise.GPS, time_ns, 3)
        three_d, two_d = _GPS_LIMITS_M
        fix = Fix.TWO_D if accuracy_m <= two_d else Fix.NONE
        return Gps(
            _plus(motion.position_m, now * accuracy_m),
            motion.velocity_mps,
            accuracy_m,
            Fix.THREE_D if accuracy_m <= three_d else fix,
        )

    def distance_m(
        self, name: str, motion: Kinematics, time_ns: int, cast: Callable[[Vec3, Vec3], float]
    ) -> float:
        """What one of the distance sensors measures, within its limits.

        Args:
            name: of the sensor.
            motion: of the vehicle.
            time_ns: now.
            cast: distance from a point along a direction to whatever is there first, world NED.
        """
        sensor = self._distance_sensors[name]
        orientation = multiply(motion.orientation, sensor.orientation)
        offset = rotate(motion.orientation, sensor.position_m)
        n, e, d = (p + o for p, o in zip(motion.position_m, offset, strict=True))
        distance_m = cast((n, e, d), rotate(orientation, (1.0, 0.0, 0.0)))
        now, _ = self._draws(_Noise.DISTANCE, time_ns, len(self._distance_sensors))
        distance_m += _DISTANCE_NOISE_M * now[list(self._distance_sensors).index(name)]
        return float(min(max(distance_m, sensor.min_m), sensor.max_m))

    def _draws(
        self, sensor: _Noise, time_ns: int, count: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Standard normal numbers of this instant, and of the whole simulation."""
        if self._seed is None:
            return np.zeros(count), np.zeros(count)
        step = (time_ns - self._start_ns) // TIME_STEP_NS
        now = np.random.default_rng([self._seed, sensor, step + 1])
        always = np.random.default_rng([self._seed, sensor, 0])
        return now.standard_normal(count), always.standard_normal(count)


def _plus(vector: Vec3, noise: NDArray[np.float64]) -> Vec3:
    x, y, z = (float(v + n) for v, n in zip(vector, noise, strict=True))
    return x, y, z
