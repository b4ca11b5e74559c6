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


def one_line(path, match, architecture=None):
    with pytest.raises(WeightsError, match=match) as caught:
        weights.load_model(path, architecture)
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


def test_wrong_architecture(saved):
    one_line(saved[1], "weights of model2, needed model7", "model7")


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
