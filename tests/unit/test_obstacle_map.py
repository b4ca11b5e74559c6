"""Obstacle avoidance: the vehicle keeps clear of what its depth image has shown."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import load_config
from followme_uav.pilot.safety.obstacle_map import ObstacleMap

LIMITS = load_config().limits
DELAY_S = 0.55
WALL = tuple((10.0, float(east), -4.5) for east in range(-3, 4))


def map_of(*obstacles_m, time_s=0.0):
    obstacles = ObstacleMap(LIMITS)
    obstacles.update(time_s, obstacles_m)
    return obstacles


def flown(obstacles, velocity, seconds=20.0, here=(0.0, 0.0)):
    """Position after flying as allowed, and the least distance from the wall on the way."""
    nearest_m = math.inf
    for _ in range(round(10 * seconds)):
        north, east = obstacles.limit_velocity(here, velocity, DELAY_S)
        here = (here[0] + 0.1 * north, here[1] + 0.1 * east)
        nearest_m = min([nearest_m, *(math.dist(here, obstacle[:2]) for obstacle in WALL)])
    return here, nearest_m


def test_vehicle_stops_at_the_clearance_in_front_of_a_wall():
    here, nearest_m = flown(map_of(*WALL), (6.0, 0.0))
    assert nearest_m == pytest.approx(LIMITS.clearance_m, abs=0.1)
    assert here[0] == pytest.approx(10.0 - LIMITS.clearance_m, abs=0.1)


@given(st.floats(-6, 6), st.floats(-6, 6))
def test_vehicle_keeps_the_clearance_for_any_velocity(north, east):
    _, nearest_m = flown(map_of(*WALL), (north, east), seconds=8.0)
    assert nearest_m >= LIMITS.clearance_m - 0.1


def test_velocity_is_unchanged_far_from_obstacles_and_away_from_them():
    obstacles = map_of(*WALL)
    assert obstacles.limit_velocity((-10.0, 0.0), (6.0, 0.0), DELAY_S) == (6.0, 0.0)
    assert obstacles.limit_velocity((8.0, 0.0), (-6.0, 0.0), DELAY_S) == (-6.0, 0.0)


def test_vehicle_backs_off_when_nearer_than_the_clearance():
    north, _ = map_of((1.0, 0.0, -4.5)).limit_velocity((0.0, 0.0), (0.0, 0.0), DELAY_S)
    assert north < 0.0


def test_vehicle_may_fly_along_a_wall():
    _, east = map_of(*WALL).limit_velocity((10.0 - LIMITS.clearance_m, 0.0), (3.0, 3.0), DELAY_S)
    assert east > 1.0


def test_obstacles_out_of_view_are_remembered_for_a_limited_time():
    """The camera looks at the hero, not in the direction of flight."""
    obstacles = map_of(*WALL)
    obstacles.update(LIMITS.obstacle_memory_s - 0.1, ())
    assert obstacles.limit_velocity((7.9, 0.0), (6.0, 0.0), DELAY_S)[0] < 1.0
    obstacles.update(LIMITS.obstacle_memory_s + 0.1, ())
    assert obstacles.limit_velocity((7.9, 0.0), (6.0, 0.0), DELAY_S) == (6.0, 0.0)


def lane(half_width_m):
    """The walls on both sides of a vehicle that looks north."""
    return map_of(
        *((0.5 * k, side * half_width_m, -4.5) for k in range(-20, 41) for side in (-1.0, 1.0))
    )


@pytest.mark.parametrize(("half_width_m", "least_mps"), [(3.0, 5.0), (4.0, 7.0), (5.0, 7.9)])
def test_walls_beside_a_lane_hardly_slow_the_vehicle_down(half_width_m, least_mps):
    """In a lane of 6 m it flew at 3.6 m/s, and lost a hero who walked away from it."""
    north, east = lane(half_width_m).limit_velocity((0.0, 0.0), (8.0, 0.0), DELAY_S)
    assert north >= least_mps
    assert abs(east) < 0.1


def test_without_a_map_walls_beside_a_lane_slow_the_vehicle_down():
    """They may reach farther than they have shown: a vehicle touched the crown of a tree."""
    walls = ObstacleMap(LIMITS, math.inf)
    walls.update(0.0, [(0.5 * k, s * 3.0, -4.5) for k in range(-20, 41) for s in (-1.0, 1.0)])
    north, _ = walls.limit_velocity((0.0, 0.0), (8.0, 0.0), DELAY_S)
    assert north < 4.0


@given(st.floats(-1.2, 1.2), st.floats(0.0, 8.0), st.floats(-8.0, 8.0))
def test_vehicle_keeps_the_clearance_in_a_lane_whatever_it_wants(aside_m, north, east):
    walls = lane(3.0)
    here = (0.0, aside_m)
    for _ in range(20):
        velocity = walls.limit_velocity(here, (north, east), DELAY_S)
        here = (here[0] + 0.1 * velocity[0], here[1] + 0.1 * velocity[1])
        if here[0] > 10.0:
            break
        assert abs(here[1]) <= 3.0 - LIMITS.clearance_m + 0.15


@given(st.floats(0.0, 1.7))
def test_a_pole_that_would_be_touched_stops_the_vehicle(aside_m):
    pole = map_of((12.0, aside_m, -4.5))
    here, nearest_m = (0.0, 0.0), math.inf
    for _ in range(60):
        velocity = pole.limit_velocity(here, (8.0, 0.0), DELAY_S)
        here = (here[0] + 0.1 * velocity[0], here[1] + 0.1 * velocity[1])
        nearest_m = min(nearest_m, math.dist(here, (12.0, aside_m)))
    assert nearest_m >= LIMITS.clearance_m - 0.15
