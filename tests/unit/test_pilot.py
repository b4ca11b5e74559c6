"""The whole pilot in a small world, from patrol to landing, and what each step carries."""

import math

import pytest

from followme_uav.config import load_config
from followme_uav.messages import Manoeuvre, MaskClass, MissionState, Outcome
from followme_uav.perception.detection import detect
from followme_uav.pilot.navigation.street_map import contains
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


def start(route, config=CONFIG, **world):
    world = ToyWorld(route, **world)
    return world, Pilot(config, world.mask)


def image_error(step):
    return max(abs(step.detection.u), abs(step.detection.v))


# Patrol and ACQUIRE


def test_vehicle_patrols_along_the_streets_while_the_hero_is_absent():
    world, pilot = start(lambda _: None)
    steps = world.fly(pilot, 60.0)
    assert steps[-1].state is MissionState.PATROL
    assert not any(step.detection for step in steps)
    assert math.hypot(*world.position[:2]) > 20.0
    assert -world.position[2] == pytest.approx(CONFIG.mission.altitude_m, abs=0.3)


def test_hero_on_the_other_side_is_found_in_spite_of_repeated_false_alarms():
    """A sweep that began anew after each interruption would never reach the left side."""
    alarms = [(2.0 + 3.0 * i, 2.3 + 3.0 * i) for i in range(20)]

    def red_leaves(time_s):
        return (12.0, 30.0) if any(begin <= time_s < end for begin, end in alarms) else None

    world, pilot = start(walk((10.0, -9.0), 0.0), others=(red_leaves,))
    assert world.fly(pilot, 20.0)[-1].state is FOLLOW


def test_patrol_passes_every_waypoint():
    world, pilot = start(lambda _: None, load_config(overrides=["duration_s=1000"]))
    missing = set(CONFIG.simulator.patrol_waypoints_m)
    for _ in range(4000):
        world.obey(pilot.step(world.frame()).command)
        missing -= {point for point in missing if math.dist(point, world.position[:2]) < 4.0}
    assert not missing


def test_detections_do_not_count_during_the_climb():
    """From 1 m up, the range of a detection may be anything between 10 and 30 m."""
    world, pilot = start(walk((15.0, 6.0), 0.0))
    for _ in range(80):
        step, altitude_m = pilot.step(world.frame()), -world.position[2]
        assert step.detection is None or altitude_m >= CONFIG.limits.low_altitude_m
        world.obey(step.command)
    assert step.state in (MissionState.ACQUIRE, FOLLOW)


def test_red_bush_that_is_never_confirmed_does_not_stop_the_patrol():
    """From afar it resembles the hero, but it stands off the street, out of reach."""
    world, pilot = start(lambda _: (30.0, -30.0))
    nearest_m = math.inf
    for _ in range(450):
        world.obey(pilot.step(world.frame()).command)
        nearest_m = min(nearest_m, math.dist(world.position[:2], (60.0, 60.0)))
    assert nearest_m < 10.0


# FOLLOW and SEARCH


@pytest.mark.parametrize("speed_mps", [0.0, 1.4, 2.5])
def test_hero_that_walks_along_the_street_is_followed_at_the_wanted_distance(speed_mps):
    world, pilot = start(walk((15.0, 6.0), speed_mps))
    world.fly(pilot, 15.0)
    steps = world.fly(pilot, 15.0)
    assert {step.state for step in steps} == {FOLLOW}
    assert max(image_error(step) for step in steps) < 0.25
    assert world.distance_m() == pytest.approx(CONFIG.control.wanted_distance_m, rel=0.3)


def test_vehicle_keeps_its_distance_from_a_hero_that_comes_nearer():
    world, pilot = start(walk((25.0, 0.0), 1.2, heading_deg=180.0))
    for _ in range(200):
        step = pilot.step(world.frame())
        world.obey(step.command)
        if step.state is FOLLOW:
            assert world.distance_m() > CONFIG.control.min_distance_m


def test_hero_that_turns_a_corner_is_followed_on():
    def route(time_s):
        return (15.0 + 1.4 * min(time_s, 33.0), 6.0 + 1.4 * max(0.0, time_s - 33.0))

    world, pilot = start(route)
    world.fly(pilot, 15.0)
    steps = world.fly(pilot, 40.0)
    assert {step.state for step in steps} == {FOLLOW}


def test_vehicle_stays_over_the_streets_when_the_hero_leaves_them():
    world, pilot = start(walk((12.0, 2.0), 1.4, heading_deg=70.0))
    for _ in range(300):
        world.obey(pilot.step(world.frame()).command)
        assert contains(CONFIG.simulator.flyable_m, world.position[:2])


def test_hero_that_vanishes_for_four_seconds_is_searched_for_and_found():
    def route(time_s):
        if 20.0 < time_s < 24.0:
            return None
        return (15.0 + 1.4 * time_s, 6.0)

    world, pilot = start(route)
    world.fly(pilot, 19.0)
    states = [step.state for step in world.fly(pilot, 14.0)]
    assert MissionState.SEARCH in states
    assert states[-1] is FOLLOW


def test_hero_that_was_in_doubt_needs_the_full_confirmation_again():
    """Otherwise another person in a crimson coat is followed again after 0.3 s."""
    world = ToyWorld(walk((15.0, 6.0), 0.5))
    looks_wrong = False

    def mask(frame):
        exact = world.mask(frame)
        if looks_wrong:
            exact = exact.copy()
            exact[::2, :, MaskClass.PEOPLE] = exact[::2, :, MaskClass.HERO]
            exact[::2, :, MaskClass.HERO] = 0
        return exact

    pilot = Pilot(CONFIG, mask)
    assert world.fly(pilot, 15.0)[-1].state is FOLLOW
    looks_wrong = True
    while pilot.state is FOLLOW:
        world.fly(pilot, 0.1)
    looks_wrong = False
    steps = world.fly(pilot, 3.0)
    confirmed_at = [step.state for step in steps].index(FOLLOW)
    assert confirmed_at >= CONFIG.mission.acquire_frames - 1


def test_nose_turns_after_the_camera():
    world, pilot = start(walk((0.0, 15.0), 0.0))
    steps = world.fly(pilot, 25.0)
    assert steps[-1].state is FOLLOW
    assert abs(steps[-1].command.camera_pan_rad) < 0.1
    bearing_rad = math.atan2(15.0 - world.position[1], 0.0 - world.position[0])
    assert world.yaw_rad == pytest.approx(bearing_rad, abs=0.1)


# Faults, limits, landing


def test_vehicle_hovers_without_images_and_follows_again_with_them():
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


def test_flight_ends_on_the_ground_in_the_middle_of_a_street():
    world, pilot = start(walk((15.0, 6.0), 0.3), load_config(overrides=["duration_s=20"]))
    world.fly(pilot, 60.0)
    assert pilot.state is MissionState.DONE
    assert abs(world.position[1]) < 2.0
    assert world.position[2] == pytest.approx(0.0, abs=0.3)


def test_vehicle_behind_a_block_flies_around_it_to_land():
    world, pilot = start(lambda _: None, load_config(overrides=["duration_s=4"]))
    world.position = (-102.0, 23.0, 0.0)
    steps = world.fly(pilot, 60.0)
    assert steps[-1].state is MissionState.DONE
    assert world.position[2] == pytest.approx(0.0, abs=0.3)


def test_equal_frames_give_equal_steps():
    first, second = (start(walk((15.0, 6.0), 1.4)) for _ in range(2))
    for one, two in zip(first[0].fly(first[1], 20.0), second[0].fly(second[1], 20.0), strict=True):
        assert one.command == two.command
        assert one.detection == two.detection
        assert one.candidates == two.candidates
        assert (one.inputs, one.guidance, one.track) == (two.inputs, two.guidance, two.track)


def test_speed_and_acceleration_stay_within_limits():
    world, pilot = start(walk((20.0, 6.0), 5.0))
    last = (0.0, 0.0, 0.0)
    for step in world.fly(pilot, 40.0):
        velocity = step.command.velocity_mps
        assert math.hypot(*velocity[:2]) <= CONFIG.limits.speed_mps + 1e-9
        if step.transition is None and step.command.manoeuvre is Manoeuvre.VELOCITY:
            # The boundary may stop the vehicle faster than the limit of acceleration.
            change = math.hypot(velocity[0] - last[0], velocity[1] - last[1])
            speeds_up = math.hypot(*velocity[:2]) > math.hypot(*last[:2])
            assert not speeds_up or change <= 0.1 * CONFIG.limits.acceleration_mps2 + 0.2
        last = velocity


def test_hero_is_not_followed_beyond_the_geofence_without_a_map():
    """On a simulator without a street map nothing else would end the pursuit."""
    simulator = CONFIG.simulator.model_copy(update={"flyable_m": ()})
    limits = CONFIG.limits.model_copy(update={"geofence_m": 40.0})
    config = CONFIG.model_copy(update={"simulator": simulator, "limits": limits})
    world, pilot = start(walk((12.0, 3.0), 2.0), config)
    for _ in range(400):
        world.obey(pilot.step(world.frame()).command)
        assert max(abs(x) for x in world.position[:2]) <= 40.0
    assert world.position[0] > 38.0


# Contents of each step


def eventful_flight(seconds=45.0):
    """PATROL, ACQUIRE, FOLLOW among other people, a loss, SEARCH; frames without an image."""
    neighbour, bush = walk((17.0, 8.5), 1.2), walk((50.0, 2.0), 0.0)
    hidden = ((24.0, 29.0),)
    world, pilot = start(walk((15.0, 6.0), 1.2), others=(neighbour, bush), hidden=hidden)
    for i in range(round(10 * seconds)):
        world.blind = i in (150, 151, 200)
        frame, state = world.frame(), pilot.state
        step = pilot.step(frame)
        yield frame, state, step
        world.obey(step.command)


@pytest.fixture(scope="module")
def flight():
    return list(eventful_flight())


def test_eventful_flight_has_every_kind_of_event(flight):
    steps = [step for _, _, step in flight]
    states = {step.state for step in steps}
    assert {MissionState.PATROL, MissionState.ACQUIRE, FOLLOW, MissionState.SEARCH} <= states
    outcomes = {candidate.outcome for step in steps for candidate in step.candidates}
    assert {Outcome.SELECTED, Outcome.OUTSIDE_GATE, Outcome.LESS_LIKELY} <= outcomes
    assert any(len(step.candidates) >= 3 for step in steps)
    assert any(step.mask is None for step in steps)


def test_exactly_one_candidate_is_selected_in_a_step_with_a_detection_and_none_without(flight):
    for _, _, step in flight:
        selected = [one for one in step.candidates if one.outcome is Outcome.SELECTED]
        assert len(selected) == (step.detection is not None)
        if step.detection is not None:
            assert selected[0].detection is step.detection
            assert selected[0].classification is step.inputs.classification
        else:
            assert step.inputs.classification is None


def test_candidates_of_a_step_are_all_detections_of_its_mask(flight):
    lowest_m = CONFIG.limits.min_altitude_m - CONFIG.limits.sink_m
    for frame, _, step in flight:
        is_high_enough = step.inputs.altitude_m >= lowest_m
        counted = frame.rgb is not None and is_high_enough
        detections = detect(step.mask, CONFIG.detection) if counted else []
        assert [candidate.detection for candidate in step.candidates] == detections


def test_inputs_of_a_step_are_those_of_its_frame(flight):
    last_s = None
    for frame, _, step in flight:
        assert step.inputs.time_s == step.time_s == frame.time_s
        gap_s = 1.0 / CONFIG.camera.rate_hz if last_s is None else frame.time_s - last_s
        assert step.inputs.gap_s == gap_s
        assert step.inputs.has_image == (frame.rgb is not None)
        assert step.inputs.altitude_m == -frame.vehicle.position_m[2]
        assert step.inputs.speed_mps == math.hypot(*frame.vehicle.velocity_mps)
        last_s = frame.time_s


def test_transition_of_a_step_leads_from_the_state_before_to_its_state(flight):
    for _, before, step in flight:
        if step.transition is None:
            assert step.state is before
        else:
            assert (step.transition.source, step.transition.target) == (before, step.state)


def test_guidance_of_a_step_is_carried_out_by_its_command(flight):
    for _, _, step in flight:
        assert step.guidance.manoeuvre is step.command.manoeuvre
        if step.guidance.manoeuvre is Manoeuvre.VELOCITY and step.state is FOLLOW:
            assert step.guidance.altitude_m == CONFIG.mission.altitude_m
            assert step.guidance.heading_rad == step.guidance.line_of_sight.azimuth_rad


def test_terms_of_each_loop_are_reported_at_most_once_per_step(flight):
    """Viewers draw them: the terms add up to what was commanded."""
    for _, _, step in flight:
        names = [terms.name for terms in step.loops]
        assert len(names) == len(set(names))
        for terms in step.loops:
            assert terms.p + terms.i + terms.d == pytest.approx(terms.output, abs=1e-9) or abs(
                terms.output
            ) == pytest.approx(getattr(CONFIG.control, terms.name).limit)
        if step.state is FOLLOW and step.detection is not None:
            assert names == ["forward", "pan", "tilt", "altitude", "yaw"]
