"""If these fail, the window looks past the vehicle, or a key does not do what its help says."""

import math
from dataclasses import replace

import pytest

from followme_uav.geometry import pixel_of_point, quaternion_from_euler
from followme_uav.sim.pace import SPEEDS, Pace
from followme_uav.sim.viewer.view import (
    ABOVE_VEHICLE_M,
    DISTANCE_RANGE_M,
    ELEVATION_RANGE_RAD,
    KEYS,
    MIN_HEIGHT_M,
    View,
    eye,
    orbit,
    react,
    zoom,
)

PLACE_M = (10.0, -5.0, -8.0)
CENTRE_M = (10.0, -5.0, -8.0 - ABOVE_VEHICLE_M)
EAST = quaternion_from_euler(0.1, -0.1, math.pi / 2)


def free(start_m, direction):
    return math.inf


def test_a_chase_is_behind_the_vehicle_whatever_its_heading():
    north, east, down = eye(View(), PLACE_M, EAST, free).position_m
    assert north == pytest.approx(PLACE_M[0], abs=0.05)
    assert east < PLACE_M[1] - 3.0
    assert down < PLACE_M[2]


@pytest.mark.parametrize("right_px", [-400, 0, 150, 700])
@pytest.mark.parametrize("down_px", [-300, 0, 100, 900])
def test_the_vehicle_stays_in_the_middle_wherever_one_looks_from(right_px, down_px):
    view = orbit(View(), right_px, down_px, math.pi / 2)
    camera = eye(view, PLACE_M, EAST, free)
    u, v, depth_m = pixel_of_point(camera, CENTRE_M)
    assert (u, v) == pytest.approx((0.0, 0.0), abs=1e-6)
    assert depth_m == pytest.approx(view.distance_m)


def test_an_orbit_begins_where_the_chase_was():
    """Else the picture jumps when the mouse is first dragged."""
    chase = eye(View(), PLACE_M, EAST, free).position_m
    nearly = eye(orbit(View(), 1, 0, math.pi / 2), PLACE_M, EAST, free).position_m
    assert math.dist(chase, nearly) < 0.1


def test_an_orbit_does_not_turn_with_the_vehicle():
    view = orbit(View(), 50, 0, 0.0)
    places = [eye(view, PLACE_M, quaternion_from_euler(0, 0, yaw), free) for yaw in (0.0, 1.0)]
    assert places[0].position_m == pytest.approx(places[1].position_m)


def test_a_drag_ends_overhead_and_not_upside_down():
    up = orbit(View(), 0, 1e6, 0.0)
    down = orbit(View(), 0, -1e6, 0.0)
    assert (down.elevation_rad, up.elevation_rad) == ELEVATION_RANGE_RAD


def test_a_click_without_a_drag_leaves_the_chase():
    assert orbit(View(), 0, 0, 1.0) == View()


def test_a_wall_in_between_brings_the_eye_closer():
    """Behind a wall there is nothing to see."""
    asked = []

    def wall(start_m, direction):
        asked.append((start_m, direction))
        return 3.0

    camera = eye(View(distance_m=10.0), PLACE_M, EAST, wall)
    assert math.dist(camera.position_m, CENTRE_M) < 3.0
    start_m, direction = asked[0]
    assert start_m == CENTRE_M
    assert math.hypot(*direction) == pytest.approx(1.0)


def test_the_eye_stays_above_the_ground():
    low = View(elevation_rad=ELEVATION_RANGE_RAD[0], azimuth_rad=0.0, distance_m=50.0)
    assert eye(low, (0.0, 0.0, -0.12), EAST, free).position_m[2] == -MIN_HEIGHT_M


def test_the_wheel_goes_closer_and_back_between_limits():
    view = View()
    assert zoom(zoom(view, 1), -1).distance_m == pytest.approx(view.distance_m)
    assert (
        react(view, "wheel_up").distance_m < view.distance_m < react(view, "wheel_down").distance_m
    )
    assert (zoom(view, 999).distance_m, zoom(view, -999).distance_m) == DISTANCE_RANGE_M


def test_speeds_go_up_and_down_one_by_one_and_end():
    view, seen = View(), []
    for _ in range(2 * len(SPEEDS)):
        view = react(view, "-")
    for _ in range(2 * len(SPEEDS)):
        seen.append(view.pace.speed)
        view = react(view, "=")
    assert tuple(dict.fromkeys(seen)) == SPEEDS
    assert seen[-1] == SPEEDS[-1] == 8.0
    assert react(view, "1").pace.speed == 1.0


def test_space_holds_and_lets_go():
    held = react(View(), "space")
    assert held.pace == Pace(held=True)
    assert react(held, "space") == View()


def test_c_comes_back_to_the_chase_and_keeps_the_rest():
    away = replace(orbit(zoom(View(), 3), 100, 50, 0.0), mask=False, pace=Pace(speed=4.0))
    assert react(away, "c") == View(mask=False, pace=Pace(speed=4.0))


def test_escape_quits():
    assert react(View(), "escape").pace.quit


def test_every_key_changes_something_and_no_event_has_two_keys():
    start = replace(orbit(View(), 9, 9, 0.0), pace=Pace(speed=2.0))
    events = [event for key in KEYS for event in key.events]
    assert len(events) == len(set(events))
    for event in events:
        assert react(start, event) != start, event


@pytest.mark.parametrize("event", ["", "z", "mouse2", "f1", "window-changed"])
def test_other_events_change_nothing(event):
    assert react(View(), event) == View()
