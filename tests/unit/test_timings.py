"""Timings of a turn. If these fail, `fly --timings` does not add up."""

import pytest

from followme_uav.flight.status import print_timings
from followme_uav.flight.turn_times import TurnClock
from followme_uav.log.entry import LoopTimings
from followme_uav.sim import stopwatch as stopwatch_module
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.stopwatch import Stopwatch


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by the test."""
    now = [0.0]
    monkeypatch.setattr(stopwatch_module.time, "perf_counter", lambda: now[0])
    return now


def test_time_of_an_inner_part_does_not_count_for_the_outer_one(clock):
    watch = Stopwatch()
    clock[0] = 5.0  # of nobody
    with watch.measure("outer"):
        clock[0] += 1.0
        with watch.measure("inner"):
            clock[0] += 10.0
        clock[0] += 2.0
    clock[0] += 100.0
    with watch.measure("inner"):
        clock[0] += 4.0
    assert watch.seconds == {"outer": 3.0, "inner": 14.0}


def test_a_part_that_fails_is_counted_and_ends(clock):
    watch = Stopwatch()
    with pytest.raises(ValueError, match="no"), watch.measure("part"):
        clock[0] += 1.0
        raise ValueError("no")
    clock[0] += 9.0
    with watch.measure("next"):
        clock[0] += 2.0
    assert watch.seconds == {"part": 1.0, "next": 2.0}


def test_simulation_counts_its_parts():
    simulation = Simulation(1, people=3, cars=1)
    simulation.step(40)
    assert set(simulation.stopwatch.seconds) == {"vehicle", "people and cars"}
    assert all(seconds > 0.0 for seconds in simulation.stopwatch.seconds.values())


def turn_of(*timings, wall_s, simulator_s=None):
    turns = TurnClock()
    for one in timings:
        turns.add(one)
    return turns.result(wall_s, simulator_s or {})


def test_parts_of_a_turn_add_up_to_the_turn():
    first = LoopTimings(4.0, 3.0, 1.0, 0.5, 1.5, total_ms=4.5)
    second = LoopTimings(6.0, 3.0, 3.0, 0.5, 2.5, total_ms=6.5)
    turn = turn_of(first, second, wall_s=0.04, simulator_s={"drawing": 0.004, "vehicle": 0.01})
    assert turn.loop_ms == pytest.approx(
        {
            "wait for state and images": 5.0,
            "network": 3.0,
            "pilot": 2.0,
            "send the command": 0.5,
            "log": 2.0,
            "advance the world, ground truth, metrics": 7.5,
        }
    )
    assert list(turn.simulator_ms.items()) == [("vehicle", 5.0), ("drawing", 2.0)]


def test_flight_without_a_turn_has_no_times(capsys):
    print_timings(turn_of(wall_s=0.0))
    assert "whole turn" in capsys.readouterr().out
