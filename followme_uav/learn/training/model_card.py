"""The model card: a JSON file beside the weights, how they came about and how good they are.

It holds no dates and no machine paths, so that the same training writes the same card.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from followme_uav.files import write_json
from followme_uav.learn.data.dataset import LabelledFrames
from followme_uav.learn.evaluation.scores import SetScore
from followme_uav.learn.training.config import TrainingConfig
from followme_uav.messages import MaskClass
from followme_uav.perception import weights as weights_file
from followme_uav.perception.models import CLASSES, INPUT_SIZE_PX

if TYPE_CHECKING:
    import keras


def path_beside(weights: Path) -> Path:
    """Where the card of a weights file lies."""
    return weights.with_suffix(".json")


def fingerprint(config: TrainingConfig, frames: Sequence[LabelledFrames], init: Path | None) -> str:
    """Hash of all that determines a training.

    Keys that came after the first checkpoints don't count while they are without effect.
    """
    without_effect = {"augment": {"blur", "blur_px"}} if not config.augment.blur else None
    parts = [
        config.model_dump_json(exclude=without_effect),
        *(f"{f.name} {f.content_hash}" for f in frames),
        weights_file.sha256(init) if init else "",
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def write(
    weights: Path,
    config: TrainingConfig,
    config_name: str,
    epoch: int,
    model: keras.Model,
    training: Sequence[LabelledFrames],
    validation: Sequence[LabelledFrames],
    scores: Sequence[SetScore],
    init: Path | None,
    layers_from_init: Sequence[str],
) -> None:
    """Writes the card beside `weights`.

    A training that started from other weights (`init`) lists the stages of their card first.

    Args:
        weights: Weights file, complete.
        config: Of this training.
        config_name: Base name of its file.
        epoch: Epoch of this training, from 1, that the weights come from.
        model: The network with these weights.
        training: Frames trained on.
        validation: Frames held out.
        scores: Results on `validation`.
        init: Weights this training started from.
        layers_from_init: Names of the layers that were taken over from there.
    """
    arguments = [
        f"--config {config_name}",
        *(f"--data {source}" for source in sorted({f.source for f in training})),
        *(f"--validation {source}" for source in sorted({f.source for f in validation})),
        *([f"--init {init.name}"] if init else []),
        f"--out {weights.name}",
    ]
    stage = {
        "command": f"followme-uav train {' '.join(arguments)}",
        "initial_weights_sha256": weights_file.sha256(init) if init else None,
        "layers_from_initial_weights": list(layers_from_init),
        "data": [_describe(f) for f in training],
        "best_epoch": epoch,
        "config": config.model_dump(mode="json"),
    }
    content: dict[str, Any] = {
        "architecture": config.architecture,
        "parameters": model.count_params(),
        "classes": list(CLASSES),
        "input_size_px": INPUT_SIZE_PX,
        "weights_sha256": weights_file.sha256(weights),
        "validation_data": [_describe(f) for f in validation],
        "validation_scores": [s.to_dict() for s in scores],
        "stages": [*_earlier_stages(init), stage],
    }
    write_json(path_beside(weights), content)


def _earlier_stages(init: Path | None) -> list[Any]:
    if init is None or not path_beside(init).is_file():
        return []
    stages = json.loads(path_beside(init).read_text(encoding="utf-8")).get("stages", [])
    return list(stages)


def _describe(frames: LabelledFrames) -> dict[str, Any]:
    hero = (frames.labels == MaskClass.HERO).any(axis=(1, 2))
    return {
        "name": frames.name,
        "frames": len(frames),
        "frames_with_hero": int(hero.sum()),
        "size_px": int(frames.labels.shape[1]),
        "content_sha256": frames.content_hash,
    }
