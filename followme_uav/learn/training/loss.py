"""Loss of a training: weighted cross-entropy plus the hero's missing overlap."""

from __future__ import annotations

from typing import Any

import numpy as np

from followme_uav.learn.training.config import LossConfig
from followme_uav.messages import MaskClass


def loss_of(probabilities: Any, labels: Any, config: LossConfig) -> Any:
    """Weighted cross-entropy plus `overlap_weight` times (1 - soft IoU of the hero).

    The soft IoU of a crop takes probabilities in place of 0/1. It is smoothed: a crop without hero
    and without predicted hero scores 1.

    Args:
        probabilities: (batch, height, width, 3).
        labels: (batch, height, width) class index.
        config: weights of the parts.

    Returns:
        Scalar loss, mean over pixels and crops.
    """
    from keras import ops

    truth = ops.one_hot(ops.cast(labels, "int32"), len(config.class_weight))
    weight = ops.convert_to_tensor(np.array(config.class_weight, np.float32))
    log_p = ops.log(ops.clip(probabilities, 1e-6, 1.0))
    cross_entropy = -ops.mean(ops.sum(truth * log_p * weight, axis=-1))
    p, t = probabilities[..., MaskClass.HERO], truth[..., MaskClass.HERO]
    intersection = ops.sum(p * t, axis=(1, 2))
    union = ops.sum(p + t, axis=(1, 2)) - intersection
    smooth = config.overlap_smooth_px
    missing = 1 - ops.mean((intersection + smooth) / (union + smooth))
    return cross_entropy + config.overlap_weight * missing
