"""Keras 2 weights: they compute the same as in Keras 2, or are refused in one line.

Networks of other depths and widths: `test_udacity_networks`.
"""

import os
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from followme_uav.errors import WeightsError
from followme_uav.perception import models, weights

pytestmark = pytest.mark.slow

NORM = ("beta", "gamma", "moving_mean", "moving_variance")
GAMMA_FIRST = ("gamma", "beta", "moving_mean", "moving_variance")
ORDER = {
    "SeparableConv2D": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "Conv2D": ("kernel", "bias"),
    "BatchNormalization": NORM,
}
OLD_NAME = {
    "InputLayer": "input",
    "SeparableConv2D": "separable_conv2d_keras",
    "Conv2D": "conv2d",
    "BatchNormalization": "batch_normalization",
    "UpSampling2D": "bilinear_up_sampling2d",
    "AveragePooling2D": None,  # the original network upsampled in one layer
    "Concatenate": "concatenate",
}


def trained(name, seed=1):
    """A network in which every variable has its own values and an effect."""
    model = models.keras_model(name)
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        low, high = (0.5, 1.5) if variable.path.endswith(("gamma", "variance")) else (-0.3, 0.4)
        variable.assign(rng.uniform(low, high, variable.shape))
    return model


def write_old(path, model, norm_order=NORM, first_number=7):
    """Write a network like Keras 2.0: layers with numbers, arrays in a subgroup of their layer."""
    numbers: dict[str, int] = {}
    with h5py.File(path, "w") as file:
        layers = []
        for layer in model.layers:
            kind = type(layer).__name__
            if OLD_NAME[kind] is None:
                continue
            number = numbers[kind] = numbers.get(kind, first_number) + 1
            old_name = f"{OLD_NAME[kind]}_{number}"
            layers.append(old_name.encode())
            group = file.create_group(old_name)
            values = {v.path.rpartition("/")[2]: np.asarray(v) for v in layer.variables}
            order = norm_order if kind == "BatchNormalization" else ORDER.get(kind, ())
            names = [f"{OLD_NAME[kind]}_{number - 1}/{short}:0" for short in order]
            group.attrs["weight_names"] = np.array([n.encode() for n in names])
            for short, name in zip(order, names, strict=True):
                group[name] = values[short]
        file.attrs["layer_names"] = layers
        file.attrs["keras_version"] = b"2.0.6-tf"
        file.attrs["backend"] = b"tensorflow"
    return path


@pytest.mark.parametrize("norm_order", [NORM, GAMMA_FIRST])
@pytest.mark.parametrize("name", ["model1", "model2", "model3"])
def test_old_weights_compute_the_same_as_in_keras_2(tmp_path, name, norm_order):
    """Arrays in the wrong order would load without an error and give noise."""
    model = trained(name)
    loaded = weights.load_model(write_old(tmp_path / "old", model, norm_order))
    assert loaded.name == name
    image = np.random.default_rng(2).uniform(-1, 1, (1, 32, 32, 3)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(loaded(image)), np.asarray(model(image)))


def test_imported_weights_are_read_like_trained_weights(tmp_path):
    """Other tools need not know the old format."""
    model = trained("model1")
    old = write_old(tmp_path / "old", model)
    new = tmp_path / "new.h5"
    recognised = weights.import_weights(old, new)
    assert (recognised.architecture, recognised.origin) == ("model1", "Keras 2.0.6-tf")
    assert recognised.parameters == model.count_params()
    converted = weights.read_weights(new)
    assert converted.origin == "followme-uav"
    for variable in weights.load_model(new).variables:
        np.testing.assert_array_equal(
            np.asarray(variable), np.asarray(get(model, variable.path)), err_msg=variable.path
        )


def get(model, path):
    return next(v for v in model.variables if v.path == path)


def test_import_of_weights_in_the_present_format_is_refused(tmp_path):
    """The user has confused two files."""
    path = tmp_path / "model2.h5"
    weights.save_weights(models.keras_model("model2"), path)
    with pytest.raises(WeightsError, match="present format already"):
        weights.import_weights(path, tmp_path / "new.h5")
    assert not (tmp_path / "new.h5").exists()


@pytest.fixture
def old(tmp_path):
    return write_old(tmp_path / "old", trained("model2"), first_number=0)


def one_line(path, match):
    with pytest.raises(WeightsError, match=match) as caught:
        weights.read_weights(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message


def change(path, edit):
    with h5py.File(path, "r+") as file:
        edit(file)


def replace(file, name, values):
    del file[name]
    file[name] = values


BETA = "batch_normalization_2/batch_normalization_1/beta:0"
KERNEL = "conv2d_1/conv2d_0/kernel:0"


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_truncated_file_is_refused(old, kept):
    raw = old.read_bytes()
    old.write_bytes(raw[: int(len(raw) * kept)])
    one_line(old, "truncated")


def test_missing_array_is_refused(old):
    change(old, lambda file: file.pop(BETA))
    one_line(old, f"{BETA} is listed but not there")


def test_array_that_is_not_listed_is_refused(old):
    def edit(file):
        names = file["batch_normalization_2"].attrs["weight_names"]
        file["batch_normalization_2"].attrs["weight_names"] = names[1:]

    change(old, edit)
    one_line(old, r"batch_normalization_2 has .*needed is .*beta")


def test_missing_layer_is_refused(old):
    change(old, lambda file: file.pop("conv2d_1"))
    one_line(old, "layer conv2d_1 is listed but not there")


def test_additional_layer_is_refused(old):
    def edit(file):
        layers = file.attrs["layer_names"].tolist()
        file.attrs["layer_names"] = [*layers, layers[2]]

    change(old, edit)
    one_line(old, "its last layer is no convolution")


def test_normalisation_of_another_size_is_refused(old):
    change(old, lambda file: replace(file, BETA, np.zeros(65, np.float32)))
    one_line(old, r"beta.*\(65,\)")


def test_layers_that_do_not_fit_are_refused_by_name(old):
    """The message lists the layers, so that the user sees the wrong one."""
    change(old, lambda file: replace(file, KERNEL, np.zeros((1, 1, 64, 256), np.float32)))
    one_line(old, r"no network fits its layers \(.*3x3 separable 32->64, 1x1 64->256, ")


def test_plain_convolution_in_place_of_a_pointwise_one_is_refused(old):
    change(old, lambda file: replace(file, KERNEL, np.zeros((3, 3, 64, 128), np.float32)))
    network = weights.read_weights(old).network
    assert network.name == "fcn-32-64-128-64-32"
    assert network.variables["middle_conv/kernel"] == (3, 3, 64, 128)


def test_dense_network_is_refused(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"dense_1"]
        file.attrs["keras_version"] = b"2.0.2-tf"
        file.create_group("dense_1").attrs["weight_names"] = [b"dense_1/kernel:0"]
        file["dense_1/dense_1/kernel:0"] = np.zeros((3, 2), np.float32)
    one_line(path, r"layer dense_1 \(kernel\) is no convolution known here")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(old, bad):
    change(old, lambda file: replace(file, BETA, np.full(64, bad, np.float32)))
    one_line(old, "encoder2_norm/beta holds values that are not finite")


def test_text_in_place_of_numbers_is_refused(old):
    change(old, lambda file: replace(file, BETA, "text"))
    one_line(old, "damaged")


def test_small_file_that_decompresses_to_gigabytes_is_refused(old):
    """It would fill the memory."""

    def edit(file):
        file.create_dataset("bomb", shape=(2**32,), dtype="f4", chunks=(2**16,), compression="gzip")

    change(old, edit)
    assert old.stat().st_size < 1e6
    one_line(old, "bomb makes it more than")


def test_file_that_is_too_large_is_refused(old):
    with old.open("r+b") as file:
        file.truncate(weights.MAX_BYTES + 1)  # a sparse file takes no space
    one_line(old, "too many for weights")


def test_links_to_other_files_are_not_followed(old, tmp_path):
    """A weights file of another user must not read other files on the disk."""
    with h5py.File(tmp_path / "secret.h5", "w") as secret:
        secret["beta"] = np.zeros(64, np.float32)

    def edit(file):
        replace(file, BETA, h5py.ExternalLink(str(tmp_path / "secret.h5"), "beta"))

    change(old, edit)
    one_line(old, f"{BETA} is listed but not there")


def test_arrays_stored_in_other_files_are_refused(old, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(256))

    def edit(file):
        del file[BETA]
        outside = [(str(tmp_path / "secret"), 0, 256)]
        file.create_dataset(BETA, shape=(64,), dtype="f4", external=outside)

    change(old, edit)
    one_line(old, "stored in another file")


VARIABLE = "FOLLOWME_LEGACY_WEIGHTS"
"""Folder with the old weights `model1/model_weights.h5` and `model2/model_weights`."""


@pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} names no folder of old weights")
@pytest.mark.parametrize(
    ("file", "architecture"),
    [("model1/model_weights.h5", "model1"), ("model2/model_weights", "model2")],
)
def test_files_of_the_udacity_project_are_read(file, architecture):
    """Users have these files."""
    stored = weights.read_weights(Path(os.environ[VARIABLE]) / file)
    assert stored.architecture == architecture
    assert re.fullmatch(r"Keras 2\.0\.\d-tf", stored.origin)
    for name, values in stored.variables.items():
        if name.endswith("moving_variance"):
            assert (values > 0).all()
