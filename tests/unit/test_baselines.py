"""If these fail, the pilot is compared with followers that do not do what they are said to."""

import numpy as np
import pytest

from followme_uav.config import load_config
from followme_uav.messages import MissionState
from followme_uav.pilot.baselines import Original, Proportional
from tests.toy_world import SIZE_PX, ToyWorld

CONFIG = load_config(overrides=["duration_s=60"])


def walk(time_s):
    return 14.0 + 0.5 * max(time_s - 8.0, 0.0), 1.0


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
def test_each_follows_somebody_who_walks_ahead(name):
    world = ToyWorld(walk)
    world.fly(pilots(world)[name], 40)
    assert abs(world.distance_m() - CONFIG.control.wanted_distance_m) < 2.5


@pytest.mark.parametrize("name", ["original", "proportional"])
def test_six_frames_without_anybody_and_it_patrols(name):
    world = ToyWorld(walk)
    pilot = pilots(world)[name]
    world.fly(pilot, 20)
    assert pilot.state is MissionState.FOLLOW
    world.route = lambda time_s: None
    states = [step.state for step in world.fly(pilot, 1)]
    assert states[:6].count(MissionState.FOLLOW) == 5
    assert states[6] is MissionState.PATROL


@pytest.mark.parametrize("name", ["original", "proportional"])
def test_after_a_fault_it_patrols(name):
    """It knows no search; going into one ended the flight with an error."""
    world = ToyWorld(walk)
    pilot = pilots(world)[name]
    world.fly(pilot, 20)
    world.blind = True
    world.fly(pilot, 3)
    assert pilot.state is MissionState.FAILSAFE
    world.blind, world.route = False, lambda time_s: None
    assert world.fly(pilot, 3)[-1].state is MissionState.PATROL


def test_each_lands_when_the_time_is_over():
    world = ToyWorld(walk)
    pilot = pilots(world)["proportional"]
    steps = world.fly(pilot, 100)
    assert steps[-1].state is MissionState.DONE
