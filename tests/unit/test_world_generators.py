"""Generated worlds: nothing overlaps, everything is reachable, and no two seeds are alike."""

import math

import networkx as nx
import numpy as np
import pytest
import shapely
from shapely import LineString
from shapely.geometry import Point

from followme_uav.errors import ConfigError
from followme_uav.sim.city.grid_world import WORLDS, world_of_city
from followme_uav.sim.city.world import make_city
from followme_uav.worlds.derived.flyable import flyable_area
from followme_uav.worlds.derived.heights import surface_heights_m
from followme_uav.worlds.derived.street_graph import ground_level_ends, street_graph
from followme_uav.worlds.shapes import (
    barrier_polygon,
    box_of,
    line_of,
    polygon_of,
    street_polygon,
)
from followme_uav.worlds.terrain import ground_heights_m, steepest_slope
from followme_uav.worlds.world_file import world_of, world_text
from tests.unit.world_parts import DRAWN, KINDS, SEEDS, SMALL_M, made, small

each_drawn = pytest.mark.parametrize(
    ("kind", "seed"), [(kind, seed) for kind in DRAWN for seed in SEEDS]
)
each_kind = pytest.mark.parametrize("kind", KINDS)


def houses(world):
    return [polygon_of(b) for b in world.buildings if b.base_m == 0.0]


def waters(world):
    return [polygon_of(a) for a in world.areas if a.surface == "water"]


def on_ground(world):
    return [s for s in world.streets if not s.is_raised]


def overlaps(shapes, least_m2=0.05):
    """Pairs of shapes with a common part."""
    if not shapes:
        return []
    tree = shapely.STRtree(shapes)
    pairs = tree.query(shapes, predicate="intersects").T
    return [(i, j) for i, j in pairs if i < j and shapes[i].intersection(shapes[j]).area > least_m2]


@each_drawn
def test_buildings_overlap_neither_streets_nor_water_nor_each_other(kind, seed):
    world = made(kind, seed)
    roads = shapely.union_all([street_polygon(s) for s in on_ground(world)])
    wet = shapely.union_all(waters(world))
    buildings = houses(world)
    assert not overlaps(buildings)
    assert not [b for b in buildings if b.intersection(roads).area > 0.05]
    assert not [b for b in buildings if b.intersection(wet).area > 0.05]
    bounds = shapely.box(
        world.bounds.south_m, world.bounds.west_m, world.bounds.north_m, world.bounds.east_m
    )
    assert all(bounds.covers(b) for b in buildings)


@each_drawn
def test_passages_leave_headroom_above_their_alleys(kind, seed):
    for building in made(kind, seed).buildings:
        assert building.base_m == 0.0 or building.base_m >= 2.5


@each_drawn
def test_trees_lamps_and_furniture_stand_outside_of_walls_and_water(kind, seed):
    world = made(kind, seed)
    solid = shapely.union_all([*houses(world), *waters(world)])
    shapely.prepare(solid)
    for tree in world.trees:
        assert solid.distance(Point(tree.at_m)) > 0.5
    for lamp in world.lamps:
        assert solid.distance(Point(lamp.at_m)) > 0.15
    boxes = [box_of(p) for p in (*world.parked_cars, *world.containers, *world.benches)]
    boxes += [barrier_polygon(b) for b in world.barriers]
    assert not [b for b in boxes if solid.intersection(b).area > 0.05]
    assert not overlaps(boxes[: len(boxes) - len(world.barriers)])


@each_drawn
def test_trees_lamps_and_barriers_leave_carriageways_free(kind, seed):
    world = made(kind, seed)
    roads = shapely.union_all(
        [line_of(s).buffer(s.carriageway_m / 2.0) for s in on_ground(world) if s.lanes]
    )
    shapely.prepare(roads)
    assert not [t for t in world.trees if roads.distance(Point(t.at_m)) < 0.3]
    assert not [p for p in world.lamps if roads.distance(Point(p.at_m)) < 0.15]
    assert not [b for b in world.barriers if roads.intersection(barrier_polygon(b)).area > 0.05]


def reachable_graph(world):
    """The street graph without bridges that lead from wall to wall."""
    graph = street_graph(world)
    inside = {
        i
        for i, s in enumerate(world.streets)
        if s.is_raised and not all(ground_level_ends(world, s))
    }
    assert len(inside) < len(world.streets) / 2
    return nx.Graph((a, b) for a, b, street in graph.edges(data="street") if street not in inside)


@each_drawn
def test_all_streets_on_the_ground_are_one_connected_graph(kind, seed):
    world = made(kind, seed)
    assert nx.is_connected(reachable_graph(world))
    streets = {s for *_, s in street_graph(world).edges(data="street")}
    assert streets == set(range(len(world.streets)))


@each_drawn
def test_start_is_open_to_the_sky_and_most_streets_are_flyable_from_there(kind, seed):
    world = made(kind, seed)
    area = flyable_area(world)
    assert area.covers(Point(world.start_m))
    lines = [line_of(s) for s in on_ground(world) if s.kind in ("street", "alley")]
    inside = sum(line.intersection(area).length for line in lines)
    assert inside > 0.8 * sum(line.length for line in lines)


@pytest.mark.parametrize("seed", [1, 43200, 43219])
def test_main_paths_of_a_park_can_be_flown(seed):
    """Trees closed a fifth of them, and a vehicle had to leave a hero who walked there."""
    world = WORLDS["park"].world(seed)
    area = flyable_area(world)
    lines = [line_of(s) for s in world.streets if s.kind == "footpath" and s.width_m >= 4.0]
    inside = sum(line.intersection(area).length for line in lines)
    assert inside > 0.95 * sum(line.length for line in lines)


@pytest.mark.parametrize("seed", [41018, 41028])
def test_park_s_start_is_no_bridge(seed):
    """On the edge of one, the vehicle was thrown off at the start."""
    world = WORLDS["park"].world(seed)
    start = Point(world.start_m)
    assert all(street_polygon(s).distance(start) > 1.0 for s in world.streets if s.is_raised)


@each_kind
def test_equal_seeds_give_equal_worlds_and_others_another_plan(kind):
    again = WORLDS[kind].world(1, None if kind == "grid" else SMALL_M)
    assert again == small(kind)
    one, other = made(kind, 1), made(kind, 2)
    assert one.buildings != other.buildings
    if kind != "grid":
        assert one.streets != other.streets
        assert one.start_m != other.start_m


@each_drawn
def test_generated_world_meets_the_rules_of_the_file(kind, seed):
    from followme_uav.worlds.checks import check_world

    check_world(made(kind, seed), "world")


@pytest.mark.parametrize("seed", SEEDS)
def test_old_town_has_narrow_streets_squares_a_church_and_passages(seed):
    world = made("old-town", seed)
    assert all(6.0 <= s.width_m <= 9.0 for s in world.streets)
    lines = [LineString(s.line_m) for s in world.streets]
    straight = [math.dist(s.line_m[0], s.line_m[-1]) / line.length
                for s, line in zip(world.streets, lines, strict=True)]  # fmt: skip
    assert min(straight) < 0.99  # they wind
    assert sum(a.surface == "square" for a in world.areas) >= 2
    styles = [b.style for b in world.buildings]
    assert styles.count("row") > 100
    assert "church" in styles and "tower" in styles
    assert sum(b.base_m > 0.0 for b in world.buildings) >= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_suburb_has_detached_houses_hedges_and_many_trees(seed):
    world = made("suburb", seed)
    shapes = houses(world)
    assert len(shapes) > 40
    tree = shapely.STRtree(shapes)
    near = tree.query(shapes, predicate="dwithin", distance=2.0).T
    assert all(i == j for i, j in near)
    assert sum(b.kind == "hedge" for b in world.barriers) > 60
    assert len(world.trees) > 100


@pytest.mark.parametrize("seed", SEEDS)
def test_park_has_a_pond_a_bridge_kiosks_and_mostly_paths(seed):
    world = made("park", seed)
    assert waters(world)
    assert sum(s.kind == "bridge" for s in world.streets) == 1
    assert sum(b.style == "kiosk" for b in world.buildings) >= 2
    assert sum(s.kind == "footpath" for s in world.streets) > len(world.streets) / 2
    pond = shapely.union_all(waters(world))
    assert not [s for s in on_ground(world) if street_polygon(s).intersection(pond).area > 0.1]


@pytest.mark.parametrize("seed", SEEDS)
def test_campus_has_large_halls_containers_and_bridges_between_them(seed):
    world = made("campus", seed)
    halls = [polygon_of(b) for b in world.buildings if b.style == "hall"]
    assert len([h for h in halls if h.area > 600.0]) >= 5
    assert len(world.containers) >= 8
    bridges = [s for s in world.streets if s.kind == "bridge"]
    assert bridges
    whole = shapely.union_all(halls)
    for bridge in bridges:
        assert min(bridge.heights_m) - bridge.thickness_m >= 4.5
        assert all(
            whole.distance(Point(end)) < 0.3 for end in (bridge.line_m[0], bridge.line_m[-1])
        )
        assert line_of(bridge).intersection(whole).length < 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_hills_have_slopes_up_to_a_tenth_steps_and_a_road_above_another(seed):
    world = made("hills", seed)
    assert 0.07 < steepest_slope(world.terrain) <= 0.1
    for street in on_ground(world):
        points = np.array(line_of(street).segmentize(2.0).coords)
        rise = np.diff(surface_heights_m(world, street, points))
        assert np.max(np.abs(rise) / np.hypot(*np.diff(points, axis=0).T)) <= 0.1 + 1e-6
    assert any(s.kind == "steps" for s in world.streets)
    (viaduct,) = [s for s in world.streets if s.kind == "elevated_road"]
    below = [s for s in on_ground(world) if s.kind == "street"
             and line_of(s).crosses(line_of(viaduct))]  # fmt: skip
    clear = []
    for street in below:
        at = line_of(street).intersection(line_of(viaduct))
        for point in shapely.get_parts(at):
            deck = surface_heights_m(world, viaduct, [(point.x, point.y)])[0]
            ground = ground_heights_m(world.terrain, (point.x, point.y))
            clear.append(float(deck - viaduct.thickness_m - ground))
    assert max(clear) > 4.5
    heights = np.array(viaduct.heights_m)
    assert (heights >= ground_heights_m(world.terrain, viaduct.line_m) - 1e-3).all()


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_grid_is_the_city_of_its_seed(seed):
    """The same houses, trees and colliders that flights have met so far."""
    city, world = make_city(seed), made("grid", seed)
    assert world == world_of_city(city)
    assert world.style == city.style
    assert len(world.buildings) == len(city.buildings)
    for house, building in zip(city.buildings, world.buildings, strict=True):
        south, west, north, east = polygon_of(building).bounds
        assert (south + north) / 2 == pytest.approx(house.north_m, abs=1e-9)
        assert (west + east) / 2 == pytest.approx(house.east_m, abs=1e-9)
        size = (house.size_north_m, house.size_east_m)
        assert (north - south, east - west) == pytest.approx(size, abs=1e-9)
        assert (building.height_m, building.roof) == (house.height_m, house.roof)
        assert (building.storeys, building.look) == (house.storeys, house.style)
    trees = [((t.north_m, t.east_m), t.height_m, t.crown_radius_m) for t in city.trees]
    assert [(t.at_m, t.height_m, t.crown_radius_m) for t in world.trees] == trees
    cars = [((c.north_m, c.east_m), c.yaw_rad, c.colour) for c in city.cars]
    assert [(c.at_m, c.yaw_rad, c.colour) for c in world.parked_cars] == cars
    assert world_of({**_data(world)}, "grid") == world


def _data(world):
    from followme_uav.worlds.world_file import _parsed

    return _parsed(world_text(world), "grid")


@pytest.mark.parametrize("kind", DRAWN)
def test_size_is_as_asked(kind):
    world = small(kind)
    assert (world.bounds.south_m, world.bounds.east_m) == (-SMALL_M / 2.0, SMALL_M / 2.0)
    assert world.streets and len(world.trees) > 10
    assert nx.is_connected(reachable_graph(world))


def test_impossible_sizes_are_refused():
    with pytest.raises(ConfigError, match="200 to 1000"):
        WORLDS["park"].world(1, 30.0)
    with pytest.raises(ConfigError, match="one size"):
        WORLDS["grid"].world(1, 300.0)
