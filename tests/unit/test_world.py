"""The city: deterministic, with free flight corridors and a closed edge."""

import math

import pytest

from followme_uav.sim.city import layout
from followme_uav.sim.city.layout import City, Collider, in_flight_corridor
from followme_uav.sim.city.world import make_city

SEEDS = (0, 1, 2, 7, 42)


@pytest.fixture(scope="module", params=SEEDS)
def city(request) -> City:
    return make_city(request.param)


def test_equal_seeds_give_equal_cities():
    """Otherwise no flight could be repeated."""
    assert make_city(5) == make_city(5)
    assert make_city(5) != make_city(6)


def test_streets_are_the_same_for_every_seed():
    """Pilots fly with a fixed map: a moved street would lead them into houses."""
    first, second = make_city(1), make_city(2)
    assert first.carriageways == second.carriageways
    assert first.pavements == second.pavements
    assert (first.plaza, first.highway) == (second.plaza, second.highway)


def test_corridors_are_free_at_flying_height(city: City):
    """A collider in a corridor would make every flight along that street crash."""
    low_m, _ = layout.CORRIDOR_HEIGHTS_M
    for collider in city.colliders:
        top_m = -collider.centre_m[2] + collider.half_size_m[2]
        if top_m <= low_m:
            continue
        if collider.name == "highway_deck":
            assert -collider.centre_m[2] - collider.half_size_m[2] >= 10.0
            continue
        for north_m, east_m in _footprint(collider):
            assert not in_flight_corridor(north_m, east_m), collider


def test_solids_in_the_plaza_are_low(city: City):
    """Pilots often follow the hero across the plaza at low height."""
    for collider in city.colliders:
        if any(_inside_plaza(*point) for point in _footprint(collider)):
            top_m = -collider.centre_m[2] + collider.half_size_m[2]
            assert top_m <= layout.PLAZA_CLEAR_ABOVE_M, collider


def test_a_house_ends_every_street(city: City):
    """The camera must see a house at the end of each street, not the edge of the world."""
    for centre_m in layout.STREET_CENTRES_M:
        for side in (-1.0, 1.0):
            for point in ((side * 116.0, centre_m), (centre_m, side * 116.0)):
                assert any(
                    abs(point[0] - b.north_m) <= b.size_north_m / 2
                    and abs(point[1] - b.east_m) <= b.size_east_m / 2
                    for b in city.buildings
                )


def test_houses_do_not_overlap(city: City):
    """Overlapping fronts flicker in the image and have no defined depth."""
    for i, a in enumerate(city.buildings):
        for b in city.buildings[:i]:
            apart_north = abs(a.north_m - b.north_m) - (a.size_north_m + b.size_north_m) / 2
            apart_east = abs(a.east_m - b.east_m) - (a.size_east_m + b.size_east_m) / 2
            assert max(apart_north, apart_east) > -1e-6


def test_ground_height_is_0_on_carriageways_and_12_cm_elsewhere():
    """Otherwise people's feet float or sink."""
    assert layout.ground_height_m(0.0, 0.0) == 0.0
    assert layout.ground_height_m(30.0, 30.0) == layout.PAVEMENT_HEIGHT_M
    assert layout.ground_height_m(7.5, 30.0) == layout.PAVEMENT_HEIGHT_M
    assert layout.ground_height_m(102.0, 0.0) == layout.PAVEMENT_HEIGHT_M


def _footprint(collider: Collider) -> list[tuple[float, float]]:
    """Points on the outline of a collider, seen from above."""
    north_m, east_m, _ = collider.centre_m
    half_n, half_e, _ = collider.half_size_m
    if collider.shape == "cylinder":
        angles = [k * math.pi / 16 for k in range(32)]
        return [(north_m + half_n * math.cos(a), east_m + half_n * math.sin(a)) for a in angles]
    c, s = math.cos(collider.yaw_rad), math.sin(collider.yaw_rad)
    steps = [k / 10 for k in range(-10, 11)]
    local = [(half_n * u, half_e * v) for u in steps for v in steps]
    return [(north_m + c * u - s * v, east_m + s * u + c * v) for u, v in local]


def _inside_plaza(north_m: float, east_m: float) -> bool:
    north_min, east_min, north_max, east_max = layout.PLAZA
    return north_min < north_m < north_max and east_min < east_m < east_max
