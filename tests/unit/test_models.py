"""The networks have the layers of their tables, and upsample as in TensorFlow 1."""

import keras
import numpy as np
import pytest

from followme_uav.perception import models

# Rows of the report's tables 2 to 4, and of Model 4 for a frame of 256 px: layer, side of its
# output in pixels, depth.
TABLES = {
    "model1": [
        ("encoder1", 80, 32),
        ("encoder2", 40, 64),
        ("encoder3", 20, 128),
        ("middle", 20, 128),
        ("decoder1", 40, 64),
        ("decoder2", 80, 32),
        ("decoder3", 160, 3),
    ],
    "model2": [
        ("encoder1", 80, 32),
        ("encoder2", 40, 64),
        ("middle", 40, 128),
        ("decoder1", 80, 64),
        ("decoder2", 160, 32),
    ],
    "model3": [
        ("encoder1", 80, 32),
        ("encoder2", 40, 64),
        ("middle", 40, 64),
        ("decoder1", 80, 64),
        ("decoder2", 160, 32),
    ],
    "model4": [
        ("encoder1", 128, 32),
        ("encoder2", 64, 48),
        ("encoder2b", 64, 48),
        ("encoder3", 32, 64),
        ("encoder3b", 32, 64),
        ("encoder3c", 32, 64),
        ("encoder4", 16, 96),
        ("encoder4b", 16, 96),
        ("encoder4c", 16, 96),
        ("decoder1", 32, 64),
        ("decoder2", 64, 32),
        ("decoder3", 128, 16),
    ],
}
SKIPS = {
    "model1": {"decoder1": "encoder2_norm", "decoder2": "encoder1_norm", "decoder3": "image"},
    "model2": {"decoder1": "encoder1_norm", "decoder2": "image"},
    "model3": {"decoder1": "encoder1_norm", "decoder2": "image"},
    "model4": {"decoder1": "encoder3c", "decoder2": "encoder2b", "decoder3": "encoder1"},
}
PARAMETERS = {"model1": 48_250, "model2": 26_777, "model3": 50_457, "model4": 500_963}

every_network = pytest.mark.parametrize("name", models.ARCHITECTURES)


@every_network
def test_network_has_the_layers_of_its_table(name):
    """Published weights and figures fit this network only."""
    model = models.keras_model(name)
    assert model.name == name
    assert model.count_params() == PARAMETERS[name]
    norms = [layer.name for layer in model.layers if layer.name.endswith("_norm")]
    assert norms == [f"{row}_norm" for row, _, _ in TABLES[name]]
    outputs = [model.get_layer(norm).output for norm in norms]
    side_px = models.ARCHITECTURES[name].trained_side_px
    features = keras.Model(model.input, outputs)(np.zeros((1, side_px, side_px, 3), np.float32))
    assert [tuple(x.shape) for x in features] == [
        (1, side_px, side_px, depth) for _, side_px, depth in TABLES[name]
    ]


@every_network
def test_skip_connections_are_those_of_the_table(name):
    """A decoder with a wrong skip connection may still have an output of the right shape."""
    model = models.keras_model(name)
    skips = {
        layer.name.removesuffix("_concat"): layer.input[1]._keras_history.operation.name
        for layer in model.layers
        if layer.name.endswith("_concat")
    }
    assert skips == SKIPS[name]


@pytest.mark.parametrize("name", ["model1", "model2", "model3"])
def test_normalisation_comes_after_the_activation_in_the_networks_of_the_report(name):
    """The other order computes another function with the same number of parameters."""
    for norm in (x for x in models.keras_model(name).layers if x.name.endswith("_norm")):
        before = norm.input._keras_history.operation
        assert before.name.endswith("_conv")
        assert before.activation is keras.activations.relu


@every_network
@pytest.mark.parametrize("multiples", [(2, 3), (16, 16)])
def test_output_has_the_size_of_the_image(name, multiples):
    """Training uses crops, a flight whole frames."""
    size = [times * models.ARCHITECTURES[name].side_multiple_px for times in multiples]
    network = models.keras_model(name)
    probabilities = np.asarray(network(np.zeros((1, *size, 3), np.float32)))
    assert probabilities.shape == (1, *size, 3)
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, atol=1e-5)


def test_upsampling_keeps_pixels_and_averages_between_them():
    """A half-pixel shift would move every mask of published weights."""
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
