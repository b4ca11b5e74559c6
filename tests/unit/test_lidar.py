"""Lidars: directions of the beams, and points on the surfaces of solids."""

import math
from dataclasses import replace

import numpy as np
import pytest

from followme_uav.geometry import quaternion_from_euler
from followme_uav.sim.city.layout import Collider
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.vehicle.equipment import LidarMount
from followme_uav.sim.vehicle.lidar import MAX_POINTS, directions, scan
from followme_uav.sim.vehicle.vehicle import Vehicle

WALL = Collider("wall", "box", (10.0, 0.0, -5.0), (1.0, 20.0, 5.0))
HEIGHT_M = 4.0


def hovering(yaw_rad=0.0, *solids):
    vehicle = Vehicle(solids)
    vehicle.place((0.0, 0.0, -HEIGHT_M), yaw_rad)
    return vehicle


def test_channels_are_spread_from_the_upper_to_the_lower_elevation():
    rays = directions(LidarMount(channels=4, points_per_second=400, vertical_deg=(10, -20)), 0.0)
    assert len(rays) == 40
    elevation = np.degrees(np.arcsin(-rays[:, 2])).reshape(4, 10)
    assert elevation == pytest.approx(np.repeat([[10], [0], [-10], [-20]], 10, axis=1))
    assert np.linalg.norm(rays, axis=1) == pytest.approx(np.ones(40))


def test_a_tenth_of_a_second_covers_its_share_of_a_rotation():
    mount = LidarMount(channels=1, points_per_second=100, rotations_per_second=1)
    rays = directions(replace(mount, vertical_deg=(0, 0)), 90.0)
    azimuth = np.degrees(np.arctan2(rays[:, 1], rays[:, 0]))
    assert azimuth == pytest.approx(90.0 + 3.6 * np.arange(10))


@pytest.mark.parametrize(
    ("sector", "within"),
    [((-20, 20), 20.0), ((0, 359), 180.0), ((0, 360), 180.0), ((-180, 180), 180.0)],
)
def test_only_the_horizontal_sector_is_scanned(sector, within):
    rays = directions(LidarMount(channels=1, points_per_second=7200, horizontal_deg=sector), 0.0)
    azimuth = np.abs(np.degrees(np.arctan2(rays[:, 1], rays[:, 0])))
    assert azimuth.max() <= within + 1e-6
    assert azimuth.max() > within - 2.0


def test_number_of_points_of_a_scan_is_bounded():
    assert len(directions(LidarMount(points_per_second=10**9), 0.0)) <= MAX_POINTS


def test_points_lie_on_the_ground_and_on_the_wall():
    vehicle = hovering(0.0, WALL)
    seen = scan(LidarMount(vertical_deg=(20, -60)), vehicle, 1.0)
    names = np.array([vehicle.met_name(number) for number in seen.met])
    on_wall = seen.points_m[names == "wall"]
    assert on_wall[:, 0] == pytest.approx(np.full(len(on_wall), 9.0))
    assert len(on_wall) > 100
    on_ground = seen.points_m[names == "ground"]
    assert on_ground[:, 2] == pytest.approx(np.zeros(len(on_ground)), abs=1e-9)
    assert set(names) == {"wall", "ground"}


def test_solids_beyond_the_range_give_no_points():
    vehicle = hovering(0.0, WALL)
    reach_m = np.linalg.norm(
        scan(LidarMount(range_m=7.0), vehicle, 1.0).points_m - vehicle.position_m, axis=1
    )
    assert HEIGHT_M < reach_m.max() <= 7.0


def test_points_in_the_sensors_frame_turn_with_it():
    """A wall north of a vehicle that heads east is to its left."""
    vehicle = hovering(math.pi / 2, WALL)
    mount = LidarMount(channels=1, vertical_deg=(0, 0), range_m=20.0, in_sensor_frame=True)
    seen = scan(mount, vehicle, 1.0)
    nearest = seen.points_m[np.linalg.norm(seen.points_m, axis=1).argmin()]
    assert nearest == pytest.approx((0.0, -9.0, 0.0), abs=0.1)


def test_both_frames_describe_the_same_points():
    vehicle = hovering(0.7, WALL)
    mount = LidarMount(
        position_m=(0.2, 0.1, -0.3), orientation=quaternion_from_euler(0.1, -0.2, 0.3)
    )
    world = scan(mount, vehicle, 1.0)
    local = scan(replace(mount, in_sensor_frame=True), vehicle, 1.0)
    from transforms3d.quaternions import quat2mat

    moved = local.points_m @ quat2mat(world.orientation).T + world.position_m
    assert moved == pytest.approx(world.points_m, abs=1e-9)


def test_same_instant_gives_the_same_points_and_the_next_scan_continues_the_rotation():
    vehicle = hovering(0.0, WALL)
    mount = LidarMount(rotations_per_second=1, points_per_second=1000)
    one, again, later = (scan(mount, vehicle, at).points_m for at in (1.0, 1.0, 1.1))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, later)


def test_scans_do_not_change_the_flight():
    """Reference flights must not depend on scans."""
    flights = []
    for looks in (False, True):
        simulation = Simulation(3, 5)
        simulation.place_vehicle((0.0, 0.0, -6.0), 0.0)
        for _ in range(20):
            simulation.step(10)
            if looks:
                scan(LidarMount(), simulation.vehicle, 0.5)
        flights.append(simulation.vehicle.kinematics())
    assert flights[0] == flights[1]


def test_rays_of_lidars_and_of_distance_sensors_agree():
    simulation = Simulation(1)
    rays = np.random.default_rng(0).normal(size=(200, 3))
    rays /= np.linalg.norm(rays, axis=1)[:, None]
    start_m = (0.0, 0.0, -10.0)
    distance_m, _ = simulation.vehicle.cast(start_m, rays, 80.0)
    for ray, found_m in zip(rays, distance_m, strict=True):
        expected_m = simulation.ray_m(start_m, tuple(ray))
        assert found_m == pytest.approx(expected_m if expected_m <= 80.0 else math.inf)
