"""Obstacle avoidance: the vehicle keeps clear of what its depth image has shown."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import load_config
from followme_uav.messages import CameraPose, Frame, VehicleState
from followme_uav.pilot.safety.obstacle_map import ObstacleMap

LIMITS = load_config().limits
DELAY_S = 0.55
LEVEL = (1.0, 0.0, 0.0, 0.0)
WALL = tuple((10.0, float(east), -4.5) for east in range(-3, 4))


def frame(time_s, obstacles_m=()):
    place, still = (0.0, 0.0, -4.5), (0.0, 0.0, 0.0)
    vehicle = VehicleState(time_s, place, still, LEVEL, still)
    return Frame(0, time_s, None, CameraPose(place, LEVEL, 1.0), vehicle, obstacles_m=obstacles_m)


def map_of(*obstacles_m, time_s=0.0):
    obstacles = ObstacleMap(LIMITS)
    obstacles.update(frame(time_s, obstacles_m))
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
    obstacles.update(frame(LIMITS.obstacle_memory_s - 0.1))
    assert obstacles.limit_velocity((7.9, 0.0), (6.0, 0.0), DELAY_S)[0] < 1.0
    obstacles.update(frame(LIMITS.obstacle_memory_s + 0.1))
    assert obstacles.limit_velocity((7.9, 0.0), (6.0, 0.0), DELAY_S) == (6.0, 0.0)
