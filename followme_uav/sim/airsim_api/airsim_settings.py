"""AirSim's `settings.json`: names, cameras, sensors, geodetic position of the origin and clock.

`read_settings` returns the supported settings, and one line for each key that is ignored. A key
with an invalid value is an error that names it. The file is data: it starts no program and names no
other file.
"""

from __future__ import annotations

import ipaddress
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from followme_uav.config import validated
from followme_uav.errors import ConfigError
from followme_uav.sim.airsim_api.images import LAST_IMAGE_TYPE
from followme_uav.sim.airsim_api.settings_schema import (
    VEHICLE_TYPE,
    CameraSettings,
    CaptureSettings,
    SensorSettings,
    SettingsFile,
    VehicleSettings,
)
from followme_uav.sim.names import VEHICLE_NAME
from followme_uav.sim.vehicle.earth import Home
from followme_uav.sim.vehicle.equipment import (
    SENSOR_NAMES,
    CameraMount,
    Capture,
    Equipment,
    LidarMount,
)
from followme_uav.sim.vehicle.sensors import DISTANCE_SENSORS, DistanceSensor

MAX_FILE_BYTES = 2**20
DEFAULT_FOV_DEG = 90.0
"""AirSim's default for cameras of the settings file."""
DISTANCE, LIDAR = 5, 6


@dataclass(frozen=True)
class SimSettings:
    """The supported settings of a file."""

    text: str
    """The whole file, for getSettingsString."""
    equipment: Equipment
    clock_speed: float
    host: str | None
    """Loopback address to listen on; None if not set."""
    port: int | None
    ignored: tuple[str, ...]
    """One line for each key without effect."""


def read_settings(path: Path) -> SimSettings:
    """Read a settings file.

    Raises:
        ConfigError: It cannot be read, is no JSON, or a key has an invalid value; the message names
            the key.
    """
    text = _text_of(path)
    data = _parsed(text, path)
    file = validated(SettingsFile, data, path)
    name, vehicle = _only_vehicle(file, path)
    default = tuple(_captures(file.camera_defaults.captures, None).items())
    mounts = {
        place: tuple(
            _mount(camera_name, camera, dict(default)) for camera_name, camera in cameras.items()
        )
        for place, cameras in (("own", vehicle.cameras), ("external", file.external))
    }
    equipment = replace(
        _with_sensors(file, vehicle, path),
        vehicle_name=name,
        cameras=mounts["own"],
        external_cameras=mounts["external"],
        built_in_captures=dict(default) if file.camera_defaults.captures else {},
        home=Home(file.origin.latitude, file.origin.longitude, file.origin.altitude),
    )
    host, lines = _host(file.host)
    lines += _ignored_values(file, vehicle)
    lines += [f"{key} is ignored" for key in _unknown_keys(file)]
    ignored = tuple(f"{path}: {line}" for line in lines)
    return SimSettings(text, equipment, file.clock_speed, host, file.port, ignored)


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise ConfigError(
                f"{path}: larger than {MAX_FILE_BYTES >> 20} MiB, not a settings file"
            )
        return data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror or error}; pass a readable settings.json"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text; pass AirSim's settings.json") from error


def _parsed(text: str, path: Path) -> dict[str, Any]:
    def refuse(constant: str) -> float:
        raise ConfigError(f"{path}: {constant} is not a JSON number")

    try:
        data = json.loads(text, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path}: not valid JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected an object {{...}} at the top level")
    return data


def _only_vehicle(file: SettingsFile, path: Path) -> tuple[str, VehicleSettings]:
    """Name and settings of the only vehicle."""
    if not file.vehicles:
        return VEHICLE_NAME, VehicleSettings()
    if len(file.vehicles) > 1:
        names = ", ".join(file.vehicles)
        raise ConfigError(f"{path}: Vehicles: {names}: one vehicle is simulated; leave one")
    [(name, vehicle)] = file.vehicles.items()
    if not name or not name.isprintable():
        raise ConfigError(f"{path}: Vehicles: {name!r} is no name; use printable characters")
    if vehicle.vehicle_type.lower() != VEHICLE_TYPE:
        raise ConfigError(
            f"{path}: Vehicles.{name}.VehicleType: '{vehicle.vehicle_type}' is not simulated; "
            "use SimpleFlight"
        )
    return name, vehicle


def _captures(settings: tuple[CaptureSettings, ...], fov_deg: float | None) -> dict[int, Capture]:
    """Captures of all image types; those that the settings leave out have AirSim's defaults."""
    default = Capture(fov_rad=None if fov_deg is None else math.radians(fov_deg))
    captures = dict.fromkeys(range(LAST_IMAGE_TYPE + 1), default)
    for one in settings:
        if one.image_type in captures:
            fov = fov_deg if one.fov is None else one.fov
            captures[one.image_type] = Capture(
                (one.width, one.height), None if fov is None else math.radians(fov)
            )
    return captures


def _mount(name: str, camera: CameraSettings, default: Mapping[int, Capture]) -> CameraMount:
    """A camera of the file; its own capture settings replace all defaults, as in AirSim."""
    captures = _captures(camera.captures, DEFAULT_FOV_DEG)
    if not camera.captures:
        wide = math.radians(DEFAULT_FOV_DEG)
        captures = {k: Capture(c.size_px, c.fov_rad or wide) for k, c in default.items()}
    return CameraMount(name, camera.position_m, camera.orientation, captures)


def _with_sensors(file: SettingsFile, vehicle: VehicleSettings, path: Path) -> Equipment:
    """Equipment with the sensors of the file first; they replace built-in ones of the same name."""
    settings = {**(file.sensors or {}), **vehicle.sensors}
    replaced = {name.lower() for name in settings}
    for name, one in settings.items():
        if one.sensor_type == DISTANCE and one.min_distance >= one.max_distance:
            raise ConfigError(
                f"{path}: Sensors.{name}.MinDistance: {one.min_distance:g} is not less than "
                f"MaxDistance, {one.max_distance:g}"
            )
    enabled = sorted((n, one) for n, one in settings.items() if one.enabled)
    keep = file.sensors is None  # DefaultSensors replace all built-in sensors
    names = {
        kind: tuple(n for n, one in enabled if one.sensor_type == kind)
        + ((default,) if keep and default.lower() not in replaced else ())
        for kind, default in SENSOR_NAMES.items()
    }
    distance = {
        n: DistanceSensor(one.orientation, one.position_m, one.min_distance, one.max_distance)
        for n, one in enabled
        if one.sensor_type == DISTANCE
    }
    if keep:
        distance |= {n: s for n, s in DISTANCE_SENSORS.items() if n.lower() not in replaced}
    lidars = {n: _lidar(one) for n, one in enabled if one.sensor_type == LIDAR}
    return Equipment(sensor_names=names, distance_sensors=distance, lidars=lidars)


def _lidar(one: SensorSettings) -> LidarMount:
    return LidarMount(
        channels=one.channels,
        points_per_second=one.points,
        rotations_per_second=one.rotations,
        range_m=one.range,
        horizontal_deg=(one.start, one.end),
        vertical_deg=(one.upper, one.lower),
        position_m=one.position_m,
        orientation=one.orientation,
        in_sensor_frame=one.frame == "SensorLocalFrame",
    )


def _host(text: str) -> tuple[str | None, list[str]]:
    """Host and warnings; a file must not open the simulator to the network, only --host may."""
    try:
        loopback = text == "localhost" or ipaddress.ip_address(text).is_loopback
    except ValueError:
        loopback = False
    if loopback or not text:
        return text or None, []
    return None, [f"LocalHostIp '{text[:60]}' is ignored; to listen there, say --host"]


def _ignored_values(file: SettingsFile, vehicle: VehicleSettings) -> list[str]:
    """One line for each known key whose value has no effect."""
    lines = []
    if file.sim_mode in ("Car", "ComputerVision"):
        lines.append(f"SimMode '{file.sim_mode}' is ignored; a multirotor is simulated")
    if any((*vehicle.position_m, vehicle.pitch, vehicle.roll, vehicle.yaw)):
        lines.append(
            "X, Y, Z, Pitch, Roll and Yaw of the vehicle are ignored; it starts at 0, 0, 0"
        )
    if not vehicle.auto_create:
        lines.append("AutoCreate is ignored; the vehicle is there from the start")
    settings = {**(file.sensors or {}), **vehicle.sensors}
    lines += [
        f'Sensors.{name} is off; to switch it on, say "Enabled": true'
        for name, one in settings.items()
        if not one.enabled and "enabled" not in one.model_fields_set
    ]
    captures = [file.camera_defaults.captures]
    captures += [one.captures for one in (*vehicle.cameras.values(), *file.external.values())]
    kinds = {one.image_type for of_camera in captures for one in of_camera}
    lines += [
        f"CaptureSettings of ImageType {kind} are ignored"
        for kind in sorted(kinds - set(range(LAST_IMAGE_TYPE + 1)))
    ]
    return lines


def _unknown_keys(part: BaseModel, where: str = "") -> Iterator[str]:
    """Paths of the keys that the schema does not have."""
    for key in part.model_extra or {}:
        yield f"{where}{key}"
    for name, info in type(part).model_fields.items():
        value = getattr(part, name)
        path = f"{where}{info.alias or name}"
        children: list[tuple[str, Any]] = []
        if isinstance(value, dict):
            children = [(f"{path}.{key}.", child) for key, child in value.items()]
        elif isinstance(value, tuple):
            children = [(f"{path}.{i}.", child) for i, child in enumerate(value)]
        else:
            children = [(f"{path}.", value)]
        for prefix, child in children:
            if isinstance(child, BaseModel):
                yield from _unknown_keys(child, prefix)
