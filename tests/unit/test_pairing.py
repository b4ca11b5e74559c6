"""Pairing of images and masks by their names, and never by the order of files."""

from pathlib import Path

import pytest

from followme_uav.errors import DataError
from followme_uav.learn.data.pairing import image_files, pair

CAM, MASK = "0_run1cam1_{:05d}.jpeg", "0__mask_{:05d}.png"


def paired(images, masks):
    pairing = pair([Path(name) for name in images], [Path(name) for name in masks])
    return {image.name: mask.name for image, mask in pairing.pairs}


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        (CAM, MASK),
        ("{}.jpeg", "{}_mask.png"),
        ("{}.jpg", "{}.png"),
        ("IMG_{:04d}.JPG", "img_{:04d}.PNG"),
        ("{}.png", "{:05d}.png"),
        ("img{}.jpg", "mask{}.png"),
        ("cam{:05d}.png", "mask{:05d}.png"),
        ("photo_{:04d}.jpg", "truth-{}.png"),
        ("a_{:03d}_left8bit.png", "a_{:03d}_gtFine.png"),
        ("10_run4cam1_{:05d}.jpeg", "10_run4_mask_{:05d}.png"),
        ("1_run1_cam1_{:05d}_data_pack2.jpeg", "1_run1_mask_{:05d}_data_pack2.png"),
        ("2017-01-02_{:05d}.jpeg", "{}_mask.jpg"),
        ("{:05d}_cam1.jpg", "{:05d}_mask.png"),
        ("Bild {}.jpg", "Maske ({}).png"),
    ],
)
def test_image_and_mask_pair_by_the_parts_that_their_names_share(image, mask):
    numbers = (1, 2, 5, 10, 20, 101)
    pairs = paired([image.format(n) for n in numbers], [mask.format(n) for n in reversed(numbers)])
    assert pairs == {image.format(n): mask.format(n) for n in numbers}


def test_single_image_and_mask_pair_by_name():
    assert paired([CAM.format(5)], [MASK.format(5)])
    assert paired(["img1.jpg"], ["mask1.png"])


def test_names_without_numbers_pair_by_their_words():
    pairs = paired(["alice.jpg", "bob.jpg"], ["mask_bob.png", "mask_alice.png"])
    assert pairs == {"alice.jpg": "mask_alice.png", "bob.jpg": "mask_bob.png"}


def test_recording_number_is_not_confused_with_a_longer_number():
    """Run 4 of recording 10 and recording 4 share a number."""
    pairs = paired(
        ["4_run2cam1_00005.jpeg", "10_run4cam1_00005.jpeg"],
        ["4__mask_00005.png", "10__mask_00005.png"],
    )
    assert pairs["10_run4cam1_00005.jpeg"] == "10__mask_00005.png"


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        (["0_run1cam1_00005.jpeg", "0_run2cam1_00005.jpeg"], ["0__mask_00005.png"]),
        (["1.jpg", "1.png"], ["1_mask.png"]),
        (["5.png", "00005.png"], ["005.png"]),
        (["1_image.jpg"], ["1.png", "1_mask.png"]),
    ],
)
def test_name_that_fits_two_files_is_refused(images, masks):
    with pytest.raises(DataError, match="fits several") as caught:
        paired(images, masks)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("images", "masks"),
    [
        (
            ["0_run1cam1_00005.jpg", "0_run1cam1_00006.jpg"],
            ["0_run2_00005.png", "0_run2_00006.png"],
        ),
        (["1_run1cam1_00005.jpeg"], ["2__mask_00005.png"]),
        (["alice.jpg", "bob.jpg"], ["carol.png", "dave.png"]),
        (["1.jpg", "2.jpg"], ["3.png", "4.png"]),
    ],
)
def test_names_that_share_too_little_do_not_pair_by_order(images, masks):
    assert paired(images, masks) == {}


def test_images_of_several_cameras_get_the_masks_of_their_camera():
    """Two cameras see the same moment from two places."""
    images = ["cam1_00001.png", "cam2_00001.png", "cam2_00002.png"]
    masks = ["cam2_00001_mask.png", "cam1_00001_mask.png"]
    assert paired(images, masks) == {
        "cam1_00001.png": "cam1_00001_mask.png",
        "cam2_00001.png": "cam2_00001_mask.png",
    }
    assert not paired(images[::2], ["cam2_00001_mask.png", "cam1_00002_mask.png"])


def test_missing_mask_does_not_shift_other_pairs():
    images = [CAM.format(n) for n in range(6)]
    masks = [MASK.format(n) for n in (0, 1, 3, 4, 5, 7)]
    pairing = pair([Path(name) for name in images], [Path(name) for name in masks])
    assert [image.name for image in pairing.images_alone] == [CAM.format(2)]
    assert [mask.name for mask in pairing.masks_alone] == [MASK.format(7)]
    assert all(image.stem[-5:] == mask.stem[-5:] for image, mask in pairing.pairs)


def test_several_rules_are_listed_with_their_counts():
    pairing = pair([Path("1.jpg"), Path("2.jpg")], [Path("1.png"), Path("2_mask.png")])
    assert pairing.rule.startswith("the same name (1), ")


def test_hidden_files_and_folders_are_not_images(tmp_path):
    for name in ("1.jpg", "._1.jpg", ".DS_Store", "Thumbs.db", "2.PNG"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "3.png").mkdir()
    assert [path.name for path in image_files(tmp_path)] == ["1.jpg", "2.PNG"]
