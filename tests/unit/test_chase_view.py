"""View of the window: the camera keeps the vehicle centred, and each key has its effect."""

import math
from dataclasses import replace

import pytest

from followme_uav.geometry import pixel_of_point, quaternion_from_euler
from followme_uav.sim.pace import SPEEDS, Pace
from followme_uav.sim.viewer.chase_view import (
    ABOVE_VEHICLE_M,
    DISTANCE_RANGE_M,
    ELEVATION_RANGE_RAD,
    MIN_HEIGHT_M,
    ChaseView,
    camera_pose,
    orbit,
    zoom,
)
from followme_uav.sim.viewer.key_bindings import KEY_BINDINGS, react

PLACE_M = (10.0, -5.0, -8.0)
CENTRE_M = (10.0, -5.0, -8.0 - ABOVE_VEHICLE_M)
EAST = quaternion_from_euler(0.1, -0.1, math.pi / 2)


def free(start_m, direction):
    return math.inf


def test_chase_camera_is_behind_a_vehicle_that_faces_east():
    north, east, down = camera_pose(ChaseView(), PLACE_M, EAST, free).position_m
    assert north == pytest.approx(PLACE_M[0], abs=0.05)
    assert east < PLACE_M[1] - 3.0
    assert down < PLACE_M[2]


@pytest.mark.parametrize("right_px", [-400, 0, 150, 700])
@pytest.mark.parametrize("down_px", [-300, 0, 100, 900])
def test_vehicle_stays_centred_after_any_drag(right_px, down_px):
    view = orbit(ChaseView(), right_px, down_px, math.pi / 2)
    camera = camera_pose(view, PLACE_M, EAST, free)
    u, v, depth_m = pixel_of_point(camera, CENTRE_M)
    assert (u, v) == pytest.approx((0.0, 0.0), abs=1e-6)
    assert depth_m == pytest.approx(view.distance_m)


def test_orbit_begins_at_the_chase_camera():
    """Otherwise the image jumps at the first drag of the mouse."""
    chase = camera_pose(ChaseView(), PLACE_M, EAST, free).position_m
    nearly = camera_pose(orbit(ChaseView(), 1, 0, math.pi / 2), PLACE_M, EAST, free).position_m
    assert math.dist(chase, nearly) < 0.1


def test_orbit_does_not_turn_with_the_vehicle():
    view = orbit(ChaseView(), 50, 0, 0.0)
    places = [
        camera_pose(view, PLACE_M, quaternion_from_euler(0, 0, yaw), free) for yaw in (0.0, 1.0)
    ]
    assert places[0].position_m == pytest.approx(places[1].position_m)


def test_long_drags_end_at_the_limits_of_elevation():
    up = orbit(ChaseView(), 0, 1e6, 0.0)
    down = orbit(ChaseView(), 0, -1e6, 0.0)
    assert (down.elevation_rad, up.elevation_rad) == ELEVATION_RANGE_RAD


def test_click_without_a_drag_keeps_the_chase():
    assert orbit(ChaseView(), 0, 0, 1.0) == ChaseView()


def test_wall_in_between_brings_the_camera_closer():
    """A camera behind the wall would show the wall alone."""
    rays = []

    def wall(start_m, direction):
        rays.append((start_m, direction))
        return 3.0

    camera = camera_pose(ChaseView(distance_m=10.0), PLACE_M, EAST, wall)
    assert math.dist(camera.position_m, CENTRE_M) < 3.0
    start_m, direction = rays[0]
    assert start_m == CENTRE_M
    assert math.hypot(*direction) == pytest.approx(1.0)


def test_camera_stays_above_the_ground():
    low = ChaseView(elevation_rad=ELEVATION_RANGE_RAD[0], azimuth_rad=0.0, distance_m=50.0)
    assert camera_pose(low, (0.0, 0.0, -0.12), EAST, free).position_m[2] == -MIN_HEIGHT_M


def test_wheel_changes_the_distance_between_limits():
    view = ChaseView()
    assert zoom(zoom(view, 1), -1).distance_m == pytest.approx(view.distance_m)
    assert (
        react(view, "wheel_up").distance_m < view.distance_m < react(view, "wheel_down").distance_m
    )
    assert (zoom(view, 999).distance_m, zoom(view, -999).distance_m) == DISTANCE_RANGE_M


def test_keys_step_through_all_speeds_and_stop_at_the_ends():
    view, seen = ChaseView(), []
    for _ in range(2 * len(SPEEDS)):
        view = react(view, "-")
    for _ in range(2 * len(SPEEDS)):
        seen.append(view.pace.speed)
        view = react(view, "=")
    assert tuple(dict.fromkeys(seen)) == SPEEDS
    assert seen[-1] == SPEEDS[-1] == 8.0
    assert react(view, "1").pace.speed == 1.0


def test_space_holds_time_and_releases_it():
    held = react(ChaseView(), "space")
    assert held.pace == Pace(held=True)
    assert react(held, "space") == ChaseView()


def test_c_returns_to_the_chase_and_keeps_mask_and_pace():
    away = replace(orbit(zoom(ChaseView(), 3), 100, 50, 0.0), mask=False, pace=Pace(speed=4.0))
    assert react(away, "c") == ChaseView(mask=False, pace=Pace(speed=4.0))


def test_escape_quits():
    assert react(ChaseView(), "escape").pace.quit


def test_each_key_has_an_effect_and_no_event_has_two_keys():
    start = replace(orbit(ChaseView(), 9, 9, 0.0), pace=Pace(speed=2.0))
    events = [event for binding in KEY_BINDINGS for event in binding.events]
    assert len(events) == len(set(events))
    for event in events:
        assert react(start, event) != start, event


@pytest.mark.parametrize("event", ["", "z", "mouse2", "f1", "window-changed"])
def test_unknown_events_change_nothing(event):
    assert react(ChaseView(), event) == ChaseView()
