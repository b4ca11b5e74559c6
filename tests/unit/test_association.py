"""Data association: the detection that is selected, and the reason why each other one is not."""

from dataclasses import dataclass, replace

import pytest

from followme_uav.config import load_config
from followme_uav.messages import (
    Classification,
    Detection,
    GroundCovariance,
    Measurement,
    MissionState,
    Outcome,
)
from followme_uav.pilot.tracking.association import HALF_HIDDEN, Expectation, associate
from followme_uav.pilot.tracking.rejected_regions import RejectedRegion
from followme_uav.pilot.tracking.track import start_track

CONFIG = load_config()
ASSOCIATION, CLASSIFICATION = CONFIG.association, CONFIG.classification
COVARIANCE = GroundCovariance(0.04, 0.0, 0.04)
PATROL, ACQUIRE = MissionState.PATROL, MissionState.ACQUIRE
FOLLOW, SEARCH = MissionState.FOLLOW, MissionState.SEARCH
FAR_M = (CLASSIFICATION.expected_distance_m + ASSOCIATION.approach_distance_m) / 2.0


@dataclass(frozen=True)
class Found:
    """One detection and its measurement, given by what distinguishes it from the hero."""

    north_m: float = 8.0
    east_m: float = 0.0
    distance_m: float = 8.0
    confidence: float = 1.0
    purity: float = 1.0
    height: float = 1.0
    area: float = 1.0
    is_truncated: bool = False
    is_on_ground: bool = True
    width_px: int = 5

    def detection(self):
        return Detection(0.0, 0.0, 100, self.width_px, 20, self.confidence, self.purity)

    def measurement(self):
        if not self.is_on_ground:
            return None
        position_m = (self.north_m, self.east_m, -0.95)
        return Measurement(
            position_m, COVARIANCE, self.distance_m, self.height, self.area, self.is_truncated
        )


HERO = Found()
TREE = Found(north_m=30.0, distance_m=FAR_M)
"""Red leaves, too far away to tell, but worth an approach."""


def expecting(state, *, tracked=None, followed=None, regions=()):
    def track(found):
        return None if found is None else start_track(0.0, found.measurement(), CONFIG.track)

    reach_m = ASSOCIATION.approach_distance_m
    return Expectation(0.0, state, track(tracked), track(followed), regions, reach_m)


def associated(state, *found, **expectation):
    return associate(
        [one.detection() for one in found],
        [one.measurement() for one in found],
        expecting(state, **expectation),
        ASSOCIATION,
        CLASSIFICATION,
    )


def outcomes(state, *found, **expectation):
    return [one.outcome for one in associated(state, *found, **expectation).candidates]


def region_at(found, *, is_certain=False):
    measurement = found.measurement()
    return RejectedRegion(measurement.position_m, measurement.distance_m, 10.0, 1, is_certain)


# One detection: the reason why it is not selected

NO_PERSON = [
    (Found(is_on_ground=False), Outcome.NOT_ON_GROUND),
    (Found(height=ASSOCIATION.height_min - 0.01), Outcome.NOT_A_PERSON),
    (Found(height=ASSOCIATION.height_max + 0.01), Outcome.NOT_A_PERSON),
    (Found(height=ASSOCIATION.height_max + 0.01, is_truncated=True), Outcome.NOT_A_PERSON),
    (Found(height=0.8, width_px=21), Outcome.NOT_A_PERSON),
]


@pytest.mark.parametrize("state", [PATROL, ACQUIRE, FOLLOW, SEARCH])
@pytest.mark.parametrize(("found", "outcome"), NO_PERSON, ids=str)
def test_detection_off_the_ground_or_of_another_shape_is_selected_in_no_state(
    state, found, outcome
):
    if state is FOLLOW and found.height < 0.5:
        found = replace(found, height=HALF_HIDDEN * found.height)
    assert outcomes(state, found, tracked=HERO) == [outcome]


def test_head_of_the_followed_hero_in_a_group_is_selected():
    """A group stood around the hero for two seconds: only the head was seen, and the hero lost."""
    head = replace(HERO, height=0.4, area=0.3, width_px=3)
    assert outcomes(FOLLOW, head, tracked=HERO) == [Outcome.SELECTED]
    assert outcomes(PATROL, head, tracked=HERO) == [Outcome.NOT_A_PERSON]


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"east_m": 4.0, "height": 0.6}, Outcome.OUTSIDE_GATE),
        ({"area": ASSOCIATION.follow_area_max + 0.1}, Outcome.TOO_LARGE),
        ({"area": ASSOCIATION.follow_area_min - 0.01}, Outcome.TOO_SMALL),
        ({"confidence": ASSOCIATION.follow_confidence_min - 0.01}, Outcome.LOW_CONFIDENCE),
        ({"area": ASSOCIATION.follow_area_min + 0.01}, Outcome.SELECTED),
        ({"area": 0.01, "is_truncated": True}, Outcome.SELECTED),
        ({"height": 0.1, "area": 0.3, "is_truncated": True}, Outcome.SELECTED),
        ({"height": 0.1, "width_px": 30, "is_truncated": True}, Outcome.SELECTED),
        ({"height": 0.5, "width_px": 20}, Outcome.SELECTED),  # head and shoulders
        ({"width_px": 30}, Outcome.SELECTED),  # two people side by side, or seen from above
        ({"distance_m": ASSOCIATION.approach_distance_m + 9.0}, Outcome.SELECTED),
    ],
    ids=str,
)
def test_detection_in_follow_is_selected_or_has_its_reason(change, outcome):
    assert outcomes(FOLLOW, replace(HERO, **change), tracked=HERO) == [outcome]


@pytest.mark.parametrize("state", [PATROL, SEARCH])
@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"distance_m": ASSOCIATION.approach_distance_m + 0.1}, Outcome.TOO_FAR),
        ({"confidence": ASSOCIATION.approach_confidence_min - 0.01}, Outcome.LOW_CONFIDENCE),
        ({"area": ASSOCIATION.approach_area_min - 0.01}, Outcome.TOO_SMALL),
        ({"area": ASSOCIATION.approach_area_min - 0.01, "is_truncated": True}, Outcome.SELECTED),
        ({"area": 50.0}, Outcome.SELECTED),
        ({"purity": 0.1}, Outcome.SELECTED),
    ],
    ids=str,
)
def test_detection_on_patrol_and_in_search_is_selected_or_has_its_reason(state, change, outcome):
    assert outcomes(state, replace(TREE, **change), tracked=HERO) == [outcome]


@pytest.mark.parametrize("state", [PATROL, ACQUIRE, SEARCH])
def test_detection_in_a_rejected_region_is_not_selected(state):
    assert outcomes(state, TREE, tracked=HERO, regions=(region_at(TREE),)) == [
        Outcome.REJECTED_REGION
    ]
    assert outcomes(state, TREE, tracked=HERO, regions=(region_at(HERO),)) == [Outcome.SELECTED]


def test_detection_in_follow_is_selected_in_a_rejected_region_too():
    unclear = replace(HERO, purity=0.5)
    regions = (region_at(HERO, is_certain=True),)
    assert outcomes(FOLLOW, unclear, tracked=HERO, regions=regions) == [Outcome.SELECTED]


@pytest.mark.parametrize("distance_m", [8.0, 20.0])
@pytest.mark.parametrize("is_certain", [False, True])
def test_confirmed_hero_is_selected_in_a_rejected_region(distance_m, is_certain):
    """After doubt, the hero came to where somebody else had been rejected, and was ignored."""
    hero = replace(HERO, distance_m=distance_m)
    regions = (region_at(hero, is_certain=is_certain),)
    found = associated(SEARCH, hero, followed=HERO, regions=regions)
    assert [one.outcome for one in found.candidates] == [Outcome.SELECTED]
    assert found.candidates[0].classification is Classification.CONFIRMED


@pytest.mark.parametrize("is_certain", [False, True])
def test_probable_hero_is_selected_in_a_region_that_was_not_rejected_from_nearby(is_certain):
    probable = replace(HERO, distance_m=12.0)
    regions = (region_at(probable, is_certain=is_certain),)
    found = associated(SEARCH, probable, regions=regions)
    assert found.candidates[0].classification is Classification.PROBABLE
    outcome = Outcome.REJECTED_REGION if is_certain else Outcome.SELECTED
    assert [one.outcome for one in found.candidates] == [outcome]


# Several detections: which one is selected


def test_the_most_prominent_of_several_worthy_detections_is_approached():
    other = replace(TREE, east_m=9.0)
    assert outcomes(PATROL, TREE, other) == [Outcome.SELECTED, Outcome.LESS_LIKELY]
    assert outcomes(PATROL, other, TREE) == [Outcome.SELECTED, Outcome.LESS_LIKELY]


@pytest.mark.parametrize("state", [PATROL, ACQUIRE, SEARCH])
def test_detection_that_resembles_the_hero_is_selected_before_a_more_prominent_one(state):
    assert outcomes(state, TREE, HERO, tracked=TREE) == [
        Outcome.LESS_LIKELY,
        Outcome.SELECTED,
    ]


def test_acquire_stays_with_the_tracked_hero_beside_a_more_prominent_one_that_resembles_it():
    """All evidence so far is about the tracked person; the vehicle must follow that person."""
    alike = replace(HERO, north_m=6.5, east_m=4.0)
    assert outcomes(ACQUIRE, alike, HERO, tracked=HERO) == [Outcome.OUTSIDE_GATE, Outcome.SELECTED]
    assert outcomes(PATROL, alike, HERO) == [Outcome.SELECTED, Outcome.LESS_LIKELY]


def test_acquire_stays_with_the_tracked_detection_while_none_resembles_the_hero():
    other = replace(TREE, east_m=9.0)
    assert outcomes(ACQUIRE, other, TREE, tracked=TREE) == [
        Outcome.OUTSIDE_GATE,
        Outcome.SELECTED,
    ]


def test_acquire_approaches_another_detection_when_none_is_inside_the_gate():
    other = replace(TREE, east_m=9.0)
    assert outcomes(ACQUIRE, other, tracked=TREE) == [Outcome.SELECTED]


def test_acquire_does_not_turn_to_a_rejected_detection_when_the_approached_one_is_missed():
    bush = replace(HERO, east_m=20.0, height=0.5, is_truncated=True)
    assert associated(ACQUIRE, bush).candidates[0].classification is Classification.REJECTED
    assert outcomes(ACQUIRE, bush, tracked=TREE) == [Outcome.OUTSIDE_GATE]
    assert outcomes(ACQUIRE, bush, TREE, tracked=HERO) == [Outcome.OUTSIDE_GATE, Outcome.SELECTED]
    assert outcomes(SEARCH, bush, tracked=TREE) == [Outcome.SELECTED]


def test_fault_keeps_to_the_hero_that_was_followed_but_not_to_anybody_else():
    during = expecting(MissionState.FAILSAFE, tracked=HERO)
    found = [TREE.detection()], [TREE.measurement()]
    others = associate(*found, during, ASSOCIATION, CLASSIFICATION)
    assert others.selected is not None, "nobody was followed"
    followed = replace(during, followed=during.track)
    assert associate(*found, followed, ASSOCIATION, CLASSIFICATION).selected is None


@pytest.mark.parametrize("less_likely", [{"east_m": 0.4}, {"area": 2.5}, {"purity": 0.5}], ids=str)
def test_follow_selects_the_least_deviation_in_position_area_and_purity(less_likely):
    other = replace(HERO, **less_likely)
    assert outcomes(FOLLOW, other, HERO, tracked=HERO) == [Outcome.LESS_LIKELY, Outcome.SELECTED]


def test_hero_in_one_detection_with_the_neighbours_comes_before_a_neighbour():
    """The strip around the middle of a row of people shows little of the hero."""
    row = Found(height=1.4, area=2.2, purity=0.23)
    neighbour = Found(east_m=0.85, height=0.53, area=0.29, purity=0.72)
    found = associated(FOLLOW, row, neighbour, tracked=HERO)
    assert found.candidates[1].mahalanobis_sq < ASSOCIATION.gate
    assert found.selected is found.candidates[0]


def beside(mahalanobis_sq):
    """The hero, displaced to the east to this squared Mahalanobis distance from its track."""
    return replace(HERO, east_m=(mahalanobis_sq * 2.0 * COVARIANCE.e_e) ** 0.5)


def test_follow_selects_a_confirmed_hero_up_to_the_fallback_gate():
    inside = beside(0.5 * (ASSOCIATION.gate + ASSOCIATION.fallback_gate))
    outside = beside(1.01 * ASSOCIATION.fallback_gate)
    assert outcomes(FOLLOW, inside, tracked=HERO) == [Outcome.SELECTED]
    assert outcomes(FOLLOW, outside, tracked=HERO) == [Outcome.OUTSIDE_GATE]


def test_follow_selects_inside_the_fallback_gate_only_when_none_is_inside_the_gate():
    inside = beside(0.5 * (ASSOCIATION.gate + ASSOCIATION.fallback_gate))
    unclear = replace(HERO, purity=0.5)
    assert outcomes(FOLLOW, inside, unclear, tracked=HERO) == [
        Outcome.OUTSIDE_GATE,
        Outcome.SELECTED,
    ]


def test_expectation_adds_no_evidence_inside_the_fallback_gate():
    distant = replace(
        beside(0.5 * (ASSOCIATION.gate + ASSOCIATION.fallback_gate)),
        distance_m=CLASSIFICATION.confirm_distance_m + 1.0,
    )
    wide = start_track(
        0.0, replace(HERO.measurement(), covariance=GroundCovariance(9.0, 0.0, 9.0)), CONFIG.track
    )
    expectation = replace(expecting(FOLLOW, tracked=HERO), followed=wide)
    found = associate(
        [distant.detection()], [distant.measurement()], expectation, ASSOCIATION, CLASSIFICATION
    )
    assert found.candidates[0].classification is Classification.CONFIRMED, "it is expected there"
    assert found.candidates[0].outcome is Outcome.OUTSIDE_GATE


# Contents of each candidate


def test_candidates_keep_the_order_of_the_detections_and_their_measurements():
    found = (Found(is_on_ground=False), TREE, Found(height=5.0), HERO)
    result = associated(FOLLOW, *found, tracked=HERO)
    assert [one.detection for one in result.candidates] == [one.detection() for one in found]
    assert [one.measurement for one in result.candidates] == [one.measurement() for one in found]
    sky, tree, bush, hero = result.candidates
    assert (sky.mahalanobis_sq, sky.classification) == (None, None)
    assert tree.mahalanobis_sq > ASSOCIATION.gate > hero.mahalanobis_sq == 0.0
    assert tree.classification is Classification.UNCONFIRMED
    assert bush.classification is Classification.REJECTED
    assert result.selected is hero


def test_candidates_without_a_track_have_no_mahalanobis_distance():
    (candidate,) = associated(PATROL, HERO).candidates
    assert candidate.mahalanobis_sq is None
    assert candidate.outcome is Outcome.SELECTED


def test_selected_detection_is_expected_near_the_followed_hero_only():
    assert associated(SEARCH, HERO, followed=HERO).is_expected
    assert not associated(SEARCH, HERO, followed=TREE).is_expected
    assert not associated(SEARCH, HERO).is_expected
    assert not associated(SEARCH, followed=HERO).is_expected


KINDS = [HERO, TREE, *(found for found, _ in NO_PERSON), beside(15.0), beside(99.0)]
KINDS += [replace(HERO, area=0.1), replace(HERO, confidence=0.5), replace(TREE, distance_m=60.0)]


@pytest.mark.parametrize("state", MissionState)
@pytest.mark.parametrize("tracked", [None, HERO, TREE], ids=["no track", "hero", "tree"])
def test_exactly_one_candidate_is_selected_when_a_detection_is_selected_and_none_otherwise(
    state, tracked
):
    for first in range(len(KINDS)):
        for count in range(4):
            found = (KINDS * 2)[first : first + count]
            result = associated(
                state, *found, tracked=tracked, followed=tracked, regions=(region_at(TREE),)
            )
            selected = [one for one in result.candidates if one.outcome is Outcome.SELECTED]
            assert selected == ([] if result.selected is None else [result.selected])
            assert len(result.candidates) == len(found)
