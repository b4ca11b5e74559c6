"""Access to the pixels of an image, four bytes at once."""

from __future__ import annotations

import numpy as np
import pytest

from followme_uav.channels import with_fourth_byte, without_fourth_byte
from followme_uav.log.entry import EncodedImage
from followme_uav.log.images import decode_camera_image, encode_mask, rounded_mask


@pytest.fixture
def image():
    return np.random.default_rng(5).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def test_pixels_of_an_image_give_the_image_back(image):
    for view in (image, image[::-1], image[1:4, ::2]):
        pixels = with_fourth_byte(view)
        assert pixels.shape == view.shape[:2]
        assert np.array_equal(without_fourth_byte(pixels), view)


def test_whole_image_of_pixels_is_not_copied_but_a_part_is(image):
    pixels = with_fourth_byte(image)
    assert with_fourth_byte(without_fourth_byte(pixels)) is pixels
    part = without_fourth_byte(pixels)[1:, 1:]
    assert np.array_equal(without_fourth_byte(with_fourth_byte(part)), image[1:, 1:])


def test_mask_is_encoded_without_loss_whatever_the_fourth_byte_holds():
    """A mask may be the view of pixels whose fourth byte is not 0."""
    rng = np.random.default_rng(6)
    rounded = rounded_mask(rng.integers(0, 256, (8, 7, 3), dtype=np.uint8))
    pixels = with_fourth_byte(np.ascontiguousarray(rounded))
    pixels.view(np.uint8).reshape(8, 7, 4)[..., 3] = rng.integers(0, 256, (8, 7))
    mask = without_fourth_byte(pixels)
    assert encode_mask(mask) == encode_mask(np.ascontiguousarray(rounded))
    assert np.array_equal(decode_camera_image(EncodedImage(encode_mask(mask), "png")), rounded)
    assert np.array_equal(rounded_mask(mask), rounded)


def test_rounded_mask_is_the_nearest_one_in_fifteenths_hero_before_people():
    mask = np.random.default_rng(7).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    mask[:20] //= 12  # certain background, as most pixels of a flight
    people, hero = (np.rint(mask[..., channel] / 17).astype(int) for channel in (1, 2))
    people = np.minimum(people, 15 - hero)
    wanted = 17 * np.stack([15 - people - hero, people, hero], axis=-1)
    assert np.array_equal(rounded_mask(mask), wanted)
