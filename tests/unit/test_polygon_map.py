"""A street map of polygons: what lies inside, and the ways around corners and holes."""

from __future__ import annotations

import math

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from followme_uav.config import load_config, make_config
from followme_uav.errors import ConfigError
from followme_uav.pilot.navigation.maps import street_map_of
from followme_uav.pilot.navigation.polygon_map import PolygonMap
from followme_uav.pilot.navigation.route_planner import RoutePlanner
from followme_uav.pilot.navigation.street_map import is_free, lookouts, shrunk
from followme_uav.pilot.safety.geofence import limit_velocity

RING = (
    ((-40.0, -40.0), (40.0, -40.0), (40.0, 40.0), (-40.0, 40.0)),
    ((-28.0, -28.0), (28.0, -28.0), (28.0, 28.0), (-28.0, 28.0)),
)
"""A street around a block."""


@pytest.fixture(scope="module")
def ring() -> PolygonMap:
    return PolygonMap((RING,))


def test_lines_through_the_block_are_not_free(ring: PolygonMap):
    assert ring.contains((34.0, 0.0))
    assert not ring.contains((0.0, 0.0))
    assert is_free(ring, (34.0, -30.0), (34.0, 30.0))
    assert not is_free(ring, (34.0, 0.0), (-34.0, 0.0))


def test_nearest_point_is_on_the_edge_of_the_block(ring: PolygonMap):
    assert ring.nearest_point((20.0, 0.0)) == pytest.approx((28.0, 0.0))


def test_place_on_this_side_goes_along_with_a_goal_behind_trees():
    """The gaps of an avenue are too narrow for a vehicle; beside it, it can keep up."""
    crowns = [
        shapely.Point(4.0 * k, east).buffer(1.5 + 1.7)
        for k in range(-10, 11)
        for east in (-4.0, 4.0)
    ]
    outside, rows = shapely.box(-60.0, -30.0, 60.0, 30.0), shapely.union_all(crowns)
    area = max(shapely.get_parts(outside.difference(rows)), key=lambda part: part.area)
    rings = (area.exterior, *area.interiors)
    avenue = PolygonMap((tuple(tuple(map(tuple, ring.coords)) for ring in rings),))
    here = (-20.0, -12.0)
    for north in range(-20, 21, 4):
        beside = avenue.nearest_on_this_side((float(north), 0.0), here)
        assert avenue.contains(beside)
        assert beside[1] < 0.0, "on this side"
        assert math.dist(beside, (north, 0.0)) < 9.0
        here = beside


@pytest.mark.parametrize("goal", [(-34.0, 0.0), (-34.0, 34.0), (0.0, -34.0)])
def test_planner_leads_around_the_block(ring: PolygonMap, goal):
    planner, here, flown = RoutePlanner(ring, 2.0), (34.0, 0.0), 0.0
    for _ in range(30):
        point = planner.next_point(goal, here)
        assert ring.is_free(here, point)
        flown += math.dist(here, point)
        here = point
        if math.dist(here, goal) < 0.1:
            break
    assert math.dist(here, goal) < 0.1
    assert flown < 160.0


def test_narrower_map_keeps_the_middle_of_narrow_parts():
    alley = (((0.0, -1.0), (40.0, -1.0), (40.0, 1.0), (0.0, 1.0)),)
    inner = shrunk(PolygonMap((alley,)), 1.5)
    assert not inner.contains((20.0, 0.9))
    assert math.dist(inner.nearest_point((20.0, 0.9)), (20.0, 0.0)) < 0.9


def test_geofence_keeps_the_vehicle_inside_polygons(ring: PolygonMap):
    limits = make_config({}, "test").limits
    free = limit_velocity((34.0, 0.0), (0.0, 3.0), ring, limits, 0.5)
    assert free == (0.0, 3.0)
    north, _ = limit_velocity((30.5, 0.0), (-8.0, 0.0), ring, limits, 0.5)
    assert north > -8.0
    back, _ = limit_velocity((20.0, 0.0), (0.0, 0.0), ring, limits, 0.5)
    assert back > 0.0


@settings(max_examples=60)
@given(st.floats(0.0, math.pi), st.floats(0.0, 2.0 * math.pi), st.floats(0.0, 1.4))
def test_geofence_answers_beside_any_edge(turn_rad, azimuth_rad, off_m):
    """The nearest point of an oblique edge is rounded, and may lie outside by a hair."""
    corners = [(0.7, 0.0), (40.0, 1.3), (38.9, 33.3), (-1.1, 31.7)]
    turned = tuple(
        (
            north * math.cos(turn_rad) - east * math.sin(turn_rad),
            north * math.sin(turn_rad) + east * math.cos(turn_rad),
        )
        for north, east in corners
    )
    area, limits = PolygonMap(((turned,),)), load_config().limits
    inner = shrunk(area, limits.boundary_margin_m)
    far = tuple(
        sum(axis) / 4.0 + 60.0 * part
        for axis, part in zip(
            zip(*turned, strict=True), (math.cos(azimuth_rad), math.sin(azimuth_rad)), strict=True
        )
    )
    edge_m = inner.nearest_point(far)
    assert inner.contains(edge_m)
    beside_m = tuple(
        e + off_m * (f - e) / math.dist(far, edge_m) for e, f in zip(edge_m, far, strict=True)
    )
    limited = limit_velocity(beside_m, (3.0, -2.0), area, limits, 0.5)
    assert all(map(math.isfinite, limited))


def test_lookouts_are_spread_over_the_map(ring: PolygonMap):
    found = lookouts(ring)
    assert len(found) >= 8
    assert all(ring.contains(place) for place in found)


def test_configuration_takes_polygons_in_place_of_rectangles_and_checks_them():
    simulator = {
        **load_config().simulator.model_dump(mode="json"),
        "flyable_m": [],
        "flyable_polygons_m": [RING],
        "patrol_waypoints_m": [[34.0, 0.0]],
    }
    config = make_config({"simulator": simulator}, "test")
    assert isinstance(street_map_of(config.simulator), PolygonMap)
    for change, message in (
        ({"patrol_waypoints_m": [[0.0, 0.0]]}, "outside flyable_polygons_m"),
        ({"flyable_m": [[-40.0, -40.0, 40.0, 40.0]]}, "leave the other one empty"),
        ({"flyable_polygons_m": [[[[0, 0], [1, 1], [0, 1], [1, 0]]]]}, "no polygon"),
    ):
        with pytest.raises(ConfigError, match=message) as error:
            make_config({"simulator": {**simulator, **change}}, "test")
        assert "(got {" not in str(error.value)  # the message names the value, not the section
