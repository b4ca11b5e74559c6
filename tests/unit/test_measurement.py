"""Detection -> Measurement: position on the ground, covariance, size relative to the hero."""

import math

import pytest

from followme_uav.config import load_config
from followme_uav.geometry import pixel_of_point, quaternion_from_euler
from followme_uav.messages import CameraPose, Detection
from followme_uav.pilot.tracking.measurement import measure

CONFIG = load_config()
CAMERA = CameraPose((0.0, 0.0, -4.5), quaternion_from_euler(0.0, -0.45, 0.0), math.radians(60))
FOCAL_LENGTH_PX = 138.6


def detection(u, v, height_px, width_px=8):
    return Detection(u, v, height_px * width_px, width_px, height_px, 1.0)


def measured(found):
    return measure(CAMERA, found, (160, 160, 3), CONFIG.hero, CONFIG.measurement)


def test_measurement_lies_where_the_hero_stands():
    centroid_m = (8.0, 2.0, -CONFIG.hero.centroid_height_m)
    u, v, _ = pixel_of_point(CAMERA, centroid_m)
    found = measured(detection(u, v, 30))
    assert found.position_m == pytest.approx(centroid_m)
    assert found.distance_m == pytest.approx(math.dist(centroid_m, CAMERA.position_m))


def test_relative_height_and_area_of_a_person_of_the_hero_s_size_are_one():
    u, v, depth_m = pixel_of_point(CAMERA, (8.0, 0.0, -0.95))
    shown = 8.0 / math.dist(CAMERA.position_m, (8.0, 0.0, -0.95))
    px_per_m = FOCAL_LENGTH_PX / depth_m
    found = measured(detection(u, v, round(1.7 * shown * px_per_m), round(0.3 * px_per_m)))
    assert found.relative_height == pytest.approx(1.0, abs=0.08)
    assert found.relative_area == pytest.approx(1.0, abs=0.12)
    assert not found.is_truncated


def test_relative_height_of_half_a_person_is_small_and_of_a_bush_large():
    u, v, depth_m = pixel_of_point(CAMERA, (8.0, 0.0, -0.95))
    height_px = round(1.7 * FOCAL_LENGTH_PX / depth_m)
    assert measured(detection(u, v, height_px // 2)).relative_height < 0.7
    assert measured(detection(u, v, 4 * height_px)).relative_height > 3.0


def test_detection_at_the_edge_of_the_image_is_truncated():
    assert measured(detection(0.0, 0.96, 6)).is_truncated


def test_detection_in_the_sky_has_no_measurement():
    assert measured(detection(0.0, -0.9, 20)) is None


def sigmas_m(north_m, height_px=None):
    """Standard deviations along and across the line of sight, for a person straight ahead."""
    u, v, depth_m = pixel_of_point(CAMERA, (north_m, 0.0, -0.95))
    width_px = max(1, round(0.3 * FOCAL_LENGTH_PX / depth_m))
    height_px = height_px or round(1.7 * FOCAL_LENGTH_PX / depth_m)
    covariance = measured(detection(u, v, height_px, width_px)).covariance
    return math.sqrt(covariance.n_n), math.sqrt(covariance.e_e)


def test_range_is_less_certain_than_direction_and_more_so_from_afar():
    """A gate as wide across as along would let the hero's neighbour in."""
    (near_along, near_across), (far_along, far_across) = sigmas_m(7.0), sigmas_m(25.0)
    assert far_along > 4.0 * far_across
    assert far_along > 4.0 * near_along
    assert near_across < 0.2


def test_range_is_less_certain_when_half_of_the_person_is_hidden():
    along, across = sigmas_m(8.0, height_px=14)
    whole_along, whole_across = sigmas_m(8.0)
    assert along > 1.5 * whole_along
    assert across == pytest.approx(whole_across)


def test_position_is_less_certain_when_the_detection_may_be_two_people():
    """A person who passes the hero merges with the hero into one detection."""
    u, v, _ = pixel_of_point(CAMERA, (8.0, 0.0, -0.95))
    one, two = (measured(detection(u, v, 29, width_px)) for width_px in (5, 12))
    assert two.covariance.e_e > 4.0 * one.covariance.e_e


@pytest.mark.parametrize("size_px", [(640, 480), (160, 120), (240, 480)])
def test_position_height_and_area_are_right_in_an_image_that_is_not_square(size_px):
    width_px, height_px = size_px
    centroid_m = (12.0, 1.0, -CONFIG.hero.centroid_height_m)
    u, v, depth_m = pixel_of_point(CAMERA, centroid_m, width_px / height_px)
    px_per_m = width_px / (2 * math.tan(CAMERA.fov_rad / 2)) / depth_m
    shown = math.hypot(12.0, 1.0) / math.dist(CAMERA.position_m, centroid_m)
    tall = detection(u, v, round(1.7 * shown * px_per_m), max(1, round(0.3 * px_per_m)))
    found = measure(CAMERA, tall, (height_px, width_px, 3), CONFIG.hero, CONFIG.measurement)
    assert found.position_m == pytest.approx(centroid_m)
    assert found.relative_height == pytest.approx(1.0, abs=0.12)
    assert found.relative_area == pytest.approx(1.0, abs=0.25)
