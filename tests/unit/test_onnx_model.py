"""ONNX export: the exported network computes the same as the weights."""

import sys

import h5py
import numpy as np
import onnx
import onnxruntime
import pytest

from followme_uav import cli
from followme_uav.errors import EnvironmentSetupError, WeightsError
from followme_uav.perception import weights
from followme_uav.perception.models import ARCHITECTURES, CLASSES
from followme_uav.perception.onnx_model import onnx_model
from tests.unit.trained_networks import noise, street, write_varied_weights

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    return {name: write_varied_weights(name, folder) for name in ARCHITECTURES}


@pytest.fixture
def damaged(trained, tmp_path):
    """A copy of the weights of Model 2, to be changed by a test."""
    path = tmp_path / "damaged.h5"
    path.write_bytes(trained["model2"].read_bytes())
    return path


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_onnx_runtime_computes_the_same(trained, architecture):
    """Any batch and any allowed size; the model takes bytes, so users need not scale them."""
    content = onnx_model(trained[architecture]).SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    network = weights.load_model(trained[architecture])
    for images in (noise(1, 160, 160), noise(3, 48, 32), street(2, 96, 256)):
        (probabilities,) = session.run(["probabilities"], {"rgb": images})
        expected = np.asarray(network(images.astype(np.float32) / 127.5 - 1))
        assert probabilities.dtype == np.float32
        assert np.ptp(probabilities) > 0.2
        np.testing.assert_allclose(probabilities, expected, atol=1e-4)
        assert np.mean(probabilities.argmax(-1) == expected.argmax(-1)) >= 0.999


def test_normalisation_follows_its_convolution_at_once(trained):
    """A node between them adds steps to a network that is quantised."""
    nodes = onnx_model(trained["model4"]).graph.node
    made_by = {node.output[0]: node.op_type for node in nodes}
    before = [made_by[node.input[0]] for node in nodes if node.op_type == "BatchNormalization"]
    assert before == ["Conv"] * 12


def test_export_writes_a_model_with_classes_and_hash(trained, tmp_path, monkeypatch, capsys):
    """The file holds the order of the classes and the hash of the weights."""
    out = tmp_path / "new" / "model2.onnx"
    command = ["followme-uav", "export", "--onnx", out, "--weights", trained["model2"]]
    monkeypatch.setattr(sys, "argv", [str(word) for word in command])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0
    assert "rgb (batch, height, width, 3) uint8" in capsys.readouterr().out
    model = onnx.load(out)
    onnx.checker.check_model(model, full_check=True)
    assert model.graph.name == "model2"
    assert {p.key: p.value for p in model.metadata_props} == {
        "classes": ",".join(CLASSES),
        "weights_sha256": weights.sha256(trained["model2"]),
    }


def test_missing_onnx_package_is_an_error_of_one_line(trained, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(EnvironmentSetupError, match="onnx cannot be imported") as caught:
        onnx_model(trained["model2"])
    assert "\n" not in str(caught.value)


def test_weights_without_a_variable_are_refused(damaged):
    """A missing variable must not become zeros."""
    with h5py.File(damaged, "r+") as file:
        del file["decoder1_norm/gamma"]
    with pytest.raises(WeightsError, match="lacks decoder1_norm/gamma"):
        onnx_model(damaged)


def test_weights_of_another_shape_are_refused(damaged):
    with h5py.File(damaged, "r+") as file:
        del file["middle_conv/kernel"]
        file["middle_conv/kernel"] = np.zeros((1, 1, 64, 64))
    with pytest.raises(WeightsError, match=r"middle_conv/kernel has shape \(1, 1, 64, 64\)"):
        onnx_model(damaged)


def test_weights_with_an_additional_variable_are_refused(damaged):
    """They belong to another network, of which a part fits."""
    with h5py.File(damaged, "r+") as file:
        file["encoder3_conv/bias"] = np.zeros(3)
    with pytest.raises(WeightsError, match="unknown variable encoder3_conv/bias"):
        onnx_model(damaged)
