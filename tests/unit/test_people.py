"""The crowd: deterministic, at human speeds, without collisions."""

import math

import numpy as np
import pytest

from followme_uav.sim.agents.gait import HIP_M, stride_m, swing_rad
from followme_uav.sim.agents.ground_contact import VEHICLE_RADIUS_M, keep_off_vehicle
from followme_uav.sim.agents.people import Crowd
from followme_uav.sim.agents.routes import Route
from followme_uav.sim.agents.traffic import Traffic
from followme_uav.sim.agents.walk_graph import CROSSWALKS, walk_graph
from followme_uav.sim.city import layout
from followme_uav.sim.city.world import make_city
from followme_uav.sim.simulation import Simulation

pytestmark = pytest.mark.slow

CITY = make_city(4)
DT_S = 0.05


def _walk(crowd: Crowd, seconds: float) -> list:
    history = []
    for _ in range(round(seconds / DT_S)):
        crowd.advance(DT_S)
        history.append(crowd.people)
    return history


def test_equal_seeds_give_equal_walks_and_reset_returns_to_the_start():
    """A replayed or reset flight needs the same people in the same places."""
    first, second = Crowd(CITY, 9), Crowd(CITY, 9)
    start = first.people
    walk = _walk(first, 20.0)
    assert walk == _walk(second, 20.0)
    assert walk[-1] != start
    first.reset()
    assert first.people == start
    assert _walk(first, 20.0) == walk
    assert Crowd(CITY, 10).people != start


@pytest.mark.parametrize("seed", range(12))
def test_hero_starts_15_to_60_m_from_the_centre(seed: int):
    """Nearer, every mission would start trivially; further away, it would fail."""
    hero = Crowd(make_city(seed), seed).people[0]
    assert hero.appearance == 0
    assert 14.0 <= math.hypot(*hero.position_m[:2]) <= 61.0
    assert hero.position_m[2] == -layout.PAVEMENT_HEIGHT_M


def test_speeds_and_turn_rates_stay_human():
    """The tracker is tuned for walking people; jumps, sprints or spins would break tracks."""
    history = _walk(Crowd(CITY, 3), 60.0)
    positions = np.array([[p.position_m for p in people] for people in history])
    steps = np.hypot(*np.diff(positions, axis=0).transpose(2, 0, 1)[:2]) / DT_S
    assert np.quantile(steps, 0.999) < 4.5
    assert steps[:, 0].max() < 4.5
    speeds = np.array([[p.speed_mps for p in people] for people in history])
    assert speeds[:, 0].max() <= 2.5
    assert speeds.max() <= 3.0
    headings = np.array([[p.heading_rad for p in people] for people in history])
    turns = (np.diff(headings, axis=0) + math.pi) % (2 * math.pi) - math.pi
    assert np.abs(turns).max() <= 4.0 * DT_S + 1e-9
    travelled = np.hypot(*(positions[-1] - positions[0]).T[:2])
    assert np.median(travelled) > 5.0


@pytest.mark.parametrize("seed", [1, 4])
def test_people_stay_out_of_solids(seed: int):
    """A hero inside a planter or a car is invisible."""
    city = make_city(seed)
    crowd = Crowd(city, seed)
    low = [c for c in city.colliders if -c.centre_m[2] - c.half_size_m[2] < 1.8]
    centre = np.array([c.centre_m[:2] for c in low])
    half = np.array([c.half_size_m[:2] for c in low])
    yaw = np.array([c.yaw_rad for c in low])
    round_ones = np.array([c.shape == "cylinder" for c in low])
    for people in _walk(crowd, 60.0)[::5]:
        apart = np.array([p.position_m[:2] for p in people])[:, None, :] - centre
        along = np.abs(np.cos(yaw) * apart[..., 0] + np.sin(yaw) * apart[..., 1])
        across = np.abs(np.cos(yaw) * apart[..., 1] - np.sin(yaw) * apart[..., 0])
        in_box = ~round_ones & (along < half[:, 0]) & (across < half[:, 1])
        in_round = round_ones & (np.hypot(along, across) < half[:, 0])
        assert not (in_box | in_round).any()


@pytest.mark.parametrize(("seed", "people"), [(1, 30), (5, 30), (8, 90)])
def test_people_keep_a_distance_of_0_4_m(seed: int, people: int):
    """The masks of people who overlap merge, and the training data gets wrong labels."""
    crowd, traffic = Crowd(make_city(seed), seed, people), Traffic(seed, 12)
    one, other = np.triu_indices(people + 1, 1)
    nearest_m = math.inf
    for _ in range(round(60.0 / DT_S)):
        crowd.advance(DT_S, traffic)
        traffic.advance(DT_S, crowd.in_the_road_m, crowd.crosswalks_in_use)
        at = crowd.feet_m[:, :2]
        nearest_m = min(nearest_m, float(np.hypot(*(at[one] - at[other]).T).min()))
    assert nearest_m >= 0.4


def test_groups_of_two_to_four_face_each_other_and_dissolve():
    """Groups occlude the hero, so flights need realistic ones."""
    crowd = Crowd(CITY, 5)
    grouped: set[int] = set()
    sizes: set[int] = set()
    standing = 0
    for _ in range(150):
        people = _walk(crowd, 1.0)[-1]
        for group in crowd.groups:
            grouped.update(group)
            sizes.add(len(group))
            members = [people[i] for i in group]
            if max(p.speed_mps for p in members) > 0.02:
                continue
            centre = np.mean([p.position_m[:2] for p in members], axis=0)
            for person in members:
                inwards = math.atan2(*(centre - person.position_m[:2])[::-1])
                off = (inwards - person.heading_rad + math.pi) % (2 * math.pi) - math.pi
                assert abs(off) < 0.6
                standing += 1
    assert standing > 300
    assert sizes == {2, 3, 4}
    assert 0 not in grouped
    assert grouped - {i for group in crowd.groups for i in group}


def test_people_cross_at_crosswalks_and_wait_for_cars_that_claimed_them():
    """Real frames show no pedestrians in the middle of a street or in front of a moving car."""
    crowd, traffic = Crowd(CITY, 6), Traffic(6, 8)
    crossed = waited = 0
    middles = np.array([crosswalk.middle_m for crosswalk in CROSSWALKS])
    for _ in range(round(120.0 / DT_S)):
        crowd.advance(DT_S, traffic)
        in_road = np.array(crowd.in_the_road_m).reshape(-1, 3)[:, :2]
        for spot in in_road:
            gap_m = min(abs(v - c) for v in spot for c in layout.STREET_CENTRES_M)
            if gap_m > 4.9:
                waited += 1
                continue
            off = np.abs(middles - spot)
            crosswalk = int(np.argmin(off.sum(axis=1)))
            axis = CROSSWALKS[crosswalk].axis
            along, across = off[crosswalk, axis], off[crosswalk, 1 - axis]
            assert along < 5.0
            assert across < 2.6
            assert crosswalk in crowd.crosswalks_in_use
            crossed += 1
        traffic.advance(DT_S, crowd.in_the_road_m, crowd.crosswalks_in_use)
    assert crossed > 100
    assert waited > 0


def test_walk_graph_is_connected():
    """People in a separate part of the graph would never leave it."""
    for seed in range(6):
        graph = walk_graph(make_city(seed))
        seen, todo = {0}, [0]
        while todo:
            for place in graph.neighbours[todo.pop()]:
                if place not in seen:
                    seen.add(place)
                    todo.append(place)
        assert len(seen) == len(graph.places_m)


def test_stride_matches_the_speed():
    """Otherwise feet slide over the ground."""
    speeds = np.array([0.5, 1.4, 1.8, 3.0, 5.0])
    strides = stride_m(speeds)
    assert (np.diff(strides) > 0.0).all()
    pairs_per_s = speeds / strides
    assert pairs_per_s[1] == pytest.approx(0.9, abs=0.1)
    assert pairs_per_s[4] == pytest.approx(1.5, abs=0.15)
    # In a walk, the foot on the ground stands still: two swung legs span one step.
    assert strides[1] == pytest.approx(4.0 * HIP_M * math.sin(swing_rad(1.4)), rel=1e-6)
    assert swing_rad(5.0) < 0.9


@pytest.mark.parametrize("aside_m", [0.0, 0.3, -0.5])
@pytest.mark.parametrize("speed_mps", [1.4, 5.0])
def test_people_walk_around_a_vehicle_on_the_ground(aside_m: float, speed_mps: float):
    """Flights ended in collisions with people who walked into a vehicle that had landed."""
    route = Route(((-10.0, aside_m), (10.0, aside_m)), ((0.0, speed_mps),))
    simulation = Simulation(1, people=0, cars=0, hero=route)
    nearest_m, north_m = math.inf, -10.0
    for _ in range(500):
        simulation.step(10)
        north_m, east_m, _ = simulation.crowd.people[0].position_m
        nearest_m = min(nearest_m, math.hypot(north_m, east_m))
        if north_m > 9.0:
            break
    assert north_m > 9.0
    assert 0.9 < nearest_m < 2.0
    assert simulation.vehicle.collision is None


def test_person_below_a_vehicle_that_comes_down_steps_aside():
    before, heights_m = np.array([[0.3, 0.1], [0.0, 0.5], [8.0, 0.0]]), np.array([0.0, 6.0, 0.0])
    position = before.copy()
    for _ in range(20):
        after = position.copy()
        keep_off_vehicle(position, after, heights_m, (0.0, 0.0, 0.0))
        assert np.hypot(*(after - position).T).max() < 0.16, "no leap"
        position = after
    assert math.hypot(*position[0]) > VEHICLE_RADIUS_M + 0.29
    assert (position[1:] == before[1:]).all(), "one is on a deck, and one far away"
