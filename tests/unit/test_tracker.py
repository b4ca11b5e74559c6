"""If these fail, the pilot expects the hero in the wrong place and follows somebody else there."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import load_config
from followme_uav.pilot import tracker

CONFIG = load_config()


@given(st.floats(-2, 2), st.floats(-2, 2))
def test_a_steady_walk_is_learnt_and_predicted(north_mps, east_mps):
    track = None
    for step in range(60):
        t = 0.1 * step
        place = (10.0 + north_mps * t, east_mps * t, -0.95)
        track = tracker.update(track, t, place, CONFIG.tracker)
    assert track.velocity_mps == pytest.approx((north_mps, east_mps), abs=0.1)
    ahead = track.predict(track.time_s + 1.0, CONFIG.tracker)
    assert ahead.ground_m == pytest.approx((10 + north_mps * 6.9, east_mps * 6.9), abs=0.3)


def test_an_old_track_stops_walking():
    track = tracker.HeroTrack(0.0, (0.0, 0.0, -0.95), (1.0, 0.0))
    memory_s = CONFIG.tracker.velocity_memory_s
    assert track.predict(100.0, CONFIG.tracker).ground_m == (memory_s, 0.0)


def test_nobody_runs_faster_than_the_limit():
    track = tracker.update(None, 0.0, (0.0, 0.0, -0.95), CONFIG.tracker)
    track = tracker.update(track, 0.1, (50.0, 0.0, -0.95), CONFIG.tracker)
    assert math.hypot(*track.velocity_mps) <= CONFIG.tracker.max_speed_mps + 1e-9
