"""If these fail, the vehicle does not find the hero, does not keep up, or follows nobody."""

import math

import pytest
from followme_uav.pilot.keep_in import contains

from followme_uav.config import load_config
from followme_uav.messages import Manoeuvre, MaskClass, MissionState
from followme_uav.pilot.pilot import Pilot
from tests.toy_world import ToyWorld

CONFIG = load_config()
FOLLOW = MissionState.FOLLOW


def walk(start, speed_mps, heading_deg=0.0):
    north, east = (
        speed_mps * math.cos(math.radians(heading_deg)),
        speed_mps * math.sin(math.radians(heading_deg)),
    )
    return lambda time_s: (start[0] + north * time_s, start[1] + east * time_s)


def start(route, config=CONFIG):
    world = ToyWorld(route)
    return world, Pilot(config, world.mask)


def image_error(step):
    return max(abs(step.detection.u), abs(step.detection.v))


def test_nobody_there_means_patrol_along_the_streets():
    world, pilot = start(lambda _: None)
    steps = world.fly(pilot, 60.0)
    assert steps[-1].state is MissionState.PATROL
    assert not any(step.detection for step in steps)
    assert math.hypot(*world.position[:2]) > 20.0
    assert -world.position[2] == pytest.approx(CONFIG.mission.altitude_m, abs=0.3)


def test_a_false_alarm_does_not_hide_her_who_stands_on_the_other_side():
    """Each interruption began the sweep anew, to the right; she stood on the left, 16 m away."""
    glimpses = [(2.0 + 3.0 * i, 2.3 + 3.0 * i) for i in range(20)]

    def red_leaves(time_s):
        return (12.0, 30.0) if any(start <= time_s < end for start, end in glimpses) else None

    world = ToyWorld(walk((10.0, -9.0), 0.0), others=(red_leaves,))
    steps = world.fly(Pilot(CONFIG, world.mask), 20.0)
    assert steps[-1].state is FOLLOW


def test_the_patrol_passes_every_crossing():
    world, pilot = start(lambda _: None, load_config(overrides=["duration_s=1000"]))
    missing = set(CONFIG.simulator.patrol_waypoints_m)
    for _ in range(4000):
        world.obey(pilot.step(world.frame()).command)
        missing -= {point for point in missing if math.dist(point, world.position[:2]) < 4.0}
    assert not missing


def test_during_the_climb_nobody_is_located():
    """From a metre up she seems to stand anywhere between 10 and 30 m, and was lost at once."""
    world, pilot = start(walk((15.0, 6.0), 0.0))
    for _ in range(80):
        step, altitude_m = pilot.step(world.frame()), -world.position[2]
        lowest_m = CONFIG.limits.min_altitude_m - CONFIG.limits.sink_m
        assert step.detection is None or altitude_m >= lowest_m
        world.obey(step.command)
    assert step.state in (MissionState.ACQUIRE, FOLLOW)


@pytest.mark.parametrize("speed_mps", [0.0, 1.4, 2.5])
def test_a_hero_who_walks_up_the_street_is_followed(speed_mps):
    world, pilot = start(walk((15.0, 6.0), speed_mps))
    world.fly(pilot, 15.0)
    steps = world.fly(pilot, 15.0)
    assert {step.state for step in steps} == {FOLLOW}
    assert max(image_error(step) for step in steps) < 0.25
    assert world.distance_m() == pytest.approx(CONFIG.control.wanted_distance_m, rel=0.3)


def test_a_hero_who_comes_closer_is_kept_at_a_distance():
    world, pilot = start(walk((25.0, 0.0), 1.2, heading_deg=180.0))
    for _ in range(200):
        step = pilot.step(world.frame())
        world.obey(step.command)
        if step.state is FOLLOW:
            assert world.distance_m() > CONFIG.control.min_distance_m


def test_she_turns_a_corner_and_stays_followed():
    def route(time_s):
        return (15.0 + 1.4 * min(time_s, 33.0), 6.0 + 1.4 * max(0.0, time_s - 33.0))

    world, pilot = start(route)
    world.fly(pilot, 15.0)
    steps = world.fly(pilot, 40.0)
    assert {step.state for step in steps} == {FOLLOW}


def test_the_vehicle_stays_over_the_streets_when_she_does_not():
    world, pilot = start(walk((12.0, 2.0), 1.4, heading_deg=70.0))
    for _ in range(300):
        world.obey(pilot.step(world.frame()).command)
        assert contains(CONFIG.simulator.flyable_m, world.position[:2])


def test_a_hero_who_vanishes_is_searched_for_where_she_was_heading_and_found():
    def route(time_s):
        if 20.0 < time_s < 24.0:
            return None
        return (15.0 + 1.4 * time_s, 6.0)

    world, pilot = start(route)
    world.fly(pilot, 19.0)
    states = [step.state for step in world.fly(pilot, 14.0)]
    assert MissionState.SEARCH in states
    assert states[-1] is FOLLOW


def test_a_red_bush_that_is_never_confirmed_does_not_stop_the_patrol():
    """From afar it looks like her, but stands off the street and never becomes large enough."""
    world, pilot = start(lambda _: (30.0, -30.0))
    nearest_m = math.inf
    for _ in range(450):
        world.obey(pilot.step(world.frame()).command)
        nearest_m = min(nearest_m, math.dist(world.position[:2], (60.0, 60.0)))
    assert nearest_m < 10.0


def test_who_was_doubted_is_confirmed_like_a_stranger():
    """In a crimson coat he was in doubt every half minute, and followed again after 0.3 s."""
    world = ToyWorld(walk((15.0, 6.0), 0.5))
    looks_wrong = False

    def mask(frame):
        seen = world.mask(frame)
        if looks_wrong:
            seen = seen.copy()
            seen[::2, :, MaskClass.PEOPLE] = seen[::2, :, MaskClass.HERO]
            seen[::2, :, MaskClass.HERO] = 0
        return seen

    pilot = Pilot(CONFIG, mask)
    assert world.fly(pilot, 15.0)[-1].state is FOLLOW
    looks_wrong = True
    while pilot.state is FOLLOW:
        world.fly(pilot, 0.1)
    looks_wrong = False
    steps = world.fly(pilot, 3.0)
    doubted = [step.state for step in steps].index(FOLLOW)
    assert doubted >= CONFIG.mission.acquire_frames - 1


def test_the_nose_turns_after_the_camera():
    world, pilot = start(walk((0.0, 15.0), 0.0))
    steps = world.fly(pilot, 25.0)
    assert steps[-1].state is FOLLOW
    assert abs(steps[-1].command.camera_pan_rad) < 0.1
    bearing_rad = math.atan2(15.0 - world.position[1], 0.0 - world.position[0])
    assert world.yaw_rad == pytest.approx(bearing_rad, abs=0.1)


def test_blindness_hovers_and_sight_resumes():
    world, pilot = start(walk((15.0, 6.0), 0.5))
    world.fly(pilot, 15.0)
    world.blind = True
    world.fly(pilot, CONFIG.mission.image_gap_s + 0.1)
    steps = world.fly(pilot, 2.0)
    assert {step.command.manoeuvre for step in steps} == {Manoeuvre.HOVER}
    world.blind = False
    states = [step.state for step in world.fly(pilot, 10.0)]
    assert states[-1] is FOLLOW
    assert MissionState.PATROL not in states


def test_the_flight_ends_on_the_ground_in_the_middle_of_a_street():
    world, pilot = start(walk((15.0, 6.0), 0.3), load_config(overrides=["duration_s=20"]))
    world.fly(pilot, 60.0)
    assert pilot.state is MissionState.DONE
    assert abs(world.position[1]) < 2.0
    assert world.position[2] == pytest.approx(0.0, abs=0.3)


def test_from_behind_a_block_it_flies_around_it_to_land():
    """It hung in the air at the block's edge until the landing was given up."""
    world, pilot = start(lambda _: None, load_config(overrides=["duration_s=4"]))
    world.position = (-102.0, 23.0, 0.0)
    steps = world.fly(pilot, 60.0)
    assert steps[-1].state is MissionState.DONE
    assert world.position[2] == pytest.approx(0.0, abs=0.3)


def test_the_same_frames_give_the_same_steps():
    first, second = (start(walk((15.0, 6.0), 1.4)) for _ in range(2))
    for one, two in zip(first[0].fly(first[1], 20.0), second[0].fly(second[1], 20.0), strict=True):
        assert one.command == two.command
        assert one.detection == two.detection


def test_speed_and_acceleration_stay_within_limits():
    world, pilot = start(walk((20.0, 6.0), 5.0))
    last = (0.0, 0.0, 0.0)
    for step in world.fly(pilot, 40.0):
        velocity = step.command.velocity_mps
        assert math.hypot(*velocity[:2]) <= CONFIG.limits.speed_mps + 1e-9
        if step.transition is None and step.command.manoeuvre is Manoeuvre.VELOCITY:
            # The boundary may stop the vehicle faster than comfort would.
            change = math.hypot(velocity[0] - last[0], velocity[1] - last[1])
            speeds_up = math.hypot(*velocity[:2]) > math.hypot(*last[:2])
            assert not speeds_up or change <= 0.1 * CONFIG.limits.acceleration_mps2 + 0.2
        last = velocity


def test_without_a_map_she_is_not_followed_beyond_the_fence():
    """On a simulator without a street map nothing else would end the pursuit."""
    simulator = CONFIG.simulator.model_copy(update={"flyable_m": ()})
    limits = CONFIG.limits.model_copy(update={"geofence_m": 40.0})
    config = CONFIG.model_copy(update={"simulator": simulator, "limits": limits})
    world, pilot = start(walk((12.0, 3.0), 2.0), config)
    for _ in range(400):
        world.obey(pilot.step(world.frame()).command)
        assert max(abs(x) for x in world.position[:2]) <= 40.0
    assert world.position[0] > 38.0
