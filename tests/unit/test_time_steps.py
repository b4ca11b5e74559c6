"""Conversion of durations to whole time steps, without loss or gain."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.sim.time_steps import WholeSteps
from followme_uav.sim.vehicle.vehicle import TIME_STEP_NS

STEP_S = Fraction(TIME_STEP_NS, 1_000_000_000)

durations_s = st.one_of(
    st.floats(0.0, 2.0),
    st.sampled_from([1 / 90, 1 / 60, 1 / 30, 1 / 3, 0.001, 0.0025, 0.0075, 0.0125, 1e-9, 5e-324]),
)


@given(st.lists(durations_s, max_size=200))
def test_the_sum_of_steps_equals_the_sum_of_durations_within_half_a_step(durations):
    steps = WholeSteps(TIME_STEP_NS)
    asked_s, made_s = Fraction(0), Fraction(0)
    for duration_s in durations:
        count = steps.take(duration_s)
        assert count >= 0
        asked_s, made_s = asked_s + Fraction(duration_s), made_s + count * STEP_S
        assert abs(made_s - asked_s) <= STEP_S / 2


@given(durations_s, st.integers(1, 3000))
def test_equal_durations_add_up_and_their_steps_differ_by_one_at_most(duration_s, calls):
    steps = WholeSteps(TIME_STEP_NS)
    made = [steps.take(duration_s) for _ in range(calls)]
    assert abs(sum(made) * STEP_S - calls * Fraction(duration_s)) <= STEP_S / 2
    assert max(made) - min(made) <= 1


@given(st.lists(st.integers(0, 2000), max_size=300))
def test_whole_numbers_of_steps_are_converted_exactly(counts):
    """Lockstep flights need frames at exact intervals."""
    steps = WholeSteps(TIME_STEP_NS)
    for count in counts:
        assert steps.take(count * 0.005) == count


@pytest.mark.parametrize("duration_s", [0.002, 0.0049])
def test_clear_drops_the_remainder(duration_s):
    steps = WholeSteps(TIME_STEP_NS)
    first = [steps.take(duration_s) for _ in range(3)]
    steps.clear()
    assert [steps.take(duration_s) for _ in range(3)] == first
