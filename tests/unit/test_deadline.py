"""Tests of the deadline that is extended while the simulator's clock is held."""

import types

import pytest

from followme_uav.rpc import deadline as module
from followme_uav.rpc.deadline import POLL_S, SimulationDeadline


@pytest.fixture
def clock(monkeypatch):
    clock = types.SimpleNamespace(now_s=50.0)
    clock.monotonic = lambda: clock.now_s
    monkeypatch.setattr(module, "time", clock)
    return clock


def over_after_s(deadline, clock, at_most_s=100.0):
    start_s = clock.now_s
    while not deadline.is_over():
        clock.now_s += 0.1
        assert clock.now_s - start_s < at_most_s
    return clock.now_s - start_s


@pytest.mark.parametrize("limit_s", [0.2, 5.0])
def test_deadline_passes_after_its_timeout_when_the_clock_is_not_held(clock, limit_s):
    deadline = SimulationDeadline(limit_s, lambda: False, lambda: None)
    assert over_after_s(deadline, clock) == pytest.approx(limit_s, abs=0.11)


def test_deadline_is_extended_while_the_clock_is_held(clock):
    deadline = SimulationDeadline(5.0, lambda: clock.now_s < 80.0, lambda: None)
    assert over_after_s(deadline, clock) == pytest.approx(35.0, abs=POLL_S + 0.11)


def test_simulator_is_polled_at_the_poll_interval(clock):
    """Each poll is a call to a simulator that may be busy."""
    polls = []
    is_held = lambda: bool(polls.append(clock.now_s))  # noqa: E731
    over_after_s(SimulationDeadline(5.0, is_held, lambda: None), clock)
    assert 1 <= len(polls) <= 5.0 / POLL_S + 1


def test_wait_for_a_held_clock_can_be_cancelled(clock):
    def cancel():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        over_after_s(SimulationDeadline(5.0, lambda: True, cancel), clock)
