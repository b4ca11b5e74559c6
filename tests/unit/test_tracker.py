"""If these fail, the pilot expects the hero in the wrong place and follows somebody else there."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import load_config
from followme_uav.geometry import pixel_of_point, quaternion_from_euler
from followme_uav.messages import CameraPose, Observation
from followme_uav.pilot import tracker

CONFIG = load_config()
EYE = CameraPose((0.0, 0.0, -4.5), quaternion_from_euler(0.0, -0.45, 0.0), math.radians(60))


def blob(u, v, height_px, width_px=8):
    return Observation(u, v, height_px * width_px, width_px, height_px, 1.0)


def test_a_sighting_is_placed_where_she_stands():
    centroid = (8.0, 2.0, -CONFIG.tracker.centroid_height_m)
    u, v, _ = pixel_of_point(EYE, centroid)
    assert tracker.locate(EYE, blob(u, v, 30), CONFIG.tracker) == pytest.approx(centroid)


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


def stature(observation):
    return tracker.stature(EYE, observation, (160, 160, 3), CONFIG.tracker, 0.5)


def test_somebody_of_her_size_has_her_stature():
    u, v, depth_m = pixel_of_point(EYE, (8.0, 0.0, -0.95))
    shown = 8.0 / math.dist(EYE.position_m, (8.0, 0.0, -0.95))
    px_per_m = 138.6 / depth_m
    hers = stature(blob(u, v, round(1.7 * shown * px_per_m), round(0.3 * px_per_m)))
    assert hers.height == pytest.approx(1.0, abs=0.08)
    assert hers.area == pytest.approx(1.0, abs=0.12)
    assert not hers.is_cut_off


def test_half_a_person_and_a_bush_do_not():
    u, v, depth_m = pixel_of_point(EYE, (8.0, 0.0, -0.95))
    height_px = round(1.7 * 138.6 / depth_m)
    assert stature(blob(u, v, height_px // 2)).height < 0.7
    assert stature(blob(u, v, 4 * height_px)).height > 3.0


def test_somebody_at_the_edge_is_cut_off():
    assert stature(blob(0.0, 0.96, 6)).is_cut_off


def test_a_blob_in_the_sky_has_no_stature():
    assert stature(blob(0.0, -0.9, 20)) is None
