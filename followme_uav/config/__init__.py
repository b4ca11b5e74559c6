"""Typed configuration: YAML files plus `--set section.key=value` overrides.

The numbers that tune behaviour are in `configs/default.yaml` with unit and effect; those that
follow from others have a formula in `derived.py`; every number that depends on the simulator is in
`configs/simulators/NAME.yaml`. Together they are a `FlightConfig`, which is also written into each
flight log. An unknown key or a value that is not allowed is a `ConfigError` that names file and
key.
"""

from followme_uav.config.checking import Allowed, NotBlank, validated
from followme_uav.config.derived import FORMULAS, Formula, absent
from followme_uav.config.description import descriptions
from followme_uav.config.loading import (
    CONFIG_DIR,
    DEFAULT_CONFIG,
    MergedConfig,
    changed,
    load_config,
    load_merged_config,
    make_config,
    of_older_version,
)
from followme_uav.config.origins import BUILT_IN, Origin, Origins, keys_of
from followme_uav.config.schema import (
    AssociationConfig,
    CameraConfig,
    ClassificationConfig,
    ControlConfig,
    DepthConfig,
    DetectionConfig,
    FlightConfig,
    FlyablePolygon,
    GroundGrid,
    HeroConfig,
    LimitsConfig,
    LogConfig,
    MeasurementConfig,
    MissionConfig,
    NonNegative,
    Number,
    PatrolConfig,
    PerceptionConfig,
    PidGains,
    Point2,
    Positive,
    Rectangle,
    RpcConfig,
    RuntimeName,
    SearchConfig,
    Section,
    Share,
    SimulatorProfile,
    TrackConfig,
)
from followme_uav.config.yaml_files import merged, read_extending, read_yaml

__all__ = [
    "BUILT_IN",
    "CONFIG_DIR",
    "DEFAULT_CONFIG",
    "FORMULAS",
    "Allowed",
    "AssociationConfig",
    "CameraConfig",
    "ClassificationConfig",
    "ControlConfig",
    "DepthConfig",
    "DetectionConfig",
    "FlightConfig",
    "FlyablePolygon",
    "Formula",
    "GroundGrid",
    "HeroConfig",
    "LimitsConfig",
    "LogConfig",
    "MeasurementConfig",
    "MergedConfig",
    "MissionConfig",
    "NonNegative",
    "NotBlank",
    "Number",
    "Origin",
    "Origins",
    "PatrolConfig",
    "PerceptionConfig",
    "PidGains",
    "Point2",
    "Positive",
    "Rectangle",
    "RpcConfig",
    "RuntimeName",
    "SearchConfig",
    "Section",
    "Share",
    "SimulatorProfile",
    "TrackConfig",
    "absent",
    "changed",
    "descriptions",
    "keys_of",
    "load_config",
    "load_merged_config",
    "make_config",
    "merged",
    "of_older_version",
    "read_extending",
    "read_yaml",
    "validated",
]
