"""`export --int8`: a quantised network flies as the network that it was made of."""

import sys

import numpy as np
import onnx
import pytest
from PIL import Image

from followme_uav.perception.int8 import image_size_px
from followme_uav.perception.onnx_description import NetworkDescription
from followme_uav.perception.segmenter import Segmenter
from tests.unit.trained_networks import street, write_varied_weights

NETWORK = "model4"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Weights, and images for the calibration in `images`."""
    folder = tmp_path_factory.mktemp("int8")
    write_varied_weights(NETWORK, folder)
    (folder / "images").mkdir()
    for number, image in enumerate(street(6, 256, 256)):
        Image.fromarray(image).save(folder / "images" / f"{number}.png")
    return folder


@pytest.fixture
def export(followme, folder):
    """Run `export`, with or without `--int8`; returns the file, and what was printed."""

    def run(name, *arguments):
        file = folder / name
        weights = folder / f"{NETWORK}.h5"
        code, out, err = followme("export", "--onnx", file, "--weights", weights, *arguments)
        assert (code, err) == (0, "")
        return file, out

    return run


def test_missing_extra_is_named_in_one_line_before_any_work(followme, monkeypatch):
    monkeypatch.setitem(sys.modules, "nncf", None)
    code, out, err = followme("export", "--onnx", "x.onnx", "--int8", "gone", "--weights", "x.h5")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "--int8 needs the package 'nncf'" in err
    assert "pip install 'followme-uav[int8]'" in err


def test_missing_folder_is_refused_in_one_line_and_nothing_is_written(followme, tmp_path):
    pytest.importorskip("nncf", reason="networks are quantised by NNCF, extra [int8]")
    code, out, err = followme("export", "--onnx", "x.onnx", "--int8", "gone")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "gone: no such folder" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("description", "size_px"),
    [
        ({"trained_width_px": 256, "side_multiple_px": 16}, (256, 256)),
        ({"trained_width_px": 160, "side_multiple_px": 64}, (192, 192)),
        ({"height_px": 96, "width_px": 128}, (96, 128)),
    ],
)
def test_network_is_quantised_at_a_size_that_it_takes(description, size_px):
    network = NetworkDescription.model_validate({"classes": {"hero": 2}, **description})
    assert image_size_px(network) == size_px


@pytest.mark.slow
def test_int8_network_is_a_quarter_of_the_file_and_gives_nearly_the_same_masks(export, folder):
    pytest.importorskip("nncf", reason="networks are quantised by NNCF, extra [int8]")
    plain, _ = export("plain.onnx")
    int8, told = export("int8.onnx", "--int8", folder / "images")
    assert f"{NETWORK}, int8 by 6 images" in told
    assert told.count("\n") == 2, "NNCF's own messages stay away"
    assert int8.stat().st_size < 0.3 * plain.stat().st_size
    description = int8.with_suffix(".yaml").read_text()
    assert description == plain.with_suffix(".yaml").read_text()
    facts = [{p.key: p.value for p in onnx.load(file).metadata_props} for file in (plain, int8)]
    assert facts[1] == {**facts[0], "precision": "int8"}
    images = street(4, 256, 256)
    first, second = (Segmenter(file).segment_batch(images) for file in (plain, int8))
    assert np.mean(first.argmax(-1) == second.argmax(-1)) > 0.95
    assert not np.array_equal(first, second)


@pytest.mark.slow
def test_the_same_images_give_the_same_int8_network(export, folder):
    pytest.importorskip("nncf", reason="networks are quantised by NNCF, extra [int8]")
    files = [export(f"{n}.onnx", "--int8", folder / "images")[0].read_bytes() for n in range(2)]
    assert files[0] == files[1]
