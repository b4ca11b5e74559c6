"""Configuration of a training, read from a YAML file in `configs/training`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from followme_uav.config import NonNegative, Positive, Section, Share, read_extending, validated
from followme_uav.errors import ConfigError
from followme_uav.perception.models import ARCHITECTURES

PositiveInt = Annotated[int, Field(ge=1)]


class SamplingConfig(Section):
    """Crops of a batch: size, scale, and the places that they show."""

    crop_px: Annotated[int, Field(ge=16, multiple_of=4)]
    scale_min: Positive
    scale_max: Positive
    source_share: dict[str, NonNegative] = Field(default_factory=dict)
    """Base name of a data folder -> share of the crops; folders not named share the rest."""
    hero: NonNegative
    people: NonNegative
    mistakes: NonNegative
    """Relative share of crops around hard examples; model cards store the key by this name."""
    anywhere: NonNegative
    cut: Share = 0.0
    mined_frames: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _scales_are_a_range(self) -> SamplingConfig:
        if self.scale_min > self.scale_max:
            raise ValueError("scale_min must not be larger than scale_max")
        return self


class AugmentConfig(Section):
    """Random changes of a crop."""

    flip: Share
    brightness: NonNegative
    contrast: Annotated[float, Field(ge=0, lt=1)]
    tint: Annotated[float, Field(ge=0, lt=1)]
    saturation: Annotated[float, Field(ge=0, lt=1)]
    hue_deg: NonNegative
    noise: NonNegative
    coarse: Share = 0.0
    coarse_min: Annotated[float, Field(ge=0.1, le=1)] = 0.5
    blur: Share = 0.0
    blur_px: Positive = 0.8
    recolour: dict[str, Share] = Field(default_factory=dict)
    """Base name of a data folder -> probability; none in the crops of other folders."""
    paste: Share = 0.0
    hide: Share = 0.0
    jpeg: Share = 0.0
    jpeg_quality: Annotated[int, Field(ge=1, le=100)] = 74


class LossConfig(Section):
    """Loss that the training minimises."""

    class_weight: tuple[Positive, Positive, Positive]
    overlap_weight: NonNegative
    overlap_smooth_px: Positive


class TrainingConfig(Section):
    """Configuration of a training; `configs/training/base.yaml` explains each key."""

    architecture: str
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    epochs: PositiveInt
    steps_per_epoch: PositiveInt
    batch_size: PositiveInt
    learning_rate: Positive
    learning_rate_end: NonNegative
    warmup_steps: Annotated[int, Field(ge=0)]
    schedule: Literal["cosine", "constant"]
    average_decay: Annotated[float, Field(ge=0, lt=1)]
    precision: Literal["float32", "bfloat16"] = "float32"
    keep: Literal["best", "last"] = "best"
    sampling: SamplingConfig
    augment: AugmentConfig
    loss: LossConfig

    @property
    def side_px(self) -> int:
        """Side of a whole frame at the network's resolution."""
        return ARCHITECTURES[self.architecture].trained_side_px


def load_training_config(path: Path) -> TrainingConfig:
    """Read and check a training configuration.

    `extends: NAME` takes all other keys from NAME.yaml in the same folder, or else from the user's
    or the shipped `training/NAME.yaml`.

    Raises:
        ConfigError: The file is missing, not YAML, or a key is unknown, missing or out of range.
    """
    return validated(TrainingConfig, read_extending(path, "training"), path)


def check_architecture(config: TrainingConfig, source: str) -> None:
    """Raise `ConfigError`, which names the source, unless it is a known network that fits crops."""
    name, crop_px = config.architecture, config.sampling.crop_px
    if name not in ARCHITECTURES:
        raise ConfigError(
            f"{source}: architecture: unknown network '{name}' (known: {', '.join(ARCHITECTURES)})"
        )
    multiple_px = ARCHITECTURES[name].side_multiple_px
    if crop_px % multiple_px:
        raise ConfigError(
            f"{source}: sampling.crop_px: {name} needs a multiple of {multiple_px} (got {crop_px})"
        )
