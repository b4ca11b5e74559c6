"""Tests of the reduction of a depth image to a fan of ranges."""

import math

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.geometry import quaternion_from_pan_tilt, ray_of_pixel
from followme_uav.messages import SCAN_STEP_DEG, CameraPose
from followme_uav.rpc.range_scan import range_scan

CONFIG = load_config().depth
PLACE = (5.0, -3.0, -4.5)


def camera(pan_deg=0.0, tilt_deg=0.0):
    orientation = quaternion_from_pan_tilt(math.radians(pan_deg), math.radians(tilt_deg))
    return CameraPose(PLACE, orientation, math.radians(60))


def shades_of(surface, eye, size=80):
    """A depth image of the world in which `surface(ray)` is the distance along a ray."""
    depth_m = np.empty((size, size))
    axis = ray_of_pixel(eye, 0.0, 0.0)
    for row in range(size):
        for column in range(size):
            u, v = (2.0 * (i + 0.5) / size - 1.0 for i in (column, row))
            ray = ray_of_pixel(eye, u, v)
            depth_m[row, column] = surface(ray) * sum(a * b for a, b in zip(ray, axis, strict=True))
    return np.repeat(np.repeat(np.minimum(depth_m * 2.55, 255.0).astype(np.uint8), 2, 0), 2, 1)


def ground(ray):
    return -PLACE[2] / ray[2] if ray[2] > 1e-6 else 1e4


def wall_north(distance_m, top_m=20.0):
    """A wall across north, from the ground up to that height, on the ground."""

    def surface(ray):
        reach_m = distance_m / ray[0] if ray[0] > 1e-6 else 1e4
        if -PLACE[2] - reach_m * ray[2] > top_m:
            return ground(ray)
        return min(reach_m, ground(ray))

    return surface


def reaches(scan):
    """{azimuth in degrees of the middle of the ray: reach in metres}."""
    return {
        ((scan.first + i + 0.5) * SCAN_STEP_DEG) % 360.0: reach_dm / 10.0
        for i, reach_dm in enumerate(scan.reach_dm)
    }


def scan_of(surface, eye):
    return range_scan(shades_of(surface, eye), eye, PLACE, CONFIG)


def test_empty_ground_is_free_as_far_as_the_scan_reaches():
    found = reaches(scan_of(ground, camera()))
    assert len(found) == pytest.approx(60 / SCAN_STEP_DEG, abs=2)
    inner = [reach for azimuth, reach in found.items() if azimuth < 28 or azimuth > 332]
    assert inner == [CONFIG.scan_range_m] * len(inner)


@pytest.mark.parametrize("pan_deg", [0.0, 90.0, 181.0, -45.0])
def test_rays_cover_the_camera_s_field_of_view(pan_deg):
    found = reaches(scan_of(ground, camera(pan_deg)))
    for azimuth in found:
        assert abs(math.remainder(azimuth - pan_deg, 360.0)) <= 30.0 + SCAN_STEP_DEG


def test_wall_ends_the_rays_within_the_depth_resolution():
    found = reaches(scan_of(wall_north(9.0), camera()))
    for azimuth, reach_m in found.items():
        true_m = 9.0 / math.cos(math.radians(azimuth))
        assert -true_m - 0.2 <= reach_m <= -(true_m - 0.8)


def test_wall_below_the_band_leaves_the_rays_free():
    found = reaches(scan_of(wall_north(9.0, top_m=2.0), camera()))
    assert min(found.values()) > 0.0


def test_steep_camera_knows_the_band_only_as_far_as_its_upper_edge_reaches():
    """45 degrees down, 30 up from there: the highest line of sight falls by tan 15 a metre."""
    found = reaches(scan_of(wall_north(9.0), camera(tilt_deg=-45.0)))
    ahead_m = [reach for azimuth, reach in found.items() if azimuth < 4 or azimuth > 356]
    leaves_band_m = CONFIG.free_m / math.tan(math.radians(15.0))
    assert ahead_m == pytest.approx([leaves_band_m] * len(ahead_m), abs=0.4)


def canopy_north(distance_m, bottom_m):
    """A wall across north that begins at that height above the ground."""

    def surface(ray):
        reach_m = distance_m / ray[0] if ray[0] > 1e-6 else 1e4
        return reach_m if -PLACE[2] - reach_m * ray[2] > bottom_m else ground(ray)

    return surface


def test_canopy_above_the_vehicle_is_an_obstacle_as_far_up_as_the_band_reaches():
    low = reaches(scan_of(canopy_north(9.0, 5.5), camera()))
    assert max(low.values()) < 0.0
    high = reaches(scan_of(canopy_north(9.0, 4.5 + CONFIG.above_m + 0.3), camera()))
    assert min(high.values()) > 0.0


def test_line_of_sight_below_a_canopy_clears_no_space_at_the_vehicle_s_height():
    found = reaches(scan_of(canopy_north(9.0, 4.0), camera(tilt_deg=-36.0)))
    assert max(map(abs, found.values())) < 9.0


def test_fan_continues_across_north():
    scan = scan_of(wall_north(9.0), camera())
    assert scan.first > 90
    assert scan.first + len(scan.reach_dm) > 180


def test_camera_that_sees_nothing_of_the_band_gives_no_rays():
    scan = range_scan(np.zeros((160, 160), np.uint8), camera(), PLACE, CONFIG)
    assert scan.reach_dm == ()


def test_ranges_are_whole_numbers_that_a_log_keeps():
    scan = scan_of(wall_north(9.0), camera())
    assert all(type(reach_dm) is int for reach_dm in scan.reach_dm)
