"""If these fail, the mission gets stuck, ignores a fault, or follows without being sure."""

import math
from dataclasses import replace

import pytest
from followme_uav.pilot.eyes import Verdict

from followme_uav.config import load_config
from followme_uav.messages import MissionState
from followme_uav.pilot.mission import Mission, Situation

CONFIG = load_config().mission
CALM = Situation(
    time_s=0.0,
    gap_s=0.1,
    has_image=True,
    has_collided=False,
    land_requested=False,
    altitude_m=4.5,
    is_at_rest=False,
    verdict=Verdict.NOTHING_SEEN,
)
SEEN = {"verdict": Verdict.HERO}
FAR = {"verdict": Verdict.TOO_FAR}


class Story:
    """Plays situations to a mission, ten a second."""

    def __init__(self, duration_s=1000.0):
        self.mission = Mission(CONFIG, duration_s)
        self.time_s = 0.0
        self.reasons = []

    def play(self, seconds, **changes):
        for _ in range(max(1, round(10 * seconds))):
            transition = self.mission.update(replace(CALM, time_s=self.time_s, **changes))
            if transition is not None:
                self.reasons.append(transition.reason)
            self.time_s += 0.1
        return self.mission.state

    def until_following(self):
        self.play(0.1)
        self.play(2.0, **SEEN)
        assert self.mission.state is MissionState.FOLLOW
        return self


def test_take_off_then_patrol_then_follow():
    story = Story()
    assert story.play(1.0, altitude_m=0.2) is MissionState.TAKEOFF
    assert story.play(0.1) is MissionState.PATROL
    assert story.play(0.1, **SEEN) is MissionState.ACQUIRE
    assert story.play(0.1 * (CONFIG.acquire_frames - 1), **SEEN) is MissionState.ACQUIRE
    assert story.play(0.2, **SEEN) is MissionState.FOLLOW


def test_a_vehicle_that_cannot_rise_gives_up():
    assert Story().play(CONFIG.takeoff_timeout_s + 1, altitude_m=0.0) is MissionState.LAND


def test_a_far_blob_is_approached_but_not_followed():
    story = Story()
    story.play(0.1)
    assert story.play(5.0, **FAR) is MissionState.ACQUIRE


def test_somebody_else_is_left_alone_at_once():
    story = Story()
    story.play(0.1)
    story.play(1.0, **FAR)
    impostor = {"verdict": Verdict.SOMEBODY_ELSE}
    frames = math.ceil(CONFIG.reject_frames / CONFIG.wrong_weight)
    assert story.play(0.1 * (frames - 1), **impostor) is MissionState.ACQUIRE
    assert story.play(0.1, **impostor) is MissionState.PATROL


def test_who_looks_like_her_from_a_distance_must_do_so_for_longer():
    """Where the streets let nobody come nearer she is followed all the same."""
    story = Story()
    story.play(0.1)
    frames = math.ceil(CONFIG.acquire_frames / CONFIG.distant_weight)
    assert story.play(0.1 * (frames - 2), verdict=Verdict.LIKE_HER) is MissionState.ACQUIRE
    assert story.play(0.3, verdict=Verdict.LIKE_HER) is MissionState.FOLLOW


def test_who_looks_like_her_three_times_in_five_is_not_followed():
    """Somebody in a crimson coat and dark trousers, in the rain, from some sides."""
    story = Story()
    story.play(0.1)
    story.play(1.0, **FAR)
    for _ in range(20):
        state = story.play(0.6, **SEEN)
        if state is MissionState.PATROL:
            break
        state = story.play(0.4, verdict=Verdict.SOMEBODY_ELSE)
        assert state is not MissionState.FOLLOW


def test_a_glimpse_leads_back_to_patrol():
    story = Story()
    story.play(0.1)
    story.play(0.1, **SEEN)
    assert story.play(0.1 * CONFIG.acquire_misses + 0.2) is MissionState.PATROL


def test_what_is_seen_in_every_third_frame_only_is_left_alone():
    """Red leaves flickered, and led the patrol astray for eight seconds."""
    story = Story()
    story.play(0.1)
    story.play(0.1, **FAR)
    for _ in range(round(2.0 * CONFIG.acquire_misses / 3)):
        story.play(0.2)
        story.play(0.1, **FAR)
    assert story.mission.state is MissionState.PATROL or "not seen" in "".join(story.reasons)


def test_what_is_seen_in_most_frames_is_approached_on():
    story = Story()
    story.play(0.1)
    for _ in range(30):
        story.play(0.2, **FAR)
        story.play(0.1)
    assert story.mission.state is MissionState.ACQUIRE


def test_a_lost_hero_is_searched_for_and_then_given_up():
    story = Story().until_following()
    assert story.play(CONFIG.follow_lost_s - 0.2) is MissionState.FOLLOW
    assert story.play(0.5) is MissionState.SEARCH
    assert story.play(CONFIG.search_timeout_s + 0.2) is MissionState.PATROL


def test_a_hero_found_again_is_confirmed_before_she_is_followed():
    story = Story().until_following()
    story.play(CONFIG.follow_lost_s + 0.2)
    assert story.play(0.1, **SEEN) is MissionState.ACQUIRE
    assert story.play(0.1 * CONFIG.acquire_frames + 0.1, **SEEN) is MissionState.FOLLOW


FAULTS = [
    (CONFIG.image_gap_s + 0.2, {"has_image": False}, "image"),
    (0.1, {"gap_s": 3.0}, "3.0 s"),
    (0.1, {"has_collided": True}, "hit"),
]


@pytest.mark.parametrize(("seconds", "fault", "word"), FAULTS)
def test_every_fault_hovers_and_then_she_is_looked_for(seconds, fault, word):
    """The patrol began from scratch, though she was still there."""
    story = Story().until_following()
    assert story.play(seconds, **fault) is MissionState.FAILSAFE
    assert word in story.reasons[-1]
    assert story.play(CONFIG.failsafe_hover_s + 0.3) is MissionState.SEARCH


@pytest.mark.parametrize(("seconds", "fault", "word"), FAULTS)
def test_a_fault_on_patrol_leads_back_to_patrol(seconds, fault, word):
    story = Story()
    story.play(0.1)
    assert story.play(seconds, **fault) is MissionState.FAILSAFE
    assert story.play(CONFIG.failsafe_hover_s + 0.3) is MissionState.PATROL


def test_after_a_fault_she_is_searched_for_as_long_as_ever():
    story = Story().until_following()
    story.play(CONFIG.failsafe_land_s - 2.0, has_image=False)
    story.play(CONFIG.failsafe_hover_s + 0.3)
    assert story.play(CONFIG.search_timeout_s - 1.0) is MissionState.SEARCH
    assert story.play(2.0) is MissionState.PATROL


def test_a_frame_without_an_image_now_and_then_is_flown_through():
    story = Story().until_following()
    for _ in range(20):
        story.play(0.3, **SEEN)
        story.play(0.2, has_image=False)
    assert story.mission.state is MissionState.FOLLOW


def test_she_who_is_where_she_was_expected_is_followed_sooner():
    story = Story().until_following()
    story.play(CONFIG.follow_lost_s + 0.2)
    frames = CONFIG.reacquire_frames + 1  # one to notice her
    assert story.play(0.1 * frames, **SEEN, is_expected=True) is MissionState.FOLLOW


def test_somebody_else_does_not_end_the_search():
    story = Story().until_following()
    story.play(CONFIG.follow_lost_s + 0.2)
    story.play(0.1, **FAR)
    frames = math.ceil(CONFIG.reject_frames / CONFIG.wrong_weight)
    story.play(0.1 * frames, verdict=Verdict.SOMEBODY_ELSE)
    assert story.mission.state is MissionState.SEARCH


def test_a_lasting_fault_lands():
    story = Story().until_following()
    assert story.play(CONFIG.failsafe_land_s + 1.0, has_image=False) is MissionState.LAND


def test_the_flight_time_ends_in_a_landing_from_any_state():
    story = Story(duration_s=5.0).until_following()
    assert story.play(5.0, **SEEN) is MissionState.LAND
    assert story.play(0.1, altitude_m=0.0, is_at_rest=True) is MissionState.DONE


def test_a_landing_request_is_obeyed_even_in_a_fault():
    story = Story().until_following()
    story.play(1.0, has_image=False)
    assert story.play(0.1, has_image=False, land_requested=True) is MissionState.LAND


def test_landing_ends_even_if_the_ground_never_comes():
    story = Story(duration_s=0.5)
    assert story.play(CONFIG.land_timeout_s + 2.0) is MissionState.DONE


def test_a_hero_in_doubt_is_confirmed_anew():
    story = Story().until_following()
    impostor = {"verdict": Verdict.SOMEBODY_ELSE}
    enough_s = -CONFIG.follow_doubt_s * math.log1p(-CONFIG.follow_doubt_share)
    assert story.play(enough_s - 0.3, **impostor) is MissionState.FOLLOW
    assert story.play(0.6, **impostor) is MissionState.ACQUIRE


def test_who_half_looks_like_her_is_in_doubt_before_long():
    story = Story().until_following()
    for _ in range(30):
        story.play(0.5, **SEEN)
        if story.play(0.5, verdict=Verdict.SOMEBODY_ELSE) is MissionState.ACQUIRE:
            return
    raise AssertionError("followed for half a minute")


def test_a_crowd_that_hides_half_of_her_now_and_then_raises_no_doubt():
    story = Story().until_following()
    for _ in range(10):
        story.play(2.0, verdict=Verdict.SOMEBODY_ELSE)
        assert story.play(6.0, **SEEN) is MissionState.FOLLOW


def test_a_hero_who_runs_ahead_is_followed_though_too_far_to_tell():
    assert Story().until_following().play(20.0, **FAR) is MissionState.FOLLOW


def test_the_search_goes_on_after_a_glimpse_until_its_time_is_up():
    story = Story().until_following()
    story.play(CONFIG.follow_lost_s + 0.2)
    story.play(0.1, **FAR)
    assert story.mission.state is MissionState.ACQUIRE
    assert story.play(0.1 * CONFIG.acquire_misses + 0.2) is MissionState.SEARCH
    assert story.play(CONFIG.search_timeout_s) is MissionState.PATROL


def test_every_change_has_a_reason():
    story = Story(duration_s=20.0).until_following()
    story.play(30.0)
    assert all(story.reasons)


def test_what_cannot_be_approached_is_left():
    """A red bush in a courtyard held the patrol up for twenty seconds."""
    story = Story()
    story.play(0.1)
    story.play(4.0, **FAR)
    assert story.play(CONFIG.acquire_stuck_s - 0.3, **FAR, is_slow=True) is MissionState.ACQUIRE
    story.play(0.6, **FAR, is_slow=True)
    assert any("no way to come nearer" in reason for reason in story.reasons)
