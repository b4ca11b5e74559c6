"""The street map of the embedded city agrees with the city.

The map is a file (`configs/simulators/embedded.yaml`), as for every simulator; the city is
generated from a seed. A wrong metre in the map leads to a collision.
"""

import math

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.pilot.navigation.street_map import contains, is_free
from followme_uav.sim.city.world import make_city

CONFIG = load_config()
LIMITS, STREETS = CONFIG.limits, CONFIG.simulator.flyable_m
WAYPOINTS = CONFIG.simulator.patrol_waypoints_m
ROOM_M = 0.9
"""Between the vehicle's centre and anything solid: half its size, and half a metre to be late."""
LOW_M, HIGH_M = LIMITS.min_altitude_m - 0.5, LIMITS.max_altitude_m + 0.5


def allowed(area):
    """The area of the vehicle's centre: the rectangle without its margin."""
    south, west, north, east = area
    margin_m = LIMITS.boundary_margin_m
    return south + margin_m, west + margin_m, north - margin_m, east - margin_m


def is_at_flying_height(solid):
    middle_m, half_m = -solid.centre_m[2], solid.half_size_m[2]
    return middle_m - half_m < HIGH_M and middle_m + half_m > LOW_M


def gap_m(solid, area):
    """Distance between a solid's footprint and a rectangle, 0 when they overlap."""
    south, west, north, east = area
    if solid.shape == "cylinder":
        nearest = (
            min(max(solid.centre_m[0], south), north),
            min(max(solid.centre_m[1], west), east),
        )
        return max(math.dist(nearest, solid.centre_m[:2]) - solid.half_size_m[0], 0.0)
    assert math.isclose(math.sin(2 * solid.yaw_rad), 0.0, abs_tol=1e-9), "only upright boxes"
    half_north_m, half_east_m = solid.half_size_m[:2]
    if not math.isclose(math.sin(solid.yaw_rad), 0.0, abs_tol=1e-9):
        half_north_m, half_east_m = half_east_m, half_north_m
    north_gap_m = max(
        south - solid.centre_m[0] - half_north_m, solid.centre_m[0] - half_north_m - north, 0.0
    )
    east_gap_m = max(
        west - solid.centre_m[1] - half_east_m, solid.centre_m[1] - half_east_m - east, 0.0
    )
    return math.hypot(north_gap_m, east_gap_m)


@pytest.mark.parametrize("seed", range(20))
def test_solids_at_flying_altitude_keep_away_from_the_flyable_area(seed):
    solids = [solid for solid in make_city(seed).colliders if is_at_flying_height(solid)]
    assert any(solid.name.startswith("building") for solid in solids)
    near = {
        (solid.name, area): round(gap_m(solid, allowed(area)), 2)
        for solid in solids
        for area in STREETS
        if gap_m(solid, allowed(area)) < ROOM_M
    }
    assert not near


def test_cruising_altitude_is_within_limits():
    assert LIMITS.min_altitude_m <= CONFIG.mission.altitude_m <= LIMITS.max_altitude_m


def test_start_lies_in_the_flyable_area():
    """From outside, the vehicle would first fly sideways, among the lamps."""
    assert contains([allowed(area) for area in STREETS], (0.0, 0.0))


def test_every_leg_of_the_patrol_route_stays_in_the_flyable_area():
    areas = [allowed(area) for area in STREETS]
    for here, there in zip(WAYPOINTS, WAYPOINTS[1:] + WAYPOINTS[:1], strict=True):
        assert is_free(areas, here, there), (here, there)


def test_flyable_area_is_connected():
    """A hero that walks from street to street can be followed all the way."""
    areas = [allowed(area) for area in STREETS]
    reached, frontier = {0}, [0]
    while frontier:
        one = areas[frontier.pop()]
        for i, other in enumerate(areas):
            if i not in reached and overlap(one, other):
                reached.add(i)
                frontier.append(i)
    assert reached == set(range(len(areas)))


def overlap(one, other):
    low = np.maximum(one[:2], other[:2])
    high = np.minimum(one[2:], other[2:])
    return bool((low < high).all())
