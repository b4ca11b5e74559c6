"""Model card: a JSON file beside the weights with their training and their scores.

It holds no dates and no paths of a machine, so that the same training writes the same file.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from followme_uav.files import write_json
from followme_uav.learn.data.dataset import LabelledFrames
from followme_uav.learn.evaluation.scores import SetScore
from followme_uav.learn.training.config import TrainingConfig
from followme_uav.messages import MaskClass
from followme_uav.perception import weights as weights_file
from followme_uav.perception.models import ARCHITECTURES, CLASSES

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingRecord:
    """Configuration and data of a training."""

    config: TrainingConfig
    config_name: str
    """Base name of the configuration file."""
    frames: Sequence[LabelledFrames]
    """Training frames."""
    validation: Sequence[LabelledFrames]
    """Frames held out."""
    init: Path | None
    """Weights that the training started from."""
    layers_from_init: Sequence[str]
    """Names of the layers that were taken over from `init`."""

    @cached_property
    def earlier_stages(self) -> list[Any]:
        """Stages of the card beside `init`, as it was before this training wrote one."""
        return [] if self.init is None else _stages(path_beside(self.init))


def path_beside(weights: Path) -> Path:
    """Path of the model card that belongs to a weights file."""
    return weights.with_suffix(".json")


def fingerprint(
    config: TrainingConfig,
    frames: Sequence[LabelledFrames],
    init: Path | None,
    validation: Sequence[LabelledFrames] = (),
) -> str:
    """Hash everything that determines a training.

    Keys that were added after the first checkpoints are left out while they have no effect, so
    that earlier checkpoints stay usable.
    """
    without_effect: dict[str, bool | set[str]] = {}
    augment = set() if config.augment.blur else {"blur", "blur_px"}
    augment |= set() if config.augment.coarse else {"coarse", "coarse_min"}
    augment |= set() if config.augment.jpeg else {"jpeg", "jpeg_quality"}
    augment |= {key for key in ("recolour", "paste", "hide") if not getattr(config.augment, key)}
    if augment:
        without_effect["augment"] = augment
    if not config.sampling.cut:
        without_effect["sampling"] = {"cut"}
    for key, default in (("precision", "float32"), ("keep", "best")):
        if getattr(config, key) == default:
            without_effect[key] = True
    parts = [
        config.model_dump_json(exclude=without_effect),
        *(f"{f.name} {f.content_hash}" for f in frames),
        weights_file.sha256(init) if init else "",
        *(f"validation {f.name} {f.content_hash}" for f in validation),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def write(
    weights: Path,
    record: TrainingRecord,
    epoch: int,
    model: keras.Model,
    scores: Sequence[SetScore],
) -> None:
    """Write the model card beside `weights`.

    The card of a training that starts from other weights begins with the stages of their card.

    Args:
        weights: Weights file, complete.
        record: The training.
        epoch: Epoch, from 1, after which the weights were written.
        model: The network with these weights.
        scores: Results on the validation frames.
    """
    config, init = record.config, record.init
    training, validation = record.frames, record.validation
    arguments = [
        f"--config {record.config_name}",
        *(f"--data {source}" for source in sorted({f.source for f in training})),
        *(f"--validation {source}" for source in sorted({f.source for f in validation})),
        *([f"--init {init.name}"] if init else []),
        f"--out {weights.name}",
    ]
    stage = {
        "command": f"followme-uav train {' '.join(arguments)}",
        "initial_weights_sha256": weights_file.sha256(init) if init else None,
        "layers_from_initial_weights": list(record.layers_from_init),
        "data": [_describe(f) for f in training],
        "best_epoch": epoch,
        "config": config.model_dump(mode="json"),
    }
    content: dict[str, Any] = {
        "architecture": config.architecture,
        "parameters": model.count_params(),
        "classes": list(CLASSES),
        "input_size_px": ARCHITECTURES[config.architecture].trained_side_px,
        "weights_sha256": weights_file.sha256(weights),
        "validation_data": [_describe(f) for f in validation],
        "validation_scores": [s.to_dict() for s in scores],
        "stages": [*record.earlier_stages, stage],
    }
    write_json(path_beside(weights), content)


def would_replace_another_file(weights: Path) -> bool:
    """Whether NAME.json beside these weights is something else than a model card."""
    card = path_beside(weights)
    return card.exists() and not _stages(card)


def _stages(card: Path) -> list[Any]:
    """Stages of a model card; none where the file is missing, or something else.

    Beside weights of Keras it may be the network's JSON.
    """
    try:
        content = json.loads(card.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        logger.info("%s: not read as a model card (%s).", card, error)
        return []
    stages = content.get("stages") if isinstance(content, dict) else None
    return stages if isinstance(stages, list) else []


def _describe(frames: LabelledFrames) -> dict[str, Any]:
    hero = (frames.labels == MaskClass.HERO).any(axis=(1, 2))
    return {
        "name": frames.name,
        "frames": len(frames),
        "frames_with_hero": int(hero.sum()),
        "size_px": int(frames.labels.shape[1]),
        "content_sha256": frames.content_hash,
    }
