"""If these fail, errors in scenario scripts go unnoticed, or flights are checked wrongly."""

from pathlib import Path

import pytest
import yaml

from followme_uav.errors import ConfigError
from followme_uav.flight.metrics import metrics_of
from followme_uav.messages import MissionState
from followme_uav.scenario.script.checks import complaints
from followme_uav.scenario.script.draws import draw_scenario
from followme_uav.scenario.script.script import read_scenarios
from followme_uav.sim.agents.people import Crowd
from followme_uav.sim.agents.routes import HeroMode, check_route
from followme_uav.sim.city.world import make_city
from followme_uav.sim.world_plan import plan_world
from tests.conftest import detection_at, hero_mask, make_entry
from tests.unit.scenario_parts import scenario, write_script

EVERY = read_scenarios([])
REQUIRED = {
    *("straight-walk", "run", "stop-and-go", "sharp-corners", "u-turn-below", "zigzag", "circle"),
    *("under-highway", "behind-building", "behind-trees", "crowd", "decoy-crosses"),
    *("decoy-other-way", "hero-absent", "hero-far", "leaves-fast", "gusts", "fog", "dusk"),
    *("frames-dropped", "delay", "stall", "narrow-street", "steep-view", "short-of-time"),
}


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"colour": 1}, ["one.yaml", "colour", "unknown key"]),
        ({"why": None}, ["one.yaml", "why", "missing"]),
        ({"expect": {}}, ["one.yaml", "expect"]),
        ({"expect": {"speed": 1}}, ["one.yaml", "expect", "'speed' is no metric"]),
        ({"expect": {"tracked": {"min": 0.9, "max": 0.1}}}, ["one.yaml", "expect.tracked"]),
        ({"expect": {"in_view": {"min": 1.5}}}, ["one.yaml", "'in_view' lies between 0 and 1"]),
        ({"expect": {"losses": {"max": -1}}}, ["one.yaml", "losses"]),
        ({"expect": {"losses": "never"}}, ["one.yaml", "losses"]),
        ({"expect": {"losses": {}}}, ["one.yaml", "expect.losses"]),
        ({"expect": {"loop_p50_ms": {"max": 3}}}, ["one.yaml", "loop_p50_ms"]),
        ({"seeds": []}, ["one.yaml", "seeds"]),
        ({"flight": {"control": {"wanted": 9}}}, ["one.yaml", "control.wanted", "unknown key"]),
        ({"flight": {"control": {"wanted_distance_m": -9}}}, ["one.yaml", "wanted_distance_m"]),
        ({"world": {"seed": 3}}, ["one.yaml", "world", "seed"]),
        ({"world": {"people": -1}}, ["one.yaml", "world.people"]),
        ({"world": {"style": "baroque"}}, ["one.yaml", "baroque"]),
        ({"world": {"hero": {"waypoints_m": [[999, 0]]}}}, ["one.yaml", "outside the city"]),
        ({"events": [{"at_s": 3}]}, ["one.yaml", "events.0", "give one of"]),
        ({"events": [{"stall": {}}]}, ["one.yaml", "events.0", "lasts_s"]),
        ({"events": [{"light": {}, "gust": {}}]}, ["one.yaml", "events.0", "light"]),
        ({"events": [{"lasts_s": 3, "light": {}}]}, ["one.yaml", "events.0", "at once"]),
        ({"events": [{"drop_frames": {"share": 2}}]}, ["one.yaml", "drop_frames.share"]),
        ({"events": [{"delay": {"frames_ms": 20, "jitter_ms": 30}}]}, ["one.yaml", "jitter_ms"]),
    ],
)
def test_error_in_a_script_is_one_line_that_names_file_and_key(tmp_path, changes, names):
    with pytest.raises(ConfigError) as error:
        read_scenarios([write_script(tmp_path, **changes)])
    assert all(name in str(error.value) for name in names)
    assert "\n" not in str(error.value)


def test_unknown_scenario_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"scenario 'stroll' is unknown.*straight-walk"):
        read_scenarios([Path("stroll")])
    with pytest.raises(ConfigError, match="holds no scenario"):
        read_scenarios([tmp_path])


def test_two_scripts_of_the_same_name_are_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with pytest.raises(ConfigError, match="two scenarios are called one"):
        read_scenarios([write_script(tmp_path / "a"), write_script(tmp_path / "b")])


def test_overrides_take_precedence_over_the_script_and_the_script_over_changes(tmp_path):
    one = scenario(tmp_path, flight={"mission": {"altitude_m": 6}})
    assert one.config().mission.altitude_m == 6
    assert one.config().duration_s == 20
    changed = one.config({"mission": {"altitude_m": 5, "descent_mps": 0.5}}, ["duration_s=7"])
    assert (changed.mission.altitude_m, changed.mission.descent_mps) == (6, 0.5)
    assert changed.duration_s == 7


def test_world_of_a_script_reaches_the_simulator_with_the_seed_of_the_flight(tmp_path):
    route = {"waypoints_m": [[7.5, -20], [7.5, 40]], "speeds_mps": [[0, 1.4]]}
    one = scenario(tmp_path, world={"people": 3, "light": {"fog": 0.4}, "hero": route})
    world = tmp_path / "world.yaml"
    world.write_text(yaml.safe_dump(one.world_of(77)))
    plan = plan_world(world)
    assert (plan.seed, plan.people, plan.light.fog) == (77, 3, 0.4)
    assert plan.hero == one.world.hero


def test_all_required_scenarios_are_there_with_three_seeds_each():
    assert {s.name for s in EVERY} >= REQUIRED
    assert all(len(s.seeds) >= 3 and len(s.why) > 20 for s in EVERY)


@pytest.mark.parametrize("one", EVERY, ids=lambda s: s.name)
def test_routes_of_a_script_are_free_in_all_of_its_cities(one):
    for seed in one.seeds:
        city = make_city(seed, one.world.style)
        routes = [walker.route for walker in one.world.everybody(city)]
        if not isinstance(one.world.hero, HeroMode):
            routes.append(one.world.hero)
        for route in routes:
            check_route(route, city)


def test_random_scenario_depends_on_its_seed_only_and_its_routes_are_valid():
    drawn = [draw_scenario(seed) for seed in range(2000, 2012)]
    assert drawn == [draw_scenario(seed) for seed in range(2000, 2012)]
    assert len({s.model_dump_json() for s in drawn}) == len(drawn)
    assert any(s.events for s in drawn)
    for s in drawn:
        assert s.follow_s == 120
        hero = s.world.hero
        Crowd(make_city(s.seeds[0]), s.seeds[0], 1, hero, [w.route for w in s.world.walkers])


# Checks of a flight


def flown(config, **state):
    """Return the metrics of four frames in FOLLOW and a landing."""
    entries = [
        make_entry(i, truth_mask=hero_mask((16, 16)), detection=detection_at((16, 16)), **state)
        for i in range(4)
    ]
    return metrics_of([*entries, make_entry(4, MissionState.DONE)], config)


@pytest.mark.parametrize(
    ("expected", "complaint"),
    [
        ({"in_view": {"min": 0.99}}, None),
        ({"landed": True}, None),
        ({"landed": False}, "landed True > 0"),
        ({"losses": 0, "collisions": 0}, None),
        ({"acquire_s": "never"}, "acquire_s 0, expected never"),
        ({"min_clearance_m": {"min": 6}}, "min_clearance_m 5 < 6"),
        ({"reacquire_s": {"max": 3}}, None),
    ],
)
def test_flight_is_checked_against_the_expected_metrics(tmp_path, config, expected, complaint):
    found = complaints(scenario(tmp_path, expect=expected).expect, flown(config))
    assert found == ([] if complaint is None else [complaint])


def test_metric_without_a_value_fails_unless_never_is_expected(tmp_path, config):
    nothing = metrics_of([], config)
    expect = scenario(tmp_path, expect={"tracked": {"min": 0}, "acquire_s": {"max": 9}}).expect
    assert complaints(expect, nothing) == ["tracked: has no value", "acquire_s: has no value"]
    expect = scenario(tmp_path, expect={"acquire_s": "never"}).expect
    assert complaints(expect, nothing) == []
