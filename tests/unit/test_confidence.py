"""If these fail, a score says more than its frames do, or a network looks better than it is."""

import numpy as np
import pytest

from followme_uav.learn.evaluation import confidence, scores
from followme_uav.statistics.intervals import Interval
from tests.unit.test_scores import measure, planes


def hero_frames(count, rng, hit=0.7, size=30):
    """Frames of which every second one has a hero, found with an offset or missed."""
    truth, predicted = np.zeros((2, count, size, size), bool)
    for i in range(0, count, 2):
        top, left = rng.integers(2, size - 8, 2)
        truth[i, top : top + 5, left : left + 4] = True
        if rng.random() < hit:
            top += rng.integers(0, 3)
            predicted[i, top : top + 5, left : left + 4] = True
    for i in range(1, count, 2):
        predicted[i, :3, :3] = rng.random() < 0.2
    return measure(truth, predicted)


def kinds(seed, count=40, hit=0.7):
    rng = np.random.default_rng(seed)
    return [hero_frames(count, rng, hit) for _ in range(3)]


def final_of(measured, frames=None):
    return scores.final_score(*(scores.summarise("s", m) for m in measured), frames)


@pytest.mark.parametrize("frames", [None, scores.UDACITY_FRAMES])
def test_interval_contains_the_final_score_that_the_tables_show(frames):
    measured = kinds(1)
    interval = confidence.final_score_interval(measured, frames)
    assert interval.value == pytest.approx(final_of(measured, frames))
    assert interval.low < interval.value < interval.high


def test_interval_covers_the_score_of_many_frames_as_often_as_it_says():
    expected = final_of(kinds(0, count=4000))
    found = [confidence.final_score_interval(kinds(seed, count=60)) for seed in range(1, 61)]
    assert 0.85 <= np.mean([i.low <= expected <= i.high for i in found]) <= 1.0


def test_interval_halves_with_four_times_the_frames():
    few, many = (confidence.final_score_interval(kinds(3, count=n)) for n in (100, 400))
    assert (few.high - few.low) / (many.high - many.low) == pytest.approx(2.0, rel=0.25)


@pytest.mark.parametrize("alone", [0, 1, 2])
def test_kind_of_one_frame_leaves_the_interval_of_the_others(alone):
    """An interval without a width would say that the score is certain."""
    measured = kinds(1)
    measured[alone] = hero_frames(1, np.random.default_rng(2), hit=1.0)
    interval = confidence.final_score_interval(measured)
    assert interval.value == pytest.approx(final_of(measured))
    assert interval.low < interval.value < interval.high


def test_network_is_as_good_as_itself():
    measured = kinds(4)
    same = confidence.compare("a.h5", "0", measured, measured, final=True)
    assert same.final_score == Interval(0.0, 0.0, 0.0)
    assert (same.detected.p_value, same.silent.p_value) == (1.0, 1.0)


def test_comparison_counts_the_frames_in_which_only_one_network_is_right():
    truth = planes((0, 0, 4, 4), (0, 0, 4, 4), (0, 0, 2, 2), None, None)
    own = measure(truth, planes(None, (0, 0, 4, 4), None, (5, 5, 3, 3), None))
    other = measure(truth, planes((0, 0, 4, 4), (0, 0, 4, 4), (0, 0, 2, 2), None, (1, 1, 2, 2)))
    found = confidence.compare("b.h5", "1", [own], [other], final=False)
    assert found.final_score is None
    assert (found.detected.better, found.detected.worse) == (2, 0)
    assert (found.silent.better, found.silent.worse) == (1, 1)
    assert found.hero_iou.value == pytest.approx((1 + 0 + 1) / 3)
    assert [(s.label, s.frames, s.detected.better) for s in found.sizes] == [
        ("4 to 7", 1, 1),
        ("16 to 31", 2, 1),
    ]


def test_paired_interval_is_narrower_than_the_difference_of_two_scores():
    """Hard frames are hard for both networks; the pairing takes that out."""
    truth = np.zeros((80, 20, 20), bool)
    rng = np.random.default_rng(8)
    own, other = np.zeros((2, *truth.shape), bool)
    for i in range(80):
        truth[i, 2:8, 2:8] = True
        rows = rng.integers(1, 6)
        own[i, 2 : 2 + rows, 2:8] = True
        other[i, 2 : 3 + rows, 2:8] = True
    one, two = measure(truth, own), measure(truth, other)
    paired = confidence.compare("c.h5", "2", [one], [two], final=False).hero_iou
    alone = confidence.hero_iou_interval(one)
    assert 0.0 < paired.low < paired.high
    assert paired.high - paired.low < 0.2 * (alone.high - alone.low)
