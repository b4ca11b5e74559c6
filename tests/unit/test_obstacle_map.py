"""If these fail, the vehicle hits what its depth image has shown."""

import math

import pytest
from followme_uav.pilot.keep_clear import Surroundings
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import load_config
from followme_uav.messages import CameraPose, Frame, VehicleState

LIMITS = load_config().limits
LEVEL = (1.0, 0.0, 0.0, 0.0)
WALL = tuple((10.0, float(east), -4.5) for east in range(-3, 4))


def frame(time_s, obstacles_m=()):
    place, still = (0.0, 0.0, -4.5), (0.0, 0.0, 0.0)
    vehicle = VehicleState(time_s, place, still, LEVEL, still)
    return Frame(0, time_s, None, CameraPose(place, LEVEL, 1.0), vehicle, obstacles_m=obstacles_m)


def seeing(*obstacles_m, time_s=0.0):
    surroundings = Surroundings(LIMITS)
    surroundings.see(frame(time_s, obstacles_m))
    return surroundings


def flown(surroundings, velocity, seconds=20.0, here=(0.0, 0.0)):
    """Where a vehicle ends that flies as it is allowed to, and how near it came to the wall."""
    nearest_m = math.inf
    for _ in range(round(10 * seconds)):
        north, east = surroundings.limit(here, velocity)
        here = (here[0] + 0.1 * north, here[1] + 0.1 * east)
        nearest_m = min([nearest_m, *(math.dist(here, thing[:2]) for thing in WALL)])
    return here, nearest_m


def test_in_front_of_a_wall_the_vehicle_stops():
    here, nearest_m = flown(seeing(*WALL), (6.0, 0.0))
    assert nearest_m == pytest.approx(LIMITS.clearance_m, abs=0.1)
    assert here[0] == pytest.approx(10.0 - LIMITS.clearance_m, abs=0.1)


@given(st.floats(-6, 6), st.floats(-6, 6))
def test_from_no_direction_it_comes_nearer_than_the_clearance(north, east):
    _, nearest_m = flown(seeing(*WALL), (north, east), seconds=8.0)
    assert nearest_m >= LIMITS.clearance_m - 0.1


def test_far_from_everything_and_away_from_it_nothing_is_held_back():
    surroundings = seeing(*WALL)
    assert surroundings.limit((-10.0, 0.0), (6.0, 0.0)) == (6.0, 0.0)
    assert surroundings.limit((8.0, 0.0), (-6.0, 0.0)) == (-6.0, 0.0)


def test_too_near_it_backs_off():
    north, _ = seeing((1.0, 0.0, -4.5)).limit((0.0, 0.0), (0.0, 0.0))
    assert north < 0.0


def test_along_a_wall_it_may_fly():
    _, east = seeing(*WALL).limit((10.0 - LIMITS.clearance_m, 0.0), (3.0, 3.0))
    assert east > 1.0


def test_what_the_camera_does_not_see_any_more_still_counts_for_a_while():
    """The camera looks at the hero, not where the vehicle flies."""
    surroundings = seeing(*WALL)
    surroundings.see(frame(LIMITS.obstacle_memory_s - 0.1))
    assert surroundings.limit((7.9, 0.0), (6.0, 0.0))[0] < 1.0
    surroundings.see(frame(LIMITS.obstacle_memory_s + 0.1))
    assert surroundings.limit((7.9, 0.0), (6.0, 0.0)) == (6.0, 0.0)
