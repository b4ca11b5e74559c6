"""Labels of detections in viewers: confidence, or the reason why one was not selected."""

from __future__ import annotations

from followme_uav.messages import Candidate, Detection, Outcome, Step


def rejected(step: Step) -> list[Candidate]:
    """The detections of a frame that were not selected."""
    return [found for found in step.candidates if found.outcome is not Outcome.SELECTED]


def label_of(candidate: Candidate) -> str:
    """One line: the outcome, and the value that it depends on."""
    outcome, measurement = candidate.outcome, candidate.measurement
    figures = ""
    if outcome is Outcome.OUTSIDE_GATE and candidate.mahalanobis_sq is not None:
        figures = f"d^2 {candidate.mahalanobis_sq:.0f}"
    elif outcome is Outcome.LOW_CONFIDENCE:
        figures = f"{candidate.detection.confidence:.0%}"
    elif measurement is None:
        pass
    elif outcome in (Outcome.TOO_SMALL, Outcome.TOO_LARGE):
        figures = f"area x {measurement.relative_area:.2g}"
    elif outcome is Outcome.NOT_A_PERSON:
        figures = f"height x {measurement.relative_height:.2g}"
        if candidate.detection.width_px > candidate.detection.height_px:
            figures += ", wider than high"
    elif outcome is Outcome.TOO_FAR:
        figures = f"{measurement.distance_m:.0f} m"
    return f"{outcome.value} ({figures})" if figures else outcome.value


def selected_label(step: Step, detection: Detection) -> str:
    """Label of the selected detection: confidence, and class and purity if it was classified."""
    selected = next((c for c in step.candidates if c.outcome is Outcome.SELECTED), None)
    confidence = f"{detection.confidence:.0%}"
    if selected is None or selected.classification is None:
        return confidence
    return f"{selected.classification.value}, {confidence}, purity {detection.purity:.0%}"
