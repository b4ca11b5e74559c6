"""Flights with the simulator in their own process, as the workers of a busy machine fly them."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from followme_uav.config import load_config
from followme_uav.scenario.execution import simulators
from followme_uav.scenario.execution.simulators import maker_in_process

DEADLINE_S = 300.0
FLIGHTS = """
import hashlib, sys
from pathlib import Path
from followme_uav import load_config
from followme_uav.flight.fly import FlightPlan, fly
from followme_uav.scenario.execution.simulators import maker_in_process

folder, profile = Path(sys.argv[1]), sys.argv[2]
config = load_config(None, ["duration_s=3", "perception.threads=1"], profile)
world = folder / "world.yaml"
def digest(name, make):
    entries = []
    plan = FlightPlan(config, seed=5, world=world, log=folder / name, make_simulator=make)
    fly(plan, lambda entry, metrics: entries.append(entry))
    state = hashlib.sha256()
    for entry in entries:
        state.update(entry.frame.rgb.tobytes() + entry.truth.mask.tobytes())
        state.update(repr((entry.frame.vehicle, entry.step.command)).encode())
    return len(entries), state.hexdigest()
here = maker_in_process(config, world, 5, "network", 1)
assert here is not None
for number, make in enumerate((here, here, None)):
    print(digest(f"{number}.mcap", make))
"""


@pytest.mark.parametrize("profile", ["embedded", "embedded-colosseum"])
def test_a_flight_is_the_same_in_one_process_as_in_two_and_when_it_is_repeated(tmp_path, profile):
    """A process of its own, because TensorFlow may be loaded in this one."""
    (tmp_path / "world.yaml").write_text(yaml.safe_dump({"people": 6, "cars": 2}))
    command = [sys.executable, "-c", FLIGHTS, str(tmp_path), profile]
    found = subprocess.run(
        command, capture_output=True, encoding="utf-8", timeout=DEADLINE_S, check=False
    )
    assert found.returncode == 0, found.stderr
    first, again, in_two = found.stdout.splitlines()
    assert int(first[1:].partition(",")[0]) > 30
    assert first == again == in_two


@pytest.fixture
def without_tensorflow(monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    monkeypatch.setattr(simulators, "may_load_tensorflow", lambda runtime: runtime == "tensorflow")


def maker(world=None, *, pilot="network", threads=1, **options):
    world = world or Path("configs/world.yaml")
    return maker_in_process(load_config(**options), world, 1, pilot, threads)


def test_flights_share_a_process_with_the_simulator_only_where_that_is_faster_and_safe(
    tmp_path, without_tensorflow
):
    """With two processors the simulator draws ahead; TensorFlow crashes beside Mesa."""
    world = tmp_path / "world.yaml"
    world.write_text("{}\n")
    assert maker(world) is not None
    assert maker(world, threads=2) is None
    assert maker(world, pilot="mine.py:Pilot") is None
    assert maker(world, overrides=["perception.runtime=tensorflow"]) is None
    assert maker(world, overrides=["rpc.backend=msgpack-rpc-python"]) is None
