"""What a training is made of, read from a YAML file in `configs/training`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from followme_uav.errors import ConfigError

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SamplingConfig(_Strict):
    """Which parts of which frames make up a batch."""

    crop_px: Annotated[int, Field(ge=16, multiple_of=4)]
    scale_min: Positive
    scale_max: Positive
    source_share: dict[str, NotNegative] = {}
    """Data folder's base name -> share of the crops; folders not named share the rest."""
    hero: NotNegative
    people: NotNegative
    mistakes: NotNegative
    anywhere: NotNegative
    mined_frames: Annotated[int, Field(ge=0)]


class AugmentConfig(_Strict):
    """Random changes of a crop's look."""

    flip: Annotated[float, Field(ge=0, le=1)]
    brightness: NotNegative
    contrast: Annotated[float, Field(ge=0, lt=1)]
    tint: Annotated[float, Field(ge=0, lt=1)]
    saturation: Annotated[float, Field(ge=0, lt=1)]
    hue_deg: NotNegative
    noise: NotNegative


class LossConfig(_Strict):
    """What the training minimises."""

    class_weight: tuple[Positive, Positive, Positive]
    overlap_weight: NotNegative
    overlap_smooth_px: Positive


class TrainingConfig(_Strict):
    """A whole training; each key is explained in the YAML file."""

    architecture: str
    seed: int
    epochs: Count
    steps_per_epoch: Count
    batch_size: Count
    learning_rate: Positive
    learning_rate_end: NotNegative
    warmup_steps: Annotated[int, Field(ge=0)]
    schedule: Literal["cosine"]
    average_decay: Annotated[float, Field(ge=0, lt=1)]
    sampling: SamplingConfig
    augment: AugmentConfig
    loss: LossConfig


def load_training_config(path: Path) -> TrainingConfig:
    """Reads and checks a training configuration.

    Raises:
        ConfigError: The file is missing, not YAML, or a key is unknown, missing or out of range.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); pass --config") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: must be a mapping of keys, see configs/training/model2.yaml")
    try:
        return TrainingConfig.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {key}: {first['msg']}") from error
