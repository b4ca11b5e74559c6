"""Detections in a mask: position, size, confidence, purity, and joined fragments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from followme_uav.config import load_config
from followme_uav.messages import MaskClass
from followme_uav.perception.detection import _bridged, detect

CONFIG = load_config()
DETECTION = CONFIG.detection


def blank():
    mask = np.zeros((160, 160, 3), np.uint8)
    mask[..., MaskClass.BACKGROUND] = 255
    return mask


def paint(mask, top, left, height, width, probability=255):
    mask[top : top + height, left : left + width, MaskClass.HERO] = probability
    mask[top : top + height, left : left + width, MaskClass.BACKGROUND] = 255 - probability
    return mask


def test_mask_without_hero_pixels_gives_no_detections():
    assert detect(blank(), DETECTION) == []


@given(st.integers(0, 130), st.integers(0, 140), st.integers(3, 30), st.integers(3, 20))
def test_detection_has_position_size_and_confidence_of_a_rectangle(top, left, height, width):
    (found,) = detect(paint(blank(), top, left, height, width), DETECTION)
    assert (found.area_px, found.height_px, found.width_px) == (height * width, height, width)
    assert found.u == pytest.approx(2 * (left + width / 2) / 160 - 1)
    assert found.v == pytest.approx(2 * (top + height / 2) / 160 - 1)
    assert found.confidence == pytest.approx(1.0)


def test_fragments_beside_a_lamp_post_are_one_detection():
    mask = paint(paint(blank(), 50, 50, 20, 4), 50, 56, 20, 4)
    assert [found.area_px for found in detect(mask, DETECTION)] == [160]


def test_two_people_are_two_detections_with_the_larger_one_first():
    mask = paint(paint(blank(), 50, 20, 10, 4), 50, 100, 20, 8)
    assert [found.area_px for found in detect(mask, DETECTION)] == [160, 40]


def test_groups_that_are_too_small_or_of_low_confidence_are_not_detected():
    assert detect(paint(blank(), 10, 10, 1, DETECTION.min_area_px - 1), DETECTION) == []
    probability = int(255 * DETECTION.min_confidence) - 3
    assert detect(paint(blank(), 10, 10, 10, 10, probability), DETECTION) == []


def test_purity_is_low_for_a_person_with_mixed_class_labels():
    """The network marks a third of a rust-coloured coat as the hero."""
    mask = paint(blank(), 50, 50, 20, 4)
    mask[56:66, 50:54] = (0, 255, 0)
    (mixed,) = detect(mask, DETECTION.model_copy(update={"join_px": 10}))
    assert mixed.purity == pytest.approx(0.5)
    (alone,) = detect(paint(blank(), 50, 50, 20, 4), DETECTION)
    assert alone.purity == 1.0


def test_purity_is_low_for_another_head_above_a_jacket_like_the_hero_s():
    mask = paint(blank(), 50, 50, 20, 8)
    mask[46:50, 52:56] = (0, 255, 0)
    (found,) = detect(mask, DETECTION)
    assert found.purity < CONFIG.classification.purity_min


def test_person_beside_the_hero_does_not_lower_the_purity():
    mask = paint(blank(), 50, 50, 20, 8)
    mask[50:70, 58:66] = (0, 255, 0)
    (found,) = detect(mask, DETECTION)
    assert found.purity == 1.0


@given(
    arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=9)),
    st.integers(0, 4),
)
def test_gaps_are_bridged_as_by_the_maximum_filter_of_scipy(hero, join_px):
    expected = ndimage.maximum_filter(hero.view(np.uint8), size=join_px + 1)
    assert (_bridged(hero, join_px) == expected.astype(bool)).all()
