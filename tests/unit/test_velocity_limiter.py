"""Limits of speed and acceleration of the commanded velocity."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import load_config
from followme_uav.pilot.safety.velocity_limiter import VelocityLimiter

LIMITS = load_config().limits
DT_S = 0.1


@given(st.lists(st.tuples(st.floats(-20, 20), st.floats(-20, 20)), min_size=1, max_size=30))
def test_speed_and_its_change_stay_within_limits(wanted):
    limiter = VelocityLimiter(LIMITS)
    last = (0.0, 0.0)
    for wish in wanted:
        velocity = limiter.limit(wish, DT_S)
        assert math.hypot(*velocity) <= LIMITS.speed_mps + 1e-9
        assert math.dist(velocity, last) <= LIMITS.acceleration_mps2 * DT_S + 1e-9
        last = velocity


def test_velocity_within_limits_is_reached_exactly():
    limiter = VelocityLimiter(LIMITS)
    for _ in range(50):
        velocity = limiter.limit((2.0, -1.0), DT_S)
    assert velocity == pytest.approx((2.0, -1.0))
    limiter.reset()
    assert math.hypot(*limiter.limit((2.0, -1.0), DT_S)) < 1.0


def test_limiter_starts_from_the_velocity_that_it_was_reset_to():
    limiter = VelocityLimiter(LIMITS)
    limiter.reset((2.0, -1.0))
    assert limiter.limit((2.0, -1.0), DT_S) == pytest.approx((2.0, -1.0))
