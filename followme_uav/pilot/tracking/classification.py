"""Measurement -> Classification: is this detection the hero?"""

from __future__ import annotations

from followme_uav.config import ClassificationConfig
from followme_uav.messages import Classification, Detection, Measurement


def classify(
    detection: Detection,
    measurement: Measurement,
    config: ClassificationConfig,
    *,
    is_expected: bool = False,
) -> Classification:
    """Classify by distance, confidence, purity, height and area.

    A pedestrian in a red jacket over blue jeans shows hero pixels of low purity; a red car has a
    larger area than the hero. Beyond `distance_m` all of them look alike, and a rust-coloured coat
    does down to `confirm_distance_m`. A detection where the lost hero is expected needs less
    evidence, and is confirmed from farther away.

    Args:
        detection: The detection.
        measurement: The same detection on the ground.
        config: Thresholds.
        is_expected: The hero that was followed last may have walked there meanwhile.
    """
    is_near = measurement.distance_m <= config.distance_m
    may_tell = is_near or (is_expected and measurement.distance_m <= config.expected_distance_m)
    confidence_min = config.confidence_min if is_near else config.expected_confidence_min
    resembles_hero = (
        may_tell
        and detection.confidence >= confidence_min
        and detection.purity >= config.purity_min
        and config.height_min <= measurement.relative_height <= config.height_max
        and config.area_min <= measurement.relative_area <= config.area_max
    )
    if resembles_hero:
        is_close = measurement.distance_m <= config.confirm_distance_m
        return Classification.CONFIRMED if is_close or is_expected else Classification.PROBABLE
    return Classification.REJECTED if is_near else Classification.UNCONFIRMED
