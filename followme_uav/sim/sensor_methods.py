"""RPC methods of the sensors, and of what surrounds the vehicle."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from followme_uav.rpc.server import HandlerError
from followme_uav.sim import earth, structs
from followme_uav.sim.dialects import Dialect
from followme_uav.sim.sensors import (
    DISTANCE_SENSORS,
    MAX_DISTANCE_M,
    MIN_DISTANCE_M,
    Sensors,
)
from followme_uav.sim.service import Handlers, Service
from followme_uav.sim.simulation import EPOCH_NS, Simulation
from followme_uav.sim.simulator import Simulator
from followme_uav.sim.structs import read_text
from followme_uav.sim.vehicle import GRAVITY_MPS2, Kinematics

# The names that AirSim gives the sensors of a multirotor without any in its settings.
IMU, BAROMETER, MAGNETOMETER, GPS = "Imu", "Barometer", "Magnetometer", "Gps"


def sensor_settings() -> structs.Struct:
    """The vehicle's sensors as in AirSim's settings.json; the types are AirSim's SensorType."""
    types = {BAROMETER: 1, IMU: 2, GPS: 3, MAGNETOMETER: 4, **dict.fromkeys(DISTANCE_SENSORS, 5)}
    return {name: {"SensorType": kind, "Enabled": True} for name, kind in types.items()}


class SensorMethods(Service):
    """getImuData and its relatives; "" is the first sensor of its kind."""

    def __init__(self, simulator: Simulator, dialect: Dialect, noise_seed: int | None) -> None:
        super().__init__(simulator, dialect)
        self._sensors = Sensors(noise_seed, EPOCH_NS)

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "getImuData": self._imu,
            "getBarometerData": self._barometer,
            "getMagnetometerData": self._magnetometer,
            "getGpsData": self._gps,
            "getDistanceSensorData": self._distance,
            "getLidarData": self._lidar,
            "simGetGroundTruthEnvironment": self._environment,
        }

    def _imu(self, name: Any, v: Any) -> Future[structs.Struct]:
        def read(motion: Kinematics, time_ns: int) -> structs.Struct:
            imu = self._sensors.imu(motion, time_ns)
            return {
                "orientation": structs.quaternion(imu.orientation),
                "angular_velocity": structs.vector(imu.angular_velocity_radps),
                "linear_acceleration": structs.vector(imu.specific_force_mps2),
            }

        return self._read("imu", name, (IMU,), v, read)

    def _barometer(self, name: Any, v: Any) -> Future[structs.Struct]:
        def read(motion: Kinematics, time_ns: int) -> structs.Struct:
            pressure_pa = self._sensors.pressure_pa(motion, time_ns)
            return {
                "altitude": earth.pressure_altitude_m(pressure_pa),
                "pressure": pressure_pa,
                "qnh": earth.SEA_LEVEL_PRESSURE_PA / 100.0,  # hectopascal
            }

        return self._read("barometer", name, (BAROMETER,), v, read)

    def _magnetometer(self, name: Any, v: Any) -> Future[structs.Struct]:
        def read(motion: Kinematics, time_ns: int) -> structs.Struct:
            field = self._sensors.magnetic_field_gauss(motion, time_ns)
            return {"magnetic_field_body": structs.vector(field), "magnetic_field_covariance": []}

        return self._read("magnetometer", name, (MAGNETOMETER,), v, read)

    def _gps(self, name: Any, v: Any) -> Future[structs.Struct]:
        def read(motion: Kinematics, time_ns: int) -> structs.Struct:
            gps = self._sensors.gps(motion, time_ns)
            report = {
                "geo_point": structs.geo_point(gps.position_m),
                "eph": gps.accuracy_m,
                "epv": gps.accuracy_m,
                "velocity": structs.vector(gps.velocity_mps),
                "fix_type": int(gps.fix),
                "time_utc": time_ns // 1000,  # microseconds
            }
            return {"gnss": report, "is_valid": True}

        return self._read("gps", name, (GPS,), v, read)

    def _distance(self, name: Any, v: Any) -> Future[structs.Struct]:
        self.check_vehicle(v)
        wanted = _sensor("distance sensor", name, DISTANCE_SENSORS)

        def job(simulation: Simulation) -> structs.Struct:
            motion = simulation.vehicle.kinematics()
            cast = simulation.ray_m
            return {
                "time_stamp": simulation.time_ns,
                "distance": self._sensors.distance_m(wanted, motion, simulation.time_ns, cast),
                "min_distance": MIN_DISTANCE_M,
                "max_distance": MAX_DISTANCE_M,
                "relative_pose": structs.pose((0.0, 0.0, 0.0), DISTANCE_SENSORS[wanted]),
            }

        return self.call(job)

    def _lidar(self, name: Any, v: Any) -> None:
        """AirSim's default vehicle has none either."""
        self.check_vehicle(v)
        _sensor("lidar", name, ())

    def _environment(self, v: Any) -> Future[structs.Struct]:
        self.check_vehicle(v)

        def job(simulation: Simulation) -> structs.Struct:
            position = simulation.vehicle.position_m
            air = earth.air_at(structs.HOME_ALTITUDE_M - position[2])
            return {
                "position": structs.vector(position),
                "geo_point": structs.geo_point(position),
                "gravity": structs.vector((0.0, 0.0, GRAVITY_MPS2)),
                "air_pressure": air.pressure_pa,
                "temperature": air.temperature_k,
                "air_density": air.density_kgm3,
            }

        return self.call(job)

    def _read(
        self,
        kind: str,
        name: Any,
        known: Iterable[str],
        v: Any,
        read: Callable[[Kinematics, int], structs.Struct],
    ) -> Future[structs.Struct]:
        self.check_vehicle(v)
        _sensor(kind, name, known)

        def job(simulation: Simulation) -> structs.Struct:
            time_ns = simulation.time_ns
            return {"time_stamp": time_ns, **read(simulation.vehicle.kinematics(), time_ns)}

        return self.call(job)


def _sensor(kind: str, name: Any, known: Iterable[str]) -> str:
    """The name of an existing sensor; worded as AirSim words it."""
    wanted = read_text(name, f"{kind.replace(' ', '_')}_name")
    names = list(known)
    if names and wanted == "":
        return names[0]
    if wanted not in names:
        raise HandlerError(f"No {kind} with name {wanted[:50]} exist on vehicle")
    return wanted
