"""Geometry that follows from a world: graphs, ways on foot, lanes, solids."""

import math
from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Polygon
from shapely.geometry import Point

from followme_uav.sim.city import layout
from followme_uav.sim.city.layout import crown_bottom_m
from followme_uav.sim.city.world_place import WorldPlace
from followme_uav.worlds.derived import lanes as lanes_module
from followme_uav.worlds.derived.crosswalks import Crosswalk, crossed_at
from followme_uav.worlds.derived.flyable import CLEARANCE_M, flyable_area, walls
from followme_uav.worlds.derived.heights import surface_heights_m
from followme_uav.worlds.derived.lanes import lane_network
from followme_uav.worlds.derived.passages import PASSAGE_M, passages
from followme_uav.worlds.derived.solids import (
    ConvexPart,
    Pillar,
    convex_parts,
    solids_of,
    triangles_of,
)
from followme_uav.worlds.derived.street_graph import street_graph, without_middle_nodes
from followme_uav.worlds.derived.walking import (
    BODY_M,
    obstacles_on_foot,
    walk_graph,
    walkable_area,
)
from followme_uav.worlds.shapes import barrier_polygon, carriageway_polygon, polygon_of
from followme_uav.worlds.world import Area, Barrier, Building, Street, Terrain, Tree
from tests.unit.world_parts import KINDS, crossing, flyable, lanes, made, small, square, walks

each = pytest.mark.parametrize("kind", KINDS)


def test_streets_meet_where_they_cross_and_where_one_ends_at_another():
    graph = street_graph(crossing())
    assert sorted(dict(graph.degree).values()) == [1, 1, 1, 1, 4]
    streets = (
        Street("street", 8.0, ((0.0, -50.0), (0.0, 50.0))),
        Street("footpath", 2.0, ((0.3, 10.0), (30.0, 10.0))),  # ends 0.3 m beside the street
    )
    graph = street_graph(crossing(streets=streets))
    assert sorted(dict(graph.degree).values()) == [1, 1, 1, 3]
    assert nx.is_connected(graph)


def test_bridge_meets_the_street_below_nowhere_but_joins_others_at_its_ends():
    bridge = Street(
        "bridge", 4.0, ((-40.0, 20.0), (0.0, 20.0), (40.0, 20.0)), heights_m=(0.0, 6.0, 0.0)
    )
    street = Street("street", 8.0, ((0.0, -50.0), (0.0, 50.0)))
    ramp = Street("footpath", 2.0, ((40.0, 20.0), (40.0, 50.0)))
    graph = street_graph(crossing(streets=(bridge, street, ramp)))
    assert sorted(len(part) for part in nx.connected_components(graph)) == [2, 3]


def test_bridge_between_buildings_joins_no_street():
    bridge = Street("bridge", 4.0, ((-30.0, 0.0), (30.0, 0.0)), heights_m=(6.0, 6.0))
    street = Street("street", 8.0, ((-30.0, -50.0), (-30.0, 50.0)))
    graph = street_graph(crossing(streets=(bridge, street)))
    assert nx.number_connected_components(graph) == 2


def test_middle_nodes_vanish_and_lengths_stay():
    streets = (
        Street("street", 8.0, ((0.0, -50.0), (0.0, 0.0))),
        Street("street", 8.0, ((0.0, 50.0), (0.0, 0.0))),
        Street("street", 8.0, ((0.0, 50.0), (40.0, 50.0), (40.0, 20.0))),
    )
    graph = without_middle_nodes(street_graph(crossing(streets=streets)))
    ((_, _, data),) = graph.edges(data=True)
    assert data["line"].length == pytest.approx(170.0)
    assert set(data["streets"]) == {0, 1, 2}


@each
def test_nobodys_way_crosses_a_wall_or_a_carriageway_outside_of_crosswalks(kind):
    """Only the ways over raised streets may lead above others."""
    world, walk = small(kind), walks(kind)
    solid = obstacles_on_foot(world)
    shapely.prepare(solid)
    roads = shapely.union_all(
        [carriageway_polygon(s) for s in world.streets if s.lanes and not s.is_raised]
    ).buffer(-0.01)
    shapely.prepare(roads)
    decks = shapely.union_all(
        [LineString(s.line_m).buffer(s.width_m / 2 + 3.0) for s in world.streets if s.is_raised]
    )
    shapely.prepare(decks)
    ways = np.array(walk.ways)
    lines = shapely.linestrings(walk.places_m[ways[:, :2]])
    below = ~shapely.intersects(decks, lines)
    on_crosswalk = ways[:, 2] >= 0
    assert (below & ~on_crosswalk).sum() > 300
    assert shapely.distance(solid, lines[below]).min() > BODY_M - 0.05
    assert not shapely.intersects(roads, lines[below & ~on_crosswalk]).any()
    for line, number in zip(lines[on_crosswalk], ways[on_crosswalk, 2], strict=True):
        assert walk.crosswalks[number].shape.buffer(0.01).covers(line)


@each
def test_walk_graph_is_connected_and_reaches_most_of_the_walkable_ground(kind):
    world, walk = small(kind), walks(kind)
    graph = walk.graph()
    assert nx.is_connected(graph)
    assert len(walk.places_m) > 300
    assert len(walk.heights_m) == len(walk.places_m)
    along_streets = [s for s in world.streets if s.lanes and not s.is_raised]
    missed = 0
    for street in along_streets:
        line = LineString(street.line_m)
        off_m = street.carriageway_m / 2 + street.pavement_m / 2
        for side in (off_m, -off_m):
            middle = line.offset_curve(side).interpolate(0.5, normalized=True)
            near = walk.places_m[walk.nearest((middle.x, middle.y))]
            missed += math.dist(near, (middle.x, middle.y)) > 9.0
    assert missed <= 0.1 * 2 * len(along_streets)


def test_walk_graph_of_a_crossing_has_four_crosswalks_with_ends_on_pavements():
    world = crossing()
    walk = walk_graph(world)
    assert len(walk.crosswalks) == 4
    area = walkable_area(world)
    for crosswalk in walk.crosswalks:
        assert math.dist(*crosswalk.ends_m) == pytest.approx(6.0 + 2 * 0.7)
        assert all(area.covers(Point(end)) for end in crosswalk.ends_m)
    assert {c for *_, c in walk.ways} == {-1, 0, 1, 2, 3}
    graph = walk.graph()
    far = nx.shortest_path(graph, walk.nearest((-4.0, -4.0)), walk.nearest((4.0, 4.0)), "length_m")
    crossed = [graph.edges[e]["crosswalk"] for e in nx.utils.pairwise(far)]
    assert sum(c >= 0 for c in crossed) == 2


def test_wall_across_a_pavement_leads_people_to_the_other_side():
    wall = Building(((9.0, 3.05), (11.0, 3.05), (11.0, 5.0), (9.0, 5.0)), 3.0)
    walk = walk_graph(crossing(buildings=(wall,)))
    assert not walkable_area(crossing(buildings=(wall,))).covers(Point(10.0, 4.0))
    assert walk.graph().number_of_nodes() == len(walk.places_m)
    for a, b, _ in walk.ways:
        assert polygon_of(wall).distance(LineString(walk.places_m[[a, b]])) > BODY_M - 0.05


def test_people_walk_below_a_passage_and_not_through_a_low_room():
    alley = Street("alley", 6.0, ((0.0, -50.0), (0.0, 50.0)))
    outline = ((-3.0, -4.0), (3.0, -4.0), (3.0, 4.0), (-3.0, 4.0))
    for base_m, is_open in ((3.0, True), (1.5, False)):
        room = Building(outline, 9.0, base_m=base_m)
        walk = walk_graph(crossing(streets=(alley,), buildings=(room,)))
        span = np.ptp(walk.places_m[:, 1])
        assert (span > 90.0) == is_open


def test_people_reach_the_other_bank_over_a_footbridge_at_its_height():
    paths = (
        Street("footpath", 3.0, ((-30.0, -40.0), (-30.0, 40.0))),
        Street("footpath", 3.0, ((30.0, -40.0), (30.0, 40.0))),
        Street("bridge", 3.0, ((-30.0, 0.0), (0.0, 0.0), (30.0, 0.0)), heights_m=(0.0, 1.0, 0.0)),
    )
    river = Area("water", ((-20.0, -60.0), (20.0, -60.0), (20.0, 60.0), (-20.0, 60.0)))
    walk = walk_graph(crossing(streets=paths, areas=(river,), buildings=()))
    assert walk.places_m[:, 0].min() < -29.0 and walk.places_m[:, 0].max() > 29.0
    assert walk.heights_m.max() == pytest.approx(1.0, abs=0.1)


@each
def test_no_way_of_people_crosses_a_carriageway_of_its_level_but_on_a_crosswalk(kind):
    """Cars give way on crosswalks; a person on another way over a street would meet them."""
    world, walk = small(kind), walks(kind)
    for street in world.streets:
        if not street.lanes:
            continue
        road = carriageway_polygon(street).buffer(-0.05)
        for a, b, crosswalk in walk.ways:
            if crosswalk >= 0:
                continue
            part = LineString(walk.places_m[[a, b]]).intersection(road)
            if part.is_empty:
                continue
            at = part.interpolate(0.5, normalized=True).coords
            height_m = surface_heights_m(world, street, at)[0]
            assert abs(height_m - walk.heights_m[[a, b]].mean()) > 2.0


@pytest.mark.parametrize("angle_rad", [0.0, 0.3, 1.1, 2.5])
@pytest.mark.parametrize("length_m", [5.0, 80.0])
def test_straight_path_alone_is_a_way_for_people(angle_rad, length_m):
    """Its places lie on a line, and a line has no triangles."""
    end = (length_m * math.cos(angle_rad), length_m * math.sin(angle_rad))
    path = Street("footpath", 2.5, ((0.0, 0.0), end))
    walk = walk_graph(crossing(streets=(path,), buildings=(), areas=()))
    assert len(walk.ways) == len(walk.places_m) - 1
    assert np.hypot(*np.ptp(walk.places_m, axis=0)) > 0.8 * length_m


@each
def test_every_lane_leads_on_and_turns_join_its_ends(kind):
    network = lanes(kind)
    assert network.lanes
    for number, lane in enumerate(network.lanes):
        assert lane.turns
        length_m = LineString(lane.line_m).length
        assert 0.0 <= lane.stop_m <= length_m
        assert all(0.0 <= a < b <= length_m + 0.01 for a, b, _ in lane.crosswalks)
        for turn in lane.turns:
            other = network.lanes[turn.to_lane]
            assert turn.from_lane == number
            way = LineString([p[:2] for p in turn.line_m])
            for junction in {lane.junction, other.start_junction}:  # two with a short lane between
                assert way.distance(Point(network.junctions_m[junction])) < 12.0
            assert math.dist(turn.line_m[0][:2], lane.line_m[-1][:2]) < 0.05
            assert math.dist(turn.line_m[-1][:2], other.line_m[0][:2]) < 0.05


@each
def test_lanes_stay_on_the_carriageway_clear_of_walls(kind):
    world = small(kind)
    walls = shapely.union_all([polygon_of(b) for b in world.buildings if b.base_m < 2.0])
    shapely.prepare(walls)
    roads = shapely.union_all([carriageway_polygon(s) for s in world.streets if s.lanes])
    roads, wide = roads.buffer(0.05), roads.buffer(0.6)
    shapely.prepare([roads, wide])
    for lane in lanes(kind).lanes:
        line = LineString([p[:2] for p in lane.line_m])
        assert line.difference(roads).length < 0.5
        assert walls.distance(line) > 1.0
        for turn in lane.turns:
            way = LineString([p[:2] for p in turn.line_m])
            assert walls.distance(way) > 0.9
            assert way.difference(wide).length < 1.0


@each
def test_cars_that_cross_give_way_in_an_order_without_circles(kind):
    network = lanes(kind)
    order = nx.DiGraph()
    for lane in network.lanes:
        for turn in lane.turns:
            for first in turn.gives_way_to:
                order.add_edge((turn.from_lane, turn.to_lane), first)
    assert nx.is_directed_acyclic_graph(order)


def test_turns_that_cross_at_a_junction_have_an_order_and_right_turns_apart_have_none():
    ring = Street(
        "street", 10.0, ((-50.0, -50.0), (50.0, -50.0), (50.0, 50.0), (-50.0, 50.0),
                         (-50.0, -50.0)), 2.0, 2,
    )  # fmt: skip
    network = lane_network(crossing(streets=(*crossing().streets, ring), buildings=()), ())
    middle = min(range(len(network.junctions_m)), key=lambda i: math.hypot(*network.junctions_m[i]))
    turns = [t for lane in network.lanes if lane.junction == middle for t in lane.turns]
    assert len(turns) == 12  # three from each arm
    for one in turns:
        for other in turns:
            if one.from_lane == other.from_lane:
                continue
            gap_m = LineString(one.line_m).distance(LineString(other.line_m))
            ordered = (other.from_lane, other.to_lane) in one.gives_way_to or (
                one.from_lane,
                one.to_lane,
            ) in other.gives_way_to
            assert ordered == (gap_m < 2.2)


def test_cars_never_wait_on_a_lane_between_two_junctions_that_is_too_short_for_them():
    """The tail of a car that waits there would stand in the way of the junction behind it."""
    ring = Street(
        "street", 10.0, ((-50.0, -50.0), (50.0, -50.0), (50.0, 50.0), (-50.0, 50.0),
                         (-50.0, -50.0)), 2.0, 2,
    )  # fmt: skip
    arms = [((-50.0, 0.0), (50.0, 0.0)), ((-6.0, -50.0), (-6.0, 0.0)), ((6.0, 50.0), (6.0, 0.0))]
    streets = (ring, *(Street("street", 10.0, line, 2.0, 2) for line in arms))
    network = lane_network(crossing(streets=streets, buildings=()), ())
    assert min(lane.stop_m for lane in network.lanes) > 5.0
    over_both = [
        turn
        for lane in network.lanes
        for turn in lane.turns
        if network.lanes[turn.to_lane].start_junction != lane.junction
    ]
    straight = [t for t in over_both if abs(t.line_m[0][0] - t.line_m[-1][0]) > 15.0]
    assert len(straight) == 4  # north, south, and from either arm to the other
    for turn in over_both:
        gaps = [math.dist(a[:2], b[:2]) for a, b in zip(turn.line_m, turn.line_m[1:], strict=False)]
        assert max(gaps) < 6.0


def test_traffic_keeps_to_the_right():
    ring = Street("street", 10.0, ((-40.0, -40.0), (40.0, -40.0), (40.0, 40.0), (-40.0, 40.0),
                                   (-40.0, -40.0)), 2.0, 2)  # fmt: skip
    network = lane_network(crossing(streets=(ring,), buildings=()), ())
    north = [
        lane.line_m[i]
        for lane in network.lanes
        for i in range(len(lane.line_m) - 1)
        if lane.line_m[i + 1][0] - lane.line_m[i][0] > 10.0 and lane.line_m[i][1] < 0.0
    ]
    assert north and all(-40.0 < east < -37.0 for _, east, _ in north)


def test_short_street_whose_ends_fall_into_one_junction_has_no_lane():
    """Its ends are farther apart than a junction is wide, and joined by the ends of others."""
    lines = [((0.0, 0.0), (2.0, 0.0)), ((0.0, 0.75), (-40.0, 40.0)), ((0.7, 0.8), (0.0, 40.0)),
             ((1.4, 0.8), (40.0, 40.0)), ((2.0, 0.75), (45.0, 30.0)),
             ((-40.0, 40.0), (0.0, 40.0), (40.0, 40.0), (45.0, 30.0))]  # fmt: skip
    streets = tuple(Street("street", 9.0, line, 1.5, 2) for line in lines)
    world = crossing(streets=streets, buildings=())
    graph = street_graph(world)
    assert all(line.length > 1.0 for *_, line in graph.edges(data="line"))
    assert nx.is_connected(graph)
    assert lane_network(world, ()).lanes


def test_streets_that_are_shorter_than_wide_or_bend_sharply_do_no_harm():
    lines = [((0.0, 0.0), (0.4, 0.0), (0.0, 0.3)), ((20.0, 0.0), (26.0, 0.0), (20.0, 0.5)),
             ((-20.0, 0.0), (-20.1, 0.0))]  # fmt: skip
    streets = [Street("street", 10.0, line, 2.0, 2) for line in lines]
    streets += [Street("bridge", 6.0, line, 1.5, 1, (0.1,) * len(line)) for line in lines]
    world = crossing(streets=tuple(streets), buildings=())
    walk = walk_graph(world)
    assert np.isfinite(walk.places_m).all()
    assert all(lane.turns for lane in lane_network(world, walk.crosswalks).lanes)
    assert flyable_area(world).is_valid
    assert solids_of(world)


def test_dead_ends_have_lanes_only_where_there_is_nothing_else():
    stub = Street("street", 10.0, ((40.0, 0.0), (58.0, 0.0)), 2.0, 2)
    ring = Street("street", 10.0, ((-40.0, -40.0), (40.0, -40.0), (40.0, 40.0), (-40.0, 40.0),
                                   (-40.0, -40.0)), 2.0, 2)  # fmt: skip
    both = lane_network(crossing(streets=(ring, stub), buildings=()), ())
    assert all(1 not in lane.streets for lane in both.lanes)
    alone = lane_network(crossing(streets=(stub,), buildings=()), ())
    assert [len(lane.turns) for lane in alone.lanes] == [1, 1]  # they turn round at the ends


def test_one_way_street_has_one_lane_in_its_direction():
    sides = [((-40.0, -40.0), (40.0, -40.0)), ((40.0, -40.0), (40.0, 40.0)),
             ((40.0, 40.0), (-40.0, 40.0)), ((-40.0, 40.0), (-40.0, -40.0))]  # fmt: skip
    streets = tuple(Street("street", 8.0, line, 2.0, lanes=1) for line in sides)
    network = lane_network(crossing(streets=streets, buildings=()), ())
    assert len(network.lanes) == 1
    first, second = network.lanes[0].line_m[:2]
    assert first[1] == pytest.approx(-40.0, abs=1.0)
    assert second[0] > first[0]


def test_one_way_street_has_its_direction_between_all_of_its_junctions():
    """A round of one-way traffic, entered at four places; and a street with many crossings."""
    corners = [(math.cos(i * math.pi / 8), math.sin(i * math.pi / 8)) for i in range(17)]
    around = tuple((20.0 * n, 20.0 * e) for n, e in corners)
    ring = Street("street", 8.0, around, 1.0, lanes=1)
    arms = [Street("street", 8.0, ((20.0 * n, 20.0 * e), (90.0 * n, 90.0 * e)), 1.0, 2)
            for n, e in corners[:-1:4]]  # fmt: skip
    far = Street("street", 8.0, tuple((90.0 * n, 90.0 * e) for n, e in corners), 1.0, 2)
    network = lane_network(crossing(streets=(ring, *arms, far), buildings=()), ())
    on_ring = [lane.line_m for lane in network.lanes if lane.streets == (0,)]
    assert len(on_ring) == 4
    for line in on_ring:
        (n0, e0, _), (n1, e1, _) = line[0], line[-1]
        assert n0 * e1 - e0 * n1 > 0.0  # from north to east, as the line of the street
    through = Street("street", 8.0, ((-90.0, 0.0), (90.0, 0.0)), 1.0, lanes=1)
    sides = [Street("street", 8.0, ((-90.0, e), (90.0, e)), 1.0, 2) for e in (-60.0, 60.0)]
    rungs = [Street("street", 8.0, ((n, -60.0), (n, 60.0)), 1.0, 2)
             for n in (-90.0, -60.0, -30.0, 30.0, 60.0, 90.0)]  # fmt: skip
    network = lane_network(crossing(streets=(through, *sides, *rungs), buildings=()), ())
    along = [lane.line_m for lane in network.lanes if lane.streets == (0,)]
    assert len(along) == 5
    assert all(line[-1][0] > line[0][0] for line in along)


def _town(blocks):
    """A grid of streets, each fourth row one-way, and a crosswalk on each block of the rows."""
    places_m = [60.0 * i for i in range(blocks + 1)]
    rows = [
        Street("street", 8.0, ((north, west), (north, west + 60.0)), 1.0, 1 if i % 4 == 1 else 2)
        for i, north in enumerate(places_m)
        for west in places_m[:-1]
    ]
    columns = [
        Street("street", 8.0, ((south, east), (south + 60.0, east)), 1.0, 2)
        for south in places_m[:-1]
        for east in places_m
    ]
    crosswalks = [
        Crosswalk(((north - 4.0, west + 30.0), (north + 4.0, west + 30.0)), i, (north, west + 30.0))
        for i, ((north, west), _) in enumerate(street.line_m for street in rows)
    ]
    return crossing(streets=(*rows, *columns), buildings=()), crosswalks


def test_lanes_of_a_town_are_compared_with_those_of_the_same_junction_only(monkeypatch):
    """With all pairs, 5,800 lanes took 10 s of processor time."""
    compared = []
    leads_on = lanes_module._leads_on
    monkeypatch.setattr(
        lanes_module, "_leads_on", lambda *pair: compared.append(pair) or leads_on(*pair)
    )
    network = lane_network(*_town(8))
    assert len(network.lanes) > 200
    assert len(compared) < 20 * len(network.lanes)


def test_lanes_of_a_town_are_those_of_the_comparison_of_all_pairs(monkeypatch):
    world, crosswalks = _town(5)
    network = lane_network(world, crosswalks)
    assert any(lane.crosswalks for lane in network.lanes)

    def all_of(keys):
        return dict.fromkeys(range(1000), range(len(list(keys))))

    def all_on(streets, of_street):
        return [n for n, crosswalk in enumerate(crosswalks) if crosswalk.street in streets]

    monkeypatch.setattr(lanes_module, "_numbers_by", all_of)
    monkeypatch.setattr(lanes_module, "_numbers_on", all_on)
    assert lane_network(world, crosswalks) == network


def test_world_without_streets_for_cars_has_no_lanes():
    footpath = Street("footpath", 3.0, ((-40.0, 0.0), (40.0, 0.0)))
    one_way_out = Street("street", 8.0, ((0.0, 0.0), (40.0, 0.0)), 1.0, lanes=1)
    for streets in ((), (footpath,), (one_way_out,)):
        assert lane_network(crossing(streets=streets, buildings=()), ()).lanes == ()


def test_footbridge_that_ends_away_from_all_ways_is_left_out_of_the_walk_graph():
    bridge = Street("bridge", 3.0, ((-40.0, 40.0), (-20.0, 40.0)), heights_m=(0.0, 0.0))
    walk = walk_graph(crossing(streets=(*crossing().streets, bridge), buildings=()))
    assert len(walk.places_m) == len(walk_graph(crossing(buildings=())).places_m)
    alone = walk_graph(crossing(streets=(bridge,), buildings=()))
    assert np.all(alone.places_m[:, 1] > 30.0)


def test_lane_knows_where_it_crosses_a_crosswalk():
    world = crossing()
    walk = walk_graph(world)
    corners = ((-50.0, -50.0), (50.0, -50.0), (50.0, 50.0), (-50.0, 50.0), (-50.0, -50.0))
    ring = (*world.streets, Street("street", 10.0, corners, 2.0, 2))
    network = lane_network(crossing(streets=ring), walk.crosswalks)
    crossed = [c for lane in network.lanes for c in lane.crosswalks]
    assert {number for *_, number in crossed} == {0, 1, 2, 3}
    assert all(end - start == pytest.approx(3.0, abs=0.2) for start, end, _ in crossed)
    line = LineString([(-50.0, 1.5), (50.0, 1.5)])
    assert crossed_at(LineString([(99.0, 0.0), (99.0, 9.0)]), walk.crosswalks[0]) is None
    assert sum(crossed_at(line, c) is not None for c in walk.crosswalks) == 2


def test_lanes_on_a_slope_have_the_height_of_the_ground():
    terrain = Terrain(-60.0, -60.0, 120.0, ((0.0, 0.0), (12.0, 12.0)))
    network = lane_network(crossing(terrain=terrain), ())
    for lane in network.lanes:
        for north, _, height in lane.line_m:
            assert height == pytest.approx((north + 60.0) / 10.0, abs=0.01)


@each
def test_flyable_area_keeps_its_distance_from_obstacles(kind):
    area = flyable(kind)
    assert area.is_valid and area.area > 1500.0
    assert shapely.union_all(walls(small(kind))).distance(area) > CLEARANCE_M - 0.15


def test_flyable_area_leaves_out_yards_that_cannot_be_reached():
    yard = Area("yard", square(20.0, 20.0, 5.0))
    area = flyable_area(crossing(areas=(yard,), buildings=()))
    assert area.covers(Point(0.0, 0.0))
    assert not area.covers(Point(20.0, 20.0))
    tall = crossing(trees=(Tree((0.0, 20.0), 8.0, 6.0),), buildings=())
    assert not flyable_area(tall).covers(Point(0.0, 40.0))
    assert flyable_area(crossing(streets=())).is_empty


@pytest.mark.parametrize(("apart_m", "is_joined"), [(13.5, True), (14.5, False)])
def test_narrow_gap_between_two_paths_is_flown_over(apart_m, is_joined):
    """Beside a viaduct with the hero on it, a vehicle flew a hundred metres around 0.2 m."""
    paths = [Street("footpath", 3.0, ((-40.0, e), (40.0, e))) for e in (0.0, apart_m)]
    across = Street("footpath", 3.0, ((-40.0, 0.0), (-40.0, apart_m)))
    world = crossing(streets=(*paths, across), buildings=(), start_m=(-20.0, 0.0))
    area = flyable_area(world, over_lawns=False)
    assert area.covers(LineString([(20.0, 0.0), (20.0, apart_m)])) == is_joined


@pytest.mark.parametrize("height_m", [2.0, 7.0])
def test_deck_is_no_obstacle_for_a_vehicle_which_flies_above_or_below(height_m):
    line_m = ((30.0, -25.0), (30.0, 25.0))
    bridge = Street("bridge", 6.0, line_m, heights_m=(height_m, height_m), thickness_m=1.0)
    pillars = replace(bridge, supports_m=((30.0, 0.0),))
    free, held = (
        flyable_area(crossing(streets=(*crossing().streets, s), buildings=()))
        for s in (bridge, pillars)
    )
    assert free.covers(Point(30.0, 0.0))
    assert not held.intersects(Point(30.0, 0.0).buffer(1.5))
    assert not free.covers(Point(30.0, 20.0)), "from wall to wall: nobody gets onto it"
    ramp = replace(bridge, heights_m=(0.0, height_m, 0.0), line_m=(*line_m, (50.0, 25.0)))
    reached = flyable_area(crossing(streets=(*crossing().streets, ramp), buildings=()))
    assert reached.covers(Point(30.0, 20.0))


@pytest.mark.parametrize("extra_m", [0.1, -0.1])
def test_vehicle_passes_below_a_house_only_if_the_passage_is_high_enough(extra_m):
    outline_m = ((27.0, -25.0), (33.0, -25.0), (33.0, 25.0), (27.0, 25.0))
    house = Building(outline_m, 9.5, base_m=PASSAGE_M + extra_m)
    world = crossing(buildings=(house,))
    (passage,) = passages(world)
    assert passage.can_be_passed == (extra_m > 0.0)
    assert passage.underside_m == pytest.approx(house.base_m)
    assert flyable_area(world).covers(Point(30.0, 0.0)) == passage.can_be_passed


@each
def test_convex_parts_of_all_buildings_fill_them_exactly(kind):
    for building in small(kind).buildings[:60]:
        shape = polygon_of(building)
        parts = [Polygon(ring) for ring in convex_parts(shape)]
        assert sum(p.area for p in parts) == pytest.approx(shape.area, rel=1e-6, abs=1e-3)
        assert shapely.union_all(parts).symmetric_difference(shape).area < 1e-3
        assert all(p.convex_hull.area - p.area < 1e-4 for p in parts)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 14))
def test_triangles_and_convex_parts_cover_any_polygon_with_a_hole(seed, corners):
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.uniform(0, 2 * math.pi, corners)) + np.linspace(0, 1e-3, corners)
    reach = rng.uniform(5.0, 12.0, corners)
    ring = np.stack((reach * np.cos(angles), reach * np.sin(angles)), axis=1)
    shape = Polygon(ring)
    hole = shape.buffer(-2.0)
    if not shape.is_valid or shape.area < 1.0:
        return
    if isinstance(hole, Polygon) and not hole.is_empty:
        shape = shape.difference(hole)
    points, triangles = triangles_of(shape)
    area = sum(Polygon(points[t]).area for t in triangles)
    assert area == pytest.approx(shape.area, rel=1e-6)
    parts = [Polygon(r) for r in convex_parts(shape)]
    assert sum(p.area for p in parts) == pytest.approx(shape.area, rel=1e-6)
    assert len(parts) <= len(triangles)


def test_convex_polygon_is_one_part_and_a_corner_makes_two():
    assert len(convex_parts(Polygon(square(0.0, 0.0, 2.0)))) == 1
    corner = Polygon([(0, 0), (4, 0), (4, 1), (1, 1), (1, 4), (0, 4)])
    assert len(convex_parts(corner)) == 2


def test_solids_of_a_slope_stand_in_the_ground_and_keep_their_height():
    terrain = Terrain(-60.0, -60.0, 120.0, ((0.0, 0.0), (12.0, 12.0)))
    world = crossing(terrain=terrain, trees=(Tree((30.0, 0.0), 8.0, 2.0),))
    solids = solids_of(world)
    house = next(s for s in solids if s.name == "building_0")
    assert isinstance(house, ConvexPart)
    ground = [(n + 60.0) / 10.0 for n, _ in world.buildings[0].outline_m]
    assert max(house.bottoms_m) < min(ground)
    assert set(house.tops_m) == {max(ground) + 9.0}
    trunk, crown = (next(s for s in solids if s.name == f"tree_0_{part}")
                    for part in ("trunk", "crown"))  # fmt: skip
    assert isinstance(trunk, Pillar)
    assert (trunk.bottom_m, crown.top_m) == pytest.approx((9.0, 17.0))
    assert trunk.top_m == crown.bottom_m


def test_deck_is_a_solid_at_its_height_with_pillars_below():
    road = Street("elevated_road", 8.0, ((-50.0, 0.0), (50.0, 0.0)), 0.0, 2, (6.0, 8.0), 1.0, 1.1,
                  ((0.0, 0.0),), 0.5)  # fmt: skip
    deck, pillar = solids_of(crossing(streets=(road,), buildings=()))
    assert deck.bottoms_m == (5.0, 7.0, 7.0, 5.0)
    assert deck.tops_m == pytest.approx((7.1, 9.1, 9.1, 7.1))
    assert (pillar.bottoms_m[0], pillar.tops_m[0]) == (0.0, pytest.approx(6.0))


def test_barrier_on_a_slope_follows_the_ground_as_one_object():
    """As one solid it would be as high everywhere as at its upper end."""
    terrain = Terrain(-60.0, -60.0, 120.0, ((0.0, 0.0), (12.0, 12.0)))
    line = ((-50.0, 0.0), (0.0, 0.0), (50.0, 30.0))
    barriers = (Barrier("wall", line, 1.5, 0.6), Barrier("hedge", line[1:], 1.4))
    world = crossing(terrain=terrain, streets=(), buildings=(), barriers=barriers)
    walls = [s for s in solids_of(world) if s.name == "barrier_0"]
    assert len(walls) > 35
    for wall in walls:
        ground = [(north + 60.0) / 10.0 for north, _ in wall.ring_m]
        assert max(wall.bottoms_m) < min(ground)
        assert max(wall.tops_m) <= min(ground) + 1.5 + 0.4
    whole = barrier_polygon(barriers[0])
    covered = shapely.union_all([Polygon(wall.ring_m) for wall in walls], grid_size=1e-6)
    assert covered.symmetric_difference(whole).area < 1e-3
    names = [solid.name for solid in WorldPlace(world, 1).objects]
    assert names == ["barrier_0", "barrier_1"]
    level = solids_of(crossing(streets=(), buildings=(), barriers=barriers[1:]))
    assert len(level) == 1


def test_low_tree_with_a_wide_crown_has_a_trunk_above_the_ground():
    trunk, crown = solids_of(crossing(streets=(), buildings=(), trees=(Tree((0.0, 9.0), 2.5),)))
    assert trunk.top_m == crown.bottom_m == pytest.approx(0.1)
    assert crown_bottom_m(layout.Tree(0.0, 9.0, 2.5, 2.5, "green")) == pytest.approx(0.1)


def test_solids_of_the_grid_are_the_colliders_of_the_city():
    """Names and sizes, so that collisions keep their names."""
    from followme_uav.sim.city.world import make_city

    solids = solids_of(made("grid", 1))
    names = {s.name for s in solids}
    for collider in make_city(1).colliders:
        if collider.name.startswith("highway"):
            continue
        assert collider.name in names
        solid = next(s for s in solids if s.name == collider.name)
        _, _, down = collider.centre_m
        top = solid.top_m if isinstance(solid, Pillar) else solid.tops_m[0]
        bottom = solid.bottom_m if isinstance(solid, Pillar) else solid.bottoms_m[0]
        assert (bottom, top) == pytest.approx(
            (-down - collider.half_size_m[2], -down + collider.half_size_m[2]), abs=1e-9
        )
        if isinstance(solid, Pillar):
            assert (*solid.at_m, solid.radius_m) == (
                *collider.centre_m[:2],
                collider.half_size_m[0],
            )
        else:
            middle = Polygon(solid.ring_m).centroid
            assert (middle.x, middle.y) == pytest.approx(collider.centre_m[:2], abs=1e-6)
            area = 4.0 * collider.half_size_m[0] * collider.half_size_m[1]
            assert Polygon(solid.ring_m).area == pytest.approx(area, rel=1e-9)
