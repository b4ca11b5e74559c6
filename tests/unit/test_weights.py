"""Weights files: what is saved comes back, and what is wrong is said in one line."""

import h5py
import numpy as np
import pytest

from followme_uav.errors import WeightsError
from followme_uav.perception import models, weights


@pytest.fixture
def saved(tmp_path):
    model = models.keras_model("model2")
    path = tmp_path / "model2.h5"
    weights.save_weights(model, path)
    return model, path


def test_saved_weights_come_back_unchanged(saved):
    """A trained network must be the same network after a restart."""
    model, path = saved
    loaded = weights.load_model(path)
    for a, b in zip(model.variables, loaded.variables, strict=True):
        assert a.path == b.path
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_saving_leaves_no_other_file(saved):
    """Temporary files would pile up beside the weights."""
    assert [p.name for p in saved[1].parent.iterdir()] == ["model2.h5"]


def one_line(path, match, load=weights.load_model):
    with pytest.raises(WeightsError, match=match) as caught:
        load(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message


def test_missing_file(tmp_path):
    one_line(tmp_path / "none.h5", "no such weights file.*train")


def test_not_hdf5(tmp_path):
    path = tmp_path / "model2.h5"
    path.write_bytes(b"GIF89a and more")
    one_line(path, "not an HDF5 file.*GIF89a")


def test_empty_file(tmp_path):
    path = tmp_path / "model2.h5"
    path.touch()
    one_line(path, "not an HDF5 file")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_truncated_file(saved, kept):
    path = saved[1]
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * kept)])
    one_line(path, "truncated")


def test_hdf5_of_something_else(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.zeros(3)
    one_line(path, "not weights of followme-uav")


def test_another_network_takes_over_the_layers_that_fit(saved):
    """Model 3 shares its encoders and its end with Model 2; the layers between are its own."""
    model2, path = saved
    for variable in model2.variables:
        variable.assign(np.full(variable.shape, 0.125))
    weights.save_weights(model2, path)
    model3 = models.keras_model("model3")
    before = {v.path: np.asarray(v) for v in model3.variables}
    taken = weights.take_over_layers(model3, path)
    assert {name.split("_")[0] for name in taken} >= {"encoder1", "encoder2", "decoder2", "classes"}
    assert not {"middle_conv", "middle_norm", "decoder1_conv"} & set(taken)
    for variable in model3.variables:
        of_layer = variable.path.split("/")[0]
        expected = 0.125 if of_layer in taken else before[variable.path]
        np.testing.assert_array_equal(
            np.asarray(variable), np.broadcast_to(expected, variable.shape)
        )


def test_no_layer_to_take_over(saved):
    """Else a training would start from nothing and its card would say otherwise."""
    path = saved[1]

    def rename_all(file):
        for name in list(file):
            file.move(name, f"{name}_of_old")

    change(path, rename_all)
    one_line(
        path,
        "no layer of model2 fits model1; train without --init",
        lambda p: weights.take_over_layers(models.keras_model("model1"), p),
    )


def change(path, edit):
    with h5py.File(path, "r+") as file:
        edit(file)


def test_unknown_architecture(saved):
    change(saved[1], lambda file: file.attrs.update(architecture="model99"))
    one_line(saved[1], "unknown network 'model99'")


def test_later_format(saved):
    change(saved[1], lambda file: file.attrs.update(format_version=99))
    one_line(saved[1], "format version 99")


def test_other_classes(saved):
    change(saved[1], lambda file: file.attrs.update(classes="cat,dog"))
    one_line(saved[1], "made for classes cat,dog")


def test_missing_variable(saved):
    change(saved[1], lambda file: file.pop("classes/bias"))
    one_line(saved[1], "lacks classes/bias")


def test_additional_variable(saved):
    change(saved[1], lambda file: file.create_dataset("extra/bias", data=np.zeros(2)))
    one_line(saved[1], "unknown variable extra/bias")


def test_wrong_shape(saved):
    def edit(file):
        del file["classes/bias"]
        file["classes/bias"] = np.zeros(5)

    change(saved[1], edit)
    one_line(saved[1], r"classes/bias has shape \(5,\)")


def test_text_in_place_of_numbers(saved):
    def edit(file):
        del file["classes/bias"]
        file["classes/bias"] = "three"

    change(saved[1], edit)
    one_line(saved[1], "damaged")


def test_values_that_are_not_finite(saved):
    """They would turn every mask into noise without a word."""

    def edit(file):
        file["classes/bias"][0] = np.nan

    change(saved[1], edit)
    one_line(saved[1], "classes/bias holds values that are not finite")
