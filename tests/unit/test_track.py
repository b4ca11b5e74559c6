"""If these fail, the pilot expects the hero in the wrong place and follows somebody else there."""

import math

import numpy as np
import pytest
from followme_uav.pilot.tracker import Fix, PlaceCovariance
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import load_config
from followme_uav.pilot import tracker

CONFIG = load_config().tracker
SURE = PlaceCovariance(n_n=0.04, n_e=0.0, e_e=0.04)


def whole(covariance):
    """The (4, 4) matrix: north, east, and the velocity in both directions."""
    n_n, n_e, e_e, n_vn, n_ve, e_vn, e_ve, vn_vn, vn_ve, ve_ve = covariance
    return np.array(
        [
            [n_n, n_e, n_vn, n_ve],
            [n_e, e_e, e_vn, e_ve],
            [n_vn, e_vn, vn_vn, vn_ve],
            [n_ve, e_ve, vn_ve, ve_ve],
        ]
    )


def fix(north, east, covariance=SURE):
    return Fix((north, east, -0.95), covariance)


def walked(north_mps, east_mps, seconds=6.0):
    """The track of somebody who was seen ten times a second all the way."""
    track = tracker.start(0.0, fix(10.0, 0.0), CONFIG)
    for step in range(1, round(10 * seconds)):
        t = 0.1 * step
        track = tracker.update(track, t, fix(10.0 + north_mps * t, east_mps * t), CONFIG)
    return track


@given(st.floats(-4, 4), st.floats(-4, 4))
def test_a_steady_walk_is_learnt_and_predicted(north_mps, east_mps):
    track = walked(north_mps, east_mps)
    assert track.velocity_mps == pytest.approx((north_mps, east_mps), abs=0.15)
    ahead = track.predict(track.time_s + 1.0, CONFIG)
    assert ahead.ground_m == pytest.approx((10 + north_mps * 6.9, east_mps * 6.9), abs=0.6)


def test_an_old_track_stops_walking():
    track = walked(1.4, 0.0)
    far_m = track.predict(1000.0, CONFIG).ground_m[0] - track.ground_m[0]
    assert far_m == pytest.approx(1.4 * CONFIG.memory_s, rel=0.1)
    assert math.hypot(*track.predict(1000.0, CONFIG).velocity_mps) < 1e-6


def test_unseen_she_may_be_farther_and_farther_off_but_no_farther_than_she_can_walk():
    track = walked(1.4, 0.0)
    ages_s = (0.0, 0.5, 2.0, 8.0, 30.0)
    sigmas_m = [track.predict(track.time_s + age, CONFIG).estimate().sigma_m for age in ages_s]
    assert sigmas_m == sorted(sigmas_m)
    for age_s, sigma_m in zip(ages_s, sigmas_m, strict=True):
        assert sigma_m <= sigmas_m[0] + 1.1 * CONFIG.speed_sigma_mps * age_s


def test_predicting_in_steps_or_at_once_is_the_same():
    track = walked(1.0, -0.5)
    at_once = track.predict(track.time_s + 2.0, CONFIG)
    in_steps = track.predict(track.time_s + 0.7, CONFIG).predict(track.time_s + 2.0, CONFIG)
    assert in_steps.position_m == pytest.approx(at_once.position_m)
    assert np.allclose(in_steps.covariance, at_once.covariance)


def test_a_bad_distance_does_not_move_her_but_a_good_direction_does():
    """Far away the ray meets the ground at a flat angle: 4 m along it mean nothing, across much."""
    track = walked(0.0, 0.0)
    flat = PlaceCovariance(n_n=9.0, n_e=0.0, e_e=0.04)
    along = tracker.update(track, 6.0, fix(14.0, 0.0, flat), CONFIG)
    across = tracker.update(track, 6.0, fix(10.0, 0.4, flat), CONFIG)
    assert along.ground_m[0] == pytest.approx(10.0, abs=0.1)
    assert across.ground_m[1] > 0.05


@pytest.mark.parametrize(("north", "east", "she"), [(10.3, 0.2, True), (10.0, 2.0, False)])
def test_a_jump_is_somebody_else(north, east, she):
    track = walked(0.0, 0.0).predict(6.0, CONFIG)
    assert (track.surprise(fix(north, east)) <= CONFIG.gate) == she


def test_after_two_seconds_out_of_sight_she_may_have_turned():
    track = walked(1.4, 0.0)
    turned = (track.ground_m[0], track.ground_m[1] + 2.0)
    assert track.predict(track.time_s + 0.1, CONFIG).surprise(fix(*turned)) > CONFIG.gate
    assert track.predict(track.time_s + 2.0, CONFIG).surprise(fix(*turned)) < CONFIG.gate


def test_a_u_turn_is_learnt_within_a_second():
    track = walked(1.4, 0.0)
    time_s, (north, east) = track.time_s, track.ground_m
    for step in range(1, 11):
        track = tracker.update(track, time_s + 0.1 * step, fix(north - 0.14 * step, east), CONFIG)
    assert track.velocity_mps[0] < -0.8


def test_nobody_runs_faster_than_the_limit():
    track = tracker.start(0.0, fix(0.0, 0.0), CONFIG)
    track = tracker.update(track, 0.1, fix(50.0, 0.0), CONFIG)
    assert math.hypot(*track.velocity_mps) <= CONFIG.max_speed_mps + 1e-9


@given(st.lists(st.tuples(st.floats(-30, 30), st.floats(-30, 30)), min_size=1, max_size=30))
def test_whatever_is_seen_the_uncertainty_stays_one(places):
    """A covariance that is none would make the gate let everybody pass, or nobody."""
    track = tracker.start(0.0, fix(0.0, 0.0), CONFIG)
    for i, place in enumerate(places):
        track = tracker.update(track, 0.1 * (i + 1), fix(*place), CONFIG)
        assert np.all(np.linalg.eigvalsh(whole(track.covariance)) > -1e-9)
        assert track.estimate().sigma_m > 0.0


MOVES = st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.05, 5.0))


@given(st.lists(MOVES, min_size=1, max_size=8))
def test_the_formulas_are_those_of_the_matrices(moves):
    """One wrong term, and she is believed elsewhere or too surely; no flight would show it."""
    memory_s, limit = CONFIG.memory_s, CONFIG.model_copy(update={"max_speed_mps": 1e6})
    seen = PlaceCovariance(n_n=0.3, n_e=0.1, e_e=0.2)
    noise, place = np.array([[0.3, 0.1], [0.1, 0.2]]), np.eye(2, 4)
    track = tracker.start(0.0, fix(0.0, 0.0, seen), limit)
    state, spread = np.zeros(4), whole(track.covariance)
    for north, east, age_s in moves:
        track = track.predict(track.time_s + age_s, limit)
        track = track.turned(age_s, limit)
        fade = math.exp(-age_s / memory_s)
        walked_s = memory_s * (1 - fade)
        move = np.kron([[1.0, walked_s], [0.0, fade]], np.eye(2))
        both = memory_s * (1 - fade) ** 2
        far = 2 * memory_s * age_s - memory_s**2 * (3 - 4 * fade + fade**2)
        wander = limit.speed_sigma_mps**2 * np.array([[far, both], [both, 1 - fade**2]])
        state = move @ state
        turn_mps = limit.turn_share * (np.hypot(*state[2:]) + limit.dawdle_mps)
        jump = turn_mps**2 * np.outer([age_s, 1.0], [age_s, 1.0])
        spread = move @ spread @ move.T + np.kron(wander + jump, np.eye(2))
        here = fix(north, east, seen)
        innovation = np.array([north, east]) - state[:2]
        certainty = np.linalg.inv(place @ spread @ place.T + noise)
        assert track.surprise(here) == pytest.approx(innovation @ certainty @ innovation)
        gain = spread @ place.T @ certainty
        state, spread = state + gain @ innovation, spread - gain @ place @ spread
        track = track.updated(here, limit)
        assert np.allclose([*track.ground_m, *track.velocity_mps], state)
        assert np.allclose(whole(track.covariance), spread)
