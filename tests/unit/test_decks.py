"""Decks in the pilot's map. If these fail, people on bridges are taken to be somewhere else."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import Deck, load_config, make_config
from followme_uav.errors import ConfigError
from followme_uav.geometry import pixel_of_point, quaternion_from_euler, ray_of_pixel
from followme_uav.messages import CameraPose, Detection, Measurement
from followme_uav.pilot.guidance.levels import Levels
from followme_uav.pilot.navigation.decks import Decks
from followme_uav.pilot.navigation.street_places import OFF_DECKS_M, StreetPlaces
from followme_uav.pilot.tracking.measurement import measure
from followme_uav.pilot.tracking.track import start_track

BRIDGE = Deck(
    line_m=((0.0, -40.0), (0.0, 0.0), (20.0, 40.0)), heights_m=(2.0, 6.0, 6.0), width_m=6.0
)
DECKS = Decks((BRIDGE,))
OVER_ALL = Deck(line_m=((-100.0, 0.0), (100.0, 0.0)), heights_m=(6.0, 6.0), width_m=300.0)
CONFIG = load_config()
WITH_BRIDGE = CONFIG.model_copy(
    update={"simulator": CONFIG.simulator.model_copy(update={"decks": (BRIDGE,)})}
)
CENTROID_M = CONFIG.hero.centroid_height_m


def test_height_is_between_those_of_the_points_and_bends_are_covered():
    assert DECKS.height_m((0.0, -20.0), 0.0) == pytest.approx(4.0)
    assert DECKS.height_m((2.9, -10.0), 0.0) == pytest.approx(5.0)
    assert DECKS.height_m((-2.0, 1.0), 0.0) == pytest.approx(6.0)
    assert DECKS.height_m((3.1, -10.0), 0.0) is None
    assert Decks().height_m((0.0, 0.0), 0.0) is None


def test_of_two_decks_the_one_nearest_in_height_counts():
    above = Deck(line_m=((-20.0, -20.0), (20.0, -20.0)), heights_m=(11.0, 11.0), width_m=8.0)
    both = Decks((BRIDGE, above))
    assert both.height_m((0.0, -20.0), 4.5) == pytest.approx(4.0)
    assert both.height_m((0.0, -20.0), 9.0) == pytest.approx(11.0)


def test_places_beside_a_deck_are_near():
    assert DECKS.is_near((5.0, -20.0), 2.1)
    assert not DECKS.is_near((5.0, -20.0), 1.9)


@given(
    along_m=st.floats(-39.0, 39.0),
    across_m=st.floats(-2.5, 2.5),
    camera_m=st.tuples(st.floats(-60.0, 60.0), st.floats(-60.0, 60.0), st.floats(1.0, 15.0)),
)
def test_line_of_sight_to_somebody_on_a_deck_meets_it_there(along_m, across_m, camera_m):
    """From above, and from below, where the person is seen above the railing."""
    share = max(along_m, 0.0) / 40.0
    place_m = (20.0 * share + across_m * (share == 0.0), along_m)
    height_m = DECKS.height_m(place_m, 0.0)
    assert height_m is not None
    target_m = (*place_m, -(height_m + 0.9))
    origin_m = (camera_m[0], camera_m[1], -camera_m[2])
    distance_m = math.dist(origin_m, target_m)
    ray = tuple((t - o) / distance_m for t, o in zip(target_m, origin_m, strict=True))
    reach_m = DECKS.reach_m(origin_m, ray, 0.9)
    is_steeper_than_the_deck = abs(ray[2]) > 0.11 * math.hypot(*ray[:2])
    if is_steeper_than_the_deck:
        assert reach_m <= distance_m + 1e-6
    assert reach_m > 0.0


def test_pieces_are_short_and_keep_the_slope():
    first = DECKS.parts[0]
    pieces = list(first.pieces(5.0))
    assert len(pieces) == 8
    assert [p.heights_m[0] for p in pieces] == pytest.approx([2.0 + 0.5 * k for k in range(8)])
    assert all(p.length_m == pytest.approx(5.0) for p in pieces)
    corners = pieces[0].outline_m()
    assert min(e for _, e in corners) == pytest.approx(-43.0)
    assert max(n for n, _ in corners) == pytest.approx(3.0)


def test_camera_that_looks_at_a_place_on_the_deck_sees_it_in_the_middle():
    camera = CameraPose((0.0, -60.0, -12.0), quaternion_from_euler(0.0, -0.2, math.pi / 2.0), 1.2)
    pixel = pixel_of_point(camera, (1.0, -20.0, -4.9))
    assert pixel is not None
    ray = ray_of_pixel(camera, pixel[0], pixel[1])
    reach_m = DECKS.reach_m(camera.position_m, ray, 0.9)
    place_m = [o + reach_m * r for o, r in zip(camera.position_m, ray, strict=True)]
    assert place_m == pytest.approx([1.0, -20.0, -4.9], abs=1e-6)


def measured(camera_m, target_m, decks=DECKS):
    """Of a detection of somebody at `target_m`, seen from a camera that looks there."""
    north, east, down = (t - c for t, c in zip(target_m, camera_m, strict=True))
    yaw_rad, tilt_rad = math.atan2(east, north), -math.atan2(down, math.hypot(north, east))
    camera = CameraPose(camera_m, quaternion_from_euler(0.0, tilt_rad + 0.1, yaw_rad), 1.2)
    pixel = pixel_of_point(camera, target_m)
    found = Detection(pixel[0], pixel[1], 240, 8, 30, 1.0)
    place = (CONFIG.hero, CONFIG.measurement)
    return measure(camera, found, (160, 160, 3), *place, decks=decks)


def hero_at(place_m, surface_m):
    return (*place_m, -(surface_m + CENTROID_M))


@pytest.mark.parametrize(
    ("camera_m", "hero_m"),
    [
        ((-12.0, -20.0, -7.5), hero_at((0.0, -20.0), 4.0)),  # from above
        ((-25.0, -20.0, -4.0), hero_at((-1.0, -20.0), 4.0)),  # from below
        ((-12.0, -20.0, -3.3), hero_at((0.0, -20.0), 0.0)),  # below the deck
        ((-12.0, -20.0, -9.0), hero_at((-8.0, -20.0), 0.0)),  # beside it
    ],
)
def test_hero_is_measured_on_the_deck_or_on_the_ground(camera_m, hero_m):
    assert measured(camera_m, hero_m).position_m == pytest.approx(hero_m, abs=1e-6)


def test_without_the_deck_the_hero_would_be_measured_far_behind_it():
    camera_m, hero_m = (-12.0, -20.0, -7.5), hero_at((0.0, -20.0), 4.0)
    there = measured(camera_m, hero_m, Decks())
    assert there.position_m[0] > 15.0
    assert measured((-25.0, -20.0, -4.0), hero_at((-1.0, -20.0), 4.0), Decks()) is None


def track_at(position_m):
    covariance = measured((-12.0, -20.0, -7.5), hero_at((0.0, -20.0), 4.0)).covariance
    return start_track(0.0, Measurement(position_m, covariance, 8.0, 1.0, 1.0, False), CONFIG.track)


def test_level_is_that_of_the_deck_on_which_the_hero_walks():
    levels = Levels(WITH_BRIDGE)
    assert levels.of_hero(track_at(hero_at((0.0, -20.0), 4.2))) == pytest.approx(4.0)
    assert levels.of_hero(track_at(hero_at((0.0, -20.0), 0.0))) is None, "below it"
    assert levels.of_hero(track_at(hero_at((9.0, -20.0), 4.2))) is None, "beside it"


def test_level_of_the_patrol_is_that_of_the_deck_here_or_at_the_waypoint():
    levels, west, east = Levels(WITH_BRIDGE), (0.0, -30.0), (0.0, -10.0)
    assert levels.of_patrol(east, west) == pytest.approx(5.0)
    assert levels.of_patrol(west, east) == pytest.approx(5.0)
    assert levels.of_patrol(east, (-30.0, -20.0)) == pytest.approx(5.0), "it climbs beside"
    assert levels.of_patrol((9.0, -10.0), (9.0, -30.0)) is None


def test_vehicle_does_not_land_on_or_below_a_deck():
    round_m = [(0.0, -60.0), (0.0, 0.0), (40.0, 0.0)]
    places_m = StreetPlaces(round_m, 0.0, decks=DECKS).nearest_first((0.0, -20.0)).tolist()
    assert len(places_m) > 5
    assert not any(DECKS.is_near((n, e), OFF_DECKS_M) for n, e in places_m)
    inside = StreetPlaces(round_m, 0.0, ((-2.0, -62.0, 2.0, 2.0),), Decks((BRIDGE, OVER_ALL)))
    assert all(-1.0 <= n <= 1.0 for n, _ in inside.nearest_first((0.0, -20.0)).tolist())
    assert len(StreetPlaces(round_m, 0.0, decks=Decks((OVER_ALL,))).nearest_first((0.0, 0.0)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"heights_m": [1.0]}, "at least 2"),
        ({"heights_m": [1.0, 2.0, 3.0]}, "3 values for 2 points of line_m"),
        ({"width_m": 0.0}, "width_m"),
        ({"railing_m": -1.0}, "railing_m"),
    ],
)
def test_wrong_deck_is_one_clear_line(change, message):
    deck = {"line_m": [[0.0, 0.0], [9.0, 0.0]], "heights_m": [2.0, 2.0], "width_m": 4.0, **change}
    with pytest.raises(ConfigError, match=message) as error:
        make_config({"simulator": {**CONFIG.simulator.model_dump(), "decks": [deck]}}, "test")
    assert "\n" not in str(error.value)


def test_wrong_number_of_a_waypoint_is_one_clear_line():
    simulator = {**CONFIG.simulator.model_dump(), "patrol_on_decks": [999]}
    with pytest.raises(ConfigError, match="999 is no number of a waypoint") as error:
        make_config({"simulator": simulator}, "test")
    assert "\n" not in str(error.value)
