"""Labels of detections in viewers: the outcome, and the figure that it depends on."""

import pytest

from followme_uav.messages import (
    Candidate,
    Classification,
    GroundCovariance,
    Measurement,
    Outcome,
)
from followme_uav.view.candidates import label_of, rejected, selected_label
from tests.conftest import detection_at, make_entry

COVARIANCE = GroundCovariance(0.1, 0.0, 0.1)
MEASUREMENT = Measurement((7.0, 0.0, -0.95), COVARIANCE, 41.6, 3.04, 0.123, False)


def candidate(outcome, measurement=MEASUREMENT, mahalanobis_sq=27.4, classification=None):
    return Candidate(detection_at((3, 3)), measurement, mahalanobis_sq, classification, outcome)


@pytest.mark.parametrize(
    ("outcome", "figure"),
    [
        (Outcome.OUTSIDE_GATE, "d^2 27"),
        (Outcome.LOW_CONFIDENCE, "90%"),
        (Outcome.TOO_SMALL, "area x 0.12"),
        (Outcome.TOO_LARGE, "area x 0.12"),
        (Outcome.NOT_A_PERSON, "height x 3"),
        (Outcome.TOO_FAR, "42 m"),
        (Outcome.REJECTED_REGION, None),
        (Outcome.LESS_LIKELY, None),
    ],
)
def test_label_has_the_outcome_and_its_figure(outcome, figure):
    expected = outcome.value if figure is None else f"{outcome.value} ({figure})"
    assert label_of(candidate(outcome)) == expected


@pytest.mark.parametrize("outcome", Outcome)
def test_label_of_every_outcome_is_one_line_without_a_measurement_too(outcome):
    for known in (candidate(outcome), candidate(outcome, None, None)):
        assert label_of(known).startswith(outcome.value)
        assert "\n" not in label_of(known)
    assert label_of(candidate(Outcome.NOT_ON_GROUND, None)) == "not on the ground"


def test_selected_detection_is_labelled_with_class_confidence_and_purity():
    selected = candidate(Outcome.SELECTED, classification=Classification.PROBABLE)
    step = make_entry(detection=selected.detection, candidates=(selected,)).step
    assert selected_label(step, step.detection) == "probable, 90%, purity 100%"
    old = make_entry(detection=selected.detection).step
    assert selected_label(old, old.detection) == "90%", "logs of version 2 have no candidates"


def test_rejected_detections_are_all_but_the_selected_one():
    both = candidate(Outcome.LESS_LIKELY), candidate(Outcome.SELECTED)
    assert rejected(make_entry(candidates=both).step) == [both[0]]
    assert rejected(make_entry().step) == []
