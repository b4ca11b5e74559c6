"""If these fail, a paused flight is given up, or one with a dead simulator never is."""

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


def spent_after_s(deadline, clock, at_most_s=100.0):
    began_s = clock.now_s
    while not deadline.is_over():
        clock.now_s += 0.1
        assert clock.now_s - began_s < at_most_s
    return clock.now_s - began_s


@pytest.mark.parametrize("limit_s", [0.2, 5.0])
def test_it_ends_at_its_limit_when_nobody_holds_the_time(clock, limit_s):
    deadline = SimulationDeadline(limit_s, lambda: False, lambda: None)
    assert spent_after_s(deadline, clock) == pytest.approx(limit_s, abs=0.11)


def test_held_time_does_not_count(clock):
    deadline = SimulationDeadline(5.0, lambda: clock.now_s < 80.0, lambda: None)
    assert spent_after_s(deadline, clock) == pytest.approx(35.0, abs=POLL_S + 0.11)


def test_it_asks_only_now_and_then(clock):
    """Each question is a call to a simulator that may be busy."""
    asked = []
    is_held = lambda: bool(asked.append(clock.now_s))  # noqa: E731
    spent_after_s(SimulationDeadline(5.0, is_held, lambda: None), clock)
    assert 1 <= len(asked) <= 5.0 / POLL_S + 1


def test_who_waits_can_give_up_a_held_wait(clock):
    def give_up():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spent_after_s(SimulationDeadline(5.0, lambda: True, give_up), clock)
