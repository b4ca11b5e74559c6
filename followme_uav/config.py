"""Typed configuration: YAML files plus `--set section.key=value` overrides.

Every number that tunes behaviour is in `configs/default.yaml` with its unit and effect; every
number that depends on the simulator is in `configs/simulators/NAME.yaml`. The two together are a
`FlightConfig`, which is also written into each flight log. An unknown key or a value out of range
is a `ConfigError` that names file and key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args, get_origin

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from followme_uav.config_aliases import renamed, renamed_key
from followme_uav.errors import ConfigError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

CONFIG_DIR = Path(__file__).resolve().parent.parent / "configs"
DEFAULT_CONFIG = CONFIG_DIR / "default.yaml"


@dataclass(frozen=True)
class Allowed:
    """The values with which a key makes sense: from `low` to `high`.

    What somebody writes into a configuration is held to it. What stands in an old log is not, so
    that logs go on loading when this is changed.
    """

    low: float
    high: float

    def complaint(self, value: Any) -> str | None:
        """What is wrong with a value, if anything."""
        if self.low <= value <= self.high:
            return None
        return f"must be {self} (got {value!r:.60})"

    def __str__(self) -> str:
        return f"from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class NotBlank:
    """A text that must not be left empty; as `Allowed`."""

    example: str

    def complaint(self, value: Any) -> str | None:
        """What is wrong with a value, if anything."""
        return None if value.strip() else f"must not be empty; write something like {self.example}"

    def __str__(self) -> str:
        return f"like {self.example}"


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), Allowed(0, 1)]
Metres = Annotated[Number, Allowed(-100_000, 100_000)]
Mount = Annotated[Number, Allowed(-100, 100)]
Point2 = tuple[Metres, Metres]
Rectangle = tuple[Metres, Metres, Metres, Metres]
"""(north_min, east_min, north_max, east_max) in metres."""


class Section(BaseModel):
    """A part of the configuration: immutable, and strict about its keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


SomeSection = TypeVar("SomeSection", bound=Section)


class CameraConfig(Section):
    """The images that the pilot asks for."""

    width_px: Annotated[int, Field(ge=32, le=640, multiple_of=8), Allowed(32, 640)]
    height_px: Annotated[int, Field(ge=32, le=480, multiple_of=8), Allowed(32, 480)]
    rate_hz: Annotated[Positive, Field(le=50), Allowed(2, 50)]


class DepthConfig(Section):
    """What is kept of the depth image, where the simulator has one."""

    strips: Annotated[int, Field(ge=1, le=64), Allowed(1, 64)]
    range_m: Annotated[Positive, Allowed(0.5, 500)]
    band_m: Annotated[Positive, Allowed(0.01, 100)]
    own_radius_m: Annotated[NonNegative, Allowed(0, 50)]


class RpcConfig(Section):
    """Connection to the simulator."""

    backend: Literal["builtin", "msgpack-rpc-python"]
    deadline_s: Annotated[Positive, Allowed(0.05, 600)]
    connect_deadline_s: Annotated[Positive, Allowed(0.05, 600)]
    command_duration_s: Annotated[Number, Field(ge=0.3, le=0.5), Allowed(0.3, 0.5)]
    max_message_bytes: Annotated[int, Field(ge=1024), Allowed(1024, 2**30)]


RuntimeName = Literal["auto", "openvino", "tensorflow"]


class PerceptionConfig(Section):
    """What computes the network."""

    runtime: RuntimeName
    threads: Annotated[int, Field(ge=0), Allowed(0, 1024)]


class HeroConfig(Section):
    """Dimensions of the hero."""

    height_m: Annotated[Positive, Allowed(0.2, 10)]
    centroid_height_m: Annotated[Positive, Allowed(0.1, 10)]
    area_m2: Annotated[Positive, Allowed(0.01, 10)]


class DetectionConfig(Section):
    """From mask to detections."""

    hero_threshold: Share
    min_area_px: Annotated[int, Field(ge=1), Allowed(1, 100_000)]
    min_confidence: Share
    join_px: Annotated[int, Field(ge=0, le=10), Allowed(0, 10)]
    purity_width: Share
    purity_reach: Share


class MeasurementConfig(Section):
    """Errors of a detection's position on the ground."""

    direction_sigma_rad: Annotated[Positive, Allowed(1e-5, 1)]
    position_sigma_m: Annotated[Positive, Allowed(0.001, 100)]
    hidden_sigma_m: Annotated[NonNegative, Allowed(0, 100)]
    merged_area_min: Annotated[Positive, Allowed(0.1, 100)]
    merged_sigma_m: Annotated[NonNegative, Allowed(0, 100)]


class ClassificationConfig(Section):
    """When a detection is the hero."""

    distance_m: Annotated[Positive, Allowed(1, 1000)]
    confirm_distance_m: Annotated[Positive, Allowed(1, 1000)]
    expected_distance_m: Annotated[Positive, Allowed(1, 1000)]
    confidence_min: Share
    expected_confidence_min: Share
    purity_min: Share
    height_min: Annotated[Positive, Allowed(0.01, 10)]
    height_max: Annotated[Positive, Allowed(0.1, 100)]
    area_min: Annotated[Positive, Allowed(0.01, 10)]
    area_max: Annotated[Positive, Allowed(0.1, 100)]


class AssociationConfig(Section):
    """Which detection continues the track, and which is worth an approach."""

    height_min: Annotated[Positive, Allowed(0.01, 10)]
    height_max: Annotated[Positive, Allowed(0.1, 100)]
    gate: Annotated[Positive, Allowed(0.1, 1000)]
    fallback_gate: Annotated[Positive, Allowed(0.1, 10_000)]
    follow_area_min: Annotated[NonNegative, Allowed(0, 10)]
    follow_area_max: Annotated[Positive, Allowed(0.1, 100)]
    follow_confidence_min: Share
    area_log_sigma: Annotated[Positive, Allowed(0.01, 10)]
    purity_sigma: Annotated[Positive, Allowed(0.01, 10)]
    approach_distance_m: Annotated[Positive, Allowed(1, 1000)]
    approach_area_min: Annotated[Positive, Allowed(0.001, 10)]
    approach_confidence_min: Share
    reject_radius_m: Annotated[Positive, Allowed(0.1, 100)]
    reject_share: Share


class TrackConfig(Section):
    """Filter of the hero's position and velocity on the ground."""

    speed_sigma_mps: Annotated[Positive, Allowed(0.01, 100)]
    velocity_memory_s: Annotated[Positive, Allowed(0.05, 3600)]
    turn_share: Annotated[NonNegative, Allowed(0, 10)]
    turn_extra_mps: Annotated[NonNegative, Allowed(0, 30)]
    turn_gate: Annotated[Positive, Allowed(0.1, 1000)]
    max_speed_mps: Annotated[Positive, Allowed(0.5, 100)]


class MissionConfig(Section):
    """When the mission changes its state."""

    altitude_m: Annotated[Positive, Allowed(0.5, 120)]
    takeoff_done_altitude_m: Annotated[Positive, Allowed(0.1, 120)]
    takeoff_timeout_s: Annotated[Positive, Allowed(1, 600)]
    acquire_frames: Annotated[int, Field(ge=1), Allowed(1, 1000)]
    probable_weight: Share
    rejected_weight: Annotated[int, Field(ge=1), Allowed(1, 1000)]
    reject_frames: Annotated[int, Field(ge=1), Allowed(1, 1000)]
    acquire_timeout_s: Annotated[Positive, Allowed(0.5, 3600)]
    acquire_stuck_s: Annotated[Positive, Allowed(0.1, 3600)]
    acquire_misses: Annotated[Positive, Allowed(0.5, 1000)]
    first_misses: Annotated[Positive, Allowed(0.5, 1000)]
    reacquire_frames: Annotated[int, Field(ge=1), Allowed(1, 1000)]
    reject_s: Annotated[NonNegative, Allowed(0, 3600)]
    vanished_s: Annotated[NonNegative, Allowed(0, 3600)]
    follow_lost_s: Annotated[Positive, Allowed(0.05, 600)]
    doubt_share: Annotated[Number, Field(gt=0.0, lt=1.0), Allowed(0.01, 0.99)]
    doubt_time_s: Annotated[Positive, Allowed(0.1, 3600)]
    search_timeout_s: Annotated[Positive, Allowed(0.5, 3600)]
    frame_gap_s: Annotated[Positive, Allowed(0.05, 60)]
    image_gap_s: Annotated[NonNegative, Allowed(0, 60)]
    failsafe_hover_s: Annotated[Positive, Allowed(0.05, 600)]
    failsafe_land_s: Annotated[Positive, Allowed(0.5, 3600)]
    hard_touch_mps: Annotated[Positive, Allowed(0.1, 20)]
    control_take_backs: Annotated[int, Field(ge=0), Allowed(0, 1000)]
    release_control: bool
    fall_mps: Annotated[Positive, Allowed(0.5, 50)]
    jump_m: Annotated[Positive, Allowed(0.1, 1000)]
    disobeyed_s: Annotated[Positive, Allowed(0.1, 600)]
    landing_off_waypoint_m: Annotated[NonNegative, Allowed(0, 1000)]
    descent_mps: Annotated[Positive, Allowed(0.1, 10)]
    touchdown_altitude_m: Annotated[Positive, Allowed(0.1, 50)]
    landed_altitude_m: Annotated[Positive, Allowed(0.01, 10)]
    land_timeout_s: Annotated[Positive, Allowed(1, 3600)]


class PatrolConfig(Section):
    """How streets are searched."""

    speed_mps: Annotated[Positive, Allowed(0.1, 30)]
    waypoint_radius_m: Annotated[Positive, Allowed(0.1, 100)]
    sweep_pan_deg: Annotated[NonNegative, Allowed(0, 180)]
    sweep_period_s: Annotated[Positive, Allowed(0.1, 600)]
    tilt_deg: Annotated[Number, Allowed(-90, 90)]


class SearchConfig(Section):
    """How a lost hero is searched for."""

    speed_mps: Annotated[Positive, Allowed(0.1, 30)]
    dwell_s: Annotated[Positive, Allowed(0.05, 600)]
    scan_deg: Annotated[NonNegative, Allowed(0, 180)]
    scan_period_s: Annotated[Positive, Allowed(0.1, 600)]
    view_s: Annotated[Positive, Allowed(0.1, 600)]
    predicted_s: Annotated[Positive, Allowed(0.1, 600)]
    rise_m: Annotated[NonNegative, Allowed(0, 100)]
    place_radius_m: Annotated[Positive, Allowed(0.1, 1000)]
    track_distance_weight: Annotated[NonNegative, Allowed(0, 1000)]


class PidGains(Section):
    """One PID loop; `limit` bounds the size of its output."""

    kp: Annotated[Number, Allowed(-1000, 1000)]
    ki: Annotated[Number, Allowed(-1000, 1000)] = 0.0
    kd: Annotated[Number, Allowed(-1000, 1000)] = 0.0
    limit: Annotated[Positive, Allowed(0.001, 1000)]


class ControlConfig(Section):
    """The loops that steer vehicle and camera."""

    pan: PidGains
    tilt: PidGains
    yaw: PidGains
    forward: PidGains
    altitude: PidGains
    wanted_distance_m: Annotated[Positive, Allowed(1, 200)]
    min_distance_m: Annotated[NonNegative, Allowed(0, 200)]
    feed_forward: Share
    closer_s: Annotated[Number, Field(ge=0, le=0.5), Allowed(0, 0.5)]


class LimitsConfig(Section):
    """Bounds that hold in every state."""

    speed_mps: Annotated[Positive, Allowed(0.1, 50)]
    acceleration_mps2: Annotated[Positive, Allowed(0.1, 100)]
    corner_speed_mps: Annotated[Positive, Allowed(0.1, 50)]
    min_altitude_m: Annotated[NonNegative, Allowed(0, 120)]
    sink_m: Annotated[NonNegative, Allowed(0, 100)]
    max_altitude_m: Annotated[Positive, Allowed(0.5, 1000)]
    geofence_m: Annotated[Positive, Allowed(1, 100_000)]
    boundary_margin_m: Annotated[NonNegative, Allowed(0, 100)]
    boundary_time_s: Annotated[Positive, Allowed(0.05, 60)]
    clearance_m: Annotated[Positive, Allowed(0.1, 100)]
    obstacle_memory_s: Annotated[NonNegative, Allowed(0, 3600)]


class LogConfig(Section):
    """What the flight log keeps of images, and so what the flight sees of them."""

    image: Literal["jpeg", "png"]
    jpeg_quality: Annotated[int, Field(ge=50, le=100), Allowed(50, 100)]
    round_masks: bool
    chunk_s: Annotated[Number, Field(ge=0, le=10), Allowed(0, 10)]
    sync_s: Annotated[Positive, Allowed(0.001, 3600)]


class SimulatorProfile(Section):
    """What differs between simulators."""

    name: str
    host: Annotated[str, NotBlank("127.0.0.1")]
    port: Annotated[int, Field(ge=1, le=65535), Allowed(1, 65_535)]
    dialect: Literal["auto", "maps", "arrays", "cosys"]
    vehicle_name: str
    camera_name: str
    channel_order: Literal["rgb", "bgr"]
    row_order: Literal["top_down", "bottom_up"]
    camera_pose_frame: Literal["body", "world"]
    camera_mount_m: tuple[Mount, Mount, Mount]
    camera_fov_deg: Annotated[Number, Field(gt=10, lt=150), Allowed(10, 150)]
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

    duration_s: Annotated[Positive, Allowed(0.1, 86_400)]
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
    """The same from `changes` to `configs/default.yaml`, which errors say to come from `source`.

    Each value is checked, also one that a later override replaces.
    """
    data = merged(read_yaml(DEFAULT_CONFIG), renamed(changes))
    own = data.get("simulator", "embedded")
    if isinstance(own, Mapping):
        if simulator is not None:
            validated(SimulatorProfile, own, f"{source}: simulator")
    else:
        own = read_extending(_profile_path(own))
    data["simulator"] = own if simulator is None else read_extending(_profile_path(simulator))
    _check(data, source, [()], overrides)
    _override(data, overrides)
    return validated(FlightConfig, data, source, overrides)


def validated(
    kind: type[SomeSection],
    data: Mapping[str, Any],
    path: Path | str,
    overrides: Sequence[str] = (),
) -> SomeSection:
    """`data` as a section of that kind; raises `ConfigError`, naming file or override, and key."""
    section, problems = _read_section(kind, data)
    if section is None or problems:
        raise ConfigError(_one_line(problems, path, overrides))
    return section


def changed(
    config: FlightConfig, path: Path | None = None, overrides: Sequence[str] = ()
) -> FlightConfig:
    """The same but for the keys in the file `path` and the overrides; raises `ConfigError`."""
    data = config.model_dump(mode="json")
    source = path or DEFAULT_CONFIG
    if path is not None:
        update = renamed(read_yaml(path))
        if isinstance(update.get("simulator"), str):
            update["simulator"] = read_extending(_profile_path(update["simulator"]))
        data = merged(data, update)
        _check(data, source, list(_keys(update)), overrides)
    _override(data, overrides)
    section, problems = _read_section(FlightConfig, data)
    if section is None:
        raise ConfigError(_one_line(problems, source, overrides))
    return section  # what it was before need not be allowed today


Key = tuple[str | int, ...]
"""Where a value stands, from the outermost section inwards."""


@dataclass(frozen=True)
class _Problem:
    key: Key
    text: str
    may_be_mended: bool = False
    """By a value that is still to come: keys do not go together, or one is missing."""

    def is_within(self, key: Key) -> bool:
        return self.key[: len(key)] == key


def _check(
    data: Mapping[str, Any], source: Path | str, keys: Sequence[Key], overrides: Sequence[str]
) -> None:
    """Raise `ConfigError` for what is wrong at `keys`, whether or not an override replaces it."""
    coming = [_key_of(override) for override in overrides]

    def is_mended(problem: _Problem) -> bool:
        size = len(problem.key)
        return problem.may_be_mended and any(key[:size] == problem.key for key in coming)

    problems = [
        problem
        for problem in _read_section(FlightConfig, data)[1]
        if any(problem.is_within(key) for key in keys) and not is_mended(problem)
    ]
    if problems:
        raise ConfigError(_one_line(problems, source))


def _override(data: dict[str, Any], overrides: Sequence[str]) -> None:
    """Put overrides in, one after the other, each checked by itself."""
    for override in overrides:
        _apply_override(data, override)
        key = _key_of(override)
        problems = [p for p in _read_section(FlightConfig, data)[1] if p.is_within(key)]
        if problems:
            raise ConfigError(_one_line(problems, f"--set {override}"))


def _keys(data: Mapping[str, Any], start: Key = ()) -> Iterator[Key]:
    """Of all values, in sections and sections of these."""
    for name, value in data.items():
        if isinstance(value, Mapping):
            yield from _keys(value, (*start, name))
        else:
            yield (*start, name)


def _read_section(
    kind: type[SomeSection], data: Mapping[str, Any]
) -> tuple[SomeSection | None, list[_Problem]]:
    """The section, as far as it can be read, and what is wrong with it."""
    try:
        section = kind.model_validate(data)
    except ValidationError as error:
        return None, [_problem(kind, details) for details in error.errors()]
    return section, list(_not_allowed(section, kind, (), ()))


def _not_allowed(value: Any, kind: Any, rules: Iterable[Any], key: Key) -> Iterator[_Problem]:
    """Values of a section that are not what its keys allow."""
    for rule in rules:
        complaint = rule.complaint(value) if isinstance(rule, (Allowed, NotBlank)) else None
        if complaint is not None:
            yield _Problem(key, complaint)
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            inner = getattr(value, name)
            yield from _not_allowed(inner, field.annotation, field.metadata, (*key, name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            inner_kind, inner_rules = _item_kind(kind, index)
            yield from _not_allowed(item, inner_kind, inner_rules, (*key, index))


def _item_kind(kind: Any, index: int) -> tuple[Any, tuple[Any, ...]]:
    """Type and rules of an item of a tuple type."""
    items = get_args(kind)
    item: Any = None
    if items[-1:] == (Ellipsis,):
        item = items[0]
    elif index < len(items):
        item = items[index]
    if get_origin(item) is Annotated:
        return item.__origin__, item.__metadata__
    return item, ()


def _rule(kind: Any, key: Key) -> Allowed | NotBlank | None:
    """What the key of a section allows."""
    rules: Iterable[Any] = ()
    for part in key:
        if isinstance(part, int):
            kind, rules = _item_kind(kind, part)
        else:
            field = getattr(kind, "model_fields", {}).get(part)
            if field is None:
                return None
            kind, rules = field.annotation, field.metadata
    return next((rule for rule in rules if isinstance(rule, (Allowed, NotBlank))), None)


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


def _key_of(override: str) -> Key:
    return tuple(renamed_key(override.partition("=")[0]).split("."))


def _is_about(override: str, key: Key) -> bool:
    own = _key_of(override)
    return own[: len(key)] == key or key[: len(own)] == own


def _problem(kind: type[BaseModel], details: ErrorDetails) -> _Problem:
    key = details["loc"]
    if details["type"] == "extra_forbidden":
        return _Problem(key, "unknown key")
    if details["type"] == "missing":
        return _Problem(key, "missing", may_be_mended=True)
    text = f"{details['msg'].removeprefix('Value error, ')} (got {details['input']!r:.60})"
    rule = _rule(kind, key)
    if rule is not None:
        text += f"; write a value {rule}"
    return _Problem(key, text, may_be_mended=details["type"] == "value_error" and rule is None)


def _one_line(problems: Sequence[_Problem], path: Path | str, overrides: Sequence[str] = ()) -> str:
    """One line for the first problem, where it stands, and how many more there are."""
    first = problems[0]
    key = ".".join(str(part) for part in first.key) or "configuration"
    # The last one that has to do with it: an earlier one was checked when it came.
    source = next((f"--set {o}" for o in reversed(overrides) if _is_about(o, first.key)), path)
    more = f" (and {len(problems) - 1} more problems)" if len(problems) > 1 else ""
    return f"{source}: {key}: {first.text}{more}"
