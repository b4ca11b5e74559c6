"""The followers that the pilot is compared with do what they are said to do."""

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.messages import MissionState
from followme_uav.perception.detection import detect
from followme_uav.pilot.baselines import LOST_FRAMES, Original, Proportional
from tests.toy_world import SIZE_PX, ToyWorld

CONFIG = load_config(overrides=["duration_s=60"])


def walk(time_s):
    return 14.0 + 0.5 * max(time_s - 8.0, 0.0), 1.0


WIDE_PX = (320, 160)
WIDE = load_config(
    overrides=[
        "duration_s=60",
        f"camera.width_px={WIDE_PX[0]}",
        f"camera.height_px={WIDE_PX[1]}",
    ]
)


@pytest.mark.parametrize("kind", [Original, Proportional])
def test_each_looks_as_far_down_whatever_the_image_shape(kind):
    """`v` counts in half the image's height, which is no fixed angle."""
    elevations = []
    for config, size_px in ((CONFIG, (SIZE_PX, SIZE_PX)), (WIDE, WIDE_PX)):
        world = ToyWorld(walk, size_px=size_px, position=(0.0, 0.0, -4.5), camera=(0.0, -0.2))
        depth = {"depth": lambda s=size_px: np.full(s[::-1], 14.0, np.float32)}
        pilot = kind(config, world.mask, **(depth if kind is Original else {}))
        frame = world.frame()
        mask = world.mask(frame)
        (seen,) = detect(mask, config.detection)
        elevations.append(pilot.follow(frame, mask, seen).sight.elevation_rad)
    assert elevations[0] == pytest.approx(elevations[1], abs=0.01)


@pytest.mark.parametrize("scale", [0.5, 3.0])
def test_original_reads_the_depth_where_the_hero_is_whatever_the_size_of_the_depth_image(scale):
    """Another size than the mask's is that of cameras whose images are resized."""
    world = ToyWorld(walk, position=(0.0, 0.0, -4.5), camera=(0.0, -0.2))
    frame = world.frame()
    mask = world.mask(frame)
    (seen,) = detect(mask, CONFIG.detection)
    side = round(scale * SIZE_PX)
    row, column = (round((x + 1.0) / 2.0 * side) for x in (seen.v, seen.u))
    depth_m = np.full((side, side), 40.0, np.float32)
    half = round(0.04 * side)
    depth_m[row - half : row + half, column - half : column + half] = 14.0
    aim = Original(CONFIG, world.mask, lambda: depth_m).follow(frame, mask, seen)
    assert aim.target_m[0] == pytest.approx(14.0, abs=1.5)


def pilots(world):
    def depth():
        place = (*walk(world.time_s), -0.95)
        ahead_m = abs(place[0] - world.position[0])
        return np.full((SIZE_PX, SIZE_PX), ahead_m, np.float32)

    return {
        "original": Original(CONFIG, world.mask, depth),
        "proportional": Proportional(CONFIG, world.mask),
    }


@pytest.mark.parametrize("name", ["original", "proportional"])
def test_baseline_follows_a_person_who_walks_ahead(name):
    world = ToyWorld(walk)
    world.fly(pilots(world)[name], 40)
    assert abs(world.distance_m() - CONFIG.control.wanted_distance_m) < 2.5


@pytest.mark.parametrize("name", ["original", "proportional"])
def test_baseline_patrols_after_six_frames_without_a_detection(name):
    world = ToyWorld(walk)
    pilot = pilots(world)[name]
    world.fly(pilot, 20)
    assert pilot.state is MissionState.FOLLOW
    world.route = lambda time_s: None
    states = [step.state for step in world.fly(pilot, 1)]
    assert LOST_FRAMES == 6
    assert states[:6].count(MissionState.FOLLOW) == 5
    assert states[6] is MissionState.PATROL


@pytest.mark.parametrize("name", ["original", "proportional"])
def test_baseline_patrols_after_a_fault(name):
    """It has no search to go into."""
    world = ToyWorld(walk)
    pilot = pilots(world)[name]
    world.fly(pilot, 20)
    world.blind = True
    world.fly(pilot, 3)
    assert pilot.state is MissionState.FAILSAFE
    world.blind, world.route = False, lambda time_s: None
    assert world.fly(pilot, 3)[-1].state is MissionState.PATROL


def test_baseline_lands_when_the_flight_time_is_over():
    world = ToyWorld(walk)
    pilot = pilots(world)["proportional"]
    steps = world.fly(pilot, 100)
    assert steps[-1].state is MissionState.DONE


@pytest.mark.parametrize("name", ["original", "proportional"])
def test_steps_of_a_baseline_carry_their_inputs_and_guidance(name):
    world = ToyWorld(walk)
    steps = world.fly(pilots(world)[name], 20)
    for step in steps:
        assert (step.inputs.classification is None) == (step.detection is None)
        assert step.guidance.manoeuvre is step.command.manoeuvre
    assert steps[-1].state is MissionState.FOLLOW
    assert (steps[-1].track is None) == (name == "proportional")
