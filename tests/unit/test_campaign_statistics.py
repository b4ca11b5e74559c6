"""If these fail, an interval or a test of a campaign says more than its flights do."""

import numpy as np
import pytest

from followme_uav.scenario.report.compare import compare
from followme_uav.statistics.intervals import (
    Interval,
    bootstrap_interval,
    median_interval,
    share_interval,
    wilson,
)
from followme_uav.statistics.paired import difference, mcnemar
from followme_uav.statistics.stopping import MIN_FLIGHTS, Stopping, sequence_interval
from followme_uav.statistics.unpaired import mann_whitney
from tests.unit.scenario_parts import result


@pytest.mark.parametrize(
    ("passed", "flights", "low", "high"),
    [(0, 10, 0.0, 0.2775), (196, 200, 0.9497, 0.9922), (81, 263, 0.2553, 0.3662), (0, 0, 0, 1)],
)
def test_wilson_interval_has_the_published_values(passed, flights, low, high):
    """81 of 263 is the example of R. G. Newcombe, Statistics in Medicine 17 (1998)."""
    interval = wilson(passed, flights)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-4)


def test_bootstrap_interval_is_repeatable_and_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(200):
        interval = bootstrap_interval(rng.normal(3.0, 1.0, 40))
        inside += interval.low <= 3.0 <= interval.high
    assert 0.90 <= inside / 200 <= 0.99
    values = rng.normal(size=50)
    assert bootstrap_interval(values) == bootstrap_interval(values)
    assert bootstrap_interval([]) is None
    assert bootstrap_interval([2.0]) == Interval(2.0, 2.0, 2.0)
    assert bootstrap_interval([2.0] * 9) == Interval(2.0, 2.0, 2.0)


def test_share_is_weighted_by_time_and_needs_some():
    interval = share_interval([90.0, 0.0], [90.0, 10.0])
    assert interval.value == pytest.approx(0.9)
    assert interval.low <= 0.9 <= interval.high
    assert share_interval([0.0], [0.0]) is None


def test_median_draws_whole_flights():
    """Ten equal values of one flight are no ten independent ones."""
    assert median_interval([[1.0, 3.0], [], [2.0]]).value == 2.0
    assert median_interval([[], []]) is None
    one_each = median_interval([[1.0]] * 10 + [[5.0]] * 10)
    of_two = median_interval([[1.0] * 10, [5.0] * 10])
    assert (of_two.low, of_two.value, of_two.high) == (1.0, 3.0, 5.0)
    assert (one_each.low, one_each.high) == (1.0, 5.0)
    assert median_interval([[2.0]]) == Interval(2.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("failed", "passed", "shift", "step"),
    [(5, 95, 0.0, 0.0), (5, 95, 1.5, 0.0), (30, 170, 0.8, 0.0), (8, 192, 0.8, 0.5)],
)
def test_interval_of_the_mann_whitney_effect_covers_the_true_share(failed, passed, shift, step):
    """Few failed flights, many passed ones, and values with ties."""
    rng = np.random.default_rng(7)

    def draw(count, mean):
        values = rng.normal(mean, 1.0, count)
        return np.round(values / step) * step if step else values

    many, other = np.sort(draw(200_000, 0.0)), draw(200_000, shift)
    below = np.searchsorted(many, other) + np.searchsorted(many, other, side="right")
    truth = below.mean() / 2.0 / many.size
    inside = 0
    for _ in range(400):
        higher = mann_whitney(draw(failed, shift), draw(passed, 0.0)).higher
        assert 0.0 <= higher.low <= higher.value <= higher.high <= 1.0
        inside += higher.low <= truth <= higher.high
    assert inside / 400 >= 0.92


def test_interval_of_the_mann_whitney_effect_has_a_width_where_all_pairs_agree():
    higher = mann_whitney([5.0, 6.0], [1.0] * 20).higher
    assert (higher.value, higher.high) == (1.0, 1.0) and 0.4 < higher.low < 0.9
    mirrored = mann_whitney([1.0] * 20, [5.0, 6.0]).higher
    assert (mirrored.low, mirrored.high) == pytest.approx((0.0, 1.0 - higher.low))
    pair = mann_whitney([2.0], [1.0]).higher
    assert pair.low == pytest.approx(wilson(1, 1).low), "one pair is one trial"


def test_mcnemar_is_exact_and_ignores_equal_flights():
    before = np.array([True] * 50 + [False] * 8 + [True] * 2)
    after = np.array([True] * 50 + [True] * 8 + [False] * 2)
    test = mcnemar(before, after)
    assert (test.better, test.worse) == (8, 2)
    assert test.p_value == pytest.approx(0.109375)  # 2 (1 + 10 + 45) / 1024
    assert mcnemar([True], [True]).p_value == 1.0


def test_paired_difference_is_narrower_than_that_of_unpaired_flights():
    rng = np.random.default_rng(1)
    before = rng.normal(0.9, 0.1, 60)
    after = before + 0.02 + rng.normal(0.0, 0.005, 60)
    change = difference(before, after)
    assert 0.015 < change.low < change.value < change.high < 0.025


def test_comparison_pairs_flights_and_shows_the_effect_by_axis():
    def flights(passes, **metrics):
        return [result(seed=seed, success=passes(seed), **metrics) for seed in range(20)]

    before = flights(lambda seed: seed >= 6, tracked=0.8)
    after = flights(lambda seed: True, tracked=0.9)
    for run in (before, after):
        for flight in run:
            flight.draws["weather"] = "rain" if flight.seed < 10 else "clear"
    found = compare(before, after)
    assert (found.success.better, found.success.worse) == (6, 0)
    assert found.success.p_value == pytest.approx(2 / 64)
    effects = {effect.figure: effect for effect in (*found.metrics, *found.axes)}
    assert effects["tracked"].change.value == pytest.approx(0.1)
    assert effects["success, weather rain"].change.value == pytest.approx(0.6)
    assert effects["success, weather clear"].change.value == 0.0


# Stopping


def test_sequence_is_wider_than_the_interval_of_a_fixed_number_of_flights():
    for passed, flights in ((0, 50), (50, 50), (98, 100), (500, 1000)):
        sequence, fixed = sequence_interval(passed, flights), wilson(passed, flights)
        assert sequence.low <= fixed.low and fixed.high <= sequence.high
        assert 0.0 <= sequence.low <= passed / flights <= sequence.high <= 1.0


@pytest.mark.parametrize("share", [0.5, 0.9, 0.98])
def test_sequence_covers_the_share_whenever_a_campaign_stops(share):
    """Each simulated campaign stops where its interval excludes the true share, if it ever does.

    This is the worst rule of all. An interval of a fixed number of flights fails with it.
    """
    rng = np.random.default_rng(7)
    campaigns, flights = 400, 400
    passed = np.cumsum(rng.random((campaigns, flights)) < share, axis=1)
    numbers = np.arange(1, flights + 1)
    excluded = {sequence_interval: 0, wilson: 0}
    for rule in excluded:
        cache = {}
        for row in passed:
            for k, n in zip(row[9::10], numbers[9::10], strict=True):
                if (k, n) not in cache:
                    interval = rule(int(k), int(n))
                    cache[k, n] = not interval.low <= share <= interval.high
                if cache[k, n]:
                    excluded[rule] += 1
                    break
    assert excluded[sequence_interval] / campaigns <= 0.05
    assert excluded[wilson] / campaigns > 0.15


def test_campaign_stops_in_the_order_of_the_plan_whatever_ends_first():
    """Failures that end sooner than others would make the share too small."""
    rng = np.random.default_rng(3)
    outcomes = dict(enumerate((rng.random(600) < 0.95).tolist()))
    numbers = set()
    for order in (list(outcomes), sorted(outcomes, key=outcomes.get)):
        stopping, done = Stopping([""] * 600, 0.05), {}
        for number in order:
            done[number] = outcomes[number]
            stopping.update(done)
        numbers.add(stopping.stopped_after)
    (stopped_after,) = numbers
    assert MIN_FLIGHTS <= stopped_after < 600
    before = Stopping([""] * 600, 0.05)
    before.update({n: outcomes[n] for n in range(stopped_after - 1)})
    assert before.stopped_after is None


def test_crashed_flight_counts_for_no_variant_and_each_variant_must_be_narrow():
    stopping = Stopping(["a", "b"] * 100, 0.2)
    stopping.update({n: None if n % 2 else True for n in range(200)})
    assert stopping.stopped_after is None
    assert stopping.intervals()["b"] == Interval(0.0, 0.0, 1.0)
