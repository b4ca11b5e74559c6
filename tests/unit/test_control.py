"""Guidance -> Command: altitude, yaw, camera angles, limits, geofence, obstacle avoidance."""

import math
from dataclasses import replace

import pytest

from followme_uav.config import GroundGrid, load_config
from followme_uav.geometry import quaternion_from_euler
from followme_uav.messages import (
    CameraPose,
    Frame,
    Guidance,
    LineOfSight,
    Manoeuvre,
    VehicleState,
)
from followme_uav.pilot.control import Control
from followme_uav.pilot.guidance.inputs import GuidanceInputs

CONFIG = load_config()
CONTROL, LIMITS = CONFIG.control, CONFIG.limits
DT_S = 0.1
CRUISE = Guidance(Manoeuvre.VELOCITY, altitude_m=5.0)
TILT_RAD = math.radians(CONFIG.patrol.tilt_deg)


def inputs(
    altitude_m=5.0,
    position_m=(0.0, 0.0),
    yaw_rad=0.0,
    turn_radps=0.0,
    time_s=0.0,
    obstacles_m=(),
    velocity_mps=(0.0, 0.0, 0.0),
):
    place = (*position_m, -altitude_m)
    body = quaternion_from_euler(0.0, 0.0, yaw_rad)
    vehicle = VehicleState(time_s, place, velocity_mps, body, (0.0, 0.0, turn_radps))
    frame = Frame(0, time_s, None, CameraPose(place, body, 1.0), vehicle, obstacles_m=obstacles_m)
    return GuidanceInputs(frame, altitude_m, None, None, DT_S, DT_S)


def settled(guidance, given, config=CONFIG, frames=30):
    """The command after the limit of the acceleration has been met, where the vehicle obeys."""
    control = Control(config)
    for _ in range(frames):
        command, loops = control.command(guidance, given)
        vehicle = replace(given.frame.vehicle, velocity_mps=command.velocity_mps)
        given = replace(given, frame=replace(given.frame, vehicle=vehicle))
    return command, loops


def test_vehicle_slows_down_where_the_ground_rises_faster_than_it_climbs():
    """Else it would fly into the slope."""
    slope = GroundGrid(
        south_m=-100.0,
        west_m=-100.0,
        spacing_m=200.0,
        heights_m=((0.0, 0.0), (80.0, 80.0)),
    )
    profile = CONFIG.simulator.model_copy(update={"ground": slope, "flyable_m": ()})
    config = CONFIG.model_copy(update={"simulator": profile})
    fast = replace(CRUISE, velocity_mps=(8.0, 0.0))
    command, _ = settled(fast, inputs(velocity_mps=(8.0, 0.0, 0.0)), config, frames=60)
    steepest = CONFIG.control.altitude.limit / 0.3
    assert command.velocity_mps[0] == pytest.approx(steepest, abs=0.8)
    level, _ = settled(fast, inputs(velocity_mps=(8.0, 0.0, 0.0)), frames=60)
    assert level.velocity_mps[0] > 7.0


def test_ground_that_a_low_vehicle_sees_is_no_obstacle():
    """Noted during take-off, it would drive the vehicle back and aside for seconds."""
    fast, control = replace(CRUISE, velocity_mps=(6.0, 0.0)), Control(CONFIG)
    control.command(fast, inputs(altitude_m=1.2, obstacles_m=((1.5, 0.0, -0.3),)))
    for i in range(20):
        command, _ = control.command(fast, inputs(time_s=0.1 * i, velocity_mps=(6.0, 0.0, 0.0)))
    assert command.velocity_mps[0] == pytest.approx(6.0, abs=0.1)


def climb_mps(altitude_m, wanted_m):
    command, _ = Control(CONFIG).command(replace(CRUISE, altitude_m=wanted_m), inputs(altitude_m))
    return -command.velocity_mps[2]


def yaw_rate_radps(heading_rad, yaw_rad=0.0):
    guidance = replace(CRUISE, heading_rad=heading_rad)
    return Control(CONFIG).command(guidance, inputs(yaw_rad=yaw_rad))[0].yaw_rate_radps


def test_vehicle_climbs_when_too_low_and_sinks_when_too_high():
    assert climb_mps(3.0, 4.0) == pytest.approx(CONTROL.altitude.kp)
    assert climb_mps(5.0, 4.0) == pytest.approx(-CONTROL.altitude.kp)
    assert climb_mps(0.0, 50.0) == CONTROL.altitude.limit


@pytest.mark.parametrize(
    ("wanted_m", "allowed_m"),
    [(0.5, LIMITS.min_altitude_m), (99.0, LIMITS.max_altitude_m), (5.0, 5.0)],
)
def test_altitude_to_hold_stays_within_limits(wanted_m, allowed_m):
    assert climb_mps(allowed_m, wanted_m) == pytest.approx(0.0)


def test_nose_turns_towards_the_heading_by_the_short_way():
    assert yaw_rate_radps(0.2) == pytest.approx(0.2 * CONTROL.yaw.kp)
    assert yaw_rate_radps(-0.2) == pytest.approx(-0.2 * CONTROL.yaw.kp)
    assert yaw_rate_radps(3.0) == CONTROL.yaw.limit
    assert yaw_rate_radps(-3.0, yaw_rad=3.0) == pytest.approx(
        CONTROL.yaw.kp * (2.0 * math.pi - 6.0)
    )


def test_nose_does_not_turn_without_a_heading():
    command, loops = Control(CONFIG).command(CRUISE, inputs())
    assert command.yaw_rate_radps == 0.0
    assert [terms.name for terms in loops] == ["altitude"]


def test_terms_of_both_loops_are_reported_once_per_command():
    control, guidance = Control(CONFIG), replace(CRUISE, altitude_m=6.0, heading_rad=-0.2)
    for _ in range(2):
        command, loops = control.command(guidance, inputs())
        assert [terms.name for terms in loops] == ["altitude", "yaw"]
        altitude, yaw = loops
        assert (altitude.error, yaw.error) == (pytest.approx(1.0), pytest.approx(-0.2))
        assert altitude.output == pytest.approx(-command.velocity_mps[2])
        assert yaw.output == command.yaw_rate_radps == pytest.approx(-0.2 * CONTROL.yaw.kp)


@pytest.mark.parametrize("manoeuvre", [Manoeuvre.TAKEOFF, Manoeuvre.HOVER, Manoeuvre.LAND])
def test_command_without_velocity_stands_still_and_looks_ahead(manoeuvre):
    guidance = Guidance(manoeuvre, velocity_mps=(3.0, 3.0))
    command, loops = Control(CONFIG).command(guidance, inputs())
    assert (command.manoeuvre, command.velocity_mps) == (manoeuvre, (0.0, 0.0, 0.0))
    assert (command.yaw_rate_radps, command.camera_pan_rad) == (0.0, 0.0)
    assert command.camera_tilt_rad == pytest.approx(TILT_RAD)
    assert loops == ()


def test_vehicle_sinks_at_the_descent_speed_when_no_altitude_is_to_be_held():
    guidance = Guidance(Manoeuvre.VELOCITY, velocity_mps=(0.3, 0.0), descent_mps=1.0)
    command, loops = Control(CONFIG).command(guidance, inputs(altitude_m=1.5))
    assert command.velocity_mps == pytest.approx((0.3, 0.0, 1.0))
    assert (command.yaw_rate_radps, loops) == (0.0, ())


def test_vehicle_climbs_first_below_the_least_altitude():
    """Parked cars and pedestrians are down there."""
    guidance = replace(CRUISE, velocity_mps=(3.0, 0.0))
    lowest_m = LIMITS.min_altitude_m - LIMITS.sink_m
    low, _ = Control(CONFIG).command(guidance, inputs(lowest_m - 0.1))
    high, _ = Control(CONFIG).command(guidance, inputs(lowest_m + 0.1))
    assert low.velocity_mps[:2] == (0.0, 0.0)
    assert low.velocity_mps[2] < 0.0
    assert high.velocity_mps[0] > 0.0


def test_camera_angles_give_the_line_of_sight_relative_to_the_nose():
    guidance = replace(CRUISE, line_of_sight=LineOfSight(1.0, -0.4))
    command, _ = Control(CONFIG).command(guidance, inputs(yaw_rad=0.7))
    assert command.camera_pan_rad == pytest.approx(0.3)
    assert command.camera_tilt_rad == pytest.approx(-0.4)


@pytest.mark.parametrize(("camera_pose_frame", "turned_rad"), [("body", 0.05), ("world", 0.0)])
def test_camera_angles_allow_for_the_turn_of_the_body_until_the_next_frame(
    camera_pose_frame, turned_rad
):
    """A simulator that keeps the camera's direction in the world itself needs no allowance."""
    simulator = CONFIG.simulator.model_copy(update={"camera_pose_frame": camera_pose_frame})
    config = CONFIG.model_copy(update={"simulator": simulator})
    guidance = replace(CRUISE, line_of_sight=LineOfSight(0.3, 0.0))
    command, _ = Control(config).command(guidance, inputs(turn_radps=0.5))
    assert command.camera_pan_rad == pytest.approx(0.3 - turned_rad)


def test_velocity_stays_within_the_limits_of_speed_and_acceleration():
    guidance = replace(CRUISE, velocity_mps=(50.0, 0.0))
    first, _ = Control(CONFIG).command(guidance, inputs(position_m=(-30.0, 0.0)))
    assert first.velocity_mps[0] == pytest.approx(LIMITS.acceleration_mps2 * DT_S)
    last, _ = settled(guidance, inputs(position_m=(-30.0, 0.0)))
    assert last.velocity_mps[0] == pytest.approx(LIMITS.speed_mps)


def test_vehicle_speeds_up_from_rest_after_a_stop():
    control, guidance = Control(CONFIG), replace(CRUISE, velocity_mps=(5.0, 0.0))
    control.command(guidance, inputs())
    control.command(guidance, inputs())
    control.stop()
    command, _ = control.command(guidance, inputs())
    assert command.velocity_mps[0] == pytest.approx(LIMITS.acceleration_mps2 * DT_S, rel=0.02)


def test_vehicle_speeds_up_from_the_limited_velocity():
    """Otherwise the limiter would run ahead of a vehicle that the geofence holds back."""
    control, at_the_edge = Control(CONFIG), inputs(position_m=(-30.0, 7.0))
    for _ in range(20):
        command, _ = control.command(replace(CRUISE, velocity_mps=(0.0, 5.0)), at_the_edge)
    assert abs(command.velocity_mps[1]) < 0.6
    command, _ = control.command(replace(CRUISE, velocity_mps=(0.0, -5.0)), at_the_edge)
    assert command.velocity_mps[1] < -0.3


def test_vehicle_stays_inside_the_geofence_without_a_map():
    simulator = CONFIG.simulator.model_copy(update={"flyable_m": ()})
    config = CONFIG.model_copy(update={"simulator": simulator})
    guidance = replace(CRUISE, velocity_mps=(5.0, 0.0))
    inside, _ = settled(guidance, inputs(position_m=(LIMITS.geofence_m - 50.0, 0.0)), config)
    outside, _ = settled(guidance, inputs(position_m=(LIMITS.geofence_m + 5.0, 0.0)), config)
    assert inside.velocity_mps[0] == pytest.approx(5.0)
    assert outside.velocity_mps[0] < 0.0


def test_vehicle_keeps_clear_of_obstacles_that_were_in_view_while_it_hovered():
    control, guidance = Control(CONFIG), replace(CRUISE, velocity_mps=(5.0, 0.0))
    wall = tuple((2.0, east, -5.0) for east in (-1.0, 0.0, 1.0))
    control.command(Guidance(Manoeuvre.HOVER), inputs(obstacles_m=wall))
    for i in range(1, 20):
        command, _ = control.command(guidance, inputs(time_s=0.1 * i))
    assert command.velocity_mps[0] < 0.3
