"""The supported keys of AirSim's settings.json, with AirSim's names and defaults.

Other keys are allowed: pydantic keeps them in `model_extra`, and `airsim_settings` reports them.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from followme_uav.config import Section
from followme_uav.geometry import quaternion_from_euler
from followme_uav.messages import Quaternion, Vec3
from followme_uav.sim.vehicle.earth import HOME_ALTITUDE_M, HOME_LATITUDE_DEG, HOME_LONGITUDE_DEG
from followme_uav.sim.vehicle.equipment import DEFAULT_IMAGE_SIZE_PX
from followme_uav.sim.vehicle.sensors import MAX_DISTANCE_M, MIN_DISTANCE_M

MAX_CAMERAS = 16
MAX_SENSORS = 32
MIN_IMAGE_SIDE_PX, MAX_IMAGE_WIDTH_PX, MAX_IMAGE_HEIGHT_PX = 16, 4320, 2160
"""The maximum is the largest image of AirSim's example scripts."""
MAX_OFFSET_M = 1e4
VEHICLE_TYPE = "simpleflight"

Degrees = Annotated[float, Field(ge=-360.0, le=360.0)]
Offset = Annotated[float, Field(ge=-MAX_OFFSET_M, le=MAX_OFFSET_M)]


class Part(Section):
    """A part of the file; other keys are allowed, and reported."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)


class Placed(Part):
    """A part with a pose."""

    x: Offset = Field(default=0.0, alias="X")
    y: Offset = Field(default=0.0, alias="Y")
    z: Offset = Field(default=0.0, alias="Z")
    pitch: Degrees = Field(default=0.0, alias="Pitch")
    roll: Degrees = Field(default=0.0, alias="Roll")
    yaw: Degrees = Field(default=0.0, alias="Yaw")

    @property
    def position_m(self) -> Vec3:
        """In the parent's frame: forward, right, down of the vehicle, or world NED."""
        return self.x, self.y, self.z

    @property
    def orientation(self) -> Quaternion:
        """Orientation in the parent's frame; yaw first, then pitch, then roll."""
        return quaternion_from_euler(*map(math.radians, (self.roll, self.pitch, self.yaw)))


class CaptureSettings(Part):
    """Size and field of view of a camera's images of one type."""

    image_type: Annotated[int, Field(ge=-1, le=9)] = Field(default=0, alias="ImageType")
    width: Annotated[int, Field(ge=MIN_IMAGE_SIDE_PX, le=MAX_IMAGE_WIDTH_PX)] = Field(
        default=DEFAULT_IMAGE_SIZE_PX[0], alias="Width"
    )
    height: Annotated[int, Field(ge=MIN_IMAGE_SIDE_PX, le=MAX_IMAGE_HEIGHT_PX)] = Field(
        default=DEFAULT_IMAGE_SIZE_PX[1], alias="Height"
    )
    fov: Annotated[float, Field(ge=5.0, le=150.0)] | None = Field(default=None, alias="FOV_Degrees")


class CameraDefaults(Part):
    """Capture settings of cameras without their own."""

    captures: tuple[CaptureSettings, ...] = Field(default=(), alias="CaptureSettings", strict=False)


class CameraSettings(Placed):
    """One camera, on the vehicle or external."""

    captures: tuple[CaptureSettings, ...] = Field(default=(), alias="CaptureSettings", strict=False)


class SensorSettings(Placed):
    """The keys of all types of sensors; the type selects those that apply."""

    sensor_type: Annotated[int, Field(ge=1, le=6)] = Field(alias="SensorType")
    enabled: bool = Field(default=False, alias="Enabled")
    min_distance: Annotated[float, Field(ge=0.0, le=1e4)] = Field(
        default=MIN_DISTANCE_M, alias="MinDistance"
    )
    max_distance: Annotated[float, Field(gt=0.0, le=1e4)] = Field(
        default=MAX_DISTANCE_M, alias="MaxDistance"
    )
    channels: Annotated[int, Field(ge=1, le=1024)] = Field(default=16, alias="NumberOfChannels")
    points: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=100_000, alias="PointsPerSecond"
    )
    rotations: Annotated[int, Field(ge=1, le=1000)] = Field(default=10, alias="RotationsPerSecond")
    range: Annotated[float, Field(gt=0.0, le=1e4)] = Field(default=100.0, alias="Range")
    start: Degrees = Field(default=0.0, alias="HorizontalFOVStart")
    end: Degrees = Field(default=359.0, alias="HorizontalFOVEnd")
    upper: Annotated[float, Field(ge=-90.0, le=90.0)] = Field(
        default=-15.0, alias="VerticalFOVUpper"
    )
    lower: Annotated[float, Field(ge=-90.0, le=90.0)] = Field(
        default=-45.0, alias="VerticalFOVLower"
    )
    frame: Literal["", "VehicleInertialFrame", "SensorLocalFrame"] = Field(
        default="", alias="DataFrame"
    )


class VehicleSettings(Placed):
    """The vehicle: type, start, cameras and sensors."""

    vehicle_type: str = Field(default=VEHICLE_TYPE, alias="VehicleType")
    auto_create: bool = Field(default=True, alias="AutoCreate")
    cameras: dict[str, CameraSettings] = Field(default={}, alias="Cameras", max_length=MAX_CAMERAS)
    sensors: dict[str, SensorSettings] = Field(default={}, alias="Sensors", max_length=MAX_SENSORS)


class OriginGeopoint(Part):
    """Geodetic position of the world's origin."""

    latitude: Annotated[float, Field(ge=-89.0, le=89.0)] = Field(
        default=HOME_LATITUDE_DEG, alias="Latitude"
    )
    longitude: Annotated[float, Field(ge=-180.0, le=180.0)] = Field(
        default=HOME_LONGITUDE_DEG, alias="Longitude"
    )
    altitude: Annotated[float, Field(ge=-1000.0, le=10_000.0)] = Field(
        default=HOME_ALTITUDE_M, alias="Altitude"
    )


class SettingsFile(Part):
    """The whole file."""

    see_docs_at: str = Field(default="", alias="SeeDocsAt")
    version: float = Field(default=1.2, alias="SettingsVersion")
    sim_mode: Literal["", "Multirotor", "Car", "ComputerVision"] = Field(
        default="", alias="SimMode"
    )
    clock_speed: Annotated[float, Field(ge=0.01, le=100.0)] = Field(default=1.0, alias="ClockSpeed")
    host: str = Field(default="", alias="LocalHostIp")
    port: Annotated[int, Field(ge=0, le=65535)] | None = Field(default=None, alias="ApiServerPort")
    origin: OriginGeopoint = Field(default=OriginGeopoint(), alias="OriginGeopoint")
    camera_defaults: CameraDefaults = Field(default=CameraDefaults(), alias="CameraDefaults")
    external: dict[str, CameraSettings] = Field(
        default={}, alias="ExternalCameras", max_length=MAX_CAMERAS
    )
    sensors: dict[str, SensorSettings] | None = Field(default=None, alias="DefaultSensors")
    vehicles: dict[str, VehicleSettings] = Field(default={}, alias="Vehicles")
