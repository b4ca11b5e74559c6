"""Networks of other depths and widths compute the same as in their project, or are refused."""

import copy
import json
import os
import sys
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import onnxruntime
import pytest

from followme_uav import cli
from followme_uav.errors import WeightsError
from followme_uav.learn.data.dataset import LabelledFrames
from followme_uav.learn.evaluation import prepared as prepared_sets
from followme_uav.perception import weights
from followme_uav.perception.architecture import ArchitectureError, from_json, to_json
from followme_uav.perception.models import ARCHITECTURES, keras_model
from followme_uav.perception.onnx_model import onnx_model
from followme_uav.perception.segmenter import ImageError, Segmenter, resize_images
from tests.unit.udacity_networks import (
    BETA_FIRST,
    GAMMA_FIRST,
    Sketch,
    forward,
    plain,
    varied,
)

pytestmark = pytest.mark.slow


def images(side_px, count=1):
    return np.random.default_rng(4).integers(0, 256, (count, side_px, side_px, 3), dtype=np.uint8)


def side_of(net):
    return net.layers[0]["config"]["batch_input_shape"][1]


def expected(net, rgb):
    return np.stack([forward(net, image / 127.5 - 1) for image in rgb])


def computed(path, rgb):
    session = onnxruntime.InferenceSession(
        onnx_model(path).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(["probabilities"], {"rgb": rgb})[0]


def assert_computes(path, net):
    rgb = images(side_of(net))
    wanted = expected(net, rgb)
    assert np.ptp(wanted) > 0.05
    # Processors sum in different orders. Random layers amplify the rounding to some 0.0004; a layer
    # that is computed wrongly changes probabilities by more than 0.01.
    np.testing.assert_allclose(computed(path, rgb), wanted, atol=1e-3)


def saved(net, folder, name="model_weights", norm_order=BETA_FIRST):
    """Save weights, and the JSON beside them, like `save_network` of the Udacity project."""
    net.write_json(folder / f"config_{name}")
    return net.write_weights(folder / name, norm_order)


@pytest.mark.parametrize("seed", range(20))
def test_network_with_its_json_computes_the_same(tmp_path, seed):
    """Depth 1 to 5, 1 to 3 convolutions in a block, any stride, kernel and skip connection."""
    net = varied(seed)
    path = saved(net, tmp_path, norm_order=GAMMA_FIRST if seed % 2 else BETA_FIRST)
    stored = weights.read_weights(path)
    assert stored.network.input_size_px in (None, (side_of(net),) * 2)
    assert_computes(path, net)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("convolutions", [1, 2, 3])
@pytest.mark.parametrize("skips", [True, False])
def test_network_of_the_template_is_recognised_without_json(tmp_path, depth, convolutions, skips):
    """With one halving in each encoder, there is only one way to connect the layers."""
    widths = [8 * 2**i for i in range(depth)]
    net = plain(widths, 40, widths[::-1], convolutions, side_px=32, skips=skips)
    path = net.write_weights(tmp_path / "weights")
    stored = weights.read_weights(path)
    assert stored.described_by.startswith("names and shapes")
    assert_computes(path, net)


def test_keras_openvino_and_tensorflow_compute_the_same(tmp_path):
    """The network must not depend on the library."""
    net = plain([16, 32, 64, 48], 96, [64, 32, 16, 8], 2, side_px=64, seed=3)
    path = saved(net, tmp_path)
    rgb = images(64, 2)
    wanted = expected(net, rgb)
    model = weights.load_model(path)
    np.testing.assert_allclose(np.asarray(model(rgb / 127.5 - 1)), wanted, atol=1e-4)
    for runtime in ("openvino", "tensorflow"):
        segmenter = Segmenter(path, runtime=runtime, size_px=(64, 64))
        assert segmenter.architecture == "fcn-16-32-64-48-96-64-64-32-32-16-16-8-8"
        masks = segmenter.segment_batch(rgb)
        assert np.abs(masks - wanted * 255).max() <= 0.6


@pytest.mark.parametrize("norm_order", [BETA_FIRST, GAMMA_FIRST])
@pytest.mark.parametrize(
    ("name", "widths", "middle", "decoders"),
    [("model1", [32, 64, 128], 128, [64, 32, 3]), ("model2", [32, 64], 128, [64, 32])],
)
def test_networks_of_the_report_are_recognised_by_name(
    tmp_path, norm_order, name, widths, middle, decoders
):
    """Only then they run at any size, start trainings, and need no list of layers."""
    net = plain(widths, middle, decoders, side_px=160)
    path = saved(net, tmp_path, norm_order=norm_order)
    assert weights.read_weights(path).network is ARCHITECTURES[name]
    assert weights.read_weights(net.write_weights(tmp_path / "alone")).architecture == name
    rgb = images(32)
    np.testing.assert_allclose(computed(path, rgb), expected(net, rgb), atol=1e-4)


def test_imported_weights_are_the_same_network_without_json(tmp_path):
    """The new file needs no JSON beside it and has the names of this package."""
    net = plain([8, 16, 24], 32, [24, 16, 8], 2, side_px=48)
    (tmp_path / "new").mkdir()
    new = tmp_path / "new" / "imported.h5"
    found = weights.import_weights(saved(net, tmp_path), new)
    again = weights.read_weights(new)
    assert again.network == found.network
    assert again.network.input_size_px == (48, 48)
    assert (again.origin, again.parameters) == ("followme-uav", found.parameters)
    assert_computes(new, net)
    with h5py.File(new) as file:
        assert file.attrs["format_version"] == weights.FORMAT_VERSION_WITH_LAYERS
        assert "encoder1_conv" in file


@pytest.mark.parametrize("seed", range(5))
def test_list_of_layers_is_read_as_it_was_written(tmp_path, seed):
    network = weights.read_weights(saved(varied(seed), tmp_path)).network
    assert from_json(network.name, to_json(network)) == network


def test_networks_of_the_report_are_written_in_the_first_format_version(tmp_path):
    """Files of Models 1 to 3 stay readable by earlier versions."""
    weights.save_weights(keras_model("model1"), tmp_path / "model1.h5")
    with h5py.File(tmp_path / "model1.h5") as file:
        assert dict(file.attrs) == {
            "format": "followme-uav-weights",
            "format_version": 1,
            "architecture": "model1",
            "classes": "background,people,hero",
            "input_size_px": 160,
        }


def test_whole_model_is_read_as_data(tmp_path):
    """`model.save` writes weights, JSON and the state of an optimizer."""
    net = plain([8, 16], 16, [16, 8], 2, side_px=32)
    path = net.write_model(tmp_path / "model.h5")
    assert weights.read_weights(path).described_by == "the JSON in it"
    assert_computes(path, net)


def test_long_list_of_layers_in_several_attributes_is_read(tmp_path):
    """Keras splits lists that do not fit into one attribute."""
    net = plain([8, 16], 16, [16, 8], 2, side_px=32)
    path = net.write_weights(tmp_path / "w.h5")
    with h5py.File(path, "r+") as file:
        names = file.attrs["layer_names"]
        del file.attrs["layer_names"]
        file.attrs["layer_names0"], file.attrs["layer_names1"] = names[:9], names[9:]
    assert_computes(path, net)


def keras3_model(side_px=32, bilinear="nearest"):
    """The same blocks in Keras 3, with layers that users add."""
    layers = keras.layers
    image = keras.Input((side_px, side_px, 3), name="camera")
    x = layers.SeparableConv2D(8, 3, strides=2, padding="same", activation="relu", name="a")(image)
    half = layers.BatchNormalization(scale=False, center=False)(x)
    x = layers.SeparableConv2D(12, 3, strides=2, padding="same", use_bias=False)(half)
    x = layers.ReLU()(x)
    x = layers.Dropout(0.3)(layers.BatchNormalization()(x))
    x = layers.Conv2D(10, 1, activation="elu")(x)
    x = layers.UpSampling2D(2, interpolation=bilinear)(x)
    x = layers.Concatenate()([half, x])
    x = layers.Activation("relu")(layers.BatchNormalization(epsilon=0.01)(x))
    x = layers.UpSampling2D(2, interpolation=bilinear)(x)
    x = layers.MaxPooling2D(2, padding="same", strides=1)(x)
    x = layers.Concatenate()([x, image])
    x = layers.SeparableConv2D(6, 5, padding="same", activation="relu")(x)
    x = layers.Add()([x, layers.Conv2D(6, 3, padding="same", activation="tanh")(x)])
    model = keras.Model(image, layers.Softmax()(layers.Conv2D(3, 1)(x)))
    rng = np.random.default_rng(6)
    for v in model.variables:
        if v.name in ("gamma", "moving_variance"):
            v.assign(rng.uniform(0.5, 1.5, v.shape))
        elif v.name in ("beta", "moving_mean", "bias"):
            v.assign(rng.uniform(-0.3, 0.3, v.shape))
    return model


@pytest.mark.parametrize("bilinear", ["nearest", "bilinear"])
@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.weights.h5"])
def test_files_of_keras_3_compute_the_same(tmp_path, name, bilinear):
    """Users train the old networks again with Keras 3."""
    model = keras3_model(bilinear=bilinear)
    path = tmp_path / name
    if name == "model.weights.h5":
        model.save_weights(path)
        (tmp_path / "model.json").write_text(model.to_json())
    else:
        model.save(path)
    rgb = images(32, 2)
    wanted = np.asarray(model(rgb / 127.5 - 1))
    assert np.ptp(wanted) > 0.1
    np.testing.assert_allclose(computed(path, rgb), wanted, atol=1e-4)
    np.testing.assert_allclose(
        np.asarray(weights.load_model(path)(rgb / 127.5 - 1)), wanted, atol=1e-4
    )


def test_keras_3_weights_without_layer_names_are_found_by_class(tmp_path):
    """Earlier releases of Keras 3 stored no layer names."""
    model = keras3_model()
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    (tmp_path / "model.json").write_text(model.to_json())
    with h5py.File(path, "r+") as file:
        for group in file["layers"].values():
            del group["vars"].attrs["name"]
    rgb = images(32)
    np.testing.assert_allclose(computed(path, rgb), np.asarray(model(rgb / 127.5 - 1)), atol=1e-4)


def test_order_of_a_concatenation_is_that_of_the_json(tmp_path):
    """The arrays fit either order; only the JSON tells it."""
    net = Sketch(32)
    half = net.separable(net.image, 8, strides=2)
    net.classes(net.separable(net.concat(net.image, net.up(net.conv(half, 5))), 4))
    assert_computes(saved(net, tmp_path), net)


@pytest.mark.parametrize("factor", [4, 8, 16])
def test_one_upsampling_by_more_than_two_computes_the_same(tmp_path, factor):
    net = Sketch(2 * factor)
    x = net.image
    for _ in range(factor.bit_length() - 1):
        x = net.separable(x, 6, strides=2)
    net.classes(net.separable(net.concat(net.up(x, factor), net.image), 4))
    assert_computes(saved(net, tmp_path), net)


@pytest.mark.parametrize("side_px", [96, 128, 192, 256])
def test_network_gets_frames_at_the_size_of_its_training(tmp_path, side_px):
    """At another size, the hero would be larger or smaller than in the training."""
    net = plain([8, 16], 16, [8, 8], side_px=side_px)
    segmenter = Segmenter(saved(net, tmp_path), size_px=(100, 140))
    assert segmenter.input_size_px == (side_px, side_px)
    frame = images(160)
    wanted = expected(net, resize_images(frame, (side_px, side_px)))
    mask = segmenter.segment(frame[0])
    assert mask.shape == (160, 160, 3)
    scaled = resize_images(np.round(wanted * 255).astype(np.uint8), (160, 160))[0]
    assert np.abs(mask.astype(int) - scaled).max() <= 2
    own = images(side_px)
    assert np.abs(segmenter.segment_batch(own) - 255 * expected(net, own)).max() <= 0.6


def test_network_that_halves_often_gets_last_rows_and_columns_repeated(tmp_path):
    """Cameras have sides that are multiples of 8, this network needs multiples of 64."""
    net = plain([4, 4, 4, 4, 4, 4], 4, [4, 4, 4, 4, 4, 4], side_px=64)
    segmenter = Segmenter(net.write_weights(tmp_path / "weights"), size_px=(160, 160))
    frame = images(160)[:, :, :128]
    padded = np.concatenate([frame, *[frame[:, -1:]] * 32], axis=1)
    mask = segmenter.segment_batch(frame)
    assert mask.shape == (1, 160, 128, 3)
    np.testing.assert_array_equal(mask, segmenter.segment_batch(padded)[:, :160])
    with pytest.raises(ImageError, match="multiples of 8, set the camera to 160x160"):
        segmenter.segment(frame[0, :-4])


def test_evaluation_gives_frames_at_the_size_of_the_training(tmp_path):
    """Resizing 256 -> 160 -> 256 would lose detail that the network was trained on."""
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 256, (3, 256, 256, 3), dtype=np.uint8)
    labels = rng.integers(0, 3, (3, 256, 256), dtype=np.uint8)
    files = tuple(Path(f"{i}.png") for i in range(3))
    found = LabelledFrames("d", "d", frames, labels, ("",) * 3, files)
    seen = []

    def infer(batch):
        seen.append(batch)
        return batch

    prepared = prepared_sets.prepare(found, (256, 256))
    assert prepared.truth.shape == (3, 160, 160, 3)
    result = prepared_sets.measure_set(infer, prepared.part("x", np.array([True, False, True])))
    np.testing.assert_array_equal(seen[0], frames[[0, 2]])
    assert len(result.there) == 2


# Files that cannot be loaded: one line with reason and remedy.


def refused(path, match, **options):
    with pytest.raises(WeightsError, match=match) as caught:
        weights.read_weights(path, **options)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 800
    return str(caught.value)


def two_in_a_block():
    """The shapes do not tell whether the first or the second convolution halves."""
    net = Sketch(32)
    x = net.separable(net.separable(net.image, 8, strides=2), 8)
    net.classes(net.separable(net.concat(net.up(net.conv(x, 8)), net.image), 8))
    return net


def test_ambiguous_file_is_refused_and_asks_for_the_json(tmp_path):
    """A wrong guess would give masks of noise, without an error."""
    net = two_in_a_block()
    path = net.write_weights(tmp_path / "model_weights.h5")
    message = refused(path, "several networks fit its layers")
    assert "put the network's JSON (model.to_json) beside it as config_model_weights.h5" in message
    net.write_json(tmp_path / "config_model_weights.h5")
    assert_computes(path, net)


def test_json_may_be_in_another_folder(tmp_path):
    net = two_in_a_block()
    path = net.write_weights(tmp_path / "w.h5")
    (tmp_path / "other").mkdir()
    description = net.write_json(tmp_path / "other" / "network.json")
    weights.import_weights(path, tmp_path / "new.h5", architecture=description)
    assert_computes(tmp_path / "new.h5", net)


@pytest.mark.parametrize(
    "name", ["config_w.h5", "config_w", "w.h5.json", "w.json", "config_w.json"]
)
def test_json_is_found_by_its_customary_names(tmp_path, name):
    net = two_in_a_block()
    (tmp_path / name).write_text(json.dumps(net.json()))
    assert_computes(net.write_weights(tmp_path / "w.h5"), net)


def test_json_of_another_session_fits_in_spite_of_other_numbers(tmp_path):
    """Keras restarts the numbers of layers in each session; order and shapes decide."""
    net = two_in_a_block()
    path = net.write_weights(tmp_path / "w.h5")
    text = json.dumps(net.json())
    for number in range(9, 3, -1):
        text = text.replace(f'_{number}"', f'_{number + 30}"')
    (tmp_path / "config_w.h5").write_text(text)
    assert_computes(path, net)


def test_json_of_another_network_is_refused(tmp_path):
    path = two_in_a_block().write_weights(tmp_path / "w.h5")
    plain([8, 16], 16, [16, 8]).write_json(tmp_path / "config_w.h5")
    refused(
        path, "by config_w.h5: it has 9 layers with weights, its JSON describes 11; put the JSON of"
    )
    other = two_in_a_block()
    other.layers[1]["config"]["filters"] = 9
    other.write_json(tmp_path / "config_w.h5")
    refused(path, r"by config_w.h5: layer .* needed is .*9")


def test_layers_with_other_names_ask_for_the_json(tmp_path):
    net = plain([8, 16], 16, [16, 8], side_px=32)
    text = json.dumps(net.json()).replace("bilinear_up_sampling2d_4", "enlarge")
    path = net.write_weights(tmp_path / "w.h5")
    with h5py.File(path, "r+") as file:
        file.move("bilinear_up_sampling2d_4", "enlarge")
        names = [str(np.bytes_(n), "ascii") for n in file.attrs["layer_names"].astype("S")]
        names = ["enlarge" if n == "bilinear_up_sampling2d_4" else n for n in names]
        file.attrs["layer_names"] = [n.encode() for n in names]
    refused(path, "name of layer enlarge does not say what.*config_w.h5")
    (tmp_path / "config_w.h5").write_text(text)
    assert_computes(path, net)


@pytest.mark.parametrize(
    ("kind", "match"),
    [
        ("Lambda", "is a Lambda, which holds code"),
        ("TFOpLambda", "which holds code"),
        ("Dense", "is a Dense, not one of"),
        ("Model", "is a Model, not one of"),
        ("os.system", r"is a os\.system, not one of"),
    ],
)
def test_unsupported_layers_are_refused_by_name(tmp_path, kind, match):
    """Weights are data; no code that a file names is run."""
    net = two_in_a_block()
    net.layers[2]["class_name"] = kind
    net.layers[2]["config"]["function"] = ["4wEAAAAAAAAA", None, None]
    refused(saved(net, tmp_path), f"by config_model_weights: layer .* {match}")


@pytest.mark.parametrize(
    ("setting", "value", "match"),
    [
        ("padding", "valid", "has padding 'valid'"),
        ("dilation_rate", [2, 2], "has dilation_rate 2"),
        ("depth_multiplier", 2, "has depth_multiplier 2"),
        ("kernel_size", [3, 5], r"has kernel_size \[3, 5\]"),
        ("strides", [2, 1], r"has strides \[2, 1\]"),
        ("strides", [0, 0], "not supported"),
        ("activation", "<lambda>", "has activation '<lambda>'"),
        ("activation", {"class_name": "PReLU"}, "has activation 'prelu'"),
        ("data_format", "channels_first", "has data_format 'channels_first'"),
        ("filters", -1, "not supported"),
        ("filters", "8", "no whole numbers"),
        ("filters", 10**9, "not supported"),
        ("kernel_size", [10**6, 10**6], "not supported"),
    ],
)
def test_unsupported_settings_are_refused(tmp_path, setting, value, match):
    net = two_in_a_block()
    net.layers[1]["config"][setting] = value
    refused(saved(net, tmp_path), match)


def nested(depth):
    return [nested(depth - 1)] if depth else []


def spoil(net, edit):
    content = copy.deepcopy(net.json())
    edit(content, content["config"]["layers"])
    return content


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (lambda c, layers: layers[3].pop("inbound_nodes"), "its JSON cannot be read"),
        (lambda c, layers: layers.pop(4), "needs .*, which is not there"),
        (lambda c, layers: layers.append(layers[3]), "two layers are called"),
        (lambda c, layers: layers.extend([layers[0]] * 1000), "allowed are 200"),
        (lambda c, layers: c["config"].update(output_layers=[]), "0 results"),
        (lambda c, layers: layers[2].update(inbound_nodes=[[]]), "has no input"),
        (
            lambda c, layers: layers[2].update(inbound_nodes=[{"args": nested(700)}]),
            "cannot be read",
        ),
        (lambda c, layers: layers[2]["config"].update(epsilon=10**400), "cannot be read"),
        (lambda c, layers: c.update(config=7), "its JSON cannot be read"),
        (lambda c, layers: layers[3]["inbound_nodes"][0][0].__setitem__(1, 2), "several times"),
        (
            lambda c, layers: layers[0]["config"].update(batch_input_shape=[None, 32, 32, 1]),
            "images have 1 channels",
        ),
        (
            lambda c, layers: layers[0]["config"].update(batch_input_shape=[None, 31, 31, 3]),
            "image side of 31 px",
        ),
        (
            lambda c, layers: layers[0]["config"].update(batch_input_shape=[None, 10**7, 10**7, 3]),
            "image side of 10000000 px",
        ),
        (lambda c, layers: layers[2]["config"].update(epsilon=-1.0), "not supported"),
        (lambda c, layers: layers[2]["config"].update(axis=1), "axis 1"),
        (lambda c, layers: layers[7]["config"].update(size=[3, 3]), "not supported"),
        (lambda c, layers: layers[-1]["config"].update(activation="linear"), "no softmax"),
        (lambda c, layers: layers[1]["config"].update(strides=[1, 1]), "different resolution"),
    ],
)
def test_damaged_json_is_an_error_of_one_line(tmp_path, edit, match):
    net = two_in_a_block()
    (tmp_path / "config_w").write_text(json.dumps(spoil(net, edit)))
    refused(net.write_weights(tmp_path / "w"), match)


def test_networks_of_two_or_four_classes_are_refused(tmp_path):
    net = Sketch(32)
    half = net.separable(net.image, 8, strides=2)
    x = net.separable(net.concat(net.up(half), net.image), 4)
    net.conv(x, 4, activation="softmax", norm=False)
    refused(net.write_weights(tmp_path / "w"), "has 4 classes, needed are 3")


def test_network_that_is_too_large_is_refused(tmp_path):
    """It is refused before an array is made: the JSON alone would need gigabytes."""
    net = Sketch(32)
    x = net.image
    half = net.separable(x, 8, strides=2)
    for layer in net.layers:
        if layer["class_name"] == "SeparableConv2DKeras":
            layer["config"]["filters"] = 40_000_000
    net.classes(net.separable(net.concat(net.up(half), net.image), 4))
    refused(saved(net, tmp_path), "parameters, allowed are 50,000,000")


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (lambda layers: layers[0].update(name="../../x"), "a layer is called"),
        (lambda layers: layers[0].update(kind="code"), "cannot be read"),
        (lambda layers: layers[0].update(unknown=1), "cannot be read"),
        (lambda layers: layers[0].update(filters=True), "no whole numbers"),
        (lambda layers: layers[0].update(inputs=["nowhere"]), "needs nowhere"),
        (lambda layers: layers[0].update(inputs=[]), "has 0 inputs"),
        (lambda layers: layers.extend(layers * 100), "200"),
        (lambda layers: layers.clear(), "0 layers"),
    ],
)
def test_list_of_layers_in_a_weights_file_is_checked(edit, match):
    content = json.loads(to_json(ARCHITECTURES["model1"]))
    edit(content["layers"])
    with pytest.raises(ArchitectureError, match=match):
        from_json("x", json.dumps(content))
    with pytest.raises(ArchitectureError, match="cannot be read"):
        from_json("x", "[" * 100_000)
    with pytest.raises(ArchitectureError, match="cannot be read"):
        from_json("x", '{"input_size_px": [1e999, 32], "layers": []}')


def test_weights_of_more_layers_than_allowed_are_refused_without_json(tmp_path):
    """The search for their connections would call itself for each layer."""
    net = Sketch(32)
    x = net.image
    for _ in range(1500):
        x = net.conv(x, 3, norm=False)
    net.classes(x)
    refused(net.write_weights(tmp_path / "w"), "1501 layers, allowed are 200")


def test_archive_that_decompresses_to_gigabytes_is_refused(tmp_path):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps(two_in_a_block().json()))
        archive.writestr("metadata.json", "{}")
        with archive.open("model.weights.h5", "w", force_zip64=True) as member:
            for _ in range(512):
                member.write(bytes(2**20))
    refused(path, "model.weights.h5 has more than")


def test_archive_with_code_is_refused_by_name(tmp_path):
    image = keras.Input((32, 32, 3))
    path = tmp_path / "model.keras"
    keras.Model(image, keras.layers.Lambda(lambda x: x + 1)(image)).save(path)
    refused(path, "is a Lambda, which holds code")


@pytest.mark.parametrize("inside", ["model_weights", "layers"])
def test_links_to_other_files_are_not_followed(tmp_path, inside):
    """Weights of another user must not read other files on the disk."""
    net = plain([8], 8, [8])
    secret = net.write_model(tmp_path / "secret.h5")
    with h5py.File(secret, "r+") as file:
        file["layers/conv2d/vars/0"] = np.zeros(3)
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(net.json())
        file[inside] = h5py.ExternalLink("secret.h5", inside)
    refused(path, "not weights of followme-uav")
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["a/model_weights/conv2d_4"]
        file.attrs["keras_version"] = "2.0.6-tf"
        file["a"] = h5py.ExternalLink("secret.h5", "/")
    refused(path, "a/model_weights/conv2d_4 is listed but not there")


# The commands.


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["followme-uav", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    streams = capsys.readouterr()
    return end.value.code, streams.out, streams.err


def test_import_models_and_export_name_the_network(tmp_path, monkeypatch, capsys):
    """Each command accepts the file and prints its network."""
    net = plain([16, 32, 64], 64, [32, 16, 8], 2, side_px=96)
    old, new = saved(net, tmp_path), tmp_path / "new.h5"
    code, out, _ = run(monkeypatch, capsys, "import-weights", old, new)
    assert code == 0
    assert "fcn-16-32-64-64-32-32-16-16-8-8" in out
    assert "config_model_weights" in out
    assert "scaled to 96 x 96" in out
    code, out, _ = run(monkeypatch, capsys, "models", "--weights", new, "--json")
    table = json.loads(out)
    assert code == 0
    assert table["image_side_px"] == 96
    (network,) = table["networks"]
    assert network["parameters"] == weights.read_weights(new).parameters
    assert [row["width_px"] for row in network["layers"]][:5] == [96, 48, 24, 12, 12]
    code, out, _ = run(monkeypatch, capsys, "export", "--weights", new, "--onnx", tmp_path / "o")
    assert code == 0
    assert "fcn-16-32-64" in out


def link(kind, target, at):
    if kind == "symlink":
        at.symlink_to(target)
    elif kind == "hard link":
        os.link(target, at)
    elif kind == "relative":
        return at.parent / "sub" / ".." / target.name
    elif kind == "same":
        return target
    return at


@pytest.mark.parametrize("kind", ["same", "symlink", "hard link", "relative"])
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_original_is_not_overwritten_with_or_without_force(
    tmp_path, monkeypatch, capsys, kind, force
):
    """It may be the only copy of a training of days."""
    (tmp_path / "sub").mkdir()
    old = plain([8], 8, [8]).write_weights(tmp_path / "old.h5")
    before = old.read_bytes()
    new = link(kind, old, tmp_path / "new.h5")
    code, _, error = run(monkeypatch, capsys, "import-weights", old, new, *force)
    assert code == 2
    assert "choose another file" in error
    assert old.read_bytes() == before


def test_other_file_is_replaced_only_with_force(tmp_path, monkeypatch, capsys):
    old = plain([8], 8, [8]).write_weights(tmp_path / "old.h5")
    new = tmp_path / "new.h5"
    new.write_text("mine")
    code, _, error = run(monkeypatch, capsys, "import-weights", old, new)
    assert (code, new.read_text()) == (2, "mine")
    assert "--force" in error
    assert run(monkeypatch, capsys, "import-weights", old, new, "--force")[0] == 0
    assert weights.read_weights(new).architecture == "fcn-8-8-8"


@pytest.mark.parametrize(
    "command",
    [
        ("export", "--weights", "FILE", "--onnx", "FILE"),
        ("evaluate", "data", "--weights", "FILE", "--json", "FILE"),
        ("train", "--config", "model1", "--data", "d", "--init", "FILE", "--out", "FILE"),
        ("train", "--config", "FILE", "--data", "d", "--out", "FILE"),
    ],
)
def test_commands_do_not_overwrite_their_input(tmp_path, monkeypatch, capsys, command):
    path = plain([8], 8, [8]).write_weights(tmp_path / "mine.h5")
    before = path.read_bytes()
    words = [path if word == "FILE" else word for word in command]
    code, _, error = run(monkeypatch, capsys, *words)
    assert code == 2
    assert "which is read; choose another file" in " ".join(error.split())
    assert path.read_bytes() == before


VARIABLE = "FOLLOWME_LEGACY_WEIGHTS"


@pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} names no folder of old weights")
@pytest.mark.parametrize("file", ["model1/model_weights.h5", "model2/model_weights"])
def test_files_of_the_udacity_project_are_read_with_and_without_json(tmp_path, file):
    """Names and shapes alone give the network that the JSON describes."""
    original = Path(os.environ[VARIABLE]) / file
    described = weights.read_weights(original)
    assert described.described_by == f"config_{original.name}"
    alone = tmp_path / "alone"
    alone.write_bytes(original.read_bytes())
    assert weights.read_weights(alone).network == described.network
