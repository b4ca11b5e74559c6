"""Lines of sight: directions in the world, and the camera angles that give them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.geometry import (
    multiply,
    quaternion_from_euler,
    quaternion_from_pan_tilt,
    wrap_angle,
)
from followme_uav.messages import CameraPose, LineOfSight
from followme_uav.pilot.guidance.line_of_sight import (
    line_of_sight_of,
    line_of_sight_to,
    pan_from_nose,
    pan_tilt_in_body,
    turned_like,
    within_tilt_limits,
)

angles = st.floats(-3.0, 3.0)
tilts = st.floats(-1.4, 1.4)
attitudes = st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), angles)


@given(angles, tilts, attitudes)
def test_camera_has_the_line_of_sight_for_any_attitude_of_the_body(azimuth, elevation, attitude):
    """Otherwise each gust would swing the hero out of the image."""
    body = quaternion_from_euler(*attitude)
    pan, tilt = pan_tilt_in_body(LineOfSight(azimuth, elevation), body)
    camera = CameraPose(
        (0.0, 0.0, 0.0), multiply(body, quaternion_from_pan_tilt(pan, tilt)), math.radians(60)
    )
    reached = line_of_sight_of(camera)
    assert math.cos(reached.azimuth_rad - azimuth) == pytest.approx(1.0, abs=1e-9)
    assert reached.elevation_rad == pytest.approx(elevation, abs=1e-9)


def test_line_of_sight_to_a_place_east_and_below():
    sight = line_of_sight_to((0.0, 0.0, -10.0), (0.0, 10.0, 0.0))
    assert sight.azimuth_rad == pytest.approx(math.pi / 2)
    assert sight.elevation_rad == pytest.approx(-math.pi / 4)


def test_line_of_sight_is_turned_by_the_angles_between_two_others():
    """Otherwise the camera lags behind a hero that runs past, here across south."""
    before, after = LineOfSight(3.0, -0.4), LineOfSight(-3.1, -0.3)
    turned = turned_like(LineOfSight(3.05, -0.45), before, after)
    assert turned.azimuth_rad == pytest.approx(wrap_angle(3.05 + (2 * math.pi - 6.1)))
    assert turned.elevation_rad == pytest.approx(-0.35)


def test_turned_line_of_sight_stays_within_the_tilt_limits():
    steep = turned_like(LineOfSight(0.0, -1.4), LineOfSight(0.0, 0.0), LineOfSight(0.0, -0.3))
    assert steep.elevation_rad == within_tilt_limits(-1.7) > -math.pi / 2


@pytest.mark.parametrize(("elevation", "limited"), [(-1.55, -1.5), (-0.3, -0.3), (0.6, 0.5)])
def test_tilt_limits_keep_the_camera_from_looking_behind_itself_or_into_the_sky(elevation, limited):
    assert within_tilt_limits(elevation) == limited


@given(angles, angles)
def test_pan_from_the_nose_is_the_short_way(azimuth, yaw):
    pan = pan_from_nose(azimuth, quaternion_from_euler(0.0, 0.0, yaw))
    assert abs(pan) <= math.pi + 1e-9
    assert math.cos(pan - (azimuth - yaw)) == pytest.approx(1.0, abs=1e-9)
    assert wrap_angle(pan) == pytest.approx(pan) or abs(pan) == pytest.approx(math.pi)
