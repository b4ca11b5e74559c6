"""If these fail, the pilot looks at the wrong blob, or at two halves of the hero."""

import numpy as np
import pytest
from followme_uav.perception.observe import _bridged, observe
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from followme_uav.config import load_config
from followme_uav.messages import MaskClass

CONFIG = load_config().observe


def blank():
    mask = np.zeros((160, 160, 3), np.uint8)
    mask[..., MaskClass.BACKGROUND] = 255
    return mask


def paint(mask, top, left, height, width, probability=255):
    mask[top : top + height, left : left + width, MaskClass.HERO] = probability
    mask[top : top + height, left : left + width, MaskClass.BACKGROUND] = 255 - probability
    return mask


def test_an_empty_mask_shows_nobody():
    assert observe(blank(), CONFIG) == []


@given(st.integers(0, 130), st.integers(0, 140), st.integers(3, 30), st.integers(3, 20))
def test_a_rectangle_is_seen_where_it_is(top, left, height, width):
    (seen,) = observe(paint(blank(), top, left, height, width), CONFIG)
    assert (seen.area_px, seen.height_px, seen.width_px) == (height * width, height, width)
    assert seen.u == pytest.approx(2 * (left + width / 2) / 160 - 1)
    assert seen.v == pytest.approx(2 * (top + height / 2) / 160 - 1)
    assert seen.confidence == pytest.approx(1.0)


def test_a_lamp_post_in_front_of_her_makes_one_blob():
    mask = paint(paint(blank(), 50, 50, 20, 4), 50, 56, 20, 4)
    assert [blob.area_px for blob in observe(mask, CONFIG)] == [160]


def test_two_people_are_two_blobs_the_larger_one_first():
    mask = paint(paint(blank(), 50, 20, 10, 4), 50, 100, 20, 8)
    assert [blob.area_px for blob in observe(mask, CONFIG)] == [160, 40]


def test_noise_and_doubt_are_not_seen():
    assert observe(paint(blank(), 10, 10, 1, CONFIG.min_area_px - 1), CONFIG) == []
    doubtful = paint(blank(), 10, 10, 10, 10, probability=int(255 * CONFIG.min_confidence) - 3)
    assert observe(doubtful, CONFIG) == []


def test_somebody_partly_like_her_is_not_pure():
    """A third of a rust-coloured coat looks like hers; nobody else tells the two apart."""
    mask = paint(blank(), 50, 50, 20, 4)
    mask[56:66, 50:54] = (0, 255, 0)
    (seen,) = observe(mask, CONFIG.model_copy(update={"join_px": 10}))
    assert seen.purity == pytest.approx(0.5)
    (alone,) = observe(paint(blank(), 50, 50, 20, 4), CONFIG)
    assert alone.purity == 1.0


def test_another_head_over_a_jacket_like_hers_counts():
    mask = paint(blank(), 50, 50, 20, 8)
    mask[46:50, 52:56] = (0, 255, 0)
    (seen,) = observe(mask, CONFIG)
    assert seen.purity < CONFIG.sure_purity


def test_who_stands_beside_her_does_not():
    mask = paint(blank(), 50, 50, 20, 8)
    mask[50:70, 58:66] = (0, 255, 0)
    (seen,) = observe(mask, CONFIG)
    assert seen.purity == 1.0


@given(
    arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=9)),
    st.integers(0, 4),
)
def test_gaps_are_bridged_as_the_library_would(hero, join_px):
    expected = ndimage.maximum_filter(hero.view(np.uint8), size=join_px + 1)
    assert (_bridged(hero, join_px) == expected.astype(bool)).all()
