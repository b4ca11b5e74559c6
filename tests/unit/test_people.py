"""The crowd: repeatable, walking at human speed, never inside what stands in the city."""

import math

import numpy as np
import pytest

from followme_uav.sim import layout
from followme_uav.sim.people import Crowd
from followme_uav.sim.walks import walk_graph
from followme_uav.sim.world import make_city

CITY = make_city(4)
DT_S = 0.05


def _walk(crowd: Crowd, seconds: float) -> list:
    history = []
    for _ in range(round(seconds / DT_S)):
        crowd.advance(DT_S)
        history.append(crowd.people)
    return history


def test_same_seed_same_walk_and_reset_returns_to_the_start():
    """A replayed or reset flight must meet the same people in the same places."""
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
def test_hero_starts_within_reach_but_not_at_the_vehicle(seed: int):
    """Every mission would start trivially, or hopelessly."""
    hero = Crowd(make_city(seed), seed).people[0]
    assert hero.appearance == 0
    assert 14.0 <= math.hypot(*hero.position_m[:2]) <= 61.0
    assert hero.position_m[2] == -layout.PAVEMENT_HEIGHT_M


def test_people_move_as_people_do():
    """Trackers are tuned for walking; nobody may jump, sprint or spin."""
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
def test_nobody_walks_through_things(seed: int):
    """A hero inside a planter or a car cannot be seen, and looks like a bug in every video."""
    city = make_city(seed)
    crowd = Crowd(city, seed)
    low = [c for c in city.colliders if -c.centre_m[2] - c.half_size_m[2] < 1.8]
    centre = np.array([c.centre_m[:2] for c in low])
    half = np.array([c.half_size_m[:2] for c in low])
    yaw = np.array([c.yaw_rad for c in low])
    round_ones = np.array([c.shape == "cylinder" for c in low])
    for people in _walk(crowd, 120.0)[::5]:
        apart = np.array([p.position_m[:2] for p in people])[:, None, :] - centre
        along = np.abs(np.cos(yaw) * apart[..., 0] + np.sin(yaw) * apart[..., 1])
        across = np.abs(np.cos(yaw) * apart[..., 1] - np.sin(yaw) * apart[..., 0])
        in_box = ~round_ones & (along < half[:, 0]) & (across < half[:, 1])
        in_round = round_ones & (np.hypot(along, across) < half[:, 0])
        assert not (in_box | in_round).any()


def test_people_keep_out_of_each_other():
    """Merged people have merged masks, which teaches the network nonsense."""
    overlapping = total = 0
    for people in _walk(Crowd(CITY, 5), 60.0)[::10]:
        at = np.array([p.position_m[:2] for p in people])
        gaps = np.hypot(*(at[:, None] - at[None]).transpose(2, 0, 1))
        overlapping += int((gaps[np.triu_indices(len(at), 1)] < 0.25).sum())
        total += len(at)
    assert overlapping <= 0.005 * total


def test_every_place_can_be_reached():
    """A part of the graph cut off would hold its people for ever."""
    for seed in range(6):
        graph = walk_graph(make_city(seed))
        seen, todo = {0}, [0]
        while todo:
            for place in graph.neighbours[todo.pop()]:
                if place not in seen:
                    seen.add(place)
                    todo.append(place)
        assert len(seen) == len(graph.places_m)
