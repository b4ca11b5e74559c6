"""A flight in a world file: start, map of the pilot, and landing."""

import json
import math

import pytest

from followme_uav.commands.flying import FlightOptions
from followme_uav.errors import ConfigError
from followme_uav.flight.fly import fly
from followme_uav.log.reader import read_log
from followme_uav.worlds.world_file import save_world
from tests.unit.world_parts import crossing

pytestmark = pytest.mark.slow


def test_vehicle_flies_from_the_start_of_a_world_inside_its_map_and_lands(tmp_path):
    world = tmp_path / "town.yaml"
    save_world(crossing(start_m=(-30.0, 0.0)), world)
    options = FlightOptions(world=str(world), oracle=True, duration=5.0, seed=3)
    plan = options.plan(tmp_path / "flight.mcap")
    assert plan.config.simulator.flyable_m == ()
    summary = fly(plan)
    assert summary.metrics.landed
    assert summary.metrics.collisions == 0
    log = read_log(plan.log)
    frames = [entry.frame for entry in log.entries(parts=())]
    assert math.dist(frames[0].vehicle.position_m[:2], (-30.0, 0.0)) < 0.5
    logged = log.metadata.config.simulator
    assert json.dumps(logged.flyable_polygons_m) == json.dumps(
        plan.config.simulator.flyable_polygons_m
    )


def test_world_of_another_simulator_is_refused(tmp_path):
    options = FlightOptions(world="old-town", sim="127.0.0.1:1")
    with pytest.raises(ConfigError, match="--world is of the embedded simulator"):
        options.plan(tmp_path / "flight.mcap")
