"""Measurement -> Classification: by distance, confidence, purity, height and area."""

import pytest

from followme_uav.config import load_config
from followme_uav.messages import Classification, Detection, GroundCovariance, Measurement
from followme_uav.pilot.tracking.classification import classify

CONFIG = load_config().classification
CLOSE_M = CONFIG.confirm_distance_m - 1.0
NEAR_M = (CONFIG.confirm_distance_m + CONFIG.distance_m) / 2.0
FAR_M = (CONFIG.distance_m + CONFIG.expected_distance_m) / 2.0
CONFIRMED, PROBABLE = Classification.CONFIRMED, Classification.PROBABLE
UNCONFIRMED, REJECTED = Classification.UNCONFIRMED, Classification.REJECTED


def classified(distance_m, *, confidence=1.0, purity=1.0, height=1.0, area=1.0, is_expected=False):
    detection = Detection(0.0, 0.0, 100, 5, 20, confidence, purity)
    covariance = GroundCovariance(0.1, 0.0, 0.1)
    measurement = Measurement((distance_m, 0, -1), covariance, distance_m, height, area, False)
    return classify(detection, measurement, CONFIG, is_expected=is_expected)


@pytest.mark.parametrize(
    ("distance_m", "is_expected", "classification"),
    [
        (CLOSE_M, False, CONFIRMED),
        (NEAR_M, False, PROBABLE),
        (FAR_M, False, UNCONFIRMED),
        (CLOSE_M, True, CONFIRMED),
        (NEAR_M, True, CONFIRMED),
        (FAR_M, True, CONFIRMED),
        (CONFIG.expected_distance_m + 1.0, True, UNCONFIRMED),
    ],
)
def test_detection_like_the_hero_is_classified_by_distance(distance_m, is_expected, classification):
    assert classified(distance_m, is_expected=is_expected) is classification


UNLIKE_THE_HERO = [
    {"confidence": CONFIG.confidence_min - 0.01},
    {"purity": CONFIG.purity_min - 0.01},
    {"height": CONFIG.height_min - 0.01},
    {"height": CONFIG.height_max + 0.01},
    {"area": CONFIG.area_min - 0.01},
    {"area": CONFIG.area_max + 0.01},
]


@pytest.mark.parametrize("unlike", UNLIKE_THE_HERO, ids=str)
def test_detection_unlike_the_hero_in_one_respect_is_rejected_nearby_only(unlike):
    assert classified(CLOSE_M, **unlike) is REJECTED
    assert classified(NEAR_M, is_expected=True, **unlike) is REJECTED
    assert classified(FAR_M, **unlike) is UNCONFIRMED
    assert classified(FAR_M, is_expected=True, **unlike) is UNCONFIRMED


def test_expected_hero_needs_more_confidence_from_afar_than_nearby():
    confidence = (CONFIG.confidence_min + CONFIG.expected_confidence_min) / 2.0
    assert classified(NEAR_M, confidence=confidence, is_expected=True) is CONFIRMED
    assert classified(FAR_M, confidence=confidence, is_expected=True) is UNCONFIRMED


def test_detection_that_is_not_expected_is_unconfirmed_from_afar_whatever_its_confidence():
    for confidence in (0.9, 1.0):
        assert classified(FAR_M, confidence=confidence) is UNCONFIRMED
    assert classified(FAR_M, confidence=0.9, is_expected=True) is UNCONFIRMED
