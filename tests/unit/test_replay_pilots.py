"""A flight of every pilot can be replayed from its log alone."""

import socket

import numpy as np
import pytest

from followme_uav.errors import LogError
from followme_uav.flight.pilots import PILOTS
from followme_uav.geometry import rotate
from followme_uav.log.reader import read_log
from followme_uav.messages import MissionState
from followme_uav.pilot.baselines import Original, Proportional
from followme_uav.pilot.pilot import Pilot
from followme_uav.replay.replay import LoggedSensors
from followme_uav.replay.setup import ReplaySetup, compare_log, replay_pilot_factory
from tests.toy_flight import fly_toy
from tests.toy_world import SIZE_PX

pytestmark = pytest.mark.slow

NO_DEPTH_AT = (12, 13, 40)
"""Numbers of the measurements for which the simulator gives no depth."""


def original(config, masks, world):
    """The pilot with depth images of a wall at the hero's distance; some images are missing."""
    count = 0

    def depth():
        nonlocal count
        count += 1
        if count in NO_DEPTH_AT:
            return None
        camera = world.history_camera
        forward = rotate(camera.orientation, (1.0, 0.0, 0.0))
        place = (*(world.route(world.time_s) or (0.0, 0.0)), -0.95)
        ahead_m = sum(
            (p - c) * f for p, c, f in zip(place, camera.position_m, forward, strict=True)
        )
        return np.full((SIZE_PX, SIZE_PX), ahead_m, np.float32)

    frame = world.frame

    def frame_with_history(**changes):
        made = frame(**changes)
        world.history_camera = made.camera
        return made

    world.frame = frame_with_history
    return Original(config, masks, depth)


MADE = {
    "network": lambda config, masks, world: Pilot(config, masks),
    "oracle": lambda config, masks, world: Pilot(config, masks),
    "original": original,
    "proportional": lambda config, masks, world: Proportional(config, masks),
}


@pytest.fixture
def no_sockets(monkeypatch):
    """Makes every attempt to open a socket fail."""

    def refuse(*_, **__):
        raise AssertionError("a replay opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("name", PILOTS)
def test_replay_of_any_pilot_is_identical_and_opens_no_connection(
    name, tmp_path, config, no_sockets
):
    """Otherwise it would block without a simulator, or control one that is running."""
    path = fly_toy(config, tmp_path / "toy.mcap", 30.0, make_pilot=MADE[name], pilot=name)
    log = read_log(path)
    states = {entry.step.state for entry in log.entries(())}
    assert MissionState.FOLLOW in states
    found = compare_log(log, ReplaySetup(log.metadata.config))
    assert found.is_rounding
    assert found.frames == 300
    assert name == "original" or found.is_identical


@pytest.mark.parametrize("name", PILOTS)
def test_making_a_pilot_opens_no_connection(name, config, no_sockets):
    """Pilots are made before the simulator starts, and for replays, which have none."""
    PILOTS[name].make(config, lambda frame: None)
    replay_pilot_factory(name)(config, LoggedSensors())


def test_error_for_a_log_of_an_unknown_pilot_names_the_log(tmp_path, config):
    """Otherwise the error would name an option that was not given."""
    path = fly_toy(config, tmp_path / "toy.mcap", 0.5, pilot="autopilot-9")
    log = read_log(path)
    with pytest.raises(LogError, match=r"toy\.mcap: flown by a pilot 'autopilot-9'"):
        compare_log(log, ReplaySetup(log.metadata.config))
