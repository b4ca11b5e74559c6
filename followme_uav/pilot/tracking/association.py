"""Data association: select the detection that continues the track, or is worth an approach."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from followme_uav.config import AssociationConfig, ClassificationConfig
from followme_uav.messages import (
    Candidate,
    Classification,
    Detection,
    Measurement,
    MissionState,
    Outcome,
)
from followme_uav.pilot.tracking.classification import classify
from followme_uav.pilot.tracking.rejected_regions import Regions, is_rejected
from followme_uav.pilot.tracking.track import Track

HALF_HIDDEN = 0.5
"""The hero who is followed may show this share of the least height of a person: in a group, the
head alone."""
WORST_SQ = 9.0
"""Squared deviations of area and purity beyond 3 sigma count the same: the hero in one detection
with the neighbours is as odd as that, and still where the hero is expected."""


@dataclass(frozen=True)
class Expectation:
    """Everything known before the detections of the frame."""

    time_s: float
    state: MissionState
    track: Track | None
    """Predicted to `time_s`, turns allowed for."""
    followed: Track | None
    """The track of the hero that was followed last, predicted likewise."""
    regions: Regions
    reach_m: float
    """Detections farther away are not approached."""

    @property
    def keeps_to_track(self) -> bool:
        """Whether only the hero that is followed counts: in FOLLOW, and in a fault during it.

        In a fault the vehicle hovers and cannot look closer, so another detection would replace
        what is known of the hero by less.
        """
        return self.state is MissionState.FOLLOW or (
            self.state is MissionState.FAILSAFE
            and self.followed is not None
            and self.followed is self.track
        )


@dataclass(frozen=True)
class Association:
    """The result: every detection with its outcome, and the selected one."""

    candidates: tuple[Candidate, ...]
    selected: Candidate | None
    is_expected: bool
    """The selected detection lies where the hero that was followed last may be by now."""


@dataclass(frozen=True)
class _Person:
    """A detection that may be of a person, on the ground."""

    index: int
    detection: Detection
    measurement: Measurement
    mahalanobis_sq: float | None
    is_expected: bool
    classification: Classification


def associate(
    detections: Sequence[Detection],
    measurements: Sequence[Measurement | None],
    expectation: Expectation,
    config: AssociationConfig,
    classification: ClassificationConfig,
) -> Association:
    """Select at most one detection; `detections` come with the most prominent first.

    In FOLLOW, and in a fault during it, only a detection inside the gate of the track is selected.
    In ACQUIRE such a detection comes first, but a detection that resembles the hero comes before
    all that do not.
    """
    measured = [
        None
        if measurement is None
        else _person(index, detection, measurement, expectation, config, classification)
        for index, (detection, measurement) in enumerate(zip(detections, measurements, strict=True))
    ]
    height_min = config.height_min
    if expectation.keeps_to_track:
        height_min *= HALF_HIDDEN
    people = [p for p in measured if p and _has_shape_of_a_person(p, config, height_min)]
    selected, outcomes = _select(people, expectation, config, classification)
    outcome_of = {person.index: o for person, o in zip(people, outcomes, strict=True)}
    candidates = tuple(
        Candidate(detection, None, None, None, Outcome.NOT_ON_GROUND)
        if person is None
        else Candidate(
            detection,
            person.measurement,
            person.mahalanobis_sq,
            person.classification,
            outcome_of.get(person.index, Outcome.NOT_A_PERSON),
        )
        for detection, person in zip(detections, measured, strict=True)
    )
    return Association(
        candidates=candidates,
        selected=None if selected is None else candidates[selected.index],
        is_expected=selected is not None and selected.is_expected,
    )


def _person(
    index: int,
    detection: Detection,
    measurement: Measurement,
    expectation: Expectation,
    config: AssociationConfig,
    classification: ClassificationConfig,
) -> _Person:
    track, followed = expectation.track, expectation.followed
    mahalanobis_sq = None if track is None else track.mahalanobis_sq(measurement)
    from_followed_sq = mahalanobis_sq
    if followed is not track:
        from_followed_sq = None if followed is None else followed.mahalanobis_sq(measurement)
    is_expected = from_followed_sq is not None and from_followed_sq <= config.gate
    return _Person(
        index=index,
        detection=detection,
        measurement=measurement,
        mahalanobis_sq=mahalanobis_sq,
        is_expected=is_expected,
        classification=classify(detection, measurement, classification, is_expected=is_expected),
    )


def _has_shape_of_a_person(person: _Person, config: AssociationConfig, height_min: float) -> bool:
    """Whether the height is one of a person; half hidden, a person is still not wider than high."""
    detection, height = person.detection, person.measurement.relative_height
    if height > config.height_max:
        return False
    if person.measurement.is_truncated:
        return True
    is_low_and_wide = height < 1.0 and detection.width_px > detection.height_px
    return height >= height_min and not is_low_and_wide


def _select(
    people: Sequence[_Person],
    expectation: Expectation,
    config: AssociationConfig,
    classification: ClassificationConfig,
) -> tuple[_Person | None, list[Outcome]]:
    """The selected one, and the outcome of each."""
    state = expectation.state
    is_following = expectation.keeps_to_track
    uses_track = expectation.track is not None and (is_following or state is MissionState.ACQUIRE)
    tracked = [_tracking_rejection(person, config) for person in people] if uses_track else []
    selected = None
    if not is_following:
        alike = [p for p in people if _resembles_hero(p, expectation, config)]
        # ACQUIRE gathers evidence about the person inside the gate, so that person comes first.
        on_track = {p.index for p, reason in zip(people, tracked, strict=False) if reason is None}
        selected = min(alike, key=lambda person: person.index not in on_track, default=None)
    if selected is None and uses_track:
        inside = [p for p, reason in zip(people, tracked, strict=True) if reason is None]
        selected = min(inside, key=lambda person: _cost(person, config), default=None)
        if selected is None and is_following:
            selected = _beyond_gate(people, config, classification)
    reasons = tracked
    if not uses_track or (selected is None and not is_following):
        reasons = [
            _approach_rejection(person, expectation, config, is_alternative=uses_track)
            for person in people
        ]
        if selected is None:
            worthy = (p for p, reason in zip(people, reasons, strict=True) if reason is None)
            selected = next(worthy, None)
    outcomes = [
        Outcome.SELECTED if person is selected else reason or Outcome.LESS_LIKELY
        for person, reason in zip(people, reasons, strict=True)
    ]
    return selected, outcomes


def _resembles_hero(person: _Person, expectation: Expectation, config: AssociationConfig) -> bool:
    """Confirmed; or probable, unless near a certain rejection.

    Somebody rejected walks on, and the hero may come to that place.
    """
    if person.classification is not Classification.PROBABLE:
        return person.classification is Classification.CONFIRMED
    return not is_rejected(
        expectation.regions,
        person.measurement,
        expectation.time_s,
        config,
        only_certain=True,
    )


def _beyond_gate(
    people: Sequence[_Person], config: AssociationConfig, classification: ClassificationConfig
) -> _Person | None:
    """A confirmed hero inside the fallback gate.

    The track is displaced when the hero walks out of a detection that was the hero and a pedestrian
    in one.
    """
    for person in people:
        is_inside = (
            person.mahalanobis_sq is not None and person.mahalanobis_sq <= config.fallback_gate
        )
        # Every place near the track is one where the hero is expected: that adds no evidence.
        if is_inside and (
            classify(person.detection, person.measurement, classification)
            is Classification.CONFIRMED
        ):
            return person
    return None


def _tracking_rejection(person: _Person, config: AssociationConfig) -> Outcome | None:
    """Why a detection cannot continue the track; None when it can."""
    measurement = person.measurement
    if person.mahalanobis_sq is None or person.mahalanobis_sq > config.gate:
        return Outcome.OUTSIDE_GATE
    if measurement.relative_area > config.follow_area_max:
        return Outcome.TOO_LARGE
    if measurement.relative_area < config.follow_area_min and not measurement.is_truncated:
        return Outcome.TOO_SMALL
    if person.detection.confidence < config.follow_confidence_min:
        return Outcome.LOW_CONFIDENCE
    return None


def _approach_rejection(
    person: _Person, expectation: Expectation, config: AssociationConfig, *, is_alternative: bool
) -> Outcome | None:
    """Why a detection is not worth an approach; None when it is.

    While another one is approached (`is_alternative`), nobody who is near enough to be rejected is:
    the one that was lost for a frame may still be the hero.
    """
    measurement = person.measurement
    if is_alternative and person.classification is Classification.REJECTED:
        return Outcome.OUTSIDE_GATE
    if measurement.distance_m > expectation.reach_m:
        return Outcome.TOO_FAR
    reason = unclear(person.detection, measurement, config)
    if reason is not None:
        return reason
    if is_rejected(expectation.regions, measurement, expectation.time_s, config):
        return Outcome.REJECTED_REGION
    return None


def unclear(
    detection: Detection, measurement: Measurement, config: AssociationConfig
) -> Outcome | None:
    """Why a detection is too unclear for an approach; None when it is clear enough."""
    if detection.confidence < config.approach_confidence_min:
        return Outcome.LOW_CONFIDENCE
    if not measurement.is_truncated and measurement.relative_area < config.approach_area_min:
        return Outcome.TOO_SMALL
    return None


def _cost(person: _Person, config: AssociationConfig) -> float:
    """How unlikely it is that this is the hero: the deviations in position, area and purity."""
    mahalanobis_sq = person.mahalanobis_sq if person.mahalanobis_sq is not None else math.inf
    size = math.log(person.measurement.relative_area) / config.area_log_sigma
    impurity = (1.0 - person.detection.purity) / config.purity_sigma
    return mahalanobis_sq + min(size**2, WORST_SQ) + min(impurity**2, WORST_SQ)
