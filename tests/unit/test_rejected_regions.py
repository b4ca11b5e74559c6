"""Places where a detection was rejected, and for how long they are ignored."""

from followme_uav.config import load_config
from followme_uav.messages import GroundCovariance, Measurement
from followme_uav.pilot.tracking.rejected_regions import (
    NEARER,
    Tried,
    is_rejected,
    reconsidered,
    with_rejection,
)

CONFIG = load_config().association
PLACE = Tried((20.0, 0.0, -0.95), distance_m=10.0)


def at(north_m, distance_m=10.0):
    covariance = GroundCovariance(0.1, 0.0, 0.1)
    return Measurement((north_m, 0.0, -0.95), covariance, distance_m, 1.0, 1.0, False)


def rejected(*, is_certain=False, times=1):
    regions = ()
    for i in range(times):
        regions = with_rejection(regions, PLACE, 10.0 * i, 4.0, CONFIG, is_certain=is_certain)
    return regions


def test_region_ends_at_its_radius_and_after_its_time():
    regions = rejected()
    assert is_rejected(regions, at(20.0 + CONFIG.reject_radius_m - 0.1), 3.9, CONFIG)
    assert not is_rejected(regions, at(20.0 + CONFIG.reject_radius_m + 0.1), 3.9, CONFIG)
    assert not is_rejected(regions, at(20.0), 4.0, CONFIG)


def test_region_is_larger_for_distant_measurements():
    distance_m = 2.0 * CONFIG.reject_radius_m / CONFIG.reject_share
    beside = 20.0 + 1.5 * CONFIG.reject_radius_m
    assert is_rejected(rejected(), at(beside, distance_m), 1.0, CONFIG)
    assert not is_rejected(rejected(), at(beside), 1.0, CONFIG)


def test_each_further_rejection_doubles_the_time_of_one_region():
    regions = rejected(times=3)
    assert [(region.times, region.until_s) for region in regions] == [(3, 20.0 + 16.0)]


def test_rejection_of_another_place_keeps_the_first_region():
    other = Tried((-20.0, 0.0, -0.95), 10.0)
    regions = with_rejection(rejected(), other, 0.0, 4.0, CONFIG, is_certain=True)
    assert [region.times for region in regions] == [1, 1]
    assert is_rejected(regions, at(20.0), 1.0, CONFIG)


def test_only_certain_rejections_count_when_asked_for():
    for is_certain in (False, True):
        regions = rejected(is_certain=is_certain)
        assert is_rejected(regions, at(20.0), 1.0, CONFIG, only_certain=True) == is_certain


def test_place_that_was_rejected_from_afar_is_looked_at_again_from_nearer():
    """A hero of 7 pixels was given up 35 m away, and ignored with 21 pixels, 23 m away."""
    far_m, near_m = NEARER * 10.0 + 0.1, NEARER * 10.0 - 0.1
    assert is_rejected(rejected(), at(20.0, far_m), 1.0, CONFIG)
    assert not is_rejected(rejected(), at(20.0, near_m), 1.0, CONFIG)
    assert is_rejected(rejected(is_certain=True), at(20.0, near_m), 1.0, CONFIG)


def test_place_that_was_rejected_from_nearer_is_ignored_from_there_on():
    nearer = Tried(PLACE.position_m, 6.0)
    regions = with_rejection(rejected(), nearer, 1.0, 4.0, CONFIG, is_certain=False)
    assert is_rejected(regions, at(20.0, 5.0), 2.0, CONFIG)


def test_certain_rejection_stays_certain_while_it_lasts():
    """Somebody rejected from nearby, and then lost from sight, was approached again."""
    later = Tried(PLACE.position_m, 25.0)
    for time_s, is_certain in ((1.0, True), (5.0, False)):
        first = rejected(is_certain=True)
        (region,) = with_rejection(first, later, time_s, 4.0, CONFIG, is_certain=False)
        assert region.is_certain == is_certain
        assert region.distance_m == (10.0 if is_certain else 25.0)


def test_region_is_reconsidered_as_far_as_it_reaches():
    """A region reaches 9 m around a place 30 m away."""
    far = Tried(PLACE.position_m, 30.0)
    regions = with_rejection((), far, 0.0, 60.0, CONFIG, is_certain=False)
    beside = at(20.0 + 1.5 * CONFIG.reject_radius_m, 30.0)
    assert is_rejected(regions, beside, 1.0, CONFIG)
    regions = reconsidered(regions, Tried(beside.position_m, 30.0), 1.0, CONFIG)
    assert not is_rejected(regions, beside, 1.0, CONFIG)
