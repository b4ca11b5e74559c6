"""Scores and curves, compared with counts by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from followme_uav.learn.evaluation import curves, scores
from followme_uav.messages import MaskClass


def planes(*boxes, size=20):
    """(frames, size, size): one plane per box (top, left, height, width); None is empty."""
    result = np.zeros((len(boxes), size, size), bool)
    for plane, box in zip(result, boxes, strict=True):
        if box is not None:
            top, left, height, width = box
            plane[top : top + height, left : left + width] = True
    return result


def classes(hero, people=None):
    """(frames, height, width, 3): hero, people, and background where neither is."""
    people = np.zeros_like(hero) if people is None else people
    return np.stack([~(hero | people), people, hero], axis=-1)


def summary(truth, predicted, name="s"):
    """Result for hero planes; predicted probabilities are 0 or 1."""
    return scores.summarise(name, measure(truth, predicted))


def measure(truth, predicted):
    return scores.measure(classes(truth), classes(predicted).astype(np.uint8) * 255)


def test_detection_counts_and_overlap_agree_with_counts_by_hand():
    truth = planes((0, 0, 4, 4), (0, 0, 4, 4), (0, 0, 4, 4), None, None, (0, 0, 1, 3))
    predicted = planes((0, 0, 4, 4), (0, 2, 4, 4), None, None, (5, 5, 2, 2), (0, 0, 1, 3))
    s = summary(truth, predicted)
    assert (s.true_positive, s.false_positive, s.false_negative) == (2, 1, 1)
    assert (s.frames, s.hero_frames) == (6, 3)
    assert s.hero_iou == pytest.approx((1 + 8 / 24 + 0) / 3)
    # Three pixels are too few for a detection, but their overlap counts in the mean over all.
    assert s.hero_iou_all == pytest.approx((1 + 8 / 24 + 0 + 0 + 0 + 1) / 6)
    assert s.detection_accuracy == pytest.approx(4 / 6)
    assert s.weight == pytest.approx(2 / 4)
    assert s.precision == pytest.approx(2 / 3)
    assert s.recall == pytest.approx(2 / 3)


def test_class_iou_is_the_mean_over_frames_with_the_class_in_truth_or_prediction():
    hero = planes((0, 0, 4, 4), None, None)
    people = planes(None, (10, 10, 2, 2), None)
    predicted_people = planes(None, (10, 10, 2, 4), (0, 0, 1, 1))
    s = scores.summarise(
        "s",
        scores.measure(
            classes(hero, people), classes(hero, predicted_people).astype(np.uint8) * 255
        ),
    )
    assert s.class_iou["hero"] == 1  # only in the first frame
    assert s.class_iou["people"] == pytest.approx((4 / 8 + 0) / 2)
    assert s.class_iou["background"] == pytest.approx((1 + 392 / 396 + 399 / 400) / 3)


def test_a_pixel_may_be_predicted_for_no_class():
    """Each probability is compared with 1/2; the score takes no arg max."""
    truth = classes(planes((0, 0, 4, 4)))
    unsure = np.full((1, 20, 20, 3), 85, np.uint8)
    m = scores.measure(truth, unsure)
    assert m.predicted_px.tolist() == [[0, 0, 0]]


def test_centroid_error_is_taken_over_true_positives():
    truth = planes((0, 0, 4, 4), (0, 0, 4, 4), (0, 0, 4, 4), None)
    predicted = planes((0, 0, 4, 4), (3, 4, 4, 4), None, (5, 5, 9, 9))
    s = summary(truth, predicted)
    assert s.centroid_error_median_px == pytest.approx(2.5)
    assert s.centroid_error_p95_px == pytest.approx(4.75)


def test_set_without_detections_has_valid_json():
    """JSON has no NaN, and 0 would be a wrong number."""
    s = summary(planes(None, (0, 0, 4, 4)), planes(None, None))
    assert (s.centroid_error_median_px, s.centroid_error_p95_px, s.precision) == (None, None, None)
    assert s.recall == 0
    assert s.class_iou["people"] is None
    assert json.loads(json.dumps(s.to_dict(), allow_nan=False))["hero_frames"] == 1


def test_four_pixels_are_a_detection_three_are_not():
    s = summary(planes(None, None), planes((0, 0, 1, 3), (0, 0, 2, 2)))
    assert (s.false_positive, s.false_negative) == (1, 0)


def test_final_score_agrees_with_the_formula():
    following = summary(planes((0, 0, 4, 4)), planes((0, 0, 4, 4)))
    without = summary(planes(None, None), planes((0, 0, 4, 4), None))
    with_hero = summary(planes((0, 0, 4, 4), None), planes((0, 0, 4, 2), None))
    # IoU (1 + 0.5 / 2) / 2, weight 2 / 3.
    assert scores.final_score(following, without, with_hero) == pytest.approx(0.625 * 2 / 3)
    # As if 10 frames each: 10 and 5 true positives, 5 false positives.
    scaled = scores.final_score(following, without, with_hero, (10, 10, 10))
    assert scaled == pytest.approx(0.625 * 15 / 20)


def test_final_score_without_any_detection_is_zero():
    empty = summary(planes(None), planes(None))
    assert scores.final_score(empty, empty, empty) == 0


def test_pixel_is_hero_above_a_probability_of_one_half():
    probabilities = np.array([[0, 0, 127], [0, 0, 128]], np.uint8)
    np.testing.assert_array_equal(scores.hero_of(probabilities), [False, True])


def test_frames_measured_in_parts_give_the_same_result():
    """The result must not depend on the batch size."""
    truth = planes((0, 0, 4, 4), (0, 0, 4, 4), None)
    predicted = planes((0, 0, 4, 4), (0, 2, 4, 4), (5, 5, 2, 2))
    whole = measure(truth, predicted)
    parts = scores.FrameScores.join(
        [measure(truth[:2], predicted[:2]), measure(truth[2:], predicted[2:])]
    )
    assert scores.summarise("s", parts) == scores.summarise("s", whole)
    np.testing.assert_array_equal(parts.hero_histogram, whole.hero_histogram)


def random_frames(rng, count, size):
    truth = rng.random((count, size, size)) < rng.choice([0, 0.02, 0.3], (count, 1, 1))
    probabilities = rng.integers(0, 256, (count, size, size, 3)).astype(np.uint8)
    # Mostly correct, so that neither prediction is rare.
    hero = rng.integers(0, 256, truth.shape) * 0.4 + truth * 120
    keep = rng.random((count, 1, 1)) < 0.7
    probabilities[..., MaskClass.HERO] = np.where(keep, hero, hero / 8)
    return truth, probabilities


def test_curves_agree_with_counting_at_each_threshold():
    """The curves come from histograms; an index off by one would shift the thresholds."""
    truth, probabilities = random_frames(np.random.default_rng(5), 40, 12)
    frames = scores.measure(classes(truth), probabilities)
    detection, pixels = curves.detection_curve(frames), curves.pixel_curve(frames)
    for i in (0, 20, 100, 127, 150, 200):
        above = probabilities[..., MaskClass.HERO] > 255 * detection.threshold[i]
        detected, there = above.sum(axis=(1, 2)) > 3, truth.sum(axis=(1, 2)) > 3
        hits = (detected & there).sum()
        assert detection.recall[i] == hits / there.sum()
        if detected.any():
            assert detection.precision[i] == hits / detected.sum()
        assert pixels.recall[i] == (above & truth).sum() / truth.sum()
        if above.any():
            assert pixels.precision[i] == (above & truth).sum() / above.sum()
    half = scores.summarise("s", frames)
    assert detection.at(0.5) == (half.precision, half.recall)


def test_by_size_scores_each_size_class():
    truth = planes((0, 0, 2, 2), (0, 0, 2, 3), (0, 0, 4, 4), None, (0, 0, 1, 3))
    predicted = planes((0, 0, 2, 2), None, (0, 1, 4, 4), (0, 0, 4, 4), None)
    small, large = curves.by_size(measure(truth, predicted))
    assert (small.label, small.frames, small.detected) == ("4 to 7", 2, 0.5)
    assert small.hero_iou == 0.5
    assert small.centroid_error_median_px == 0
    assert (large.label, large.frames, large.detected) == ("16 to 31", 1, 1)
    assert large.hero_iou == pytest.approx(12 / 20)
    assert large.centroid_error_median_px == pytest.approx(1)


def test_a_hero_of_any_size_is_in_a_size_class():
    frames = measure(planes((0, 0, 40, 40), size=60), planes((0, 0, 40, 40), size=60))
    (largest,) = curves.by_size(frames)
    assert (largest.from_px, largest.to_px, largest.label) == (512, None, "512 or more")


def test_final_score_agrees_with_a_count_from_mask_files():
    """A second implementation, by the description of the score, from masks as in files."""
    from followme_uav.learn.data.dataset import LabelledFrames
    from followme_uav.learn.evaluation import prepared as prepared_sets

    rng = np.random.default_rng(11)
    kinds = ("following_images", "patrol_non_targ", "patrol_with_targ")
    prepared, answers = [], {}
    iou, hits, errors = {}, 0, 0
    for kind in kinds:
        labels = np.zeros((12, 256, 256), np.uint8)
        for label in labels:
            height, width = rng.integers(1, {kinds[0]: 60, kinds[1]: 2, kinds[2]: 12}[kind], 2)
            top, left = rng.integers(0, 190, 2)
            label[top : top + height, left : left + width] = MaskClass.HERO
        images = rng.integers(0, 256, (12, 256, 256, 3)).astype(np.uint8)
        files = tuple(Path(f"{i}.png") for i in range(12))
        frames = LabelledFrames("d", f"d/{kind}", images, labels, ("",) * 12, files)
        own = prepared_sets.prepare(frames)
        prepared.append(own)
        values = []
        for image, label in zip(own.images, labels, strict=True):
            mask = np.eye(3, dtype=np.uint8)[label] * 255
            resized = np.asarray(
                Image.fromarray(mask.clip(0, 1)).resize((160, 160), Image.Resampling.BILINEAR)
            )
            truth = resized[..., 2].astype(int)
            guess = np.roll(truth, rng.integers(0, 3), axis=1) * (rng.random() < 0.8)
            if rng.random() < 0.3:
                guess[5:7, 5:7] = 1
            probability = np.zeros((160, 160, 3), np.uint8)
            probability[..., 2] = np.where(guess, 128 + rng.integers(0, 128), 127)
            answers[image.tobytes()] = probability
            union = ((truth + guess) > 0).sum()
            values.append((truth * guess).sum() / union if union else 0.0)
            there, predicted = truth.sum() > 3, guess.sum() > 3
            hits += there and predicted
            errors += there != predicted
        iou[kind] = np.mean(values)
    expected = (iou[kinds[0]] + iou[kinds[2]]) / 2 * hits / (hits + errors)
    sets = prepared_sets.score_sets(
        lambda batch: np.stack([answers[image.tobytes()] for image in batch]), prepared
    )
    assert 0.1 < expected < 0.9
    assert scores.final_score(*sets) == pytest.approx(expected)
