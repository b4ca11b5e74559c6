"""The state machine: transitions, their conditions, their reasons, and their feedback."""

import math
from dataclasses import replace

import pytest

from followme_uav.config import load_config
from followme_uav.messages import Classification, MissionInputs, MissionState
from followme_uav.pilot.mission import AT_REST_MPS, PATIENCE, SLOW_MPS, Mission
from followme_uav.pilot.tracking.tracker import Rejection, TrackFeedback

CONFIG = load_config().mission
CALM = MissionInputs(
    time_s=0.0,
    gap_s=0.1,
    has_image=True,
    has_collided=False,
    land_requested=False,
    altitude_m=4.5,
    speed_mps=1.0,
    classification=None,
)
CONFIRMED = {"classification": Classification.CONFIRMED}
PROBABLE = {"classification": Classification.PROBABLE}
UNCONFIRMED = {"classification": Classification.UNCONFIRMED}
REJECTED = {"classification": Classification.REJECTED}
AT_REST = {"speed_mps": 0.5 * AT_REST_MPS}
SLOW = {"speed_mps": 0.5 * SLOW_MPS}
REJECT_FRAMES = math.ceil(CONFIG.reject_frames / CONFIG.rejected_weight)


class Story:
    """Gives inputs to a mission, ten a second."""

    def __init__(self, duration_s=1000.0):
        self.mission = Mission(CONFIG, duration_s)
        self.time_s = 0.0
        self.decisions = []

    def play(self, seconds, **changes):
        """The state after these inputs."""
        for _ in range(max(1, round(10 * seconds))):
            decision = self.mission.update(replace(CALM, time_s=self.time_s, **changes))
            if decision.transition is not None:
                self.decisions.append(decision)
            self.time_s += 0.1
        return self.mission.state

    @property
    def reasons(self):
        return [decision.transition.reason for decision in self.decisions]

    def until_patrolling(self):
        self.play(0.1)
        assert self.mission.state is MissionState.PATROL
        return self

    def until_following(self):
        self.until_patrolling()
        self.play(2.0, **CONFIRMED)
        assert self.mission.state is MissionState.FOLLOW
        return self

    def until_searching(self):
        self.until_following()
        self.play(CONFIG.follow_lost_s + 0.2)
        assert self.mission.state is MissionState.SEARCH
        return self


# Take-off, ACQUIRE


def test_mission_takes_off_patrols_acquires_and_follows():
    story = Story()
    assert story.play(1.0, altitude_m=0.2) is MissionState.TAKEOFF
    assert story.play(0.1) is MissionState.PATROL
    assert story.play(0.1, **CONFIRMED) is MissionState.ACQUIRE
    assert story.play(0.1 * (CONFIG.acquire_frames - 1), **CONFIRMED) is MissionState.ACQUIRE
    assert story.play(0.2, **CONFIRMED) is MissionState.FOLLOW


def test_vehicle_that_does_not_rise_lands():
    assert Story().play(CONFIG.takeoff_timeout_s + 1, altitude_m=0.0) is MissionState.LAND


def test_unconfirmed_detection_is_approached_but_not_followed():
    assert Story().until_patrolling().play(5.0, **UNCONFIRMED) is MissionState.ACQUIRE


def test_hero_who_is_expected_is_not_confirmed_by_every_tenth_frame():
    """A red bush resembles the hero now and then."""
    story = Story().until_searching()
    for _ in range(15):
        story.play(0.9, **UNCONFIRMED, is_expected=True)
        assert story.play(0.1, **CONFIRMED, is_expected=True) is not MissionState.FOLLOW
    story = Story().until_searching()
    for _ in range(15):
        story.play(0.1, **UNCONFIRMED, is_expected=True)
        state = story.play(0.1, **CONFIRMED, is_expected=True)
    assert state is MissionState.FOLLOW


def test_approach_ends_as_soon_as_the_detection_is_rejected_in_enough_frames():
    story = Story().until_patrolling()
    story.play(1.0, **UNCONFIRMED)
    assert story.play(0.1 * (REJECT_FRAMES - 1), **REJECTED) is MissionState.ACQUIRE
    assert story.play(0.1, **REJECTED) is MissionState.PATROL


def test_probable_hero_is_followed_after_more_frames_than_a_confirmed_one():
    """At the end of the streets, the vehicle cannot come near enough to confirm."""
    story = Story().until_patrolling()
    frames = math.ceil(CONFIG.acquire_frames / CONFIG.probable_weight)
    assert story.play(0.1 * (frames - 2), **PROBABLE) is MissionState.ACQUIRE
    assert story.play(0.3, **PROBABLE) is MissionState.FOLLOW


def test_person_confirmed_in_three_of_five_frames_is_not_followed():
    """A crimson coat over dark trousers in the rain is classified as that from some sides."""
    story = Story().until_patrolling()
    story.play(1.0, **UNCONFIRMED)
    for _ in range(20):
        state = story.play(0.6, **CONFIRMED)
        if state is MissionState.PATROL:
            break
        state = story.play(0.4, **REJECTED)
        assert state is not MissionState.FOLLOW


def test_detection_in_one_frame_only_leads_back_to_the_patrol():
    story = Story().until_patrolling()
    story.play(0.1, **CONFIRMED)
    assert story.play(0.1 * CONFIG.acquire_misses + 0.2) is MissionState.PATROL


def flickering_until_given_up_s(story):
    """Seconds for which a detection in every third frame is approached."""
    story.play(0.1, **UNCONFIRMED)
    for turn in range(100):
        story.play(0.2)
        story.play(0.1, **UNCONFIRMED)
        if any("more than detected" in reason for reason in story.reasons):
            return 0.3 * (turn + 1)
    raise AssertionError("approached on")


def test_detection_in_every_third_frame_only_is_given_up():
    """Red leaves flicker, and would lead astray; but so does the hero, 35 m away."""
    searching_s = flickering_until_given_up_s(Story().until_searching())
    patrolling_s = flickering_until_given_up_s(Story().until_patrolling())
    assert searching_s <= 0.25 * CONFIG.acquire_misses
    assert 2.0 * searching_s < patrolling_s <= 0.25 * PATIENCE * CONFIG.acquire_misses


def test_person_who_vanished_after_many_detections_on_patrol_is_gone_after():
    """The hero turned a corner 25 m away; the patrol flew on, and came by a minute later."""
    story = Story().until_patrolling()
    story.play(1.5, **UNCONFIRMED)
    assert story.play(2.5) is MissionState.ACQUIRE
    assert story.play(2.0) is MissionState.PATROL


def test_detection_in_two_of_three_frames_is_approached_on():
    story = Story().until_patrolling()
    for _ in range(30):
        story.play(0.2, **UNCONFIRMED)
        story.play(0.1)
    assert story.mission.state is MissionState.ACQUIRE


def test_detection_that_the_vehicle_cannot_approach_is_given_up():
    """A red bush in a courtyard would hold the patrol up for the whole time limit."""
    story = Story().until_patrolling()
    story.play(4.0, **UNCONFIRMED)
    assert story.play(CONFIG.acquire_stuck_s - 0.3, **UNCONFIRMED, **SLOW) is MissionState.ACQUIRE
    story.play(0.6, **UNCONFIRMED, **SLOW)
    assert any("no way to come nearer" in reason for reason in story.reasons)


def test_approach_ends_after_its_time_limit():
    story = Story().until_patrolling()
    assert story.play(CONFIG.acquire_timeout_s - 0.2, **UNCONFIRMED) is MissionState.ACQUIRE
    story.play(0.4, **UNCONFIRMED)
    assert f"not confirmed within {CONFIG.acquire_timeout_s:g} s" in story.reasons


# FOLLOW and SEARCH


def test_lost_hero_is_searched_for_and_then_given_up():
    story = Story().until_following()
    assert story.play(CONFIG.follow_lost_s - 0.2) is MissionState.FOLLOW
    assert story.play(0.5) is MissionState.SEARCH
    assert story.play(CONFIG.search_timeout_s + 0.2) is MissionState.PATROL


def test_hero_that_is_found_again_is_confirmed_before_it_is_followed():
    story = Story().until_searching()
    assert story.play(0.1, **CONFIRMED) is MissionState.ACQUIRE
    assert story.play(0.1 * CONFIG.acquire_frames + 0.1, **CONFIRMED) is MissionState.FOLLOW


def test_hero_found_at_the_expected_place_is_followed_after_fewer_frames():
    story = Story().until_searching()
    frames = CONFIG.reacquire_frames + 1  # the first one leads to ACQUIRE
    assert story.play(0.1 * frames, **CONFIRMED, is_expected=True) is MissionState.FOLLOW


def test_rejected_detection_does_not_end_the_search():
    story = Story().until_searching()
    story.play(0.1, **UNCONFIRMED)
    story.play(0.1 * REJECT_FRAMES, **REJECTED)
    assert story.mission.state is MissionState.SEARCH


def test_search_goes_on_after_a_vanished_detection_until_its_time_is_over():
    story = Story().until_searching()
    story.play(0.1, **UNCONFIRMED)
    assert story.mission.state is MissionState.ACQUIRE
    assert story.play(0.1 * CONFIG.acquire_misses + 0.2) is MissionState.SEARCH
    assert story.play(CONFIG.search_timeout_s) is MissionState.PATROL


def test_followed_hero_in_doubt_is_acquired_again():
    story = Story().until_following()
    enough_s = -CONFIG.doubt_time_s * math.log1p(-CONFIG.doubt_share)
    assert story.play(enough_s - 0.3, **REJECTED) is MissionState.FOLLOW
    assert story.play(0.6, **REJECTED) is MissionState.ACQUIRE


def played_in_turn(rejected_s, confirmed_s):
    """Half a minute of FOLLOW with detections that are rejected, and confirmed, in turn."""
    story = Story().until_following()
    for _ in range(round(30.0 / (rejected_s + confirmed_s))):
        if story.play(rejected_s, **REJECTED) is not MissionState.FOLLOW:
            break
        if story.play(confirmed_s, **CONFIRMED) is not MissionState.FOLLOW:
            break
    return story.mission.state


def test_hero_rejected_in_five_of_six_frames_is_in_doubt_within_half_a_minute():
    """Of somebody else at less than 10 m, the network rejects 94 of 100 detections."""
    assert played_in_turn(rejected_s=1.0, confirmed_s=0.2) is MissionState.ACQUIRE


@pytest.mark.parametrize(("rejected_s", "confirmed_s"), [(0.5, 0.5), (2.0, 3.0)])
def test_hero_in_a_crowd_is_not_in_doubt(rejected_s, confirmed_s):
    """A queue of people around a bush hid half of the hero in half of the frames."""
    assert played_in_turn(rejected_s, confirmed_s) is MissionState.FOLLOW


def test_unconfirmed_hero_is_followed_on():
    assert Story().until_following().play(20.0, **UNCONFIRMED) is MissionState.FOLLOW


# Faults


FAULTS = [
    (CONFIG.image_gap_s + 0.2, {"has_image": False}, "image"),
    (0.1, {"gap_s": 3.0}, "3.0 s"),
    (0.1, {"has_collided": True}, "collision"),
]


@pytest.mark.parametrize(("seconds", "fault", "word"), FAULTS)
def test_followed_hero_is_searched_for_after_every_fault(seconds, fault, word):
    story = Story().until_following()
    assert story.play(seconds, **fault) is MissionState.FAILSAFE
    assert word in story.reasons[-1]
    assert story.play(CONFIG.failsafe_hover_s + 0.3) is MissionState.SEARCH


@pytest.mark.parametrize(("seconds", "fault", "word"), FAULTS)
def test_patrol_goes_on_after_every_fault(seconds, fault, word):
    story = Story().until_patrolling()
    assert story.play(seconds, **fault) is MissionState.FAILSAFE
    assert story.play(CONFIG.failsafe_hover_s + 0.3) is MissionState.PATROL


def test_search_after_a_fault_has_its_full_time():
    story = Story().until_following()
    story.play(CONFIG.failsafe_land_s - 2.0, has_image=False)
    story.play(CONFIG.failsafe_hover_s + 0.3)
    assert story.play(CONFIG.search_timeout_s - 1.0) is MissionState.SEARCH
    assert story.play(2.0) is MissionState.PATROL


def test_faults_in_a_search_do_not_prolong_it():
    """Images that are lost every half a minute would keep the vehicle in the search for ever."""
    story = Story().until_searching()
    searched_s = 0.0
    while story.mission.state is not MissionState.PATROL and searched_s < 100.0:
        for _ in range(100):
            searched_s += 0.1 * (story.mission.state is MissionState.SEARCH)
            story.play(0.1)
        story.play(CONFIG.image_gap_s + 0.2, has_image=False)
        story.play(CONFIG.failsafe_hover_s + 0.3)
    assert searched_s == pytest.approx(CONFIG.search_timeout_s, abs=11.0)


def test_nobody_is_searched_for_after_a_fault_on_patrol():
    """The vehicle has not followed anybody yet, so nobody can be lost."""
    story = Story().until_patrolling()
    story.play(0.2, control_loss="control was taken", altitude_m=0.0, **AT_REST)
    story.play(CONFIG.failsafe_hover_s + 0.3, altitude_m=0.0, **AT_REST)
    assert MissionState.TAKEOFF in [one.transition.target for one in story.decisions]
    story.play(0.3)
    story.play(0.1, classification=Classification.UNCONFIRMED)
    assert story.mission.state is MissionState.ACQUIRE
    assert story.play(2.0) is MissionState.PATROL


def test_hover_after_a_fault_lasts_until_good_frames_have_come_for_long_enough():
    story = Story().until_following()
    story.play(0.1, has_collided=True)
    story.play(CONFIG.failsafe_hover_s - 0.3)
    story.play(0.1, has_collided=True)
    assert story.play(CONFIG.failsafe_hover_s - 0.3) is MissionState.FAILSAFE
    assert story.play(0.6) is MissionState.SEARCH


def test_single_frames_without_an_image_are_no_fault():
    story = Story().until_following()
    for _ in range(20):
        story.play(0.3, **CONFIRMED)
        story.play(0.2, has_image=False)
    assert story.mission.state is MissionState.FOLLOW


def test_lasting_fault_ends_in_a_landing():
    story = Story().until_following()
    assert story.play(CONFIG.failsafe_land_s + 1.0, has_image=False) is MissionState.LAND


def test_collision_during_take_off_is_a_fault():
    """Ground contact is none: `ContactJudge` tells the two apart before the mission sees either."""
    story = Story()
    story.play(0.5, altitude_m=0.1)
    assert story.play(0.1, has_collided=True, altitude_m=0.4) is MissionState.FAILSAFE


# The end of the flight


def test_flight_time_ends_in_a_landing_from_follow():
    story = Story(duration_s=5.0).until_following()
    assert story.play(5.0, **CONFIRMED) is MissionState.LAND
    assert story.play(0.1, altitude_m=0.0, **AT_REST) is MissionState.DONE


@pytest.mark.parametrize("not_landed", [{"altitude_m": 0.0}, {"altitude_m": 1.0, **AT_REST}])
def test_mission_is_done_only_at_rest_on_the_ground(not_landed):
    story = Story(duration_s=0.5)
    assert story.play(2.0) is MissionState.LAND
    assert story.play(1.0, **not_landed) is MissionState.LAND


def test_landing_request_is_obeyed_during_a_fault():
    story = Story().until_following()
    story.play(1.0, has_image=False)
    assert story.play(0.1, has_image=False, land_requested=True) is MissionState.LAND


def test_landing_ends_after_its_time_limit_when_no_ground_is_reached():
    story = Story(duration_s=0.5)
    assert story.play(CONFIG.land_timeout_s + 2.0) is MissionState.DONE


def test_every_transition_has_a_reason():
    story = Story(duration_s=20.0).until_following()
    story.play(30.0)
    assert all(story.reasons)
    assert len(story.reasons) >= 5


# Feedback to the tracker


def feedback_of(story):
    """Of the last transition, without its time."""
    return replace(story.decisions[-1].feedback, time_s=0.0)


def test_frame_without_a_transition_gives_no_feedback():
    mission = Mission(CONFIG, 1000.0)
    mission.update(CALM)
    decision = mission.update(replace(CALM, time_s=0.1))
    assert (decision.transition, decision.feedback) == (None, None)


def test_feedback_carries_the_time_of_its_frame():
    story = Story().until_patrolling()
    story.play(0.1, **CONFIRMED)
    assert story.decisions[-1].feedback == TrackFeedback(pytest.approx(0.1))


def test_certain_rejection_on_patrol_is_ignored_for_the_time_of_a_rejection():
    story = Story().until_patrolling()
    story.play(0.1, **UNCONFIRMED)
    story.play(0.1 * REJECT_FRAMES, **REJECTED)
    assert feedback_of(story) == TrackFeedback(
        0.0, forget_followed=True, rejection=Rejection(CONFIG.reject_s, is_certain=True)
    )


def test_detection_given_up_while_unconfirmed_is_no_certain_rejection():
    story = Story().until_patrolling()
    story.play(CONFIG.acquire_timeout_s + 0.2, **UNCONFIRMED)
    rejections = [decision.feedback.rejection for decision in story.decisions]
    assert Rejection(CONFIG.reject_s, is_certain=False) in rejections


def test_vanished_detection_on_patrol_is_ignored_for_a_shorter_time():
    story = Story().until_patrolling()
    story.play(0.1, **CONFIRMED)
    story.play(0.1 * CONFIG.acquire_misses + 0.2)
    assert feedback_of(story) == TrackFeedback(
        0.0, forget_followed=True, rejection=Rejection(CONFIG.vanished_s, is_certain=False)
    )


def test_rejection_in_a_search_resumes_the_track_of_the_followed_hero():
    story = Story().until_searching()
    story.play(0.1, **UNCONFIRMED)
    story.play(0.1 * REJECT_FRAMES, **REJECTED)
    assert feedback_of(story) == TrackFeedback(
        0.0, resume_followed=True, rejection=Rejection(CONFIG.reject_s, is_certain=True)
    )


@pytest.mark.parametrize("is_expected", [True, False])
@pytest.mark.parametrize("seen", [UNCONFIRMED, PROBABLE])
def test_vanished_detection_in_a_search_leads_back_unless_it_may_have_been_the_hero(
    is_expected, seen
):
    """It rejects no place: the lost hero may appear again where it vanished.

    A search turned to a place 20 m off for two frames of somebody unlike the hero.
    """
    story = Story().until_searching()
    story.play(0.1, **UNCONFIRMED)
    story.play(0.1, **seen, is_expected=is_expected)
    story.play(0.1 * CONFIG.acquire_misses + 0.2)
    assert story.mission.state is MissionState.SEARCH
    may_be_hero = is_expected and seen is PROBABLE
    assert feedback_of(story) == TrackFeedback(0.0, resume_followed=not may_be_hero)


def test_fault_during_an_approach_in_a_search_leads_back_to_the_followed_hero():
    story = Story().until_searching()
    story.play(0.1, **UNCONFIRMED)
    story.play(0.1, has_collided=True)
    assert story.mission.state is MissionState.FAILSAFE
    assert feedback_of(story) == TrackFeedback(0.0, resume_followed=True)


@pytest.mark.parametrize("is_in_doubt", [True, False])
def test_followed_hero_is_forgotten_when_it_is_in_doubt_or_given_up(is_in_doubt):
    story = Story().until_following()
    if is_in_doubt:
        story.play(CONFIG.doubt_time_s, **REJECTED)
    else:
        story.play(CONFIG.follow_lost_s + CONFIG.search_timeout_s + 1.0)
    forgetful = [
        decision.transition.target
        for decision in story.decisions[2:]
        if decision.feedback.forget_followed
    ]
    assert forgetful[0] is (MissionState.ACQUIRE if is_in_doubt else MissionState.PATROL)


# Control of the vehicle

ON_THE_GROUND = {"altitude_m": 0.0, **AT_REST}


def test_lost_control_hovers_with_the_reason_and_the_mission_goes_on_when_it_is_back():
    story = Story().until_following()
    assert story.play(0.1, control_loss="API control is gone") is MissionState.FAILSAFE
    assert story.reasons[-1] == "API control is gone"
    assert story.play(CONFIG.failsafe_hover_s + 0.3) is MissionState.SEARCH
    assert "control is back" in story.reasons[-1]


def test_vehicle_on_the_ground_after_lost_control_takes_off_again():
    """A patrol on the ground would last for the rest of the flight."""
    story = Story().until_following()
    story.play(0.1, control_loss="reset", **ON_THE_GROUND)
    assert story.play(CONFIG.failsafe_hover_s + 0.3, **ON_THE_GROUND) is MissionState.TAKEOFF
    assert story.play(0.2) is MissionState.PATROL


def test_control_lost_during_takeoff_is_waited_out_and_takeoff_begins_again():
    story = Story()
    story.play(0.1, altitude_m=0.0)
    assert story.play(0.1, control_loss="reset", **ON_THE_GROUND) is MissionState.FAILSAFE
    assert story.play(CONFIG.failsafe_hover_s + 0.3, **ON_THE_GROUND) is MissionState.TAKEOFF
