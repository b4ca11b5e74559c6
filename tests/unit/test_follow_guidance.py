"""FOLLOW and ACQUIRE: line of sight towards the hero, velocity to the wanted distance."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from followme_uav.config import load_config
from followme_uav.geometry import pixel_of_point, quaternion_from_pan_tilt, rotate
from followme_uav.messages import CameraPose, Detection, Frame, Manoeuvre, VehicleState
from followme_uav.pilot.guidance.follow import FollowGuidance
from followme_uav.pilot.guidance.inputs import GuidanceInputs
from followme_uav.pilot.navigation.polygon_map import PolygonMap
from followme_uav.pilot.navigation.route_planner import RoutePlanner
from followme_uav.pilot.tracking.track import Covariance, Track

CONFIG = load_config()
CONTROL = CONFIG.control
WANTED_M = CONTROL.wanted_distance_m
DT_S = 0.1
CAMERA_M = (0.0, 0.0, -5.0)
PRECISE = Covariance(0.1, 0.0, 0.1, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.5)


def camera_towards(azimuth_rad=0.0, elevation_rad=0.0):
    orientation = quaternion_from_pan_tilt(azimuth_rad, elevation_rad)
    return CameraPose(CAMERA_M, orientation, math.radians(60))


def detection_of(u, v):
    return Detection(u, v, 100, 8, 20, 0.9)


def inputs(
    camera=None,
    detection=None,
    hero_m=(10.0, 0.0, -0.95),
    hero_mps=(0.0, 0.0),
    vehicle_mps=(0.0, 0.0, 0.0),
):
    camera = camera or camera_towards()
    level, still = (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    vehicle = VehicleState(0.0, CAMERA_M, vehicle_mps, level, still)
    track = Track(0.0, hero_m, hero_mps, PRECISE)
    return GuidanceInputs(Frame(0, 0.0, None, camera, vehicle), 5.0, detection, track, DT_S, DT_S)


def at_distance(distance_m, hero_mps=0.0):
    """A hero at the camera's height, so that the slant range is the distance on the ground."""
    return inputs(hero_m=(distance_m, 0.0, CAMERA_M[2]), hero_mps=(hero_mps, 0.0))


def at_m(place_m):
    level, still = (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    return VehicleState(0.0, (*place_m, CAMERA_M[2]), still, level, still)


def follower(config=CONFIG, streets=()):
    return FollowGuidance(config, RoutePlanner(streets, config.limits))


def with_gains(loop, **gains):
    changed = getattr(CONTROL, loop).model_copy(update=gains)
    return CONFIG.model_copy(update={"control": CONTROL.model_copy(update={loop: changed})})


def centred(camera, u, v, config=CONFIG):
    guidance, _ = follower(config).guide(inputs(camera, detection_of(u, v)))
    return guidance.line_of_sight


def approach_mps(guide, distance_m, hero_mps=0.0):
    """Output of the forward loop."""
    _, loops = guide.guide(at_distance(distance_m, hero_mps))
    return loops[0].output


# Line of sight


@given(st.floats(-0.9, 0.9), st.floats(-0.9, 0.9), st.floats(-1.0, 0.0))
def test_camera_brings_the_detection_nearer_to_the_middle_of_the_image(u, v, elevation):
    camera = camera_towards(0.3, elevation)
    ray = rotate(camera.orientation, (1.0, u * math.tan(math.pi / 6), v * math.tan(math.pi / 6)))
    hero_m = tuple(p + 10.0 * r for p, r in zip(camera.position_m, ray, strict=True))
    guidance, _ = follower().guide(inputs(camera, detection_of(u, v), hero_m))
    sight = guidance.line_of_sight
    turned = camera_towards(sight.azimuth_rad, sight.elevation_rad)
    u_after, v_after, _ = pixel_of_point(turned, hero_m)
    assert math.hypot(u_after, v_after) <= 0.8 * math.hypot(u, v) + 1e-6


@pytest.mark.parametrize(("u", "v"), [(0.5, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.0, -0.5)])
def test_camera_turns_to_the_side_of_the_detection(u, v):
    sight = centred(camera_towards(), u, v)
    assert sight.azimuth_rad == pytest.approx(CONTROL.pan.kp * u)
    assert sight.elevation_rad == pytest.approx(-CONTROL.tilt.kp * v)


def test_camera_does_not_turn_for_a_detection_in_the_middle_of_the_image():
    sight = centred(camera_towards(0.4, -0.3), 0.0, 0.0)
    assert (sight.azimuth_rad, sight.elevation_rad) == pytest.approx((0.4, -0.3))


def test_turn_of_the_camera_stays_within_its_limit():
    sight = centred(camera_towards(), 1.0, 0.0, with_gains("pan", kp=50.0))
    assert sight.azimuth_rad == pytest.approx(CONTROL.pan.limit)


def test_camera_looks_neither_behind_itself_nor_into_the_sky():
    low = centred(camera_towards(0.0, -1.45), 0.0, 1.0)
    high = centred(camera_towards(0.0, 0.45), 0.0, -1.0)
    assert -math.pi / 2 < low.elevation_rad
    assert high.elevation_rad <= 0.5


def test_camera_looks_at_the_track_without_a_detection():
    guidance, loops = follower().guide(inputs(hero_m=(10.0, 10.0, -5.0)))
    assert guidance.line_of_sight.azimuth_rad == pytest.approx(math.pi / 4)
    assert guidance.line_of_sight.elevation_rad == pytest.approx(0.0)
    assert [terms.name for terms in loops] == ["forward"]


def test_camera_leads_a_hero_that_crosses_by_one_frame():
    guidance, _ = follower().guide(inputs(hero_m=(10.0, 0.0, -5.0), hero_mps=(0.0, 3.0)))
    assert guidance.line_of_sight.azimuth_rad == pytest.approx(math.atan2(3.0 * DT_S, 10.0))


def test_camera_compensates_the_vehicle_s_own_motion_by_one_frame():
    guidance, _ = follower().guide(inputs(hero_m=(10.0, 0.0, -5.0), vehicle_mps=(0.0, 3.0, 0.0)))
    assert guidance.line_of_sight.azimuth_rad == pytest.approx(-math.atan2(3.0 * DT_S, 10.0))


def test_nose_is_led_along_the_line_of_sight_at_cruising_altitude():
    guidance, _ = follower().guide(inputs(hero_m=(10.0, 10.0, -5.0)))
    assert guidance.heading_rad == guidance.line_of_sight.azimuth_rad
    assert guidance.altitude_m == CONFIG.mission.altitude_m
    assert guidance.manoeuvre is Manoeuvre.VELOCITY


def test_terms_of_all_loops_are_reported_once_per_frame():
    _, loops = follower().guide(inputs(detection=detection_of(0.2, -0.1)))
    assert [terms.name for terms in loops] == ["forward", "pan", "tilt"]
    assert [terms.error for terms in loops[1:]] == [0.2, -0.1]
    for terms in loops:
        assert terms.p + terms.i + terms.d == pytest.approx(terms.output)


# Velocity


def test_vehicle_approaches_a_distant_hero_and_backs_off_from_a_near_one():
    guide = follower()
    assert approach_mps(guide, WANTED_M) == pytest.approx(0.0)
    assert approach_mps(guide, 1.5 * WANTED_M) == pytest.approx(0.5 * CONTROL.forward.kp)
    assert approach_mps(guide, 0.5 * WANTED_M) == pytest.approx(-0.5 * CONTROL.forward.kp)
    assert approach_mps(guide, 100 * WANTED_M) == CONTROL.forward.limit


def test_error_of_the_forward_loop_is_relative_to_the_wanted_distance():
    _, (forward,) = follower().guide(at_distance(2.0 * WANTED_M))
    assert (forward.name, forward.error) == ("forward", pytest.approx(1.0))


def test_running_hero_is_followed_from_nearer():
    """A running hero gains some metres at each corner."""
    guide = follower()
    assert approach_mps(guide, WANTED_M, hero_mps=5.0) > 0.5
    nearer_m = WANTED_M - 5.0 * CONTROL.closer_s
    assert approach_mps(guide, nearer_m, hero_mps=5.0) == pytest.approx(0.0)
    assert approach_mps(guide, 0.4 * WANTED_M, hero_mps=100.0) < 0.0


def test_restart_forgets_the_integral_of_the_last_pursuit():
    guide = follower(with_gains("forward", ki=1.0))
    for _ in range(50):
        approach_mps(guide, 2.0 * WANTED_M)
    assert approach_mps(guide, WANTED_M) > 1.0
    guide.restart()
    assert approach_mps(guide, WANTED_M) == pytest.approx(0.0)


def test_equal_frames_give_equal_guidance():
    """A replay runs at another speed than the flight: time steps come from the frames."""
    config = with_gains("forward", ki=0.5, kd=0.3)

    def run(guide):
        return [guide.guide(at_distance(distance_m)) for distance_m in (9.0, 8.0, 9.5, 6.0)]

    assert run(follower(config)) == run(follower(config))


@pytest.mark.parametrize("distance_m", [0.6 * WANTED_M, WANTED_M, 1.5 * WANTED_M])
def test_velocity_of_the_hero_is_added_to_that_of_the_approach(distance_m):
    """Feed-forward: without it the vehicle would lag behind by a constant distance."""
    hero_mps = (0.0, 2.0)
    moving, (forward,) = follower().guide(
        inputs(hero_m=(distance_m, 0.0, CAMERA_M[2]), hero_mps=hero_mps)
    )
    north = min(forward.output, distance_m) if forward.output > 0.0 else forward.output
    assert moving.velocity_mps == pytest.approx((north, CONTROL.feed_forward * 2.0))


def test_vehicle_comes_no_nearer_than_the_least_distance_on_the_ground():
    """From high above, the slant range is larger than the wanted distance."""
    below_m = (0.8 * CONTROL.min_distance_m, 0.0, CAMERA_M[2] + 3.0 * WANTED_M)
    guidance, (forward,) = follower().guide(inputs(hero_m=below_m))
    assert forward.output > 0.0
    assert guidance.velocity_mps == pytest.approx((0.0, 0.0))


def test_vehicle_flies_around_the_corner_when_the_hero_is_behind_a_block():
    streets = ((-4.0, -4.0, 44.0, 4.0), (36.0, -4.0, 44.0, 44.0))
    hidden = inputs(hero_m=(40.0, 30.0, -0.95), hero_mps=(0.0, 2.0))
    north, east = follower(streets=streets).guide(hidden)[0].velocity_mps
    assert north > 3.0
    assert east / north == pytest.approx(3.0 / 37.0), "to the corner, not against the boundary"


CORNER = ((-4.0, -4.0, 44.0, 4.0), (36.0, -4.0, 44.0, 44.0))
"""Two streets that meet; the way to the end of the second one."""
PASSAGE = (
    (-4.0, -4.0, 4.0, 4.0),
    (-4.0, 16.0, 4.0, 24.0),
    (-4.0, -64.0, 4.0, 4.0),
    (-64.0, -64.0, 4.0, -56.0),
    (-64.0, -64.0, -56.0, 24.0),
    (-64.0, 16.0, 4.0, 24.0),
)
"""A gap between two places, under a house, and the street around the block."""


def test_hero_who_went_around_a_corner_is_hurried_after():
    at_corner = inputs(hero_m=(37.0, 7.0, -0.95), hero_mps=(0.0, 1.0))
    speeds_mps = []
    for detection in (detection_of(0.0, 0.0), None):
        here = replace(at_corner, detection=detection)
        camera = replace(at_corner.frame.camera, position_m=(34.0, 0.0, CAMERA_M[2]))
        frame = replace(here.frame, camera=camera, vehicle=at_m((34.0, 0.0)))
        here = replace(here, frame=frame)
        north, east = follower(streets=CORNER).guide(here)[0].velocity_mps
        speeds_mps.append(math.hypot(north, east))
    in_sight_mps, hidden_mps = speeds_mps
    assert in_sight_mps < 0.6 * hidden_mps
    assert hidden_mps >= CONFIG.limits.corner_speed_mps


@pytest.mark.parametrize("is_detected", [True, False])
def test_hero_beyond_a_passage_is_watched_from_this_side(is_detected):
    """The way around the block is 300 m long; on it, nobody saw where the hero went."""
    beyond = inputs(hero_m=(0.0, 13.0, -0.95), hero_mps=(0.0, 1.0))
    beyond = replace(beyond, detection=detection_of(0.0, 0.0) if is_detected else None)
    assert follower(streets=PASSAGE).guide(beyond)[0].velocity_mps == (0.0, 0.0)


def test_hero_behind_a_row_of_trees_is_accompanied():
    """The vehicle watched through the trees from where it was, until the hero was far away."""
    outside = ((-60.0, -40.0), (60.0, -40.0), (60.0, -4.0), (-60.0, -4.0))
    beyond = ((-60.0, 4.0), (60.0, 4.0), (60.0, 40.0), (-60.0, 40.0))
    end = ((-60.0, -4.0), (-57.0, -4.0), (-57.0, 4.0), (-60.0, 4.0))
    row = PolygonMap(((outside,), (beyond,), (end,)))
    for at_east_m in (0.0, 3.0):
        hero = inputs(hero_m=(9.0, at_east_m, -0.95), hero_mps=(1.4, 0.0))
        hero = replace(hero, frame=replace(hero.frame, vehicle=at_m((0.0, -6.0))))
        for detection in (detection_of(0.0, 0.0), None):
            north, east = (
                follower(streets=row).guide(replace(hero, detection=detection))[0].velocity_mps
            )
            assert north > 0.5, "along the row"
            assert abs(east) < north


def test_hero_far_beyond_a_passage_is_gone_after():
    """In a park the vehicle hovered for half a minute, with the hero 20 m away across a pond."""
    far_m = (0.0, 2.2 * WANTED_M, -0.95)
    beyond = replace(inputs(hero_m=far_m), detection=detection_of(0.0, 0.0))
    assert follower(streets=PASSAGE).guide(beyond)[0].velocity_mps[1] < -3.0


def turn_rad(config, u, v):
    """How far the pan and the tilt loop turn the camera for a detection there."""
    _, loops = follower(config).guide(inputs(camera_towards(0.0, -0.3), detection_of(u, v)))
    return tuple(next(t.output for t in loops if t.name == name) for name in ("pan", "tilt"))


@pytest.mark.parametrize("size_px", [(160, 400), (320, 240), (480, 160)])
def test_tilt_turns_as_fast_as_pan_whatever_the_shape_of_the_image(size_px):
    """In a wide image `v` stands for smaller angles; taken for large ones the camera oscillates."""
    width_px, height_px = size_px
    camera = CONFIG.camera.model_copy(update={"width_px": width_px, "height_px": height_px})
    config = CONFIG.model_copy(update={"camera": camera})
    offset = 0.1
    pan_rad, tilt_rad = turn_rad(config, offset, offset * width_px / height_px)
    assert tilt_rad / CONTROL.tilt.kp == pytest.approx(pan_rad / CONTROL.pan.kp)
