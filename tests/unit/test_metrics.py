"""The metrics, on made-up flights with known values."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import load_config
from followme_uav.flight.hero_truth import is_hero
from followme_uav.flight.metrics import MetricsAccumulator, metrics_of
from followme_uav.flight.summary import judge
from followme_uav.messages import Command, Manoeuvre, MissionState
from tests.conftest import SIZE_PX, detection_at, hero_mask, make_entry

PATROL, FOLLOW, SEARCH = MissionState.PATROL, MissionState.FOLLOW, MissionState.SEARCH
LAND, TAKEOFF, FAILSAFE = MissionState.LAND, MissionState.TAKEOFF, MissionState.FAILSAFE
DONE = MissionState.DONE
CONFIG = load_config()
HERO_PX = (16, 16)
TRUTH = hero_mask(HERO_PX)


def follow(index, *, at=HERO_PX, **more):
    """FOLLOW, with a detection at `at`; the hero is truly at HERO_PX."""
    return make_entry(index, FOLLOW, detection=detection_at(at), truth_mask=TRUTH, **more)


def other(index, state=SEARCH, **more):
    return make_entry(index, state, **{"truth_mask": TRUTH, **more})


def test_flight_without_frames_has_metrics():
    """A flight that fails before its first frame must not end in a traceback."""
    result = MetricsAccumulator(CONFIG).result()
    assert result.frames == 0
    assert result.acquire_s is None
    assert json.loads(json.dumps(result.to_dict()))["loop_p50_ms"] is None


def test_flight_without_ground_truth_has_no_metrics_of_the_hero():
    """On a foreign simulator there is nothing to compare detections with."""
    entries = [make_entry(i, FOLLOW, detection=detection_at(HERO_PX)) for i in range(10)]
    result = metrics_of(entries, CONFIG)
    assert result.acquire_s is result.in_view is result.tracked is None
    assert result.wrong_target_s is result.min_clearance_m is None
    assert result.flight_s == pytest.approx(0.9)


def test_acquisition_counts_from_the_first_detection_of_the_true_hero():
    """Following another person is no acquisition."""
    entries = [other(0, PATROL), follow(1, at=(3, 3)), follow(2, at=(3, 3)), follow(3), follow(4)]
    result = metrics_of(entries, CONFIG)
    assert result.acquire_s == pytest.approx(0.3)
    assert result.wrong_target_s == pytest.approx(0.2)


def test_follow_without_a_detection_is_not_a_wrong_target():
    """A short occlusion must not fail the flight."""
    entries = [follow(0), other(1, FOLLOW), follow(2)]
    assert metrics_of(entries, CONFIG).wrong_target_s == 0.0


def test_in_view_counts_from_acquisition_to_landing():
    """Neither the patrol before nor the landing after is part of the share."""
    hidden = hero_mask(None)
    entries = [
        other(0, PATROL, truth_mask=hidden),
        other(1, PATROL, truth_mask=hidden),
        follow(2),
        other(3, FOLLOW),
        other(4, FOLLOW),
        other(5, FOLLOW, truth_mask=hidden),
        other(6, LAND, truth_mask=hidden),
        other(7, LAND, truth_mask=hidden),
    ]
    assert metrics_of(entries, CONFIG).in_view == pytest.approx(0.75)


@pytest.mark.parametrize(("pixels", "expected"), [(3, 0.0), (4, 1.0)])
def test_in_view_means_more_than_three_pixels(pixels, expected):
    """The same rule as in the scores of networks."""
    mask = hero_mask(None)
    mask[10, 10 : 10 + pixels] = (0, 0, 255)
    entries = [follow(0), *(other(i, FOLLOW, truth_mask=mask) for i in range(1, 101))]
    assert metrics_of(entries, CONFIG).in_view == pytest.approx(expected, abs=0.011)


@pytest.mark.parametrize(
    ("north_m", "east_m", "tracked"),
    [
        (7.0, 0.0, 1.0),
        (9.0, 0.0, 1.0),
        (9.2, 0.0, 0.0),
        (4.95, 0.0, 1.0),
        (4.8, 0.0, 0.0),
        (6.5, 6.5 * math.tan(0.75) * 0.39, 1.0),
        (6.5, 6.5 * math.tan(0.75) * 0.41, 0.0),
        (-7.0, 0.0, 0.0),
    ],
)
def test_tracked_needs_a_central_position_and_the_wanted_distance(north_m, east_m, tracked):
    """At the edge of the image, far away or behind the camera the hero is not tracked."""
    assert CONFIG.control.wanted_distance_m == 7.0
    feet_m = (north_m, east_m, CONFIG.hero.centroid_height_m)
    entries = [follow(i, hero_position_m=feet_m) for i in range(3)]
    assert metrics_of(entries, CONFIG).tracked == tracked


def test_losses_and_times_until_reacquisition_are_counted():
    entries = [
        other(0, PATROL),
        follow(1),
        other(2, SEARCH),  # first loss
        other(3, SEARCH),
        follow(4, at=(3, 3)),  # another person: still lost
        other(5, SEARCH),
        follow(6),  # found after 0.4 s
        other(7, FAILSAFE),  # second loss, never mended
        other(8, LAND),
    ]
    result = metrics_of(entries, CONFIG)
    assert result.losses == 2
    assert result.reacquire_s == [pytest.approx(0.4)]
    assert result.final_state == "land"


def test_time_of_occlusion_is_left_out_of_the_visible_reacquisition_time():
    """A hero that waits behind a house does not make the search slow."""
    hidden = hero_mask(None)
    entries = [
        follow(0),
        other(1, truth_mask=hidden),
        other(2, truth_mask=hidden),
        other(3),
        other(4, truth_mask=hidden),
        follow(5),
        other(6),
        follow(7),
        other(8, LAND),
    ]
    result = metrics_of(entries, CONFIG)
    assert result.reacquire_s == pytest.approx([0.4, 0.1])
    assert result.reacquire_visible_s == pytest.approx([0.2, 0.1])
    assert result.judged_s == pytest.approx(0.8)


def test_time_since_acquisition_counts_from_the_first_detection_of_the_hero():
    metrics = MetricsAccumulator(CONFIG)
    times_s = []
    for entry in (other(0, PATROL), follow(1, at=(3, 3)), follow(2), other(3), other(4)):
        metrics.add(entry)
        times_s.append(metrics.since_acquired_s)
    assert times_s == pytest.approx([0.0, 0.0, 0.0, 0.1, 0.2])


def test_landing_from_follow_is_no_loss():
    assert metrics_of([follow(0), follow(1), other(2, LAND)], CONFIG).losses == 0


def test_collisions_are_counted_when_they_begin():
    """A scrape along a wall is one collision, two contacts are two."""
    hits = [False, True, True, False, True, False]
    entries = [other(i, PATROL, collided=hit) for i, hit in enumerate(hits)]
    assert metrics_of(entries, CONFIG).collisions == 2


def test_clearance_ignores_take_off_and_landing():
    """Start and landing place say nothing about obstacle avoidance."""
    entries = [
        other(0, TAKEOFF, clearance_m=0.1),
        other(1, PATROL, clearance_m=3.0),
        other(2, FAILSAFE, clearance_m=2.0),
        other(3, LAND, clearance_m=0.2),
    ]
    assert metrics_of(entries, CONFIG).min_clearance_m == 2.0


def test_command_rate_is_the_root_mean_square_of_the_change_without_take_off():
    speeds = [0.0, 0.3, 0.3, -0.1]
    takeoff = Command(Manoeuvre.TAKEOFF, (9.0, 0.0, 0.0), 0.0, 0.0, 0.0)
    entries = [other(0, TAKEOFF, command=takeoff)]
    for index, speed in enumerate(speeds, 1):
        command = Command(Manoeuvre.VELOCITY, (0.0, speed, 0.0), 0.0, 0.0, 0.0)
        entries.append(other(index, PATROL, command=command))
    expected = math.sqrt((3.0**2 + 0.0 + 4.0**2) / 3)
    assert metrics_of(entries, CONFIG).command_rate == pytest.approx(expected)


def test_loop_times_have_percentiles_and_a_real_time_factor():
    entries = [other(i, PATROL, total_ms=float(i)) for i in range(101)]
    result = metrics_of(entries, CONFIG, wall_s=2.0)
    assert result.loop_p50_ms == 50.0
    assert result.loop_p99_ms == 99.0
    assert result.real_time_factor == pytest.approx(5.0)


@given(
    hero=st.tuples(st.integers(2, SIZE_PX - 3), st.integers(2, SIZE_PX - 3)),
    found=st.tuples(st.floats(0, SIZE_PX - 1), st.floats(0, SIZE_PX - 1)),
    size=st.integers(1, 9),
)
def test_detection_is_the_hero_exactly_when_the_boxes_touch(hero, found, size):
    """A neighbour must not pass as the hero, nor the hero as a neighbour."""
    gap = max(abs(b - h) for b, h in zip(found, hero, strict=True))
    reach = 2 + size / 2 + 2.0  # the hero's half width, that of the detection, and the margin
    touches = is_hero(detection_at(found, size), hero_mask(hero))
    if gap <= reach - 1e-6:
        assert touches
    if gap >= reach + 1.0:
        assert not touches


state_and_view = st.tuples(st.sampled_from(list(MissionState)), st.booleans(), st.booleans())


@given(st.lists(state_and_view, max_size=30))
def test_shares_and_times_stay_in_their_bounds(flight):
    """No share exceeds 100 %, no time that of the flight."""
    entries = [
        make_entry(
            index,
            state,
            detection=detection_at(HERO_PX if right else (3, 3)),
            truth_mask=hero_mask(HERO_PX if visible else None),
        )
        for index, (state, visible, right) in enumerate(flight)
    ]
    result = metrics_of(entries, CONFIG)
    assert result.in_view is None or 0.0 <= result.in_view <= 1.0
    assert result.tracked is None or 0.0 <= result.tracked <= 1.0
    assert result.wrong_target_s is None or 0.0 <= result.wrong_target_s <= result.flight_s + 1e-9
    assert len(result.reacquire_s) <= result.losses
    assert all(0.0 < time_s <= result.flight_s for time_s in result.reacquire_s)
    assert (result.in_view is None) or result.acquire_s is not None


@given(st.lists(state_and_view, min_size=2, max_size=20), st.floats(0.0, 1e4))
def test_metrics_do_not_depend_on_the_start_of_the_clock(flight, start_s):
    """A simulator may have run before the flight."""
    entries = [
        make_entry(i, state, detection=detection_at(HERO_PX), truth_mask=TRUTH if visible else None)
        for i, (state, visible, _) in enumerate(flight)
    ]
    later = [
        replace(entry, frame=replace(entry.frame, time_s=entry.frame.time_s + start_s))
        for entry in entries
    ]
    first, second = (metrics_of(each, CONFIG).to_dict() for each in (entries, later))
    for name, value in first.items():
        if isinstance(value, (float, list)):
            assert second[name] == pytest.approx(value, abs=1e-6), name
        else:
            assert second[name] == value, name


def at_altitude(entry, altitude_m):
    vehicle = replace(entry.frame.vehicle, position_m=(0.0, 0.0, -altitude_m))
    return replace(entry, frame=replace(entry.frame, vehicle=vehicle))


@pytest.mark.parametrize(
    ("state", "altitude_m", "landed"),
    [(DONE, 0.1, True), (DONE, 4.0, False), (LAND, 0.1, False)],
)
def test_landing_that_was_given_up_is_no_success(state, altitude_m, landed):
    """A vehicle that is left in the air has not landed."""
    entries = [
        follow(0),
        at_altitude(other(1, LAND), 4.0),
        at_altitude(other(2, state), altitude_m),
    ]
    metrics = metrics_of(entries, CONFIG)
    assert metrics.landed is landed
    assert judge(metrics) == (
        (True, "hero found and followed") if landed else (False, "did not land")
    )
