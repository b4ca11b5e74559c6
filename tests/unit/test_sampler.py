"""Training crops: place, label, size, and repeatability by the seed."""

import colorsys

import numpy as np
import pytest

from followme_uav.errors import ConfigError, DataError
from followme_uav.learn.data import dataset
from followme_uav.learn.training import composition, recolouring, sampler
from followme_uav.learn.training.config import AugmentConfig, SamplingConfig
from followme_uav.learn.training.hard_examples import HardExample, find_hard_examples
from followme_uav.messages import MaskClass
from followme_uav.resizing import resized_image
from tests.unit.labelled_frames import write_frames

PLAIN = AugmentConfig(flip=0, brightness=0, contrast=0, tint=0, saturation=0, hue_deg=0, noise=0)
AUGMENTED = AugmentConfig(
    flip=0.5, brightness=12, contrast=0.1, tint=0.05, saturation=0.15, hue_deg=4, noise=3
)
SAMPLING = {
    "crop_px": 32,
    "scale_min": 1,
    "scale_max": 1,
    "hero": 1,
    "people": 0,
    "mistakes": 0,
    "anywhere": 0,
    "mined_frames": 4,
}


@pytest.fixture
def frames(tmp_path):
    return dataset.load_folders([write_frames(tmp_path / "world", count=6, size=160)])


def make(sets, augment=PLAIN, seed=1, **sampling):
    return sampler.CropSampler(
        sets, SamplingConfig(**(SAMPLING | sampling)), augment, batch_size=40, seed=seed
    )


def test_hero_crops_show_the_hero(frames):
    """The hero fills one pixel in a hundred; without these crops the network ignores the hero."""
    batch = make(frames).batch(0, 0, [])
    assert batch.images.shape == (40, 32, 32, 3)
    assert all((label == 2).any() for label in batch.labels)


@pytest.mark.parametrize("augment", [PLAIN, AUGMENTED])
def test_labels_stay_on_their_pixels_when_crops_are_cut_scaled_and_mirrored(frames, augment):
    """Image and label must be cut, resized and mirrored together, and red must stay red."""
    batch = make(frames, augment, scale_min=0.8, scale_max=1.2).batch(0, 0, [])
    inside = batch.labels == 2
    colours = batch.images[inside].astype(int)
    assert inside.any()
    red = (colours[:, 0] > colours[:, 1] + 60) & (colours[:, 0] > colours[:, 2] + 60)
    assert red.mean() > 0.95
    other = batch.images[batch.labels == 0].astype(int)
    assert (other[:, 0] > other[:, 1] + 60).mean() < 0.02


def test_crop_at_scale_one_is_a_piece_of_the_resized_frame(frames):
    """Training must see the same kind of pixels as evaluation."""
    batch = make(frames, anywhere=1, hero=0, crop_px=160).batch(0, 0, [])
    evaluation = resized_image(frames[0].images[0], (160, 160))
    assert any(np.array_equal(image, evaluation) for image in batch.images)


def test_same_seed_same_batches(frames):
    a = make(frames, AUGMENTED).batch(3, 5, [])
    b = make(frames, AUGMENTED).batch(3, 5, [])
    c = make(frames, AUGMENTED).batch(3, 6, [])
    assert a.images.tobytes() == b.images.tobytes()
    assert a.labels.tobytes() == b.labels.tobytes()
    assert a.images.tobytes() != c.images.tobytes()


def test_blur_smooths_its_share_of_crops_and_keeps_labels_in_place(frames):
    """Blur stands for motion and distance; hero pixels must stay under their labels."""
    sharp = make(frames).batch(0, 0, [])
    blurred = make(frames, PLAIN.model_copy(update={"blur": 0.5, "blur_px": 2.0})).batch(0, 0, [])
    np.testing.assert_array_equal(sharp.labels, blurred.labels)
    change = np.abs(blurred.images.astype(int) - sharp.images)
    changed = change.any(axis=(1, 2, 3))
    assert 10 <= changed.sum() <= 30
    assert np.abs(np.diff(blurred.images[changed].astype(int), axis=2)).mean() < (
        0.8 * np.abs(np.diff(sharp.images[changed].astype(int), axis=2)).mean()
    )
    assert np.abs(change.mean(axis=(1, 2, 3))).max() < 20


def test_jpeg_changes_its_share_of_crops_and_keeps_labels_in_place(frames):
    """The network of a flight sees the images of the log."""
    jpeg = AugmentConfig(**PLAIN.model_dump() | {"jpeg": 0.5, "jpeg_quality": 74})
    plain, compressed = (make(frames, augment).batch(0, 0, []) for augment in (PLAIN, jpeg))
    np.testing.assert_array_equal(plain.labels, compressed.labels)
    changed = (plain.images != compressed.images).any(axis=(1, 2, 3))
    assert 10 <= changed.sum() <= 30
    difference = np.abs(plain.images.astype(int) - compressed.images.astype(int))
    assert 0 < difference[changed].mean() < 12


def test_cut_crops_end_at_the_hero(frames):
    """Most far heroes of the score are cut off by the edge of the image."""

    def at_edge(batch):
        hero = batch.labels == MaskClass.HERO
        sides = (hero[:, 0], hero[:, -1], hero[:, :, 0], hero[:, :, -1])
        return np.array([any(side[i].any() for side in sides) for i in range(len(hero))])

    whole, cut = (at_edge(make(frames, crop_px=64, cut=cut).batch(0, 0, [])) for cut in (0, 1))
    assert cut.mean() > max(0.6, 2 * whole.mean())


def test_hero_in_another_colour_is_somebody_else():
    """A network that goes by the outline follows people in orange or wine."""
    images = np.full((90, 16, 16, 3), 90, np.uint8)
    labels = np.zeros((90, 16, 16), np.uint8)
    sources = ["city"] * 60 + ["real"] * 30
    scarlet = (210, 40, 30)
    images[:, 2:14, 4:10], labels[:, 2:14, 4:10] = scarlet, MaskClass.HERO
    image, label = recolouring.recoloured(
        images, labels, sources, {"city": 0.5}, np.random.default_rng(1)
    )
    somebody = label[:, 8, 8] == MaskClass.PEOPLE
    assert 20 <= somebody.sum() <= 40
    assert not somebody[60:].any()
    np.testing.assert_array_equal(label != MaskClass.BACKGROUND, labels != MaskClass.BACKGROUND)
    np.testing.assert_array_equal(image[~somebody], images[~somebody])
    assert (image[labels == MaskClass.BACKGROUND] == 90).all()
    hues = np.array([colorsys.rgb_to_hsv(*rgb)[0] for rgb in image[somebody, 8, 8] / 255.0])
    own = colorsys.rgb_to_hsv(*scarlet)[0]
    apart_deg = 360 * np.abs((hues - own + 0.5) % 1 - 0.5)
    assert (apart_deg > 8).all()
    assert {True, False} == set((hues - own) % 1 < 0.5)  # orange and wine


def test_far_hero_keeps_the_colour():
    """Of some dozens of pixels most show the background, too."""
    images = np.full((8, 16, 16, 3), 90, np.uint8)
    labels = np.zeros((8, 16, 16), np.uint8)
    labels[:, 2:9, 4:12] = MaskClass.HERO  # 56 pixels
    _, label = recolouring.recoloured(
        images, labels, ["city"] * 8, {"city": 1}, np.random.default_rng(1)
    )
    np.testing.assert_array_equal(label, labels)


def test_pasted_people_bring_their_labels():
    images = np.zeros((40, 8, 8, 3), np.uint8)
    labels = np.zeros((40, 8, 8), np.uint8)
    sources = ["real"] * 20 + ["city"] * 20
    images[::2, 2:4, 2:4], labels[::2, 2:4, 2:4] = 100, MaskClass.HERO
    images[1::2, 6:8, 6:8], labels[1::2, 6:8, 6:8] = 200, MaskClass.PEOPLE
    images[:20] += 1  # of another source

    rng = np.random.default_rng(1)
    image, label = composition.pasted(images, labels, sources, 0.5, rng)
    np.testing.assert_array_equal(label == MaskClass.HERO, image[..., 0] // 2 == 50)
    np.testing.assert_array_equal(label == MaskClass.PEOPLE, image[..., 0] // 2 == 100)
    changed = (label != labels).any(axis=(1, 2))
    assert 5 <= changed.sum() <= 20  # half of half of the others are of the same kind
    assert (image[:20] % 2 == 1).all()
    assert (image[20:] % 2 == 0).all()


def test_hidden_people_are_labelled_as_what_hides_them():
    images = np.full((40, 32, 32, 3), 10, np.uint8)
    labels = np.zeros((40, 32, 32), np.uint8)
    images[:, 10:20, 12:18], labels[:, 10:20, 12:18] = 200, MaskClass.HERO
    image, label = composition.hidden(images, labels, 0.5, np.random.default_rng(1))
    np.testing.assert_array_equal(label == MaskClass.HERO, image[..., 0] == 200)
    visible = (label == MaskClass.HERO).mean(axis=(1, 2)) / (labels[0] == MaskClass.HERO).mean()
    assert 10 <= (visible < 1).sum() <= 30
    assert 0.3 < visible[visible < 1].mean() < 0.9


def test_nobody_is_hidden_in_a_crowd_without_background():
    images = np.zeros((4, 16, 16, 3), np.uint8)
    labels = np.full((4, 16, 16), MaskClass.PEOPLE, np.uint8)
    _, label = composition.hidden(images, labels, 1, np.random.default_rng(1))
    np.testing.assert_array_equal(label, labels)


def test_coarse_crops_have_no_detail(frames):
    """Flights enlarge the images of a camera with fewer pixels than the training frames."""

    def detail(crops):
        images = crops.batch(0, 0, []).images.astype(int)
        return np.abs(np.diff(images, axis=2)).mean(axis=(1, 2, 3))

    coarse = PLAIN.model_copy(update={"coarse": 1, "coarse_min": 0.4})
    fine, enlarged = detail(make(frames, PLAIN)), detail(make(frames, coarse))
    assert (enlarged <= fine + 1e-9).all()
    assert enlarged.mean() < 0.8 * fine.mean()


@pytest.mark.parametrize("size", [{"blur_px": 2.0}, {"coarse_min": 0.9}, {"jpeg_quality": 10}])
def test_size_of_a_change_that_is_off_has_no_effect(frames, size):
    """Trainings in earlier model cards stay repeatable."""
    a = make(frames, AUGMENTED).batch(0, 0, [])
    b = make(frames, AUGMENTED.model_copy(update=size)).batch(0, 0, [])
    assert a.images.tobytes() == b.images.tobytes()


def test_crops_around_hard_examples_show_them(frames):
    """Red objects that were detected as the hero must be trained on again."""
    frames[0].images[:] = 0
    frames[0].images[3, 100, 40] = 255
    example = HardExample(0, 3, 100.5 / 160, 40.5 / 160)
    batch = make(frames, hero=0, mistakes=1).batch(0, 0, [example])
    assert (batch.images.max(axis=(1, 2, 3)) > 50).all()


def test_sources_get_their_shares(tmp_path):
    """A small data set must not be lost among the crops of a large one."""
    big = write_frames(tmp_path / "big", count=9, size=32)
    small = write_frames(tmp_path / "small", count=1, size=32)
    sets = dataset.load_folders([big, small])
    for s, level in zip(sets, (10, 200), strict=True):
        s.images[:] = level
    crops = make(sets, source_share={"small": 0.75}, crop_px=16)
    levels = np.concatenate(
        [crops.batch(0, step, []).images.mean(axis=(1, 2, 3)) for step in range(10)]
    )
    assert 0.65 < (levels > 100).mean() < 0.85


def test_share_of_a_missing_source_goes_to_the_others(frames):
    """A configuration for two data folders must also train on one."""
    alone = make(frames, source_share={"moon": 0.5}).batch(0, 0, [])
    np.testing.assert_array_equal(alone.images, make(frames).batch(0, 0, []).images)


def test_share_of_a_missing_source_goes_to_those_without_a_share(tmp_path):
    sets = dataset.load_folders(
        [write_frames(tmp_path / name, count=1, size=32) for name in ("a", "b", "c")]
    )
    for s, level in zip(sets, (10, 100, 200), strict=True):
        s.images[:] = level
    crops = make(sets, source_share={"a": 0.5, "missing": 0.3}, crop_px=16)
    levels = np.concatenate(
        [crops.batch(0, step, []).images.mean(axis=(1, 2, 3)) for step in range(20)]
    )
    np.testing.assert_allclose([(levels < 50).mean(), (levels > 150).mean()], [0.5, 0.25], atol=0.1)


def test_shares_that_leave_no_crops_are_refused(frames):
    with pytest.raises(ConfigError, match="leaves no crops"):
        make(frames, source_share={"world": 0})


def test_sampler_without_frames_is_refused():
    with pytest.raises(DataError, match="no training frames"):
        make([])


def test_frames_without_hero_give_crops_without_hero(tmp_path):
    sets = dataset.load_folders([write_frames(tmp_path / "w", count=2, size=32, hero=False)])
    assert not (make(sets, crop_px=16).batch(0, 0, []).labels == 2).any()


def test_hard_examples_are_false_positives_and_misses_not_outlines(tmp_path):
    """Almost every outline is off by a pixel; mining them would displace red leaves."""
    sets = dataset.load_folders([write_frames(tmp_path / "w", count=3, size=160)])
    sets[0].labels[:] = 0
    sets[0].labels[0, 40:60, 40:50] = 2
    sets[0].labels[2, 100:104, 20:24] = 2

    def infer(images):
        answers = np.zeros(images.shape, np.uint8)
        answers[0, 38:60, 40:53, 2] = 255  # the hero, two or three pixels too large
        answers[1, 80, 120, 2] = 255  # no hero there
        return answers

    found = find_hard_examples(infer, sets, [(0, 0), (0, 1), (0, 2)], (1,))
    assert [m.frame for m in found] == [1, 2, 2, 2]
    assert (found[0].row * 160, found[0].column * 160) == (80.5, 120.5)
    assert all(100 < m.row * 160 < 104 and 20 < m.column * 160 < 24 for m in found[1:])
