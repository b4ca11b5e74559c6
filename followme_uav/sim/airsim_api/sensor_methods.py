"""RPC methods of the sensors and of the environment at the vehicle."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from followme_uav.rpc.server import HandlerError
from followme_uav.sim.airsim_api import structs
from followme_uav.sim.airsim_api.dialects import ServerDialect
from followme_uav.sim.airsim_api.service import Handlers, Service
from followme_uav.sim.airsim_api.structs import read_text
from followme_uav.sim.simulation import EPOCH_NS, Simulation
from followme_uav.sim.simulation_runner import SimulationRunner
from followme_uav.sim.vehicle import earth
from followme_uav.sim.vehicle.equipment import SENSOR_NAMES
from followme_uav.sim.vehicle.sensors import DISTANCE_SENSORS, Sensors
from followme_uav.sim.vehicle.state import Kinematics
from followme_uav.sim.vehicle.vehicle import GRAVITY_MPS2

# AirSim's SensorType.
BAROMETER, IMU, GPS, MAGNETOMETER, DISTANCE, LIDAR = range(1, 7)


def sensor_settings() -> structs.Struct:
    """The default vehicle's sensors as in AirSim's settings.json."""
    types = {name: kind for kind, name in SENSOR_NAMES.items()}
    types |= dict.fromkeys(DISTANCE_SENSORS, DISTANCE)
    return {name: {"SensorType": kind, "Enabled": True} for name, kind in types.items()}


class SensorMethods(Service):
    """getImuData and the other sensors; the name "" stands for the first sensor of a kind."""

    def __init__(
        self, simulator: SimulationRunner, dialect: ServerDialect, noise_seed: int | None
    ) -> None:
        super().__init__(simulator, dialect)
        self._sensors = Sensors(
            noise_seed, EPOCH_NS, self.equipment.home, self.equipment.distance_sensors
        )

    def handlers(self) -> Handlers:
        """Method name to function."""
        return {
            "getImuData": self._imu,
            "getBarometerData": self._barometer,
            "getMagnetometerData": self._magnetometer,
            "getGpsData": self._gps,
            "getDistanceSensorData": self._distance,
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

        return self._read("imu", name, IMU, v, read)

    def _barometer(self, name: Any, v: Any) -> Future[structs.Struct]:
        def read(motion: Kinematics, time_ns: int) -> structs.Struct:
            pressure_pa = self._sensors.pressure_pa(motion, time_ns)
            return {
                "altitude": earth.pressure_altitude_m(pressure_pa),
                "pressure": pressure_pa,
                "qnh": earth.SEA_LEVEL_PRESSURE_PA / 100.0,  # hectopascal
            }

        return self._read("barometer", name, BAROMETER, v, read)

    def _magnetometer(self, name: Any, v: Any) -> Future[structs.Struct]:
        def read(motion: Kinematics, time_ns: int) -> structs.Struct:
            field = self._sensors.magnetic_field_gauss(motion, time_ns)
            return {"magnetic_field_body": structs.vector(field), "magnetic_field_covariance": []}

        return self._read("magnetometer", name, MAGNETOMETER, v, read)

    def _gps(self, name: Any, v: Any) -> Future[structs.Struct]:
        def read(motion: Kinematics, time_ns: int) -> structs.Struct:
            gps = self._sensors.gps(motion, time_ns)
            report = {
                "geo_point": structs.geo_point(gps.position_m, self.equipment.home),
                "eph": gps.accuracy_m,
                "epv": gps.accuracy_m,
                "velocity": structs.vector(gps.velocity_mps),
                "fix_type": int(gps.fix),
                "time_utc": time_ns // 1000,  # microseconds
            }
            return {"gnss": report, "is_valid": True}

        return self._read("gps", name, GPS, v, read)

    def _distance(self, name: Any, v: Any) -> Future[structs.Struct]:
        self.check_vehicle(v)
        sensors = self.equipment.distance_sensors
        wanted = find_sensor("distance sensor", name, sensors)
        sensor = sensors[wanted]

        def job(simulation: Simulation) -> structs.Struct:
            motion = simulation.vehicle.kinematics()
            cast = simulation.ray_m
            return {
                "time_stamp": simulation.time_ns,
                "distance": self._sensors.distance_m(wanted, motion, simulation.time_ns, cast),
                "min_distance": sensor.min_m,
                "max_distance": sensor.max_m,
                "relative_pose": structs.pose(sensor.position_m, sensor.orientation),
            }

        return self.call(job)

    def _environment(self, v: Any) -> Future[structs.Struct]:
        self.check_vehicle(v)

        def job(simulation: Simulation) -> structs.Struct:
            position = simulation.vehicle.position_m
            air = earth.air_at(self.equipment.home.altitude_m - position[2])
            return {
                "position": structs.vector(position),
                "geo_point": structs.geo_point(position, self.equipment.home),
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
        sensor_type: int,
        v: Any,
        read: Callable[[Kinematics, int], structs.Struct],
    ) -> Future[structs.Struct]:
        self.check_vehicle(v)
        find_sensor(kind, name, self.equipment.sensor_names.get(sensor_type, ()))

        def job(simulation: Simulation) -> structs.Struct:
            time_ns = simulation.time_ns
            return {"time_stamp": time_ns, **read(simulation.vehicle.kinematics(), time_ns)}

        return self.call(job)


def find_sensor(kind: str, name: Any, known: Iterable[str]) -> str:
    """The name of an existing sensor, "" being the first.

    Raises:
        HandlerError: There is none of that name, in AirSim's words.
    """
    wanted = read_text(name, f"{kind.replace(' ', '_')}_name")
    names = list(known)
    if names and wanted == "":
        return names[0]
    if wanted not in names:
        raise HandlerError(f"No {kind} with name {wanted[:50]} exist on vehicle")
    return wanted
