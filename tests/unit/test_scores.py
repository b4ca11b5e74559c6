"""The score, on cases counted by hand."""

import numpy as np
import pytest

from followme_uav.learn import scores


def planes(*boxes, size=20):
    """One plane per box (top, left, height, width); None is an empty plane."""
    result = np.zeros((len(boxes), size, size), bool)
    for plane, box in zip(result, boxes, strict=True):
        if box is not None:
            top, left, height, width = box
            plane[top : top + height, left : left + width] = True
    return result


def test_counts_and_overlap():
    truth = planes((0, 0, 4, 4), (0, 0, 4, 4), (0, 0, 4, 4), None, None, (0, 0, 1, 3))
    predicted = planes((0, 0, 4, 4), (0, 2, 4, 4), None, None, (5, 5, 2, 2), (0, 0, 1, 3))
    s = scores.score("s", truth, predicted)
    assert (s.true_positive, s.false_positive, s.false_negative) == (2, 1, 1)
    assert (s.frames, s.hero_frames) == (6, 3)
    assert s.hero_iou == pytest.approx((1 + 8 / 24 + 0) / 3)
    # Three pixels are no hero to detect, but their overlap counts in the mean over all frames.
    assert s.hero_iou_all == pytest.approx((1 + 8 / 24 + 0 + 0 + 0 + 1) / 6)
    assert s.detection_accuracy == pytest.approx(4 / 6)
    assert s.weight == pytest.approx(2 / 4)


def test_four_pixels_are_a_detection_three_are_not():
    s = scores.score("s", planes(None, None), planes((0, 0, 1, 3), (0, 0, 2, 2)))
    assert (s.false_positive, s.false_negative) == (1, 0)


def test_final_score():
    following = scores.score("f", planes((0, 0, 4, 4)), planes((0, 0, 4, 4)))
    without = scores.score("n", planes(None, None), planes((0, 0, 4, 4), None))
    with_hero = scores.score("w", planes((0, 0, 4, 4), None), planes((0, 0, 4, 2), None))
    # IoU (1 + 0.5 / 2) / 2, weight 2 / 3.
    assert scores.final_score(following, without, with_hero) == pytest.approx(0.625 * 2 / 3)


def test_final_score_without_any_detection_is_zero():
    empty = scores.score("e", planes(None), planes(None))
    assert scores.final_score(empty, empty, empty) == 0


def test_hero_needs_more_than_half():
    probabilities = np.array([[0, 0, 127], [0, 0, 128]], np.uint8)
    np.testing.assert_array_equal(scores.hero_of(probabilities), [False, True])
