"""The camera mount: direction, turn rates and limits."""

import math

import pytest

from followme_uav.geometry import euler_of, quaternion_from_euler, quaternion_from_pan_tilt
from followme_uav.sim.vehicle.gimbal import (
    MOUNT_M,
    PAN_LIMIT_RAD,
    PAN_RATE_RADPS,
    TILT_LIMITS_RAD,
    TILT_RATE_RADPS,
    Gimbal,
)
from followme_uav.sim.vehicle.vehicle import Vehicle


@pytest.fixture
def vehicle():
    vehicle = Vehicle()
    vehicle.place((10.0, 20.0, -5.0), math.pi / 2)
    return vehicle


def turn(gimbal, duration_s):
    for _ in range(round(duration_s / 0.02)):
        gimbal.step(0.02)


def test_camera_is_mounted_ahead_of_the_vehicle_and_points_ahead(vehicle):
    camera = Gimbal(vehicle).camera()
    assert camera.position_m == pytest.approx((10.0, 20.0 + MOUNT_M[0], -5.0 + MOUNT_M[2]))
    assert euler_of(camera.orientation) == pytest.approx((0.0, 0.0, math.pi / 2), abs=1e-9)


def test_camera_is_where_its_mount_was_moved_to_until_a_reset(vehicle):
    gimbal = Gimbal(vehicle)
    gimbal.position_m = (0.5, 0.1, 0.2)
    assert gimbal.camera().position_m == pytest.approx((9.9, 20.5, -4.8))
    gimbal.reset()
    assert gimbal.position_m == MOUNT_M


def test_camera_turns_at_a_limited_rate(vehicle):
    """A camera that turned at once would make tracking easier than it is."""
    gimbal = Gimbal(vehicle)
    gimbal.point_in_body(quaternion_from_pan_tilt(1.5, -1.0))
    turn(gimbal, 0.2)
    assert gimbal.pan_rad == pytest.approx(0.2 * PAN_RATE_RADPS)
    assert gimbal.tilt_rad == pytest.approx(-0.2 * TILT_RATE_RADPS)
    turn(gimbal, 1.0)
    assert (gimbal.pan_rad, gimbal.tilt_rad) == pytest.approx((1.5, -1.0))


def test_positive_tilt_points_up_and_positive_pan_right(vehicle):
    gimbal = Gimbal(vehicle)
    gimbal.point_in_body(quaternion_from_pan_tilt(0.5, 0.3))
    turn(gimbal, 1.0)
    _, pitch, yaw = euler_of(gimbal.camera().orientation)
    assert (pitch, yaw) == pytest.approx((0.3, math.pi / 2 + 0.5))


def test_pan_and_tilt_stay_within_their_limits(vehicle):
    gimbal = Gimbal(vehicle)
    gimbal.point_in_body(quaternion_from_pan_tilt(math.pi, 1.2))
    turn(gimbal, 3.0)
    assert abs(gimbal.pan_rad) == pytest.approx(PAN_LIMIT_RAD)
    assert gimbal.tilt_rad == pytest.approx(TILT_LIMITS_RAD[1])


def test_in_body_mode_the_camera_leans_with_the_vehicle(vehicle):
    gimbal = Gimbal(vehicle)
    vehicle.orientation = quaternion_from_euler(0.0, -0.2, 0.0)
    assert euler_of(gimbal.camera().orientation)[1] == pytest.approx(-0.2)


def test_in_world_mode_the_camera_keeps_its_direction_while_the_vehicle_turns_and_leans(vehicle):
    gimbal = Gimbal(vehicle)
    wanted = (0.0, -0.3, 2.0)
    gimbal.point_in_world(quaternion_from_euler(*wanted))
    turn(gimbal, 2.0)
    vehicle.orientation = quaternion_from_euler(0.2, -0.2, 1.0)
    turn(gimbal, 0.1)
    assert euler_of(gimbal.camera().orientation) == pytest.approx(wanted)


def test_in_world_mode_the_pan_limit_is_relative_to_the_body(vehicle):
    gimbal = Gimbal(vehicle)
    gimbal.point_in_world(quaternion_from_euler(0.0, 0.0, math.pi / 2 + math.pi))
    turn(gimbal, 3.0)
    pan = math.remainder(gimbal.pan_rad - math.pi / 2, 2 * math.pi)
    assert abs(pan) == pytest.approx(PAN_LIMIT_RAD)


def test_change_of_mode_does_not_move_the_camera(vehicle):
    gimbal = Gimbal(vehicle)
    gimbal.point_in_body(quaternion_from_pan_tilt(1.0, -0.5))
    turn(gimbal, 2.0)
    before = gimbal.camera().orientation
    gimbal.point_in_world(quaternion_from_euler(0.0, 0.0, 0.0))
    assert gimbal.camera().orientation == pytest.approx(before)
    gimbal.point_in_body(quaternion_from_pan_tilt(0.0, 0.0))
    assert gimbal.camera().orientation == pytest.approx(before)
