"""The world plan, on which scenarios are based."""

import json
import math

import numpy as np
import pytest

from followme_uav.errors import ConfigError
from followme_uav.sim.agents.people import Crowd
from followme_uav.sim.agents.routes import HeroMode, Route
from followme_uav.sim.build import make_simulation
from followme_uav.sim.city.environment import Environment
from followme_uav.sim.city.world import make_city
from followme_uav.sim.rendering.meshes.wardrobe import make_wardrobe
from followme_uav.sim.server import main
from followme_uav.sim.simulation import Simulation
from followme_uav.sim.world_plan import WorldPlan, plan_world

WORLD = """
seed: 7
style: modern
people: 5
cars: 3
light: {hour_h: 17.5, fog: 0.4}
hero:
  waypoints_m: [[7.5, -20.0], [7.5, 40.0]]
walkers:
  - outfit: decoy
    route: {waypoints_m: [[7.5, 40.0], [7.5, -20.0]], speeds_mps: [[0.0, 2.0]]}
gatherings:
  - {place_m: [30.0, 30.0], people: 8, radius_m: 4.0}
"""


@pytest.fixture
def written(tmp_path):
    def write(text: str, name: str = "world.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_simulation_matches_the_world_plan(written):
    """City, light, traffic, routes and gatherings come from the file."""
    simulation = make_simulation(plan_world(written(WORLD)), None, (32, 32))
    assert simulation.city.style == "modern"
    assert len(simulation.traffic.cars) == 3
    light = simulation.environment.atmosphere(simulation.time_ns)
    clear = Environment(7)
    clear.enable_weather(True)
    assert light.fog_per_m > 5 * clear.atmosphere(simulation.time_ns).fog_per_m
    assert light.sun_elevation_deg < 10.0
    assert len(simulation.crowd.people) == 1 + 5 + 1 + 8
    simulation.step(2000)
    hero, decoy = simulation.crowd.people[0], simulation.crowd.people[6]
    assert hero.position_m[:2] == pytest.approx((7.5, -6.5), abs=1.0)
    assert decoy.position_m[:2] == pytest.approx((7.5, 21.0), abs=1.5)
    gathered = np.array([p.position_m[:2] for p in simulation.crowd.people[7:]])
    assert np.hypot(*(gathered - (30.0, 30.0)).T).max() < 5.5
    speeds = [p.speed_mps for p in simulation.crowd.people[7:]]
    assert 0.0 in speeds
    assert max(speeds) > 0.2


def test_options_take_precedence_and_json_is_read(written):
    """One script is flown in several cities; programs write JSON."""
    plan = plan_world(written(WORLD), seed=8, style=None)
    assert (plan.seed, plan.style) == (8, "modern")
    again = json.dumps(plan.model_dump(mode="json"))
    assert plan_world(written(again, "world.json")) == plan
    assert plan_world() == WorldPlan()
    assert plan_world(written("hero: absent")).hero is HeroMode.ABSENT


def test_walkers_do_not_change_the_starts_of_other_people():
    """A decoy added to a script must leave the rest of the world as it is."""
    city = make_city(3)
    alone = Crowd(city, 3, 20)
    with_others = Crowd(city, 3, 20, walkers=[Route(((7.5, 7.5), (7.5, 30.0)))])
    assert with_others.people[:21] == alone.people
    assert make_wardrobe(3, 20, ["decoy"])[:21] == make_wardrobe(3, 20)
    red, green, blue = make_wardrobe(3, 20, ["decoy"])[21].top
    assert red > 2 * max(green, blue) * 0.8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sed: 3", r"world.yaml: sed: unknown key"),
        ("style: gothic", "gothic"),
        ("hero: {waypoints_m: [[0, 0]], sped: 2}", "sped"),
        ("hero: {waypoints_m: [[0, 400]]}", r"world.yaml: route: waypoint 0 .* outside the city"),
        ("hero: somewhere", "world.yaml: hero"),
        ("walkers: [{outfit: tuxedo, route: {waypoints_m: [[0, 0]]}}]", "outfit"),
        ("{people: 60, gatherings: [{place_m: [30, 30], people: 60, radius_m: 9}]}", "at most 100"),
        ("cars: 25", "cars"),
        ("gatherings: [{place_m: [30, 30], people: 90, radius_m: 2}]", "at most 100"),
        ("[1, 2]", "expected"),
        ("seed: .nan", "seed"),
    ],
)
def test_an_error_in_the_file_names_file_and_key(written, capsys, text, message):
    """One line, and exit code 2."""
    path = written(text)
    with pytest.raises(ConfigError, match=message):
        plan_world(path)
    assert main(["--world", str(path), "--port", "0"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_plan_that_does_not_fit_its_city_is_a_config_error(written):
    """Houses differ from city to city; people must not start in one."""
    crowd = "{people: 0, gatherings: [{place_m: [30, 30], people: 90, radius_m: 2}]}"
    with pytest.raises(ConfigError, match="no room for 90 people"):
        make_simulation(plan_world(written(crowd)), None, (32, 32))
    house = make_city(7, "modern").buildings[0]
    walls = f"""{WORLD.partition("hero:")[0]}
walkers: [{{route: {{waypoints_m: [[7.5, 7.5], [{house.north_m}, {house.east_m}]]}}}}]"""
    with pytest.raises(ConfigError, match=r"route of person_06: leg 1"):
        make_simulation(plan_world(written(walls)), None, (32, 32))


def test_a_full_city_with_a_hero_in_the_road_runs():
    """A car whose lane is blocked at the start is left out."""
    start = Simulation(2, 0, cars=24).traffic.cars[0]
    hero = Route(((start.north_m, start.east_m),))
    simulation = Simulation(2, 0, cars=24, hero=hero)
    simulation.step(100)
    simulation.reset()
    simulation.step(100)
    assert 20 <= len(simulation.traffic.cars) < 24
    assert math.isfinite(simulation.clearance_m())
