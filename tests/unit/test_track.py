"""The Kalman filter of the hero's position and velocity on the ground."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import load_config
from followme_uav.messages import GroundCovariance, Measurement
from followme_uav.pilot.tracking.track import start_track, update_track

CONFIG = load_config().track
GATE = load_config().association.gate
PRECISE = GroundCovariance(n_n=0.04, n_e=0.0, e_e=0.04)


def matrix(covariance):
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


def at(north_m, east_m, covariance=PRECISE):
    return Measurement((north_m, east_m, -0.95), covariance, 8.0, 1.0, 1.0, False)


def walked(north_mps, east_mps, seconds=6.0):
    """The track of a person who was measured ten times a second all the way."""
    track = start_track(0.0, at(10.0, 0.0), CONFIG)
    for step in range(1, round(10 * seconds)):
        t = 0.1 * step
        track = update_track(track, t, at(10.0 + north_mps * t, east_mps * t), CONFIG)
    return track


@given(st.floats(-4, 4), st.floats(-4, 4))
def test_constant_velocity_is_estimated_and_predicted(north_mps, east_mps):
    track = walked(north_mps, east_mps)
    assert track.velocity_mps == pytest.approx((north_mps, east_mps), abs=0.15)
    ahead = track.predict(track.time_s + 1.0, CONFIG)
    assert ahead.ground_m == pytest.approx((10 + north_mps * 6.9, east_mps * 6.9), abs=0.6)


def test_predicted_velocity_decays_to_zero():
    track = walked(1.4, 0.0)
    far_m = track.predict(1000.0, CONFIG).ground_m[0] - track.ground_m[0]
    assert far_m == pytest.approx(1.4 * CONFIG.velocity_memory_s, rel=0.1)
    assert math.hypot(*track.predict(1000.0, CONFIG).velocity_mps) < 1e-6


def test_uncertainty_grows_without_measurements_but_no_faster_than_a_person_walks():
    track = walked(1.4, 0.0)
    ages_s = (0.0, 0.5, 2.0, 8.0, 30.0)
    sigmas_m = [track.predict(track.time_s + age, CONFIG).estimate().sigma_m for age in ages_s]
    assert sigmas_m == sorted(sigmas_m)
    for age_s, sigma_m in zip(ages_s, sigmas_m, strict=True):
        assert sigma_m <= sigmas_m[0] + 1.1 * CONFIG.speed_sigma_mps * age_s


def test_prediction_in_two_steps_equals_prediction_in_one():
    track = walked(1.0, -0.5)
    at_once = track.predict(track.time_s + 2.0, CONFIG)
    in_steps = track.predict(track.time_s + 0.7, CONFIG).predict(track.time_s + 2.0, CONFIG)
    assert in_steps.position_m == pytest.approx(at_once.position_m)
    assert np.allclose(in_steps.covariance, at_once.covariance)


def test_track_follows_a_precise_direction_more_than_an_imprecise_range():
    """Far away the line of sight meets the ground at a flat angle: 4 m along it mean little."""
    track = walked(0.0, 0.0)
    flat = GroundCovariance(n_n=9.0, n_e=0.0, e_e=0.04)
    along = update_track(track, 6.0, at(14.0, 0.0, flat), CONFIG)
    across = update_track(track, 6.0, at(10.0, 0.4, flat), CONFIG)
    assert along.ground_m[0] == pytest.approx(10.0, abs=0.1)
    assert across.ground_m[1] > 0.05


@pytest.mark.parametrize(("north", "east", "is_inside"), [(10.3, 0.2, True), (10.0, 2.0, False)])
def test_gate_holds_a_small_deviation_and_excludes_a_jump(north, east, is_inside):
    track = walked(0.0, 0.0).predict(6.0, CONFIG)
    assert (track.mahalanobis_sq(at(north, east)) <= GATE) == is_inside


def test_gate_holds_a_turn_after_two_seconds_of_occlusion_but_not_after_one_frame():
    track = walked(1.4, 0.0)
    turned = at(track.ground_m[0], track.ground_m[1] + 2.0)
    assert track.predict(track.time_s + 0.1, CONFIG).mahalanobis_sq(turned) > GATE
    assert track.predict(track.time_s + 2.0, CONFIG).mahalanobis_sq(turned) < GATE


def test_u_turn_is_estimated_within_a_second():
    track = walked(1.4, 0.0)
    time_s, (north, east) = track.time_s, track.ground_m
    for step in range(1, 11):
        track = update_track(track, time_s + 0.1 * step, at(north - 0.14 * step, east), CONFIG)
    assert track.velocity_mps[0] < -0.8


def test_speed_stays_below_the_limit():
    track = start_track(0.0, at(0.0, 0.0), CONFIG)
    track = update_track(track, 0.1, at(50.0, 0.0), CONFIG)
    assert math.hypot(*track.velocity_mps) <= CONFIG.max_speed_mps + 1e-9


@given(st.lists(st.tuples(st.floats(-30, 30), st.floats(-30, 30)), min_size=1, max_size=30))
def test_covariance_stays_positive_for_any_measurements(positions):
    """Without a valid covariance the gate would admit every detection, or none."""
    track = start_track(0.0, at(0.0, 0.0), CONFIG)
    for i, position in enumerate(positions):
        track = update_track(track, 0.1 * (i + 1), at(*position), CONFIG)
        assert np.all(np.linalg.eigvalsh(matrix(track.covariance)) > -1e-9)
        assert track.estimate().sigma_m > 0.0


MOVES = st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.05, 5.0))


@given(st.lists(MOVES, min_size=1, max_size=8))
def test_written_out_formulas_equal_the_matrix_equations(moves):
    """A wrong term would displace the track or its uncertainty by too little to show in flight."""
    memory_s, config = CONFIG.velocity_memory_s, CONFIG.model_copy(update={"max_speed_mps": 1e6})
    covariance = GroundCovariance(n_n=0.3, n_e=0.1, e_e=0.2)
    noise, position = np.array([[0.3, 0.1], [0.1, 0.2]]), np.eye(2, 4)
    track = start_track(0.0, at(0.0, 0.0, covariance), config)
    state, spread = np.zeros(4), matrix(track.covariance)
    for north, east, age_s in moves:
        track = track.predict(track.time_s + age_s, config)
        track = track.with_possible_turn(age_s, config)
        fade = math.exp(-age_s / memory_s)
        walked_s = memory_s * (1 - fade)
        move = np.kron([[1.0, walked_s], [0.0, fade]], np.eye(2))
        both = memory_s * (1 - fade) ** 2
        far = 2 * memory_s * age_s - memory_s**2 * (3 - 4 * fade + fade**2)
        process = config.speed_sigma_mps**2 * np.array([[far, both], [both, 1 - fade**2]])
        state = move @ state
        turn_mps = config.turn_share * (np.hypot(*state[2:]) + config.turn_extra_mps)
        turn = turn_mps**2 * np.outer([age_s, 1.0], [age_s, 1.0])
        spread = move @ spread @ move.T + np.kron(process + turn, np.eye(2))
        measurement = at(north, east, covariance)
        innovation = np.array([north, east]) - state[:2]
        inverse = np.linalg.inv(position @ spread @ position.T + noise)
        assert track.mahalanobis_sq(measurement) == pytest.approx(innovation @ inverse @ innovation)
        gain = spread @ position.T @ inverse
        state, spread = state + gain @ innovation, spread - gain @ position @ spread
        track = track.corrected(measurement, config)
        assert np.allclose([*track.ground_m, *track.velocity_mps], state)
        assert np.allclose(matrix(track.covariance), spread)
