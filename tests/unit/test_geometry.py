"""Tests of frames, rotations and projections."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav import geometry
from followme_uav.messages import CameraPose

angles = st.floats(-math.pi, math.pi)
tilts = st.floats(-1.4, 1.4)
inside = st.floats(-0.98, 0.98)
fovs = st.floats(0.4, 2.0)
places = st.tuples(st.floats(-200, 200), st.floats(-200, 200), st.floats(-50, -1))


def camera(position=(0.0, 0.0, -5.0), roll=0.0, pitch=0.0, yaw=0.0, fov=1.0):
    return CameraPose(position, geometry.quaternion_from_euler(roll, pitch, yaw), fov)


@given(angles, tilts, angles)
def test_euler_angles_are_recovered_from_the_quaternion(roll, pitch, yaw):
    orientation = geometry.quaternion_from_euler(roll, pitch, yaw)
    again = geometry.quaternion_from_euler(*geometry.euler_of(orientation))
    assert sum(a * b for a, b in zip(orientation, again, strict=True)) ** 2 == pytest.approx(1.0)


@given(angles, tilts)
def test_yaw_is_the_heading_of_the_forward_axis(yaw, pitch):
    nose = geometry.rotate(geometry.quaternion_from_euler(0.3, pitch, yaw), (1.0, 0.0, 0.0))
    heading = geometry.yaw_of(geometry.quaternion_from_euler(0.3, pitch, yaw))
    assert geometry.wrap_angle(math.atan2(nose[1], nose[0]) - heading) == pytest.approx(0, abs=1e-9)


@given(angles, tilts)
def test_pan_and_tilt_are_recovered_from_the_quaternion(pan, tilt):
    direction = geometry.rotate(geometry.quaternion_from_pan_tilt(pan, tilt), (1.0, 0.0, 0.0))
    assert geometry.pan_tilt_of(direction) == pytest.approx((pan, tilt), abs=1e-7)


def test_positive_pan_is_right_and_positive_tilt_is_up():
    right = geometry.rotate(geometry.quaternion_from_pan_tilt(0.1, 0.0), (1.0, 0.0, 0.0))
    up = geometry.rotate(geometry.quaternion_from_pan_tilt(0.0, 0.1), (1.0, 0.0, 0.0))
    assert right[1] > 0.09
    assert up[2] < -0.09


@given(places, st.floats(-0.5, 0.5), tilts, angles, fovs, inside, inside, st.floats(0.5, 100))
def test_point_on_the_ray_of_a_pixel_is_projected_to_the_pixel(
    position, roll, pitch, yaw, fov, u, v, distance_m
):
    eye = camera(position, roll, pitch, yaw, fov)
    ray = geometry.ray_of_pixel(eye, u, v)
    point = tuple(p + distance_m * r for p, r in zip(position, ray, strict=True))
    pixel = geometry.pixel_of_point(eye, point)
    assert pixel is not None
    assert pixel[:2] == pytest.approx((u, v), abs=1e-6)


@given(places, st.floats(-0.2, 0.2), st.floats(-1.4, -0.2), angles, inside, inside)
def test_ground_point_lies_on_the_ray_and_on_the_level(position, roll, pitch, yaw, u, v):
    eye = camera(position, roll, pitch, yaw)
    point = geometry.ground_point(eye, u, v, 0.9)
    if point is None:
        assert geometry.ray_of_pixel(eye, u, v)[2] * (-0.9 - position[2]) <= 0.0
        return
    assert point[2] == pytest.approx(-0.9)
    assert geometry.pixel_of_point(eye, point)[:2] == pytest.approx((u, v), abs=1e-5)


def test_vertical_field_of_view_is_smaller_in_a_wide_image():
    eye = camera(fov=math.radians(90))
    assert geometry.ray_of_pixel(eye, 1.0, 0.0)[1] == pytest.approx(math.sqrt(0.5))
    u, v, depth_m = geometry.pixel_of_point(eye, (10.0, 5.0, 0.0), aspect=2.0)
    assert (u, v, depth_m) == pytest.approx((0.5, 1.0, 10.0))


aspects = st.floats(0.25, 4.0)


@given(places, st.floats(-0.2, 0.2), st.floats(-1.4, -0.2), angles, fovs, aspects, inside, inside)
def test_ground_point_is_projected_to_its_pixel_in_any_image_shape(
    position, roll, pitch, yaw, fov, aspect, u, v
):
    eye = camera(position, roll, pitch, yaw, fov)
    point = geometry.ground_point(eye, u, v, 0.9, aspect)
    if point is None:
        assert geometry.ray_of_pixel(eye, u, v, aspect)[2] * (-0.9 - position[2]) <= 0.0
        return
    assert geometry.pixel_of_point(eye, point, aspect)[:2] == pytest.approx((u, v), abs=1e-5)


@pytest.mark.parametrize("size_px", [(640, 480), (480, 640), (160, 160), (256, 144)])
def test_person_is_located_at_the_true_position_in_any_image_shape(size_px):
    aspect = size_px[0] / size_px[1]
    eye = camera((0.0, 0.0, -4.5), pitch=math.radians(-20), fov=math.radians(60))
    u, v, _ = geometry.pixel_of_point(eye, (12.0, 1.0, -0.95), aspect)
    assert geometry.ground_point(eye, u, v, 0.95, aspect) == pytest.approx((12.0, 1.0, -0.95))


def test_aspect_is_width_over_height_of_the_array():
    assert geometry.aspect_of((480, 640, 3)) == pytest.approx(4 / 3)


def test_points_behind_the_camera_have_no_pixel():
    assert geometry.pixel_of_point(camera(), (-10.0, 0.0, -5.0)) is None


@given(st.floats(-1e3, 1e3))
def test_wrapped_angle_is_the_same_direction(angle):
    wrapped = geometry.wrap_angle(angle)
    assert -math.pi <= wrapped <= math.pi
    assert math.cos(wrapped) == pytest.approx(math.cos(angle), abs=1e-9)


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(-2, 2))
def test_rotation_is_the_same_in_steps_and_at_once(roll_rate, pitch_rate, yaw_rate):
    """It predicts the body for pointing the camera: a wrong sign would double the error."""
    rates, start = (roll_rate, pitch_rate, yaw_rate), geometry.quaternion_from_euler(0.1, -0.2, 2.0)
    at_once = geometry.turned_on(start, rates, 0.3)
    in_steps = geometry.turned_on(geometry.turned_on(start, rates, 0.1), rates, 0.2)
    assert at_once == pytest.approx(in_steps)
    small = geometry.turned_on(start, (0.0, 0.0, yaw_rate), 0.1)
    flat = geometry.turned_on(
        geometry.quaternion_from_euler(0.0, 0.0, 2.0), (0.0, 0.0, yaw_rate), 0.1
    )
    turned_rad = geometry.wrap_angle(geometry.yaw_of(flat) - 2.0)
    assert turned_rad == pytest.approx(0.1 * yaw_rate, abs=1e-8)
    assert sum(x * x for x in small) == pytest.approx(1.0)
