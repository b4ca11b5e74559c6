"""The segmenter: bytes in, bytes out, the same for the same image."""

import keras
import numpy as np
import pytest

from followme_uav.errors import WeightsError
from followme_uav.perception import models, weights
from followme_uav.perception.segmenter import ImageError, Segmenter


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Model 2 with random weights and lively normalisation statistics."""
    keras.utils.set_random_seed(5)
    model = models.model2()
    rng = np.random.default_rng(5)
    for v in model.variables:
        if v.name in ("gamma", "moving_variance"):
            v.assign(rng.uniform(0.5, 1.5, v.shape))
        elif v.name in ("beta", "moving_mean", "bias"):
            v.assign(rng.uniform(-0.3, 0.3, v.shape))
    path = tmp_path_factory.mktemp("weights") / "model2.h5"
    weights.save_weights(model, path)
    return model, path


@pytest.fixture(scope="module")
def segmenter(trained):
    return Segmenter(trained[1])


@pytest.fixture
def image():
    return np.random.default_rng(1).integers(0, 256, (160, 160, 3), dtype=np.uint8)


def test_mask_is_the_networks_probabilities_in_bytes(trained, segmenter, image):
    """Whatever is compiled must compute what the network computes."""
    mask = segmenter.segment(image)
    assert mask.dtype == np.uint8
    assert mask.shape == (160, 160, 3)
    expected = np.asarray(trained[0](image[None].astype(np.float32) / 127.5 - 1)) * 255
    assert np.ptp(mask) > 50
    np.testing.assert_allclose(mask, expected[0], atol=0.51)


def test_same_image_same_bytes(segmenter, image):
    """Replaying a flight must give the masks of the flight."""
    first = segmenter.segment(image).tobytes()
    assert all(segmenter.segment(image.copy()).tobytes() == first for _ in range(5))


def test_batch_agrees_with_single_images(segmenter, image):
    """Evaluation runs in batches, flights frame by frame: both are the same network."""
    images = np.stack([image, image[::-1], image[:, ::-1]])
    singles = np.stack([segmenter.segment(i) for i in images]).astype(int)
    assert np.abs(segmenter.segment_batch(images) - singles).max() <= 1


def test_other_sizes_work(segmenter):
    assert segmenter.segment(np.zeros((256, 128, 3), np.uint8)).shape == (256, 128, 3)


def test_images_not_contiguous_in_memory_work(segmenter, image):
    """Cameras deliver flipped views; they must not be read as something else."""
    view = image[::-1, :, ::-1]
    np.testing.assert_array_equal(segmenter.segment(view), segmenter.segment(view.copy()))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((160, 160, 3), np.float32), "float32.*uint8"),
        (np.zeros((160, 160), np.uint8), "shape"),
        (np.zeros((160, 160, 4), np.uint8), "RGB"),
        (np.zeros((144, 254, 3), np.uint8), "254x144.*multiples of 4"),
        (np.zeros((0, 0, 3), np.uint8), "0x0"),
    ],
)
def test_unusable_image_is_named(segmenter, bad, message):
    """A camera set up wrongly must be recognised at the first frame."""
    with pytest.raises(ImageError, match=message):
        segmenter.segment(bad)


def test_says_what_it_runs(trained, segmenter):
    """Logs record device and weights: a flight can be traced to its network."""
    assert segmenter.device in ("CPU", "GPU")
    assert segmenter.sha256 == weights.sha256(trained[1])
    assert segmenter.architecture == "model2"


def test_missing_weights(tmp_path):
    with pytest.raises(WeightsError, match="no such weights file"):
        Segmenter(tmp_path / "none.h5")
