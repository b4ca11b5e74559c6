"""People seen far away during the first look around, who are looked at again after it."""

import math
from dataclasses import replace

import pytest

from followme_uav.messages import MissionState, Outcome
from followme_uav.pilot.guidance.behaviours import Behaviours
from followme_uav.pilot.guidance.inputs import GuidanceInputs
from followme_uav.pilot.tracking.noticed import FRAMES, LOOK_S, with_candidates
from followme_uav.pilot.tracking.tracker import Tracker
from tests.unit.tracking_parts import CONFIG, PATROL, frame_at, mask_with, track

FIRST_LOOK_S = CONFIG.association.first_look_s
FAR_M = (32.0, 6.0)


def after_takeoff(frames, *, place_m=FAR_M):
    """A tracker that has seen somebody in so many frames of its first look around."""
    tracker = Tracker(CONFIG)
    track(tracker, 0.0, mask_with(), MissionState.TAKEOFF)
    for i in range(frames):
        found = track(tracker, 3.0 + 0.1 * i, mask_with(place_m), PATROL)
        assert [one.outcome for one in found.candidates] == [Outcome.TOO_FAR]
        assert found.noticed is None
    return tracker


def test_person_seen_far_away_is_looked_at_after_the_first_look_around():
    tracker = after_takeoff(FRAMES)
    found = track(tracker, FIRST_LOOK_S + 0.1, mask_with(), PATROL)
    assert math.dist(found.noticed.ground_m, FAR_M) < 1.5
    assert found.selected is None, "a look is no detection"
    again = track(tracker, FIRST_LOOK_S + 0.5, mask_with(FAR_M), PATROL)
    assert again.selected is not None


def test_look_ends():
    tracker = after_takeoff(FRAMES)
    assert track(tracker, FIRST_LOOK_S + LOOK_S - 0.1, mask_with(), PATROL).noticed is not None
    assert track(tracker, FIRST_LOOK_S + LOOK_S + 0.1, mask_with(), PATROL).noticed is None


def test_few_frames_are_a_false_alarm():
    tracker = after_takeoff(FRAMES - 1)
    assert track(tracker, FIRST_LOOK_S + 0.1, mask_with(), PATROL).noticed is None


def test_person_beyond_the_distance_of_any_approach_is_not_noticed():
    too_far_m = (CONFIG.association.approach_distance_m + 3.0, 0.0)
    tracker = after_takeoff(2 * FRAMES, place_m=too_far_m)
    assert track(tracker, FIRST_LOOK_S + 0.1, mask_with(), PATROL).noticed is None


@pytest.mark.parametrize("more", [-1, 1])
def test_of_several_people_the_one_seen_more_often_is_looked_at(more):
    tracker, other_m = after_takeoff(FRAMES + 1), (33.0, -9.0)
    for i in range(FRAMES + 1 + more):
        track(tracker, 4.0 + 0.1 * i, mask_with(other_m), PATROL)
    noticed = track(tracker, FIRST_LOOK_S + 0.1, mask_with(), PATROL).noticed
    assert math.dist(noticed.ground_m, other_m if more > 0 else FAR_M) < 1.5


def test_two_people_are_not_one():
    """After some seconds the gate of somebody who may walk spans both."""
    tracker = after_takeoff(1)
    for i in range(FRAMES - 1):
        track(tracker, 5.0 + 0.1 * i, mask_with((33.0, -9.0)), PATROL)
    assert track(tracker, FIRST_LOOK_S + 0.1, mask_with(), PATROL).noticed is None


def test_frame_that_comes_twice_counts_once():
    tracker = after_takeoff(1)
    for _ in range(FRAMES):
        track(tracker, 3.0, mask_with(FAR_M), PATROL)
    assert track(tracker, FIRST_LOOK_S + 0.1, mask_with(), PATROL).noticed is None


def test_small_detection_is_not_noticed():
    tracker = after_takeoff(0)
    (seen,) = track(tracker, 3.0, mask_with(FAR_M), PATROL).candidates
    small = replace(seen, measurement=replace(seen.measurement, relative_area=0.3))
    assert len(with_candidates((), 3.0, [seen], Outcome.TOO_FAR, CONFIG)) == 1
    assert with_candidates((), 3.0, [small], Outcome.TOO_FAR, CONFIG) == ()


def test_after_another_takeoff_nobody_is_remembered():
    tracker = after_takeoff(FRAMES)
    track(tracker, 20.0, mask_with(), MissionState.TAKEOFF)
    assert track(tracker, 20.0 + FIRST_LOOK_S + 0.1, mask_with(), PATROL).noticed is None


def test_patrol_looks_at_the_place_and_flies_on():
    tracker = after_takeoff(FRAMES)
    found = track(tracker, FIRST_LOOK_S + 0.1, mask_with(), PATROL)
    frame = frame_at(FIRST_LOOK_S + 0.1)
    inputs = GuidanceInputs(frame, 5.0, None, found.track, 0.1, 0.1, noticed=found.noticed)
    guidance, _ = Behaviours(CONFIG).guide(PATROL, inputs)
    azimuth_rad = math.atan2(FAR_M[1], FAR_M[0])
    assert guidance.line_of_sight.azimuth_rad == pytest.approx(azimuth_rad, abs=0.05)
    assert math.hypot(*guidance.velocity_mps) > 1.0
