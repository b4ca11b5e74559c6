"""Weights files: values are preserved, and errors are one line."""

import json
import pickle
import zipfile

import h5py
import numpy as np
import pytest

from followme_uav.errors import WeightsError
from followme_uav.perception import models, weights
from followme_uav.perception.architecture import RESERVED
from followme_uav.perception.onnx_model import onnx_model
from tests.unit.udacity_networks import plain


@pytest.fixture
def saved(tmp_path):
    model = models.keras_model("model2")
    path = tmp_path / "model2.h5"
    weights.save_weights(model, path)
    return model, path


def test_saved_weights_are_loaded_unchanged(saved):
    """A trained network must compute the same after it is saved and loaded."""
    model, path = saved
    loaded = weights.load_model(path)
    for a, b in zip(model.variables, loaded.variables, strict=True):
        assert a.path == b.path
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_saving_leaves_no_temporary_file(saved):
    """Temporary files must not accumulate beside the weights."""
    assert [p.name for p in saved[1].parent.iterdir()] == ["model2.h5"]


def one_line(path, match, load=weights.load_model):
    with pytest.raises(WeightsError, match=match) as caught:
        load(path)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message


def test_missing_file_is_refused(tmp_path):
    one_line(tmp_path / "none.h5", "no such weights file.*train")


def test_file_that_is_not_hdf5_is_refused(tmp_path):
    path = tmp_path / "model2.h5"
    path.write_bytes(b"GIF89a and more")
    one_line(path, "not an HDF5 file.*GIF89a")


def test_empty_file_is_refused(tmp_path):
    path = tmp_path / "model2.h5"
    path.touch()
    one_line(path, "not an HDF5 file")


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_truncated_file_is_refused(saved, kept):
    path = saved[1]
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * kept)])
    one_line(path, "truncated")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2,
                                    zipfile.ZIP_LZMA])  # fmt: skip
def test_archive_with_damaged_weights_is_refused(tmp_path, method):
    """Each method of compression has errors of its own."""
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("config.json", '{"class_name": "Functional", "config": {"layers": []}}')
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", np.random.default_rng(1).bytes(50_000))
    raw = bytearray(path.read_bytes())
    begin = raw.find(b"model.weights.h5") + 60
    raw[begin : begin + 60] = bytes(b ^ 0xFF for b in raw[begin : begin + 60])
    path.write_bytes(raw)
    one_line(path, "damaged or truncated", weights.read_weights)


def test_hdf5_file_without_weights_is_refused(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.zeros(3)
    one_line(path, "not weights of followme-uav")


def test_network_takes_over_the_fitting_layers_of_another(saved):
    """Model 3 has the encoders and the last layers of Model 2, and other layers between them."""
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


def test_weights_without_a_fitting_layer_are_refused(tmp_path):
    """The training would start from random weights, and its model card would be wrong."""
    path = plain([8], 8, [8]).write_weights(tmp_path / "other.h5")
    one_line(
        path,
        "no layer of fcn-8-8-8 fits model1; train without --init",
        lambda p: weights.take_over_layers(models.keras_model("model1"), p),
    )


def change(path, edit):
    with h5py.File(path, "r+") as file:
        edit(file)


def test_unknown_architecture_is_refused(saved):
    change(saved[1], lambda file: file.attrs.update(architecture="model99"))
    one_line(saved[1], "unknown network 'model99'")


def test_later_format_version_is_refused(saved):
    change(saved[1], lambda file: file.attrs.update(format_version=99))
    one_line(saved[1], "format version 99")


def test_other_classes_are_refused(saved):
    change(saved[1], lambda file: file.attrs.update(classes="cat,dog"))
    one_line(saved[1], "made for classes cat,dog")


def test_missing_variable_is_refused(saved):
    change(saved[1], lambda file: file.pop("classes/bias"))
    one_line(saved[1], "lacks classes/bias")


def test_additional_variable_is_refused(saved):
    change(saved[1], lambda file: file.create_dataset("extra/bias", data=np.zeros(2)))
    one_line(saved[1], "unknown variable extra/bias")


def test_wrong_shape_is_refused(saved):
    def edit(file):
        del file["classes/bias"]
        file["classes/bias"] = np.zeros(5)

    change(saved[1], edit)
    one_line(saved[1], r"classes/bias has shape \(5,\)")


def test_text_in_place_of_numbers_is_refused(saved):
    def edit(file):
        del file["classes/bias"]
        file["classes/bias"] = "three"

    change(saved[1], edit)
    one_line(saved[1], "damaged")


def test_values_that_are_not_finite_are_refused(saved):
    """Masks would be noise, without any error."""

    def edit(file):
        file["classes/bias"][0] = np.nan

    change(saved[1], edit)
    one_line(saved[1], "classes/bias holds values that are not finite")


def test_names_in_the_file_cannot_control_the_terminal(saved):
    """A file may come from anybody; its names are part of messages."""
    change(saved[1], lambda file: file.create_dataset("a\n\x1b[2J", data=np.zeros(1)))
    with pytest.raises(WeightsError, match="has an unknown variable a") as caught:
        weights.read_weights(saved[1])
    assert str(caught.value).isprintable()


def written(path, layers, name="own"):
    """A weights file with a list of layers, and zeros for their variables."""
    content = json.dumps({"input_size_px": None, "layers": layers})
    depth = {"image": 3}
    with h5py.File(path, "w") as file:
        file.attrs.update(
            {"format": weights.FORMAT, "format_version": 2, "architecture": name}
            | {"classes": "background,people,hero", "layers": content}
        )
        for layer in layers:
            before = depth[layer["inputs"][0]]
            depth[layer["name"]] = layer.get("filters", before)
            if layer["kind"] == "convolution":
                file[f"{layer['name']}/kernel"] = np.zeros((1, 1, before, layer["filters"]))
                file[f"{layer['name']}/bias"] = np.zeros(layer["filters"])
    return path


def in_line(*layers):
    """Layers that feed one another."""
    sources = ["image", *(layer["name"] for layer in layers)]
    return [layer | {"inputs": [x]} for layer, x in zip(layers, sources, strict=False)]


def convolution(name, **more):
    return {"name": name, "kind": "convolution", "filters": 3, "activation": "softmax"} | more


def test_small_file_that_asks_for_a_huge_result_is_refused(tmp_path):
    """A file of some kilobytes must not make the runtime ask for terabytes of memory."""
    ups = [
        {"name": f"up{n}", "kind": "upsampling", "factor": 16, "interpolation": "nearest"}
        for n in range(3)
    ]
    downs = [convolution(f"down{n}", stride=16) for n in range(3)]
    path = written(tmp_path / "w.h5", in_line(*ups, *downs))
    one_line(path, "result of layer up1 has .* values", weights.read_weights)


def test_layers_named_as_parts_of_the_exported_network_are_refused(tmp_path):
    """Two results of one name make no ONNX network; every runtime on CPU needs that."""
    path = written(tmp_path / "w.h5", in_line(convolution("first"), convolution("last")))
    own = {name for node in onnx_model(path).graph.node for name in (*node.input, *node.output)}
    assert {name for name in own if "/" not in name} - {"first", "last", "image"} == RESERVED
    for name in sorted(RESERVED):
        written(path, in_line(convolution(name), convolution("last")))
        one_line(path, f"a layer is called '{name}'", weights.read_weights)


def test_name_of_a_network_is_plain_text(tmp_path):
    """The name is a heading of tables, in which brackets are markup."""
    path = written(tmp_path / "w.h5", in_line(convolution("last")), name="[/red]")
    one_line(path, "its name is not made of letters", weights.read_weights)


# Other files in place of weights: the error names what each is.

TENSORFLOW_INDEX_END = bytes.fromhex("57fb808b247547db")


def zipped(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"x" * 100)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("w.h5", b"", "empty"),
        ("w.h5", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        ("w.h5", b"\n\n<!DOCTYPE html><html>", "web page.*download the file itself"),
        ("w.h5", b"<html lang='en'>", "web page"),
        ("w.json", b'{"architecture": "model2"}', "JSON, not weights"),
        ("w.pkl", pickle.dumps({"a": 1}), "Python pickle.*never read"),
        ("w", b"\x80", "not an HDF5 file"),
        ("w.pt", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "PyTorch"),
        ("w.npy", b"\x93NUMPY\x01\x00", "NumPy array"),
        ("w.onnx", b"\x08\x08\x12\x07pytorch", "an ONNX network; fly"),
        ("w", b"\x08\x08\x12\x07pytorch", "ONNX network"),
        ("w.tflite", b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
        ("w.ckpt.index", b"\0" * 100 + TENSORFLOW_INDEX_END, "part of a TensorFlow checkpoint"),
        ("w.ckpt.data-00000-of-00001", b"\x01\x02\x03", "part of a TensorFlow checkpoint"),
        ("checkpoint", b'model_checkpoint_path: "w"', "TensorFlow checkpoint"),
        ("frozen.pb", b"\n\x10\n\x05image", "TensorFlow graph"),
        ("w.safetensors", b"\x10\0\0\0\0\0\0\0" + b'{"a":{}}', "safetensors"),
        ("w.h5.gz", b"\x1f\x8b\x08\0", "unpack it"),
        ("flight.mcap", b"\x89MCAP0\r\n", "MCAP log"),
        ("w.h5", b"\x89HDF\r\n\x1a\n", "damaged or truncated"),
        ("w.h5", b"plain text", "not an HDF5 file"),
        ("w.zip", b"PK\x03\x04 and no more", "damaged or truncated"),
    ],
)
def test_other_file_is_refused_and_described(tmp_path, name, content, match):
    """One line describes the file and names the remedy of the command."""
    path = tmp_path / name
    path.write_bytes(content)
    one_line(path, match, weights.read_weights)
    with pytest.raises(WeightsError, match="pass import-weights an HDF5"):
        weights.import_weights(path, tmp_path / "new.h5")


@pytest.mark.parametrize(
    ("names", "match"),
    [
        (("archive/data.pkl", "archive/data/0"), "PyTorch file.*never read"),
        (("a.npy", "b.npy"), r"NumPy archive \(.npz\)"),
        (("readme.txt", "weights/model.h5"), "unpack it and pass weights/model.h5"),
        (("readme.txt",), "a zip archive"),
        (("config.json",), "a zip archive"),
    ],
)
def test_zip_archive_is_described_by_its_content(tmp_path, names, match):
    zipped(tmp_path / "w", *names)
    one_line(tmp_path / "w", match, weights.read_weights)


def test_json_of_a_network_is_refused_and_names_the_weights_beside_it(tmp_path):
    """The Udacity project wrote two files with almost the same name."""
    net = plain([8], 8, [8])
    description = net.write_json(tmp_path / "config_model_weights")
    one_line(description, r"network's JSON \(model.to_json\), not its weights; it has none")
    net.write_weights(tmp_path / "model_weights")
    one_line(description, "not its weights; those are in model_weights")


@pytest.mark.parametrize(
    ("inside", "match"),
    [
        ("saved_model.pb", "TensorFlow SavedModel folder"),
        ("checkpoint", "folder with a TensorFlow checkpoint"),
        ("w.index", "folder with a TensorFlow checkpoint"),
        ("w.h5", "a folder, not a file"),
    ],
)
def test_folder_is_refused_and_described(tmp_path, inside, match):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / inside).touch()
    one_line(tmp_path / "model", match, weights.read_weights)


def test_training_checkpoint_is_refused_and_described(tmp_path):
    """It is beside the weights, with almost the same name."""
    path = tmp_path / "model2.checkpoint.h5"
    with h5py.File(path, "w") as file:
        file.attrs["identity"] = "x"
        file["a"] = np.zeros(3)
    one_line(path, "a training checkpoint")


@pytest.mark.parametrize(
    ("load", "match"),
    [
        (weights.read_weights, "pass --weights"),
        (lambda p: weights.import_weights(p, p.with_name("new")), "pass import-weights"),
        (lambda p: weights.take_over_layers(models.keras_model("model2"), p), "pass --init"),
    ],
)
def test_remedy_in_the_message_is_that_of_the_command(tmp_path, load, match):
    """Advice for another command would be wrong."""
    one_line(tmp_path / "none.h5", f"no such weights file; {match} ", load)


def test_weights_of_keras_1_are_refused_and_described(tmp_path):
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"convolution2d_1"]
    one_line(path, "Keras 1")
