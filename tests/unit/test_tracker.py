"""If these fail, the pilot chases red specks on patrol, or changes over to the hero's neighbour."""

import math
from dataclasses import replace

import numpy as np
import pytest
from followme_uav.pilot.eyes import Eyes, Verdict

from followme_uav.config import load_config
from followme_uav.geometry import pixel_of_point, quaternion_from_euler
from followme_uav.messages import CameraPose, Frame, MaskClass, MissionState, VehicleState

CONFIG = load_config()
LEVEL = (1.0, 0.0, 0.0, 0.0)
PATROL, ACQUIRE, FOLLOW = MissionState.PATROL, MissionState.ACQUIRE, MissionState.FOLLOW
TILTED = quaternion_from_euler(0.0, -0.2, 0.0)


def frame_at(time_s):
    position = (0.0, 0.0, -4.5)
    vehicle = VehicleState(time_s, position, (0.0, 0.0, 0.0), LEVEL, (0.0, 0.0, 0.0))
    camera = CameraPose(position, TILTED, math.radians(60))
    return Frame(0, time_s, np.zeros((160, 160, 3), np.uint8), camera, vehicle)


def mask_with(*people, area=1.0):
    """Each person: (north, east); `area` of the hero's, her height kept."""
    mask = np.zeros((160, 160, 3), np.uint8)
    camera = frame_at(0.0).camera
    for north, east in people:
        head = pixel_of_point(camera, (north, east, -1.7))
        feet = pixel_of_point(camera, (north, east, 0.0))
        px_per_m = 160 / (2 * math.tan(math.radians(30)) * head[2])
        width_px = max(1, round(area * 0.3 * px_per_m))
        left = round((head[0] + 1) * 80 - width_px / 2)
        top, bottom = (round((point[1] + 1) * 80) for point in (head, feet))
        mask[top:bottom, left : left + width_px, MaskClass.HERO] = 255
    return mask


def following(place, frames=10):
    eyes = Eyes(CONFIG)
    for i in range(frames):
        assert eyes.look(frame_at(0.1 * i), mask_with(place), FOLLOW if i else PATROL) is not None
    return eyes


def test_somebody_in_red_on_the_street_is_worth_a_look():
    eyes = Eyes(CONFIG)
    seen = eyes.look(frame_at(0.0), mask_with((7.0, 0.0)), PATROL)
    assert seen.place_m[:2] == pytest.approx((7.0, 0.0), abs=0.5)
    assert eyes.judge(seen) is Verdict.HERO
    assert eyes.judge(None) is Verdict.NOTHING_SEEN


def test_from_some_metres_away_somebody_is_like_her_at_best():
    """In a rust-coloured coat he looked just like her from 15 to 9 m, and was followed."""
    eyes = Eyes(CONFIG)
    verdicts = [
        eyes.judge(eyes.look(frame_at(0.1 * i), mask_with((north_m, 0.0)), PATROL))
        for i, north_m in enumerate((20.0, 12.0, 6.0))
    ]
    assert verdicts == [Verdict.TOO_FAR, Verdict.LIKE_HER, Verdict.HERO]


def test_on_patrol_a_red_speck_and_somebody_far_away_are_passed_by():
    eyes = Eyes(CONFIG)
    speck = mask_with((10.0, 0.0), area=0.2)
    assert eyes.look(frame_at(0.0), speck, PATROL) is None
    far = mask_with((1.3 * CONFIG.observe.notice_distance_m, 0.0))
    assert far[..., MaskClass.HERO].any()
    assert eyes.look(frame_at(0.0), far, PATROL) is None


def test_half_hidden_she_is_still_followed():
    eyes = following((10.0, 0.0))
    assert eyes.look(frame_at(1.0), mask_with((10.0, 0.0), area=0.3), FOLLOW) is not None


def test_a_speck_beside_her_is_not_taken_for_her_when_she_is_hidden():
    eyes = following((10.0, 0.0))
    speck = mask_with((10.0, 0.2), area=0.1)
    speck[np.flatnonzero(speck[..., MaskClass.HERO].any(axis=1))[13:]] = 0
    assert eyes.look(frame_at(1.1), speck, FOLLOW) is None


@pytest.mark.parametrize("side_m", [-1.5, 1.5])
def test_a_neighbour_is_not_taken_for_her_while_she_is_hidden(side_m):
    eyes = following((10.0, 0.0))
    assert eyes.look(frame_at(1.1), mask_with((10.0, side_m)), FOLLOW) is None


def test_after_a_while_out_of_sight_she_may_be_farther_off():
    eyes = following((10.0, 0.0))
    assert eyes.look(frame_at(1.9), mask_with((10.0, 1.5)), FOLLOW) is not None


def test_a_rejected_place_is_overlooked_for_a_while():
    eyes = following((10.0, 0.0))
    leaves = mask_with((20.0, 0.0))
    eyes.look(frame_at(1.0), leaves, PATROL)
    eyes.reject(now_s=1.0, duration_s=4.0, is_certain=False)
    assert eyes.look(frame_at(4.0), leaves, PATROL) is None
    assert eyes.look(frame_at(6.0), leaves, PATROL) is not None


def test_a_place_that_is_rejected_again_is_overlooked_for_longer():
    """The same red tree stopped the patrol on every round."""
    eyes = Eyes(CONFIG)
    leaves = mask_with((20.0, 0.0))
    for now_s in (0.0, 5.0):
        assert eyes.look(frame_at(now_s), leaves, PATROL) is not None
        eyes.reject(now_s, duration_s=4.0, is_certain=False)
    assert eyes.look(frame_at(10.0), leaves, PATROL) is None
    assert eyes.look(frame_at(14.0), leaves, PATROL) is not None


@pytest.mark.parametrize("is_certain", [False, True])
def test_whoever_surely_is_she_is_seen_where_something_was_lost_from_sight(is_certain):
    """But not where somebody was looked at and found to be somebody else."""
    eyes = following((10.0, 0.0))
    eyes.reject(now_s=1.0, duration_s=60.0, is_certain=is_certain)
    seen = eyes.look(frame_at(2.0), mask_with((10.0, 0.0)), PATROL)
    assert (seen is None) == is_certain


def test_somebody_half_red_and_half_not_is_not_she():
    """In a rust-coloured coat he was followed for half a minute: a third of him looked like her."""
    eyes = Eyes(CONFIG)
    mask = mask_with((7.0, 0.0))
    rows = np.flatnonzero(mask[..., MaskClass.HERO].any(axis=1))
    striped = mask.copy()
    striped[rows[1:-1:3], :, MaskClass.PEOPLE] = mask[rows[1:-1:3], :, MaskClass.HERO]
    striped[rows[1:-1:3], :, MaskClass.HERO] = 0
    assert eyes.judge(eyes.look(frame_at(0.0), mask, PATROL)) is Verdict.HERO
    assert eyes.judge(eyes.look(frame_at(0.1), striped, PATROL)) is Verdict.SOMEBODY_ELSE


def test_she_who_was_followed_is_expected_where_she_may_have_walked():
    eyes = following((10.0, 0.0))
    near, far = (
        eyes.look(frame_at(t), mask_with(place), PATROL)
        for t, place in ((4.0, (11.0, 2.0)), (4.1, (18.0, -8.0)))
    )
    assert eyes.is_expected(frame_at(4.0), near)
    assert not eyes.is_expected(frame_at(4.1), far)
    assert not Eyes(CONFIG).is_expected(frame_at(4.0), near)


def test_she_who_turned_faster_than_thought_is_followed_on():
    """She ran towards the vehicle, past somebody; a fragment of him was taken for her instead."""
    eyes = following((8.0, 0.0))
    beside, beyond = (
        eyes.look(frame_at(t), mask_with((7.4, east_m)), FOLLOW)
        for t, east_m in ((1.1, 1.0), (1.2, 4.0))
    )
    assert beside is not None
    assert beyond is None


def test_from_afar_only_she_who_is_expected_counts():
    """She came out 25 m away in full view, and was followed only once she was 16 m near."""
    place = (20.0, 0.0)
    eyes = following(place)
    seen = eyes.look(frame_at(2.0), mask_with(place), MissionState.SEARCH)
    assert seen.distance_m > CONFIG.observe.sure_distance_m
    assert eyes.judge(seen, is_expected=eyes.is_expected(frame_at(2.0), seen)) is Verdict.HERO
    assert eyes.judge(seen) is Verdict.TOO_FAR
    unclear = replace(seen, detection=replace(seen.detection, confidence=0.9))
    assert eyes.judge(unclear, is_expected=True) is Verdict.TOO_FAR
    eyes.expect_nobody()
    assert not eyes.is_expected(frame_at(2.0), seen)


def test_a_search_goes_on_where_she_was_lost_not_where_somebody_else_stood():
    eyes = following((10.0, 0.0))
    eyes.look(frame_at(3.0), mask_with((15.0, -6.0)), MissionState.SEARCH)
    assert eyes.expected(3.0).ground_m[1] < -4.0
    eyes.search_again()
    assert eyes.expected(3.0).ground_m == pytest.approx((10.0, 0.0), abs=1.0)


def test_somebody_near_who_surely_is_she_counts_more_than_a_far_red_thing():
    """She stood 8 m away, in full view, while a red tree 38 m away was approached."""
    eyes = Eyes(CONFIG)
    tree = (35.0, 5.0)
    assert eyes.look(frame_at(0.0), mask_with(tree), PATROL) is not None
    seen = eyes.look(frame_at(0.1), mask_with(tree, (9.0, -1.0)), ACQUIRE)
    assert seen.place_m[:2] == pytest.approx((9.0, -1.0), abs=0.5)
    assert eyes.expected(0.1).ground_m == pytest.approx((9.0, -1.0), abs=0.5)


def test_whoever_is_followed_stays_the_one():
    eyes = following((10.0, 0.0))
    assert eyes.look(frame_at(1.0), mask_with((9.0, -3.0)), FOLLOW) is None
