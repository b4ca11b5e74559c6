"""People and cars of any world: they keep off walls, off each other, and get on."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import shapely
from shapely.ops import substring

from followme_uav.errors import ConfigError
from followme_uav.scenario.script.world_ways import WorldWays
from followme_uav.sim.agents.car_clearance import clearance_m, free_way_m, would_touch
from followme_uav.sim.agents.crosswalks import Crosswalks
from followme_uav.sim.agents.driver import hits
from followme_uav.sim.agents.lane_driver import LaneDriver
from followme_uav.sim.agents.lane_paths import CarPath, LanePath
from followme_uav.sim.agents.people import Crowd
from followme_uav.sim.agents.routes import Route, check_route
from followme_uav.sim.agents.traffic_of import traffic_of
from followme_uav.sim.agents.walkways_of import walkways_of
from followme_uav.sim.agents.world_traffic import WorldTraffic
from followme_uav.sim.agents.world_walkways import WorldWalkways
from followme_uav.sim.city.layout import CARRIAGEWAY_HALF_WIDTH_M
from followme_uav.sim.city.world_place import WorldPlace
from followme_uav.sim.places import load_place
from followme_uav.worlds.shapes import box_of, polygon_of
from followme_uav.worlds.world import Area, Building, ParkedCar, Street, Terrain
from tests.unit.world_parts import crossing, square

_HOUSES = tuple(square(n, e, 8.0) for n in (-20.0, 20.0) for e in (-20.0, 20.0))


def _blocks(**changes):
    """Four crossings, so that cars can drive around blocks."""
    lines = [((c, -50.0), (c, 50.0)) for c in (-40.0, 40.0)]
    lines += [((-50.0, c), (50.0, c)) for c in (-40.0, 40.0)]
    streets = tuple(Street("street", 10.0, line, 2.0, 2) for line in lines)
    houses = tuple(Building(ring, 9.0, 3) for ring in _HOUSES)
    alley = Street("alley", 3.0, ((-36.0, 0.0), (36.0, 0.0)))
    return crossing(streets=(*streets, alley), buildings=houses, **changes)


def _walk(place, seconds, people=12, cars=4):
    """Yield crowd and traffic after every second."""
    crowd, traffic = Crowd(place, 3, people), traffic_of(place, 3, cars)
    traffic.reset(crowd.in_the_road_m)
    for step in range(20 * seconds):
        crowd.advance(0.05, traffic)
        traffic.advance(0.05, crowd.in_the_road_m, crowd.crosswalks_in_use)
        if step % 20 == 19:
            yield crowd, traffic


def test_nobody_is_inside_a_wall_a_person_or_a_car_and_all_get_on():
    place = WorldPlace(_blocks(), 3)
    walls = shapely.union_all([polygon_of(b) for b in place.world.buildings])
    first, still, cars_still = None, np.zeros(13), np.zeros(4)
    driven = 0.0
    for crowd, traffic in _walk(place, 90):
        feet = crowd.feet_m[:, :2]
        assert shapely.distance(shapely.points(feet), walls).min() > 0.28
        gaps = np.hypot(*(feet[:, None] - feet).transpose(2, 0, 1)) + 9.0 * np.eye(len(feet))
        assert gaps.min() > 0.4
        assert not any(hits(pose, [tuple(f) for f in feet.tolist()]) for pose in traffic.poses)
        assert len(traffic.cars) == 4
        poses = np.array(traffic.poses)[:, :2]
        if first is not None:
            grouped = {i for group in crowd.groups for i in group}
            moved = np.hypot(*(feet - first[0]).T) > 0.3
            moved[list(grouped)] = True
            still = np.where(moved, 0.0, still + 1.0)
            rolled = np.hypot(*(poses - first[1]).T)
            driven += float(rolled.sum())
            cars_still = np.where(rolled > 0.2, 0.0, cars_still + 1.0)
            assert still.max() < 60.0
            assert cars_still.max() < 60.0
        first = feet, poses
    assert driven > 4 * 90 * 1.5


def test_equal_seeds_give_equal_walks_and_drives():
    def end():
        for last in _walk(WorldPlace(_blocks(), 3), 8):
            crowd, traffic = last
        return crowd.feet_m, np.array(traffic.poses)

    for one, other in zip(end(), end(), strict=True):
        assert np.array_equal(one, other)


def test_cars_stay_on_carriageways_and_follow_the_heights_of_the_ground():
    slope = Terrain(-60.0, -60.0, 60.0, ((0.0,) * 3, (6.0,) * 3, (12.0,) * 3))
    place = WorldPlace(_blocks(terrain=slope), 3)
    roads = shapely.union_all(
        [shapely.LineString(s.line_m).buffer(3.0) for s in place.world.streets if s.lanes]
    )
    for _, traffic in _walk(place, 20, people=0):
        for car in traffic.cars:
            assert roads.buffer(0.3).covers(shapely.Point(car.north_m, car.east_m))
            expected_m = place.floor_height_m(car.north_m, car.east_m)
            assert car.up_m == pytest.approx(expected_m, abs=0.05)
            assert car.pitch_rad == pytest.approx(0.1 * math.cos(car.yaw_rad), abs=0.03)


def test_people_walk_on_footbridges_and_on_the_ground_below():
    paths = (
        Street("footpath", 3.0, ((-40.0, 0.0), (-10.0, 0.0))),
        Street("bridge", 3.0, ((-10.0, 0.0), (10.0, 0.0)), heights_m=(0.5, 0.5)),
        Street("footpath", 3.0, ((10.0, 0.0), (40.0, 0.0))),
    )
    river = Area("water", ((-8.0, -50.0), (8.0, -50.0), (8.0, 50.0), (-8.0, 50.0)))
    world = crossing(streets=paths, areas=(river,), buildings=(), start_m=(-20.0, 0.0))
    walkways, goals = walkways_of(WorldPlace(world, 1))
    places = goals.graph.places_m
    middle = int(np.argmin(np.hypot(*places.T)))
    here = places[middle][None]
    ways = np.array([goals.graph.neighbours[middle][0]]), np.array([middle])
    assert walkways.feet_down_m(here, np.zeros(0, int), ways)[0] == pytest.approx(-0.5)
    after = here.copy()
    walkways.keep_out(here, after)
    assert np.array_equal(after, here)
    wet = np.array([[0.0, 20.0]])
    walkways.keep_out(np.array([[-9.0, 20.0]]), wet)
    assert abs(wet[0, 0]) > 8.0


def _over_and_below(height_m=6.0):
    """A footpath that leads below a footbridge, whose ramps begin on two other paths."""
    line_m = ((0.0, -40.0), (0.0, -20.0), (0.0, 20.0), (0.0, 40.0))
    bridge = Street("bridge", 3.0, line_m, heights_m=(0.0, height_m, height_m, 0.0))
    ends = [Street("footpath", 3.0, ((-40.0, e), (40.0, e))) for e in (-40.0, 40.0)]
    below = [Street("footpath", 3.0, ((n, -50.0), (n, 50.0))) for n in (-40.0, 40.0)]
    below.append(Street("footpath", 3.0, ((-40.0, 0.0), (40.0, 0.0))))
    return WorldPlace(
        crossing(streets=(bridge, *ends, *below), buildings=(), start_m=(-20.0, 0.0)), 3
    )


@pytest.mark.parametrize("route_m", [((-20.0, 0.0), (20.0, 0.0)), ((0.0, -15.0), (0.0, 15.0))])
@pytest.mark.parametrize("seed", range(4))
def test_people_with_routes_walk_on_the_ground(seed, route_m):
    """They kept the height of the way drawn before: in the air, for minutes."""
    crowd = Crowd(_over_and_below(), seed, 0, Route(route_m, ((0.0, 3.0),)))
    for step in range(400):
        crowd.advance(0.05)
        if step == 200:
            crowd.place(0, 0.0, 0.5, 0.0)
        assert crowd.feet_m[0][2] == pytest.approx(0.0)
    assert crowd.feet_m[0][:2].tolist() == pytest.approx(route_m[-1], abs=1.0)


_RING = ((-40.0, -40.0), (40.0, -40.0), (40.0, 40.0), (-40.0, 40.0), (-40.0, -40.0))


def _raised_ring(height_m):
    """A road on a deck around the place, with pavements."""
    heights_m = (height_m,) * len(_RING)
    deck = Street("elevated_road", 10.0, _RING, 2.0, 2, heights_m)
    path = Street("footpath", 6.0, ((-20.0, 0.0), (20.0, 0.0)))
    return WorldPlace(crossing(streets=(deck, path), buildings=()), 3)


@pytest.mark.parametrize(("height_m", "stops"), [(6.0, True), (0.0, False)])
def test_cars_on_a_deck_stop_for_people_on_it_and_not_for_those_below(height_m, stops):
    traffic = WorldTraffic(_raised_ring(6.0), 3, 4)
    assert {round(car.up_m, 1) for car in traffic.cars} == {6.0}
    person = (*_on_a_lane(traffic), height_m)
    traffic.reset([person])
    nearest_m = math.inf
    for _ in range(20 * 60):
        traffic.advance(0.05, [person])
        nearest_m = min(nearest_m, *(clearance_m(pose, person) for pose in traffic.poses))
    assert (nearest_m > 0.33) == stops
    assert (min(traffic.speeds_mps) == 0.0) == stops


def _on_a_lane(traffic):
    """The place of a car after a while: another one comes there."""
    for _ in range(200):
        traffic.advance(0.05)
    return traffic.poses[0][:2]


ON_THE_PAVEMENT_M = (20.0, 4.0)


@pytest.mark.parametrize("seed", range(5))
def test_nobody_starts_at_the_vehicle(seed):
    """Somebody walked into a vehicle on the ground in the first frame of a flight."""
    place = WorldPlace(crossing(buildings=(), start_m=ON_THE_PAVEMENT_M), seed)
    feet_m = Crowd(place, seed, 60).feet_m
    away_m = np.hypot(*(feet_m[:, :2] - place.start_m).T)
    assert away_m.min() >= 3.0


def test_no_route_begins_at_the_vehicle():
    place = WorldPlace(crossing(buildings=(), start_m=ON_THE_PAVEMENT_M), 1)
    ways, rng = WorldWays(place), np.random.default_rng(1)
    routes = [ways.draw(rng) for _ in range(300)]
    assert any(not route for route in routes), "one would have begun there"
    assert all(math.dist(route[0], place.start_m) > 3.0 for route in routes if route)


def test_somebody_stuck_behind_a_car_goes_to_a_place_on_the_same_side():
    """Turned back to and fro between two places behind the car, a person stood for minutes."""
    car = ParkedCar((6.5, 30.0), yaw_rad=math.pi / 2.0)
    place = WorldPlace(crossing(parked_cars=(car,)), 3)
    walkways, goals = walkways_of(place)
    goals.reset(1, np.random.default_rng(1), Crosswalks(1, walkways))
    places_m, box = goals.graph.places_m, box_of(car)
    spot = np.array([8.2, 30.0])
    behind = next(
        number
        for number in np.argsort(np.hypot(*(places_m - spot).T)).tolist()
        if shapely.LineString([spot, places_m[number]]).intersects(box)
    )
    goals.head_for(0, behind)
    for _ in range(2):
        goals.turn_back(0, spot)
    (ahead,) = goals.ways[1].tolist()
    assert shapely.LineString([spot, places_m[ahead]]).distance(box) >= 0.28


@pytest.mark.parametrize("is_above", [True, False])
def test_somebody_stuck_at_a_bridge_stays_on_that_level(is_above):
    walkways, goals = walkways_of(_over_and_below())
    goals.reset(1, np.random.default_rng(1), Crosswalks(1, walkways))
    spot, is_deck = np.array([0.4, 0.4]), walkways._is_deck
    away_m = np.hypot(*(goals.graph.places_m - spot).T)
    same_level = is_deck if is_above else ~is_deck
    goals.head_for(0, int(np.argmin(np.where(same_level, away_m, math.inf))))
    for _ in range(2):
        goals.turn_back(0, spot)
    (ahead,) = goals.ways[1].tolist()
    assert is_deck[ahead] == is_above


def test_kerbs_of_decks_hold_back_people_on_them_and_not_those_below():
    place = _raised_ring(6.0)
    walkways = WorldWalkways(place)
    at = np.array([[0.0, -37.4]])  # on the carriageway, or below it
    walkways._is_deck[:2] = True
    walkways._heights_m[:2] = 6.0
    on_deck, below = (np.array([0]), np.array([1])), (np.array([2]), np.array([3]))
    assert walkways.road_gaps_m(at, on_deck)[0] == CARRIAGEWAY_HALF_WIDTH_M
    assert walkways.road_gaps_m(at, below)[0] > CARRIAGEWAY_HALF_WIDTH_M + 7.0
    assert walkways.road_gaps_m(at)[0] == CARRIAGEWAY_HALF_WIDTH_M  # nobody starts below a deck


def test_cars_look_where_their_corners_sweep_in_a_bend():
    """In a narrow bend the inner side of a car comes nearer than the strip of its width."""
    bend = [(8.0 * math.sin(a), 8.0 - 8.0 * math.cos(a), 0.0) for a in np.linspace(0, 1.57, 30)]
    path = CarPath([(-20.0, 0.0, 0.0), *bend])
    lane = LanePath(path, path.length_m, (), (), (6.0,) * 30)
    driver = LaneDriver((lane,), (0.1, 0.1, 0.1), 6.0, 0, 10.0, 0)
    inside, outside = (4.7, 3.3, 0.0), (0.0, 6.5, 0.0)
    assert free_way_m(driver, 20.0, [outside]) == 20.0
    free_m = free_way_m(driver, 20.0, [inside])
    assert 10.0 < free_m < 20.0
    assert clearance_m(driver.pose(free_m), inside) > 0.35
    assert not would_touch(driver, free_m, [inside])
    assert free_way_m(driver, 20.0, [(*inside[:2], 4.0)]) == 20.0


def test_car_drives_on_beside_a_person_who_is_near_already():
    """A car that waits for a person who waits for the car would stand for ever."""
    path = CarPath([(0.0, 0.0, 0.0), (60.0, 0.0, 0.0)])
    lane = LanePath(path, 60.0, (), (), (6.0,) * 31)
    driver = LaneDriver((lane,), (0.1, 0.1, 0.1), 6.0, 0, 20.0, 0)
    beside, ahead = (20.0, 1.2, 0.0), (26.0, 1.2, 0.0)
    assert free_way_m(driver, 12.0, [beside]) == 12.0
    assert not would_touch(driver, 0.1, [beside])
    assert free_way_m(driver, 12.0, [ahead]) < 4.0
    assert would_touch(driver, 4.0, [ahead])


def test_world_without_ways_is_refused_with_one_line():
    world = crossing(streets=(), areas=(), buildings=())
    with pytest.raises(ConfigError, match="no way for people"):
        walkways_of(WorldPlace(world, 1))


def test_world_without_lanes_has_no_cars():
    """A square without streets, and one with a street that no car can leave."""
    stub = Street("street", 8.0, ((0.0, 0.0), (40.0, 0.0)), 1.0, lanes=1)
    for streets in ((), (stub,)):
        place = WorldPlace(crossing(streets=streets, buildings=()), 1)
        assert traffic_of(place, 1, 4).cars == ()


def test_route_is_checked_against_polygons_and_the_bounds_of_the_world():
    l_shape = ((10.0, 10.0), (30.0, 10.0), (30.0, 18.0), (18.0, 18.0), (18.0, 30.0), (10.0, 30.0))
    place = WorldPlace(crossing(buildings=(Building(l_shape, 9.0, 3),)), 1)
    check_route(Route(((28.0, 28.0), (22.0, 28.0))), place)  # in the notch of the L
    with pytest.raises(ConfigError, match="building_0"):
        check_route(Route(((28.0, 28.0), (14.0, 28.0))), place)
    with pytest.raises(ConfigError, match="outside"):
        check_route(Route(((0.0, 70.0),)), place)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cars_keep_apart_around_sharp_bends(seed):
    """The road between two cars around a bend is longer than the way from one to the other."""
    corners = ((-40.0, 0.0), (40.0, 0.0), (40.0, 12.0), (-40.0, 12.0), (-40.0, 0.0))
    road = Street("street", 4.0, corners, 0.0, 1)
    path = Street("footpath", 2.0, ((-20.0, -8.0), (20.0, -8.0)))
    traffic = WorldTraffic(WorldPlace(crossing(streets=(road, path), buildings=()), 3), seed, 8)
    least_m = math.inf
    for _ in range(20 * 90):
        traffic.advance(0.05)
        outlines = [outline_of(car) for car in traffic.cars]
        pairs = itertools.combinations(outlines, 2)
        least_m = min(least_m, *(one.distance(other) for one, other in pairs))
    assert least_m > 1.5


def test_waiting_cars_stand_clear_of_those_on_the_turns_of_others():
    """At a sharp corner of this world, cars touched one that waited."""
    lanes = load_place("hills", 4010).lane_network.lanes
    lines = [shapely.LineString([place[:2] for place in lane.line_m]) for lane in lanes]
    for number, lane in enumerate(lanes):
        waiting = substring(lines[number], max(lane.stop_m - 4.3, 0.0), lane.stop_m)
        for other in lanes[:number] + lanes[number + 1 :]:
            for turn in other.turns if other.junction == lane.junction else ():
                on_turn = shapely.LineString([place[:2] for place in turn.line_m])
                way = on_turn.union(substring(lines[turn.to_lane], 0.0, 4.3))
                outline = way.buffer(0.9, cap_style="flat")
                assert outline.distance(waiting.buffer(0.9, cap_style="flat")) > 0.09


def outline_of(car):
    """The outline of a car, seen from above."""
    along = np.array([math.cos(car.yaw_rad), math.sin(car.yaw_rad)]) * car.length_m / 2.0
    here = np.array([car.north_m, car.east_m])
    return shapely.LineString([here - along, here + along]).buffer(
        car.width_m / 2, cap_style="flat"
    )
