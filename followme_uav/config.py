"""Typed configuration: YAML files plus `--set section.key=value` overrides.

Every number that tunes behaviour is in `configs/default.yaml` with its unit and effect; every
number that depends on the simulator is in `configs/simulators/NAME.yaml`. The two together are a
`FlightConfig`, which is also written into each flight log. An unknown key or a value out of range
is a `ConfigError` that names file and key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from followme_uav.config_aliases import renamed, renamed_key
from followme_uav.errors import ConfigError

CONFIG_DIR = Path(__file__).resolve().parent.parent / "configs"
DEFAULT_CONFIG = CONFIG_DIR / "default.yaml"

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Point2 = tuple[Number, Number]
Rectangle = tuple[Number, Number, Number, Number]
"""(north_min, east_min, north_max, east_max) in metres."""


class Section(BaseModel):
    """A part of the configuration: immutable, and strict about its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


SomeSection = TypeVar("SomeSection", bound=Section)


class CameraConfig(Section):
    """The images that the pilot asks for."""

    width_px: Annotated[int, Field(ge=32, le=640, multiple_of=8)]
    height_px: Annotated[int, Field(ge=32, le=480, multiple_of=8)]
    rate_hz: Annotated[float, Field(gt=0, le=50)]


class DepthConfig(Section):
    """What is kept of the depth image, where the simulator has one."""

    strips: Annotated[int, Field(ge=1, le=64)]
    range_m: Positive
    band_m: Positive
    own_radius_m: NonNegative


class RpcConfig(Section):
    """Connection to the simulator."""

    backend: Literal["builtin", "msgpack-rpc-python"]
    deadline_s: Positive
    connect_deadline_s: Positive
    command_duration_s: Annotated[float, Field(ge=0.3, le=0.5)]
    max_message_bytes: Annotated[int, Field(ge=1024)]


RuntimeName = Literal["auto", "openvino", "tensorflow"]


class PerceptionConfig(Section):
    """What computes the network."""

    runtime: RuntimeName
    threads: Annotated[int, Field(ge=0)]


class HeroConfig(Section):
    """Dimensions of the hero."""

    height_m: Positive
    centroid_height_m: Positive
    area_m2: Positive


class DetectionConfig(Section):
    """From mask to detections."""

    hero_threshold: Share
    min_area_px: Annotated[int, Field(ge=1)]
    min_confidence: Share
    join_px: Annotated[int, Field(ge=0, le=10)]
    purity_width: Share
    purity_reach: Share


class MeasurementConfig(Section):
    """Errors of a detection's position on the ground."""

    direction_sigma_rad: Positive
    position_sigma_m: Positive
    hidden_sigma_m: NonNegative
    merged_area_min: Positive
    merged_sigma_m: NonNegative


class ClassificationConfig(Section):
    """When a detection is the hero."""

    distance_m: Positive
    confirm_distance_m: Positive
    expected_distance_m: Positive
    confidence_min: Share
    expected_confidence_min: Share
    purity_min: Share
    height_min: Positive
    height_max: Positive
    area_min: Positive
    area_max: Positive


class AssociationConfig(Section):
    """Which detection continues the track, and which is worth an approach."""

    height_min: Positive
    height_max: Positive
    gate: Positive
    fallback_gate: Positive
    follow_area_min: NonNegative
    follow_area_max: Positive
    follow_confidence_min: Share
    area_log_sigma: Positive
    purity_sigma: Positive
    approach_distance_m: Positive
    approach_area_min: Positive
    approach_confidence_min: Share
    reject_radius_m: Positive
    reject_share: Share


class TrackConfig(Section):
    """Filter of the hero's position and velocity on the ground."""

    speed_sigma_mps: Positive
    velocity_memory_s: Positive
    turn_share: NonNegative
    turn_extra_mps: NonNegative
    turn_gate: Positive
    max_speed_mps: Positive


class MissionConfig(Section):
    """When the mission changes its state."""

    altitude_m: Positive
    takeoff_done_altitude_m: Positive
    takeoff_timeout_s: Positive
    acquire_frames: Annotated[int, Field(ge=1)]
    probable_weight: Share
    rejected_weight: Annotated[int, Field(ge=1)]
    reject_frames: Annotated[int, Field(ge=1)]
    acquire_timeout_s: Positive
    acquire_stuck_s: Positive
    acquire_misses: Positive
    first_misses: Positive
    reacquire_frames: Annotated[int, Field(ge=1)]
    reject_s: NonNegative
    vanished_s: NonNegative
    follow_lost_s: Positive
    doubt_share: Annotated[float, Field(gt=0.0, lt=1.0)]
    doubt_time_s: Positive
    search_timeout_s: Positive
    frame_gap_s: Positive
    image_gap_s: NonNegative
    failsafe_hover_s: Positive
    failsafe_land_s: Positive
    hard_touch_mps: Positive
    control_take_backs: Annotated[int, Field(ge=0)]
    release_control: bool
    fall_mps: Positive
    jump_m: Positive
    disobeyed_s: Positive
    landing_off_waypoint_m: NonNegative
    descent_mps: Positive
    touchdown_altitude_m: Positive
    landed_altitude_m: Positive
    land_timeout_s: Positive


class PatrolConfig(Section):
    """How streets are searched."""

    speed_mps: Positive
    waypoint_radius_m: Positive
    sweep_pan_deg: NonNegative
    sweep_period_s: Positive
    tilt_deg: Number


class SearchConfig(Section):
    """How a lost hero is searched for."""

    speed_mps: Positive
    dwell_s: Positive
    scan_deg: NonNegative
    scan_period_s: Positive
    view_s: Positive
    predicted_s: Positive
    rise_m: NonNegative
    place_radius_m: Positive
    track_distance_weight: NonNegative


class PidGains(Section):
    """One PID loop; `limit` bounds the size of its output."""

    kp: Number
    ki: Number = 0.0
    kd: Number = 0.0
    limit: Positive


class ControlConfig(Section):
    """The loops that steer vehicle and camera."""

    pan: PidGains
    tilt: PidGains
    yaw: PidGains
    forward: PidGains
    altitude: PidGains
    wanted_distance_m: Positive
    min_distance_m: NonNegative
    feed_forward: Share
    closer_s: Annotated[float, Field(ge=0, le=0.5)]


class LimitsConfig(Section):
    """Bounds that hold in every state."""

    speed_mps: Positive
    acceleration_mps2: Positive
    corner_speed_mps: Positive
    min_altitude_m: NonNegative
    sink_m: NonNegative
    max_altitude_m: Positive
    geofence_m: Positive
    boundary_margin_m: NonNegative
    boundary_time_s: Positive
    clearance_m: Positive
    obstacle_memory_s: NonNegative


class LogConfig(Section):
    """What the flight log keeps of images, and so what the flight sees of them."""

    image: Literal["jpeg", "png"]
    jpeg_quality: Annotated[int, Field(ge=50, le=100)]
    round_masks: bool
    chunk_s: Annotated[float, Field(ge=0, le=10)]
    sync_s: Positive


class SimulatorProfile(Section):
    """What differs between simulators."""

    name: str
    host: str
    port: Annotated[int, Field(ge=1, le=65535)]
    dialect: Literal["auto", "maps", "arrays", "cosys"]
    vehicle_name: str
    camera_name: str
    channel_order: Literal["rgb", "bgr"]
    row_order: Literal["top_down", "bottom_up"]
    camera_pose_frame: Literal["body", "world"]
    camera_mount_m: tuple[Number, Number, Number]
    camera_fov_deg: Annotated[float, Field(gt=10, lt=150)]
    metric_depth: bool
    frame_time: Literal["image", "state"]
    continue_blocks: bool
    flyable_m: tuple[Rectangle, ...] = ()
    patrol_waypoints_m: Annotated[tuple[Point2, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _waypoints_are_flyable(self) -> SimulatorProfile:
        for north, east in self.patrol_waypoints_m:
            inside = any(
                south <= north <= top and west <= east <= right
                for south, west, top, right in self.flyable_m
            )
            if self.flyable_m and not inside:
                raise ValueError(f"patrol waypoint ({north}, {east}) lies outside flyable_m")
        return self


class FlightConfig(Section):
    """Everything that a flight depends on, besides the weights."""

    duration_s: Positive
    camera: CameraConfig
    depth: DepthConfig
    rpc: RpcConfig
    perception: PerceptionConfig
    hero: HeroConfig
    detection: DetectionConfig
    measurement: MeasurementConfig
    classification: ClassificationConfig
    association: AssociationConfig
    track: TrackConfig
    mission: MissionConfig
    patrol: PatrolConfig
    search: SearchConfig
    control: ControlConfig
    limits: LimitsConfig
    log: LogConfig
    simulator: SimulatorProfile


def load_config(
    path: Path | None = None,
    overrides: Sequence[str] = (),
    simulator: str | Path | None = None,
) -> FlightConfig:
    """Read the flight configuration, put the simulator's profile in, apply overrides, check it.

    `path` may hold only some keys: the rest comes from `configs/default.yaml`. `simulator` is a
    profile's name in `configs/simulators` or a file; without it the configuration's own `simulator`
    key decides. Raises `ConfigError`, naming file and key.
    """
    changes = {} if path is None else read_yaml(path)
    return make_config(changes, path or DEFAULT_CONFIG, overrides, simulator)


def make_config(
    changes: Mapping[str, Any],
    source: Path | str,
    overrides: Sequence[str] = (),
    simulator: str | Path | None = None,
) -> FlightConfig:
    """The same from `changes` to `configs/default.yaml`, which errors say to come from `source`."""
    data = merged(read_yaml(DEFAULT_CONFIG), renamed(changes))
    profile = simulator or data.get("simulator", "embedded")
    if not isinstance(profile, Mapping):
        data["simulator"] = read_extending(_profile_path(profile))
    for override in overrides:
        _apply_override(data, override)
    return validated(FlightConfig, data, source, overrides)


def validated(
    kind: type[SomeSection],
    data: Mapping[str, Any],
    path: Path | str,
    overrides: Sequence[str] = (),
) -> SomeSection:
    """`data` as a section of that kind; raises `ConfigError`, naming file or override, and key."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_first_problem(error, path, overrides)) from error


def changed(
    config: FlightConfig, path: Path | None = None, overrides: Sequence[str] = ()
) -> FlightConfig:
    """The same but for the keys in the file `path` and the overrides; raises `ConfigError`."""
    data = config.model_dump(mode="json")
    if path is not None:
        update = renamed(read_yaml(path))
        if isinstance(update.get("simulator"), str):
            update["simulator"] = read_extending(_profile_path(update["simulator"]))
        data = merged(data, update)
    for override in overrides:
        _apply_override(data, override)
    return validated(FlightConfig, data, path or DEFAULT_CONFIG, overrides)


def of_older_version(data: Mapping[str, Any]) -> dict[str, Any]:
    """A flight configuration from an old log, as far as today's knows its keys.

    Renamed keys keep their value, keys that there are no more are left out, and new ones have
    today's default.
    """
    return _known(FlightConfig, merged(read_yaml(DEFAULT_CONFIG), renamed(data)))


def _known(kind: type[BaseModel], data: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {name: field.annotation for name, field in kind.model_fields.items() if name in data}
    return {
        name: _known(inner, data[name])
        if isinstance(inner, type) and issubclass(inner, Section)
        else data[name]
        for name, inner in kinds.items()
    }


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file as a mapping; raises `ConfigError` when it is missing or is no mapping."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror or error}; pass a readable YAML file"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        detail = " ".join(str(error).split())
        raise ConfigError(f"{path}: not valid YAML: {detail}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected 'key: value' lines at the top level")
    return data


def read_extending(path: Path) -> dict[str, Any]:
    """A YAML file as `read_yaml`; `extends: NAME` takes all other keys from NAME.yaml beside it."""
    data = read_yaml(path)
    base = data.pop("extends", None)
    return data if base is None else merged(read_yaml(path.with_name(f"{base}.yaml")), data)


def _profile_path(profile: str | Path) -> Path:
    path = Path(profile)
    if path.suffix in {".yaml", ".yml"}:
        return path
    known = sorted(file.stem for file in (CONFIG_DIR / "simulators").glob("*.yaml"))
    if str(profile) not in known:
        raise ConfigError(
            f"simulator profile '{profile}' is unknown; choose from {', '.join(known)}"
        )
    return CONFIG_DIR / "simulators" / f"{profile}.yaml"


def merged(base: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the keys of `update`; sections in both are merged in turn."""
    result = dict(base)
    for key, value in update.items():
        old = result.get(key)
        both = isinstance(value, Mapping) and isinstance(old, Mapping)
        result[key] = merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def _apply_override(data: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise ConfigError(f"--set {override}: write it as section.key=value")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {override}: the value is not valid YAML") from error
    *sections, name = renamed_key(key).split(".")
    node = data
    for section in sections:
        child = node.get(section)
        if not isinstance(child, dict):
            raise ConfigError(f"--set {override}: there is no section '{section}'")
        node = child
    node[name] = value


def _first_problem(error: ValidationError, path: Path | str, overrides: Sequence[str]) -> str:
    """One line for the first problem, where it stands, and how many more there are."""
    problems = error.errors()
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"]) or "configuration"
    source = next(
        (f"--set {o}" for o in overrides if key.startswith(renamed_key(o.partition("=")[0]))), path
    )
    if first["type"] == "extra_forbidden":
        text = "unknown key"
    elif first["type"] == "missing":
        text = "missing"
    else:
        text = f"{first['msg']} (got {first['input']!r:.60})"
    more = f" (and {len(problems) - 1} more problems)" if len(problems) > 1 else ""
    return f"{source}: {key}: {text}{more}"
