"""Segmenter: equal bytes for equal images, and the same masks with each library."""

import os
import subprocess
import sys

import numpy as np
import pytest

from followme_uav.errors import EnvironmentSetupError, WeightsError
from followme_uav.perception import segmenter as segmenter_module
from followme_uav.perception import weights
from followme_uav.perception.models import ARCHITECTURES
from followme_uav.perception.segmenter import ImageError, Segmenter
from tests.unit.trained_networks import noise, street, write_varied_weights

pytestmark = pytest.mark.slow

RUNTIMES = ("openvino", "tensorflow")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    return {name: write_varied_weights(name, folder) for name in ARCHITECTURES}


@pytest.fixture(scope="module")
def segmenters(trained):
    return {name: Segmenter(trained["model2"], runtime=name) for name in RUNTIMES}


@pytest.fixture(params=RUNTIMES)
def segmenter(segmenters, request):
    return segmenters[request.param]


@pytest.fixture
def image():
    return noise(1, 160, 160)[0]


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_mask_is_the_probabilities_of_the_network_in_bytes(trained, architecture, runtime):
    """Training and flight may use different libraries; both must give the same masks."""
    model = weights.load_model(trained[architecture])
    segmenter = Segmenter(trained[architecture], runtime=runtime)
    for images in (noise(2, 160, 160), street(4, 160, 160), street(2, 96, 256)):
        expected = np.asarray(model(images.astype(np.float32) / 127.5 - 1)) * 255
        masks = segmenter.segment_batch(images)
        assert masks.dtype == np.uint8
        assert np.ptp(masks) > 50
        np.testing.assert_allclose(masks, expected, atol=0.51)
        assert np.mean(masks.argmax(-1) == np.rint(expected).argmax(-1)) >= 0.999


def test_same_image_gives_the_same_bytes(segmenter, image):
    """Replaying a flight must give the masks of the flight."""
    first = segmenter.segment(image).tobytes()
    assert all(segmenter.segment(image.copy()).tobytes() == first for _ in range(5))


def test_mask_is_not_overwritten_by_the_next_one(segmenter, image):
    """The flight log keeps masks longer than the control loop."""
    first = segmenter.segment(image)
    before = first.copy()
    segmenter.segment(image[::-1])
    np.testing.assert_array_equal(first, before)


def test_batch_agrees_with_single_images(segmenter):
    """Evaluation runs in batches, a flight frame by frame."""
    images = noise(37, 32, 48)
    singles = np.stack([segmenter.segment(i) for i in images]).astype(int)
    assert np.abs(segmenter.segment_batch(images) - singles).max() <= 1


def test_openvino_gives_the_same_bytes_in_batches_as_in_flight(segmenters):
    """A replay may segment the frames of a flight in batches."""
    images = street(9, 160, 160)
    singles = np.stack([segmenters["openvino"].segment(i) for i in images])
    np.testing.assert_array_equal(segmenters["openvino"].segment_batch(images), singles)


def test_no_images_give_no_masks(segmenter):
    """An empty set of frames is valid."""
    assert segmenter.segment_batch(noise(0, 160, 160)).shape == (0, 160, 160, 3)


def test_other_image_sizes_give_masks_of_that_size(segmenter):
    assert segmenter.segment(np.zeros((256, 128, 3), np.uint8)).shape == (256, 128, 3)


def test_images_that_are_not_contiguous_give_the_same_mask(segmenter, image):
    """A flipped view of an array must not be read as another image."""
    view = image[::-1, :, ::-1]
    np.testing.assert_array_equal(segmenter.segment(view), segmenter.segment(view.copy()))


def test_read_only_images_give_the_same_mask(segmenter, image):
    """Arrays from a message or a log are read-only."""
    expected = segmenter.segment(image)
    image.flags.writeable = False
    np.testing.assert_array_equal(segmenter.segment(image), expected)


def test_openvino_uses_the_given_number_of_threads(trained):
    """Several flights on one machine must share its cores."""
    segmenter = Segmenter(trained["model2"], runtime="openvino", threads=1)
    (request,) = segmenter._runtime._runner._single.values()
    assert request.get_compiled_model().get_property("INFERENCE_NUM_THREADS") == 1


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((160, 160, 3), np.float32), "float32.*uint8"),
        (np.zeros((160, 160), np.uint8), "shape"),
        (np.zeros((160, 160, 4), np.uint8), "RGB"),
        (np.zeros((144, 254, 3), np.uint8), "254x144.*multiples of 8"),
        (np.zeros((0, 0, 3), np.uint8), "0x0"),
    ],
)
def test_unusable_image_is_an_error_that_names_the_reason(segmenter, bad, message):
    """A camera with a wrong setting must be noticed at its first frame."""
    with pytest.raises(ImageError, match=message):
        segmenter.segment(bad)


def test_segmenter_knows_its_device_network_and_weights(trained, segmenters):
    """Logs record device and weights, so that a flight can be traced to its network."""
    assert segmenters["openvino"].device == "CPU (OpenVINO)"
    assert segmenters["tensorflow"].device in ("CPU (TensorFlow)", "GPU (TensorFlow)")
    for segmenter in segmenters.values():
        assert segmenter.sha256 == weights.sha256(trained["model2"])
        assert segmenter.architecture == "model2"


def test_auto_takes_openvino_without_a_gpu(trained, monkeypatch):
    monkeypatch.setattr(segmenter_module, "_NVIDIA_DRIVER", ())
    assert Segmenter(trained["model2"]).device == "CPU (OpenVINO)"


@pytest.mark.parametrize(("gpu", "library"), [(True, "TensorFlow"), (False, "OpenVINO")])
def test_auto_asks_tensorflow_for_a_gpu_if_there_is_a_driver(
    trained, monkeypatch, tmp_path, gpu, library
):
    """A GPU must be used; with a driver that TensorFlow cannot use, OpenVINO is faster."""
    monkeypatch.setattr(segmenter_module, "_NVIDIA_DRIVER", (tmp_path,))
    monkeypatch.setattr(segmenter_module, "sees_gpu", lambda tf: gpu)
    assert library in Segmenter(trained["model2"]).device


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_missing_library_is_an_error_of_one_line(trained, monkeypatch, runtime):
    """The user must not get the traceback of another package."""
    monkeypatch.setitem(sys.modules, runtime, None)
    with pytest.raises(EnvironmentSetupError, match="cannot be imported") as caught:
        Segmenter(trained["model2"], runtime=runtime)
    assert "\n" not in str(caught.value)


def test_openvino_runs_without_tensorflow(trained):
    """TensorFlow takes seconds to start, and crashes in one process with Mesa."""
    code = (
        "import sys; from pathlib import Path; import numpy as np;"
        "from followme_uav.perception.segmenter import Segmenter;"
        "s = Segmenter(Path(sys.argv[1]), runtime='openvino');"
        "s.segment_batch(np.zeros((3, 160, 160, 3), np.uint8));"
        "print(sorted({'keras', 'tensorflow'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(trained["model2"])],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_missing_weights_are_an_error(tmp_path, runtime):
    with pytest.raises(WeightsError, match="no such weights file"):
        Segmenter(tmp_path / "none.h5", runtime=runtime)


_OTHER_BACKEND = """
import sys
from pathlib import Path
import keras, numpy as np
from followme_uav.perception import weights
model = weights.load_model(Path(sys.argv[1]))
images = np.load(sys.argv[2])
np.save(sys.argv[3], model.predict(images.astype(np.float32) / 127.5 - 1, verbose=0))
assert keras.backend.backend() == "openvino" and "tensorflow" not in sys.modules
"""


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_networks_run_on_a_keras_backend_other_than_tensorflow(trained, architecture, tmp_path):
    """Users with JAX or PyTorch on their GPU must be able to use the networks.

    The test takes OpenVINO, the only other backend that is installed. Keras lets it round to
    bfloat16 on processors that can, so some pixels on edges differ.
    """
    images = street(4, 160, 160)
    np.save(tmp_path / "images.npy", images)
    done = subprocess.run(
        [sys.executable, "-c", _OTHER_BACKEND, str(trained[architecture])]
        + [str(tmp_path / name) for name in ("images.npy", "result.npy")],
        env={**os.environ, "KERAS_BACKEND": "openvino"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    expected = Segmenter(trained[architecture]).segment_batch(images).argmax(-1)
    assert np.mean(np.load(tmp_path / "result.npy").argmax(-1) == expected) >= 0.99
