"""The vehicle's sensors: their readings at one instant, with or without noise.

A reading shows the present instant, without delay.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from followme_uav.geometry import conjugate, multiply, quaternion_from_euler, rotate
from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.vehicle import earth
from followme_uav.sim.vehicle import sensor_noise as noise
from followme_uav.sim.vehicle.earth import HOME, Home
from followme_uav.sim.vehicle.sensor_noise import NoiseSource, SensorNoise, plus
from followme_uav.sim.vehicle.state import Kinematics
from followme_uav.sim.vehicle.vehicle_model import TIME_STEP_S
from followme_uav.sim.vehicle.vehicle_spec import GRAVITY_MPS2

GPS_ACCURACY_M = 0.1
"""Accuracy of a settled GPS, horizontal and vertical."""
_GPS_START_ACCURACY_M, _GPS_SETTLE_S = 100.0, 0.9
_GPS_3D_ACCURACY_M, _GPS_2D_ACCURACY_M = 3.0, 4.0  # required for a 3D and for a 2D fix

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
"""Distance sensors of a vehicle without a settings file, at the body's centre."""


class GnssFix(IntEnum):
    """AirSim's GnssFixType."""

    NONE, TIME_ONLY, TWO_D, THREE_D = 0, 1, 2, 3


@dataclass(frozen=True)
class ImuReading:
    """Reading of an inertial measurement unit."""

    orientation: Quaternion
    """Body to world, without noise, as in AirSim."""
    angular_velocity_radps: Vec3
    """Body FRD."""
    specific_force_mps2: Vec3
    """Body FRD: acceleration minus gravity; (0, 0, -9.81) at rest."""


@dataclass(frozen=True)
class GpsReading:
    """Reading of a satellite receiver."""

    position_m: Vec3
    """World NED."""
    velocity_mps: Vec3
    """World NED."""
    accuracy_m: float
    """Both AirSim's eph and epv."""
    fix: GnssFix


class Sensors:
    """All sensors of one vehicle.

    Args:
        noise_seed: None for readings without noise.
        start_ns: time stamp of the simulation's start.
        home: geodetic position of the origin.
        distance_sensors: by name.
    """

    def __init__(
        self,
        noise_seed: int | None,
        start_ns: int,
        home: Home = HOME,
        distance_sensors: Mapping[str, DistanceSensor] = DISTANCE_SENSORS,
    ) -> None:
        self._noise = SensorNoise(noise_seed, start_ns)
        self._home, self._distance_sensors = home, distance_sensors

    def imu(self, motion: Kinematics, time_ns: int) -> ImuReading:
        """Measure turn rates and specific force."""
        acc_n, acc_e, acc_d = motion.acceleration_mps2
        to_body = conjugate(motion.orientation)
        force = rotate(to_body, (acc_n, acc_e, acc_d - GRAVITY_MPS2))
        now, constant = self._noise.draw(NoiseSource.IMU, time_ns, 6)
        step = math.sqrt(TIME_STEP_S)
        gyro = now[:3] * (noise.GYRO_WALK / step) + constant[:3] * noise.GYRO_BIAS_RADPS
        accelerometer = (
            now[3:] * (noise.ACCELERATION_WALK / step) + constant[3:] * noise.ACCELERATION_BIAS_MPS2
        )
        return ImuReading(
            motion.orientation,
            plus(motion.angular_velocity_radps, gyro),
            plus(force, accelerometer),
        )

    def pressure_pa(self, motion: Kinematics, time_ns: int) -> float:
        """Measure the pressure of the standard atmosphere at the vehicle's altitude."""
        pressure = earth.air_at(self._home.altitude_m - motion.position_m[2]).pressure_pa
        now, constant = self._noise.draw(NoiseSource.BAROMETER, time_ns, 1)
        return float(
            pressure * (1.0 + noise.PRESSURE_DRIFT * constant[0]) + noise.PRESSURE_NOISE_PA * now[0]
        )

    def magnetic_field_gauss(self, motion: Kinematics, time_ns: int) -> Vec3:
        """Measure the magnetic field in the body's frame; the whole city has that of the origin."""
        field = earth.magnetic_field_gauss(self._home.latitude_deg, self._home.longitude_deg)
        now, _ = self._noise.draw(NoiseSource.MAGNETOMETER, time_ns, 3)
        return plus(rotate(conjugate(motion.orientation), field), now * noise.MAGNETIC_NOISE_GAUSS)

    def gps(self, motion: Kinematics, time_ns: int) -> GpsReading:
        """Measure position and velocity; a receiver with noise settles over some seconds."""
        accuracy_m = GPS_ACCURACY_M
        if self._noise.is_on:
            excess_m = _GPS_START_ACCURACY_M - GPS_ACCURACY_M
            accuracy_m += excess_m * math.exp(-self._noise.elapsed_s(time_ns) / _GPS_SETTLE_S)
        now, _ = self._noise.draw(NoiseSource.GPS, time_ns, 3)
        return GpsReading(
            plus(motion.position_m, now * accuracy_m),
            motion.velocity_mps,
            accuracy_m,
            _fix_of(accuracy_m),
        )

    def distance_m(
        self, name: str, motion: Kinematics, time_ns: int, cast: Callable[[Vec3, Vec3], float]
    ) -> float:
        """Measure with one of the distance sensors, clipped to its range.

        Args:
            name: name of the sensor.
            motion: motion of the vehicle.
            time_ns: time of the reading.
            cast: distance from a point along a direction to the first solid, world NED.
        """
        sensor = self._distance_sensors[name]
        orientation = multiply(motion.orientation, sensor.orientation)
        offset = rotate(motion.orientation, sensor.position_m)
        n, e, d = (p + o for p, o in zip(motion.position_m, offset, strict=True))
        distance_m = cast((n, e, d), rotate(orientation, (1.0, 0.0, 0.0)))
        now, _ = self._noise.draw(NoiseSource.DISTANCE, time_ns, len(self._distance_sensors))
        distance_m += noise.DISTANCE_NOISE_M * now[list(self._distance_sensors).index(name)]
        return float(min(max(distance_m, sensor.min_m), sensor.max_m))


def _fix_of(accuracy_m: float) -> GnssFix:
    if accuracy_m <= _GPS_3D_ACCURACY_M:
        return GnssFix.THREE_D
    return GnssFix.TWO_D if accuracy_m <= _GPS_2D_ACCURACY_M else GnssFix.NONE
