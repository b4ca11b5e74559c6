"""The networks are those of the tables, and upsample as the original did."""

import keras
import numpy as np
import pytest

from followme_uav.perception import models


def test_model2_has_the_designs_size_and_layers():
    """Another size would be another network: published weights and figures would not fit."""
    model = models.model2()
    assert model.count_params() == 26_777
    image = np.zeros((1, 160, 160, 3), np.float32)
    shapes = {
        name: tuple(keras.Model(model.input, model.get_layer(name).output)(image).shape)[1:]
        for name in ("encoder1_norm", "encoder2_norm", "middle_norm", "decoder1_norm", "classes")
    }
    assert shapes == {
        "encoder1_norm": (80, 80, 32),
        "encoder2_norm": (40, 40, 64),
        "middle_norm": (40, 40, 128),
        "decoder1_norm": (80, 80, 64),
        "classes": (160, 160, 3),
    }


def test_normalisation_comes_after_the_activation():
    """The other order would compute something else with the same number of parameters."""
    for norm in (x for x in models.model2().layers if x.name.endswith("_norm")):
        before = norm.input._keras_history.operation
        assert before.name.endswith("_conv")
        assert before.activation is keras.activations.relu


@pytest.mark.parametrize("size", [(16, 24), (80, 80), (160, 160)])
def test_any_size_that_halves_twice_comes_back_at_its_size(size):
    """Training works on crops, flights on whole frames."""
    probabilities = np.asarray(models.model2()(np.zeros((1, *size, 3), np.float32)))
    assert probabilities.shape == (1, *size, 3)
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, atol=1e-5)


def test_upsampling_keeps_pixels_and_averages_between_them():
    """A half-pixel shift would move every mask and spoil published weights."""
    x = keras.Input((None, None, 2))
    up = keras.Model(x, models.bilinear_upsample(x, name="up"))
    image = np.random.default_rng(3).normal(size=(1, 3, 4, 2)).astype(np.float32)
    result = np.asarray(up(image))

    padded = np.pad(image, ((0, 0), (0, 1), (0, 1), (0, 0)), mode="edge")
    expected = np.empty((1, 6, 8, 2), np.float32)
    expected[:, ::2, ::2] = image
    expected[:, 1::2, ::2] = (image + padded[:, 1:, :-1]) / 2
    expected[:, ::2, 1::2] = (image + padded[:, :-1, 1:]) / 2
    expected[:, 1::2, 1::2] = (
        image + padded[:, 1:, :-1] + padded[:, :-1, 1:] + padded[:, 1:, 1:]
    ) / 4
    np.testing.assert_allclose(result, expected, atol=1e-6)
