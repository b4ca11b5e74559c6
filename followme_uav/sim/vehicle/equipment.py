"""Name, cameras, sensors and home of the simulated vehicle.

The defaults are those of a simulator without a settings file; `airsim_settings` reads others.
Frames: body is forward, right, down; external cameras are placed in the world, NED.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.names import CAMERA_NAMES, VEHICLE_NAME
from followme_uav.sim.vehicle.earth import HOME, Home
from followme_uav.sim.vehicle.sensors import DISTANCE_SENSORS, DistanceSensor

DEFAULT_IMAGE_SIZE_PX = (256, 144)
"""Width and height of AirSim's images unless its settings say otherwise."""

SENSOR_NAMES: Mapping[int, str] = {1: "Barometer", 2: "Imu", 3: "Gps", 4: "Magnetometer"}
"""Default name of the only sensor of each of AirSim's SensorTypes."""


@dataclass(frozen=True)
class Capture:
    """Size and field of view of a camera's images of one type."""

    size_px: tuple[int, int] | None = None
    """Width and height; None: the simulator's default."""
    fov_rad: float | None = None
    """Horizontal; None: the camera's own."""


@dataclass(frozen=True)
class CameraMount:
    """A camera that the settings add, or that replaces another of the same name."""

    name: str
    position_m: Vec3 = (0.0, 0.0, 0.0)
    orientation: Quaternion = (1.0, 0.0, 0.0, 0.0)
    captures: Mapping[int, Capture] = field(default_factory=dict)
    """By image type; complete."""


@dataclass(frozen=True)
class LidarMount:
    """A lidar; the defaults are AirSim's for multirotors."""

    channels: int = 16
    points_per_second: int = 100_000
    rotations_per_second: int = 10
    range_m: float = 100.0
    horizontal_deg: tuple[float, float] = (0.0, 359.0)
    """First and last azimuth, clockwise from straight ahead."""
    vertical_deg: tuple[float, float] = (-15.0, -45.0)
    """Elevation of the uppermost and the lowest channel."""
    position_m: Vec3 = (0.0, 0.0, 0.0)
    orientation: Quaternion = (1.0, 0.0, 0.0, 0.0)
    in_sensor_frame: bool = False
    """Points in the lidar's own frame; else in the world's."""


@dataclass(frozen=True)
class Equipment:
    """Name, cameras, sensors and home of the vehicle.

    Mappings keep their order: the name "" stands for the first sensor of a kind.
    """

    vehicle_name: str = VEHICLE_NAME
    cameras: tuple[CameraMount, ...] = ()
    """Cameras of the vehicle besides AirSim's five; one of the same name replaces the other."""
    external_cameras: tuple[CameraMount, ...] = ()
    built_in_captures: Mapping[int, Capture] = field(default_factory=dict)
    """By image type: images of AirSim's five cameras that differ from the simulator's default."""
    sensor_names: Mapping[int, tuple[str, ...]] = field(
        default_factory=lambda: {kind: (name,) for kind, name in SENSOR_NAMES.items()}
    )
    """Names of the sensors of each of AirSim's SensorTypes 1 to 4."""
    distance_sensors: Mapping[str, DistanceSensor] = field(
        default_factory=lambda: dict(DISTANCE_SENSORS)
    )
    lidars: Mapping[str, LidarMount] = field(default_factory=dict)
    home: Home = HOME

    def camera_number(self, name: str) -> int | None:
        """Number of the vehicle's camera of that name in the settings; None without one."""
        names = [camera.name for camera in self.cameras]
        return len(CAMERA_NAMES) + names.index(name) if name in names else None

    def external_number(self, name: str) -> int | None:
        """Number of the external camera of that name; None without one."""
        names = [camera.name for camera in self.external_cameras]
        first = len(CAMERA_NAMES) + len(self.cameras)
        return first + names.index(name) if name in names else None
