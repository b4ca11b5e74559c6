"""The `models` command: figures agree with counts by hand and with measurements."""

import json
import math

import keras
import numpy as np
import pytest

from followme_uav.perception import models, summary
from followme_uav.perception.architecture import (
    IMAGE,
    Architecture,
    Interpolation,
    Kind,
    Layer,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def networks():
    return {
        name: summary.summarise(
            models.keras_model(name), network.trained_size_px, network.side_multiple_px
        )
        for name, network in models.ARCHITECTURES.items()
    }


def row(network, name):
    return next(layer for layer in network.layers if layer.name == name)


def test_separable_row_agrees_with_a_count_by_hand(networks):
    """Users check the table by hand."""
    encoder2 = row(networks["model2"], "encoder2")
    assert (encoder2.width_px, encoder2.height_px, encoder2.depth) == (40, 40, 64)
    assert (encoder2.kernel, encoder2.stride) == ("3x3 separable", 2)
    assert encoder2.inputs == ("encoder1",)
    assert encoder2.parameters == (3 * 3 * 32 + 32 * 64 + 64) + 4 * 64
    assert encoder2.multiply_adds.multiplications == 40 * 40 * (3 * 3 * 32 + 32 * 64)


def test_pointwise_row_agrees_with_a_count_by_hand(networks):
    middle = row(networks["model1"], "middle")
    assert (middle.width_px, middle.height_px, middle.depth) == (20, 20, 128)
    assert (middle.kernel, middle.stride) == ("1x1", 1)
    assert middle.parameters == (128 * 128 + 128) + 4 * 128
    assert middle.multiply_adds.multiplications == 20 * 20 * 128 * 128


def test_decoder_row_agrees_with_a_count_by_hand(networks):
    """The convolution of a decoder has the channels of both inputs."""
    decoder = row(networks["model1"], "decoder3")
    assert decoder.inputs == ("decoder2", "image")
    assert decoder.multiply_adds.multiplications == 160 * 160 * (3 * 3 * 35 + 35 * 3)


@pytest.mark.parametrize(
    ("name", "parameters", "multiply_adds"),
    [
        ("model1", 48_250, 73_184_000),
        ("model2", 26_777, 165_164_800),
        ("model3", 50_457, 181_139_200),
        ("model4", 500_963, 634_912_768),
    ],
)
def test_totals_agree_with_the_known_numbers(networks, name, parameters, multiply_adds):
    """Nothing is counted twice or left out."""
    network = networks[name]
    assert network.parameters == parameters == sum(x.parameters for x in network.layers)
    assert network.multiply_adds == multiply_adds


def test_formulas_give_their_numbers(networks):
    """A wrong formula would mislead the reader."""
    counts = [x.multiply_adds for network in networks.values() for x in network.layers]
    counts += [c for e in summary.worked_examples() for c in (e.direct, e.cheaper)]
    for count in counts:
        products = [[int(n) for n in p.split("*")] for p in count.formula.split(" + ")]
        assert sum(math.prod(factors) for factors in products) == count.multiplications


def test_worked_examples_agree_with_counts_by_hand(networks):
    """The report leaves these numbers open."""
    reduction, separable = summary.worked_examples()
    assert reduction.direct.multiplications == 120_422_400
    assert reduction.direct.formula == "28*28*5*5*192*32"
    assert reduction.cheaper.multiplications == 2_408_448 + 10_035_200
    assert reduction.cheaper.formula == "28*28*192*16 + 28*28*5*5*16*32"
    assert reduction.times_cheaper == 9.68
    assert separable.direct.multiplications == 29_491_200
    assert separable.cheaper.multiplications == 460_800 + 3_276_800
    assert separable.times_cheaper == 7.89
    assert separable.cheaper == row(networks["model2"], "encoder2").multiply_adds


def measured_receptive_field_px(
    network, multiple=models.SIDE_MULTIPLE_PX, width_px=96, height_px=96
):
    """Count the columns of the image that change one output pixel, by changing each in turn."""
    # A pixel at the rim changes a deep network's output by less than single precision resolves.
    scores = keras.models.clone_model(
        network,
        clone_function=lambda x: type(x).from_config({**x.get_config(), "dtype": "float64"}),
    )
    scores.get_layer("classes").activation = keras.activations.linear
    for variable in scores.variables:  # no negative values, so that no change is lost in a ReLU
        variable.assign(np.full(variable.shape, 0.05 if "kernel" in variable.path else 1.0))
    middle = width_px // 2
    images = np.zeros((width_px + 1, height_px, width_px, 3))
    for column in range(width_px):
        images[column, :, column] = 1.0
    results = np.concatenate(
        [
            np.asarray(scores(images[i : i + 16])).sum(axis=-1)[:, height_px // 2]
            for i in range(0, width_px + 1, 16)
        ]
    )
    changes = results[:-1] > results[-1]  # (changed column, output column)
    sides = []
    for pixel in range(middle, middle + multiple):
        columns = np.flatnonzero(changes[:, pixel])
        sides.append(columns[-1] - columns[0] + 1)
    return max(sides)


@pytest.mark.parametrize("name", models.ARCHITECTURES)
def test_receptive_field_agrees_with_a_measurement(networks, name):
    """It is the size of the largest hero that one output pixel depends on as a whole."""
    multiple = math.lcm(models.SIDE_MULTIPLE_PX, models.ARCHITECTURES[name].side_multiple_px)
    found = networks[name].receptive_field_px
    width_px = math.ceil((2 * found + multiple) / multiple) * multiple
    measured = measured_receptive_field_px(
        models.keras_model(name), multiple, width_px, 2 * multiple
    )
    assert found == measured


def layer_of(kind, name, *inputs, **settings):
    return Layer(name, kind, inputs, **settings)


@pytest.mark.parametrize("way", list(Interpolation)[1:])
@pytest.mark.parametrize("factor", [2, 4])
def test_receptive_field_of_imported_networks_agrees_with_a_measurement(way, factor):
    """Imported networks have other layers than the three networks of the report."""
    layers = [
        layer_of(
            Kind.SEPARABLE, "a", IMAGE, filters=2, kernel_px=5, stride=factor, activation="relu"
        ),
        layer_of(Kind.CONVOLUTION, "b", "a", filters=2, kernel_px=2, activation="relu"),
        layer_of(Kind.MAX_POOLING, "c", "b", kernel_px=3),
        layer_of(Kind.ADDITION, "d", "a", "c"),
        layer_of(Kind.UPSAMPLING, "e", "d", factor=factor, interpolation=way),
        layer_of(Kind.CONCATENATION, "f", "e", IMAGE),
        layer_of(Kind.CONVOLUTION, "classes", "f", filters=3, activation="softmax"),
    ]
    architecture = Architecture("other", tuple(layers))
    architecture.check()
    network = models.keras_model(architecture)
    found = summary.receptive_field_px(network, architecture.side_multiple_px)
    assert found == measured_receptive_field_px(network, architecture.side_multiple_px)


def test_json_is_complete_and_clean(capsys):
    """Other programs read the output."""
    summary.show(as_json=True)
    content = json.loads(capsys.readouterr().out)
    assert [n["name"] for n in content["networks"]] == list(models.ARCHITECTURES)
    assert content["networks"][1]["layers"][1] == {
        "name": "encoder1",
        "inputs": ["image"],
        "width_px": 80,
        "height_px": 80,
        "depth": 32,
        "kernel": "3x3 separable",
        "stride": 2,
        "parameters": 283,
        "multiply_adds": {
            "formula": "80*80*3*3*3 + 80*80*3*32",
            "multiplications": 787_200,
        },
    }
    assert len(content["examples"]) == 2


def test_table_fits_a_terminal(capsys, monkeypatch):
    """Truncated numbers cannot be checked."""
    monkeypatch.setenv("COLUMNS", "80")
    summary.show()
    text = capsys.readouterr().out
    for wanted in ("model3", "165,164,800", "3x3 separable", "multiply-adds", "120,422,400"):
        assert wanted in text
    assert "…" not in text
