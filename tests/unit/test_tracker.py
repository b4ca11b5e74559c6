"""Detections of one frame -> the track: the tracker's memory from frame to frame."""

from dataclasses import replace

import numpy as np
import pytest

from followme_uav.messages import Classification, MaskClass, MissionState, Outcome
from followme_uav.pilot.tracking.noticed import FRAMES
from followme_uav.pilot.tracking.seen_twice import TWICE_WITHIN_S
from followme_uav.pilot.tracking.tracker import Rejection, Tracker, TrackFeedback
from tests.unit.tracking_parts import (
    ACQUIRE,
    CONFIG,
    FOLLOW,
    PATROL,
    SEARCH,
    following,
    frame_at,
    mask_with,
    track,
)


def rejecting(time_s, duration_s, *, is_certain=False):
    return TrackFeedback(time_s, rejection=Rejection(duration_s, is_certain))


def test_person_nearby_is_selected_and_confirmed_on_patrol():
    found = track(Tracker(CONFIG), 0.0, mask_with((7.0, 0.0)), PATROL)
    assert found.selected.measurement.position_m[:2] == pytest.approx((7.0, 0.0), abs=0.5)
    assert found.classification is Classification.CONFIRMED


def test_frame_without_detections_gives_no_classification_and_no_track():
    found = track(Tracker(CONFIG), 0.0, mask_with(), PATROL)
    assert (found.candidates, found.selected, found.classification) == ((), None, None)
    assert (found.track, found.is_expected) == (None, False)


def test_classification_is_firmer_the_nearer_the_person_is():
    """Other people in rust-coloured coats resemble the hero between 15 and 9 m."""
    tracker = Tracker(CONFIG)
    classifications = [
        track(tracker, 0.1 * i, mask_with((north_m, 0.0)), PATROL).classification
        for i, north_m in enumerate((20.0, 12.0, 6.0))
    ]
    assert classifications == [
        Classification.UNCONFIRMED,
        Classification.PROBABLE,
        Classification.CONFIRMED,
    ]


def test_small_and_distant_detections_are_not_selected_on_patrol():
    tracker = Tracker(CONFIG)
    small = track(tracker, 0.0, mask_with((10.0, 0.0), area=0.2), PATROL)
    assert small.selected is None
    assert [candidate.outcome for candidate in small.candidates] == [Outcome.TOO_SMALL]
    far_mask = mask_with((1.3 * CONFIG.association.approach_distance_m, 0.0))
    assert far_mask[..., MaskClass.HERO].any()
    assert track(tracker, 0.0, far_mask, PATROL).selected is None


def test_people_far_away_are_approached_only_after_a_first_look_around():
    """Somebody far away to the right would hide the hero who stands to the left."""
    tracker, look_s = Tracker(CONFIG), CONFIG.association.first_look_s
    track(tracker, 0.0, mask_with(), MissionState.TAKEOFF)
    far, near = mask_with((30.0, 0.0)), mask_with((20.0, 0.0))
    found = track(tracker, 1.0, far, PATROL)
    assert [one.outcome for one in found.candidates] == [Outcome.TOO_FAR]
    assert track(tracker, look_s - 0.1, near, PATROL).selected is not None
    assert track(tracker, look_s + 0.1, far, PATROL).selected is not None


def test_hero_that_is_half_hidden_is_still_selected_in_follow():
    tracker = following((10.0, 0.0))
    assert track(tracker, 1.0, mask_with((10.0, 0.0), area=0.3), FOLLOW).selected is not None


def test_small_detection_beside_a_hidden_hero_is_not_selected():
    tracker = following((10.0, 0.0))
    small = mask_with((10.0, 0.2), area=0.1)
    small[np.flatnonzero(small[..., MaskClass.HERO].any(axis=1))[13:]] = 0
    assert track(tracker, 1.1, small, FOLLOW).selected is None


@pytest.mark.parametrize("side_m", [-1.5, 1.5])
def test_neighbour_of_a_hidden_hero_is_not_selected(side_m):
    tracker = following((10.0, 0.0))
    assert track(tracker, 1.1, mask_with((10.0, side_m)), FOLLOW).selected is None


def test_detection_aside_of_the_track_is_selected_after_a_second_of_occlusion():
    tracker = following((10.0, 0.0))
    assert track(tracker, 1.9, mask_with((10.0, 1.5)), FOLLOW).selected is not None


def test_hero_that_turned_sharply_is_selected_inside_the_fallback_gate():
    """The track lags when the hero runs out of a detection shared with another person."""
    tracker = following((8.0, 0.0))
    beside, beyond = (
        track(tracker, t, mask_with((7.4, east_m)), FOLLOW)
        for t, east_m in ((1.1, 1.0), (1.2, 4.0))
    )
    assert beside.selected is not None
    assert beside.selected.mahalanobis_sq > CONFIG.association.gate
    assert beyond.selected is None


def test_detection_too_far_away_to_classify_counts_the_second_time_after_a_gap():
    """A red spot far behind the hero, who is hidden, would turn the track."""
    far, farther = (29.0, 0.0), (33.0, 1.0)
    tracker = following(far)
    assert track(tracker, 1.0, mask_with(far), FOLLOW).selected is not None, "no gap"
    once = track(tracker, 1.5, mask_with(farther), FOLLOW)
    assert [one.outcome for one in once.candidates] == [Outcome.SEEN_ONCE]
    assert once.selected is None
    assert track(tracker, 1.5 + 2.0 * TWICE_WITHIN_S, mask_with(far), FOLLOW).selected is None
    again = track(tracker, 1.6 + 2.0 * TWICE_WITHIN_S, mask_with(far), FOLLOW)
    assert again.selected is not None


def test_confirmed_detection_counts_at_once_after_a_gap():
    tracker = following((8.0, 0.0))
    assert track(tracker, 2.0, mask_with((8.5, 0.0)), FOLLOW).selected is not None


def test_every_place_that_an_approach_has_tried_is_ignored_afterwards():
    """The network may detect the people of a group one after another."""
    tracker, first, last = Tracker(CONFIG), (30.0, 8.0), (22.0, -6.0)
    assert track(tracker, 0.0, mask_with(first), PATROL).selected is not None
    for i in range(1, 4):
        assert track(tracker, 0.1 * i, mask_with(last), ACQUIRE).selected is not None
    track(tracker, 0.5, mask_with(), PATROL, rejecting(0.4, 10.0))
    for place_m in (first, last):
        assert track(tracker, 1.0, mask_with(place_m), PATROL).selected is None
        assert track(tracker, 11.0, mask_with(place_m), PATROL).selected is not None


def test_detection_far_from_the_track_is_not_selected_in_follow():
    tracker = following((10.0, 0.0))
    assert track(tracker, 1.0, mask_with((9.0, -3.0)), FOLLOW).selected is None


def test_confirmed_detection_nearby_is_selected_before_the_tracked_one_in_acquire():
    """A red tree 35 m away is approached until a person near the vehicle is confirmed."""
    tracker, tree_m = Tracker(CONFIG), (35.0, 5.0)
    assert track(tracker, 0.0, mask_with(tree_m), PATROL).selected is not None
    found = track(tracker, 0.1, mask_with(tree_m, (9.0, -1.0)), ACQUIRE)
    assert found.selected.measurement.position_m[:2] == pytest.approx((9.0, -1.0), abs=0.5)
    assert found.track.ground_m == pytest.approx((9.0, -1.0), abs=0.5)


def test_rejected_region_is_ignored_until_its_time_is_over():
    tracker, leaves = Tracker(CONFIG), mask_with((20.0, 0.0))
    track(tracker, 1.0, leaves, PATROL)
    assert track(tracker, 4.0, leaves, PATROL, rejecting(1.0, 4.0)).selected is None
    assert track(tracker, 6.0, leaves, PATROL).selected is not None


def test_region_that_is_rejected_again_is_ignored_for_twice_as_long():
    tracker, leaves, feedback = Tracker(CONFIG), mask_with((20.0, 0.0)), None
    for time_s in (0.0, 5.0):
        assert track(tracker, time_s, leaves, PATROL, feedback).selected is not None
        feedback = rejecting(time_s, 4.0)
    assert track(tracker, 10.0, leaves, PATROL, feedback).selected is None
    assert track(tracker, 14.0, leaves, PATROL).selected is not None


@pytest.mark.parametrize("is_certain", [False, True])
def test_confirmed_hero_is_selected_in_a_rejected_region(is_certain):
    tracker = following((10.0, 0.0))
    feedback = rejecting(1.0, 60.0, is_certain=is_certain)
    assert track(tracker, 2.0, mask_with((10.0, 0.0)), PATROL, feedback).selected is not None


def test_place_that_was_given_up_from_afar_is_approached_from_nearer():
    tracker, mask = Tracker(CONFIG), mask_with((35.0, 0.0))
    first = track(tracker, 0.0, mask, PATROL)
    assert first.selected is not None
    assert track(tracker, 0.2, mask, PATROL, rejecting(0.1, 60.0)).selected is None
    seen = first.selected
    nearer = replace(seen.measurement, distance_m=0.7 * seen.measurement.distance_m)
    found = tracker.update_measured(0.3, [seen.detection], [nearer], PATROL)
    assert found.selected is not None


@pytest.mark.parametrize(("gap_s", "is_approached"), [(0.3, True), (1.0, False)])
def test_person_seen_again_and_again_in_a_rejected_region_is_approached(gap_s, is_approached):
    """A hero of ten pixels was given up after one frame, and ignored in the next ten."""
    tracker, mask = Tracker(CONFIG), mask_with((30.0, 0.0))
    track(tracker, 0.0, mask, PATROL)
    feedback, found = rejecting(0.1, 60.0), None
    for i in range(FRAMES + 1):
        found = track(tracker, 0.5 + gap_s * i, mask, PATROL, feedback)
        assert i == FRAMES or found.selected is None
        feedback = None
    assert (found.selected is not None) == is_approached


def test_person_seen_again_and_again_is_reconsidered_once_only():
    """Something that always looks like a person was approached 46 times in two minutes."""
    tracker, mask = Tracker(CONFIG), mask_with((30.0, 0.0))
    track(tracker, 0.0, mask, PATROL)
    feedback, times_s = rejecting(0.1, 15.0), []
    for i in range(400):
        time_s = 0.5 + 0.1 * i
        found = track(tracker, time_s, mask, PATROL, feedback)
        feedback = None if found.selected is None else rejecting(time_s, 15.0)
        times_s += [] if found.selected is None else [time_s]
    assert len(times_s) == 2, "after three frames, and after twice the time"
    assert times_s[1] - times_s[0] == pytest.approx(30.0, abs=0.3)


def test_person_rejected_from_nearby_stays_so():
    tracker, mask = Tracker(CONFIG), mask_with((20.0, 0.0))
    track(tracker, 0.0, mask, PATROL)
    feedback = rejecting(0.1, 60.0, is_certain=True)
    for i in range(10):
        assert track(tracker, 0.5 + 0.1 * i, mask, PATROL, feedback).selected is None
        feedback = None


def test_person_with_mixed_class_labels_is_rejected():
    """The network marks a third of a rust-coloured coat as the hero."""
    tracker, mask = Tracker(CONFIG), mask_with((7.0, 0.0))
    rows = np.flatnonzero(mask[..., MaskClass.HERO].any(axis=1))
    striped = mask.copy()
    striped[rows[1:-1:3], :, MaskClass.PEOPLE] = mask[rows[1:-1:3], :, MaskClass.HERO]
    striped[rows[1:-1:3], :, MaskClass.HERO] = 0
    assert track(tracker, 0.0, mask, PATROL).classification is Classification.CONFIRMED
    assert track(tracker, 0.1, striped, PATROL).classification is Classification.REJECTED


def test_followed_hero_is_expected_within_walking_distance_only():
    tracker = following((10.0, 0.0))
    near, far = mask_with((11.0, 2.0)), mask_with((18.0, -8.0))
    assert track(tracker, 4.0, near, PATROL).is_expected
    assert not track(tracker, 4.1, far, PATROL).is_expected
    assert not track(Tracker(CONFIG), 4.0, near, PATROL).is_expected


def test_expected_hero_is_confirmed_from_farther_away_until_it_is_forgotten():
    mask = mask_with((20.0, 0.0))
    tracker = following((20.0, 0.0))
    found = track(tracker, 2.0, mask, SEARCH)
    assert found.selected.measurement.distance_m > CONFIG.classification.distance_m
    assert found.is_expected
    assert found.classification is Classification.CONFIRMED
    forgotten = track(tracker, 2.1, mask, SEARCH, TrackFeedback(2.0, forget_followed=True))
    assert not forgotten.is_expected
    assert forgotten.classification is Classification.UNCONFIRMED


def test_search_resumes_the_track_of_the_followed_hero_after_another_person_was_approached():
    tracker = following((10.0, 0.0))
    found = track(tracker, 3.0, mask_with((15.0, -6.0)), SEARCH)
    assert found.track.ground_m[1] < -4.0
    assert found.followed.ground_m == pytest.approx((10.0, 0.0), abs=1.0)
    resumed = track(tracker, 3.1, mask_with(), SEARCH, TrackFeedback(3.0, resume_followed=True))
    assert resumed.track.ground_m == pytest.approx((10.0, 0.0), abs=1.0)


def test_track_of_the_followed_hero_survives_a_fault_with_another_detection_in_view():
    tracker = following((10.0, 0.0))
    found = track(tracker, 1.0, mask_with((25.0, -8.0)), MissionState.FAILSAFE)
    assert found.selected is None
    near = track(tracker, 1.1, mask_with((10.3, 0.2)), MissionState.FAILSAFE)
    assert near.selected is not None
    assert tracker.memory.followed is tracker.memory.track
    assert near.track.ground_m == pytest.approx((10.3, 0.2), abs=0.5)


def test_frame_that_comes_twice_does_not_change_the_track():
    tracker, mask = following((10.0, 0.0)), mask_with((10.2, 0.1))
    track(tracker, 1.0, mask, FOLLOW)
    memory = tracker.memory
    again = track(tracker, 1.0, mask, FOLLOW)
    assert again.selected is not None
    assert tracker.memory is memory


def test_detection_without_a_measurement_does_not_start_a_track():
    sky = np.zeros_like(mask_with())
    sky[5:35, 70:78, MaskClass.HERO] = 255
    tracker = Tracker(CONFIG)
    found = track(tracker, 0.0, sky, PATROL)
    assert [candidate.outcome for candidate in found.candidates] == [Outcome.NOT_ON_GROUND]
    assert (found.selected, found.track, tracker.memory.track) == (None, None, None)


def test_track_is_predicted_to_the_time_of_a_frame_without_an_image():
    tracker = following((10.0, 0.0))
    before = tracker.memory
    found = tracker.update(frame_at(2.0), (), (), FOLLOW)
    assert found.track.time_s == 2.0
    assert found.track.estimate().sigma_m > before.track.estimate().sigma_m
    assert tracker.memory == before, "only measurements change the track that is kept"
