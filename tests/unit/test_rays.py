"""Rays, air, magnetic field and normals, from which sensors and images are computed."""

import math

import numpy as np
import pytest

from followme_uav.geometry import quaternion_from_euler, rotate
from followme_uav.messages import CameraPose
from followme_uav.sim.agents.traffic import Traffic
from followme_uav.sim.airsim_api import structs
from followme_uav.sim.city.obstacles import ClearanceField
from followme_uav.sim.city.rays import RayField
from followme_uav.sim.city.world import make_city
from followme_uav.sim.rendering.normals import world_normals
from followme_uav.sim.vehicle import earth

CITY = make_city(4)
PEOPLE = [(10.0, 0.5, 0.0), (25.0, -6.0, -0.1)]
CARS = Traffic(4, 12).colliders()


@pytest.mark.parametrize("seed", range(3))
def test_a_ray_ends_where_the_clearance_is_zero(seed):
    """Distance sensors and clearance must use the same obstacles."""
    rays, clearance = RayField(CITY.colliders), ClearanceField(CITY.colliders)
    rng = np.random.default_rng(seed)
    hits = 0
    for _ in range(60):
        start = (*rng.uniform(-60.0, 60.0, 2), rng.uniform(-25.0, -0.5))
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        reach = rays.distance_m(start, tuple(direction), PEOPLE, CARS)
        if clearance.clearance_m(start, PEOPLE, CARS) == 0.0:
            assert reach == 0.0
            continue
        for share in (0.3, 0.7, 0.999):
            between = start + direction * min(reach, 500.0) * share
            assert clearance.clearance_m(between, PEOPLE, CARS) > 0.0
            assert between[2] < 0.0
        if math.isfinite(reach):
            hits += 1
            end = start + direction * (reach + 1e-6)
            assert min(clearance.clearance_m(end, PEOPLE, CARS), abs(end[2])) < 1e-4
    assert hits > 20


def test_a_driving_car_blocks_rays():
    """Distance sensors and lines of sight must agree with the camera."""
    car = CARS[0]
    north, east, down = car.centre_m
    above = (north, east, -10.0)
    rays, clearance = RayField(()), ClearanceField(())
    assert rays.distance_m(above, (0.0, 0.0, 1.0), (), CARS) == pytest.approx(10.0 + 2 * down)
    assert not rays.sees(above, (north, east, -0.1), (), CARS)
    assert rays.sees(above, (north, east, -0.1), ())
    assert clearance.clearance_m(above, (), CARS) == pytest.approx(10.0 + 2 * down)


def test_rays_along_the_axes_hit_ground_and_people_at_known_distances():
    rays = RayField(())
    assert rays.distance_m((0.0, 0.0, -5.0), (0.0, 0.0, 1.0), ()) == pytest.approx(5.0)
    assert rays.distance_m((0.0, 0.0, -5.0), (0.0, 0.0, -1.0), ()) == math.inf
    assert rays.distance_m((0.0, 0.0, -1.0), (1.0, 0.0, 0.0), PEOPLE[:1]) == math.inf
    assert rays.distance_m((0.0, 0.5, -1.0), (1.0, 0.0, 0.0), PEOPLE[:1]) == pytest.approx(9.7)
    assert rays.distance_m((10.0, 0.5, -9.0), (0.0, 0.0, 1.0), PEOPLE[:1]) == pytest.approx(7.25)
    assert rays.sees((0.0, 0.0, -5.0), (9.0, 0.0, 0.0), ())


def test_air_matches_the_us_standard_atmosphere_1976():
    """At 0, 1000 and 5000 m."""
    table = ((0.0, 101325.0, 1.225), (1000.0, 89874.6, 1.1116), (5000.0, 54019.9, 0.7361))
    for altitude_m, pressure_pa, density in table:
        air = earth.air_at(altitude_m)
        assert air.pressure_pa == pytest.approx(pressure_pa, rel=1e-4)
        assert air.density_kgm3 == pytest.approx(density, rel=1e-3)
        assert earth.pressure_altitude_m(air.pressure_pa) == pytest.approx(altitude_m, abs=0.01)


def test_geo_point_and_place_of_are_inverse():
    place = (120.0, -75.5, -30.25)
    point = structs.geo_point(place)
    back = earth.place_of(point["latitude"].value, point["longitude"].value, point["altitude"])
    assert back == pytest.approx(place, abs=1e-6)


def test_magnetic_field_points_down_at_its_pole_and_north_at_the_equator():
    pole = earth.magnetic_field_gauss(*earth.MAGNETIC_POLE_DEG)
    assert pole == pytest.approx((0.0, 0.0, 2 * earth.EQUATOR_FIELD_GAUSS), abs=1e-9)
    below = (earth.MAGNETIC_POLE_DEG[0] - 90.0, earth.MAGNETIC_POLE_DEG[1])
    equator = earth.magnetic_field_gauss(*below)
    assert equator == pytest.approx((earth.EQUATOR_FIELD_GAUSS, 0.0, 0.0), abs=1e-9)


def test_normals_of_a_slanted_plane_equal_its_normal():
    """The camera is rotated; the sky has normals of zero."""
    camera = CameraPose((0.0, 0.0, -10.0), quaternion_from_euler(0.1, -0.5, 0.7), math.radians(70))
    normal = np.array((-0.6, -0.2, -0.8))
    normal /= np.linalg.norm(normal)
    size = 24
    half = math.tan(camera.fov_rad / 2)
    u = ((np.arange(size) + 0.5) / size * 2 - 1) * half
    ahead, right, down = (
        np.array(rotate(camera.orientation, axis)) for axis in ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    )
    rays = ahead + u[None, :, None] * right + u[:, None, None] * down
    depth = (-8.0 / (rays @ normal)).astype(np.float32)
    assert (depth > 0).all()
    depth[0] = 1e4
    normals = world_normals(depth, camera, 5000.0)
    assert (normals[0] == 0.0).all()
    assert np.abs(normals[1:] - normal).max() < 1e-3
