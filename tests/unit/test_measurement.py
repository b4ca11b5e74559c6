"""If these fail, a bush passes for the hero, or she is looked for in the wrong place."""

import math

import pytest
from followme_uav.pilot.sighting import fix, sight

from followme_uav.config import load_config
from followme_uav.geometry import pixel_of_point, quaternion_from_euler
from followme_uav.messages import CameraPose, Detection

CONFIG = load_config()
EYE = CameraPose((0.0, 0.0, -4.5), quaternion_from_euler(0.0, -0.45, 0.0), math.radians(60))


def blob(u, v, height_px, width_px=8):
    return Detection(u, v, height_px * width_px, width_px, height_px, 1.0)


def seen(observation):
    return sight(EYE, observation, (160, 160, 3), CONFIG.tracker, 0.5)


def test_a_sighting_is_placed_where_she_stands():
    centroid = (8.0, 2.0, -CONFIG.hero.centroid_height_m)
    u, v, _ = pixel_of_point(EYE, centroid)
    assert seen(blob(u, v, 30)).place_m == pytest.approx(centroid)
    assert seen(blob(u, v, 30)).distance_m == pytest.approx(math.dist(centroid, EYE.position_m))


def test_somebody_of_her_size_has_her_seen():
    u, v, depth_m = pixel_of_point(EYE, (8.0, 0.0, -0.95))
    shown = 8.0 / math.dist(EYE.position_m, (8.0, 0.0, -0.95))
    px_per_m = 138.6 / depth_m
    hers = seen(blob(u, v, round(1.7 * shown * px_per_m), round(0.3 * px_per_m)))
    assert hers.height == pytest.approx(1.0, abs=0.08)
    assert hers.area == pytest.approx(1.0, abs=0.12)
    assert not hers.is_cut_off


def test_half_a_person_and_a_bush_do_not():
    u, v, depth_m = pixel_of_point(EYE, (8.0, 0.0, -0.95))
    height_px = round(1.7 * 138.6 / depth_m)
    assert seen(blob(u, v, height_px // 2)).height < 0.7
    assert seen(blob(u, v, 4 * height_px)).height > 3.0


def test_somebody_at_the_edge_is_cut_off():
    assert seen(blob(0.0, 0.96, 6)).is_cut_off


def test_a_blob_in_the_sky_has_no_seen():
    assert seen(blob(0.0, -0.9, 20)) is None


def spread_m(place, height_px=None):
    """Uncertainty of the place of somebody standing there: along the line of sight, and across."""
    u, v, depth_m = pixel_of_point(EYE, (place, 0.0, -0.95))
    width_px = max(1, round(0.3 * 138.6 / depth_m))
    found = seen(blob(u, v, height_px or round(1.7 * 138.6 / depth_m), width_px))
    covariance = fix(found, EYE.position_m, CONFIG.tracker).covariance
    return math.sqrt(covariance.n_n), math.sqrt(covariance.e_e)


def test_direction_is_known_well_and_distance_badly():
    """A gate as wide to the side as it is deep lets the hero's neighbour in."""
    (near_along, near_across), (far_along, far_across) = spread_m(7.0), spread_m(25.0)
    assert far_along > 4.0 * far_across
    assert far_along > 4.0 * near_along
    assert near_across < 0.2


def test_half_hidden_she_may_stand_nearer_or_farther():
    along, across = spread_m(8.0, height_px=14)
    whole_along, whole_across = spread_m(8.0)
    assert along > 1.5 * whole_along
    assert across == pytest.approx(whole_across)


def test_two_people_in_one_blob_place_neither_of_them():
    """She was left for somebody who came towards her and passed her."""
    u, v, _ = pixel_of_point(EYE, (8.0, 0.0, -0.95))
    one, two = (seen(blob(u, v, 29, width_px)) for width_px in (5, 12))
    spreads = [fix(s, EYE.position_m, CONFIG.tracker).covariance.e_e for s in (one, two)]
    assert spreads[1] > 4.0 * spreads[0]
