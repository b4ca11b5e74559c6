"""If these fail, camera or vehicle turn away from the hero, or keep the wrong distance."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import load_config
from followme_uav.geometry import (
    multiply,
    pixel_of_point,
    quaternion_from_euler,
    quaternion_from_pan_tilt,
    rotate,
    wrap_angle,
)
from followme_uav.messages import CameraPose, Detection
from followme_uav.pilot.control import (
    LineOfSight,
    Loops,
    VelocityLimiter,
    heading_velocity,
    pan_of,
)

CONFIG = load_config()
CONTROL = CONFIG.control
DT_S = 0.1
SIZE_PX = 160
LEVEL = quaternion_from_euler(0.0, 0.0, 0.0)


def camera_towards(azimuth_rad=0.0, elevation_rad=0.0, position_m=(0.0, 0.0, -5.0)):
    orientation = quaternion_from_pan_tilt(azimuth_rad, elevation_rad)
    return CameraPose(position_m, orientation, math.radians(60))


def seen_at(u, v, area_px=100):
    return Detection(u, v, area_px, 8, 20, 0.9)


@pytest.fixture
def loops():
    return Loops(CONTROL)


# The line of sight

angles = st.floats(-3.0, 3.0)
tilts = st.floats(-1.4, 1.4)
attitudes = st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), angles)


@given(angles, tilts, attitudes)
def test_the_camera_looks_where_it_shall_however_the_body_leans(azimuth, elevation, attitude):
    """Otherwise each gust would swing the hero out of the picture."""
    body = quaternion_from_euler(*attitude)
    pan, tilt = LineOfSight(azimuth, elevation).pan_tilt(body)
    camera = CameraPose(
        (0.0, 0.0, 0.0), multiply(body, quaternion_from_pan_tilt(pan, tilt)), math.radians(60)
    )
    reached = LineOfSight.of(camera)
    assert math.cos(reached.azimuth_rad - azimuth) == pytest.approx(1.0, abs=1e-9)
    assert reached.elevation_rad == pytest.approx(elevation, abs=1e-9)


def test_towards_a_place():
    sight = LineOfSight.towards((0.0, 0.0, -10.0), (0.0, 10.0, 0.0))
    assert sight.azimuth_rad == pytest.approx(math.pi / 2)
    assert sight.elevation_rad == pytest.approx(-math.pi / 4)


@given(st.floats(-0.9, 0.9), st.floats(-0.9, 0.9), st.floats(-1.0, 0.0))
def test_centring_brings_her_nearer_to_the_middle(u, v, elevation):
    """To the right in the image means turn to the right, and never past her by as much again."""
    camera = camera_towards(0.3, elevation)
    loops = Loops(CONTROL)
    sight = loops.centre(camera, seen_at(u, v), DT_S)
    ray = rotate(camera.orientation, (1.0, u * math.tan(math.pi / 6), v * math.tan(math.pi / 6)))
    hero_m = tuple(p + 10.0 * r for p, r in zip(camera.position_m, ray, strict=True))
    turned = camera_towards(sight.azimuth_rad, sight.elevation_rad)
    u_after, v_after, _ = pixel_of_point(turned, hero_m)
    assert math.hypot(u_after, v_after) <= 0.8 * math.hypot(u, v) + 1e-6


@pytest.mark.parametrize(("u", "v"), [(0.5, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.0, -0.5)])
def test_the_camera_turns_to_her_side(loops, u, v):
    sight = loops.centre(camera_towards(), seen_at(u, v), DT_S)
    assert sight.azimuth_rad == pytest.approx(CONTROL.pan.kp * u)
    assert sight.elevation_rad == pytest.approx(-CONTROL.tilt.kp * v)


def test_a_line_of_sight_turns_on_as_the_hero_does():
    """Else the camera lags behind whoever runs past."""
    before, after = LineOfSight(3.0, -0.4), LineOfSight(-3.1, -0.3)
    turned = LineOfSight(3.05, -0.45).turned(before, after)
    assert turned.azimuth_rad == pytest.approx(wrap_angle(3.05 + (2 * math.pi - 6.1)))
    assert turned.elevation_rad == pytest.approx(-0.35)


def test_what_the_loops_did_is_told_once(loops):
    """Viewers draw it: the terms add up to what was commanded."""
    loops.approach_mps(2.0 * CONTROL.wanted_distance_m, DT_S)
    loops.yaw_rate_radps(-0.2, DT_S)
    forward, yaw = loops.take_terms()
    assert (forward.name, yaw.name) == ("forward", "yaw")
    assert forward.error == pytest.approx(1.0)
    assert forward.p + forward.i + forward.d == pytest.approx(forward.output)
    assert yaw.output == pytest.approx(-0.2 * CONTROL.yaw.kp)
    assert loops.take_terms() == ()


def test_in_the_middle_nothing_turns(loops):
    sight = loops.centre(camera_towards(0.4, -0.3), seen_at(0.0, 0.0), DT_S)
    assert (sight.azimuth_rad, sight.elevation_rad) == pytest.approx((0.4, -0.3))


def test_a_turn_is_never_larger_than_its_limit():
    eager = replace_gain(CONTROL, "pan", kp=50.0)
    sight = Loops(eager).centre(camera_towards(), seen_at(1.0, 0.0), DT_S)
    assert sight.azimuth_rad == pytest.approx(CONTROL.pan.limit)


def test_the_camera_looks_neither_behind_itself_nor_into_the_sky(loops):
    low = loops.centre(camera_towards(0.0, -1.45), seen_at(0.0, 1.0), DT_S)
    high = loops.centre(camera_towards(0.0, 0.45), seen_at(0.0, -1.0), DT_S)
    assert -math.pi / 2 < low.elevation_rad
    assert high.elevation_rad <= 0.5


def replace_gain(control, loop, **gains):
    return control.model_copy(update={loop: getattr(control, loop).model_copy(update=gains)})


# Speeds


def test_too_far_means_forward_and_too_near_means_back(loops):
    wanted_m = CONTROL.wanted_distance_m
    assert loops.approach_mps(wanted_m, DT_S) == pytest.approx(0.0)
    assert loops.approach_mps(1.5 * wanted_m, DT_S) == pytest.approx(0.5 * CONTROL.forward.kp)
    assert loops.approach_mps(0.5 * wanted_m, DT_S) == pytest.approx(-0.5 * CONTROL.forward.kp)
    assert loops.approach_mps(100 * wanted_m, DT_S) == CONTROL.forward.limit


def test_a_runner_is_followed_more_closely(loops):
    """Each corner costs the vehicle some metres; from 7 m on she was soon too far ahead."""
    wanted_m = CONTROL.wanted_distance_m
    assert loops.approach_mps(wanted_m, DT_S, hero_mps=5.0) > 0.5
    assert loops.approach_mps(wanted_m - 5.0 * CONTROL.closer_s, DT_S, 5.0) == pytest.approx(0.0)
    assert loops.approach_mps(0.4 * wanted_m, DT_S, hero_mps=100.0) < 0.0


def test_the_nose_turns_after_the_camera(loops):
    assert loops.yaw_rate_radps(0.2, DT_S) == pytest.approx(0.2 * CONTROL.yaw.kp)
    assert loops.yaw_rate_radps(-0.2, DT_S) == pytest.approx(-0.2 * CONTROL.yaw.kp)
    assert loops.yaw_rate_radps(3.0, DT_S) == CONTROL.yaw.limit


def test_too_low_means_up(loops):
    assert loops.climb_mps(3.0, 4.0, DT_S) == pytest.approx(CONTROL.altitude.kp)
    assert loops.climb_mps(5.0, 4.0, DT_S) == pytest.approx(-CONTROL.altitude.kp)
    assert loops.climb_mps(0.0, 50.0, DT_S) == CONTROL.altitude.limit


def test_an_integrator_does_not_outlive_the_hero_it_was_for():
    """What was learnt about one pursuit would push the next one off."""
    loops = Loops(replace_gain(CONTROL, "forward", ki=1.0))
    for _ in range(50):
        loops.approach_mps(2.0 * CONTROL.wanted_distance_m, DT_S)
    assert loops.approach_mps(CONTROL.wanted_distance_m, DT_S) > 1.0
    loops.reset_following()
    assert loops.approach_mps(CONTROL.wanted_distance_m, DT_S) == pytest.approx(0.0)


def test_equal_frames_give_equal_commands_whatever_the_time_of_day():
    """The loops take their time from the frames; a replay runs at another speed."""

    def run(loops):
        return [loops.approach_mps(distance_m, DT_S) for distance_m in (9.0, 8.0, 9.5, 6.0)]

    gains = replace_gain(CONTROL, "forward", ki=0.5, kd=0.3)
    assert run(Loops(gains)) == run(Loops(gains))


@given(st.lists(st.tuples(st.floats(-20, 20), st.floats(-20, 20)), min_size=1, max_size=30))
def test_speed_and_its_change_stay_within_limits(wishes):
    limits = CONFIG.limits
    limiter = VelocityLimiter(limits)
    last = (0.0, 0.0)
    for wish in wishes:
        velocity = limiter.limit(wish, DT_S)
        assert math.hypot(*velocity) <= limits.speed_mps + 1e-9
        assert math.dist(velocity, last) <= limits.acceleration_mps2 * DT_S + 1e-9
        last = velocity


def test_a_speed_within_limits_is_reached_exactly():
    limiter = VelocityLimiter(CONFIG.limits)
    for _ in range(50):
        velocity = limiter.limit((2.0, -1.0), DT_S)
    assert velocity == pytest.approx((2.0, -1.0))
    limiter.reset()
    assert math.hypot(*limiter.limit((2.0, -1.0), DT_S)) < 1.0


def test_headings():
    assert heading_velocity(2.0, 0.0) == pytest.approx((2.0, 0.0))
    assert heading_velocity(2.0, math.pi / 2) == pytest.approx((0.0, 2.0))


@given(angles, angles)
def test_pan_is_the_short_way_from_the_nose(azimuth, yaw):
    pan = pan_of(LineOfSight(azimuth, 0.0), quaternion_from_euler(0.0, 0.0, yaw))
    assert abs(pan) <= math.pi + 1e-9
    assert math.cos(pan - (azimuth - yaw)) == pytest.approx(1.0, abs=1e-9)
    assert wrap_angle(pan) == pytest.approx(pan) or abs(pan) == pytest.approx(math.pi)
