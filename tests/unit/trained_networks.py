"""Weights files of networks with varied output, like trained ones, for tests."""

import keras
import numpy as np

from followme_uav.perception import models, weights


def write_varied_weights(architecture, folder):
    """Write random weights; the statistics of normalisations differ from those of a new network."""
    keras.utils.set_random_seed(5)
    model = models.keras_model(architecture)
    rng = np.random.default_rng(5)
    for v in model.variables:
        if v.name in ("gamma", "moving_variance"):
            v.assign(rng.uniform(0.5, 1.5, v.shape))
        elif v.name in ("beta", "moving_mean", "bias"):
            v.assign(rng.uniform(-0.3, 0.3, v.shape))
        elif v.path == "classes/kernel":
            v.assign(4 * v.numpy())  # confident probabilities
    path = folder / f"{architecture}.h5"
    weights.save_weights(model, path)
    return path


def noise(count, height, width):
    return np.random.default_rng(1).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def street(count, height, width):
    """Smooth shades with hard edges: more like a photograph than noise is."""
    rng = np.random.default_rng(2)
    v, u = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    images = np.empty((count, height, width, 3))
    for image in images:
        image[:] = rng.uniform(40, 200, 3) + 60 * np.stack([u, v, u * v], -1)
        for _ in range(12):
            top, left = rng.integers(0, height), rng.integers(0, width)
            box = np.s_[top : top + rng.integers(4, 60), left : left + rng.integers(4, 40)]
            image[box] = rng.uniform(0, 255, 3)
    return images.clip(0, 255).astype(np.uint8)
